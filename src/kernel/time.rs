//! Points in time, as the service's clock tells them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01T00:00:00Z, service time (the platform's clock plus the configured skew).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as JWT and most signatures want them.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This point, later by `by`; stays at the end of time rather than wrapping.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Time passed since `earlier`; zero when `earlier` is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with whole seconds: `2026-11-20T04:00:00Z`.
    pub fn rfc3339(self) -> String {
        let t = self.at_offset(0);
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second) = (t.hour(), t.minute(), t.second());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Days since the epoch, in UTC.
    pub const fn day(self) -> i64 {
        self.secs().div_euclid(SECONDS_A_DAY)
    }

    /// The start of a day, counted as [`Timestamp::day`] does.
    pub const fn of_day(day: i64) -> Self {
        Self::from_secs(day.saturating_mul(SECONDS_A_DAY))
    }

    /// The start of its calendar month, in UTC.
    pub fn month_start(self) -> Self {
        let days_before = i64::from(self.at_offset(0).day()).saturating_sub(1);
        Self::of_day(self.day().saturating_sub(days_before))
    }

    /// The start of the calendar month after it, in UTC.
    pub fn next_month(self) -> Self {
        // From the first of any month, 31 days lead into the next one.
        Self::of_day(self.month_start().day().saturating_add(31)).month_start()
    }

    /// Its date in UTC: `2026-11-20`.
    pub fn date(self) -> String {
        let mut text = self.rfc3339();
        text.truncate(10);
        text
    }

    /// Seventeen digits `yyyyMMddHHmmssSSS` in China Standard Time (UTC+8), as China Mobile dates requests.
    pub fn compact17(self) -> String {
        let t = self.at_offset(8);
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second, milli) = (t.hour(), t.minute(), t.second(), t.millisecond());
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{milli:03}")
    }

    fn at_offset(self, hours: i8) -> OffsetDateTime {
        let offset = UtcOffset::from_hms(hours, 0, 0).unwrap_or(UtcOffset::UTC);
        let nanos = i128::from(self.0).saturating_mul(1_000_000);
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(offset)
    }
}

const SECONDS_A_DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    // `date -u -d @1795132800` and `TZ=Asia/Shanghai date -d @1795132800` (GNU date).
    const NOON: Timestamp = Timestamp::from_millis(1_795_132_800_123);

    #[test]
    fn formats() {
        assert_eq!(NOON.rfc3339(), "2026-11-20T00:00:00Z");
        assert_eq!(NOON.compact17(), "20261120080000123");
        assert_eq!(NOON.secs(), 1_795_132_800);
    }

    // `date -u -d 2028-02-29T23:59:59Z +%s` and so on (GNU date).
    #[test]
    fn months_turn_at_midnight_utc() {
        for (at, start, next) in [
            (1_795_132_800, 1_793_491_200, 1_796_083_200), // 20 November 2026; 1 November; 1 December
            (1_793_491_199, 1_790_812_800, 1_793_491_200), // the last second of October 2026
            (1_798_761_599, 1_796_083_200, 1_798_761_600), // the last second of 2026
            (1_835_481_599, 1_832_976_000, 1_835_481_600), // the last second of February 2028
        ] {
            let at = Timestamp::from_secs(at);
            assert_eq!((at.month_start().secs(), at.next_month().secs()), (start, next), "{}", at.rfc3339());
        }
        assert_eq!((NOON.day(), NOON.date().as_str()), (20_777, "2026-11-20"));
        assert_eq!(Timestamp::of_day(20_777), Timestamp::from_secs(1_795_132_800));
    }

    #[test]
    fn never_wraps() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(NOON.since(end), Duration::ZERO);
        assert_eq!(NOON.plus(Duration::from_millis(5)).since(NOON), Duration::from_millis(5));
    }
}
