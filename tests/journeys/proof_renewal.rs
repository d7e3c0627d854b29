//! REC-8: who comes back on a known device proves the number in passing, and is never asked.

use std::time::Duration;

use onetap::kernel::http::HttpFailure;
use serde_json::{Value, json};

use crate::world::{
    Answer, START, World,
    client::{device_with, login_body},
    provider::Script,
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
const DAY: Duration = Duration::from_secs(86_400);

fn refresh(world: &World, token: &str, number_proof: &Value) -> Answer {
    world.post("/v1/session/refresh", &json!({"refreshToken": token, "numberProof": number_proof})).send()
}

fn check(world: &World, sim: &str, phone: &str) -> Value {
    json!({"type": "check", "credential": {"provider": "cmcc", "token": world.providers.token(sim)}, "phone": phone})
}

/// When the number was last proven, by its handle.
fn last_proof(world: &World) -> i64 {
    let dump = world.dump();
    let mut handles = dump.iter().filter_map(|(_, stored)| serde_json::from_str::<Value>(stored).ok());
    handles.find_map(|handle| handle.pointer("/state/holder/last_proof/at")?.as_i64()).unwrap()
}

/// Somebody who was here on so many days.
fn regular(world: &World, days: u32) -> Answer {
    let first = world.login(PHONE).signed_in();
    let mut login = first.clone();
    for _ in 1..days {
        world.pass(DAY);
        let mut body = login_body("cmcc", &world.providers.token(PHONE));
        body["device"] = device_with(first.text("/device/token"));
        login = world.post("/v1/one-tap/login", &body).send().signed_in();
    }
    world.run_alarms();
    login
}

#[test]
fn a_known_device_renews_the_date_of_the_last_proof() {
    let world = World::new();
    let login = regular(&world, 7);
    let before = last_proof(&world);
    assert_eq!(before, START.plus(DAY * 6).millis());
    world.pass(DAY * 20);
    let answer = refresh(&world, login.text("/session/refreshToken"), &check(&world, PHONE, PHONE));
    assert_eq!((answer.status, &answer.body["numberProven"]), (200, &json!(true)), "{}", answer.body);
    assert_eq!(last_proof(&world), START.plus(DAY * 26).millis());
    // One-tap does as well.
    world.pass(DAY);
    let one_tap =
        json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": world.providers.token(PHONE)}});
    let answer = refresh(&world, answer.text("/session/refreshToken"), &one_tap);
    assert_eq!(answer.body["numberProven"], true);
    assert_eq!(last_proof(&world), START.plus(DAY * 27).millis());
}

#[test]
fn whatever_becomes_of_the_proof_the_session_goes_on() {
    let world = World::new();
    let login = regular(&world, 7);
    let before = last_proof(&world);
    world.pass(DAY);
    let mut token = login.text("/session/refreshToken").to_owned();
    let used = check(&world, PHONE, PHONE);
    let down = json!({"type": "check", "phone": PHONE, "credential":
        {"provider": "cmcc", "token": world.providers.token_that(Script::Fails(HttpFailure::TimedOut))}});
    let unknown =
        json!({"type": "check", "phone": PHONE, "credential": {"provider": "nobody", "token": "x"}});
    let mut step = |proof: &Value, proven: bool| {
        let answer = refresh(&world, &token, proof);
        assert_eq!((answer.status, &answer.body["numberProven"]), (200, &json!(proven)), "{}", answer.body);
        token = answer.text("/session/refreshToken").to_owned();
    };
    // The SIM has another number; it has that number, but not the account; nobody answers; nobody is asked.
    for proof in [check(&world, OTHER, PHONE), check(&world, OTHER, OTHER), down, unknown] {
        step(&proof, false);
        assert_eq!(last_proof(&world), before);
    }
    step(&used, true);
    step(&used, false);
}

#[test]
fn a_new_device_renews_nothing_and_nothing_is_asked() {
    let world = World::new();
    let login = regular(&world, 6);
    let proof = check(&world, PHONE, PHONE);
    let answer = refresh(&world, login.text("/session/refreshToken"), &proof);
    assert_eq!((answer.status, &answer.body["numberProven"]), (200, &json!(false)));
    let token = proof["credential"]["token"].as_str().unwrap();
    assert_eq!(world.providers.times_seen(token), 0, "carriers charge for answers");
    for wrong in
        [json!({"type": "otp", "challengeId": "x", "code": "123456"}), json!({"type": "check"}), json!("x")]
    {
        refresh(&world, login.text("/session/refreshToken"), &wrong).is_problem(400, "invalid_request");
    }
    refresh(&world, "ort_forged", &proof).is_problem(401, "session_revoked");
    assert_eq!(world.providers.times_seen(token), 0);
}
