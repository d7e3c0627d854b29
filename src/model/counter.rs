//! Things counted or claimed for a while.
//!
//! One object per digest, address, prefix, provider: what it stands for is in its name, and it uses the part that
//! it needs. When nothing in it matters any more it is deleted.

use serde::{Deserialize, Serialize};

use self::{claim::Claim, health::Record, meter::Meter, tally::Tally};
use super::{
    object::Machine,
    outbox::Outbox,
    pumping::{Funnel, Guard, Level},
};
use crate::kernel::time::Timestamp;

mod claim;
mod health;
mod meter;
mod tally;

pub use claim::{CLAIM_KEPT, Claimant, REPLY_KEPT, RUNNING_AT_MOST};
pub use health::{CALLS_MINUTES, Health, RECEIPTS_MINUTES};
pub use meter::{METERED_DAYS, UsageLine};
pub use tally::Cap;

/// The state of one counter.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tallies: Vec<(String, Tally)>,
    #[serde(default, skip_serializing_if = "Funnel::is_empty")]
    funnel: Funnel,
    #[serde(default, skip_serializing_if = "Record::is_empty")]
    health: Record,
    #[serde(default, skip_serializing_if = "Meter::is_empty")]
    meter: Meter,
}

/// What can be asked of a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Take what this counter stands for, once and for all.
    Claim {
        /// Who.
        by: Claimant,
    },
    /// Keep the reply for repeats by the same claimant.
    KeepReply {
        /// Who.
        by: Claimant,
        /// The reply, sealed under a key that only the client has; base64.
        sealed: String,
    },
    /// Count one in each of these tallies, if the guard lets it pass and all have room; else in none.
    Spend(Spend),
    /// What was counted then does not count after all.
    Withdraw {
        /// In which tallies.
        tallies: Vec<String>,
        /// When.
        at: Timestamp,
        /// The guard counted it too, and shall not.
        measured: bool,
    },
    /// A code that was sent then, and that the guard counts, was redeemed.
    Redeemed {
        /// When it was sent.
        sent_at: Timestamp,
    },
    /// A provider was asked.
    NoteCall {
        /// It did its work.
        ok: bool,
    },
    /// A provider says what became of messages.
    NoteReceipts {
        /// So many arrived.
        delivered: u64,
        /// So many did not.
        undelivered: u64,
    },
    /// How does the provider?
    LookAtHealth,
    /// A backend calls: count it if there is room, else as refused.
    MeterCall {
        /// Name of the scope it calls for.
        scope: String,
        /// Calls that fit into any 60 seconds.
        per_minute: u64,
        /// Calls that fit into a calendar month (UTC).
        per_month: u64,
    },
    /// What were the backend's calls?
    LookAtUsage,
}

/// One to be counted, in each of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// Tallies.
    pub budgets: Vec<Budget>,
    /// The guard against pumping that watches; `None`: there is none, or not for this one.
    pub guard: Option<Guard>,
}

/// How many are counted under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The name.
    pub tally: String,
    /// How many fit.
    pub caps: Vec<Cap>,
}

/// What a counter answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is yours; nobody had it before.
    Claimed,
    /// You had it before, and this was the reply.
    Replied {
        /// As kept.
        sealed: String,
    },
    /// You had it before, and the reply is still to come.
    Running,
    /// You had it before, and the reply will not come any more.
    Lost,
    /// You had it before, with another request.
    Conflict,
    /// Somebody had it before.
    Used,
    /// It is counted.
    Spent {
        /// What the guard lets through from now on, if that is news.
        turned: Option<Level>,
    },
    /// There is no room; nothing was counted, or only that it was refused.
    Full {
        /// Whole seconds until there is.
        retry_after: u32,
    },
    /// The guard holds it back; nothing was counted but that.
    Held {
        /// Whole seconds after which it may have changed its mind.
        retry_after: u32,
        /// As above.
        turned: Option<Level>,
    },
    /// How the provider does.
    Health {
        /// Lately.
        health: Health,
    },
    /// What the backend's calls were.
    Usage {
        /// Calls of this month (UTC) that were let through.
        this_month: u64,
        /// All of the last [`METERED_DAYS`] days, oldest first.
        lines: Vec<UsageLine>,
    },
    /// Noted.
    Noted,
}

