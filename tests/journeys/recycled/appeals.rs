//! Who cannot prove enough appeals: decided by a rule, or by people; always in the sight of the owner.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, by_password, claim, device_token,
    ming,
    objections::{decide, key, queue},
    stays, used,
};
use crate::world::{Answer, World, client::device_with};

const BEFORE: &str = "13700137000";

pub(crate) fn appeal(world: &World, held: &Answer, answers: &Value) -> Answer {
    appeal_on(world, held, held.text("/device/token"), answers)
}

fn appeal_on(world: &World, held: &Answer, token: &str, answers: &Value) -> Answer {
    let body = json!({"ticket": held.text("/ticket"), "device": {"token": token}, "answers": answers,
        "text": "I broke my phone", "contact": "xiaoming@mail.example"});
    world.post("/v1/appeals", &body).send()
}

pub(crate) fn vague() -> Value {
    json!([{"question": "contents", "text": "photos of a cat"}])
}

fn state(world: &World, case: &str, token: &str) -> Answer {
    world.get(&format!("/v1/appeals/{case}")).header("x-onetap-device", token).send()
}

/// The end: a fresh proof of the number, on the device that appealed.
pub(crate) fn complete(world: &World, case: &str, held: &Answer, phone: &str) -> Answer {
    complete_on(world, case, held.text("/device/token"), phone)
}

fn complete_on(world: &World, case: &str, token: &str, phone: &str) -> Answer {
    let credential = json!({"provider": "cmcc", "token": world.providers.token(phone)});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential},
        "device": {"token": token}});
    world.post(&format!("/v1/appeals/{case}/complete"), &body).send()
}

fn refuse(world: &World, login: &Answer, case: &str) -> Answer {
    let path = format!("/v1/account/appeals/{case}/refuse");
    world.post(&path, &json!({})).bearer(bearer(login)).send()
}

/// His account had another number before.
fn moved(world: &World) -> Answer {
    let first = world.login(BEFORE).signed_in();
    let credential = json!({"provider": "cmcc", "token": world.providers.token(NUMBER)});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
    let changed = world.put("/v1/account/phone", &body).bearer(bearer(&first)).send();
    assert_eq!(changed.status, 204, "{}", changed.body);
    super::set_password(world, &first, PASSWORD);
    first
}

/// His account is protected, and has a phone that he uses: until he breaks it.
fn protected(world: &World) -> Answer {
    let first = moved(world);
    let on = json!({"enabled": true});
    let on = world.put("/v1/account/login-protection", &on).bearer(bearer(&first)).send();
    assert_eq!(on.status, 204, "{}", on.body);
    world.settle_within(MINUTE);
    stays(world, first, 120)
}

fn truth() -> Value {
    json!([{"question": "former_phones", "text": BEFORE}, {"question": "devices", "text": "iPhone18,1"}])
}

#[test]
fn where_protection_holds_people_judge_whatever_was_proven_and_known() {
    let world = World::new();
    let ming = protected(&world);
    let held = asked(&world);
    assert_eq!(held.body["need"], 3);
    let more = by_password(&world, &held, PASSWORD);
    assert_eq!(more.body["proven"], json!(["password"]), "{}", more.body);
    let made = appeal(&world, &held, &truth());
    assert_eq!((made.status, made.text("/state")), (202, "open"), "{}", made.body);
    let id = made.text("/id").to_owned();
    assert!(id.starts_with("oca_") && made.body["expiresAt"].is_string());
    assert_eq!(decide(&world, &key(&world, "anna"), &id, "grant").text("/state"), "granted");
    // Long after the ticket is over, with the number once more.
    world.pass(DAY * 2);
    complete(&world, &id, &held, "13900139000").is_problem(403, "proof_failed");
    let back = complete(&world, &id, &held, NUMBER).signed_in();
    assert_eq!(account(&back), account(&ming));
    let who = world.get("/v1/session").bearer(bearer(&back)).send();
    assert_eq!(who.body["amr"], json!(["one_tap", "step_up"]), "{}", who.body);
    assert_eq!(state(&world, &id, held.text("/device/token")).text("/state"), "done");
    // A repeat is the same session, until that has gone on.
    let again = complete(&world, &id, &held, NUMBER).signed_in();
    assert_eq!(again.text("/session/id"), back.text("/session/id"));
    super::fresh_access(&world, &back);
    complete(&world, &id, &held, NUMBER).is_problem(403, "proof_failed");
    let seen = queue(&world, "done");
    assert_eq!((seen.len(), &seen[0]["kind"]), (1, &json!("appeal")));
}

#[test]
fn knowing_alone_or_proving_alone_is_for_people_to_judge() {
    let world = World::new();
    protected(&world);
    let held = asked(&world);
    let made = appeal(&world, &held, &truth());
    assert_eq!(made.text("/state"), "open", "nothing was proven");
    complete(&world, made.text("/id"), &held, NUMBER).is_problem(409, "case_conflict");
    let other = World::new();
    protected(&other);
    let held = asked(&other);
    by_password(&other, &held, PASSWORD);
    let month = json!([{"question": "registered", "text": "2026-11"},
        {"question": "devices", "text": "iPhone18,1"}, {"question": "former_phones", "text": NUMBER}]);
    assert_eq!(appeal(&other, &held, &month).text("/state"), "open", "the number that everybody sees");
}

