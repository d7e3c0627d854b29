//! What those who help people do with an account, on record: freeze it, and see to its login protection.

use super::{Failure, Service, UNEXPECTED_OUTCOME, backend_access::Backend};
use crate::{
    kernel::id::AccountId,
    model::{
        account::{Operation, Outcome},
        audit::{Action, AuditEntry},
        refusal::Code,
    },
    ports::World,
};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Nobody signs in and every session ends; `false`: it may go on.
    Freeze(bool),
    /// Login protection is switched on, or, for who has lost the only trusted device, off: then no device is trusted
    /// any more.
    Protect(bool),
    /// It is not deleted after all.
    Restore,
}

impl<W: World> Service<'_, W> {
    /// Does it.
    ///
    /// # Errors
    /// `not_found` for no such account; a fault when the record cannot be written, and then nothing is done.
    pub async fn support(
        &self,
        account: AccountId,
        support: Support,
        backend: &Backend,
        request_id: &str,
    ) -> Result<(), Failure> {
        let (action, operation) = match support {
            Support::Freeze(frozen) => {
                let action = if frozen { Action::Freeze } else { Action::Unfreeze };
                (action, Operation::Freeze { frozen, rules: self.settings.account_rules() })
            }
            Support::Protect(enabled) => {
                let action = if enabled { Action::Protect } else { Action::Unprotect };
                (action, Operation::Protect { account, enabled })
            }
            Support::Restore => (Action::Restore, Operation::Restore),
        };
        self.on_record(account, (action, operation), backend, request_id).await
    }

    /// Has an account do what a backend asks, once that is on record.
    pub(super) async fn on_record(
        &self,
        account: AccountId,
        (action, operation): (Action, Operation),
        backend: &Backend,
        request_id: &str,
    ) -> Result<(), Failure> {
        if !self.is_account_within_reach(backend.mode, account).await? {
            return Err(Code::NotFound.into());
        }
        let entry = AuditEntry {
            at: self.world.now(),
            actor: backend.actor.clone(),
            action,
            subject: account.to_string(),
            request: request_id.to_owned(),
        };
        self.world.audit(entry).await?;
        match self.world.account(account, operation).await? {
            Outcome::Done => Ok(()),
            Outcome::NotFound => Err(Code::NotFound.into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }
}
