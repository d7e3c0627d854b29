//! An identifier and who holds it now: the one place where that is decided.
//!
//! One object per identifier, so two first logins of one number are a queue, not a race. `resolve` is the
//! moment of truth; everything after it can be repeated. For a number or an address it also keeps the codes sent to it.

use serde::{Deserialize, Serialize};

use super::{
    evidence::Evidence,
    login::Method,
    object::Machine,
    otp::{self, Otp},
    outbox::Outbox,
};
use crate::kernel::{digest::keyed_name, id::AccountId, keys::KeyRing, phone::PhoneNumber, time::Timestamp};

pub use self::look_back::LOOKED_BACK;

mod look_back;
mod take_back;

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
    /// What carriers and registers said of it since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
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
    /// By which of its claims they held it.
    #[serde(default, skip_serializing_if = "is_first")]
    pub claim: u64,
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
    /// The number is another person's by now: a carrier said so, or its new owner did.
    Reassigned,
}

impl Parting {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Reassigned => "reassigned",
        }
    }
}

/// Former holders kept; who held it for the shortest time gives way.
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
    /// Who holds it, and who of those who held it may come back?
    LookBack,
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
        /// Who waits for it and holds it next, since when they proved it: giving up is no proof.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heir: Option<(AccountId, Timestamp)>,
    },
    /// An account has given it up, and somebody has proven it: it leads to `candidate` from now on, if it still led to that
    /// account and to that holding of it. Whoever holds it then is the answer.
    Rebind {
        /// Which account has given it up.
        from: AccountId,
        /// Which of its holdings.
        held: Holding,
        /// Why.
        cause: Parting,
        /// Who holds it next.
        candidate: AccountId,
    },
    /// It goes back to an account that had it, if it leads to the account that got it from there, by whatever holding, or
    /// nowhere. Each claim brings it back once.
    TakeBack {
        /// Which account.
        account: AccountId,
        /// By which of its claims.
        claim: u64,
        /// Where it led when its owner objected, if that is known.
        rival: Option<AccountId>,
    },
    /// Carriers and registers were asked about the holder's number. Ignored when somebody else holds it by now, or it was
    /// proven again.
    NoteEvidence {
        /// About whom.
        account: AccountId,
        /// What they said.
        evidence: Evidence,
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
pub struct Holding {
    /// The one since then, as whoever asks has seen it; `None`: the account itself asks.
    since: Option<Timestamp>,
    /// By this claim; if the account asks, or by an earlier one.
    claim: u64,
}

impl Holding {
    /// The one that whoever asks has seen.
    pub const fn seen(since: Timestamp, claim: u64) -> Self {
        Self { since: Some(since), claim }
    }

    /// What this claim of the account, or an earlier one, has brought.
    pub const fn up_to(claim: u64) -> Self {
        Self { since: None, claim }
    }

    fn is(self, holder: &Holder) -> bool {
        match self.since {
            Some(since) => (holder.since, holder.claim) == (since, self.claim),
            None => holder.claim <= self.claim,
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
    /// Who does, and who may come back.
    Holders {
        /// Who holds it.
        now: Option<AccountId>,
        /// Who held it, the last first; at most [`LOOKED_BACK`].
        before: Vec<AccountId>,
    },
    /// It went back, and this account has lost it by that.
    TakenFrom {
        /// Which account.
        account: AccountId,
        /// By which of its claims it held it.
        claim: u64,
    },
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

impl Holder {
    /// When the number was last proven; who has just come by it has proven it.
    pub fn proven_at(&self) -> Timestamp {
        self.last_proof.map_or(self.since, |proof| proof.at)
    }
}

impl Handle {
    fn lead_to(&mut self, candidate: AccountId, now: Timestamp) {
        let (claim, last_proof, evidence) = (0, None, None);
        self.holder.get_or_insert(Holder { account: candidate, since: now, claim, last_proof, evidence });
    }

    /// Whether it was that holding.
    fn part(&mut self, account: AccountId, held: Holding, cause: Parting, now: Timestamp) -> bool {
        let is_it = |holder: &mut Holder| holder.account == account && held.is(holder);
        let Some(Holder { since, claim, .. }) = self.holder.take_if(is_it) else { return false };
        if self.former.len() >= FORMER_HOLDERS {
            look_back::drop_shortest(&mut self.former);
        }
        self.former.push(Former { account, since, until: now, cause, claim });
        true
    }

    fn claim(&mut self, account: AccountId, claim: u64, last_proof: Option<Proof>, now: Timestamp) {
        let new = Holder { account, since: now, claim, last_proof, evidence: None };
        match &mut self.holder {
            // What is given up late of an earlier claim must not be this one.
            Some(holder) if holder.account == account && holder.claim < claim => *holder = new,
            holder => _ = holder.get_or_insert(new),
        }
    }
}

impl Machine for Handle {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, _: &mut Outbox) -> Outcome {
        match operation {
            Operation::Look => {}
            Operation::LookBack => {
                let now = self.holder.as_ref().map(|holder| holder.account);
                return Outcome::Holders { now, before: self.look_back() };
            }
            Operation::Claim { account, claim, proof } => self.claim(account, claim, proof, now),
            Operation::Release { account, held, cause, heir } => {
                if self.part(account, held, cause, now)
                    && let Some((heir, since)) = heir
                {
                    self.lead_to(heir, since);
                }
            }
            Operation::Rebind { from, held, cause, candidate } => {
                self.part(from, held, cause, now);
                self.lead_to(candidate, now);
            }
            Operation::TakeBack { account, claim, rival } => {
                self.take_back(account, claim, rival, now);
                if let Some(Former { account, claim, .. }) = self.lost_to(account, claim) {
                    return Outcome::TakenFrom { account: *account, claim: *claim };
                }
            }
            Operation::NoteEvidence { account, evidence } => {
                let is_it =
                    |holder: &&mut Holder| holder.account == account && holder.proven_at() == evidence.since;
                if let Some(holder) = self.holder.as_mut().filter(is_it) {
                    holder.evidence = Some(evidence);
                }
            }
            Operation::Undo { account, since } => {
                let is_it = |holder: &mut Holder| {
                    holder.account == account && since.is_none_or(|since| since == holder.since)
                };
                self.holder.take_if(is_it);
            }
            Operation::Resolve { candidate } => self.lead_to(candidate, now),
            Operation::RenewProof { account, proof } => {
                if let Some(holder) = self.holder.as_mut().filter(|holder| holder.account == account)
                    && holder.last_proof.is_none_or(|known| known.at < proof.at)
                {
                    holder.last_proof = Some(proof);
                    holder.evidence = None;
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
mod tests;
