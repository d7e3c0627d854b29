//! What an operator has set for all accounts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TryLimits;
use crate::model::{
    device_trust::TrustRules,
    handle::{EMAIL, HandleName, PHONE, USERNAME},
    login_history::Retention,
    notice::NoticeRules,
    recycling::Profile,
    session::Lifetimes,
    step_up::Patience,
};

/// What an operator has set for all accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// When a device is of standing.
    pub trust: TrustRules,
    /// How much login history is kept.
    pub retention: Retention,
    /// Who is told what, and how often.
    pub notices: NoticeRules,
    /// Most sessions kept; the one unused for longest gives way.
    pub sessions: usize,
    /// Most devices kept; the least used one that is not trusted gives way.
    pub devices: usize,
    /// A device token older than that is exchanged when it is next presented.
    pub device_token: Duration,
    /// What accounts are worth, unless the app says more of one. Those that hold money are protected whose owner has not
    /// chosen.
    #[serde(default)]
    pub profile: Profile,
    /// One-tap on a device that the account does not know waits, protected or not.
    pub one_tap_waits: bool,
    /// The owner is told of one-tap on such a device.
    pub one_tap_is_told: bool,
    /// How long sign-ins wait.
    pub patience: Patience,
    /// How old the last proof of who this is may be where something is at stake.
    pub fresh: Duration,
    /// Most identities of one provider that an account has.
    pub identities_of_a_kind: usize,
    /// An account that its owner has deleted can still be restored.
    pub deletion_grace: Duration,
    /// Another number wished for without a fresh proof must wait for so long.
    pub phone_change_waits: Duration,
    /// After that, it can be taken for so long.
    pub phone_change_stands: Duration,
    /// Most trusted phones.
    pub trusted_phones: usize,
    /// A trusted phone is asked for so long after it was proven.
    pub trusted_phone: Duration,
    /// Codes to trusted phones and the address within an hour.
    pub codes_an_hour: usize,
    /// Tries at proofs that could be guessed at, within a month.
    pub tries: TryLimits,
    /// Appeals within a month, of strangers and of the owner's devices each.
    pub appeals: TryLimits,
}

impl Rules {
    /// How many identifiers of that kind an account has at most.
    pub(super) fn at_most_of(&self, handle: &HandleName) -> usize {
        match handle.kind() {
            PHONE | USERNAME | EMAIL => 1,
            _ => self.identities_of_a_kind,
        }
    }
}
