//! The account's address gets a code.

use super::{Account, Outcome, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};
use crate::kernel::id::TicketId;

pub(super) struct ByEmail;

impl OwnerProof for ByEmail {
    fn kind(&self) -> ProofKind {
        ProofKind::EmailCode
    }

    fn is_there(&self, account: &Account, _: &StepUp, _: &Rules, _: Timestamp) -> bool {
        account.email().is_some()
    }

    fn is_right(&self, account: &Account, proof: &Proof, _: &Rules, _: Timestamp) -> bool {
        matches!(proof, Proof::Email(name) if account.email().is_some_and(|email| email.handle == *name))
    }
}

impl Account {
    /// Lets a code be sent to it.
    pub(in super::super) fn ask_email(&mut self, ticket: TicketId, rules: &Rules, now: Timestamp) -> Outcome {
        if let Err(retry_after) = self.step_ups.ask_phone(rules.codes_an_hour, now) {
            return Outcome::Limited { retry_after };
        }
        match self.step_ups.find(ticket, now).cloned() {
            Some(step_up) => match self.waiting(&step_up, rules, now) {
                waiting if waiting.email.is_some() => Outcome::Waits(waiting.into()),
                _ => Outcome::NotFound,
            },
            None => Outcome::NotFound,
        }
    }
}
