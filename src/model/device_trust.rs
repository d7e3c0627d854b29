//! How well an account knows a device: *new*, *known*, *trusted*.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::{Trust, Usage};
use crate::kernel::time::Timestamp;

/// When a device is of standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRules {
    /// Different days (UTC) of use after which it is known.
    pub known_days: u64,
    /// Trust ends when it was not used for so long.
    pub unused_at_most: Duration,
}

impl TrustRules {
    /// *Trusted* when made so and used within the trust period; else *known* when used on enough different days;
    /// else *new*.
    pub fn trust(&self, usage: Usage, trusted_since: Option<Timestamp>, now: Timestamp) -> Trust {
        if trusted_since.is_some_and(|since| !self.is_over(usage, since, now)) {
            Trust::Trusted
        } else if u64::from(usage.days) >= self.known_days {
            Trust::Known
        } else {
            Trust::New
        }
    }

    /// Whether trust of then has ended, since the device was not used for so long.
    pub fn is_over(&self, usage: Usage, since: Timestamp, now: Timestamp) -> bool {
        let end_of_last_day = Timestamp::from_secs(usage.last_day.saturating_add(1).saturating_mul(86_400));
        now.since(end_of_last_day.max(since)) > self.unused_at_most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn new_known_trusted() {
        let rules = TrustRules { known_days: 7, unused_at_most: Duration::from_secs(90 * 86_400) };
        let at = |day: i64| Timestamp::from_secs(day * DAY);
        let trust = |days: u32, trusted_since: Option<Timestamp>, now: Timestamp| {
            rules.trust(Usage { first_at: at(0), last_day: 10, days }, trusted_since, now)
        };
        assert_eq!(trust(6, None, at(10)), Trust::New);
        assert_eq!(trust(7, None, at(10)), Trust::Known);
        assert_eq!(trust(1, Some(at(10)), at(10)), Trust::Trusted);
        assert_eq!(trust(1, Some(at(10)), at(11 + 90)), Trust::Trusted);
        assert_eq!(trust(1, Some(at(10)), at(12 + 90)), Trust::New);
        assert_eq!(trust(9, Some(at(10)), at(12 + 90)), Trust::Known);
    }
}
