//! Login protection 登录保护: a new device waits until a trusted one types the digits that it shows.

use std::{sync::Barrier, thread, time::Duration};

use serde_json::{Value, json};

use super::login::claims;
use crate::world::{
    Answer, World,
    client::{device, device_with, login_body},
};

pub(super) const PHONE: &str = "13800138000";
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn get(world: &World, login: &Answer, path: &str) -> Answer {
    world.get(path).bearer(login.text("/session/accessToken")).send()
}

pub(super) fn protect(world: &World, login: &Answer, enabled: bool) -> Answer {
    let body = json!({"enabled": enabled});
    world.put("/v1/account/login-protection", &body).bearer(login.text("/session/accessToken")).send()
}

/// The owner on the device that the account was created on, which is asked from now on.
pub(super) fn protected(world: &World) -> Answer {
    let owner = world.login(PHONE).signed_in();
    assert_eq!(protect(world, &owner, true).status, 204);
    owner
}

pub(super) fn log_in_on(world: &World, device: Value) -> Answer {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["device"] = device;
    world.post("/v1/one-tap/login", &body).send()
}

pub(super) fn waits(answer: Answer) -> Answer {
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("step_up_required")), "{}", answer.body);
    answer
}

/// A call with the ticket on the device that it was given to.
pub(super) fn at(world: &World, step: &str, ticket: &Answer) -> Answer {
    on(world, step, ticket, ticket.text("/device/token"))
}

fn on(world: &World, step: &str, ticket: &Answer, token: &str) -> Answer {
    let mut body = json!({"ticket": ticket.text("/ticket"), "device": {"token": token}});
    if step != "state" {
        body["method"] = json!("device_approval");
    }
    world.post(&format!("/v1/step-up/{step}"), &body).send()
}

pub(super) fn answer(world: &World, login: &Answer, approval: &str, body: &Value) -> Answer {
    world.post(&format!("/v1/approvals/{approval}"), body).bearer(login.text("/session/accessToken")).send()
}

pub(super) fn pending(world: &World, login: &Answer) -> Vec<Value> {
    let list = get(world, login, "/v1/approvals");
    assert_eq!(list.status, 200, "{}", list.body);
    list.body["approvals"].as_array().unwrap().clone()
}

/// The new device asks; its ticket, the digits that it shows, and the question's id.
pub(super) fn asked(world: &World, owner: &Answer) -> (Answer, String, String) {
    let ticket = waits(world.login(PHONE));
    let started = waits(at(world, "start", &ticket));
    let id = pending(world, owner).last().unwrap()["id"].as_str().unwrap().to_owned();
    (ticket, started.text("/approval/match").to_owned(), id)
}

fn wrong(digits: &str) -> String {
    (10..100).map(|other| other.to_string()).find(|other| other != digits).unwrap()
}

