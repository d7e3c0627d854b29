//! Whose numbers are, as carriers and registers know it: what they were told by `/sandbox/people` and nothing else.

use serde::{Deserialize, Serialize};

use crate::state::World;

/// What is known of a number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    /// Who has it now.
    pub(crate) name: Option<String>,
    /// The identity card of who has it now.
    pub(crate) id_number: Option<String>,
    /// When it was given to somebody else, in milliseconds since 1970.
    pub(crate) reassigned: Vec<i64>,
    /// When it was given up, in milliseconds since 1970.
    pub(crate) cancelled: Option<i64>,
    /// How it is now; default: as the times above say.
    pub(crate) status: Option<Status>,
}

/// How a number is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    /// Not paid for.
    Suspended,
    /// The phone is off.
    Off,
    /// Nobody has it.
    Vacant,
    Unknown,
}

/// What became of a number since a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Reassigned,
    Cancelled,
    Neither,
}

impl Person {
    /// What became of the number after this time.
    pub(crate) fn since(&self, ms: i64) -> Since {
        if self.reassigned.iter().any(|at| *at > ms) {
            Since::Reassigned
        } else if self.cancelled.is_some_and(|at| at > ms) {
            Since::Cancelled
        } else {
            Since::Neither
        }
    }

    /// How the number is.
    pub(crate) fn status(&self, now_ms: i64) -> Status {
        let is_back = |gone: i64| self.reassigned.iter().any(|at| (gone..=now_ms).contains(at));
        let is_gone = self.cancelled.is_some_and(|at| at <= now_ms && !is_back(at));
        self.status.unwrap_or(if is_gone { Status::Vacant } else { Status::Active })
    }
}

impl World {
    /// What is known of a number in E.164.
    pub(crate) fn person(&self, phone: &str) -> Option<Person> {
        self.ledger().people.get(phone).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_changes_hands_after_a_day_or_before_it() {
        let person = Person { reassigned: vec![100, 300], cancelled: Some(200), ..Person::default() };
        assert_eq!(
            [99, 299, 300].map(|ms| person.since(ms)),
            [Since::Reassigned, Since::Reassigned, Since::Neither]
        );
        let given_up = Person { cancelled: Some(200), ..Person::default() };
        assert_eq!([199, 200].map(|ms| given_up.since(ms)), [Since::Cancelled, Since::Neither]);
    }

    #[test]
    fn a_number_that_was_given_up_is_nobodys_until_it_is_given_out() {
        let person = Person { reassigned: vec![300], cancelled: Some(200), ..Person::default() };
        assert_eq!(
            [199, 200, 299, 300].map(|now| person.status(now)),
            [Status::Active, Status::Vacant, Status::Vacant, Status::Active]
        );
        let off = Person { status: Some(Status::Off), ..person };
        assert_eq!(off.status(250), Status::Off);
    }
}
