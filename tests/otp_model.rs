//! The codes of a number against a model that is too simple to be wrong: it keeps everything that ever happened and
//! reads the rules off it. 100,000 histories of sends, guesses, replays and jumps in time must end alike.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use model::{Guess, LIFETIME, Model, RULES, Sent, secs};
use onetap::{
    kernel::{
        id::{AccountId, ChallengeId},
        time::Timestamp,
    },
    model::otp::{Evidence, FindSent, NewCode, Operation, Otp, Outcome, Redeem, Settled},
};

#[path = "otp_model/model.rs"]
mod model;

const HISTORIES: u64 = 100_000;

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
    found: u64,
    not_found: u64,
    asked_twice: u64,
    settled_twice: u64,
}

struct Story {
    dice: Dice,
    otp: Otp,
    model: Model,
    now: Timestamp,
    holder: Option<AccountId>,
    ids: Vec<ChallengeId>,
    settled: Vec<Settled>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let holder = (dice.roll(2) == 0).then(|| AccountId::from_bytes([1; 16]));
        let now = Timestamp::from_secs(1_795_147_200);
        Self {
            dice,
            otp: Otp::default(),
            model: Model::default(),
            now,
            holder,
            ids: Vec::new(),
            settled: Vec::new(),
        }
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
        match self.dice.roll(12) {
            0..=2 => self.send(seen),
            3 => self.settle(),
            4 => self.settle_again(seen),
            5 => self.find(seen),
            _ => self.guess(seen),
        }
    }

    /// A device, and whether it is the holder's.
    fn device(&mut self) -> (Option<AccountId>, bool) {
        let stranger = AccountId::from_bytes([2; 16]);
        let device_of =
            [None, Some(stranger), Some(AccountId::from_bytes([1; 16]))][self.dice.roll(3) as usize];
        (device_of, device_of.is_some() && device_of == self.holder)
    }

    /// An operation whose answer was lost, once more: the same answer, and nothing has changed.
    fn again(&mut self, operation: Operation, expected: &Outcome) {
        self.otp.tidy(self.now);
        let before = serde_json::to_string(&self.otp).unwrap();
        assert_eq!(self.otp.apply(operation, self.holder, self.now), *expected);
        assert_eq!(serde_json::to_string(&self.otp).unwrap(), before);
    }

    fn find(&mut self, seen: &mut Seen) {
        let (operation, request) = (self.dice.roll(6), self.dice.roll(8) / 7);
        let (device_of, own_device) = self.device();
        let mut lanes = self.model.lanes.iter();
        let known = lanes.find_map(|lane| lane.repeat(operation, request, self.now));
        *(if known.is_some() { &mut seen.found } else { &mut seen.not_found }) += 1;
        let (operation, request) = (operation.to_string(), request.to_string());
        let find = FindSent { operation, request, device_of, resend: RULES.resend };
        self.again(Operation::FindSent(find), &known.unwrap_or(Outcome::NotSent { own_device }));
    }

    fn send(&mut self, seen: &mut Seen) {
        // Few names, so that attempts are repeated, by accident and on purpose.
        let (operation, request) = (self.dice.roll(6), self.dice.roll(8) / 7);
        let (device_of, own_device) = self.device();
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
        let send = Operation::Send(Box::new(new));
        let outcome = self.otp.apply(send.clone(), self.holder, self.now);
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
            if self.dice.roll(4) == 0 {
                seen.asked_twice += 1;
                self.again(send, &outcome);
            }
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
        self.settled.push(settled.clone());
        assert_eq!(self.otp.apply(Operation::Settle(settled), self.holder, self.now), Outcome::Settled);
    }

    /// However late, and whatever was sent since.
    fn settle_again(&mut self, seen: &mut Seen) {
        let Some(last) = self.settled.len().checked_sub(1) else { return };
        let at = if self.dice.roll(2) == 0 { last } else { self.dice.roll(last as u64 + 1) as usize };
        seen.settled_twice += 1;
        self.again(Operation::Settle(self.settled[at].clone()), &Outcome::Settled);
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
            let (mut in_a_row, mut last) = (0, Timestamp::default());
            for guess in &lane.guesses {
                let is_forgotten = guess.at.since(last) >= RULES.failure_memory;
                in_a_row = if is_forgotten { 0 } else { in_a_row } + 1;
                last = guess.at;
                if guess.right {
                    in_a_row = 0;
                }
                assert!(in_a_row <= RULES.stop_checked, "failures in a row have an end");
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
        seen.found,
        seen.not_found,
        seen.asked_twice,
        seen.settled_twice,
    ] {
        assert!(met > 100, "{seen:?}");
    }
}
