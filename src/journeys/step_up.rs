//! A sign-in that waits: what its device is told, and how it goes on once a trusted one has confirmed it.

use std::{cell::Cell, time::Duration};

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenDeviceProof, needs_key},
    own_account::Doer,
    questions::ShownRound,
    sealed::DISPLAY_NAME,
    sign_in::{Entry, again_if_lost},
    trusted_phones::TrustedPhoneView,
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, ApprovalId, TicketId},
        seal::Sealed,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{AtTicket, Deed, Operation, Outcome, Step, Waiting},
        case::CaseRef,
        owner_proof::ProofKind,
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
    pub proof: Option<&'a GivenDeviceProof>,
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
    /// So much must be proven, in strengths of proofs.
    pub need: u8,
    /// What was proven.
    pub proven: Vec<ProofKind>,
    /// What can be proven beside that.
    pub offered: Vec<ProofKind>,
    /// Trusted phones that can be asked.
    pub by_phone: Vec<TrustedPhoneView>,
    /// The round of questions that is asked, counted from 0.
    pub round: Option<(usize, ShownRound)>,
    /// Friends who can still confirm.
    pub friends: Option<FriendsAsked>,
    /// What whoever proved the number may see of the account.
    pub hints: Option<Hints>,
    /// The device's token, when it was issued with the ticket.
    pub device_token: Option<Secret<String>>,
}

/// Friends who are asked.
#[derive(Debug)]
pub struct FriendsAsked {
    /// The text of the case, under which its device sees how far it is.
    pub id: String,
    /// What to pass on to them, where they were just asked.
    pub phrase: Option<String>,
    /// Seconds until nobody can confirm it any more.
    pub expires_in: u64,
}

/// Enough for the owner to know the account again, and nothing that any proof asks for.
#[derive(Debug)]
pub struct Hints {
    /// The first character of the name of its owner.
    pub display_name: Option<String>,
    /// The year (UTC) since when there is an account.
    pub since: String,
}

impl StepUp {
    /// Whether others may say something at any moment.
    const fn waits_for_others(&self) -> bool {
        self.question.is_some() || self.friends.is_some()
    }
}

