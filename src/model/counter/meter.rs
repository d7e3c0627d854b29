//! The calls of a backend, by day (UTC) and scope, and the quota that they are held to.
//!
//! The quota is that of a calendar month, which is shorter than what is kept, so it needs no count of its own.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// The calls of one day for one scope: days since the epoch (UTC), name of the scope, calls that were let through,
/// calls for which there was no room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageLine(pub i64, pub String, pub u64, pub u64);

/// Days for which calls are kept, today included: this month and all of the last one.
pub const METERED_DAYS: i64 = 62;

/// The calls of one backend, oldest first. Bounded: a line for each day that is kept and each scope that there is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Meter {
    lines: Vec<UsageLine>,
}

impl Meter {
    /// Milliseconds until one more call fits into a month; `None`: now.
    pub(super) fn wait(&self, per_month: u64, now: Timestamp) -> Option<i64> {
        let is_spent = self.this_month(now) >= per_month;
        is_spent.then(|| now.next_month().millis().saturating_sub(now.millis()))
    }

    /// Counts a call that was let through, or one that was not.
    pub(super) fn add(&mut self, scope: &str, passes: bool, now: Timestamp) {
        // The alarm comes only when it is quiet.
        self.tidy(now);
        // A clock that was set back goes on with the last day.
        let today = self.lines.last().map_or(now.day(), |last| last.0.max(now.day()));
        let (more, refused) = (u64::from(passes), u64::from(!passes));
        match self.lines.iter_mut().rev().find(|line| line.0 == today && line.1 == scope) {
            Some(line) => {
                line.2 = line.2.saturating_add(more);
                line.3 = line.3.saturating_add(refused);
            }
            None => self.lines.push(UsageLine(today, scope.to_owned(), more, refused)),
        }
    }

    /// Calls of this month (UTC) that were let through.
    pub(super) fn this_month(&self, now: Timestamp) -> u64 {
        let first = now.month_start().day();
        self.lines.iter().filter(|line| line.0 >= first).map(|line| line.2).sum()
    }