impl Machine for Counter {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, _: &mut Outbox) -> Outcome {
        match operation {
            Operation::Claim { by } => return Claim::make(&mut self.claim, by, now),
            Operation::KeepReply { by, sealed } => {
                if let Some(claim) = self.claim.as_mut() {
                    claim.keep_reply(&by, sealed, now);
                }
            }
            Operation::Spend(spend) => return self.spend(&spend, now),
            Operation::Withdraw { tallies, at, measured } => {
                for (name, tally) in &mut self.tallies {
                    if tallies.contains(name) {
                        tally.take_back(at);
                    }
                }
                if measured {
                    self.funnel.take_back(at, !tallies.is_empty());
                }
            }
            Operation::Redeemed { sent_at } => self.funnel.redeemed(sent_at),
            Operation::NoteCall { ok } => self.health.note_call(ok, now),
            Operation::NoteReceipts { delivered, undelivered } => {
                self.health.note_receipts(delivered, undelivered, now);
            }
            Operation::LookAtHealth => return Outcome::Health { health: self.health.health(now) },
            Operation::MeterCall { scope, per_minute, per_month } => {
                let refused = self.meter_call(per_minute, per_month, now);
                self.meter.add(&scope, refused.is_none(), now);
                return refused.unwrap_or(Outcome::Spent { turned: None });
            }
            Operation::LookAtUsage => {
                let (this_month, lines) = (self.meter.this_month(now), self.meter.lines(now));
                return Outcome::Usage { this_month, lines };
            }
        }
        Outcome::Noted
    }

    fn tidy(&mut self, now: Timestamp, _: &mut Outbox) {
        self.drop_what_is_over(now);
    }

    // When the last of it is over: nobody needs the room before.
    fn expires(&self) -> Option<Timestamp> {
        let claim = self.claim.as_ref().map(Claim::over_at);
        let tallies = self.tallies.iter().filter_map(|(_, tally)| tally.expires());
        let others = [claim, self.funnel.expires(), self.health.expires(), self.meter.expires()];
        tallies.chain(others.into_iter().flatten()).max()
    }

    fn is_empty(&self) -> bool {
        self.claim.is_none()
            && self.tallies.is_empty()
            && self.funnel.is_empty()
            && self.health.is_empty()
            && self.meter.is_empty()
    }
}

impl Counter {
    fn spend(&mut self, spend: &Spend, now: Timestamp) -> Outcome {
        let mut turned = None;
        if let Some(guard) = &spend.guard {
            let word = self.funnel.ask(guard, now);
            if !word.passes {
                return Outcome::Held { retry_after: HELD_SECONDS, turned: word.turned };
            }
            turned = word.turned;
        }
        match self.count(&spend.budgets, now) {
            None => Outcome::Spent { turned },
            Some(full) => {
                if spend.guard.is_some() {
                    self.funnel.take_back(now, true);
                }
                full
            }
        }
    }

    fn drop_what_is_over(&mut self, now: Timestamp) {
        self.claim.take_if(|claim| now >= claim.over_at());
        self.tallies.iter_mut().for_each(|(_, tally)| tally.tidy(now));
        self.tallies.retain(|(_, tally)| !tally.is_empty());
        self.funnel.tidy(now);
        self.health.tidy(now);
        self.meter.tidy(now);
    }

    /// Counts a call in its minute; `Some`: there is no room, there or in the month.
    fn meter_call(&mut self, per_minute: u64, per_month: u64, now: Timestamp) -> Option<Outcome> {
        if let Some(millis) = self.meter.wait(per_month, now) {
            return Some(full(millis));
        }
        let minute = Cap { window_seconds: 60, most: per_minute };
        self.count(&[Budget { tally: "minute".to_owned(), caps: vec![minute] }], now)
    }

    /// Counts; `Some`: there is no room.
    fn count(&mut self, budgets: &[Budget], now: Timestamp) -> Option<Outcome> {
        self.drop_what_is_over(now);
        let waits = budgets.iter().filter_map(|Budget { tally, caps }| {
            let (_, known) = self.tallies.iter().find(|(name, _)| name == tally)?;
            known.wait(caps, now)
        });
        if let Some(millis) = waits.max() {
            return Some(full(millis));
        }
        for Budget { tally, caps } in budgets {
            match self.tallies.iter_mut().find(|(name, _)| name == tally) {
                Some((_, known)) => known.add(caps, now),
                None => {
                    let mut new = Tally::default();
                    new.add(caps, now);
                    self.tallies.push((tally.clone(), new));
                }
            }
        }
        None
    }
}

