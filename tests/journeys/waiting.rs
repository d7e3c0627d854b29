//! Sign-ins that wait for a trusted device: how long, how often, and what their repeats find.

use onetap::ports::Clock;
use serde_json::{Value, json};

use super::login_protection::{PHONE, answer, asked, at, pending, protected, waits};
use crate::world::World;

#[test]
fn waiting_for_the_answer_takes_one_request() {
    let world = World::new();
    let owner = protected(&world);
    let (ticket, _, _) = asked(&world, &owner);
    let wait = |seconds: Value| {
        let body = json!({"ticket": ticket.text("/ticket"), "device": {"token": ticket.text("/device/token")}, "wait": seconds});
        world.post("/v1/step-up/state", &body).send()
    };
    let before = world.now();
    waits(wait(json!(20)));
    assert_eq!(world.now().since(before).as_secs(), 20);
    waits(wait(json!(true)));
    assert_eq!(world.now().since(before).as_secs(), 45);
    wait(json!(26)).is_problem(400, "invalid_request");
    wait(json!("long")).is_problem(400, "invalid_request");
}

#[test]
fn people_are_not_asked_again_and_again() {
    let world = World::new();
    let owner = protected(&world);
    let digits: Vec<String> = (0..10).map(|_| asked(&world, &owner).1).collect();
    let ticket = waits(world.login(PHONE));
    let refused = at(&world, "start", &ticket);
    refused.is_problem(429, "rate_limited");
    assert_eq!(refused.body["retryAfter"], 3601);
    // Those that were asked stay; who only has the number pushes out none of them.
    assert_eq!(pending(&world, &owner).len(), 9);
    // A yes wears nobody down, and makes room for another.
    let first = pending(&world, &owner)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        answer(&world, &owner, &first, &json!({"decision": "approve", "match": digits[1]})).status,
        204
    );
    waits(at(&world, "start", &ticket));
}

#[test]
fn repeats_of_a_login_that_waits_find_the_same_ticket() {
    let world = World::new();
    protected(&world);
    let key = "0123456789abcdef0123456789abcdef";
    let one_tap = world.providers.token(PHONE);
    let first = waits(world.log_in_with(&one_tap).key(key).send());
    let second = waits(world.log_in_with(&one_tap).key(key).send());
    assert_eq!(first.body, second.body);
    let challenge = world.send_otp(PHONE).send().challenge();
    let code = world.phones.code(PHONE);
    let first = waits(world.otp_login(&challenge, &code).key(key).send());
    let second = waits(world.otp_login(&challenge, &code).key(key).send());
    assert_eq!(
        (first.text("/ticket"), first.text("/device/token")),
        (second.text("/ticket"), second.text("/device/token"))
    );
}
