//! The model: everything that ever happened to a number's codes, and the rules read off it.

use std::time::Duration;

use onetap::{
    kernel::{id::ChallengeId, time::Timestamp},
    model::otp::{Outcome, Rules, Sends},
};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const LIFETIME: Duration = secs(300);

pub(crate) const RULES: Rules = Rules {
    tries: 3,
    resend: secs(60),
    sends: [Sends { window: secs(3600), most: 3 }, Sends { window: secs(86_400), most: 6 }],
    free_failures: 3,
    first_wait: secs(30),
    longest_wait: secs(3600),
    stop: 5,
    stop_checked: 7,
    failure_memory: secs(604_800),
};

/// What happened in one lane, all of it.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) sent: Vec<Sent>,
    pub(crate) guesses: Vec<Guess>,
}

pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    pub(crate) id: ChallengeId,
    pub(crate) operation: u64,
    pub(crate) request: u64,
    pub(crate) checked: bool,
    pub(crate) settled: Option<bool>,
    pub(crate) measured: bool,
    pub(crate) recorded: bool,
}

/// A guess that counted.
pub(crate) struct Guess {
    pub(crate) at: Timestamp,
    pub(crate) id: ChallengeId,
    pub(crate) operation: u64,
    pub(crate) request: u64,
    pub(crate) right: bool,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) lanes: [Lane; 2],
}

impl Lane {
    fn live(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.settled != Some(false))
    }

    pub(crate) fn newest(&self) -> Option<&Sent> {
        self.live().next_back()
    }

    /// Wrong guesses since the last right one, unless a week passed without any.
    fn failures(&self, now: Timestamp) -> (u32, Timestamp) {
        let mut count = 0;
        let mut last = Timestamp::default();
        for guess in &self.guesses {
            if guess.at.since(last) >= RULES.failure_memory {
                count = 0;
            }
            if guess.right {
                count = 0;
            } else {
                count += 1;
                last = guess.at;
            }
        }
        if now.since(last) >= RULES.failure_memory { (0, last) } else { (count, last) }
    }

    pub(crate) fn repeat(&self, operation: u64, request: u64, now: Timestamp) -> Option<Outcome> {
        // Known for as long as a repeat can matter: the code's life and two minutes.
        let known = self.newest().filter(|sent| now < sent.at.plus(LIFETIME + secs(120)));
        known.filter(|sent| sent.operation == operation).map(|sent| {
            if sent.request != request {
                Outcome::Conflict
            } else if sent.settled.is_none() && now.since(sent.at) <= secs(10) {
                Outcome::Running
            } else {
                let (expires, resend_at) = (sent.at.plus(LIFETIME), sent.at.plus(RULES.resend));
                Outcome::SentBefore { challenge: sent.id, expires, resend_at }
            }
        })
    }

    pub(crate) fn send(
        &self,
        operation: u64,
        request: u64,
        checked: bool,
        now: Timestamp,
    ) -> Option<Outcome> {
        if let Some(repeat) = self.repeat(operation, request, now) {
            return Some(repeat);
        }
        let (failures, last_failure) = self.failures(now);
        if failures >= if checked { RULES.stop_checked } else { RULES.stop } {
            let left = last_failure.plus(RULES.failure_memory).since(now);
            let retry_after = seconds(left);
            return Some(Outcome::Stopped { retry_after, bot_check_helps: failures < RULES.stop_checked });
        }
        // The first moment from now on at which every rule is kept.
        let mut free_at = now;
        if let Some(last) = self.live().next_back() {
            free_at = free_at.max(last.at.plus(RULES.resend));
        }
        for Sends { window, most } in RULES.sends {
            let most = if checked { 2 * most } else { most };
            let inside = |at: Timestamp| self.live().filter(|sent| at < sent.at.plus(window)).count();
            let leaving = self.live().map(|sent| sent.at.plus(window));
            let free = std::iter::once(now).chain(leaving).filter(|at| *at >= now);
            free_at = free_at.max(free.filter(|at| inside(*at) < most).min().unwrap());
        }
        let if_checked = if free_at > now { seconds(free_at.since(now)) } else { 0 };
        if !checked && failures >= RULES.free_failures {
            let doubled = RULES.first_wait * 2_u32.pow(failures - RULES.free_failures);
            free_at = free_at.max(last_failure.plus(doubled.min(RULES.longest_wait)));
        }
        (free_at > now).then(|| Outcome::TooSoon { retry_after: seconds(free_at.since(now)), if_checked })
    }

    pub(crate) fn redeem(&self, guess: &Guess, by_record: bool, now: Timestamp) -> (Outcome, bool) {
        let Some(sent) = self.newest().filter(|sent| sent.id == guess.id) else {
            return (Outcome::Incorrect, false);
        };
        if now >= sent.at.plus(LIFETIME + secs(120)) {
            return (Outcome::Incorrect, false);
        }
        let of_code: Vec<&Guess> = self.guesses.iter().filter(|known| known.id == guess.id).collect();
        let used = of_code.iter().find(|known| known.right);
        if let Some(same) = of_code.iter().find(|known| known.operation == guess.operation)
            && used.is_none_or(|used| used.operation == guess.operation)
        {
            let outcome = if same.request != guess.request {
                Outcome::Conflict
            } else if same.right && now.since(same.at) <= secs(120) {
                Outcome::Redeemed { measured: None }
            } else {
                Outcome::Incorrect
            };
            return (outcome, false);
        }
        let stop = if sent.checked { RULES.stop_checked } else { RULES.stop };
        let wrong = of_code.iter().filter(|known| !known.right).count();
        let is_over = used.is_some()
            || now >= sent.at.plus(LIFETIME)
            || wrong >= RULES.tries as usize
            || self.failures(now).0 >= stop;
        if is_over {
            return (Outcome::Incorrect, false);
        }
        let bridge = if sent.settled == Some(true) && !sent.recorded { LIFETIME } else { secs(90) };
        if !by_record && now >= sent.at.plus(bridge) {
            return (Outcome::NoRecord, false);
        }
        let measured = (sent.settled == Some(true) && sent.measured).then_some(sent.at);
        (if guess.right { Outcome::Redeemed { measured } } else { Outcome::Incorrect }, true)
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap().max(1)
}
