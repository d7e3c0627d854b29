//! The calls of a backend: held to a rate and a quota, and counted.
//!
//! Calls and refusals are kept by day (UTC) and scope. The quota is that of a calendar month, which is shorter than
//! what is kept, so it needs no count of its own.

use serde::{Deserialize, Serialize};

use super::tally::{Cap, Tally};
use crate::kernel::time::Timestamp;

/// How much a backend may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Calls in any 60 seconds.
    pub per_minute: u64,
    /// Calls in a calendar month (UTC).
    pub per_month: u64,
}

/// What a backend's calls were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls of this month (UTC) that were let through.
    pub this_month: u64,
    /// All of the last [`METERED_DAYS`] days, oldest first.
    pub lines: Vec<UsageLine>,
}

/// The calls of one day for one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageLine {
    /// Days since the epoch (UTC).
    pub day: i64,
    /// Name of the scope.
    pub scope: String,
    /// Calls that were let through.
    pub calls: u64,
    /// Calls for which there was no room.
    pub refused: u64,
}

/// Days for which calls are kept, today included: this month and all of the last one.
pub const METERED_DAYS: i64 = 62;

/// The calls of one backend. Bounded: a line for each day that is kept and each scope that there is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meter {
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    minute: Tally,
    /// Oldest first.
    lines: Vec<Line>,
}

/// Day, scope, calls, refused calls: as [`UsageLine`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line(i64, String, u64, u64);

impl Meter {
    /// Counts a call. `Some`: there is no room, and it is counted as refused; milliseconds until there is.
    pub(super) fn call(&mut self, scope: &str, allowance: Allowance, now: Timestamp) -> Option<i64> {
        // The alarm comes only when it is quiet.
        self.tidy(now);
        let caps = [Cap { window_seconds: 60, most: allowance.per_minute }];
        let is_spent = self.this_month(now) >= allowance.per_month;
        let next_month = is_spent.then(|| now.next_month().millis().saturating_sub(now.millis()));
        let wait = self.minute.wait(&caps, now).max(next_month);
        self.count(scope, wait.is_none(), now);
        if wait.is_none() {
            self.minute.add(&caps, now);
        }
        wait
    }

