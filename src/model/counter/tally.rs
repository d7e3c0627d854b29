//! Counting within sliding windows.
//!
//! A window is kept as buckets of a twelfth of it, so a tally stays small however much it counts. A bucket counts
//! until all of it is outside, so there is never more in a window than its cap.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// At most so many in any window of so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Length of the window, seconds; at least 1.
    pub window_seconds: u64,
    /// How many.
    pub most: u64,
}

/// What is counted under one name, window by window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tally {
    windows: Vec<Window>,
}

/// A window's length, seconds, and its buckets, oldest first: the number of each, and what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Window(u64, Vec<(i64, u64)>);

const BUCKETS: i64 = 12;

impl Tally {
    /// Milliseconds until one more fits under all caps; `None`: now.
    pub(super) fn wait(&self, caps: &[Cap], now: Timestamp) -> Option<i64> {
        caps.iter().filter_map(|cap| self.wait_for(cap, now)).max()
    }

    /// Counts one.
    pub(super) fn add(&mut self, caps: &[Cap], now: Timestamp) {
        for Cap { window_seconds, .. } in caps {
            if self.windows.iter().all(|window| window.0 != *window_seconds) {
                self.windows.push(Window(*window_seconds, Vec::new()));
            }
        }
        for window in &mut self.windows {
            let at = now.millis().div_euclid(window.bucket_millis());
            match window.1.last_mut() {
                // A clock that was set back does not make room.
                Some((bucket, count)) if *bucket >= at => *count = count.saturating_add(1),
                _ => window.1.push((at, 1)),
            }
        }
    }

    /// Takes one back that was counted at that time.
    pub(super) fn take_back(&mut self, at: Timestamp) {
        for window in &mut self.windows {
            let at = at.millis().div_euclid(window.bucket_millis());
            // Where the clock of whoever takes it back fell into another bucket, nothing is: a little room is lost
            // for a while, but none is made that was not there.
            if let Some((_, count)) = window.1.iter_mut().find(|(bucket, _)| *bucket == at) {
                *count = count.saturating_sub(1);
            }
            window.1.retain(|(_, count)| *count > 0);
        }
    }

    /// Drops what is outside of every window.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        for window in &mut self.windows {
            let (length, millis) = (window.millis(), window.bucket_millis());
            window.1.retain(|(bucket, _)| now.millis() < leaves_at(*bucket, millis, length));
        }
        self.windows.retain(|window| !window.1.is_empty());
    }

    /// When all of it is outside.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let last = |window: &Window| {
            let (bucket, _) = window.1.last()?;
            Some(leaves_at(*bucket, window.bucket_millis(), window.millis()))
        };
        self.windows.iter().filter_map(last).max().map(Timestamp::from_millis)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.windows.iter().all(|window| window.1.is_empty())
    }

    fn wait_for(&self, cap: &Cap, now: Timestamp) -> Option<i64> {
        let window = self.windows.iter().find(|window| window.0 == cap.window_seconds)?;
        let left = |bucket: i64| {
            leaves_at(bucket, window.bucket_millis(), window.millis()).saturating_sub(now.millis())
        };
        let inside = || window.1.iter().filter(|(bucket, _)| left(*bucket) > 0);
        let mut sum: u64 = inside().map(|(_, count)| count).sum();
        let mut wait = None;
        // The oldest leave first.
        for (bucket, count) in inside() {
            if sum < cap.most {
                break;
            }
            sum = sum.saturating_sub(*count);
            wait = Some(left(*bucket));
        }
        wait
    }
}

impl Window {
    fn millis(&self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    fn bucket_millis(&self) -> i64 {
        self.millis().div_euclid(BUCKETS).max(1)
    }
}

/// When the youngest that a bucket may count is outside of its window.
fn leaves_at(bucket: i64, bucket_millis: i64, window_millis: i64) -> i64 {
    bucket.saturating_add(1).saturating_mul(bucket_millis).saturating_add(window_millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Cap = Cap { window_seconds: 3600, most: 3 };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn the_wait_ends_when_there_is_room() {
        let mut tally = Tally::default();
        for secs in [0, 10, 1000] {
            assert_eq!(tally.wait(&[HOUR], at(secs)), None);
            tally.add(&[HOUR], at(secs));
        }
        // The first bucket, of five minutes, is outside after an hour and five minutes.
        assert_eq!(tally.wait(&[HOUR], at(1000)), Some(2_900_000));
        assert_eq!(tally.wait(&[HOUR], at(3899)), Some(1000));
        assert_eq!(tally.wait(&[HOUR], at(3900)), None);
        tally.tidy(at(3900));
        assert_eq!(tally.expires(), Some(at(1200 + 3600)));
        tally.tidy(at(4800));
        assert!(tally.is_empty() && tally.expires().is_none());
    }

    #[test]
    fn what_is_taken_back_leaves_room() {
        let mut tally = Tally::default();
        for secs in [0, 1, 2] {
            tally.add(&[HOUR], at(secs));
        }
        tally.take_back(at(1));
        assert_eq!(tally.wait(&[HOUR], at(3)), None);
        for _ in 0..5 {
            tally.take_back(at(1));
        }
        assert!(tally.is_empty());
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_cap(jumps in prop::collection::vec(0_i64..2000, 1..120), most in 1_u64..6) {
            let caps = [Cap { window_seconds: 3600, most }, Cap { window_seconds: 10_000, most: most + 2 }];
            let mut tally = Tally::default();
            let mut counted: Vec<i64> = Vec::new();
            let mut now = 1_795_147_200;
            for (nth, jump) in jumps.into_iter().enumerate() {
                now += jump;
                if nth % 7 == 0 {
                    tally.tidy(at(now));
                }
                let json = serde_json::to_string(&tally).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Tally>(&json).unwrap(), &tally);
                match tally.wait(&caps, at(now)) {
                    None => {
                        tally.add(&caps, at(now));
                        counted.push(now);
                    }
                    Some(millis) => prop_assert_eq!(tally.wait(&caps, Timestamp::from_millis(now * 1000 + millis)), None),
                }
                for cap in caps {
                    let window = i64::try_from(cap.window_seconds).unwrap();
                    let inside = counted.iter().filter(|at| **at > now - window).count() as u64;
                    prop_assert!(inside <= cap.most);
                }
            }
        }
    }
}
