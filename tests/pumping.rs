//! The guard against SMS pumping over a week with an attack in it: five seeds, a wider attack, and no guard at all.
//! How those fare who ask for codes over HTTP is told in `tests/journeys/otp/pumping.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test"
)]

use onetap::{
    kernel::time::Timestamp,
    model::{
        counter::{Counter, Operation, Outcome, Spend},
        object::Document,
        pumping::{Guard, Level},
    },
};
use simulation::{Figures, Scenario, Users, policies, week};

#[path = "pumping/simulation.rs"]
mod simulation;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn hindered(users: &Users) -> f64 {
    percent(users.asked + users.refused, users.all)
}

fn print(what: &str, seed: u64, figures: &Figures) {
    let Figures { attack, attack_out, outside, inside, inside_later, turns, .. } = figures;
    println!(
        "pumping, {what}, seed {seed}: {attack_out} of {attack} sends of the attack go out ({:.2} %); outside, \
         {} asked and {} refused of {} users ({:.3} %); inside, {} asked and {} refused of {} until two hours after, \
         then {} and {} of {}; {} turns",
        percent(*attack_out, *attack),
        outside.asked,
        outside.refused,
        outside.all,
        hindered(outside),
        inside.asked,
        inside.refused,
        inside.all,
        inside_later.asked,
        inside_later.refused,
        inside_later.all,
        turns.len(),
    );
}

#[test]
fn the_attack_is_held_back_and_users_are_not() {
    for seed in SEEDS {
        let figures = week(Scenario { seed, attacked: 5, guarded: true });
        print("five prefixes", seed, &figures);
        assert_eq!(
            (figures.attack, figures.outside.all + figures.inside.all + figures.inside_later.all),
            (10_000, 14_000)
        );
        assert!(percent(figures.attack_out, figures.attack) <= 12.0, "{figures:?}");
        assert!(hindered(&figures.outside) <= 0.5, "{figures:?}");
        assert_eq!(figures.inside.refused, 0, "never worse than a bot check: {figures:?}");
        assert_eq!((figures.inside_later.asked, figures.inside_later.refused), (0, 0), "{figures:?}");
        assert!(figures.inside_later.all > 50, "{figures:?}");
        assert_eq!(figures.left, 0, "what is over vanishes");
    }
}

#[test]
fn an_attack_over_fifty_prefixes() {
    for seed in SEEDS {
        let figures = week(Scenario { seed, attacked: 50, guarded: true });
        print("fifty prefixes", seed, &figures);
        // The guard of the country closes before those of the prefixes do, so users elsewhere are asked for a bot
        // check as well: what is promised of them for five prefixes does not hold here. This does:
        assert!(percent(figures.attack_out, figures.attack) <= 12.0, "{figures:?}");
        assert_eq!((figures.outside.refused, figures.inside.refused), (0, 0), "{figures:?}");
        assert_eq!((figures.inside_later.asked, figures.inside_later.refused), (0, 0), "{figures:?}");
        assert_eq!(figures.left, 0, "what is over vanishes");
    }
}

#[test]
fn without_the_guard_the_attack_gets_through() {
    let figures = week(Scenario { seed: 1, attacked: 5, guarded: false });
    print("no guard", 1, &figures);
    assert!(percent(figures.attack_out, figures.attack) > 12.0, "{figures:?}");
    assert_eq!(figures.turns.iter().filter(|(_, level)| *level != Level::Open).count(), 0);
}

/// Somebody asks at that minute; whether the code goes out, and the level if it turned.
fn ask(guard: &mut Document<Counter>, minute: i64) -> (bool, Option<Level>) {
    let [policy, _] = policies();
    let spend = Spend { budgets: Vec::new(), guard: Some(Guard { policy, has_bot_check: true }) };
    match guard.apply(Operation::Spend(spend), at(minute)) {
        Outcome::Spent { turned } => (true, turned),
        Outcome::Held { turned, .. } => (false, turned),
        outcome => panic!("{outcome:?}"),
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_secs(1_795_132_800 + 60 * minute)
}

#[test]
fn one_code_that_comes_back_does_not_open_the_gate_to_a_slow_attack() {
    let mut guard = Document::<Counter>::empty();
    // Thirty an hour, long enough for the sends before the guard closed to be forgotten.
    let mut out = 0;
    for minute in (0..180).step_by(2) {
        out += u32::from(ask(&mut guard, minute).0);
    }
    assert!(out <= 20, "{out}");
    // From then on what is measured is now and then a user's: every other one.
    let (mut out, mut opened) = (0, false);
    for minute in (180..600).step_by(2) {
        let (passes, turned) = ask(&mut guard, minute);
        opened |= turned == Some(Level::Open);
        out += u32::from(passes);
        if passes && out == 1 {
            guard.apply(Operation::Redeemed { sent_at: at(minute) }, at(minute + 1));
        }
    }
    assert!(!opened && out <= 30, "opened: {opened}, {out} of 210 out");
}

#[test]
fn users_who_redeem_open_it_again_within_two_hours() {
    // An hour of attack, then users at three paces, who are 85 % each time, with other ones who do not redeem.
    for (pace, unlucky) in [2, 3, 4].into_iter().flat_map(|pace| (0..20).map(move |unlucky| (pace, unlucky)))
    {
        let mut guard = Document::<Counter>::empty();
        let turns: Vec<Level> = (0..300).filter_map(|nth| ask(&mut guard, nth / 5).1).collect();
        assert_eq!(turns, [Level::Stop]);
        let (mut level, mut passed) = (Level::Stop, unlucky);
        for minute in (60..180).step_by(pace) {
            let (passes, turned) = ask(&mut guard, minute);
            level = turned.unwrap_or(level);
            passed += u32::from(passes);
            if passes && passed * 17 % 20 < 17 {
                guard.apply(Operation::Redeemed { sent_at: at(minute) }, at(minute + 1));
            }
        }
        assert_eq!(level, Level::Open, "a user every {pace} minutes, {unlucky}");
    }
}
