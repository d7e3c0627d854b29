//! One lane of a number's codes: its newest code, its sends, its failures in a row.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Evidence, FindSent, NewCode, Outcome, Redeem, Rules, Settled};
use crate::kernel::{digest::is_equal, id::ChallengeId, time::Timestamp};

/// The MAC of a code is kept for so long beside its record: KV remembers for up to a minute that there was none.
pub(super) const MAC_KEPT: Duration = Duration::from_secs(90);

/// A redemption is repeated for so long to the client that lost the answer.
pub const REPEAT_KEPT: Duration = Duration::from_secs(120);

/// A send that nobody settled counts as sent after this: the request that made it is over by then.
pub(super) const SENDING_AT_MOST: Duration = Duration::from_secs(10);

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lane {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Code>,
    /// The code before the newest, until it is known that the newest was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Code>,
    /// Times of sends, oldest first.
    sends: Vec<Timestamp>,
    /// In a row, over all codes.
    failures: u32,
    /// Nothing of the lane matters after this.
    until: Timestamp,
    /// The failures do not matter after this.
    failures_until: Timestamp,
    last_failure: Timestamp,
    /// When the owner's own proof last took them back.
    #[serde(default, skip_serializing_if = "is_never")]
    pardoned_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    challenge: ChallengeId,
    operation: String,
    request: String,
    sent_at: Timestamp,
    expires: Timestamp,
    settled: bool,
    measured: bool,
    mac: String,
    mac_until: Timestamp,
    /// Failures in a row at which the lane takes this code no more.
    stop: u32,
    /// Wrong guesses, each by its attempt, so that a repeated one does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tries: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<Attempt>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    operation: String,
    request: String,
    at: Timestamp,
}

impl Lane {
    /// Takes the code in as the newest; `Some`: does not.
    pub(super) fn send(&mut self, new: NewCode, now: Timestamp) -> Option<Outcome> {
        let rules = &new.rules;
        // 1. A repeat.
        let NewCode { operation, request, .. } = &new;
        let find = FindSent {
            operation: operation.clone(),
            request: request.clone(),
            device_of: new.device_of,
            resend: rules.resend,
        };
        if let Some(repeat) = self.repeat(&find, now) {
            // The caller itself asks again, because it lost the answer.
            let is_the_same = repeat == Outcome::Running && self.newest_is(new.challenge);
            return if is_the_same { None } else { Some(repeat) };
        }
        // 2. Budgets.
        let stop = if new.bot_check_passed { rules.stop_checked } else { rules.stop };
        if let Some(refusal) = self.refusal(rules, new.bot_check_passed, stop, now) {
            return Some(refusal);
        }
        // 3. It is the newest.
        self.sends.push(now);
        let expires = new.expires;
        let code = Code {
            challenge: new.challenge,
            operation: new.operation,
            request: new.request,
            sent_at: now,
            expires,
            settled: false,
            measured: false,
            mac: new.mac,
            mac_until: now.plus(MAC_KEPT),
            stop,
            tries: Vec::new(),
            used: None,
        };
        self.before = self.newest.replace(code);
        let longest = rules.sends.iter().map(|sends| sends.window).max().unwrap_or_default();
        self.keep_until(now.plus(longest.max(rules.resend)));
        self.keep_until(expires.plus(REPEAT_KEPT));
        None
    }

    /// What the attempt was answered that asked for the newest code.
    pub(super) fn repeat(&self, find: &FindSent, now: Timestamp) -> Option<Outcome> {
        let known = self.newest.as_ref().filter(|known| known.operation == find.operation)?;
        Some(if known.request != find.request {
            Outcome::Conflict
        } else if !known.settled && now.since(known.sent_at) <= SENDING_AT_MOST {
            Outcome::Running
        } else {
            let resend_at = known.sent_at.plus(find.resend);
            Outcome::SentBefore { challenge: known.challenge, expires: known.expires, resend_at }
        })
    }

    /// The newest code was sent, or was not.
    pub(super) fn settle(&mut self, settled: &Settled) {
        if !settled.sent {
            // As if nobody had asked: the send is given back, and the code before counts again.
            self.newest = self.before.take();
            self.sends.pop();
            if self.newest.is_none() && self.sends.is_empty() && self.failures == 0 {
                *self = Self::default();
            }
        } else if let Some(code) = self.newest.as_mut() {
            self.before = None;
            code.settled = true;
            code.measured = settled.measured;
            if !settled.recorded {
                code.mac_until = code.expires;
            }
        }
    }

