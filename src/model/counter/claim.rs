//! The claim on a single-use credential, with the reply kept for a client that lost it.
//!
//! A claim outlives every carrier's token (30 minutes at most), so a token cannot be sent twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::kernel::time::Timestamp;

/// How long a claim is remembered: twice the longest token lifetime of a carrier (China Unicom, 30 minutes).
pub const CLAIM_KEPT: Duration = Duration::from_secs(3600);

/// How long a reply is kept for repeats.
pub const REPLY_KEPT: Duration = Duration::from_secs(120);

/// A claim without a reply is taken for lost after this: the request that made it is over by then.
pub const RUNNING_AT_MOST: Duration = Duration::from_secs(10);

/// Who claims, so that a repeat can be told from another's attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimant {
    /// Check value of the idempotency key; `None`: the client gave no key, and no repeat is recognised.
    pub key_check: Option<String>,
    /// Keyed digest of the request.
    pub request: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claim {
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

impl Claim {
    /// Claims what `slot` stands for.
    pub(super) fn make(slot: &mut Option<Self>, by: Claimant, now: Timestamp) -> Outcome {
        let Some(claim) = slot.as_ref().filter(|claim| now < claim.over_at()) else {
            *slot = Some(Self { by, at: now, reply: None });
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

    /// Keeps the reply for repeats by the claimant; the first one only.
    pub(super) fn keep_reply(&mut self, by: &Claimant, sealed: String, now: Timestamp) {
        if self.by == *by && self.reply.is_none() {
            self.reply = Some(Reply { sealed, at: now });
        }
    }

    /// When it is forgotten.
    pub(super) fn over_at(&self) -> Timestamp {
        self.at.plus(CLAIM_KEPT)
    }
}