    /// All that is kept, oldest first.
    pub(super) fn lines(&self, now: Timestamp) -> Vec<UsageLine> {
        self.lines.iter().filter(|line| is_kept(line, now)).cloned().collect()
    }

    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.lines.retain(|line| is_kept(line, now));
    }

    /// When the last day is kept no more.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let UsageLine(day, ..) = self.lines.last()?;
        Some(Timestamp::of_day(day.saturating_add(METERED_DAYS)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

fn is_kept(line: &UsageLine, now: Timestamp) -> bool {
    line.0 > now.day().saturating_sub(METERED_DAYS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{super::object::Document, Counter, Operation, Outcome},
        *,
    };

    // 20 November 2026, 00:00 UTC.
    const START: i64 = 1_795_132_800;
    const DAY: i64 = 86_400;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(START + secs)
    }

    /// Calls; the seconds until there is room if there is none.
    fn call(
        counter: &mut Document<Counter>,
        scope: &str,
        [per_minute, per_month]: [u64; 2],
        now: Timestamp,
    ) -> Option<u32> {
        match counter.apply(Operation::MeterCall { scope: scope.to_owned(), per_minute, per_month }, now) {
            Outcome::Spent { turned: None } => None,
            Outcome::Full { retry_after } => Some(retry_after),
            other => panic!("{other:?}"),
        }
    }

    fn usage(counter: &mut Document<Counter>, now: Timestamp) -> (u64, Vec<UsageLine>) {
        match counter.apply(Operation::LookAtUsage, now) {
            Outcome::Usage { this_month, lines } => (this_month, lines),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_minute_takes_so_many_and_says_when_there_is_room() {
        let mut counter = Document::empty();
        let mut ask = |secs| call(&mut counter, "phone:read", [2, 1000], at(secs));
        assert_eq!((ask(0), ask(31)), (None, None));
        // The first was counted in the five seconds from 0, all of which are over a minute ago at 65.
        assert_eq!((ask(40), ask(64), ask(65)), (Some(25), Some(1), None));
        let line = UsageLine(20_777, "phone:read".to_owned(), 3, 2);
        assert_eq!(usage(&mut counter, at(65)), (3, vec![line]));
    }

    #[test]
    fn a_month_takes_so_many_and_the_next_one_begins_at_midnight() {
        let mut counter = Document::empty();
        let mut ask = |secs| call(&mut counter, "phone:read", [1000, 2], at(secs));
        // November ends 11 days later.
        assert_eq!((ask(0), ask(DAY), ask(DAY)), (None, None, Some(864_000)));
        assert_eq!((ask(11 * DAY - 1), ask(11 * DAY)), (Some(1), None));
        let (this_month, lines) = usage(&mut counter, at(11 * DAY));
        assert_eq!((this_month, lines.len()), (1, 4));
        assert_eq!(lines.iter().map(|line| line.3).sum::<u64>(), 2);
    }

    #[test]
    fn days_are_kept_for_two_months_and_a_clock_set_back_goes_on_with_the_last() {
        let mut counter = Document::empty();
        for (secs, scope) in [(0, "a"), (0, "b"), (DAY, "a"), (0, "a")] {
            assert_eq!(call(&mut counter, scope, [1000, 1000], at(secs)), None);
        }
        let mut calls = |day: i64| -> Vec<(i64, u64)> {
            let (_, lines) = usage(&mut counter, at(day * DAY));
            lines.iter().map(|line| (line.0 - 20_777, line.2)).collect()
        };
        assert_eq!(calls(61), [(0, 1), (0, 1), (1, 2)]);
        assert_eq!(calls(62), [(1, 2)]);
        assert_eq!(counter.wake_at(), Some(at(63 * DAY)));
        assert!(!counter.tidy(at(63 * DAY - 1)));
        assert!(counter.tidy(at(63 * DAY)));
    }

    #[test]
    fn persisted_format() {
        let json = concat!(
            r#"{"version":1,"state":{"tallies":[["minute",[[60,[[359026560,2]]]]]],"#,
            r#""meter":[[20777,"phone:read",2,1]]}}"#
        );
        let mut counter = Document::empty();
        let calls = [0, 0, 0].map(|secs| call(&mut counter, "phone:read", [2, 1000], at(secs)));
        assert_eq!(calls, [None, None, Some(65)]);
        assert_eq!(serde_json::to_string(&counter).unwrap(), json);
        let again: Document<Counter> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }

    proptest! {
        #[test]
        fn no_minute_and_no_month_takes_more_and_every_call_is_counted(
            steps in prop::collection::vec((0_i64..40, 0_usize..3, prop::bool::weighted(0.02)), 1..300),
            per_minute in 1_u64..5,
            per_month in 1_u64..60,
        ) {
            let scopes = ["phone:read", "token:introspect", "one_tap:exchange"];
            let (mut counter, mut passed, mut now) = (Document::<Counter>::empty(), Vec::new(), START);
            let mut made: Vec<(i64, usize, bool)> = Vec::new();
            for (jump, scope, long) in steps {
                now += if long { 20 * DAY } else { jump };
                let json = serde_json::to_string(&counter).unwrap();
                counter = serde_json::from_str(&json).unwrap();
                let time = Timestamp::from_secs(now);
                let wait = call(&mut counter, scopes[scope], [per_minute, per_month], time);
                made.push((time.day(), scope, wait.is_none()));
                if wait.is_none() {
                    passed.push(now);
                }
                let minute = passed.iter().filter(|at| **at > now - 60).count() as u64;
                // Months by their names, not by our arithmetic.
                let month = |secs: i64| Timestamp::from_secs(secs).date()[..7].to_owned();
                let in_month = passed.iter().filter(|at| month(**at) == month(now)).count() as u64;
                prop_assert!(minute <= per_minute && in_month <= per_month);
                let (this_month, lines) = usage(&mut counter, time);
                prop_assert_eq!(this_month, in_month);
                for UsageLine(day, of, calls, refused) in &lines {
                    let of_line = |(at, scope, _): &&(i64, usize, bool)| at == day && scopes[*scope] == of;
                    let all = made.iter().filter(of_line).count() as u64;
                    let good = made.iter().filter(of_line).filter(|call| call.2).count() as u64;
                    prop_assert_eq!((*calls, *refused), (good, all - good));
                }
                let listed: u64 = lines.iter().map(|line| line.2 + line.3).sum();
                let kept = made.iter().filter(|call| call.0 > time.day() - METERED_DAYS).count() as u64;
                prop_assert_eq!(listed, kept);
            }
        }
    }
}
