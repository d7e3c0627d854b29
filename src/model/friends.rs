//! Friends who say that somebody is who they say: two of them, by a phrase that was passed on to them.
//!
//! The asker is shown no list and names nobody. They get a phrase and tell it to friends, over the phone or face to face;
//! each confirms it on their own device. So a stranger learns nothing, and has to win over two people who know the owner.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::{id::AccountId, time::Timestamp};

pub use phrase::Phrase;

mod phrase;

/// Somebody counts as a friend after so many days: nobody makes friends to be let in by them.
pub const FRIEND_DAYS: i64 = 30;

/// Friends who must confirm.
pub const FRIENDS_NEEDED: usize = 2;

/// They can for so long.
pub const VOUCHING: Duration = Duration::from_secs(24 * 3600);

/// A friend of an account's owner, as the app says: who, and since which day (as [`Timestamp::day`] counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Friend(pub AccountId, pub i64);

/// A phrase that friends are asked to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouching {
    /// Keyed digest of the phrase.
    phrase: String,
    /// By what those came who asked.
    asker: Whence,
    /// Nobody can confirm any more then.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    confirmed: Vec<AccountId>,
}

/// By what somebody comes: digests of the tokens and of the key of their device, and of their network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whence(pub Vec<String>);

/// What becomes of a confirmation. Who confirms may be told whether it counts, and no more: else a stranger with a phrase of
/// their own learns who the owner's friends are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouched {
    /// It counts, now or since before; another friend is needed.
    Counts,
    /// It counts, and it is enough.
    Enough,
    /// The phrase is another one, or its time is over.
    Over,
    /// Who confirms is no friend, or not for long enough.
    NoFriend,
    /// It is on the device, or from the network, of who asks.
    SameHand,
}

impl Friend {
    /// Whether they have been friends for long enough.
    pub const fn counts(&self, now: Timestamp) -> bool {
        now.day().saturating_sub(self.1) >= FRIEND_DAYS
    }
}

impl Whence {
    /// Whether both have something in common.
    fn meets(&self, other: &Self) -> bool {
        self.0.iter().any(|trace| other.0.contains(trace))
    }
}

impl Vouching {
    /// Asks, with the keyed digest of a fresh [`Phrase`].
    pub fn ask(phrase: String, asker: Whence, now: Timestamp) -> Self {
        Self { phrase, asker, until: now.plus(VOUCHING), confirmed: Vec::new() }
    }

    /// Whoever asks comes from there too.
    pub fn comes_from(&mut self, trace: &str) {
        if !self.asker.0.iter().any(|known| known == trace) {
            self.asker.0.push(trace.to_owned());
        }
    }

    /// Whether friends have confirmed it, enough of them, in time.
    pub const fn is_enough(&self) -> bool {
        self.confirmed.len() >= FRIENDS_NEEDED
    }

    /// Takes the word of `voucher`, on a device that can speak for them. `friends` are those of the account as they are now;
    /// one friend counts once.
    pub fn confirm(
        &mut self,
        phrase: &str,
        friends: &[Friend],
        (voucher, whence): (AccountId, &Whence),
        now: Timestamp,
    ) -> Vouched {
        if phrase != self.phrase || now >= self.until {
            return Vouched::Over;
        }
        if !friends.iter().any(|friend| friend.0 == voucher && friend.counts(now)) {
            return Vouched::NoFriend;
        }
        if self.asker.meets(whence) {
            return Vouched::SameHand;
        }
        if !self.confirmed.contains(&voucher) {
            self.confirmed.push(voucher);
        }
        if self.is_enough() { Vouched::Enough } else { Vouched::Counts }
    }