    /// Counts a try, and consumes the code if it is the right one.
    pub(super) fn redeem(&mut self, redeem: Redeem, now: Timestamp) -> Outcome {
        self.forget_failures(now);
        let failures = self.failures;
        let Some(code) = self.newest.as_mut() else { return Outcome::Incorrect };
        let Redeem { operation, request, evidence, rules, .. } = redeem;
        // 1. Attempts that were made before.
        let is_again = |attempt: &Attempt| attempt.operation == operation;
        if let Some(used) = &code.used {
            return match is_again(used) {
                true if used.request != request => Outcome::Conflict,
                true if now.since(used.at) <= REPEAT_KEPT => Outcome::Redeemed { measured: None },
                _ => Outcome::Incorrect,
            };
        }
        if let Some(attempt) = code.tries.iter().find(|attempt| is_again(attempt)) {
            return if attempt.request == request { Outcome::Incorrect } else { Outcome::Conflict };
        }
        // 2. Whether it may be guessed at.
        let tried = u32::try_from(code.tries.len()).unwrap_or(u32::MAX);
        if now >= code.expires || tried >= rules.tries || failures >= code.stop {
            return Outcome::Incorrect;
        }
        // 3. The guess.
        let is_right = match evidence {
            Evidence::Compared(is_right) => is_right,
            Evidence::Macs(macs) if now < code.mac_until => macs.iter().any(|mac| is_equal(mac, &code.mac)),
            Evidence::Macs(_) => return Outcome::NoRecord,
        };
        let attempt = Attempt { operation, request, at: now };
        if is_right {
            code.used = Some(attempt);
            let measured = code.measured.then_some(code.sent_at);
            self.failures = 0;
            return Outcome::Redeemed { measured };
        }
        code.tries.push(attempt);
        self.failures = self.failures.saturating_add(1);
        self.last_failure = now;
        self.failures_until = now.plus(rules.failure_memory);
        self.keep_until(self.failures_until);
        Outcome::Incorrect
    }

    /// The owner has shown to be there: what others guessed is not held against them. Once within the time that
    /// failures are remembered, so that guesses stay as rare as they are without.
    pub(super) fn pardon(&mut self, now: Timestamp) {
        let memory = self.failures_until.since(self.last_failure);
        if self.failures > 0 && now >= self.pardoned_at.plus(memory) {
            self.failures = 0;
            self.pardoned_at = now;
            self.keep_until(now.plus(memory));
        }
    }

    pub(super) fn newest_is(&self, challenge: ChallengeId) -> bool {
        self.newest.as_ref().is_some_and(|code| code.challenge == challenge)
    }

    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.forget_failures(now);
        if now >= self.until {
            *self = Self::default();
            return;
        }
        for code in [&mut self.newest, &mut self.before] {
            if code.as_ref().is_some_and(|code| now >= code.over_at()) {
                *code = None;
            } else if let Some(code) = code.as_mut().filter(|code| now >= code.mac_until) {
                code.mac.clear();
            }
        }
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        if self.is_empty() {
            return None;
        }
        let codes = [&self.newest, &self.before].into_iter().flatten().map(Code::over_at);
        codes.chain([self.until]).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why no other code may be sent now.
    fn refusal(&mut self, rules: &Rules, checked: bool, stop: u32, now: Timestamp) -> Option<Outcome> {
        self.forget_failures(now);
        let longest = rules.sends.iter().map(|sends| sends.window).max().unwrap_or_default();
        self.sends.retain(|at| now < at.plus(longest));
        if self.failures >= stop {
            let retry_after = seconds(self.failures_until.since(now));
            return Some(Outcome::Stopped {
                retry_after,
                bot_check_helps: self.failures < rules.stop_checked,
            });
        }
        let cooldown = self.sends.last().map(|last| last.plus(rules.resend));
        let full = rules.sends.iter().filter_map(|sends| {
            let most = if checked { sends.most.saturating_mul(2) } else { sends.most };
            // The send that must leave the window before another fits in.
            let at = self.sends.len().checked_sub(most)?;
            self.sends.get(at).map(|at| at.plus(sends.window))
        });
        let if_checked = cooldown.into_iter().chain(full).max().unwrap_or_default();
        // The growing wait is for guessing programs: a person need not sit it out.
        let wait =
            if checked { Timestamp::default() } else { self.last_failure.plus(rules.wait(self.failures)) };
        let free_at = if_checked.max(wait);
        let left = |at: Timestamp| if now < at { seconds(at.since(now)) } else { 0 };
        (now < free_at).then(|| Outcome::TooSoon { retry_after: left(free_at), if_checked: left(if_checked) })
    }

    fn forget_failures(&mut self, now: Timestamp) {
        if now >= self.failures_until {
            self.failures = 0;
        }
    }

    fn keep_until(&mut self, at: Timestamp) {
        self.until = self.until.max(at);
    }
}

impl Code {
    fn over_at(&self) -> Timestamp {
        self.expires.plus(REPEAT_KEPT)
    }
}

impl Rules {
    /// How long after the last failure another code may be sent.
    fn wait(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free_failures) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_never(time: &Timestamp) -> bool {
    *time == Timestamp::default()
}

/// Whole seconds, at least one.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}
