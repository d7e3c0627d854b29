//! *Mine*: what must be proven, and how often it may be tried.

use serde_json::json;

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, by_password, claim, device_token, ming, on,
    set_password, step, used,
};
use crate::world::{World, client::DEVICE_NAME};

#[test]
fn he_proves_it_with_his_password_and_is_not_asked_again() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    let mine = claim(&world, &held, "mine");
    assert_eq!(mine.body["status"], "step_up_required", "{}", mine.body);
    by_password(&world, &held, "wrong").is_problem(403, "proof_failed");
    let back = by_password(&world, &held, PASSWORD).signed_in();
    assert_eq!(account(&back), account(&ming));
    // Who has proven it is his cannot say otherwise any more.
    claim(&world, &held, "not_mine").is_problem(400, "invalid_request");
    world.settle_within(MINUTE);
    let again = world.login(NUMBER).signed_in();
    assert_eq!(account(&again), account(&ming), "the number was proven just now");
}

#[test]
fn five_tries_from_one_network_and_twenty_from_all_are_the_month() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN);
    let held = |world: &World| asked(world);
    let wrong = |from: &str| {
        let held = held(&world);
        let mut body = json!({"method": "password", "password": "wrong", "ticket": held.text("/ticket")});
        body["device"] = json!({"token": held.text("/device/token"), "name": DEVICE_NAME, "platform": "ios"});
        let _ = from;
        world.post("/v1/step-up/complete", &body).send()
    };
    for _ in 0..5 {
        wrong("192.0.2.1").is_problem(403, "proof_failed");
    }
    let over = wrong("192.0.2.1");
    over.is_problem(403, "proofs_exhausted");
    assert_eq!(over.body["fallback"], json!(["appeal"]));
    // Nor does the right one help then; a month later it does.
    let late = held(&world);
    by_password(&world, &late, PASSWORD).is_problem(403, "proofs_exhausted");
    world.pass(DAY * 30);
    by_password(&world, &held(&world), PASSWORD).signed_in();
}

#[test]
fn what_a_stranger_uses_up_does_not_close_the_owners_own_phone() {
    let world = World::new();
    let first = ming(&world);
    let token = device_token(&first).to_owned();
    used(&world, &first, 7);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    for _ in 0..6 {
        by_password(&world, &held, "wrong");
    }
    by_password(&world, &held, PASSWORD).is_problem(403, "proofs_exhausted");
    let back = on(&world, &token).signed_in();
    assert_eq!(account(&back), account(&first));
}

#[test]
fn the_password_that_counts_is_the_one_of_now() {
    let world = World::new();
    let first = ming(&world);
    set_password(&world, &first, "vlimp oster gandel");
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    by_password(&world, &held, PASSWORD).is_problem(403, "proof_failed");
    by_password(&world, &held, "vlimp oster gandel").signed_in();
}

#[test]
fn nothing_is_proven_by_what_was_not_offered() {
    let world = World::new();
    world.login(NUMBER).signed_in();
    world.settle_within(MINUTE);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    assert_eq!(held.body["methods"], json!([]));
    by_password(&world, &held, PASSWORD).is_problem(403, "proof_failed");
    step(&world, &held, "start", json!({"method": "email_code"})).is_problem(404, "not_found");
    step(&world, &held, "claim", json!({"choice": "perhaps"})).is_problem(400, "invalid_request");
}
