//! The guard against pumping, as those meet it who ask for codes. `tests/pumping.rs` has the figures.

use std::time::Duration;

use serde_json::{Value, json};

use super::OTHER;
use crate::world::{
    Answer, World,
    client::{device, device_with},
    sms::HUMAN,
};

fn phone(nth: usize) -> String {
    format!("1380{nth:07}")
}

fn ask(
    world: &World,
    phone: &str,
    nth: usize,
    mut device: Value,
    platform: &str,
    captcha: Option<&str>,
) -> Answer {
    device["platform"] = json!(platform);
    let body = json!({"phone": phone, "device": device, "captchaToken": captcha});
    world.post("/v1/otp/send", &body).from(&format!("198.51.{}.{}", nth / 200, nth % 200)).send()
}

/// An attack on one prefix, a send every ten seconds, until it is held back.
fn attack(world: &World) -> usize {
    for nth in 0..60 {
        if ask(world, &phone(nth), nth, device(), "web", None).status != 202 {
            return nth;
        }
        world.pass(Duration::from_secs(10));
    }
    panic!("nobody stops it");
}

#[test]
fn a_prefix_that_never_redeems_is_stopped_for_strangers_alone() {
    let world = World::new();
    let owner = world.login(&phone(900)).signed_in().text("/device/token").to_owned();
    world.run_alarms();
    let stopped_at = attack(&world);
    assert!((12..40).contains(&stopped_at), "{stopped_at}");
    assert_eq!(world.guard_turns()[0].scope, "+861380");
    assert_eq!((world.guard_turns().len(), world.guard_turns()[0].level), (1, "stop"));
    // A browser is asked for the bot check; an app without one has to wait.
    ask(&world, &phone(800), 800, device(), "web", None).is_problem(403, "bot_check_required");
    let waits = ask(&world, &phone(801), 801, device(), "ios", None);
    waits.is_problem(429, "rate_limited");
    assert_eq!(waits.body["retryAfter"], 600);
    // A person, the owner's own device, one-tap, and every other prefix go on.
    ask(&world, &phone(802), 802, device(), "web", Some(HUMAN)).challenge();
    ask(&world, &phone(900), 803, device_with(&owner), "ios", None).challenge();
    world.login(&phone(804)).signed_in();
    ask(&world, OTHER, 805, device(), "ios", None).challenge();
    // What was held back cost nobody anything: an hour or so later all is well.
    world.pass(Duration::from_secs(2 * 3600));
    ask(&world, &phone(800), 800, device(), "web", None).challenge();
}

#[test]
fn a_prefix_whose_codes_come_back_is_left_alone() {
    let world = World::new();
    for nth in 0..100 {
        let challenge = ask(&world, &phone(nth), nth, device(), "web", None).challenge();
        world.pass(Duration::from_secs(10));
        if nth % 5 != 0 {
            world.otp_login(&challenge, &world.phones.code(&phone(nth))).send().signed_in();
        }
    }
    assert_eq!(world.guard_turns(), []);
}
