//! How many codes go out, whoever asks from wherever, and that what was not sent costs nothing.

use std::time::Duration;

use serde_json::json;

use super::{OTHER, PHONE};
use crate::world::{
    Answer, World,
    client::{device, device_with},
    objects::Kind,
    sms::{HUMAN, Mood},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn set(name: &'static str, value: &'static str) -> World {
    World::with(move |asked| (asked == name).then(|| value.to_owned()))
}

fn phone(nth: usize) -> String {
    format!("138{nth:08}")
}

/// The seconds that a refusal names; it must name no account.
fn wait(answer: &Answer) -> u64 {
    answer.is_problem(429, "rate_limited");
    let seconds = answer.body["retryAfter"].as_u64().unwrap();
    assert_eq!(answer.headers["retry-after"], seconds.to_string());
    assert_eq!(answer.body.get("fallback"), None);
    seconds
}

#[test]
fn thirty_sends_to_one_number_from_thirty_addresses_are_one_message_then_the_numbers_cap() {
    let world = World::new();
    let from = |nth: usize| world.send_otp(PHONE).from(&format!("198.51.{nth}.7")).send();
    let answers: Vec<Answer> = (0..30).map(from).collect();
    assert_eq!(world.phones.texts(PHONE).len(), 1);
    assert!(answers[1..].iter().all(|answer| wait(answer) == 60));
    // With patience: five an hour, ten a day.
    for minute in 1..120 {
        world.pass(MINUTE);
        from(minute % 30);
    }
    assert_eq!(world.phones.texts(PHONE).len(), 10);
    world.pass(DAY - 2 * HOUR);
    assert!(wait(&from(1)) <= 3600);
    world.pass(HOUR);
    from(2).challenge();
}

#[test]
fn the_time_to_wait_is_the_time_to_wait() {
    let world = World::new();
    for _ in 0..5 {
        world.send_otp(PHONE).send().challenge();
        world.pass(MINUTE);
    }
    let seconds = wait(&world.send_otp(PHONE).send());
    assert_eq!(seconds, 3600 - 5 * 60);
    world.pass(Duration::from_secs(seconds - 1));
    assert_eq!(wait(&world.send_otp(PHONE).send()), 1);
    world.pass(Duration::from_secs(1));
    world.send_otp(PHONE).send().challenge();
}

#[test]
fn thirty_numbers_from_one_address_are_the_addresses_cap() {
    let world = World::new();
    let answers: Vec<Answer> = (0..30).map(|nth| world.send_otp(&phone(nth)).send()).collect();
    assert_eq!(world.phones.all().len(), 20);
    assert!(answers[20..].iter().all(|answer| wait(answer) <= 3900));
    // The neighbour has a budget of its own.
    world.send_otp(&phone(50)).from("203.0.113.8").send().challenge();
    // No number was touched for nothing.
    assert_eq!(world.objects.states(Kind::Handle).len(), 21);
}

#[test]
fn a_network_has_a_budget_and_so_has_an_ipv6_customer() {
    let world = set("OTP_NETWORK_SHORT", "25");
    let all: Vec<Answer> =
        (0..40).map(|nth| world.send_otp(&phone(nth)).from(&format!("198.51.100.{nth}")).send()).collect();
    assert_eq!(all.iter().filter(|answer| answer.status == 202).count(), 25);
    let all: Vec<Answer> = (0..40)
        .map(|nth| world.send_otp(&phone(100 + nth)).from(&format!("2001:db8:1:2a{nth:02x}::1")).send())
        .collect();
    assert_eq!(all.iter().filter(|answer| answer.status == 202).count(), 25);
    let one: Vec<Answer> = (0..40)
        .map(|nth| world.send_otp(&phone(200 + nth)).from(&format!("2001:db8:2::{nth:x}")).send())
        .collect();
    assert_eq!(one.iter().filter(|answer| answer.status == 202).count(), 20);
}

#[test]
fn whoever_holds_a_whole_ipv6_site_has_a_budget_too() {
    let world = set("OTP_IPV6_SITE_SHORT", "300");
    let all: Vec<Answer> = (0..400)
        .map(|nth| {
            let from = format!("2001:db8:1:{:02x}{:02x}::1", nth % 20, nth / 20);
            world.send_otp(&format!("13{:02}{nth:07}", nth % 90)).from(&from).send()
        })
        .collect();
    assert_eq!(all.iter().filter(|answer| answer.status == 202).count(), 300);
    world.send_otp(PHONE).from("2001:db8:2::1").send().challenge();
}

#[test]
fn a_person_has_room_where_strangers_have_used_it_up() {
    let world = World::new();
    let person = |phone: &str, nth: usize| {
        let mut web = device();
        web["platform"] = json!("web");
        let body = json!({"phone": phone, "device": web, "captchaToken": format!("{HUMAN}-{nth}")});
        world.post("/v1/otp/send", &body).send()
    };
    // Of an address that many share.
    for nth in 0..20 {
        world.send_otp(&phone(nth)).send().challenge();
    }
    wait(&world.send_otp(&phone(20)).send());
    person(&phone(20), 0).challenge();
    // Of a number that somebody keeps busy.
    for nth in 0..5 {
        world.send_otp(OTHER).from(&format!("198.51.{nth}.7")).send().challenge();
        world.pass(MINUTE);
    }
    wait(&world.send_otp(OTHER).from("198.51.9.7").send());
    for nth in 1..6 {
        person(OTHER, nth).challenge();
        world.pass(MINUTE);
    }
    // Twice as much, and no more.
    wait(&person(OTHER, 6));
}

#[test]
fn a_device_has_a_budget_wherever_it_is() {
    let world = World::new();
    let token = world.login(PHONE).signed_in().text("/device/token").to_owned();
    world.run_alarms();
    let answers: Vec<Answer> = (0..30)
        .map(|nth| {
            let body = json!({"phone": phone(nth), "device": device_with(&token)});
            world.post("/v1/otp/send", &body).from(&format!("198.51.{nth}.7")).send()
        })
        .collect();
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 10);
}

