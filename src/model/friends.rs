//! Friends who say that somebody is who they say: two of them, by a phrase that was passed on to them.
//!
//! The asker is shown no list and names nobody. They get a phrase and tell it to friends, over the phone or face to face;
//! each confirms it on their own device. So a stranger learns nothing, and has to win over two people who know the owner.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::Trust;
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
    /// Digest of the device token of who asks.
    device: String,
    /// Keyed digest of the network that they ask from.
    network: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Nobody can confirm any more then.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    confirmed: Vec<AccountId>,
}

/// Who is asking, or confirming: by what they come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whence {
    /// Digest of the device token.
    pub device: String,
    /// Keyed digest of the network.
    pub network: String,
}

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
    /// On this device their account is not at home.
    NewDevice,
}

impl Friend {
    /// Whether they have been friends for long enough.
    pub const fn counts(&self, now: Timestamp) -> bool {
        now.day().saturating_sub(self.1) >= FRIEND_DAYS
    }
}

impl Vouching {
    /// Asks, with the keyed digest of a fresh [`Phrase`].
    pub fn ask(phrase: String, asker: Whence, now: Timestamp) -> Self {
        let Whence { device, network } = asker;
        Self { phrase, device, network, asked_at: now, until: now.plus(VOUCHING), confirmed: Vec::new() }
    }

    /// Whether friends have confirmed it, enough of them, in time. It stays so.
    pub const fn is_enough(&self) -> bool {
        self.confirmed.len() >= FRIENDS_NEEDED
    }

    /// Takes the word of `voucher`, on a device of this trust. `friends` are those of the account as they are now; one friend
    /// counts once.
    pub fn confirm(
        &mut self,
        phrase: &str,
        friends: &[Friend],
        (voucher, trust, whence): (AccountId, Trust, &Whence),
        now: Timestamp,
    ) -> Vouched {
        if phrase != self.phrase || now >= self.until {
            return Vouched::Over;
        }
        if !friends.iter().any(|friend| friend.0 == voucher && friend.counts(now)) {
            return Vouched::NoFriend;
        }
        if whence.device == self.device || whence.network == self.network {
            return Vouched::SameHand;
        }
        if trust == Trust::New {
            return Vouched::NewDevice;
        }
        if !self.confirmed.contains(&voucher) {
            self.confirmed.push(voucher);
        }
        if self.is_enough() { Vouched::Enough } else { Vouched::Counts }
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
        Whence { device: format!("device-{place}"), network: format!("k1.{place}") }
    }

    fn asked() -> Vouching {
        Vouching::ask("k1.phrase".to_owned(), from("asker"), at(0))
    }

    /// Three old friends, and one of yesterday.
    fn friends() -> Vec<Friend> {
        vec![Friend(person(1), 10), Friend(person(2), 970), Friend(person(3), 900), Friend(person(4), 999)]
    }

    fn confirm(vouching: &mut Vouching, voucher: u8, place: &str, now: Timestamp) -> Vouched {
        vouching.confirm("k1.phrase", &friends(), (person(voucher), Trust::Known, &from(place)), now)
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
        let same_network = Whence { device: "another".to_owned(), ..from("asker") };
        let same_device = Whence { network: "k1.another".to_owned(), ..from("asker") };
        for whence in [same_network, same_device] {
            let voucher = (person(1), Trust::Trusted, &whence);
            assert_eq!(vouching.confirm("k1.phrase", &friends(), voucher, at(1)), Vouched::SameHand);
        }
        let fresh = (person(1), Trust::New, &from("home"));
        assert_eq!(vouching.confirm("k1.phrase", &friends(), fresh, at(1)), Vouched::NewDevice);
        let known = (person(1), Trust::Known, &from("home"));
        assert_eq!(vouching.confirm("k1.other", &friends(), known, at(1)), Vouched::Over);
        assert_eq!(
            vouching.confirm("k1.phrase", &[], known, at(1)),
            Vouched::NoFriend,
            "no friends any more"
        );
        assert_eq!(vouching, asked(), "nothing of it counted");
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
            r#"{"phrase":"k1.phrase","device":"device-asker","network":"k1.asker","asked_at":86400000000,"#,
            r#""until":86486400000,"confirmed":["acc_aeaqcaibaeaqcaibaeaqcaibae"]}"#,
        );
        assert_eq!(serde_json::to_string(&vouching).unwrap(), json);
        assert_eq!(serde_json::from_str::<Vouching>(json).unwrap(), vouching);
        assert_eq!(serde_json::to_string(&friends()[0]).unwrap(), r#"["acc_aeaqcaibaeaqcaibaeaqcaibae",10]"#);
    }
}
