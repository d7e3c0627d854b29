//! Points in time, as the service's clock tells them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

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

    /// Reads RFC 3339; `None` for anything else. What is finer than milliseconds is dropped, and a leap second is the
    /// second before it.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(['T', 't', ' '])?;
        let (clock, zone) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let [year, month, day] = numbers(date, '-', 4)?;
        let [hour, minute, second] = numbers(clock, ':', 2)?.map(few);
        let date = Date::from_calendar_date(year.into(), Month::try_from(few(month)).ok()?, few(day)).ok()?;
        let time = Time::from_hms(hour, minute, if second == 60 { 59 } else { second }).ok()?;
        let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let millis = format!("{fraction}000").get(..3)?.parse::<i64>().ok().filter(|_| is_fraction)?;
        let ahead = match zone.split_at_checked(1)? {
            ("Z" | "z", "") => 0,
            (sign @ ("+" | "-"), ahead) => {
                let [hours, minutes, _] = numbers(&format!("{ahead}:00"), ':', 2)?.map(few);
                let ahead =
                    Time::from_hms(hours, minutes, 0).ok()?.duration_since(Time::MIDNIGHT).whole_seconds();
                if sign == "+" { ahead } else { ahead.saturating_neg() }
            }
            _ => return None,
        };
        let secs = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp().saturating_sub(ahead);
        Some(Self(Self::from_secs(secs).millis().saturating_add(millis)))
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

/// Three numbers of two digits each, the first of `longest`.
fn numbers(text: &str, between: char, longest: usize) -> Option<[u16; 3]> {
    let mut parts = text.splitn(3, between);
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    Some([number(longest)?, number(2)?, number(2)?])
}

fn few(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
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
    fn reads_rfc3339_and_nothing_else() {
        // `date -u -d ... +%s` (GNU date); the first four are the examples of RFC 3339, section 5.8.
        for (text, millis) in [
            ("1985-04-12T23:20:50.52Z", 482_196_050_520),
            ("1996-12-19T16:39:57-08:00", 851_042_397_000),
            ("1990-12-31T23:59:60Z", 662_687_999_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130),
            ("2026-11-20t08:00:00.1239+08:00", 1_795_132_800_123),
            ("2024-02-29 00:00:00z", 1_709_164_800_000),
            ("1970-01-01T00:00:00-00:00", 0),
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), Some(Timestamp::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-11-20",
            "2026-11-20T08:00Z",
            "2026-11-20T08:00:00",
            "2026-1-20T08:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T08:60:00Z",
            "2026-11-20T08:00:61Z",
            "2026-11-20T08:00:00.Z",
            "2026-11-20T08:00:00.1xZ",
            "2026-11-20T08:00:00+8:00",
            "2026-11-20T08:00:00+0800",
            "2026-11-20T08:00:00+24:00",
            "2026-11-20T08:00:00Z ",
            "+026-11-20T08:00:00Z",
            "2026-11-20T08:00:00Z2",
            "二〇二六-11-20T08:00:00Z",
            "2026-11-20T08:00:00+08:00:00",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn never_wraps() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(NOON.since(end), Duration::ZERO);
        assert_eq!(NOON.plus(Duration::from_millis(5)).since(NOON), Duration::from_millis(5));
    }
}
