//! Strangers with the number at ten thousand accounts, for a month each, with as many networks, devices and tickets as they
//! like. Nobody comes in.
//!
//! Each of the two strangers looks in at every account on some day, and tries one of all the things that can be tried. At one
//! account in [`PRESSED`] they try everything on every day, from so many networks that all limits are reached. (Limits are
//! an account's own, and the same for all.) `PRESSED=1 cargo test --release --test journeys simulation -- --nocapture` does
//! that at all ten thousand. Questions are guessed at beyond the limits, too.
//!
//! Passwords are hashed at little cost, and objects stay awake, as nowhere else: the same machines, by the same calls.

#![allow(clippy::print_stdout, reason = "figures of a simulation, to be read")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use onetap::kernel::digest::sha256;

use super::DAY;
use crate::world::{World, locked, objects::Kind};
use people::settle;
use stranger::{Knows, Stranger, Tally};

mod people;
mod stranger;

const ACCOUNTS: usize = 10_000;

/// Accounts in one world: a deployment each, of the three profiles in turn.
const A_WORLD: usize = 100;

/// At one account in so many everything is tried every day, if the environment's `PRESSED` does not say otherwise.
const PRESSED: usize = 1000;

/// Days since the numbers were last proven, oldest first, at the beginning.
const AGES: [u64; 5] = [1095, 700, 400, 200, 120];

/// Days for which each of the two strangers tries.
const MONTH: usize = 30;

/// Numbers that nobody can foresee, and that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        let block = sha256(&self.0.to_be_bytes());
        usize::try_from(u64::from_be_bytes(block[..8].try_into().unwrap()) % bound as u64).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What becomes of a deployment: by the stranger who knows the number alone, and by the one who knows more.
fn attacked(nth: usize) -> [Tally; 2] {
    let profile = ["basic", "social", "money"][nth % 3];
    let world = World::seeded(nth as u64, |name| match name {
        "PROFILE" => Some(profile.to_owned()),
        "DEVICE_KNOWN_DAYS" => Some("2".to_owned()),
        // Who is there stays signed in all the time.
        "REFRESH_ABSOLUTE_SECONDS" => Some("31536000".to_owned()),
        _ => None,
    });
    world.objects.stay_awake.store(true, Ordering::Relaxed);
    let mut dice = Dice((nth as u64) << 32);
    let pressed = std::env::var("PRESSED").ok().and_then(|text| text.parse().ok()).unwrap_or(PRESSED);
    let mut owners = settle(&world, profile == "money", &mut dice);
    let tallies = [Knows::Number, Knows::Profile].map(|knows| {
        let mut tally = Tally { attacked: owners.len() as u64, ..Tally::default() };
        for day in 0..MONTH {
            let mut stranger = Stranger { world: &world, knows, dice: &mut dice, tally, owners: &owners };
            for (at, owner) in owners.iter().enumerate() {
                if (nth * A_WORLD + at) % pressed == 7 * (nth % 13) % pressed {
                    // The first days use up the month, the others show that it stays so.
                    stranger.presses(owner, if day < 2 { 4 } else { 1 });
                } else if at % MONTH == day {
                    stranger.looks_in(owner);
                }
            }
            tally = stranger.tally;
            world.pass(DAY);
            if day % 15 == 14 {
                owners.iter_mut().for_each(|owner| owner.lives_on(&world));
            }
        }
        world.run_alarms();
        let states = world.objects.states(Kind::Account);
        owners.iter().for_each(|owner| owner.has_all(&states, true));
        let mut stranger = Stranger { world: &world, knows, dice: &mut dice, tally, owners: &owners };
        owners.iter().step_by(3).for_each(|owner| stranger.guesses_on(owner, &states));
        stranger.tally
    });
    // At the end some say that the account is not theirs, and go on: the number is all that they get.
    let [number, mut profile] = tallies;
    let mut gone = Vec::new();
    for (at, owner) in owners.iter().enumerate() {
        let (knows, dice) = (Knows::Profile, &mut dice);
        let mut stranger = Stranger { world: &world, knows, dice, tally: profile, owners: &owners };
        gone.push(at % 5 == 0 && stranger.takes_the_number(owner));
        profile = stranger.tally;
    }
    let states = world.objects.states(Kind::Account);
    for (owner, gone) in owners.iter().zip(gone) {
        owner.has_all(&states, !gone);
        owner.comes_home(&world, !gone);
    }
    [number, profile]
}

#[test]
fn nobody_comes_into_any_of_ten_thousand_accounts_within_a_month() {
    let (worlds, sum) = (AtomicUsize::new(0), Mutex::new([Tally::default(); 2]));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(nth) =
                    Some(worlds.fetch_add(1, Ordering::SeqCst)).filter(|nth| *nth < ACCOUNTS / A_WORLD)
                {
                    let tallies = attacked(nth);
                    let mut sum = locked(&sum);
                    sum.iter_mut().zip(tallies).for_each(|(sum, tally)| sum.add(tally));
                }
            });
        }
    });
    let sum = *locked(&sum);
    for (who, tally) in ["only the number", "number, profile, hints and home city"].iter().zip(sum) {
        println!("{who}: {tally:?}");
        assert_eq!((tally.attacked, tally.entries), (ACCOUNTS as u64, 0), "{who}");
        assert!(tally.series > 3000, "{who}: {} series", tally.series);
        assert!(tally.passed * 1000 < tally.series, "{who}: {} of {}", tally.passed, tally.series);
    }
}