    pub(super) fn usage(&self, now: Timestamp) -> Usage {
        let kept = self.lines.iter().filter(|line| is_kept(line, now));
        let lines = kept.map(|Line(day, scope, calls, refused)| UsageLine {
            day: *day,
            scope: scope.clone(),
            calls: *calls,
            refused: *refused,
        });
        Usage { this_month: self.this_month(now), lines: lines.collect() }
    }

    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.minute.tidy(now);
        self.lines.retain(|line| is_kept(line, now));
    }

    /// When the last day is kept no more.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let Line(day, ..) = self.lines.last()?;
        Some(Timestamp::of_day(day.saturating_add(METERED_DAYS)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn this_month(&self, now: Timestamp) -> u64 {
        let first = now.month_start().day();
        self.lines.iter().filter(|line| line.0 >= first).map(|line| line.2).sum()
    }

    fn count(&mut self, scope: &str, passes: bool, now: Timestamp) {
        // A clock that was set back goes on with the last day.
        let today = self.lines.last().map_or(now.day(), |last| last.0.max(now.day()));
        let (more, refused) = (u64::from(passes), u64::from(!passes));
        match self.lines.iter_mut().rev().find(|line| line.0 == today && line.1 == scope) {
            Some(line) => {
                line.2 = line.2.saturating_add(more);
                line.3 = line.3.saturating_add(refused);
            }
            None => self.lines.push(Line(today, scope.to_owned(), more, refused)),
        }
    }
}

fn is_kept(line: &Line, now: Timestamp) -> bool {
    line.0 > now.day().saturating_sub(METERED_DAYS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // 20 November 2026, 00:00 UTC.
    const START: i64 = 1_795_132_800;
    const DAY: i64 = 86_400;
    const PLENTY: Allowance = Allowance { per_minute: 1000, per_month: 1000 };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(START + secs)
    }

    #[test]
    fn a_minute_takes_so_many_and_says_when_there_is_room() {
        let mut meter = Meter::default();
        let mut call = |secs| meter.call("phone:read", Allowance { per_minute: 2, ..PLENTY }, at(secs));
        assert_eq!((call(0), call(31)), (None, None));
        // The first was counted in the five seconds from 0, all of which are over a minute ago at 65.
        assert_eq!((call(40), call(64), call(65)), (Some(25_000), Some(1000), None));
        let usage = meter.usage(at(65));
        let line = UsageLine { day: 20_777, scope: "phone:read".to_owned(), calls: 3, refused: 2 };
        assert_eq!((usage.this_month, usage.lines), (3, vec![line]));
    }

    #[test]
    fn a_month_takes_so_many_and_the_next_one_begins_at_midnight() {
        let mut meter = Meter::default();
        let mut call = |secs| meter.call("phone:read", Allowance { per_month: 2, ..PLENTY }, at(secs));
        // The last second of November is 11 days later.
        assert_eq!((call(0), call(DAY), call(DAY)), (None, None, Some(10 * DAY * 1000)));
        assert_eq!((call(11 * DAY - 1), call(11 * DAY)), (Some(1000), None));
        let usage = meter.usage(at(11 * DAY));
        assert_eq!((usage.this_month, usage.lines.len()), (1, 4));
        assert_eq!(usage.lines.iter().map(|line| line.refused).sum::<u64>(), 2);
    }

    #[test]
    fn days_are_kept_for_two_months_and_a_clock_set_back_makes_no_room() {
        let mut meter = Meter::default();
        for (secs, scope) in [(0, "a"), (0, "b"), (DAY, "a"), (0, "a")] {
            assert_eq!(meter.call(scope, PLENTY, at(secs)), None);
        }
        let lines = |meter: &Meter, day| -> Vec<(i64, u64)> {
            meter.usage(at(day * DAY)).lines.iter().map(|line| (line.day - 20_777, line.calls)).collect()
        };
        assert_eq!(lines(&meter, 61), [(0, 1), (0, 1), (1, 2)]);
        assert_eq!(lines(&meter, 62), [(1, 2)]);
        assert_eq!(meter.expires(), Some(at(63 * DAY)));
        meter.tidy(at(63 * DAY - 1));
        assert!(!meter.is_empty());
        meter.tidy(at(63 * DAY));
        assert!(meter.is_empty() && meter.expires().is_none());
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"minute":[[60,[[359026560,2]]]],"lines":[[20777,"phone:read",2,1]]}"#;
        let meter: Meter = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&meter).unwrap(), json);
        let mut same = Meter::default();
        let two = Allowance { per_minute: 2, ..PLENTY };
        let calls = [0, 0, 0].map(|secs| same.call("phone:read", two, at(secs)));
        assert_eq!((calls, same), ([None, None, Some(65_000)], meter));
    }

    proptest! {
        #[test]
        fn no_minute_and_no_month_takes_more_and_every_call_is_counted(
            steps in prop::collection::vec((0_i64..40, 0_usize..3, prop::bool::weighted(0.02)), 1..300),
            per_minute in 1_u64..5,
            per_month in 1_u64..60,
        ) {
            let scopes = ["phone:read", "token:introspect", "one_tap:exchange"];
            let allowance = Allowance { per_minute, per_month };
            let (mut meter, mut passed, mut now) = (Meter::default(), Vec::new(), START);
            let mut made: Vec<(i64, usize, bool)> = Vec::new();
            for (jump, scope, long) in steps {
                now += if long { 20 * DAY } else { jump };
                let json = serde_json::to_string(&meter).unwrap();
                meter = serde_json::from_str(&json).unwrap();
                let time = Timestamp::from_secs(now);
                let wait = meter.call(scopes[scope], allowance, time);
                made.push((time.day(), scope, wait.is_none()));
                if wait.is_none() {
                    passed.push(now);
                }
                let minute = passed.iter().filter(|at| **at > now - 60).count() as u64;
                // Months by their names, not by our arithmetic.
                let month = |secs: i64| Timestamp::from_secs(secs).date()[..7].to_owned();
                let in_month = passed.iter().filter(|at| month(**at) == month(now)).count() as u64;
                prop_assert!(minute <= per_minute && in_month <= per_month);
                let usage = meter.usage(time);
                prop_assert_eq!(usage.this_month, in_month);
                for line in &usage.lines {
                    let of_line = |(day, scope, _): &&(i64, usize, bool)| *day == line.day && scopes[*scope] == line.scope;
                    let all = made.iter().filter(of_line).count() as u64;
                    let good = made.iter().filter(of_line).filter(|call| call.2).count() as u64;
                    prop_assert_eq!((line.calls, line.refused), (good, all - good));
                }
                let listed: u64 = usage.lines.iter().map(|line| line.calls + line.refused).sum();
                let kept = made.iter().filter(|call| call.0 > time.day() - METERED_DAYS).count() as u64;
                prop_assert_eq!(listed, kept);
            }
        }
    }
}
