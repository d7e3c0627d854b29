//! Sign-ins that wait until their device is confirmed, and the question to the account's trusted devices.
//!
//! Number matching: the waiting device shows two digits and who approves types them, so that nobody confirms a
//! stranger's sign-in by habit. One decision counts; the first.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{account::SignIn, device_key::DeviceKey};
use crate::kernel::{
    id::{ApprovalId, SessionId, TicketId},
    time::Timestamp,
};

/// Wrong entries of the digits that end a question.
pub const WRONG_ENTRIES: u8 = 3;

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
}

/// Two digits, 10 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digits(u8);

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
    /// A trusted phone has confirmed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_phone: bool,
    /// It is done: a repeat finds the session, or nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried_out: bool,
}

/// A question to the trusted devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its id.
    pub id: ApprovalId,
    /// What the waiting device shows.
    pub digits: Digits,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Nobody answers it any more then.
    pub until: Timestamp,
    wrong: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

/// The answer of a trusted device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// In which session.
    pub by: SessionId,
    /// Yes, or no.
    pub approved: bool,
}

/// How an answer was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It counts, or is the repeat of the one that does.
    Counts,
    /// These are not the digits; another try is left.
    Wrong,
    /// It ends the question, with a no: it was one, or too many entries were wrong.
    Ended,
    /// There is no such question any more.
    Nothing,
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
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::Risk => "risk",
        }
    }
}

impl Digits {
    /// Drawn so that each of the ninety is as likely as any other. `None` when every byte fell into the uneven rest,
    /// which 16 bytes do once in 10^8 times.
    pub fn draw(random: &[u8; 16]) -> Option<Self> {
        let even = random.iter().copied().find(|byte| *byte < 180)?;
        Some(Self(even.checked_rem(90)?.saturating_add(10)))
    }

    /// What a person typed.
    pub fn read(text: &str) -> Option<Self> {
        let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|digits| is_two_digits && *digits >= 10).map(Self)
    }

    /// As they are shown.
    pub fn text(self) -> String {
        self.0.to_string()
    }
}

impl StepUp {
    /// Whether its device was confirmed, refused, or neither yet.
    pub fn approved(&self) -> Option<bool> {
        if self.by_phone {
            return Some(true);
        }
        Some(self.question.as_ref()?.decision?.approved)
    }

    /// In which session it was approved or refused.
    pub fn decided_by(&self) -> Option<SessionId> {
        Some(self.question.as_ref()?.decision?.by)
    }

    /// The question, while it can be answered.
    pub fn open_question(&self, now: Timestamp) -> Option<&Question> {
        let question = self.question.as_ref().filter(|_| !self.by_phone);
        question.filter(|question| question.decision.is_none() && now < question.until)
    }
}

impl Question {
    /// Takes the answer of a trusted device: the digits for a yes, `None` for a no.
    fn answer(&mut self, by: SessionId, digits: Option<Digits>) -> Taken {
        let approves = digits == Some(self.digits);
        match self.decision {
            // Entries that were wrong are no answer that could be repeated.
            Some(known)
                if known == (Decision { by, approved: approves }) && (approves || digits.is_none()) =>
            {
                Taken::Counts
            }
            Some(_) => Taken::Nothing,
            None if digits.is_some() && !approves => {
                self.wrong = self.wrong.saturating_add(1);
                if self.wrong < WRONG_ENTRIES {
                    return Taken::Wrong;
                }
                self.decision = Some(Decision { by, approved: false });
                Taken::Ended
            }
            None => {
                self.decision = Some(Decision { by, approved: approves });
                if approves { Taken::Counts } else { Taken::Ended }
            }
        }
    }
}

impl StepUps {
    /// Lets a sign-in wait; the same one waits once.
    pub fn hold(&mut self, step_up: StepUp) -> StepUp {
        let session = step_up.sign_in.session;
        if let Some(known) = self.waiting.iter().find(|known| known.sign_in.session == session) {
            return known.clone();
        }
        if self.waiting.len() >= WAITING_AT_MOST {
            // Whoever has the number must not push out the device that the owner is just confirming.
            let worth = |known: &StepUp| match (&known.question, known.approved()) {
                (_, Some(false)) => 0,
                (None, _) => 1,
                (Some(_), None) => 2,
                (Some(_), Some(true)) => 3,
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

    /// A trusted phone confirms a sign-in; whether it waits and nobody has decided yet.
    pub fn confirm(&mut self, ticket: TicketId, now: Timestamp) -> bool {
        let step_up = self.find(ticket, now).filter(|known| known.approved().is_none());
        let Some(step_up) = step_up else { return false };
        step_up.by_phone = true;
        // Codes that were the owner's own wear nobody down.
        self.codes.clear();
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
            let is_open = now < question.until && !step_up.by_phone;
            let stands = is_open || question.decision.is_some() && now < step_up.until;
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

    /// Sign-ins whose question can be answered, oldest first.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = (&StepUp, &Question)> {
        self.waiting.iter().filter_map(move |step_up| Some((step_up, step_up.open_question(now)?)))
    }

    /// Drops those: nobody signs in any more by what waits, whatever was answered.
    pub fn drop_those(&mut self, which: &dyn Fn(&StepUp) -> bool) {
        self.waiting.retain(|step_up| step_up.carried_out || !which(step_up));
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

impl Question {
    /// A new one.
    pub fn new(
        id: ApprovalId,
        digits: Digits,
        now: Timestamp,
        patience: &Patience,
        ticket: Timestamp,
    ) -> Self {
        let until = now.plus(patience.question).min(ticket);
        Self { id, digits, asked_at: now, until, wrong: 0, decision: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_two_and_each_as_likely_as_any_other() {
        let mut counts = [0; 100];
        for byte in 0..=255_u8 {
            // What lies in the uneven rest is drawn again, here from the next byte.
            if let Some(Digits(digits)) = Digits::draw(&[byte; 16]) {
                counts[usize::from(digits)] += 1;
            }
        }
        assert!(counts[..10].iter().all(|count| *count == 0));
        assert!(counts[10..].iter().all(|count| *count == 2));
        let mut random = [255; 16];
        random[15] = 7;
        assert_eq!(Digits::draw(&random).map(Digits::text).as_deref(), Some("17"));
    }

    #[test]
    fn what_people_type() {
        assert_eq!(Digits::read("42"), Some(Digits(42)));
        for wrong in ["", "4", "09", "100", "4 2", "+4", "４２", "ab"] {
            assert_eq!(Digits::read(wrong), None, "{wrong}");
        }
    }
}
