//! The question to the account's trusted devices, by number matching: the waiting device shows two digits and who approves
//! types them, so that nobody confirms a stranger's sign-in by habit. One decision counts; the first.

use serde::{Deserialize, Serialize};

use super::Patience;
use crate::kernel::{
    id::{ApprovalId, SessionId},
    time::Timestamp,
};

/// Wrong entries of the digits that end a question.
pub const WRONG_ENTRIES: u8 = 3;

/// Two digits, 10 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digits(u8);

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

    /// What was decided.
    pub const fn decision(&self) -> Option<Decision> {
        self.decision
    }

    /// Takes the answer of a trusted device: the digits for a yes, `None` for a no.
    pub(super) fn answer(&mut self, by: SessionId, digits: Option<Digits>) -> Taken {
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
