//! An identifier and who holds it now: the one place where that is decided.
//!
//! One object per identifier, so two first logins of one number are a queue, not a race. `resolve` is the
//! moment of truth; everything after it can be repeated. For a number or an address it also keeps the codes sent to it.

use serde::{Deserialize, Serialize};

use super::{
    login::Method,
    object::Machine,
    otp::{self, Otp},
    outbox::Outbox,
};
use crate::kernel::{digest::keyed_name, id::AccountId, keys::KeyRing, phone::PhoneNumber, time::Timestamp};

/// Under which name an identifier's object is found: kind and keyed digest, never the identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandleName(String);

/// The state of one identifier.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Handle {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    /// Who held it before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Former>,
    #[serde(default, skip_serializing_if = "Otp::is_empty")]
    otp: Otp,
}

/// Who holds an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The account.
    pub account: AccountId,
    /// Since when.
    pub since: Timestamp,
    /// By which of the account's claims; 0: whoever came by it first got it with a new account, or with an import.
    #[serde(default, skip_serializing_if = "is_first")]
    pub claim: u64,
    /// When and how the holder last proved it; `None` until the first sign-in has finished.
    pub last_proof: Option<Proof>,
}

/// Somebody who held an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The account.
    pub account: AccountId,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why no longer.
    pub cause: Parting,
}

/// Why an identifier leads to an account no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parting {
    /// Its owner took it away.
    Unbound,
    /// Another number took its place.
    Changed,
    /// The account was deleted.
    Deleted,
}

impl Parting {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// Former holders kept; the oldest gives way.
pub const FORMER_HOLDERS: usize = 16;

/// A proof of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When.
    pub at: Timestamp,
    /// How.
    pub method: Method,
}

/// What can be asked of a handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Who holds it?
    Look,
    /// Somebody proved the identifier: who holds it? Nobody: `candidate` does from now on.
    Resolve {
        /// A fresh account id, used only if nobody holds the identifier.
        candidate: AccountId,
    },
    /// An account binds it, which succeeds if nobody holds it.
    Claim {
        /// Which account.
        account: AccountId,
        /// Which of its claims.
        claim: u64,
        /// When and how its owner last proved it; user names are not proven.
        proof: Option<Proof>,
    },
    /// An account gives it up. Ignored when it holds it no more.
    Release {
        /// Which account.
        account: AccountId,
        /// Which of its holdings.
        held: Holding,
        /// Why.
        cause: Parting,
    },
    /// An account takes back a claim, as if it had never been. Ignored when it does not hold it.
    Undo {
        /// Which account.
        account: AccountId,
        /// Only if it holds it since then; `None`: since whenever.
        since: Option<Timestamp>,
    },
    /// The holder proved it again. Ignored when somebody else holds it by now, or a later proof is known.
    RenewProof {
        /// Who proved it.
        account: AccountId,
        /// When and how.
        proof: Proof,
    },
    /// Something about the codes sent to it.
    Otp(otp::Operation),
}

/// Which holding of an account is meant: calls come late and twice, and must not touch what was claimed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// The one that whoever asks has seen.
    Seen {
        /// Since when.
        since: Timestamp,
        /// By which claim.
        claim: u64,
    },
    /// That by this claim or an earlier one, as the account itself knows.
    UpTo(u64),
}

impl Holding {
    fn is(self, holder: &Holder) -> bool {
        match self {
            Self::Seen { since, claim } => (holder.since, holder.claim) == (since, claim),
            Self::UpTo(claim) => holder.claim <= claim,
        }
    }
}

/// What a handle answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Who holds it, after the operation.
    Held(Holder),
    /// Nobody does.
    Free,
    /// About a code.
    Otp(otp::Outcome),
}

impl HandleName {
    /// The name of a phone number's handle.
    pub fn of_phone(ring: &KeyRing, phone: &PhoneNumber) -> Self {
        Self::of(ring, PHONE, phone.e164())
    }

    /// The name of the handle of an identifier in its canonical form.
    pub fn of(ring: &KeyRing, kind: &str, identifier: &str) -> Self {
        Self(format!("{kind}.{}", keyed_name(ring, kind, identifier)))
    }

