//! The full number of an account, for a backend that may know it.

use super::{Failure, Service, UNEXPECTED_OUTCOME};
use crate::{
    kernel::{id::AccountId, phone::PhoneNumber},
    model::{
        account::{Operation, Outcome},
        audit::{Action, AuditEntry},
        refusal::Code,
    },
    ports::World,
};

impl<W: World> Service<'_, W> {
    /// Reads an account's number, on record.
    ///
    /// # Errors
    /// `not_found` for no such account or none with a number; a fault when the record cannot be written, and
    /// then no number leaves.
    pub async fn phone_of(
        &self,
        account: AccountId,
        actor: &str,
        request_id: &str,
    ) -> Result<PhoneNumber, Failure> {
        let phone = match self.world.account(account, Operation::LookAtPhone).await? {
            Outcome::Phone { phone } => phone.ok_or(Code::NotFound)?,
            _ => return Err(UNEXPECTED_OUTCOME.into()),
        };
        let entry = AuditEntry {
            at: self.world.now(),
            actor: actor.to_owned(),
            action: Action::PhoneRead,
            subject: account.to_string(),
            request: request_id.to_owned(),
        };
        self.world.audit(entry).await?;
        Ok(self.open_phone(account, &phone.number)?)
    }
}
