//! Sign-ins that wait until more is proven: that the device is the owner's, or the account who proved its number.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::question::{Decision, Digits, Question, Taken, WRONG_ENTRIES};
use super::{
    account::{Questions, SignIn},
    device_key::DeviceKey,
    owner_proof::{MEDIUM, ProofKind, strength_of},
};
use crate::kernel::{
    id::{ApprovalId, SessionId, TicketId},
    time::Timestamp,
};

mod question;

/// Sign-ins of one account that wait at the same time; the oldest gives way.
pub const WAITING_AT_MOST: usize = 10;

/// How long sign-ins wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// A ticket is good for so long.
    pub ticket: Duration,
    /// A question to the trusted devices stands for so long.
    pub question: Duration,
    /// Questions within an hour; more would teach people to say yes.
    pub questions_an_hour: usize,
}

/// Why more must be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The account does not know the device, and its owner wants to be asked.
    NewDevice,
    /// The account does not know the device, and one-tap alone is not enough for the operator.
    Risk,
    /// The number may have been sold again since its owner last proved it.
    NumberMayBeRecycled,
    /// It was, as far as the carrier knows.
    NumberRecycled,
    /// The number was the account's once.
    HistoricalNumber,
}

/// A sign-in that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUp {
    /// Its ticket.
    pub ticket: TicketId,
    /// Why it waits.
    pub reason: Reason,
    /// What is done once the device is confirmed.
    pub sign_in: SignIn,
    /// Digest of the token of the device that waits; the ticket is worth nothing on another.
    pub device_token: String,
    /// The key that the device has proven; each use of the ticket then takes a proof of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DeviceKey>,
    /// Its token was issued with the ticket.
    pub token_issued: bool,
    /// The ticket is over then.
    pub until: Timestamp,
    /// The question to the trusted devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// So much must be proven, in strengths of proofs.
    pub need: u8,
    /// What was proven, beside what the trusted devices say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven: Vec<ProofKind>,
    /// Questions about what happened in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questions: Option<Questions>,
    /// For an action of the app, by who is signed in, and not for a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// It is done: a repeat finds the session, or nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried_out: bool,
    /// Its holder has said that the account is not theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_mine: bool,
}

/// The sign-ins of one account that wait.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUps {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<StepUp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<Timestamp>,
    /// When codes to trusted phones were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<Timestamp>,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Reason {
    /// Whether who proved the number is asked if the account is theirs.
    pub const fn is_of_number(self) -> bool {
        matches!(self, Self::NumberMayBeRecycled | Self::NumberRecycled)
    }

    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::Risk => "risk",
            Self::NumberMayBeRecycled => "number_may_be_recycled",
            Self::NumberRecycled => "number_recycled",
            Self::HistoricalNumber => "historical_number",
        }
    }
}

impl StepUp {
    /// What was proven, the word of the trusted devices included.
    pub fn strength(&self) -> u8 {
        let approved = self.decision().is_some_and(|decision| decision.approved);
        let by_device = approved.then_some(ProofKind::DeviceApproval);
        strength_of(&self.proven.iter().copied().chain(by_device).collect::<Vec<_>>())
    }

    /// Whether something was proven that strangers do not prove. Their tries and appeals leave room for it.
    pub fn stands_out(&self) -> bool {
        strength_of(&self.proven) >= MEDIUM
    }

    /// Whether enough was proven, or a trusted device refused it; `None`: neither yet.
    pub fn approved(&self) -> Option<bool> {
        match self.strength() >= self.need {
            true => Some(true),
            false => self.decision().filter(|decision| !decision.approved).map(|_| false),
        }
    }

    fn decision(&self) -> Option<Decision> {
        self.question.as_ref()?.decision()
    }

    /// In which session it was approved or refused.
    pub fn decided_by(&self) -> Option<SessionId> {
        Some(self.decision()?.by)
    }

    /// The question, while it can be answered.
    pub fn open_question(&self, now: Timestamp) -> Option<&Question> {
        let question = self.question.as_ref().filter(|_| self.strength() < self.need);
        question.filter(|question| question.decision().is_none() && now < question.until)
    }
}

impl StepUps {
    /// Lets a sign-in wait; the same one waits once.
    pub fn hold(&mut self, step_up: StepUp) -> StepUp {
        let session = step_up.sign_in.session;
        let is_same = |known: &&StepUp| {
            known.sign_in.session == session && known.action.is_some() == step_up.action.is_some()
        };
        if let Some(known) = self.waiting.iter().find(is_same) {
            return known.clone();
        }
        if self.waiting.len() >= WAITING_AT_MOST {
            // Whoever has the number must not push out the device that the owner is just confirming.
            let worth = |known: &StepUp| match (known.approved(), &known.question) {
                (Some(false), _) => 0,
                (None, None) if known.proven.is_empty() => 1,
                (None, _) => 2,
                (Some(true), _) => 3,
            };
            let least = self.waiting.iter().enumerate().min_by_key(|(_, known)| worth(known));
            if let Some((at, _)) = least {
                self.waiting.remove(at);
            }
        }
        self.waiting.push(step_up.clone());
        step_up
    }

