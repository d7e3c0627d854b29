//! How often somebody may try to prove what could be guessed at: over a month, by whoever asks and by the account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// Over how long tries count.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Tries that came to nothing, oldest first: when, by whom, and whether more than the number speaks for them.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tries(Vec<(Timestamp, String, bool)>);

/// At most so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryLimits {
    /// By one who asks.
    pub by_asker: usize,
    /// By all together, those apart for whom more than the number speaks.
    pub by_all: usize,
}

impl Tries {
    /// Counts one more; whether it may be made.
    pub fn take(&mut self, (asker, is_apart): (&str, bool), limits: TryLimits, now: Timestamp) -> bool {
        self.tidy(now);
        let alike = || self.0.iter().filter(|(.., apart)| *apart == is_apart);
        let by_asker = alike().filter(|(_, by, _)| by == asker).count();
        let may = by_asker < limits.by_asker && alike().count() < limits.by_all;
        if may {
            self.0.push((now, asker.to_owned(), is_apart));
        }
        may
    }

    /// The owner has come in: what they tried themselves counts no more.
    pub fn pardon(&mut self, asker: &str) {
        self.0.retain(|(_, by, _)| by != asker);
    }

    /// Drops what counts no more.
    pub fn tidy(&mut self, now: Timestamp) {
        self.0.retain(|(at, ..)| now.since(*at) < MONTH);
    }

    /// When [`Tries::tidy`] finds something to drop.
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, ..)| at.plus(MONTH))
    }

    /// Nobody tried.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_so_many_by_one_and_by_all() {
        let limits = TryLimits { by_asker: 2, by_all: 3 };
        let at = |day: i64| Timestamp::from_secs(day * 86_400);
        let mut tries = Tries::default();
        let mut take = |asker: &'static str, day: i64| tries.take((asker, false), limits, at(day));
        assert!(take("a", 0) && take("a", 1));
        assert!(!take("a", 2), "two by one");
        assert!(take("b", 2));
        assert!(!take("c", 3), "three by all");
        assert!(tries.take(("a", true), limits, at(3)), "apart from them");
        assert_eq!(tries.expires(), Some(at(30)));
        assert!(tries.take(("a", false), limits, at(30)), "the first is forgotten");
        tries.pardon("a");
        assert!(tries.take(("c", false), limits, at(30)));
    }
}
