//! The guard against SMS pumping: somebody asks for codes that nobody will ever type, to be paid for the messages.
//!
//! It watches one scope, a prefix of numbers or a country: how many codes went out to strangers, and how many of
//! them came back. Where hardly any do, strangers need a bot check, then are stopped. A small share is let through
//! all the same, to measure; what is held back keeps the guard awake, so that it neither opens while the attack
//! goes on nor stays shut when it is over. Who passed a bot check, and owners' own devices, are never held back and
//! not counted.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// What the guard lets through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everybody.
    #[default]
    Open,
    /// Strangers who pass a bot check, and a share of the others; all of them where there is no bot check.
    Check,
    /// The same with a smaller share; without a bot check to pass, this is the end for strangers.
    Stop,
}

/// When to be suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Codes asked for within the hour before the guard judges.
    pub min_sends: u64,
    /// Below this share of redeemed ones, percent: [`Level::Check`].
    pub check_below_percent: u64,
    /// Below this share: [`Level::Stop`].
    pub stop_below_percent: u64,
    /// At [`Level::Check`] one in so many passes without a bot check.
    pub measure_one_in_check: u64,
    /// At [`Level::Stop`].
    pub measure_one_in_stop: u64,
    /// A code this old, seconds, that did not come back counts as lost.
    pub mature_seconds: u64,
}

/// The guard over one code that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The same for everybody: whoever asks, the scope is judged alike.
    pub policy: Policy,
    /// Whoever asks can be asked for a bot check. Otherwise [`Level::Check`] lets all of them pass.
    pub has_bot_check: bool,
}

/// What the guard says to one more code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// It may go out.
    pub(super) passes: bool,
    pub(super) level: Level,
    /// The level, if it is another than before.
    pub(super) turned: Option<Level>,
}

/// The last hour of a scope.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Funnel {
    level: Level,
    /// Asked for since the guard last turned.
    asked: u64,
    /// Let through to measure, and then not sent: so many others pass in their place.
    #[serde(default, skip_serializing_if = "is_zero")]
    owed: u64,
    minutes: Vec<Minute>,
}

/// One minute, by its number since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    at: i64,
    sent: u64,
    redeemed: u64,
    held: u64,
}

/// What the guard remembers.
const MEMORY_MINUTES: i64 = 60;

/// So many of those held back count as lost, so that one measured code that comes back does not open a closed guard.
const DOUBTS: u64 = 2;

impl Funnel {
    /// One more code is asked for by somebody who is not exempt.
    pub(super) fn ask(&mut self, guard: &Guard, now: Timestamp) -> Word {
        let policy = &guard.policy;
        self.tidy(now);
        let level = self.judge(policy, now);
        let turned = (level != self.level).then_some(level);
        if turned.is_some() {
            self.level = level;
            (self.asked, self.owed) = (0, 0);
        }
        let one_in = match level {
            Level::Open => 1,
            Level::Check if !guard.has_bot_check => 1,
            Level::Check => policy.measure_one_in_check,
            Level::Stop => policy.measure_one_in_stop,
        };
        // Counted, not drawn: the first one in so many is the last of them.
        let passes = self.asked.saturating_add(1).checked_rem(one_in).is_none_or(|rest| rest == 0);
        let passes = passes || self.owed > 0;
        if level != Level::Open && passes {
            self.owed = self.owed.saturating_sub(1);
        }
        let (sent, held) = (u64::from(passes), u64::from(!passes));
        let at = minute_of(now);
        match self.minutes.iter_mut().rfind(|minute| minute.at == at) {
            Some(minute) => {
                minute.sent = minute.sent.saturating_add(sent);
                minute.held = minute.held.saturating_add(held);
            }
            None => self.minutes.push(Minute { at, sent, redeemed: 0, held }),
        }
        if level != Level::Open {
            self.asked = self.asked.saturating_add(1);
        }
        Word { passes, level, turned }
    }

