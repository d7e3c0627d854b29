//! An identifier and who holds it now: the one place where that is decided.
//!
//! One object per identifier, so two first logins of one number are a queue, not a race. `resolve` is the
//! moment of truth; everything after it can be repeated. For a number it also keeps the codes sent to it.

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
    /// When and how the holder last proved it; `None` until the first sign-in has finished.
    pub last_proof: Option<Proof>,
}

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
    /// Somebody proved the identifier: who holds it? Nobody: `candidate` does from now on.
    Resolve {
        /// A fresh account id, used only if nobody holds the identifier.
        candidate: AccountId,
    },
    /// The holder proved it again. Ignored when somebody else holds it by now, or a later proof is known.
    RenewProof {
        /// Who proved it.
        account: AccountId,
        /// When and how.
        proof: Proof,
    },
    /// Something about the codes sent to the number.
    Otp(otp::Operation),
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
        Self(format!("phone.{}", keyed_name(ring, "phone", phone.e164())))
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
            Operation::Resolve { candidate } => {
                self.holder.get_or_insert(Holder { account: candidate, since: now, last_proof: None });
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

    fn tidy(&mut self, now: Timestamp) {
        self.otp.tidy(now);
    }

    fn expires(&self) -> Option<Timestamp> {
        self.otp.expires()
    }

    fn is_empty(&self) -> bool {
        self.holder.is_none() && self.otp.is_empty()
    }
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
        assert_eq!(first, Outcome::Held(Holder { account: account(1), since: at(10), last_proof: None }));
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
    fn persisted_format() {
        let json = r#"{"version":1,"state":{"holder":{"account":"acc_aeaqcaibaeaqcaibaeaqcaibae","since":10000,"last_proof":{"at":30000,"method":"one_tap"}}}}"#;
        let document: Document<Handle> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
    }
}
