//! The password of an account: one, whichever identifier it is used with.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{id::SessionId, seal::Sealed, time::Timestamp};

/// A password as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// What it is compared with, sealed for this account: whoever reads our state alone cannot try passwords.
    pub hash: Sealed,
    /// When it was set; with every new one another time, so that the old one counts nowhere.
    pub set_at: Timestamp,
    /// The attempt that set it, so that its repeat does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

impl Account {
    /// Sets the password. What was proven in other sessions, perhaps by the old one, counts no more.
    pub(super) fn set_password(
        &mut self,
        hash: Sealed,
        attempt: Option<String>,
        by: SessionId,
        now: Timestamp,
    ) {
        // Two in one moment are two all the same.
        let after_the_last = |last: &Password| last.set_at.plus(std::time::Duration::from_millis(1));
        let set_at = self.password.as_ref().map_or(now, |last| now.max(after_the_last(last)));
        self.password = Some(Password { hash, set_at, attempt });
        self.forget_proofs_but(by);
    }
}
