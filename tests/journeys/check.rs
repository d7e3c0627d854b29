//! Number check 本机号码校验: as a login and as an answer.

use serde_json::{Value, json};

use super::login::claims;
use crate::world::{Answer, World, client::device, provider::Script};

const MINE: &str = "13800138000";
const OTHER: &str = "13900139000";
const PROVIDERS: [&str; 3] = ["cmcc", "aliyun", "flash_v2"];

fn login(world: &World, provider: &str, phone: &str, token: &str) -> Answer {
    let body = json!({"mode": "check", "phone": phone, "device": device(),
        "credential": {"provider": provider, "token": token}});
    world.post("/v1/one-tap/login", &body).send()
}

fn check_body(provider: &str, phone: &str, token: &str) -> Value {
    json!({"credential": {"provider": provider, "token": token}, "phone": phone, "platform": "android"})
}

#[test]
fn who_types_the_number_of_the_sim_is_in() {
    for provider in PROVIDERS {
        let world = World::new();
        let one_tap = world.login(MINE).signed_in();
        for typed in [MINE, "+8613800138000"] {
            let answer = login(&world, provider, typed, &world.providers.token(MINE)).signed_in();
            assert_eq!(answer.text("/account/id"), one_tap.text("/account/id"), "{provider}");
            assert_eq!(claims(answer.text("/session/accessToken"))["amr"], json!(["number_check"]));
        }
    }
}

#[test]
fn who_types_another_number_is_not() {
    for provider in PROVIDERS {
        let world = World::new();
        let token = world.providers.token(MINE);
        login(&world, provider, OTHER, &token).falls_back(422, "one_tap_rejected");
        // Nor is the token good for a second guess.
        login(&world, provider, MINE, &token).falls_back(422, "one_tap_rejected");
        assert_eq!(world.providers.times_seen(&token), 1, "{provider}");
        assert!(world.back_office().accounts.is_empty());
    }
}

#[test]
fn a_number_that_the_provider_cannot_compare_costs_no_token() {
    for provider in PROVIDERS {
        let world = World::new();
        let token = world.providers.token(MINE);
        let answer = login(&world, provider, "+14155550100", &token);
        answer.is_problem(400, "invalid_phone");
        assert_eq!(answer.body["fields"][0]["name"], "phone", "{provider}");
        assert_eq!(world.providers.times_seen(&token), 0);
        login(&world, provider, MINE, &token).signed_in();
    }
}

#[test]
fn a_check_login_needs_the_number() {
    let world = World::new();
    let token = world.providers.token(MINE);
    let body =
        json!({"mode": "check", "credential": {"provider": "cmcc", "token": token}, "device": device()});
    let answer = world.post("/v1/one-tap/login", &body).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"], json!([{"name": "phone", "problem": "is missing"}]));
    login(&world, "cmcc", "12345678901", &token).is_problem(400, "invalid_phone");
    assert_eq!(world.providers.times_seen(&token), 0);
}

#[test]
fn a_check_answers_match_or_not_and_signs_nobody_in() {
    for provider in PROVIDERS {
        let world = World::new();
        for (typed, matches) in [(MINE, true), (OTHER, false)] {
            let body = check_body(provider, typed, &world.providers.token(MINE));
            let answer = world.post("/v1/one-tap/check", &body).send();
            assert_eq!((answer.status, answer.body), (200, json!({"match": matches})), "{provider}");
        }
        world.run_alarms();
        assert!(world.back_office().accounts.is_empty());
    }
}

#[test]
fn a_token_checks_one_number_once() {
    let world = World::new();
    let token = world.providers.token(MINE);
    let check = |phone| world.post("/v1/one-tap/check", &check_body("aliyun", phone, &token)).send();
    assert_eq!(check(OTHER).body, json!({"match": false}));
    check(MINE).falls_back(422, "one_tap_rejected");
    assert_eq!(world.providers.times_seen(&token), 1);
}

#[test]
fn a_provider_that_cannot_tell_is_unavailable() {
    let world = World::new();
    let unknown = json!({"Code": "OK", "GateVerifyResultDTO": {"VerifyResult": "UNKNOWN"}});
    let token = world.providers.token_that(Script::Says(200, unknown.to_string()));
    let answer = world.post("/v1/one-tap/check", &check_body("aliyun", MINE, &token)).send();
    answer.falls_back(503, "one_tap_unavailable");
}

#[test]
fn a_provider_without_number_check_is_named_as_the_problem() {
    let world = World::new();
    let body = json!({"credential": {"provider": "mobtech", "token": "t"}, "phone": MINE, "platform": "ios"});
    let answer = world.post("/v1/one-tap/check", &body).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"][0]["name"], "credential.provider");
}