impl<W: World> Service<'_, W> {
    /// Asks the account's trusted devices, or finds the question that stands.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` once they said no; `rate_limited` after too many questions.
    pub async fn ask_trusted_devices(&self, holder: &Holder<'_>) -> Result<Entry, Failure> {
        let digits = Digits::draw(&self.fresh()?).ok_or(NO_DIGITS)?;
        let step = Step::AskDevices(ApprovalId::from_bytes(self.fresh()?), digits);
        self.look_at(holder, step, false).await
    }

    /// How far it is, waiting for a decision until then. Who was confirmed is signed in by the same call.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed`.
    pub async fn await_step_up(&self, holder: &Holder<'_>, until: Timestamp) -> Result<Entry, Failure> {
        let mut looks_again = false;
        loop {
            let entry = self.look_at(holder, Step::Look, looks_again).await?;
            looks_again = true;
            let rest = until.since(self.world.now());
            match entry {
                Entry::StepUp(step_up) if step_up.waits_for_others() && !rest.is_zero() => {
                    self.world.pause(rest.min(LOOK_EVERY)).await;
                }
                entry => return Ok(entry),
            }
        }
    }

    /// Who is signed in shall prove for an action of the app that the account is theirs; what was begun before is over.
    ///
    /// # Errors
    /// `unauthenticated`, by the account's own word.
    pub async fn ask_for_action(&self, doer: Doer<'_>, purpose: &str, need: u8) -> Result<Entry, Failure> {
        let here = self.here(doer).await?;
        let ticket = TicketId::from_bytes(self.fresh()?);
        let deed = Deed::StepUp { ticket, purpose: purpose.to_owned(), need };
        let outcome = self.act(here, doer.place, deed).await?;
        self.entry(here.account, outcome)
    }

    /// What to tell a device whose sign-in waits.
    pub(super) fn waiting(
        &self,
        account: AccountId,
        waiting: &Waiting,
        device_token: Option<Secret<String>>,
    ) -> Result<Entry, Failure> {
        let now = self.world.now();
        let Waiting { ticket: id, reason, until, question, need, .. } = *waiting;
        // One that is over can be asked again.
        let question = question.filter(|(_, until)| now < *until);
        let step_up = StepUp {
            need,
            proven: waiting.proven.clone(),
            offered: waiting.offered.clone(),
            round: match &waiting.round {
                Some((round, shown)) => Some((*round, self.open_round(account, shown)?)),
                None => None,
            },
            friends: match waiting.friends {
                Some((case, until, asked_until)) => Some(FriendsAsked {
                    id: CaseRef { account, id: case, until }.write(&self.settings.sealing)?,
                    phrase: None,
                    expires_in: asked_until.since(now).as_secs(),
                }),
                None => None,
            },
            hints: waiting.hints.as_ref().map(|hints| self.hints(account, hints)),
            by_phone: self.trusted_phone_views(account, &waiting.by_phone)?,
            ticket: Ticket { account, id, until }.write(&self.settings.sealing)?,
            expires_in: until.since(now).as_secs(),
            reason,
            question: question.map(|(digits, until)| (digits.text(), until.since(now).as_secs())),
            device_token,
        };
        Ok(Entry::StepUp(step_up.into()))
    }

    fn hints(&self, account: AccountId, (name, since): &(Option<Sealed>, Timestamp)) -> Hints {
        let name = name.as_ref().and_then(|name| self.pass_over(self.open_text(account, DISPLAY_NAME, name)));
        // However long it is: also the length of a name tells something.
        let masked = name.map(|name| {
            let first = name.chars().next().filter(|_| name.chars().nth(1).is_some());
            first.into_iter().chain("**".chars()).collect()
        });
        Hints { display_name: masked, since: since.rfc3339().chars().take(4).collect() }
    }

    /// A ticket of ours that is not over. Forged and expired ones die here.
    pub(super) fn read_ticket(&self, holder: &Holder<'_>) -> Result<Ticket, Failure> {
        let ticket = Ticket::read(&self.settings.sealing, holder.ticket);
        let ticket = ticket.filter(|ticket| self.world.now() < ticket.until);
        ticket.ok_or_else(|| Code::TicketInvalid.into())
    }

    /// One step at a ticket, and how far it is then.
    pub(super) async fn look_at(
        &self,
        holder: &Holder<'_>,
        step: Step,
        looks_again: bool,
    ) -> Result<Entry, Failure> {
        let account = self.read_ticket(holder)?.account;
        let outcome = self.at_ticket(holder, step, looks_again).await?;
        self.entry(account, outcome)
    }

    /// How far it is, by the account's word.
    pub(super) fn entry(&self, account: AccountId, outcome: Outcome) -> Result<Entry, Failure> {
        match outcome {
            Outcome::Waits(waiting) => self.waiting(account, &waiting, None),
            // The device's token came with the ticket.
            outcome @ Outcome::SignedIn { .. } => self.signed_in(account, outcome, None),
            Outcome::NeedsKey => Err(needs_key()),
            Outcome::TicketInvalid => Err(Code::TicketInvalid.into()),
            Outcome::ProofFailed => Err(Code::ProofFailed.into()),
            Outcome::ProofsExhausted => Err(Refusal::to_appeal(Code::ProofsExhausted).into()),
            Outcome::NotOffered => Err(Refusal::field("choice", "is not one of those offered").into()),
            Outcome::NotFound => Err(Code::NotFound.into()),
            Outcome::Frozen => Err(Code::AccountFrozen.into()),
            Outcome::Limited { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// One step at a ticket, in one call to the account.
    pub(super) async fn at_ticket(
        &self,
        holder: &Holder<'_>,
        step: Step,
        looks_again: bool,
    ) -> Result<Outcome, Failure> {
        // 1. Those die here that come without a device token of ours.
        let ticket = self.read_ticket(holder)?;
        let Some(presented_token) = self.token_digest(holder.device_token) else {
            return Err(Code::TicketInvalid.into());
        };
        let key = match holder.proof.filter(|_| !looks_again) {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        // 2. One call to the account.
        let account = ticket.account;
        let rules = self.settings.account_rules();
        let at = AtTicket { account, ticket: ticket.id, presented_token, key, looks_again, step, rules };
        // When its answer was lost the proof may have been taken.
        let tried = Cell::new(false);
        let look = async || {
            let looks_again = looks_again || tried.replace(true);
            let at = AtTicket { looks_again, ..at.clone() };
            self.world.account(account, Operation::AtTicket(Box::new(at))).await
        };
        Ok(again_if_lost(look).await?)
    }
}

const NO_DIGITS: Fault = Fault::new("no_even_draw");