    /// The sign-in that brings this session, if it waits.
    pub fn of(&self, session: SessionId, now: Timestamp) -> Option<&StepUp> {
        self.waiting.iter().find(|known| known.sign_in.session == session && now < known.until)
    }

    /// The sign-in of a ticket that is not over.
    pub fn find(&mut self, ticket: TicketId, now: Timestamp) -> Option<&mut StepUp> {
        self.waiting.iter_mut().find(|known| known.ticket == ticket && now < known.until)
    }

    /// Asks the trusted devices; a question that stands is not asked again. The error: seconds until there is room.
    ///
    /// # Errors
    /// Too many questions within an hour.
    pub fn ask(&mut self, ticket: TicketId, question: Question, most: usize) -> Result<bool, u32> {
        let now = question.asked_at;
        let Some(step_up) = self.waiting.iter_mut().find(|known| known.ticket == ticket) else {
            return Ok(false);
        };
        if step_up.open_question(now).is_some() || step_up.approved().is_some() {
            return Ok(false);
        }
        count(&mut self.asked, most, now)?;
        step_up.question = Some(question);
        Ok(true)
    }

    /// Counts a code to a trusted phone. The error: seconds until there is room.
    ///
    /// # Errors
    /// Too many within an hour.
    pub fn ask_phone(&mut self, most: usize, now: Timestamp) -> Result<(), u32> {
        count(&mut self.codes, most, now)
    }

    /// Something was proven for a sign-in; whether it waits and nobody has decided yet.
    pub fn prove(&mut self, ticket: TicketId, kind: ProofKind, now: Timestamp) -> bool {
        let step_up = self.find(ticket, now).filter(|known| known.approved().is_none());
        let Some(step_up) = step_up else { return false };
        if !step_up.proven.contains(&kind) {
            step_up.proven.push(kind);
        }
        // Codes that were the owner's own wear nobody down.
        if kind == ProofKind::TrustedPhone {
            self.codes.clear();
        }
        true
    }

    /// Takes the answer of a trusted device, and says to which sign-in.
    pub fn answer(
        &mut self,
        approval: ApprovalId,
        by: SessionId,
        digits: Option<Digits>,
        now: Timestamp,
    ) -> (Taken, Option<&StepUp>) {
        let asked = self.waiting.iter_mut().find_map(|step_up| {
            let question = step_up.question.as_mut().filter(|question| question.id == approval)?;
            // A repeat may come a little late.
            let is_open = now < question.until && strength_of(&step_up.proven) < step_up.need;
            let stands = is_open || question.decision().is_some() && now < step_up.until;
            let taken = if stands { question.answer(by, digits) } else { Taken::Nothing };
            if taken == Taken::Counts {
                // A question that was the owner's own wears nobody down.
                self.asked.retain(|at| *at != question.asked_at);
            }
            Some((taken, &*step_up))
        });
        match asked {
            Some((taken, step_up)) => (taken, Some(step_up)),
            None => (Taken::Nothing, None),
        }
    }

    /// The sign-in for which this was asked.
    pub fn asked_by(&self, approval: ApprovalId) -> Option<&StepUp> {
        let asks = |step_up: &&StepUp| step_up.question.as_ref().is_some_and(|known| known.id == approval);
        self.waiting.iter().find(asks)
    }

    /// Sign-ins whose question can be answered, oldest first.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = (&StepUp, &Question)> {
        self.waiting.iter().filter_map(move |step_up| Some((step_up, step_up.open_question(now)?)))
    }

    /// Drops those: nobody signs in any more by what waits, whatever was answered.
    pub fn drop_those(&mut self, which: &dyn Fn(&StepUp) -> bool) {
        self.waiting.retain(|step_up| step_up.carried_out || !which(step_up));
    }

    /// Forgets what was to be proven in a session for an action.
    pub fn forget_action(&mut self, session: SessionId) {
        self.waiting.retain(|known| known.action.is_none() || known.sign_in.session != session);
    }

    /// Drops what is over.
    pub fn tidy(&mut self, now: Timestamp) {
        self.waiting.retain(|step_up| now < step_up.until);
        for asked in [&mut self.asked, &mut self.codes] {
            asked.retain(|at| now.since(*at) < HOUR);
        }
    }

    /// When [`StepUps::tidy`] finds something to drop.
    pub fn expires(&self) -> Option<Timestamp> {
        let tickets = self.waiting.iter().map(|step_up| step_up.until);
        tickets.chain(self.asked.iter().chain(&self.codes).map(|at| at.plus(HOUR))).min()
    }

    /// Nothing waits, and nothing was asked lately.
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.asked.is_empty() && self.codes.is_empty()
    }
}

/// Counts one more within an hour. The error: seconds until there is room.
fn count(asked: &mut Vec<Timestamp>, most: usize, now: Timestamp) -> Result<(), u32> {
    asked.retain(|at| now.since(*at) < HOUR);
    if let Some(oldest) = asked.first().filter(|_| asked.len() >= most) {
        let wait = oldest.plus(HOUR).since(now).as_secs().saturating_add(1);
        return Err(u32::try_from(wait).unwrap_or(u32::MAX));
    }
    asked.push(now);
    Ok(())
}
