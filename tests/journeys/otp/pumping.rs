//! The guard against pumping, as those meet it who ask for codes. `tests/pumping.rs` has the figures.

use std::time::Duration;

use serde_json::{Value, json};

use super::OTHER;
use crate::world::{
    Answer, Broken, Port, World,
    client::{device, device_with, login_body},
    sms::{HUMAN, Mood},
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
    let world = World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "2".to_owned()));
    let signed_in_once = world.login(&phone(901)).signed_in().text("/device/token").to_owned();
    let owner = world.login(&phone(900)).signed_in().text("/device/token").to_owned();
    // A second day of use makes it known here.
    world.pass(Duration::from_secs(86_400));
    let mut again = login_body("cmcc", &world.providers.token(&phone(900)));
    again["device"] = device_with(&owner);
    world.post("/v1/one-tap/login", &again).send().signed_in();
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
    // To have signed in once is no reason to be let off: pumpers have numbers of their own.
    ask(&world, &phone(901), 806, device_with(&signed_in_once), "ios", None).is_problem(429, "rate_limited");
    // A person, the owner's known device, one-tap, and every other prefix go on.
    ask(&world, &phone(802), 802, device(), "web", Some(HUMAN)).challenge();
    ask(&world, &phone(900), 803, device_with(&owner), "ios", None).challenge();
    world.login(&phone(804)).signed_in();
    ask(&world, OTHER, 805, device(), "ios", None).challenge();
    // What was held back cost nobody anything: an hour or so later all is well.
    world.pass(Duration::from_secs(2 * 3600));
    ask(&world, &phone(800), 800, device(), "web", None).challenge();
}

#[test]
fn vendors_that_hang_close_nothing() {
    let world = World::new();
    for vendor in ["chuanglan_sms", "twilio"] {
        world.phones.set_mood(vendor, Some(Mood::TakesAndHangs));
    }
    // Nobody gets a message in time, so nobody redeems: that speaks against the vendors.
    for nth in 0..100 {
        ask(&world, &phone(nth), nth, device(), "web", None).challenge();
        world.pass(Duration::from_secs(10));
    }
    assert_eq!(world.guard_turns(), []);
}

#[test]
fn trouble_of_ours_is_not_held_against_a_prefix() {
    let world = World::new();
    for nth in 0..100 {
        let challenge = ask(&world, &phone(nth), nth, device(), "web", None).challenge();
        world.pass(Duration::from_secs(10));
        world.faults.break_all(Port::Account, Broken::Before);
        world.otp_login(&challenge, &world.phones.code(&phone(nth))).send().is_problem(500, "internal");
        world.faults.mend();
    }
    assert_eq!(world.guard_turns(), []);
}

#[test]
fn of_several_refusals_the_one_that_a_bot_check_cannot_mend_counts() {
    let world = World::with(|name| match name {
        "OTP_PREFIX_SHORT" => Some("3".to_owned()),
        "PUMPING_COUNTRY_MIN_SENDS" => Some("20".to_owned()),
        "PUMPING_PREFIX_MIN_SENDS" => Some("1000".to_owned()),
        _ => None,
    });
    let held =
        |nth: usize| ask(&world, &format!("13{nth:02}0000000"), nth, device(), "web", None).status == 403;
    for nth in 10..13 {
        ask(&world, &phone(nth), nth, device(), "web", None).challenge();
    }
    assert!((14..80).any(|nth| {
        world.pass(Duration::from_secs(20));
        held(nth)
    }));
    ask(&world, &phone(13), 13, device(), "web", None).is_problem(429, "rate_limited");
}

#[test]
fn apps_without_a_bot_check_neither_open_nor_close_for_others() {
    let world = World::new();
    // Between the two thresholds: every third code comes back. Half of the askers can pass a check, half cannot.
    let (mut held, mut waits) = (0, 0);
    for nth in 0..200 {
        let platform = if nth % 2 == 0 { "web" } else { "ios" };
        let answer = ask(&world, &phone(nth), nth, device(), platform, None);
        match answer.status {
            202 if nth % 3 == 0 => {
                let code = world.phones.code(&phone(nth));
                world.otp_login(&answer.challenge(), &code).send().signed_in();
            }
            202 => {}
            403 => held += 1,
            _ => waits += 1,
        }
        world.pass(Duration::from_secs(12));
    }
    let turns: Vec<&str> = world.guard_turns().iter().map(|turn| turn.level).collect();
    assert!(held > 20 && waits == 0 && turns == ["check"], "{held} {waits} {turns:?}");
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

#[test]
fn a_code_that_came_back_speaks_for_its_prefix_whatever_it_was_for() {
    let world = World::new();
    let owner = world.login(OTHER).signed_in();
    let bearer = owner.text("/session/accessToken");
    // None of these numbers is the account's or comes to be, since the account's write breaks: the codes came back all the
    // same.
    let uses = [
        ("step_up", "POST", "/v1/session/proof", "proof", 9),
        ("step_up", "PUT", "/v1/account/password", "numberProof", 9),
        ("trusted_phone", "POST", "/v1/account/trusted-phones", "numberProof", 2),
        ("change_phone", "PUT", "/v1/account/phone", "numberProof", 1),
    ];
    for nth in 0..100 {
        let (purpose, method, path, field, breaks) = uses[nth % uses.len()];
        let ask = json!({"phone": phone(nth), "purpose": purpose, "device": device()});
        let address = format!("198.51.{}.{}", nth / 200, nth % 200);
        let challenge = world.post("/v1/otp/send", &ask).bearer(bearer).from(&address).send().challenge();
        let code = world.phones.code(&phone(nth));
        let mut body = json!({field: {"type": "otp", "challengeId": challenge, "code": code}});
        if path.ends_with("password") {
            body["newPassword"] = json!("tnrkx-qumbelhof");
        }
        world.pass(Duration::from_secs(5));
        world.faults.break_call(Port::Account, breaks, Broken::Before);
        let ask = if method == "PUT" { world.put(path, &body) } else { world.post(path, &body) };
        let status = ask.bearer(bearer).send().status;
        world.faults.mend();
        assert_eq!(status, if breaks == 9 { 403 } else { 500 }, "{path}");
    }
    assert_eq!(world.guard_turns(), []);
}