#[test]
fn the_right_digits_sign_the_new_device_in() {
    let world = World::new();
    let owner = protected(&world);
    let protection = get(&world, &owner, "/v1/account/login-protection");
    assert_eq!(protection.body, json!({"enabled": true, "active": true}));
    let ticket = waits(world.login(PHONE));
    assert_eq!((ticket.text("/reason"), &ticket.body["need"]), ("new_device", &json!(2)));
    assert_eq!(ticket.body["methods"], json!([{"method": "device_approval", "strength": 3}]));
    assert_eq!((&ticket.body["expiresIn"], &ticket.body["session"]), (&json!(600), &Value::Null));
    assert!(pending(&world, &owner).is_empty(), "nobody is asked before the device says how");

    let started = waits(at(&world, "start", &ticket));
    let digits = started.text("/approval/match").to_owned();
    assert!((10..100).contains(&digits.parse::<u8>().unwrap()) && digits.len() == 2);
    assert_eq!(started.body["approval"]["expiresIn"], 300);
    // Whoever asks again shows the same.
    assert_eq!(waits(at(&world, "start", &ticket)).text("/approval/match"), digits);
    assert_eq!(waits(at(&world, "state", &ticket)).text("/approval/match"), digits);

    let question = &pending(&world, &owner)[0];
    assert_eq!(
        (&question["device"], &question["place"]["city"], &question["method"], &question["askedAt"]),
        (
            &json!({"name": device()["name"], "platform": "ios", "model": "iPhone18,1"}),
            &json!("Shanghai"),
            &json!("one_tap"),
            &json!("2026-11-20T04:00:00Z")
        )
    );
    assert!(
        !question.to_string().contains(&format!("\"{digits}\"")),
        "who approves must see the other device"
    );
    let id = question["id"].as_str().unwrap();
    let yes = json!({"decision": "approve", "match": digits});
    assert_eq!(answer(&world, &owner, id, &yes).status, 204);
    assert_eq!(answer(&world, &owner, id, &yes).status, 204, "an answer that was lost");

    let login = at(&world, "state", &ticket).signed_in();
    assert_eq!(login.text("/account/id"), owner.text("/account/id"));
    assert_eq!(login.text("/account/phone"), owner.text("/account/phone"));
    assert_eq!((login.text("/device/trust"), &login.body["device"]["token"]), ("trusted", &Value::Null));
    assert_eq!(claims(login.text("/session/accessToken"))["amr"], json!(["one_tap", "step_up"]));
    // Lost as well: the same session. Once that is ended the ticket is worth nothing.
    let again = at(&world, "complete", &ticket).signed_in();
    assert_eq!(again.text("/session/id"), login.text("/session/id"));
    let sign_out = world.delete("/v1/session").bearer(login.text("/session/accessToken")).send();
    assert_eq!(sign_out.status, 204);
    at(&world, "complete", &ticket).is_problem(410, "ticket_invalid");
    // The device is known by the token that came with the ticket, and waits no more.
    log_in_on(&world, device_with(ticket.text("/device/token"))).signed_in();
}

#[test]
fn a_browser_that_was_confirmed_need_not_wait_again() {
    let world = World::new();
    let owner = protected(&world);
    let browser = json!({"name": "Chromium", "platform": "web"});
    let ticket = waits(log_in_on(&world, browser.clone()));
    let started = at(&world, "start", &ticket);
    let id = pending(&world, &owner)[0]["id"].as_str().unwrap().to_owned();
    let yes = json!({"decision": "approve", "match": started.text("/approval/match")});
    assert_eq!(answer(&world, &owner, &id, &yes).status, 204);
    let login = at(&world, "complete", &ticket).signed_in();
    assert_eq!(login.text("/device/trust"), "new", "only what people carry is trusted by itself");
    vouches_for_nobody(&world, &login, &owner);
    let mut back = browser;
    back["token"] = json!(ticket.text("/device/token"));
    log_in_on(&world, back.clone()).signed_in();
    // Unused for longer than trust lasts it waits as any other.
    for _ in 0..95 {
        world.pass(DAY);
        let refreshed = log_in_on(&world, device_with(owner.text("/device/token")));
        refreshed.signed_in();
    }
    waits(log_in_on(&world, back));
}

#[test]
fn wrong_digits_and_a_no_do_not_sign_in() {
    let world = World::new();
    let owner = protected(&world);
    let (ticket, digits, id) = asked(&world, &owner);
    let no_good = json!({"decision": "approve", "match": wrong(&digits)});
    for _ in 0..2 {
        answer(&world, &owner, &id, &no_good).is_problem(403, "proof_failed");
        waits(at(&world, "state", &ticket));
    }
    answer(&world, &owner, &id, &no_good).is_problem(403, "proof_failed");
    // Nobody shall believe that it was approved.
    answer(&world, &owner, &id, &no_good).is_problem(404, "not_found");
    at(&world, "state", &ticket).is_problem(403, "proof_failed");
    at(&world, "start", &ticket).is_problem(403, "proof_failed");
    answer(&world, &owner, &id, &json!({"decision": "approve", "match": digits}))
        .is_problem(404, "not_found");

    let (ticket, digits, id) = asked(&world, &owner);
    assert_eq!(answer(&world, &owner, &id, &json!({"decision": "deny"})).status, 204);
    assert_eq!(answer(&world, &owner, &id, &json!({"decision": "deny"})).status, 204);
    answer(&world, &owner, &id, &json!({"decision": "approve", "match": wrong(&digits)}))
        .is_problem(404, "not_found");
    answer(&world, &owner, &id, &json!({"decision": "approve", "match": digits}))
        .is_problem(404, "not_found");
    at(&world, "complete", &ticket).is_problem(403, "proof_failed");
    let events = get(&world, &owner, "/v1/login-history");
    let kinds: Vec<&str> =
        events.body["events"].as_array().unwrap()[..2].iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["denied", "held"]);

    for body in [
        json!({"decision": "approve"}),
        json!({"decision": "maybe"}),
        json!({"decision": "approve", "match": "5"}),
    ] {
        answer(&world, &owner, &id, &body).is_problem(400, "invalid_request");
    }
}

