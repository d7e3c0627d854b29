//! How often somebody may try to prove what could be guessed at: over a month, by whoever asks and by the account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// Over how long tries count.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Tries that came to nothing, oldest first.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tries(Vec<(Timestamp, String)>);

/// At most so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryLimits {
    /// By one who asks.
    pub by_asker: usize,
    /// By all together.
    pub by_all: usize,
}

impl Tries {
    /// Counts one more; whether it may be made.
    pub fn take(&mut self, asker: &str, limits: TryLimits, now: Timestamp) -> bool {
        self.tidy(now);
        let by_asker = self.0.iter().filter(|(_, by)| by == asker).count();
        let may = by_asker < limits.by_asker && self.0.len() < limits.by_all;
        if may {
            self.0.push((now, asker.to_owned()));
        }
        may
    }

    /// The owner has come in: what they tried themselves counts no more.
    pub fn pardon(&mut self, asker: &str) {
        self.0.retain(|(_, by)| by != asker);
    }

    /// Drops what counts no more.
    pub fn tidy(&mut self, now: Timestamp) {
        self.0.retain(|(at, _)| now.since(*at) < MONTH);
    }

    /// When [`Tries::tidy`] finds something to drop.
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| at.plus(MONTH))
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
        assert!(tries.take("a", limits, at(0)) && tries.take("a", limits, at(1)));
        assert!(!tries.take("a", limits, at(2)), "two by one");
        assert!(tries.take("b", limits, at(2)));
        assert!(!tries.take("c", limits, at(3)), "three by all");
        assert_eq!(tries.expires(), Some(at(30)));
        assert!(tries.take("a", limits, at(30)), "the first is forgotten");
        tries.pardon("a");
        assert!(tries.take("c", limits, at(30)));
    }
}