    /// Those are the friends from now on: what others said counts no more.
    pub fn keep(&mut self, friends: &[Friend]) {
        self.confirmed.retain(|voucher| friends.iter().any(|friend| friend.0 == *voucher));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1000 * DAY + seconds)
    }

    const fn person(number: u8) -> AccountId {
        AccountId::from_bytes([number; 16])
    }

    fn from(place: &str) -> Whence {
        Whence(vec![format!("device-{place}"), format!("k1.{place}")])
    }

    fn asked() -> Vouching {
        Vouching::ask("k1.phrase".to_owned(), from("asker"), at(0))
    }

    /// Three old friends, and one of yesterday.
    fn friends() -> Vec<Friend> {
        vec![Friend(person(1), 10), Friend(person(2), 970), Friend(person(3), 900), Friend(person(4), 999)]
    }

    fn confirm(vouching: &mut Vouching, voucher: u8, place: &str, now: Timestamp) -> Vouched {
        vouching.confirm("k1.phrase", &friends(), (person(voucher), &from(place)), now)
    }

    #[test]
    fn two_friends_within_a_day_are_enough_and_one_counts_once() {
        let mut vouching = asked();
        assert_eq!(confirm(&mut vouching, 1, "home", at(60)), Vouched::Counts);
        assert_eq!(confirm(&mut vouching, 1, "elsewhere", at(61)), Vouched::Counts, "the same friend again");
        assert!(!vouching.is_enough());
        assert_eq!(confirm(&mut vouching, 2, "office", at(DAY - 1)), Vouched::Enough);
        assert_eq!(confirm(&mut vouching, 3, "school", at(DAY - 1)), Vouched::Enough);
        assert!(vouching.is_enough());
        let mut late = asked();
        confirm(&mut late, 1, "home", at(60));
        assert_eq!(confirm(&mut late, 2, "office", at(DAY)), Vouched::Over);
        assert!(!late.is_enough());
    }

    #[test]
    fn strangers_new_friends_and_the_asker_themselves_do_not_count() {
        let mut vouching = asked();
        assert_eq!(confirm(&mut vouching, 9, "home", at(1)), Vouched::NoFriend);
        assert_eq!(confirm(&mut vouching, 4, "home", at(1)), Vouched::NoFriend, "a friend of yesterday");
        assert_eq!(confirm(&mut vouching, 1, "asker", at(1)), Vouched::SameHand);
        for trace in ["device-asker", "k1.asker"] {
            let whence = Whence(vec!["another".to_owned(), trace.to_owned()]);
            let voucher = (person(1), &whence);
            assert_eq!(vouching.confirm("k1.phrase", &friends(), voucher, at(1)), Vouched::SameHand);
        }
        let known = (person(1), &from("home"));
        assert_eq!(vouching.confirm("k1.other", &friends(), known, at(1)), Vouched::Over);
        assert_eq!(
            vouching.confirm("k1.phrase", &[], known, at(1)),
            Vouched::NoFriend,
            "no friends any more"
        );
        assert_eq!(vouching, asked(), "nothing of it counted");
    }

    #[test]
    fn who_has_asked_from_two_places_is_at_home_in_both() {
        let mut vouching = asked();
        vouching.comes_from("k1.train");
        assert_eq!(confirm(&mut vouching, 1, "train", at(1)), Vouched::SameHand);
    }

    #[test]
    fn what_was_said_by_who_is_a_friend_no_more_counts_no_more() {
        let mut vouching = asked();
        confirm(&mut vouching, 1, "home", at(1));
        confirm(&mut vouching, 2, "office", at(2));
        vouching.keep(&friends());
        assert!(vouching.is_enough());
        vouching.keep(&friends()[1..]);
        assert!(!vouching.is_enough());
        assert_eq!(confirm(&mut vouching, 3, "school", at(3)), Vouched::Enough);
    }

    #[test]
    fn a_friend_counts_from_the_thirtieth_day_on() {
        assert!(Friend(person(1), 970).counts(at(0)) && !Friend(person(1), 971).counts(at(0)));
        assert!(!Friend(person(1), 2000).counts(at(0)));
    }

    #[test]
    fn persisted_format() {
        let mut vouching = asked();
        confirm(&mut vouching, 1, "home", at(60));
        let json = concat!(
            r#"{"phrase":"k1.phrase","asker":["device-asker","k1.asker"],"#,
            r#""until":86486400000,"confirmed":["acc_aeaqcaibaeaqcaibaeaqcaibae"]}"#,
        );
        assert_eq!(serde_json::to_string(&vouching).unwrap(), json);
        assert_eq!(serde_json::from_str::<Vouching>(json).unwrap(), vouching);
        assert_eq!(serde_json::to_string(&friends()[0]).unwrap(), r#"["acc_aeaqcaibaeaqcaibaeaqcaibae",10]"#);
    }
}
