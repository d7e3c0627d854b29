//! One-tap failed: the code by SMS is on its way with the answer.

use std::time::Duration;

use onetap::{kernel::http::HttpFailure, ports::Clock};
use serde_json::{Value, json};

use super::PHONE;
use crate::world::{
    Broken, Port, World,
    client::{device, login_body},
    provider::Script,
    sms::{HUMAN, Mood},
};

const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";

fn body(world: &World, script: Script) -> Value {
    let mut body = login_body("cmcc", &world.providers.token_that(script));
    body["phone"] = json!(PHONE);
    body["otpFallback"] = json!(true);
    body
}

#[test]
fn the_challenge_in_the_failure_leads_to_a_login() {
    for (script, status, code) in [
        (Script::Fails(HttpFailure::TimedOut), 503, "one_tap_unavailable"),
        (Script::Says(200, json!({"resultCode": "104201"}).to_string()), 422, "one_tap_rejected"),
    ] {
        let world = World::new();
        let failed = world.post("/v1/one-tap/login", &body(&world, script)).key(KEY).send();
        failed.falls_back(status, code);
        let challenge = &failed.body["challenge"];
        assert_eq!(
            (&challenge["expiresIn"], &challenge["resendIn"], &challenge["codeLength"]),
            (&json!(300), &json!(60), &json!(6))
        );
        let login = world.otp_login(failed.text("/challenge/challengeId"), &world.phones.code(PHONE)).send();
        assert_eq!(login.signed_in().body["account"]["isNew"], true);
    }
}

#[test]
fn a_repeat_gets_the_same_challenge_and_no_second_message() {
    let world = World::new();
    let body = body(&world, Script::Fails(HttpFailure::TimedOut));
    let first = world.post("/v1/one-tap/login", &body).key(KEY).send();
    let again = world.post("/v1/one-tap/login", &body).key(KEY).send();
    assert_eq!(again.body, first.body);
    assert_eq!(world.phones.texts(PHONE).len(), 1);
    // Also when the first reply was not kept.
    let world = World::new();
    let body = self::body(&world, Script::Fails(HttpFailure::TimedOut));
    world.faults.break_call(Port::Counter, 5, Broken::Before);
    world.post("/v1/one-tap/login", &body).key(KEY).send();
    world.pass(Duration::from_secs(11));
    world.post("/v1/one-tap/login", &body).key(KEY).send();
    assert_eq!(world.phones.texts(PHONE).len(), 1);
}

#[test]
fn reported_failures_of_the_sdk_get_it_too() {
    let world = World::new();
    let report = json!({"sdkCode": "200023", "network": "wifi", "phone": PHONE, "otpFallback": true, "device": device()});
    let failed = world.post("/v1/one-tap/failures", &report).send();
    failed.falls_back(422, "one_tap_rejected");
    world.otp_login(failed.text("/challenge/challengeId"), &world.phones.code(PHONE)).send().signed_in();
}

#[test]
fn only_who_asks_gets_one_and_only_if_it_helps() {
    let world = World::new();
    // Not asked for.
    let mut quiet = body(&world, Script::Fails(HttpFailure::TimedOut));
    quiet["otpFallback"] = json!(false);
    assert_eq!(world.post("/v1/one-tap/login", &quiet).send().body.get("challenge"), None);
    // Asked for without a number.
    let mut nameless = body(&world, Script::Fails(HttpFailure::TimedOut));
    nameless.as_object_mut().unwrap().remove("phone");
    let answer = world.post("/v1/one-tap/login", &nameless).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"][0]["name"], "phone");
    // The client's mistake, or a success.
    let mut wrong = body(&world, Script::Vouches(PHONE.to_owned()));
    wrong["credential"]["provider"] = json!("nobody");
    world.post("/v1/one-tap/login", &wrong).send().is_problem(400, "invalid_request");
    world.post("/v1/one-tap/login", &body(&world, Script::Vouches(PHONE.to_owned()))).send().signed_in();
    assert_eq!(world.phones.all(), []);
}

const CMCC: &str = "www.cmpassport.com";

fn slow(world: &World, host: &'static str, millis: u64) {
    world.slow.lock().unwrap().insert(host, Duration::from_millis(millis));
}

#[test]
fn three_seconds_are_three_seconds_whoever_is_slow() {
    let world = World::new();
    for (host, millis) in [(CMCC, 60_000), ("challenges.cloudflare.com", 60_000), ("smssh1.253.com", 60_000)]
    {
        slow(&world, host, millis);
        let mut body = body(&world, Script::Vouches(PHONE.to_owned()));
        body["device"]["platform"] = json!("web");
        body["captchaToken"] = json!(HUMAN);
        let started = world.now();
        world.post("/v1/one-tap/login", &body).send().falls_back(503, "one_tap_unavailable");
        let took = world.now().since(started);
        assert!(took <= Duration::from_secs(3), "{host}: {took:?}");
    }
}

#[test]
fn a_vendor_that_was_given_too_little_time_is_not_to_blame() {
    let world = World::new();
    slow(&world, CMCC, 60_000);
    slow(&world, "smssh1.253.com", 1500);
    for nth in 0..60 {
        let mut body = body(&world, Script::Vouches(PHONE.to_owned()));
        body["phone"] = json!(format!("1380013{nth:04}"));
        let failed = world.post("/v1/one-tap/login", &body).from(&format!("198.51.{nth}.7")).send();
        failed.falls_back(503, "one_tap_unavailable");
        world.pass(Duration::from_secs(10));
    }
    // It is asked first, as ever.
    world.send_otp("13900139000").send().challenge();
    assert_eq!(world.phones.all().last().unwrap().provider, "chuanglan_sms");
    assert_eq!(world.phones.asked("twilio"), 0);
    // And somebody who orders codes this way is watched.
    assert_eq!(world.guard_turns().len(), 1);
}

#[test]
fn a_message_that_cannot_be_sent_changes_nothing_about_the_failure() {
    let world = World::new();
    for provider in ["chuanglan_sms", "twilio"] {
        world.phones.set_mood(provider, Some(Mood::Refuses));
    }
    let failed = world.post("/v1/one-tap/login", &body(&world, Script::Fails(HttpFailure::Broken))).send();
    failed.falls_back(503, "one_tap_unavailable");
    assert_eq!(failed.body.get("challenge"), None);
}
