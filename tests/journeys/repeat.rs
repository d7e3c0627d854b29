//! ONE-4: a token is spent once, and a client that lost our answer repeats its request.

use std::{pin::pin, time::Duration};

use onetap::model::counter::{CLAIM_KEPT, REPLY_KEPT};
use serde_json::json;

use crate::world::{
    Answer, Broken, Port, World,
    client::{device, login_body, poll_once},
    objects::Kind,
    provider::Script,
};

const PHONE: &str = "13800138000";
const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const OTHER_KEY: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const SECOND: Duration = Duration::from_secs(1);

fn once(world: &World, token: &str) {
    assert_eq!(world.providers.times_seen(token), 1);
}

#[test]
fn a_repeat_gets_the_same_session() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let login = || world.log_in_with(&token).key(KEY).send().signed_in();
    let first = login();
    world.pass(REPLY_KEPT);
    let second = login();
    // Tokens, device token and isNew included.
    assert_eq!(first.body, second.body);
    assert_eq!((first.logged, second.logged), ("ok", "ok"));
    assert_eq!(second.headers["content-type"], "application/json");
    once(&world, &token);
    let account = &world.objects.states(Kind::Account)[first.text("/account/id")]["state"];
    assert_eq!(account["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_repeat_of_what_was_refused_is_refused_alike() {
    let world = World::new();
    let token = world.providers.token_that(Script::Says(503, "busy".to_owned()));
    let first = world.log_in_with(&token).key(KEY).send();
    first.falls_back(503, "one_tap_unavailable");
    let second = world.log_in_with(&token).key(KEY).send();
    assert_eq!((second.status, second.body), (first.status, first.body));
    assert_eq!(second.headers["content-type"], "application/problem+json");
    once(&world, &token);
}

#[test]
fn the_order_of_fields_makes_no_other_request() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let first = world.log_in_with(&token).key(KEY).send().signed_in();
    let device = device().to_string();
    let body = format!(r#" {{"device": {device}, "credential": {{"token":"{token}","provider":"cmcc"}}}}"#);
    let mut ask = world.log_in_with(&token).key(KEY);
    ask.set_body(body.as_bytes());
    assert_eq!(ask.send().signed_in().body, first.body);
}

#[test]
fn the_same_key_with_another_body_is_a_conflict() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    world.log_in_with(&token).key(KEY).send().signed_in();
    for (field, value) in
        [("app", json!("shop")), ("consent", json!({"version": "2"})), ("phone", json!(PHONE))]
    {
        let mut body = login_body("cmcc", &token);
        body[field] = value;
        let answer = world.post("/v1/one-tap/login", &body).key(KEY).send();
        answer.is_problem(422, "idempotency_conflict");
    }
    once(&world, &token);
}

#[test]
fn without_the_key_a_used_token_is_rejected() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    world.log_in_with(&token).key(KEY).send().signed_in();
    world.log_in_with(&token).send().falls_back(422, "one_tap_rejected");
    world.log_in_with(&token).key(OTHER_KEY).send().falls_back(422, "one_tap_rejected");
    once(&world, &token);

    let token = world.providers.token(PHONE);
    world.log_in_with(&token).send().signed_in();
    world.log_in_with(&token).send().falls_back(422, "one_tap_rejected");
    world.log_in_with(&token).key(KEY).send().falls_back(422, "one_tap_rejected");
    once(&world, &token);
}

#[test]
fn a_token_spent_in_one_place_is_spent_in_all() {
    let world = World::new();
    let key = world.api_key("shop", &["one_tap:exchange"]);
    let token = world.providers.token(PHONE);
    let credential = json!({"provider": "cmcc", "token": token});
    world.log_in_with(&token).key(KEY).send().signed_in();
    let check = json!({"credential": credential, "phone": PHONE, "platform": "ios"});
    world.post("/v1/one-tap/check", &check).send().falls_back(422, "one_tap_rejected");
    let exchange = json!({"credential": credential, "platform": "ios"});
    let exchange = world.post("/v1/one-tap/exchange", &exchange).bearer(&key).send();
    exchange.falls_back(422, "one_tap_rejected");
    once(&world, &token);
}

#[test]
fn the_reply_is_kept_for_two_minutes_and_the_claim_for_an_hour() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let repeat = || world.log_in_with(&token).key(KEY).send();
    repeat().signed_in();
    world.pass(REPLY_KEPT + Duration::from_millis(1));
    repeat().falls_back(422, "one_tap_rejected");
    world.settle_within(CLAIM_KEPT - REPLY_KEPT - SECOND);
    repeat().falls_back(422, "one_tap_rejected");
    once(&world, &token);
    // Then nothing remembers it but the carrier.
    world.settle_within(CLAIM_KEPT);
    assert!(world.objects.states(Kind::Counter).is_empty());
}

#[test]
fn a_repeat_while_the_first_is_running_is_asked_to_come_back() {
    let world = World::new();
    let token = world.providers.token_that(Script::Held(PHONE.to_owned()));
    let mut first = pin!(world.log_in_with(&token).key(KEY).run());
    assert!(poll_once(first.as_mut()).is_none());

    let repeat = world.log_in_with(&token).key(KEY).send();
    repeat.is_problem(503, "try_again");
    assert_eq!((&repeat.body["retryAfter"], &repeat.body.get("fallback")), (&json!(1), &None));
    assert_eq!(repeat.headers["retry-after"], "1");

    world.providers.release();
    let first: Answer = poll_once(first.as_mut()).unwrap().signed_in();
    let repeat = world.log_in_with(&token).key(KEY).send().signed_in();
    assert_eq!(first.body, repeat.body);
    once(&world, &token);
}

#[test]
fn when_the_first_is_lost_the_token_is_spent_and_the_code_by_sms_remains() {
    let world = World::new();
    // The service dies while it asks the provider.
    let token = world.providers.token(PHONE);
    world.faults.break_call(Port::Http, 0, Broken::DiesAfter);
    assert!(world.log_in_with(&token).key(KEY).try_send().is_none());
    world.log_in_with(&token).key(KEY).send().is_problem(503, "try_again");
    world.pass(SECOND * 10);
    world.log_in_with(&token).key(KEY).send().falls_back(503, "one_tap_unavailable");
    once(&world, &token);

    // The service dies after its answer, before the reply was kept.
    let token = world.providers.token(PHONE);
    world.log_in_with(&token).key(OTHER_KEY).send_and_die().signed_in();
    world.pass(SECOND * 11);
    world.log_in_with(&token).key(OTHER_KEY).send().falls_back(503, "one_tap_unavailable");
    once(&world, &token);
}

#[test]
fn a_key_that_can_be_guessed_is_refused_before_anything_is_spent() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    for weak in ["", "1", "order-20261120-0001", "00000000000000000000000000000000", &"a1".repeat(40)] {
        let answer = world.log_in_with(&token).key(weak).send();
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], "Idempotency-Key", "{weak}");
    }
    assert_eq!(world.providers.times_seen(&token), 0);
    world.log_in_with(&token).key(KEY).send().signed_in();
}

#[test]
fn a_request_that_does_not_parse_leaves_the_token_unspent() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let mut body = login_body("cmcc", &token);
    body["devise"] = body["device"].take();
    let answer = world.post("/v1/one-tap/login", &body).key(KEY).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(world.providers.times_seen(&token), 0);
    world.log_in_with(&token).key(KEY).send().signed_in();
}