/// There is room in so many milliseconds.
fn full(millis: i64) -> Outcome {
    let seconds = millis.max(1).saturating_add(999).div_euclid(1000);
    Outcome::Full { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) }
}

/// How long somebody waits whom the guard holds back: it may look different then.
const HELD_SECONDS: u32 = 600;

#[cfg(test)]
mod tests {
    use super::super::object::Document;
    use super::*;

    const SPENT: Outcome = Outcome::Spent { turned: None };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn by(key: Option<&str>, request: &str) -> Claimant {
        Claimant { key_check: key.map(str::to_owned), request: request.to_owned() }
    }

    fn claim(key: Option<&str>, request: &str) -> Operation {
        Operation::Claim { by: by(key, request) }
    }

    #[test]
    fn life_of_a_claim() {
        let mut counter = Document::<Counter>::empty();
        let mut ask = |operation, secs| counter.apply(operation, at(secs));
        let keep = Operation::KeepReply { by: by(Some("k"), "r"), sealed: "s".to_owned() };
        assert_eq!(ask(claim(Some("k"), "r"), 0), Outcome::Claimed);
        assert_eq!(ask(claim(Some("k"), "r"), 1), Outcome::Running);
        assert_eq!(ask(claim(Some("k"), "other"), 1), Outcome::Conflict);
        assert_eq!(ask(claim(Some("other"), "r"), 1), Outcome::Used);
        assert_eq!(ask(claim(None, "r"), 1), Outcome::Used);
        assert_eq!(ask(claim(Some("k"), "r"), 11), Outcome::Lost);
        assert_eq!(ask(keep, 12), Outcome::Noted);
        assert_eq!(ask(claim(Some("k"), "r"), 132), Outcome::Replied { sealed: "s".to_owned() });
        assert_eq!(ask(claim(Some("k"), "r"), 133), Outcome::Used);
        assert_eq!(ask(claim(Some("k"), "r"), 3599), Outcome::Used);
        assert_eq!(counter.wake_at(), Some(at(3600)));
        assert!(!counter.tidy(at(3599)));
        assert!(counter.tidy(at(3600)));
    }

    #[test]
    fn without_a_key_nothing_is_repeated() {
        let mut counter = Document::<Counter>::empty();
        assert_eq!(counter.apply(claim(None, "r"), at(0)), Outcome::Claimed);
        assert_eq!(counter.apply(claim(None, "r"), at(0)), Outcome::Used);
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"version":1,"state":{"claim":{"by":{"key_check":"k","request":"r"},"at":0,"reply":{"sealed":"s","at":1000}}}}"#;
        let document: Document<Counter> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
    }

    #[test]
    fn all_tallies_or_none() {
        let spend = |tally: &str, most| Budget {
            tally: tally.to_owned(),
            caps: vec![Cap { window_seconds: 3600, most }],
        };
        let mut counter = Document::<Counter>::empty();
        let spending = |budgets| Operation::Spend(Spend { budgets, guard: None });
        let mut ask = |budgets: Vec<Budget>| counter.apply(spending(budgets), at(0));
        assert_eq!(ask(vec![spend("all", 3), spend("7", 1)]), SPENT);
        assert_eq!(ask(vec![spend("all", 3), spend("7", 1)]), Outcome::Full { retry_after: 3900 });
        assert_eq!(ask(vec![spend("all", 3), spend("8", 1)]), SPENT);
        assert_eq!(ask(vec![spend("all", 3), spend("9", 1)]), SPENT);
        assert_eq!(ask(vec![spend("all", 3), spend("10", 1)]), Outcome::Full { retry_after: 3900 });
        let withdraw = Operation::Withdraw {
            tallies: vec!["all".to_owned(), "9".to_owned()],
            at: at(0),
            measured: false,
        };
        assert_eq!(counter.apply(withdraw, at(5)), Outcome::Noted);
        let again = spending(vec![spend("all", 3), spend("9", 1)]);
        assert_eq!(counter.apply(again, at(5)), SPENT);
        assert!(!counter.tidy(at(3899)) && counter.tidy(at(3900)));
    }
}
