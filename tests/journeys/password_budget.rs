//! Guesses at passwords run out: by identifier, by account, by address and network; for strangers, people, and the owner's
//! devices apart.

use std::time::Duration;

use serde_json::{Value, json};

use super::password_login::{GOOD, PHONE, log_in, log_in_on, person};
use crate::world::{
    World,
    client::{device, device_with},
    sms::HUMAN,
};

#[test]
fn guesses_run_out_and_the_owners_device_is_none_of_the_strangers() {
    let world = World::new();
    let login = person(&world);
    world.run_alarms();
    for _ in 0..10 {
        log_in(&world, PHONE, "something else").is_problem(401, "invalid_credentials");
    }
    let full = log_in(&world, PHONE, GOOD);
    full.is_problem(429, "rate_limited");
    assert!(full.body["retryAfter"].as_u64().unwrap() > 0);
    // Nobody learns by it who has an account.
    for _ in 0..10 {
        log_in(&world, "nobody", "something else").is_problem(401, "invalid_credentials");
    }
    log_in(&world, "nobody", "something else").is_problem(429, "rate_limited");
    // The owner's own device, and other ways in.
    let own = device_with(login.text("/device/token"));
    let again = log_in_on(&world, PHONE, GOOD, &own).signed_in();
    assert_eq!(again.body["device"]["id"], login.body["device"]["id"]);
    world.login(PHONE).signed_in();
    world.pass(Duration::from_secs(3600 + 300));
    log_in(&world, PHONE, GOOD).signed_in();
}

#[test]
fn whoever_knows_the_password_uses_nothing_up() {
    let world = World::new();
    person(&world);
    for _ in 0..25 {
        log_in(&world, PHONE, GOOD).signed_in();
    }
}

#[test]
fn one_account_bears_so_many_guesses_a_month_and_nobody_is_told_whose_they_were() {
    let few = ["PASSWORD_TRIES_DAY", "PASSWORD_TRIES_MONTH"];
    let world = World::with(|name| few.contains(&name).then(|| "10".to_owned()));
    person(&world);
    let asks = |identifier: &str, password: &str| {
        world.faults.take_trace();
        let answer = log_in(&world, identifier, password);
        (answer.status, answer.text("/code").to_owned(), world.faults.take_trace())
    };
    for _ in 0..5 {
        log_in(&world, PHONE, "something else").is_problem(401, "invalid_credentials");
        log_in(&world, "xiaoming77", "something else").is_problem(401, "invalid_credentials");
    }
    // By now not even the right one counts, and it looks as with a name that is nobody's.
    let right = asks("xiaoming77", GOOD);
    assert_eq!((right.0, right.1.as_str()), (401, "invalid_credentials"));
    assert_eq!(right, asks("nobody77", GOOD));
    assert_eq!(asks(PHONE, GOOD), asks("13700137000", GOOD));
    world.pass(Duration::from_secs(33 * 86_400));
    log_in(&world, PHONE, GOOD).signed_in();
}

#[test]
fn what_one_identifier_has_used_up_says_nothing_about_another() {
    let world = World::new();
    person(&world);
    for _ in 0..10 {
        log_in(&world, PHONE, "something else").is_problem(401, "invalid_credentials");
    }
    log_in(&world, PHONE, GOOD).is_problem(429, "rate_limited");
    for identifier in ["xiaoming77", "nobody77"] {
        log_in(&world, identifier, "something else").is_problem(401, "invalid_credentials");
    }
    log_in(&world, "xiaoming77", GOOD).signed_in();
}

#[test]
fn strangers_cannot_use_up_what_a_person_has() {
    let world = World::new();
    person(&world);
    let mut web = device();
    web["platform"] = json!("web");
    let ask = |password: &str, captcha: Value| {
        let body = json!({"identifier": PHONE, "password": password, "device": web, "captchaToken": captcha});
        world.post("/v1/password/login", &body).send()
    };
    for _ in 0..10 {
        ask("something else", Value::Null).is_problem(401, "invalid_credentials");
    }
    ask(GOOD, Value::Null).is_problem(429, "rate_limited");
    ask(GOOD, json!("made up")).is_problem(403, "bot_check_required");
    ask(GOOD, json!(HUMAN)).signed_in();
    for _ in 0..10 {
        ask("something else", json!(HUMAN)).is_problem(401, "invalid_credentials");
    }
    ask(GOOD, json!(HUMAN)).is_problem(429, "rate_limited");
    // Whoever has nothing to show it by waits.
    log_in(&world, PHONE, GOOD).is_problem(429, "rate_limited");
}

#[test]
fn a_network_of_ipv6_is_one_however_many_addresses_it_has() {
    let world = World::with(|name| match name {
        "PASSWORD_NETWORK_HOUR" => Some("20".to_owned()),
        "PASSWORD_IPV6_SITE_HOUR" => Some("50".to_owned()),
        _ => None,
    });
    let ask = |nth: usize, address: &str| {
        let body = json!({"identifier": format!("person{nth}"), "password": GOOD, "device": device()});
        world.post("/v1/password/login", &body).from(address).send().status
    };
    let in_one = (0..30).filter(|nth| ask(*nth, &format!("2001:db8:1:aa{nth:02x}::1")) == 429).count();
    assert_eq!(in_one, 10, "one /56");
    let in_many = (0..40).filter(|nth| ask(100 + nth, &format!("2001:db8:1:{nth:02x}00::1")) == 429).count();
    assert_eq!(in_many, 10, "one /48, of whose 50 twenty were used up");
    assert_eq!(ask(999, "2001:db8:2::1"), 401);
}

#[test]
fn an_address_that_tries_many_people_is_stopped() {
    let world = World::new();
    let mut refused = 0;
    for nth in 0..70 {
        let answer = log_in(&world, &format!("person{nth}"), GOOD);
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10, "60 an hour");
}