#[test]
fn he_who_comes_back_by_the_number_that_was_his_gets_another_one() {
    let world = World::new();
    let ming = moved(&world);
    world.settle_within(MINUTE);
    world.pass(SOLD_AGAIN);
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    let device = crate::world::client::device();
    let held = super::log_in(&world, NUMBER, PASSWORD, &device);
    assert_eq!(held.body["reason"], "historical_number", "{}", held.body);
    let made = appeal(&world, &held, &truth());
    assert_eq!(made.text("/state"), "granted", "{}", made.body);
    let id = made.text("/id").to_owned();
    let bare = json!({"device": {"token": device_token(&held)}});
    let path = format!("/v1/appeals/{id}/complete");
    world.post(&path, &bare).send().is_problem(400, "invalid_request");
    complete(&world, &id, &held, NUMBER).is_problem(409, "phone_in_use");
    let back = complete(&world, &id, &held, "13900139000").signed_in();
    assert_eq!(account(&back), account(&ming));
    world.settle_within(MINUTE);
    assert_eq!(account(&world.login("13900139000").signed_in()), account(&ming));
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hong), "hers is hers");
}

#[test]
fn one_of_those_who_help_people_grants_it() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    let made = appeal(&world, &held, &vague());
    let id = made.text("/id").to_owned();
    assert_eq!(made.text("/state"), "open");
    assert_eq!(appeal(&world, &held, &truth()).body, made.body, "made again it is the same");
    let anna = key(&world, "anna");
    let read = world.get(&format!("/v1/cases/{id}")).bearer(&anna).send();
    assert_eq!(read.status, 200, "{}", read.body);
    let told = &read.body["appeal"]["told"];
    assert_eq!((&told["answers"], &told["contact"]), (&vague(), &json!("xiaoming@mail.example")));
    assert_eq!((&read.body["phone"], &read.body["kind"]), (&json!("+86138****8000"), &json!("appeal")));
    assert_eq!(decide(&world, &anna, &id, "grant").text("/state"), "granted");
    assert_eq!(decide(&world, &anna, &id, "grant").text("/state"), "granted", "a repeat");
    decide(&world, &anna, &id, "refuse").is_problem(409, "case_conflict");
    assert_eq!(account(&complete(&world, &id, &held, NUMBER).signed_in()), account(&ming));
    let actions: Vec<_> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["case.read", "case.grant", "case.grant", "case.refuse"]);
    // Nothing that anybody said stands in clear.
    for said in ["photos of a cat", "xiaoming@mail.example", "as the papers say", "I broke my phone"] {
        assert_eq!(world.places_of(said), Vec::<String>::new());
    }
}

#[test]
fn the_owner_sees_an_appeal_and_refuses_it_on_a_known_device() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let ming = stays(&world, first, 120);
    let held = asked(&world);
    let id = appeal(&world, &held, &vague()).text("/id").to_owned();
    let list = world.get("/v1/account/appeals").bearer(bearer(&ming)).send();
    let seen = &list.body["appeals"][0];
    assert_eq!((&seen["id"], &seen["device"]["platform"]), (&json!(id), &json!("ios")), "{}", list.body);
    assert_eq!(world.get(&format!("/v1/appeals/{id}")).bearer(bearer(&ming)).send().text("/state"), "open");
    // Also when it was granted meanwhile.
    decide(&world, &key(&world, "anna"), &id, "grant");
    let somebody = world.login("13900139000").signed_in();
    refuse(&world, &somebody, &id).is_problem(404, "not_found");
    assert_eq!(refuse(&world, &ming, &id).status, 204);
    assert_eq!(refuse(&world, &ming, &id).status, 204);
    assert_eq!(state(&world, &id, held.text("/device/token")).text("/state"), "refused");
    complete(&world, &id, &held, NUMBER).is_problem(409, "case_conflict");
    decide(&world, &key(&world, "ben"), &id, "grant").is_problem(409, "case_conflict");
}

#[test]
fn a_case_is_worth_nothing_to_others() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    let other = asked(&world);
    appeal_on(&world, &held, other.text("/device/token"), &vague()).is_problem(410, "ticket_invalid");
    let id = appeal(&world, &held, &vague()).text("/id").to_owned();
    let token = held.text("/device/token");
    state(&world, &id, other.text("/device/token")).is_problem(404, "not_found");
    state(&world, &id, "odt_nobody").is_problem(404, "not_found");
    for forged in [id.replacen("oca_", "otk_", 1), format!("{id}A"), held.text("/ticket").to_owned()] {
        state(&world, &forged, token).is_problem(404, "not_found");
        decide(&world, &key(&world, "anna"), &forged, "grant").is_problem(404, "not_found");
    }
    world.get(&format!("/v1/appeals/{id}")).send().is_problem(401, "unauthenticated");
    let somebody = world.login("13900139000").signed_in();
    let asks = world.get(&format!("/v1/appeals/{id}")).bearer(bearer(&somebody)).send();
    asks.is_problem(404, "not_found");
    assert_eq!(decide(&world, &key(&world, "anna"), &id, "grant").status, 200);
    complete_on(&world, &id, other.text("/device/token"), NUMBER).is_problem(404, "not_found");
    // Nor is what was granted when the number has gone meanwhile.
    claim(&world, &other, "not_mine").signed_in();
    complete(&world, &id, &held, NUMBER).is_problem(403, "proof_failed");
}

