//! Freezing an account: nobody signs in and every session ends, until it is let go on.

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

impl<W: World> Service<'_, W> {
    /// Freezes an account, or lets it go on; on record.
    ///
    /// # Errors
    /// `not_found` for no such account; a fault when the record cannot be written, and then nothing is done.
    pub async fn freeze(
        &self,
        account: AccountId,
        frozen: bool,
        backend: &Backend,
        request_id: &str,
    ) -> Result<(), Failure> {
        if !self.is_account_within_reach(backend.mode, account).await? {
            return Err(Code::NotFound.into());
        }
        let entry = AuditEntry {
            at: self.world.now(),
            actor: backend.actor.clone(),
            action: if frozen { Action::Freeze } else { Action::Unfreeze },
            subject: account.to_string(),
            request: request_id.to_owned(),
        };
        self.world.audit(entry).await?;
        let operation = Operation::Freeze { frozen, rules: self.settings.account_rules() };
        match self.world.account(account, operation).await? {
            Outcome::Done => Ok(()),
            Outcome::NotFound => Err(Code::NotFound.into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }
}