    /// A code that went out then was typed.
    pub(super) fn redeemed(&mut self, sent_at: Timestamp) {
        if let Some(minute) = self.find(sent_at) {
            minute.redeemed = minute.redeemed.saturating_add(1).min(minute.sent);
        }
    }

    /// A code of then does not count: it was not sent after all, or nobody knows whether it arrived.
    pub(super) fn take_back(&mut self, sent_at: Timestamp, is_unsent: bool) {
        if is_unsent && self.level != Level::Open {
            // Else whoever asks for what cannot be sent would use up all that is let through.
            self.owed = self.owed.saturating_add(1);
        }
        if let Some(minute) = self.find(sent_at) {
            minute.sent = minute.sent.saturating_sub(1);
            minute.redeemed = minute.redeemed.min(minute.sent);
        }
    }

    pub(super) fn tidy(&mut self, now: Timestamp) {
        let oldest = minute_of(now).saturating_sub(MEMORY_MINUTES);
        self.minutes.retain(|minute| minute.at > oldest);
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        let last = self.minutes.last()?.at;
        Some(Timestamp::from_secs(last.saturating_add(MEMORY_MINUTES).saturating_mul(60)))
    }

    /// Nothing is remembered, the level neither: where nobody asked for an hour the guard is open. Nobody is told
    /// of that, since nobody was held back either.
    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    /// The minute that somebody else's clock means: perhaps the one beside.
    fn find(&mut self, time: Timestamp) -> Option<&mut Minute> {
        let at = minute_of(time);
        let known = |at: i64| self.minutes.iter().any(|minute| minute.at == at);
        let at = [at, at.saturating_sub(1), at.saturating_add(1)].into_iter().find(|at| known(*at))?;
        self.minutes.iter_mut().find(|minute| minute.at == at)
    }

    fn judge(&self, policy: &Policy, now: Timestamp) -> Level {
        let mature = now.millis().saturating_sub(millis(policy.mature_seconds));
        let (mut sent, mut redeemed, mut held) = (0_u64, 0_u64, 0_u64);
        for minute in &self.minutes {
            held = held.saturating_add(minute.held);
            if minute.at.saturating_add(1).saturating_mul(60_000) <= mature {
                sent = sent.saturating_add(minute.sent);
                redeemed = redeemed.saturating_add(minute.redeemed);
            }
        }
        if sent.saturating_add(held) < policy.min_sends {
            return Level::Open;
        }
        // Nothing was measured for an hour: that speaks for a look with a larger share, not for opening.
        if sent == 0 {
            return self.level.min(Level::Check);
        }
        let doubts = if self.level == Level::Open { 0 } else { held.min(DOUBTS) };
        match redeemed.saturating_mul(100).checked_div(sent.saturating_add(doubts)) {
            None => self.level,
            Some(percent) if percent < policy.stop_below_percent => Level::Stop,
            Some(percent) if percent < policy.check_below_percent => Level::Check,
            Some(_) => Level::Open,
        }
    }
}

