//! An owner comes back by a number that was theirs once and the account's password. The number is another person's by now
//! and stays so: it opens the account that is left, and says nothing to the one that it leads to.

use super::{Account, Number, SignIn};
use crate::{
    kernel::time::Timestamp,
    model::{
        handle::{HandleName, Parting},
        owner_proof::ProofKind,
        step_up::Reason,
    },
};

impl Account {
    /// Whether it comes with the password of an account by a number that it had once.
    pub(super) fn comes_back(&self, sign_in: &SignIn) -> bool {
        let handle = &sign_in.identifier.handle;
        sign_in.password.is_some() && self.bound().all(|known| known.handle != *handle) && self.had(handle)
    }

    /// Why who comes back must wait, if they must: the number says nothing for them, so the device does, or another proof.
    pub(super) fn history_says(&self, sign_in: &SignIn, now: Timestamp) -> Option<Reason> {
        let device = self.devices.iter().find(|known| known.is(&sign_in.presented));
        let is_of_standing = device.is_some_and(|known| self.has_standing(known.id, &sign_in.rules, now));
        let is_in = is_of_standing && !self.adds_key(&sign_in.presented);
        (self.comes_back(sign_in) && !is_in).then_some(Reason::HistoricalNumber)
    }

    /// Its number, and if there is none whether it went to another person.
    pub(super) fn number(&self) -> Number {
        match (self.phone(), self.former_numbers.last()) {
            (Some(phone), _) => Number::Is(phone.value.clone()),
            (None, Some(former)) if former.cause == Parting::Reassigned => Number::Lost,
            _ => Number::None,
        }
    }

    fn had(&self, handle: &HandleName) -> bool {
        let last = self.former_numbers.iter().rev().find(|former| former.handle == *handle);
        last.is_some_and(|former| matches!(former.cause, Parting::Reassigned | Parting::Changed))
    }
}

/// What a sign-in that must wait for that reason has proven already.
pub(super) fn proven_by(reason: Reason) -> Vec<ProofKind> {
    match reason {
        Reason::HistoricalNumber => vec![ProofKind::Password],
        _ => Vec::new(),
    }
}