#[test]
fn prefix_country_and_deployment_have_budgets() {
    for (name, most) in [("OTP_PREFIX_SHORT", 7), ("OTP_COUNTRY_SHORT", 7), ("OTP_DEPLOYMENT_SHORT", 7)] {
        let world = set(name, "7");
        let answers: Vec<Answer> =
            (0..20).map(|nth| world.send_otp(&phone(nth)).from(&format!("198.51.{nth}.7")).send()).collect();
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), most, "{name}");
        answers.iter().filter(|answer| answer.status != 202).for_each(|answer| assert!(wait(answer) <= 3900));
        // Numbers of another prefix are served as long as only that one is full.
        let elsewhere = world.send_otp(OTHER).from("198.51.200.7").send();
        assert_eq!(elsewhere.status == 202, name == "OTP_PREFIX_SHORT");
    }
}

#[test]
fn countries_are_served_by_list() {
    let abroad = |world: &World| {
        let body = json!({"phone": "+85251234567", "device": device()});
        world.post("/v1/otp/send", &body).send()
    };
    let world = World::new();
    let refused = abroad(&world);
    refused.is_problem(400, "invalid_phone");
    assert_eq!(refused.body["fields"][0]["name"], "phone");
    assert!(world.objects.states(Kind::Handle).is_empty());
    let world = set("SMS_COUNTRIES", "86,852");
    abroad(&world).challenge();
    assert_eq!(world.phones.all()[0].provider, "twilio");
}

#[test]
fn what_was_not_sent_costs_nothing() {
    let world = World::new();
    for provider in ["chuanglan_sms", "twilio"] {
        world.phones.set_mood(provider, Some(Mood::Refuses));
    }
    for nth in 0..50 {
        let answer = world.send_otp(PHONE).send();
        answer.is_problem(503, "sms_unavailable");
        assert_eq!(answer.body["fallback"], json!(["one_tap"]), "{nth}");
    }
    world.phones.set_mood("chuanglan_sms", None);
    world.send_otp(PHONE).send().challenge();
    // Nor does a request that came too soon.
    for _ in 0..50 {
        wait(&world.send_otp(PHONE).send());
    }
    for nth in 0..19 {
        world.send_otp(&phone(nth)).send().challenge();
    }
    wait(&world.send_otp(&phone(19)).send());
}

#[test]
fn what_comes_to_nothing_is_not_free_for_ever() {
    let world = World::new();
    world.send_otp(PHONE).send().challenge();
    // Too soon, again and again: each time the number was asked. Ten for each code that an address may ask for.
    for _ in 0..199 {
        assert_eq!(wait(&world.send_otp(PHONE).send()), 60);
    }
    assert!(wait(&world.send_otp(PHONE).send()) > 600);
    assert!(wait(&world.send_otp(OTHER).send()) > 600);
    world.send_otp(OTHER).from("203.0.113.8").send().challenge();
}

#[test]
fn a_code_whose_successor_was_not_sent_still_counts() {
    let world = World::new();
    let (challenge, code) = super::send(&world, PHONE);
    world.pass(MINUTE);
    for provider in ["chuanglan_sms", "twilio"] {
        world.phones.set_mood(provider, Some(Mood::IsDown));
    }
    world.send_otp(PHONE).send().is_problem(503, "sms_unavailable");
    world.otp_login(&challenge, &code).send().signed_in();
}

#[test]
fn what_is_over_vanishes() {
    let world = World::new();
    let (challenge, code) = super::send(&world, PHONE);
    world.otp_login(&challenge, super::not(&code)).send();
    world.send_otp(OTHER).send().challenge();
    assert!(world.objects.states(Kind::Handle).len() == 2 && world.objects.states(Kind::Counter).len() > 3);
    world.settle_within(8 * DAY);
    let left: Vec<String> = world.objects.stored().into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, [""; 0]);
    // Of a number that somebody holds, the holder stays.
    let (challenge, code) = super::send(&world, PHONE);
    world.otp_login(&challenge, &code).send().signed_in();
    world.settle_within(8 * DAY);
    let handles = world.objects.states(Kind::Handle);
    let handle = handles.values().next().unwrap();
    assert_eq!(handle["state"].as_object().unwrap().keys().collect::<Vec<_>>(), ["holder"]);
    assert!(world.objects.states(Kind::Counter).is_empty());
}