#[test]
fn only_a_trusted_device_is_asked() {
    let world = World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "2".to_owned()));
    let owner = world.login(PHONE).signed_in();
    let other = world.login(PHONE).signed_in();
    world.pass(DAY);
    let known = log_in_on(&world, device_with(other.text("/device/token"))).signed_in();
    let owner = log_in_on(&world, device_with(owner.text("/device/token"))).signed_in();
    assert_eq!(known.text("/device/trust"), "known");
    assert_eq!(protect(&world, &owner, true).status, 204);
    let (ticket, digits, id) = asked(&world, &owner);
    get(&world, &known, "/v1/approvals").is_problem(403, "forbidden");
    for decision in [json!({"decision": "approve", "match": digits}), json!({"decision": "deny"})] {
        answer(&world, &known, &id, &decision).is_problem(403, "forbidden");
    }
    protect(&world, &known, false).is_problem(403, "reauthentication_required");
    vouches_for_nobody(&world, &known, &owner);
    waits(at(&world, "state", &ticket));
    // Nor the owner of another account.
    let stranger = world.login("13900139000").signed_in();
    assert_eq!(protect(&world, &stranger, true).status, 204);
    answer(&world, &stranger, &id, &json!({"decision": "approve", "match": digits}))
        .is_problem(404, "not_found");
    assert!(pending(&world, &stranger).is_empty());
    // The known one itself waits for nobody.
    log_in_on(&world, device_with(other.text("/device/token"))).signed_in();
}

/// A device that is not asked itself cannot make itself one that is, nor do away with those that are.
fn vouches_for_nobody(world: &World, login: &Answer, owner: &Answer) {
    let bearer = login.text("/session/accessToken");
    let (own, trusted) = (login.text("/device/id"), owner.text("/device/id"));
    for (device, trust) in [(own, true), (trusted, false)] {
        let path = format!("/v1/devices/{device}");
        let change = world.patch(&path, &json!({"trusted": trust})).bearer(bearer).send();
        change.is_problem(403, "reauthentication_required");
    }
    let remove = world.delete(&format!("/v1/devices/{trusted}")).bearer(bearer).send();
    remove.is_problem(403, "reauthentication_required");
}

