//! How a provider does: its calls, and what its receipts say, lately.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// How a provider did lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Calls within the last [`CALLS_MINUTES`].
    pub calls: u64,
    /// Those of them that it did not do.
    pub failed: u64,
    /// Receipts within the last [`RECEIPTS_MINUTES`].
    pub receipts: u64,
    /// Those of them that say that the message did not arrive.
    pub undelivered: u64,
}

/// For how long a call speaks for or against a provider.
pub const CALLS_MINUTES: i64 = 5;

/// For how long a receipt does; they come late.
pub const RECEIPTS_MINUTES: i64 = 30;

/// The last half hour of a provider: minutes since the epoch, and how it did in each.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Record {
    minutes: Vec<(i64, Health)>,
}

impl Record {
    pub(super) fn note_call(&mut self, ok: bool, now: Timestamp) {
        self.add(Health { calls: 1, failed: u64::from(!ok), ..Health::default() }, now);
    }

    pub(super) fn note_receipts(&mut self, delivered: u64, undelivered: u64, now: Timestamp) {
        let receipts = delivered.saturating_add(undelivered);
        self.add(Health { receipts, undelivered, ..Health::default() }, now);
    }

    fn add(&mut self, more: Health, now: Timestamp) {
        // The alarm comes only when it is quiet.
        self.tidy(now);
        let at = minute_of(now);
        match self.minutes.last_mut() {
            Some((last, health)) if *last == at => health.add(&more),
            _ => self.minutes.push((at, more)),
        }
    }

    pub(super) fn health(&self, now: Timestamp) -> Health {
        let mut sum = Health::default();
        for (at, minute) in &self.minutes {
            let age = minute_of(now).saturating_sub(*at);
            if age < CALLS_MINUTES {
                sum.add(&Health { receipts: 0, undelivered: 0, ..*minute });
            }
            if age < RECEIPTS_MINUTES {
                sum.add(&Health { calls: 0, failed: 0, ..*minute });
            }
        }
        sum
    }

    pub(super) fn tidy(&mut self, now: Timestamp) {
        let oldest = minute_of(now).saturating_sub(RECEIPTS_MINUTES);
        self.minutes.retain(|(at, _)| *at > oldest);
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        let (last, _) = self.minutes.last()?;
        Some(Timestamp::from_secs(last.saturating_add(RECEIPTS_MINUTES).saturating_mul(60)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }
}

impl Health {
    fn add(&mut self, more: &Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.failed = self.failed.saturating_add(more.failed);
        self.receipts = self.receipts.saturating_add(more.receipts);
        self.undelivered = self.undelivered.saturating_add(more.undelivered);
    }
}

fn minute_of(time: Timestamp) -> i64 {
    time.secs().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_soon_forgotten_and_receipts_later() {
        let at = |minutes: i64| Timestamp::from_secs(minutes * 60);
        let mut record = Record::default();
        record.note_call(true, at(0));
        record.note_call(false, at(1));
        record.note_receipts(0, 1, at(1));
        record.note_receipts(1, 0, at(2));
        assert_eq!(record.health(at(2)), Health { calls: 2, failed: 1, receipts: 2, undelivered: 1 });
        assert_eq!(record.health(at(5)), Health { calls: 1, failed: 1, receipts: 2, undelivered: 1 });
        assert_eq!(record.health(at(31)), Health { receipts: 1, ..Health::default() });
        assert_eq!(record.expires(), Some(at(32)));
        record.tidy(at(32));
        assert!(record.is_empty());
    }

    #[test]
    fn a_busy_provider_keeps_half_an_hour_and_no_more() {
        let mut record = Record::default();
        for minute in 0..600 {
            record.note_call(true, Timestamp::from_secs(minute * 60));
            record.note_receipts(1, 0, Timestamp::from_secs(minute * 60));
            assert!(record.minutes.len() <= 30);
        }
    }
}