    /// What kind of identifier it is: `phone`, `email`, `username`, or the id of an identity provider.
    pub fn kind(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// Whether it is a phone number's.
    pub fn is_phone(&self) -> bool {
        self.kind() == PHONE
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Machine for Handle {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, _: &mut Outbox) -> Outcome {
        match operation {
            Operation::Look => {}
            Operation::Claim { account, claim, proof } => {
                let new = Holder { account, since: now, claim, last_proof: proof };
                match &mut self.holder {
                    // What is given up late of an earlier claim must not be this one.
                    Some(holder) if holder.account == account && holder.claim < claim => *holder = new,
                    holder => _ = holder.get_or_insert(new),
                }
            }
            Operation::Release { account, held, cause } => {
                let is_it = |holder: &mut Holder| holder.account == account && held.is(holder);
                if let Some(Holder { since, .. }) = self.holder.take_if(is_it) {
                    if self.former.len() >= FORMER_HOLDERS {
                        self.former.remove(0);
                    }
                    self.former.push(Former { account, since, until: now, cause });
                }
            }
            Operation::Undo { account, since } => {
                let is_it = |holder: &mut Holder| {
                    holder.account == account && since.is_none_or(|since| since == holder.since)
                };
                self.holder.take_if(is_it);
            }
            Operation::Resolve { candidate } => {
                self.holder.get_or_insert(Holder {
                    account: candidate,
                    since: now,
                    claim: 0,
                    last_proof: None,
                });
            }
            Operation::RenewProof { account, proof } => {
                if let Some(holder) = self.holder.as_mut().filter(|holder| holder.account == account)
                    && holder.last_proof.is_none_or(|known| known.at < proof.at)
                {
                    holder.last_proof = Some(proof);
                    self.otp.pardon(now);
                }
            }
            Operation::Otp(operation) => {
                let holder = self.holder.as_ref().map(|holder| holder.account);
                return Outcome::Otp(self.otp.apply(operation, holder, now));
            }
        }
        self.holder.clone().map_or(Outcome::Free, Outcome::Held)
    }

    fn tidy(&mut self, now: Timestamp, _: &mut Outbox) {
        self.otp.tidy(now);
    }

    fn expires(&self) -> Option<Timestamp> {
        self.otp.expires()
    }

    fn is_empty(&self) -> bool {
        self.holder.is_none() && self.former.is_empty() && self.otp.is_empty()
    }
}

/// The kind of phone numbers.
pub const PHONE: &str = "phone";

/// The kind of e-mail addresses.
pub const EMAIL: &str = "email";

/// The kind of user names.
pub const USERNAME: &str = "username";

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_first(claim: &u64) -> bool {
    *claim == 0
}

#[cfg(test)]
mod tests {
    use super::super::object::Document;
    use super::*;

    fn account(seed: u8) -> AccountId {
        AccountId::from_bytes([seed; 16])
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn renew(seed: u8, secs: i64) -> Operation {
        Operation::RenewProof {
            account: account(seed),
            proof: Proof { at: at(secs), method: Method::OneTap },
        }
    }

    #[test]
    fn the_first_claim_wins_and_stays() {
        let mut handle = Document::<Handle>::empty();
        let first = handle.apply(Operation::Resolve { candidate: account(1) }, at(10));
        let second = handle.apply(Operation::Resolve { candidate: account(2) }, at(20));
        assert_eq!(first, second);
        let holder = Holder { account: account(1), since: at(10), claim: 0, last_proof: None };
        assert_eq!(first, Outcome::Held(holder));
    }

    #[test]
    fn proofs_move_forward_and_only_for_the_holder() {
        let mut handle = Document::<Handle>::empty();
        assert_eq!(handle.apply(renew(1, 5), at(5)), Outcome::Free);
        handle.apply(Operation::Resolve { candidate: account(1) }, at(10));
        for operation in [renew(1, 30), renew(1, 20), renew(2, 40)] {
            handle.apply(operation, at(50));
        }
        let Outcome::Held(holder) = handle.apply(renew(1, 30), at(50)) else { panic!("held") };
        assert_eq!(holder.last_proof.map(|proof| proof.at), Some(at(30)));
    }

    #[test]
    fn who_is_first_binds_it_and_only_the_holder_gives_it_up() {
        let mut handle = Document::<Handle>::empty();
        let proof = Some(Proof { at: at(10), method: Method::Otp });
        let claim = |seed| Operation::Claim { account: account(seed), claim: 1, proof };
        let release =
            |seed, held| Operation::Release { account: account(seed), held, cause: Parting::Unbound };
        let seen = |secs| Holding::Seen { since: at(secs), claim: 1 };
        let mine = Outcome::Held(Holder { account: account(1), since: at(10), claim: 1, last_proof: proof });
        assert_eq!(handle.apply(Operation::Look, at(9)), Outcome::Free);
        for (operation, secs) in [
            (claim(1), 10),
            (claim(2), 11),
            (claim(1), 12),
            (release(2, Holding::UpTo(1)), 13),
            (release(1, seen(9)), 14),
            (release(1, Holding::UpTo(0)), 15),
        ] {
            assert_eq!(handle.apply(operation, at(secs)), mine);
        }
        assert_eq!(handle.apply(release(1, seen(10)), at(20)), Outcome::Free);
        assert_eq!(handle.apply(release(1, Holding::UpTo(1)), at(21)), Outcome::Free, "once");
        let Outcome::Held(holder) = handle.apply(claim(2), at(30)) else { panic!("free to be claimed") };
        assert_eq!((holder.account, holder.since), (account(2), at(30)));
        let kept = serde_json::to_value(&handle).unwrap();
        let former = [(1, 10_000, 20_000)];
        assert_eq!(kept["state"]["former"].as_array().unwrap().len(), former.len());
        for (entry, (seed, since, until)) in
            std::iter::zip(kept["state"]["former"].as_array().unwrap(), former)
        {
            assert_eq!(entry["account"], account(seed).to_string());
            assert_eq!((&entry["since"], &entry["until"]), (&since.into(), &until.into()));
        }
    }

    #[test]
    fn what_comes_late_of_an_earlier_claim_frees_nothing() {
        let mut handle = Document::<Handle>::empty();
        let claim = |claim| Operation::Claim { account: account(1), claim, proof: None };
        let release = |held| Operation::Release { account: account(1), held, cause: Parting::Unbound };
        let first = handle.apply(claim(1), at(10));
        assert_eq!(handle.apply(claim(1), at(11)), first, "a repeat");
        let Outcome::Held(second) = handle.apply(claim(2), at(10)) else { panic!("its own") };
        assert_eq!((second.since, second.claim), (at(10), 2));
        for late in [Holding::UpTo(1), Holding::Seen { since: at(10), claim: 1 }] {
            assert_eq!(handle.apply(release(late), at(12)), Outcome::Held(second.clone()));
        }
        assert_eq!(handle.apply(claim(1), at(13)), Outcome::Held(second), "nor does an earlier claim itself");
        assert_eq!(handle.apply(release(Holding::UpTo(2)), at(14)), Outcome::Free);
    }

    #[test]
    fn a_claim_that_is_taken_back_leaves_nothing() {
        let mut handle = Document::<Handle>::empty();
        let proof = Some(Proof { at: at(5), method: Method::Imported });
        let claim = |seed| Operation::Claim { account: account(seed), claim: 0, proof };
        let undo =
            |seed, since: Option<i64>| Operation::Undo { account: account(seed), since: since.map(at) };
        let mine = handle.apply(claim(1), at(10));
        for (operation, secs) in [(undo(2, None), 11), (undo(2, Some(10)), 12), (undo(1, Some(9)), 13)] {
            assert_eq!(handle.apply(operation, at(secs)), mine, "another's, or another claim");
        }
        assert_eq!(handle.apply(undo(1, Some(10)), at(14)), Outcome::Free);
        assert!(handle.tidy(at(14)), "not even a former holder");
        handle.apply(claim(1), at(15));
        assert_eq!(handle.apply(undo(1, None), at(16)), Outcome::Free);
    }

    #[test]
    fn former_holders_do_not_pile_up() {
        let mut handle = Document::<Handle>::empty();
        for seed in 0..100 {
            let (account, claim) = (account(seed), 1);
            handle.apply(Operation::Claim { account, claim, proof: None }, at(seed.into()));
            handle.apply(
                Operation::Release { account, held: Holding::UpTo(1), cause: Parting::Changed },
                at(seed.into()),
            );
        }
        let kept = serde_json::to_value(&handle).unwrap();
        let former = kept["state"]["former"].as_array().unwrap();
        assert_eq!(former.len(), FORMER_HOLDERS);
        assert_eq!(former[FORMER_HOLDERS - 1]["account"], account(99).to_string());
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"version":1,"state":{"holder":{"account":"acc_aeaqcaibaeaqcaibaeaqcaibae","since":10000,"last_proof":{"at":30000,"method":"one_tap"}},"former":[{"account":"acc_aiaqcaibaeaqcaibaeaqcaibae","since":1000,"until":9000,"cause":"unbound"}]}}"#;
        let document: Document<Handle> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
    }
}