#[test]
fn two_decisions_at_once_are_one() {
    for round in 0..30 {
        let world = World::new();
        let owner = protected(&world);
        let (ticket, digits, id) = asked(&world, &owner);
        let decisions = [json!({"decision": "approve", "match": digits}), json!({"decision": "deny"})];
        let barrier = Barrier::new(2);
        let statuses = thread::scope(|scope| {
            let threads = decisions.each_ref().map(|decision| {
                scope.spawn(|| {
                    barrier.wait();
                    answer(&world, &owner, &id, decision).status
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        match statuses {
            [204, 404] => drop(at(&world, "complete", &ticket).signed_in()),
            [404, 204] => at(&world, "complete", &ticket).is_problem(403, "proof_failed"),
            other => panic!("{round}: {other:?}"),
        }
    }
}

#[test]
fn a_ticket_is_worth_nothing_elsewhere_and_not_for_ever() {
    let world = World::new();
    let owner = protected(&world);
    let (ticket, digits, id) = asked(&world, &owner);
    let thief = waits(world.login(PHONE));
    for token in [thief.text("/device/token"), owner.text("/device/token"), "odt_forged"] {
        for step in ["state", "start", "complete"] {
            on(&world, step, &ticket, token).is_problem(410, "ticket_invalid");
        }
    }
    let without = json!({"ticket": ticket.text("/ticket"), "device": {}});
    world.post("/v1/step-up/state", &without).send().is_problem(410, "ticket_invalid");
    let yes = json!({"decision": "approve", "match": digits});
    assert_eq!(answer(&world, &owner, &id, &yes).status, 204);
    on(&world, "complete", &ticket, thief.text("/device/token")).is_problem(410, "ticket_invalid");
    at(&world, "complete", &ticket).signed_in();
    // A question stands for five minutes, and can be asked again while the ticket is good: for ten.
    let (ticket, digits, id) = asked(&world, &owner);
    world.pass(Duration::from_secs(300));
    answer(&world, &owner, &id, &json!({"decision": "approve", "match": digits}))
        .is_problem(404, "not_found");
    assert_eq!(waits(at(&world, "state", &ticket)).body["approval"], Value::Null);
    waits(at(&world, "start", &ticket));
    assert_ne!(pending(&world, &owner)[0]["id"].as_str().unwrap(), id);
    world.pass(Duration::from_secs(300));
    world.faults.take_trace();
    at(&world, "state", &ticket).is_problem(410, "ticket_invalid");
    let io = world.faults.take_trace();
    assert!(!io.contains(&crate::world::Port::Account), "an expired ticket asks nobody: {io:?}");
    // What nobody came back for leaves nothing behind.
    world.settle_within(Duration::from_secs(2 * 3600));
    assert!(world.dump().iter().all(|(_, stored)| !stored.contains("tkt_")), "tickets vanish");
}

#[test]
fn who_may_switch_it_on_and_off() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    let stranger = world.login(PHONE).signed_in();
    // Whoever has just got hold of the number can neither switch it on for themselves nor off.
    protect(&world, &stranger, true).is_problem(403, "reauthentication_required");
    assert_eq!(protect(&world, &owner, true).status, 204);
    protect(&world, &stranger, false).is_problem(403, "reauthentication_required");
    waits(world.login(PHONE));
    assert_eq!(protect(&world, &owner, false).status, 204);
    world.login(PHONE).signed_in();
    let path = "/v1/account/login-protection";
    world.put(path, &json!({"enabled": "yes"})).send().is_problem(400, "invalid_request");
    world.put(path, &json!({"enabled": true})).send().is_problem(401, "unauthenticated");
}

#[test]
fn where_accounts_hold_money_it_is_on_from_the_start() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let owner = world.login(PHONE).signed_in();
    assert_eq!(owner.text("/device/trust"), "trusted", "somebody must be there to be asked");
    waits(world.login(PHONE));
    assert_eq!(protect(&world, &owner, false).status, 204);
    world.login(PHONE).signed_in();
    // Where the account was made in a browser nobody carries it around, and its owner is told so.
    let mut body = login_body("cmcc", &world.providers.token("13900139000"));
    body["device"] = json!({"name": "Chromium", "platform": "web"});
    let browser = world.post("/v1/one-tap/login", &body).send().signed_in();
    let protection = get(&world, &browser, "/v1/account/login-protection");
    assert_eq!(protection.body, json!({"enabled": true, "active": false}));
    world.login("13900139000").signed_in();
}

#[test]
fn one_tap_alone_can_be_too_little_for_a_device_that_nobody_knows() {
    let world = World::with(|name| (name == "ONE_TAP_NEW_DEVICE").then(|| "step_up".to_owned()));
    let owner = world.login(PHONE).signed_in();
    world.login(PHONE).signed_in();
    let device = format!("/v1/devices/{}", owner.text("/device/id"));
    world.patch(&device, &json!({"trusted": true})).bearer(owner.text("/session/accessToken")).send();
    assert_eq!(waits(world.login(PHONE)).text("/reason"), "risk");
    // A code by SMS is more than a token that an app can steal.
    let challenge = world.send_otp(PHONE).send().challenge();
    let code = world.phones.code(PHONE);
    world.otp_login(&challenge, &code).send().signed_in();
}
