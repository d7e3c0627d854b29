//! *Mine*: what must be proven, and how often it may be tried.

use serde_json::json;

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, by_password, claim, device_token, ming, on,
    set_password, step, used,
};
use crate::world::{Answer, World, client::device};

/// Whoever has the number signs in there, and is asked whose account it is.
fn asked_from(world: &World, address: &str) -> Answer {
    let credential = json!({"provider": "cmcc", "token": world.providers.token(NUMBER)});
    let body = json!({"credential": credential, "device": device()});
    let asked = world.post("/v1/one-tap/login", &body).from(address).send();
    assert_eq!(asked.body["reason"], "number_may_be_recycled", "{}", asked.body);
    asked
}

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
    // Who asks is the network in which the sign-in began.
    let tries = |from: &str, password: &str| {
        let held = asked_from(&world, from);
        by_password(&world, &held, password)
    };
    for network in 1..=4 {
        for _ in 0..5 {
            tries(&format!("192.0.{network}.1"), "wrong").is_problem(403, "proof_failed");
        }
        let over = tries(&format!("192.0.{network}.1"), "wrong");
        over.is_problem(403, "proofs_exhausted");
        assert_eq!(over.body["fallback"], json!(["appeal"]));
    }
    // Nor does the right one help then, from anywhere; a month later it does.
    tries("192.0.9.1", PASSWORD).is_problem(403, "proofs_exhausted");
    world.pass(DAY * 30);
    tries("192.0.9.1", PASSWORD).signed_in();
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
    assert_eq!((&held.body["methods"], &held.body["fallback"]), (&json!([]), &json!(["appeal"])));
    by_password(&world, &held, PASSWORD).is_problem(403, "proof_failed");
    step(&world, &held, "start", json!({"method": "email_code"})).is_problem(404, "not_found");
    step(&world, &held, "claim", json!({"choice": "perhaps"})).is_problem(400, "invalid_request");
}

#[test]
fn once_it_is_proven_to_be_his_nobody_else_who_was_asked_can_give_it_away() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let (his, hers) = (asked(&world), asked(&world));
    by_password(&world, &his, PASSWORD).signed_in();
    claim(&world, &hers, "not_mine").is_problem(410, "ticket_invalid");
    let again = world.login(NUMBER).signed_in();
    assert_eq!(account(&again), account(&ming));
    // And the other way round.
    let world = World::new();
    super::ming(&world);
    world.pass(SOLD_AGAIN);
    let (his, hers) = (asked(&world), asked(&world));
    claim(&world, &hers, "not_mine").signed_in();
    by_password(&world, &his, PASSWORD).is_problem(410, "ticket_invalid");
}
