//! How well an account knows a device.

use std::time::Duration;

use super::limits::Limits;
use crate::{
    kernel::time::Timestamp,
    model::device::{Trust, Usage},
};

/// *Trusted* when made so and used within the trust period; else *known* when used on enough different days;
/// else *new*.
pub fn trust(usage: Usage, trusted_since: Option<Timestamp>, now: Timestamp, limits: &Limits) -> Trust {
    let end_of_last_day = Timestamp::from_secs(usage.last_day.saturating_add(1).saturating_mul(86_400));
    let unused = now.since(end_of_last_day);
    if trusted_since.is_some() && unused <= Duration::from_secs(limits.device_trust_seconds) {
        Trust::Trusted
    } else if u64::from(usage.days) >= limits.device_known_days {
        Trust::Known
    } else {
        Trust::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn usage(days: u32, last_day: i64) -> Usage {
        Usage { first_at: Timestamp::from_secs(0), last_day, days }
    }

    #[test]
    fn new_known_trusted() {
        let limits = Limits::default();
        let at = |day: i64| Timestamp::from_secs(day * DAY);
        assert_eq!(trust(usage(6, 10), None, at(10), &limits), Trust::New);
        assert_eq!(trust(usage(7, 10), None, at(10), &limits), Trust::Known);
        assert_eq!(trust(usage(1, 10), Some(at(10)), at(10), &limits), Trust::Trusted);
        assert_eq!(trust(usage(1, 10), Some(at(10)), at(11 + 90), &limits), Trust::Trusted);
        assert_eq!(trust(usage(1, 10), Some(at(10)), at(12 + 90), &limits), Trust::New);
        assert_eq!(trust(usage(9, 10), Some(at(10)), at(12 + 90), &limits), Trust::Known);
    }
}
