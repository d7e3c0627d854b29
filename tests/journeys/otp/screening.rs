//! Bot check and risk: who is asked, and what silence means.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{OTHER, PHONE};
use crate::world::{
    World,
    client::{device, login_body},
    configuration::accounts_and,
    sms::{HUMAN, Mood},
};

fn risky(score: i64, when_down: &'static str) -> World {
    let jpush = json!({"provider": "jpush_risk", "settings": {"appKey": "7d431e42dfa6a6d693ac2d04",
        "masterSecret": "5e987ac6d2e04d95a9d8f0d1"}});
    let world = World::with(|name| match name {
        "PROVIDER_ACCOUNTS" => Some(accounts_and(std::slice::from_ref(&jpush))),
        "RISK_WHEN_DOWN" => Some(when_down.to_owned()),
        _ => None,
    });
    world.phones.risk_score.store(score, Ordering::SeqCst);
    world
}

fn web() -> Value {
    let mut device = device();
    device["platform"] = json!("web");
    device
}

#[test]
fn a_token_is_looked_at_when_there_is_one_and_nobody_else_is_asked_for_it() {
    let world = World::new();
    let send = |phone: &str, captcha: Value| {
        let body = json!({"phone": phone, "device": web(), "captchaToken": captcha});
        world.post("/v1/otp/send", &body).send()
    };
    send(PHONE, Value::Null).challenge();
    assert_eq!(world.phones.asked("turnstile"), 0);
    send(OTHER, json!("made up")).is_problem(403, "bot_check_required");
    send(OTHER, json!(HUMAN)).challenge();
    // Where there is no bot check the token means nothing.
    let native = json!({"phone": "13700137000", "device": device(), "captchaToken": "whatever"});
    world.post("/v1/otp/send", &native).send().challenge();
    // A bot check that is down keeps nobody out who did not need it.
    world.phones.set_mood("turnstile", Some(Mood::IsDown));
    send("13600136000", json!(HUMAN)).challenge();
}

#[test]
fn risk_allows_challenges_and_denies() {
    let send = |world: &World, captcha: Value| {
        let body = json!({"phone": PHONE, "device": web(), "captchaToken": captcha});
        world.post("/v1/otp/send", &body).send()
    };
    send(&risky(10, "allow"), Value::Null).challenge();
    let world = risky(700, "allow");
    send(&world, Value::Null).is_problem(403, "bot_check_required");
    send(&world, json!(HUMAN)).challenge();
    let world = risky(950, "allow");
    for captcha in [Value::Null, json!(HUMAN)] {
        send(&world, captcha).is_problem(403, "risk_denied");
    }
    assert_eq!(world.phones.all(), []);
    // Silence.
    send(&risky(-1, "allow"), Value::Null).challenge();
    send(&risky(-1, "deny"), Value::Null).is_problem(403, "risk_denied");
    // Where there is no way to show that one is a person, a challenge is a no.
    let body = json!({"phone": PHONE, "device": device()});
    risky(700, "allow").post("/v1/otp/send", &body).send().is_problem(403, "risk_denied");
}

#[test]
fn who_is_sent_for_a_bot_check_has_not_asked_yet() {
    let world = risky(700, "allow");
    for nth in 0..20 {
        let mut body = json!({"phone": format!("138{nth:08}"), "device": web()});
        let ask = |body: &Value| world.post("/v1/otp/send", body).send();
        ask(&body).is_problem(403, "bot_check_required");
        body["captchaToken"] = json!("made up");
        ask(&body).is_problem(403, "bot_check_required");
        body["captchaToken"] = json!(format!("{HUMAN}-{nth}"));
        ask(&body).challenge();
    }
    assert_eq!(world.phones.all().len(), 20);
}

#[test]
fn a_repeat_is_answered_whatever_the_risk_is_by_now() {
    const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
    let world = risky(10, "allow");
    let first = world.send_otp(PHONE).key(KEY).send().challenge();
    world.phones.risk_score.store(950, Ordering::SeqCst);
    assert_eq!(world.send_otp(PHONE).key(KEY).send().challenge(), first);
    world.send_otp(OTHER).send().is_problem(403, "risk_denied");
}

#[test]
fn numbers_that_the_risk_provider_does_not_know_are_not_denied() {
    let jpush = json!({"provider": "jpush_risk", "settings": {"appKey": "7d431e42dfa6a6d693ac2d04",
        "masterSecret": "5e987ac6d2e04d95a9d8f0d1"}});
    let world = World::with(|name| match name {
        "PROVIDER_ACCOUNTS" => Some(accounts_and(std::slice::from_ref(&jpush))),
        "RISK_WHEN_DOWN" => Some("deny".to_owned()),
        "SMS_COUNTRIES" => Some("86,852".to_owned()),
        _ => None,
    });
    world.phones.risk_score.store(-1, Ordering::SeqCst);
    world.send_otp(PHONE).send().is_problem(403, "risk_denied");
    world.send_otp("+85251234567").send().challenge();
}

#[test]
fn risk_is_asked_before_one_tap_makes_an_account() {
    use crate::world::objects::Kind;
    let login = |world: &World, platform: &str, captcha: Value| {
        let mut body = login_body("cmcc", &world.providers.token(PHONE));
        body["device"]["platform"] = json!(platform);
        body["captchaToken"] = captcha;
        world.post("/v1/one-tap/login", &body).send()
    };
    login(&risky(10, "allow"), "ios", Value::Null).signed_in();
    let world = risky(950, "allow");
    login(&world, "ios", Value::Null).is_problem(403, "risk_denied");
    assert!(world.objects.states(Kind::Handle).is_empty() && world.objects.states(Kind::Account).is_empty());
    let world = risky(700, "allow");
    login(&world, "web", Value::Null).is_problem(403, "bot_check_required");
    login(&world, "web", json!(HUMAN)).signed_in();
    login(&risky(-1, "deny"), "ios", Value::Null).is_problem(403, "risk_denied");
    login(&risky(-1, "allow"), "ios", Value::Null).signed_in();
}
