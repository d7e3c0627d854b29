//! Things counted or claimed once, that nobody needs after a while.
//!
//! One object per digest. Today: the claim on a single-use credential, with the reply kept for a client that
//! lost it. A claim outlives every carrier's token (30 minutes at most), so a token cannot be sent twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{object::Machine, outbox::Outbox};
use crate::kernel::time::Timestamp;

/// How long a claim is remembered: twice the longest token lifetime of a carrier (China Unicom, 30 minutes).
pub const CLAIM_KEPT: Duration = Duration::from_secs(3600);

/// How long a reply is kept for repeats.
pub const REPLY_KEPT: Duration = Duration::from_secs(120);

/// A claim without a reply is taken for lost after this: the request that made it is over by then.
pub const RUNNING_AT_MOST: Duration = Duration::from_secs(10);

/// The state of one counter.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    by: Claimant,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Reply>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    sealed: String,
    at: Timestamp,
}

/// Who claims, so that a repeat can be told from another's attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimant {
    /// Check value of the idempotency key; `None`: the client gave no key, and no repeat is recognised.
    pub key_check: Option<String>,
    /// Keyed digest of the request.
    pub request: String,
}

/// What can be asked of a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Take what this counter stands for, once and for all.
    Claim {
        /// Who.
        by: Claimant,
    },
    /// Keep the reply for repeats by the same claimant.
    KeepReply {
        /// Who.
        by: Claimant,
        /// The reply, sealed under a key that only the client has; base64.
        sealed: String,
    },
}

/// What a counter answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is yours; nobody had it before.
    Claimed,
    /// You had it before, and this was the reply.
    Replied {
        /// As kept.
        sealed: String,
    },
    /// You had it before, and the reply is still to come.
    Running,
    /// You had it before, and the reply will not come any more.
    Lost,
    /// You had it before, with another request.
    Conflict,
    /// Somebody had it before.
    Used,
    /// The reply is kept, or there was no such claim.
    Noted,
}

impl Machine for Counter {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, _: &mut Outbox) -> Outcome {
        match operation {
            Operation::Claim { by } => self.claim(by, now),
            Operation::KeepReply { by, sealed } => {
                if let Some(claim) =
                    self.claim.as_mut().filter(|claim| claim.by == by && claim.reply.is_none())
                {
                    claim.reply = Some(Reply { sealed, at: now });
                }
                Outcome::Noted
            }
        }
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.claim.as_ref().map_or(Timestamp::default(), |claim| claim.at.plus(CLAIM_KEPT)))
    }
}

impl Counter {
    fn claim(&mut self, by: Claimant, now: Timestamp) -> Outcome {
        let Some(claim) = self.claim.as_ref().filter(|claim| now < claim.at.plus(CLAIM_KEPT)) else {
            self.claim = Some(Claim { by, at: now, reply: None });
            return Outcome::Claimed;
        };
        if by.key_check.is_none() || claim.by.key_check != by.key_check {
            return Outcome::Used;
        }
        if claim.by.request != by.request {
            return Outcome::Conflict;
        }
        match &claim.reply {
            Some(reply) if now.since(reply.at) <= REPLY_KEPT => {
                Outcome::Replied { sealed: reply.sealed.clone() }
            }
            Some(_) => Outcome::Used,
            None if now.since(claim.at) <= RUNNING_AT_MOST => Outcome::Running,
            None => Outcome::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::Document;
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn by(key: Option<&str>, request: &str) -> Claimant {
        Claimant { key_check: key.map(str::to_owned), request: request.to_owned() }
    }

    fn claim(key: Option<&str>, request: &str) -> Operation {
        Operation::Claim { by: by(key, request) }
    }

    #[test]
    fn life_of_a_claim() {
        let mut counter = Document::<Counter>::empty();
        let mut ask = |operation, secs| counter.apply(operation, at(secs));
        let keep = Operation::KeepReply { by: by(Some("k"), "r"), sealed: "s".to_owned() };
        assert_eq!(ask(claim(Some("k"), "r"), 0), Outcome::Claimed);
        assert_eq!(ask(claim(Some("k"), "r"), 1), Outcome::Running);
        assert_eq!(ask(claim(Some("k"), "other"), 1), Outcome::Conflict);
        assert_eq!(ask(claim(Some("other"), "r"), 1), Outcome::Used);
        assert_eq!(ask(claim(None, "r"), 1), Outcome::Used);
        assert_eq!(ask(claim(Some("k"), "r"), 11), Outcome::Lost);
        assert_eq!(ask(keep, 12), Outcome::Noted);
        assert_eq!(ask(claim(Some("k"), "r"), 132), Outcome::Replied { sealed: "s".to_owned() });
        assert_eq!(ask(claim(Some("k"), "r"), 133), Outcome::Used);
        assert_eq!(ask(claim(Some("k"), "r"), 3599), Outcome::Used);
        assert_eq!(counter.wake_at(), Some(at(3600)));
        assert!(counter.is_over(at(3600)));
    }

    #[test]
    fn without_a_key_nothing_is_repeated() {
        let mut counter = Document::<Counter>::empty();
        assert_eq!(counter.apply(claim(None, "r"), at(0)), Outcome::Claimed);
        assert_eq!(counter.apply(claim(None, "r"), at(0)), Outcome::Used);
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"version":1,"state":{"claim":{"by":{"key_check":"k","request":"r"},"at":0,"reply":{"sealed":"s","at":1000}}}}"#;
        let document: Document<Counter> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
    }
}
