//! A sign-in that waits: what its device is told, and how it goes on once a trusted one has confirmed it.

use std::{cell::Cell, time::Duration};

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenProof, needs_key},
    sign_in::{Entry, again_if_lost},
};
use crate::{
    kernel::{
        id::{AccountId, ApprovalId},
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{AtTicket, Operation, Outcome, Waiting},
        refusal::{Code, Refusal},
        step_up::{Digits, Reason},
        ticket::Ticket,
    },
    ports::World,
};

/// Longest wait for a decision within one request.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// How often the account is looked at while a request waits.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who comes with a ticket.
#[derive(Debug)]
pub struct Holder<'a> {
    /// The ticket.
    pub ticket: &'a str,
    /// The token of their device.
    pub device_token: &'a Secret<String>,
    /// What proves the device's key.
    pub proof: Option<&'a GivenProof>,
}

/// A sign-in that waits.
#[derive(Debug)]
pub struct StepUp {
    /// For the client; it brings it back with its device token.
    pub ticket: String,
    /// Seconds it is good for.
    pub expires_in: u64,
    /// Why it waits.
    pub reason: Reason,
    /// The two digits to show and seconds until nobody can type them any more, once the question was asked.
    pub question: Option<(String, u64)>,
    /// The device's token, when it was issued with the ticket.
    pub device_token: Option<Secret<String>>,
}

impl<W: World> Service<'_, W> {
    /// Asks the account's trusted devices, or finds the question that stands.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` once they said no; `rate_limited` after too many questions.
    pub async fn ask_trusted_devices(&self, holder: &Holder<'_>) -> Result<Entry, Failure> {
        let digits = Digits::draw(&self.fresh()?).ok_or(NO_DIGITS)?;
        self.at_ticket(holder, Some((ApprovalId::from_bytes(self.fresh()?), digits)), false).await
    }

    /// How far it is, waiting for a decision until then. Who was confirmed is signed in by the same call.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed`.
    pub async fn await_step_up(&self, holder: &Holder<'_>, until: Timestamp) -> Result<Entry, Failure> {
        let mut looks_again = false;
        loop {
            let entry = self.at_ticket(holder, None, looks_again).await?;
            looks_again = true;
            let rest = until.since(self.world.now());
            match entry {
                Entry::StepUp(step_up) if step_up.question.is_some() && !rest.is_zero() => {
                    self.world.pause(rest.min(LOOK_EVERY)).await;
                }
                entry => return Ok(entry),
            }
        }
    }

    /// What to tell a device whose sign-in waits.
    pub(super) fn waiting(
        &self,
        account: AccountId,
        waiting: &Waiting,
        device_token: Option<Secret<String>>,
    ) -> Result<Entry, Failure> {
        let now = self.world.now();
        let Waiting { ticket: id, reason, until, question, .. } = *waiting;
        // One that is over can be asked again.
        let question = question.filter(|(_, until)| now < *until);
        let step_up = StepUp {
            ticket: Ticket { account, id, until }.write(&self.settings.sealing)?,
            expires_in: until.since(now).as_secs(),
            reason,
            question: question.map(|(digits, until)| (digits.text(), until.since(now).as_secs())),
            device_token,
        };
        Ok(Entry::StepUp(step_up.into()))
    }

    async fn at_ticket(
        &self,
        holder: &Holder<'_>,
        question: Option<(ApprovalId, Digits)>,
        looks_again: bool,
    ) -> Result<Entry, Failure> {
        // 1. Forged and expired ones die here, and those that come without a device token of ours.
        let now = self.world.now();
        let ticket = Ticket::read(&self.settings.sealing, holder.ticket).filter(|ticket| now < ticket.until);
        let (Some(ticket), Some(presented_token)) = (ticket, self.token_digest(holder.device_token)) else {
            return Err(Code::TicketInvalid.into());
        };
        let key = match holder.proof.filter(|_| !looks_again) {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        // 2. One call to the account.
        let account = ticket.account;
        let rules = self.settings.account_rules();
        let at = AtTicket { account, ticket: ticket.id, presented_token, key, looks_again, question, rules };
        // When its answer was lost the proof may have been taken.
        let tried = Cell::new(false);
        let look = async || {
            let looks_again = looks_again || tried.replace(true);
            let at = AtTicket { looks_again, ..at.clone() };
            self.world.account(account, Operation::AtTicket(Box::new(at))).await
        };
        match again_if_lost(look).await? {
            Outcome::Waits(waiting) => self.waiting(account, &waiting, None),
            // The device's token came with the ticket.
            outcome @ Outcome::SignedIn { .. } => self.signed_in(account, outcome, None),
            Outcome::NeedsKey => Err(needs_key()),
            Outcome::TicketInvalid => Err(Code::TicketInvalid.into()),
            Outcome::ProofFailed => Err(Code::ProofFailed.into()),
            Outcome::Frozen => Err(Code::AccountFrozen.into()),
            Outcome::Limited { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }
}

const NO_DIGITS: crate::kernel::fault::Fault = crate::kernel::fault::Fault::new("no_even_draw");
