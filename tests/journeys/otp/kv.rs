//! The store of records shows what it has when it likes: the right code signs in, and nothing is used twice.

use std::{sync::atomic::Ordering, time::Duration};

use super::{PHONE, not, send};
use crate::world::{Broken, Port, World};

#[test]
fn a_record_that_is_not_visible_yet_is_bridged() {
    let world = World::new();
    world.shows_challenges.store(false, Ordering::SeqCst);
    let (challenge, code) = send(&world, PHONE);
    world.pass(Duration::from_secs(89));
    world.otp_login(&challenge, not(&code)).send().is_problem(401, "otp_incorrect");
    world.otp_login(&challenge, &code).send().signed_in();
    world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    // Visible now, and used all the same.
    world.shows_challenges.store(true, Ordering::SeqCst);
    world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
}

#[test]
fn after_the_bridge_the_record_decides() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    world.pass(Duration::from_secs(91));
    world.shows_challenges.store(false, Ordering::SeqCst);
    // Nothing to compare with: refused like any other, and not counted.
    for _ in 0..20 {
        world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    }
    world.shows_challenges.store(true, Ordering::SeqCst);
    world.otp_login(&challenge, &code).send().signed_in();
}

#[test]
fn a_record_that_was_never_written_is_bridged_to_the_end() {
    for way in [Broken::Before, Broken::AnswerLost] {
        let world = World::new();
        world.faults.break_all(Port::ChallengeWrite, way);
        let (challenge, code) = send(&world, PHONE);
        world.pass(Duration::from_secs(299));
        world.otp_login(&challenge, &code).send().signed_in();
        world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    }
}

#[test]
fn a_store_out_of_reach_locks_nobody_out_and_counts_nothing() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    world.faults.break_all(Port::ChallengeRead, Broken::Before);
    world.otp_login(&challenge, not(&code)).send().is_problem(401, "otp_incorrect");
    world.otp_login(&challenge, &code).send().signed_in();

    world.faults.mend();
    world.pass(Duration::from_secs(60));
    let (challenge, code) = send(&world, PHONE);
    world.faults.break_all(Port::ChallengeRead, Broken::Before);
    world.pass(Duration::from_secs(91));
    // Whether the code is wrong is not known, so nobody is told that it is.
    for _ in 0..20 {
        world.otp_login(&challenge, &code).send().is_problem(500, "internal");
    }
    world.faults.mend();
    world.otp_login(&challenge, &code).send().signed_in();
}

#[test]
fn records_are_written_once_and_left_alone() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    let written = world.challenges();
    assert_eq!(written.len(), 1);
    world.otp_login(&challenge, not(&code)).send();
    world.otp_login(&challenge, &code).send().signed_in();
    assert_eq!(world.challenges(), written);
}

#[test]
fn a_device_record_that_cannot_be_read_makes_a_stranger_not_an_error() {
    let world = World::new();
    let device_token = world.login(PHONE).signed_in().text("/device/token").to_owned();
    world.run_alarms();
    world.faults.break_all(Port::DeviceRead, Broken::Before);
    let body =
        serde_json::json!({"phone": PHONE, "device": crate::world::client::device_with(&device_token)});
    world.post("/v1/otp/send", &body).send().challenge();
}
