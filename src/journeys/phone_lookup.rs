//! The full number of an account, for a backend that may know it.

use super::{Failure, Service, UNEXPECTED_OUTCOME, backend_access::Backend};
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
        backend: &Backend,
        request_id: &str,
    ) -> Result<PhoneNumber, Failure> {
        let phone = self.number_of(account).await?;
        let phone = phone.filter(|phone| self.is_within_reach(backend.mode, phone)).ok_or(Code::NotFound)?;
        let entry = AuditEntry {
            at: self.world.now(),
            actor: backend.actor.clone(),
            action: Action::PhoneRead,
            subject: account.to_string(),
            request: request_id.to_owned(),
        };
        self.world.audit(entry).await?;
        Ok(phone)
    }

    /// The number that an account has now. For us alone: what leaves is on record.
    pub(super) async fn number_of(&self, account: AccountId) -> Result<Option<PhoneNumber>, Failure> {
        let phone = match self.world.account(account, Operation::LookAtPhone).await? {
            Outcome::Phone { phone } => phone,
            _ => return Err(UNEXPECTED_OUTCOME.into()),
        };
        Ok(phone.map(|phone| self.open_phone(account, &phone.value)).transpose()?)
    }
}
