//! What those who help people do with an account, and what its app says of it, on record.

use super::{Failure, Service, UNEXPECTED_OUTCOME, backend_access::Backend, supplied::SuppliedFact};
use crate::{
    kernel::id::AccountId,
    model::{
        account::{Operation, Outcome, Supplied},
        audit::{Action, AuditEntry},
        friends::Friend,
        refusal::Code,
    },
    ports::World,
};

/// What is done.
#[derive(Debug)]
pub enum Support {
    /// Nobody signs in and every session ends; `false`: it may go on.
    Freeze(bool),
    /// Login protection is switched on, or, for who has lost the only trusted device, off: then no device is trusted
    /// any more.
    Protect(bool),
    /// It is not deleted after all.
    Restore,
    /// What its owner can be asked for, in place of all before.
    Facts(Vec<SuppliedFact>),
    /// Who can vouch for them, in place of all before.
    Friends(Vec<Friend>),
    /// It holds money, from now on; or does not, after a while of which its owner is told.
    Money(bool),
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
        let supply = |said: Supplied| {
            let (said, rules) = (said.into(), self.settings.account_rules());
            Operation::Supply { account, said, rules }
        };
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
            Support::Facts(facts) => {
                let facts = Some(self.sealed_facts(account, &facts)?);
                (Action::Facts, supply(Supplied { facts, ..Supplied::default() }))
            }
            Support::Friends(friends) => {
                (Action::Friends, supply(Supplied { friends: Some(friends), ..Supplied::default() }))
            }
            Support::Money(money) => {
                let action = if money { Action::Money } else { Action::NoMoney };
                (action, supply(Supplied { money: Some(money), ..Supplied::default() }))
            }
        };
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