impl Level {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Check => "check",
            Self::Stop => "stop",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn minute_of(time: Timestamp) -> i64 {
    time.secs().div_euclid(60)
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUARD: Guard = Guard { policy: POLICY, has_bot_check: true };

    const POLICY: Policy = Policy {
        min_sends: 12,
        check_below_percent: 40,
        stop_below_percent: 20,
        measure_one_in_check: 4,
        measure_one_in_stop: 10,
        mature_seconds: 120,
    };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_795_147_200 + secs)
    }

    /// Asks once every `every` seconds, `times` times; of those that pass, `redeemed` of a hundred come back.
    fn ask(funnel: &mut Funnel, from: i64, times: i64, every: i64, redeemed: usize) -> Vec<Word> {
        let mut words = Vec::new();
        let mut passed = 0;
        for nth in 0..times {
            let now = at(from + nth * every);
            let word = funnel.ask(&GUARD, now);
            if word.passes {
                passed += 1;
                if passed * redeemed % 100 < redeemed {
                    funnel.redeemed(now);
                }
            }
            words.push(word);
        }
        words
    }

    #[test]
    fn who_redeems_is_left_alone() {
        let mut funnel = Funnel::default();
        let words = ask(&mut funnel, 0, 500, 20, 85);
        assert!(words.iter().all(|word| word.passes && word.turned.is_none()));
    }

    #[test]
    fn few_are_not_judged() {
        let mut funnel = Funnel::default();
        assert!(ask(&mut funnel, 0, 200, 400, 0).iter().all(|word| word.passes));
    }

    #[test]
    fn who_never_redeems_is_stopped_but_measured_and_the_operator_is_told_once() {
        let mut funnel = Funnel::default();
        // One every ten seconds for three hours.
        let words = ask(&mut funnel, 0, 1080, 10, 0);
        let turns: Vec<Level> = words.iter().filter_map(|word| word.turned).collect();
        assert_eq!(turns, [Level::Stop]);
        let first = words.iter().position(|word| !word.passes).unwrap();
        assert!((12..=32).contains(&first), "{first}");
        let later = &words[first..];
        let passed = later.iter().filter(|word| word.passes).count();
        assert!((later.len() / 10).abs_diff(passed) <= 1, "{passed} of {}", later.len());
        // An hour after the last one it is open again.
        let after = ask(&mut funnel, 10_800 + 3660, 1, 1, 0);
        assert_eq!((after[0].passes, after[0].turned), (true, Some(Level::Open)));
    }

    #[test]
    fn a_third_is_asked_for_a_bot_check() {
        let mut funnel = Funnel::default();
        let words = ask(&mut funnel, 0, 300, 20, 30);
        assert_eq!(words.last().unwrap().level, Level::Check);
    }

    #[test]
    fn who_cannot_be_checked_passes_until_the_stop_and_changes_nobodys_level() {
        let mut funnel = Funnel::default();
        ask(&mut funnel, 0, 300, 20, 30);
        let words: Vec<Word> = (0..100)
            .map(|nth| {
                let now = at(6000 + nth * 20);
                let word = funnel.ask(&Guard { has_bot_check: nth % 2 == 0, ..GUARD }, now);
                if word.passes && nth % 3 == 0 {
                    funnel.redeemed(now);
                }
                word
            })
            .collect();
        assert!(words.iter().all(|word| word.level == Level::Check && word.turned.is_none()));
        assert!(words.iter().skip(1).step_by(2).all(|word| word.passes));
        assert!(words.iter().step_by(2).any(|word| !word.passes));
    }

    #[test]
    fn measured_ones_that_come_back_open_it() {
        let mut funnel = Funnel::default();
        ask(&mut funnel, 0, 360, 10, 0);
        let words = ask(&mut funnel, 3600, 720, 10, 90);
        assert_eq!(words.last().unwrap().level, Level::Open);
    }

    #[test]
    fn what_was_not_sent_is_not_held_against_anybody() {
        let mut funnel = Funnel::default();
        for nth in 0..200 {
            let now = at(nth * 10);
            assert!(funnel.ask(&GUARD, now).passes);
            funnel.take_back(now, true);
        }
    }

    #[test]
    fn what_cannot_be_sent_uses_up_nothing_that_is_let_through() {
        let mut funnel = Funnel::default();
        ask(&mut funnel, 0, 200, 10, 0);
        // Every other one asks for what no vendor takes.
        let mut passed = [0, 0];
        for nth in 0..400 {
            let now = at(2000 + nth * 5);
            let word = funnel.ask(&GUARD, now);
            let unsendable = nth % 2 == 0;
            passed[usize::from(unsendable)] += u32::from(word.passes);
            if word.passes && unsendable {
                funnel.take_back(now, true);
            }
        }
        assert!(passed[0] >= 38, "one in ten of all who ask, and all of them of the others: {passed:?}");
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"level":"stop","asked":3,"minutes":[{"at":29919120,"sent":2,"redeemed":1,"held":3}]}"#;
        let funnel: Funnel = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&funnel).unwrap(), json);
    }
}
