//! The codes of a number against a model that is too simple to be wrong: it keeps everything that ever happened and
//! reads the rules off it. 100,000 histories of sends, guesses, replays and jumps in time must end alike.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::time::Duration;

use onetap::{
    kernel::{
        id::{AccountId, ChallengeId},
        time::Timestamp,
    },
    model::otp::{Evidence, NewCode, Operation, Otp, Outcome, Redeem, Rules, Sends, Settled},
};

const HISTORIES: u64 = 100_000;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const LIFETIME: Duration = secs(300);

const RULES: Rules = Rules {
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
struct Lane {
    sent: Vec<Sent>,
    guesses: Vec<Guess>,
}

struct Sent {
    at: Timestamp,
    id: ChallengeId,
    operation: u64,
    request: u64,
    checked: bool,
    settled: Option<bool>,
    measured: bool,
    recorded: bool,
}

/// A guess that counted.
struct Guess {
    at: Timestamp,
    id: ChallengeId,
    operation: u64,
    request: u64,
    right: bool,
}

#[derive(Default)]
struct Model {
    lanes: [Lane; 2],
}

impl Lane {
    fn live(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.settled != Some(false))
    }

    fn newest(&self) -> Option<&Sent> {
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

    fn send(&self, operation: u64, request: u64, checked: bool, now: Timestamp) -> Option<Outcome> {
        // Known for as long as a repeat can matter: the code's life and two minutes.
        let known = self.newest().filter(|sent| now < sent.at.plus(LIFETIME + secs(120)));
        if let Some(sent) = known.filter(|sent| sent.operation == operation) {
            return Some(if sent.request != request {
                Outcome::Conflict
            } else if sent.settled.is_none() && now.since(sent.at) <= secs(10) {
                Outcome::Running
            } else {
                let (expires, resend_at) = (sent.at.plus(LIFETIME), sent.at.plus(RULES.resend));
                Outcome::SentBefore { challenge: sent.id, expires, resend_at }
            });
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
            let inside = |at: Timestamp| self.live().filter(|sent| at < sent.at.plus(window)).count();
            let leaving = self.live().map(|sent| sent.at.plus(window));
            let free = std::iter::once(now).chain(leaving).filter(|at| *at >= now);
            free_at = free_at.max(free.filter(|at| inside(*at) < most).min().unwrap());
        }
        if !checked && failures >= RULES.free_failures {
            let doubled = RULES.first_wait * 2_u32.pow(failures - RULES.free_failures);
            free_at = free_at.max(last_failure.plus(doubled.min(RULES.longest_wait)));
        }
        (free_at > now).then(|| Outcome::TooSoon { retry_after: seconds(free_at.since(now)) })
    }

    fn redeem(&self, guess: &Guess, by_record: bool, now: Timestamp) -> (Outcome, bool) {
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

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// What a run came upon, so that a test that meets nothing fails.
#[derive(Debug, Default)]
struct Seen {
    operations: u64,
    redeemed: u64,
    repeated: u64,
    stopped: u64,
    too_soon: u64,
    conflicts: u64,
    no_record: u64,
    sent_before: u64,
}

struct Story {
    dice: Dice,
    otp: Otp,
    model: Model,
    now: Timestamp,
    holder: Option<AccountId>,
    ids: Vec<ChallengeId>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let holder = (dice.roll(2) == 0).then(|| AccountId::from_bytes([1; 16]));
        let now = Timestamp::from_secs(1_795_147_200);
        Self { dice, otp: Otp::default(), model: Model::default(), now, holder, ids: Vec::new() }
    }

    fn step(&mut self, seen: &mut Seen) {
        let jump = match self.dice.roll(12) {
            0..=5 => self.dice.roll(3),
            6 | 7 => self.dice.roll(120),
            8 | 9 => self.dice.roll(700),
            10 => self.dice.roll(20_000),
            _ => self.dice.roll(800_000),
        };
        self.now = self.now.plus(secs(jump));
        if self.dice.roll(5) == 0 {
            self.otp.tidy(self.now);
        }
        if self.dice.roll(20) == 0 {
            let json = serde_json::to_string(&self.otp).unwrap();
            self.otp = serde_json::from_str(&json).unwrap();
        }
        seen.operations += 1;
        match self.dice.roll(10) {
            0..=2 => self.send(seen),
            3 => self.settle(),
            _ => self.guess(seen),
        }
    }

    fn send(&mut self, seen: &mut Seen) {
        // Few names, so that attempts are repeated, by accident and on purpose.
        let (operation, request) = (self.dice.roll(6), self.dice.roll(8) / 7);
        let stranger = AccountId::from_bytes([2; 16]);
        let device_of =
            [None, Some(stranger), Some(AccountId::from_bytes([1; 16]))][self.dice.roll(3) as usize];
        let own_device = device_of.is_some() && device_of == self.holder;
        let checked = self.dice.roll(4) == 0;
        let number = u8::try_from(self.ids.len()).unwrap();
        let challenge = ChallengeId::from_bytes([number; 16]);
        let new = NewCode {
            challenge,
            operation: operation.to_string(),
            request: request.to_string(),
            expires: self.now.plus(LIFETIME),
            mac: format!("mac {number}"),
            device_of,
            bot_check_passed: checked,
            rules: RULES,
        };
        let outcome = self.otp.apply(Operation::Send(Box::new(new)), self.holder, self.now);
        let lane = &mut self.model.lanes[usize::from(own_device)];
        let refused = lane.send(operation, request, checked, self.now);
        match &outcome {
            Outcome::Stopped { .. } => seen.stopped += 1,
            Outcome::TooSoon { .. } => seen.too_soon += 1,
            Outcome::Conflict => seen.conflicts += 1,
            Outcome::SentBefore { .. } => seen.sent_before += 1,
            _ => {}
        }
        assert_eq!(outcome, refused.clone().unwrap_or(Outcome::Sending { own_device }));
        if refused.is_none() {
            self.ids.push(challenge);
            let (at, settled, measured, recorded) = (self.now, None, false, false);
            let sent = Sent { at, id: challenge, operation, request, checked, settled, measured, recorded };
            lane.sent.push(sent);
            if self.dice.roll(4) > 0 {
                self.settle();
            }
        }
    }

    fn settle(&mut self) {
        let Some(challenge) = self.ids.last().copied() else { return };
        let (sent, recorded) = (self.dice.roll(5) > 0, self.dice.roll(4) > 0);
        let measured = self.dice.roll(2) == 0;
        let settled = Settled { challenge, sent, recorded, measured };
        // Only what is under way is settled, and once: who sends is over long before the code is.
        let now = self.now;
        let open = self.model.lanes.iter_mut().find_map(|lane| {
            let newest = lane.sent.last_mut()?;
            let is_open = newest.settled.is_none() && now < newest.at.plus(secs(60));
            (newest.id == challenge && is_open).then_some(newest)
        });
        let Some(open) = open else { return };
        open.settled = Some(sent);
        (open.measured, open.recorded) = (measured, recorded);
        assert_eq!(self.otp.apply(Operation::Settle(settled), self.holder, self.now), Outcome::Settled);
    }

    fn guess(&mut self, seen: &mut Seen) {
        let Some(last) = self.ids.len().checked_sub(1) else { return };
        // Mostly at the newest code, now and then at an older one or at one that never was.
        let at = match self.dice.roll(8) {
            0 => self.dice.roll(self.ids.len() as u64) as usize,
            1 => 200,
            _ => last,
        };
        let id = self.ids.get(at).copied().unwrap_or(ChallengeId::from_bytes([200; 16]));
        let (right, by_record) = (self.dice.roll(4) == 0, self.dice.roll(3) > 0);
        let (operation, request) = (self.dice.roll(9), u64::from(right));
        let evidence = match (by_record, right) {
            (true, right) => Evidence::Compared(right),
            (false, true) => Evidence::Macs(vec!["old pepper".to_owned(), format!("mac {}", id.bytes()[0])]),
            (false, false) => Evidence::Macs(vec!["mac".to_owned()]),
        };
        let redeem = Redeem {
            challenge: id,
            operation: operation.to_string(),
            request: request.to_string(),
            evidence,
            rules: RULES,
        };
        let outcome = self.otp.apply(Operation::Redeem(redeem.into()), self.holder, self.now);
        let guess = Guess { at: self.now, id, operation, request, right };
        let lane = self.model.lanes.iter_mut().find(|lane| lane.newest().is_some_and(|sent| sent.id == id));
        let (expected, counts) = lane
            .as_ref()
            .map_or((Outcome::Incorrect, false), |lane| lane.redeem(&guess, by_record, self.now));
        match &outcome {
            Outcome::Redeemed { .. } if counts => seen.redeemed += 1,
            Outcome::Redeemed { .. } => seen.repeated += 1,
            Outcome::Conflict => seen.conflicts += 1,
            Outcome::NoRecord => seen.no_record += 1,
            _ => {}
        }
        assert_eq!(outcome, expected);
        if let Some(lane) = lane.filter(|_| counts) {
            lane.guesses.push(guess);
        }
    }

    /// What must hold of every history, whatever the rules say in detail.
    fn check(&self) {
        for lane in &self.model.lanes {
            for id in &self.ids {
                let of_code = || lane.guesses.iter().filter(|guess| guess.id == *id);
                assert!(of_code().filter(|guess| guess.right).count() <= 1, "a code is used once");
                assert!(of_code().filter(|guess| !guess.right).count() <= RULES.tries as usize);
            }
            let mut in_a_row = 0;
            for guess in &lane.guesses {
                in_a_row = if guess.right { 0 } else { in_a_row + 1 };
                let forgotten = guess.at.since(lane.guesses[0].at) >= RULES.failure_memory;
                assert!(in_a_row <= RULES.stop_checked || forgotten, "failures in a row have an end");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_histories_end_as_in_the_model() {
    let mut seen = Seen::default();
    for seed in 0..HISTORIES {
        let mut story = Story::new(seed);
        for _ in 0..24 {
            story.step(&mut seen);
        }
        story.check();
        // In the end nothing is left.
        story.otp.tidy(story.now.plus(secs(700_000)));
        assert!(story.otp.is_empty() && story.otp.expires().is_none(), "history {seed}");
    }
    for met in [
        seen.redeemed,
        seen.repeated,
        seen.stopped,
        seen.too_soon,
        seen.conflicts,
        seen.no_record,
        seen.sent_before,
    ] {
        assert!(met > 100, "{seen:?}");
    }
}
