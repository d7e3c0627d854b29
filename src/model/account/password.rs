//! The password of an account: one, whichever identifier it is used with.

use serde::{Deserialize, Serialize};

use super::{Account, End};
use crate::{
    kernel::{id::SessionId, seal::Sealed, time::Timestamp},
    model::outbox::Outbox,
};

/// A password as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// What it is compared with, sealed for this account: whoever reads our state alone cannot try passwords.
    pub hash: Sealed,
    /// When it was set; with every new one another time, so that the old one counts nowhere.
    pub set_at: Timestamp,
}

impl Account {
    /// Sets the password; all other sessions end if it is wished.
    pub(super) fn set_password(
        &mut self,
        hash: Sealed,
        others: Option<(SessionId, &End<'_>)>,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        // Two in one moment are two all the same.
        let after_the_last = |last: &Password| last.set_at.plus(std::time::Duration::from_millis(1));
        let set_at = self.password.as_ref().map_or(now, |last| now.max(after_the_last(last)));
        self.password = Some(Password { hash, set_at });
        if let Some((here, end)) = others {
            self.end_sessions(end, outbox, &|known| known.id != here);
            // Whoever waits to come in came by what is not trusted any more.
            self.step_ups.drop_those(&|_| true);
        }
    }
}
