//! Many at once, on real threads: one winner, five guesses, one message.

use std::{sync::Barrier, thread};

use super::{PHONE, not, send};
use crate::world::{Answer, World, objects::Kind};

fn at_once(many: usize, act: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(many);
    let run = |nth: usize| {
        start.wait();
        act(nth)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..many).map(|nth| scope.spawn(move || run(nth))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn two_hundred_verifies_of_the_right_code_are_one_login() {
    for _ in 0..5 {
        let world = World::new();
        let (challenge, code) = send(&world, PHONE);
        let answers = at_once(200, |_| world.otp_login(&challenge, &code).send());
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(good.len(), 1);
        bad.iter().for_each(|answer| answer.is_problem(401, "otp_incorrect"));
    }
}

#[test]
fn a_thousand_guesses_are_five() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    let guess = |nth: usize| format!("{:06}", (code.parse::<usize>().unwrap() + 1 + nth) % 1_000_000);
    // Four hundred threads at a time are as many as a small machine likes.
    for round in 0..5 {
        let answers = at_once(200, |nth| world.otp_login(&challenge, &guess(200 * round + nth)).send());
        answers.iter().for_each(|answer| answer.is_problem(401, "otp_incorrect"));
    }
    let handles = world.objects.states(Kind::Handle);
    let lane = &handles.values().next().unwrap()["state"]["otp"]["strangers"];
    assert_eq!(lane["failures"], 5);
    assert_eq!(lane["newest"]["tries"].as_array().unwrap().len(), 5);
    world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    assert_ne!(not(&code), code);
}

#[test]
fn a_hundred_sends_to_one_number_are_one_message() {
    let world = World::new();
    let answers = at_once(100, |nth| world.send_otp(PHONE).from(&format!("198.51.{nth}.1")).send());
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert_eq!(world.phones.texts(PHONE).len(), 1);
}

#[test]
fn a_hundred_numbers_from_one_address_are_the_addresses_cap() {
    let world = World::new();
    let answers = at_once(100, |nth| world.send_otp(&format!("138{nth:08}")).send());
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 20);
    assert_eq!(world.phones.all().len(), 20);
}