#[test]
fn what_nobody_decides_is_over_after_thirty_days_with_all_that_was_told() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    let id = appeal(&world, &held, &vague()).text("/id").to_owned();
    let png = b"\x89PNG\r\n\x1a\nsomething";
    let image = |id: &str, bytes: &[u8]| {
        let mut ask = world.post(&format!("/v1/appeals/{id}/images"), &json!({}));
        ask.set_body(bytes);
        ask.header("content-type", "image/png").header("x-onetap-device", held.text("/device/token")).send()
    };
    image(&id, b"<svg/>").is_problem(415, "unsupported_media_type");
    for _ in 0..3 {
        assert_eq!(image(&id, png).status, 204);
    }
    image(&id, png).is_problem(409, "case_conflict");
    assert_eq!((world.images().len(), world.places_of("something")), (3, Vec::new()));
    let path = format!("/v1/cases/{id}/images/2");
    let anna = key(&world, "anna");
    assert_eq!(world.get(&path).bearer(&anna).send_raw(), 200);
    world.get(&path.replace("/2", "/3")).bearer(&anna).send().is_problem(404, "not_found");
    world.pass(DAY * 30);
    world.run_alarms();
    world.settle_within(MINUTE);
    state(&world, &id, held.text("/device/token")).is_problem(404, "not_found");
    decide(&world, &anna, &id, "grant").is_problem(404, "not_found");
    assert_eq!((queue(&world, "open").len(), queue(&world, "expired").len()), (0, 1));
    assert!(world.images().is_empty());
}

#[test]
fn who_leaves_sees_what_was_appealed_and_takes_it_along() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let mut ming = stays(&world, first, 120);
    let held = asked(&world);
    let id = appeal(&world, &held, &vague()).text("/id").to_owned();
    super::set_proven(&world, &mut ming);
    let export = world.get("/v1/account/export").bearer(bearer(&ming)).send();
    assert_eq!(export.body["appeals"][0]["id"], id, "{}", export.body);
    assert_eq!(export.body["numberClaims"], json!([]));
    assert_eq!(world.delete("/v1/account").bearer(bearer(&ming)).send().status, 202);
    world.pass(DAY * 16);
    world.run_alarms();
    assert_eq!((queue(&world, "open").len(), queue(&world, "expired").len()), (0, 1));
    state(&world, &id, held.text("/device/token")).is_problem(404, "not_found");
}

#[test]
fn strangers_take_each_others_room_and_not_that_of_his_devices() {
    let world = World::new();
    let first = ming(&world);
    let token = device_token(&first).to_owned();
    world.pass(SOLD_AGAIN);
    let from = |address: &str, token: Option<&str>| {
        let mut body = crate::world::client::login_body("cmcc", &world.providers.token(NUMBER));
        if let Some(token) = token {
            body["device"] = device_with(token);
        }
        let held = world.post("/v1/one-tap/login", &body).from(address).send();
        assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
        let token = held.body.pointer("/device/token").and_then(Value::as_str).or(token).unwrap();
        appeal_on(&world, &held, token, &vague())
    };
    let one = from("198.51.100.1", None);
    assert_eq!(one.status, 202);
    from("198.51.100.2", None).is_problem(429, "rate_limited");
    decide(&world, &key(&world, "anna"), one.text("/id"), "refuse");
    assert_eq!(from("198.51.100.1", None).status, 202, "one at a time");
    for network in 2..6 {
        assert_eq!(from(&format!("198.51.{network}.1"), None).status, 202, "{network}");
    }
    from("203.0.113.9", None).is_problem(429, "rate_limited");
    let his = from("203.0.113.9", Some(&token));
    assert_eq!(his.status, 202, "{}", his.body);
    assert_eq!(queue(&world, "open").len(), 6);
}

#[test]
fn what_is_told_is_read_strictly() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    let names = |answers: &Value| {
        let refused = appeal(&world, &held, answers);
        refused.is_problem(400, "invalid_request");
        refused.body["fields"][0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(names(&json!([])), "answers");
    assert_eq!(names(&json!([{"question": "mother", "text": "x"}])), "answers.0.question");
    assert_eq!(names(&json!([{"question": "devices", "text": "x".repeat(121)}])), "answers.0.text");
    let twice = json!([{"question": "devices", "text": "a"}, {"question": "devices", "text": "b"}]);
    assert_eq!(names(&twice), "answers.1.question");
    // One that the carrier has given to somebody else is refused at once.
    let missing = json!({"device": {"token": device_token(&held)}, "answers": vague()});
    world.post("/v1/appeals", &missing).send().is_problem(400, "invalid_request");
}
