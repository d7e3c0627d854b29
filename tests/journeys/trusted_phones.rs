//! Trusted phones: other numbers that may confirm a new device, and are nobody's way in.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    login::claims,
    numbers::{later, one_tap, otp},
};
use crate::world::{
    Answer, World,
    client::{DEVICE_NAME, device},
};

const PHONE: &str = "13800138000";
const FRIEND: &str = "13900139000";
const STRANGER: &str = "19912345678";
const DAY: Duration = Duration::from_secs(86_400);
const STALE: Duration = Duration::from_secs(601);
const PATH: &str = "/v1/account/trusted-phones";

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn trust(world: &World, login: &Answer, phone: &str) -> Answer {
    let body = json!({"numberProof": one_tap(world, phone), "label": "妈妈 Mum"});
    world.post(PATH, &body).bearer(bearer(login)).send()
}

fn list(world: &World, login: &Answer) -> Vec<Value> {
    let list = world.get(PATH).bearer(bearer(login)).send();
    assert_eq!(list.status, 200, "{}", list.body);
    list.body["trustedPhones"].as_array().unwrap().clone()
}

fn remove(world: &World, login: &Answer, phone: &Value) -> Answer {
    world.delete(&format!("{PATH}/{}", phone["id"].as_str().unwrap())).bearer(bearer(login)).send()
}

fn protect(world: &World, login: &Answer) {
    let put = world.put("/v1/account/login-protection", &json!({"enabled": true}));
    assert_eq!(put.bearer(bearer(login)).send().status, 204);
}

/// An owner who is asked about new devices, and trusts a phone.
fn owner(world: &World) -> (Answer, Value) {
    let login = world.login(PHONE).signed_in();
    let phone = trust(world, &login, FRIEND);
    assert_eq!(phone.status, 201, "{}", phone.body);
    protect(world, &login);
    (login, phone.body)
}

fn held(world: &World) -> Answer {
    let held = world.login(PHONE);
    assert_eq!((held.status, &held.body["status"]), (200, &json!("step_up_required")), "{}", held.body);
    held
}

fn at(world: &World, step: &str, held: &Answer, more: &Value) -> Answer {
    let mut body = json!({"ticket": held.text("/ticket"), "device": {"token": held.text("/device/token")}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.post(&format!("/v1/step-up/{step}"), &body).send()
}

fn start(world: &World, held: &Answer, phone: &Value) -> Answer {
    at(world, "start", held, &json!({"method": "trusted_phone", "id": phone["id"]}))
}

fn complete(world: &World, held: &Answer, challenge: &str, code: &str) -> Answer {
    at(world, "complete", held, &json!({"method": "trusted_phone", "challengeId": challenge, "code": code}))
}

/// Another code than this one.
fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[test]
fn up_to_five_are_named_proven_again_and_removed() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    assert_eq!(list(&world, &login), [Value::Null; 0]);
    let first = trust(&world, &login, FRIEND);
    assert_eq!(first.status, 201, "{}", first.body);
    let id = first.text("/id").to_owned();
    let expected = json!({"id": id, "phone": "+86139****9000", "label": "妈妈 Mum",
        "provenAt": "2026-11-20T04:00:00Z"});
    assert_eq!((&first.body, list(&world, &login)), (&expected, vec![expected.clone()]));
    // The same one again, by a code this time: the same entry, proven now.
    let login = later(&world, &login, DAY);
    let stale = world.post(PATH, &json!({"numberProof": otp(&world, &login, FRIEND, "trusted_phone")}));
    stale.bearer(bearer(&login)).send().is_problem(403, "reauthentication_required");
    let proof = json!({"proof": one_tap(&world, PHONE)});
    assert_eq!(world.post("/v1/session/proof", &proof).bearer(bearer(&login)).send().status, 204);
    world.pass(Duration::from_secs(60));
    let body = json!({"numberProof": otp(&world, &login, FRIEND, "trusted_phone")});
    let again = world.post(PATH, &body).bearer(bearer(&login)).send();
    assert_eq!((again.status, again.text("/id"), again.text("/label")), (201, id.as_str(), "妈妈 Mum"));
    assert_eq!(again.text("/provenAt"), "2026-11-21T04:01:00Z");
    // A code for something else is none for this.
    let body = json!({"numberProof": otp(&world, &login, STRANGER, "bind")});
    world.post(PATH, &body).bearer(bearer(&login)).send().is_problem(401, "otp_incorrect");
    // The account's own, and one too many.
    let own = trust(&world, &login, PHONE);
    own.is_problem(400, "invalid_request");
    assert!(own.body["fields"][0]["problem"].as_str().unwrap().contains("own number"), "{}", own.body);
    for nth in 0..4 {
        assert_eq!(trust(&world, &login, &format!("1860013800{nth}")).status, 201);
    }
    trust(&world, &login, "18600138009").is_problem(400, "invalid_request");
    assert_eq!(trust(&world, &login, FRIEND).status, 201, "known ones are not one more");
    // In an export in clear.
    let export = world.get("/v1/account/export").bearer(bearer(&login)).send().body;
    assert_eq!(export["trustedPhones"].as_array().unwrap().len(), 5);
    assert!(export["trustedPhones"].to_string().contains("+8613900139000"));
    // Removing takes a fresh proof as well.
    let login = later(&world, &login, STALE);
    remove(&world, &login, &expected).is_problem(403, "reauthentication_required");
    let proof = json!({"proof": one_tap(&world, PHONE)});
    assert_eq!(world.post("/v1/session/proof", &proof).bearer(bearer(&login)).send().status, 204);
    assert_eq!(remove(&world, &login, &expected).status, 204);
    remove(&world, &login, &expected).is_problem(404, "not_found");
    assert_eq!(list(&world, &login).len(), 4);
}

#[test]
fn a_trusted_phone_leads_nowhere_and_may_be_trusted_by_many() {
    let world = World::new();
    let (one, two) = (world.login(PHONE).signed_in(), world.login(STRANGER).signed_in());
    let ids = [trust(&world, &one, FRIEND), trust(&world, &two, FRIEND)].map(|phone| {
        assert_eq!(phone.status, 201, "{}", phone.body);
        phone.text("/id").to_owned()
    });
    assert_ne!(ids[0], ids[1]);
    let friend = world.login(FRIEND).signed_in();
    assert_eq!(friend.body["account"]["isNew"], true);
    // Nor does it prove who its owner's friend is.
    let stale = later(&world, &one, STALE);
    let proof = json!({"proof": one_tap(&world, FRIEND)});
    world.post("/v1/session/proof", &proof).bearer(bearer(&stale)).send().is_problem(403, "proof_failed");
    // Nothing of it stands in clear.
    world.run_alarms();
    for secret in [FRIEND, "妈妈 Mum", DEVICE_NAME] {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
}

#[test]
fn who_has_just_got_hold_of_the_number_names_none_and_removes_none() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let phone = trust(&world, &login, FRIEND).body;
    // Its session is fresh, but the device is new.
    let thief = world.login(PHONE).signed_in();
    trust(&world, &thief, STRANGER).is_problem(403, "reauthentication_required");
    remove(&world, &thief, &phone).is_problem(403, "reauthentication_required");
    assert_eq!(list(&world, &login).len(), 1);
}

#[test]
fn a_code_to_a_trusted_phone_signs_the_new_device_in() {
    let world = World::new();
    let (owner, phone) = owner(&world);
    let held = held(&world);
    let methods = json!([{"method": "device_approval", "strength": 3},
        {"method": "trusted_phone", "id": phone["id"], "hint": "+86139****9000", "strength": 2}]);
    assert_eq!((&held.body["methods"], &held.body["need"]), (&methods, &json!(2)));
    let started = start(&world, &held, &phone);
    assert_eq!(started.body["status"], "step_up_required", "{}", started.body);
    let challenge = &started.body["challenge"];
    assert_eq!(
        (&challenge["expiresIn"], &challenge["resendIn"], &challenge["codeLength"]),
        (&json!(300), &json!(60), &json!(6))
    );
    let challenge = challenge["challengeId"].as_str().unwrap();
    let code = world.phones.code(FRIEND);
    complete(&world, &held, challenge, wrong(&code)).is_problem(401, "otp_incorrect");
    let login = complete(&world, &held, challenge, &code).signed_in();
    assert_eq!(login.text("/account/id"), owner.text("/account/id"));
    assert_eq!(login.text("/device/trust"), "trusted", "as after an approval");
    assert_eq!(claims(login.text("/session/accessToken"))["amr"], json!(["one_tap", "step_up"]));
    // An answer that was lost is found again, and the code is spent.
    let again = at(&world, "state", &held, &json!({})).signed_in();
    assert_eq!(again.text("/session/id"), login.text("/session/id"));
    let again = complete(&world, &held, challenge, &code).signed_in();
    assert_eq!(again.text("/session/id"), login.text("/session/id"));
    // A friend cannot come in by it: the code counts at this ticket alone.
    let other = world.login(PHONE);
    complete(&world, &other, challenge, &code).is_problem(401, "otp_incorrect");
}

#[test]
fn a_code_counts_for_its_ticket_on_its_device_and_for_nothing_else() {
    let world = World::new();
    let (_, phone) = owner(&world);
    let (mine, thiefs) = (held(&world), held(&world));
    let started = start(&world, &mine, &phone);
    let (challenge, code) = (started.text("/challenge/challengeId"), world.phones.code(FRIEND));
    complete(&world, &thiefs, challenge, &code).is_problem(401, "otp_incorrect");
    let stolen = json!({"ticket": mine.text("/ticket"), "device": {"token": thiefs.text("/device/token")},
        "method": "trusted_phone", "challengeId": challenge, "code": code});
    world.post("/v1/step-up/complete", &stolen).send().is_problem(410, "ticket_invalid");
    world.otp_login(challenge, &code).send().is_problem(401, "otp_incorrect");
    // A number's own code for signing in confirms nothing.
    world.pass(Duration::from_secs(61));
    let sign_in = world.send_otp(FRIEND).send().challenge();
    complete(&world, &mine, &sign_in, &world.phones.code(FRIEND)).is_problem(401, "otp_incorrect");
    // Bad input is named.
    for (step, more, field) in [
        ("start", json!({"method": "trusted_phone"}), "id"),
        ("start", json!({"method": "trusted_phone", "id": "x"}), "id"),
        ("start", json!({"method": "device_approval", "id": phone["id"]}), "id"),
        ("complete", json!({"method": "trusted_phone", "code": "123456"}), "challengeId"),
    ] {
        let answer = at(&world, step, &mine, &more);
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], field);
    }
    let unknown = json!({"method": "trusted_phone", "id": "tph_aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    at(&world, "start", &mine, &unknown).is_problem(404, "not_found");
}

#[test]
fn one_decision_counts_the_first() {
    let world = World::new();
    let (owner, phone) = owner(&world);
    let ask = |held: &Answer| {
        let approval = json!({"method": "device_approval"});
        let digits = at(&world, "start", held, &approval).text("/approval/match").to_owned();
        let list = world.get("/v1/approvals").bearer(bearer(&owner)).send();
        let id = list.body["approvals"].as_array().unwrap().last().unwrap()["id"].clone();
        (format!("/v1/approvals/{}", id.as_str().unwrap()), digits)
    };
    let deny = |path: &str| world.post(path, &json!({"decision": "deny"})).bearer(bearer(&owner)).send();
    // A no: no code helps any more.
    let first = held(&world);
    let started = start(&world, &first, &phone);
    let (path, _) = ask(&first);
    assert_eq!(deny(&path).status, 204);
    let code = world.phones.code(FRIEND);
    let challenge = started.text("/challenge/challengeId");
    complete(&world, &first, challenge, &code).is_problem(403, "proof_failed");
    start(&world, &first, &phone).is_problem(403, "proof_failed");
    // The code first: nobody is asked any more.
    world.pass(Duration::from_secs(61));
    let second = held(&world);
    let (path, _) = ask(&second);
    let started = start(&world, &second, &phone);
    let code = world.phones.code(FRIEND);
    complete(&world, &second, started.text("/challenge/challengeId"), &code).signed_in();
    deny(&path).is_problem(404, "not_found");
    let list = world.get("/v1/approvals").bearer(bearer(&owner)).send();
    assert_eq!(list.body["approvals"], json!([]));
}

#[test]
fn who_knows_the_number_asks_by_it_and_of_others_nothing_is_said() {
    let world = World::new();
    let (_, _) = owner(&world);
    let held = held(&world);
    let send = |phone: &str, token: &str| {
        let mut device = device();
        device["token"] = json!(token);
        let body = json!({"phone": phone, "purpose": "step_up", "ticket": held.text("/ticket"),
            "device": device});
        world.post("/v1/otp/send", &body).send()
    };
    let token = held.text("/device/token");
    send(STRANGER, token).is_problem(410, "ticket_invalid");
    send(PHONE, token).is_problem(410, "ticket_invalid");
    assert!(world.phones.texts(STRANGER).is_empty() && world.phones.texts(PHONE).is_empty());
    let challenge = send(FRIEND, token).challenge();
    complete(&world, &held, &challenge, &world.phones.code(FRIEND)).signed_in();
}

#[test]
fn numbers_are_not_found_out_by_trying() {
    let world = World::new();
    let (_, phone) = owner(&world);
    let held = held(&world);
    let guess = |nth: usize| {
        let mut device = device();
        device["token"] = json!(held.text("/device/token"));
        let body = json!({"phone": format!("1391234567{nth}"), "purpose": "step_up",
            "ticket": held.text("/ticket"), "device": device});
        world.post("/v1/otp/send", &body).send()
    };
    for nth in 0..10 {
        guess(nth).is_problem(410, "ticket_invalid");
    }
    guess(0).is_problem(429, "rate_limited");
    let limited = start(&world, &held, &phone);
    limited.is_problem(429, "rate_limited");
    assert!(limited.body["retryAfter"].as_u64().is_some_and(|wait| (3600..=3601).contains(&wait)));
    // Approvals are a matter of their own.
    assert_eq!(at(&world, "start", &held, &json!({"method": "device_approval"})).status, 200);
}

#[test]
fn a_phone_that_was_proven_long_ago_or_removed_is_not_asked() {
    let world = World::with(|name| (name == "STEP_UP_SECONDS").then(|| "3600".to_owned()));
    let (owner, phone) = owner(&world);
    let methods = |held: &Answer| held.body["methods"].as_array().unwrap().len();
    let first = held(&world);
    assert_eq!(methods(&first), 2);
    let started = start(&world, &first, &phone);
    let code = world.phones.code(FRIEND);
    assert_eq!(remove(&world, &owner, &phone).status, 204);
    let refused = complete(&world, &first, started.text("/challenge/challengeId"), &code);
    refused.is_problem(403, "proof_failed");
    assert_eq!(methods(&held(&world)), 1);
    start(&world, &first, &phone).is_problem(404, "not_found");
    // Numbers get other owners: after 120 days it is not asked any more. The device of the owner is used meanwhile.
    let phone = trust(&world, &owner, FRIEND).body;
    let mut login = owner;
    for _ in 0..6 {
        login = later(&world, &login, 20 * DAY - Duration::from_secs(1));
    }
    let last = held(&world);
    assert_eq!(methods(&last), 2);
    world.pass(Duration::from_secs(6));
    assert_eq!(methods(&held(&world)), 1);
    start(&world, &last, &phone).is_problem(404, "not_found");
}

#[test]
fn a_trusted_phone_alone_is_somebody_who_can_be_asked() {
    let world = World::new();
    let (login, phone) = owner(&world);
    // Nobody used the trusted device for 90 days: without the phone protection would rest.
    world.pass(100 * DAY);
    let waits = held(&world);
    assert_eq!(waits.body["methods"][0]["method"], "trusted_phone");
    assert_eq!(waits.body["methods"].as_array().unwrap().len(), 1, "no device can be asked");
    let started = start(&world, &waits, &phone);
    let code = world.phones.code(FRIEND);
    let back = complete(&world, &waits, started.text("/challenge/challengeId"), &code).signed_in();
    assert_eq!(back.text("/account/id"), login.text("/account/id"));
    // And whoever came in so can go on.
    assert_eq!(trust(&world, &back, STRANGER).status, 201);
    assert_eq!(remove(&world, &back, &phone).status, 204);
}

#[test]
fn a_number_that_becomes_the_accounts_own_is_trusted_no_more() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    trust(&world, &login, FRIEND);
    trust(&world, &login, STRANGER);
    let body = json!({"numberProof": one_tap(&world, FRIEND)});
    assert_eq!(world.put("/v1/account/phone", &body).bearer(bearer(&login)).send().status, 204);
    let left = list(&world, &login);
    assert_eq!((left.len(), &left[0]["phone"]), (1, &json!("+86199****5678")));
}

#[test]
fn a_lost_answer_is_repeated_under_its_key() {
    let world = World::new();
    let (_, phone) = owner(&world);
    let held = held(&world);
    let body = json!({"ticket": held.text("/ticket"), "device": {"token": held.text("/device/token")},
        "method": "trusted_phone", "id": phone["id"]});
    let key = "Zk7Qp2LmXw9TbR4sVn6YcA";
    let starts = [0, 1].map(|_| world.post("/v1/step-up/start", &body).key(key).send());
    assert_eq!(starts[0].text("/challenge/challengeId"), starts[1].text("/challenge/challengeId"));
    assert_eq!(world.phones.texts(FRIEND).len(), 1, "one message");
    let mut body = body;
    body.as_object_mut().unwrap().remove("id");
    body["challengeId"] = json!(starts[0].text("/challenge/challengeId"));
    body["code"] = json!(world.phones.code(FRIEND));
    // The code is taken, and then the account does not answer.
    world.faults.break_call(crate::world::Port::Account, 1, crate::world::Broken::Before);
    world.faults.break_call(crate::world::Port::Account, 2, crate::world::Broken::Before);
    let key = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    let first = world.post("/v1/step-up/complete", &body).key(key).send();
    assert_eq!(first.status, 500, "{}", first.body);
    world.post("/v1/step-up/complete", &body).key(key).send().signed_in();
}

#[test]
fn where_protection_waited_for_somebody_to_ask_the_devices_in_use_go_on() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let on_browser = |token: Option<&str>| {
        let mut body = json!({"credential": {"provider": "cmcc", "token": world.providers.token(PHONE)},
            "device": {"name": "Chromium", "platform": "web"}});
        token.into_iter().for_each(|token| body["device"]["token"] = json!(token));
        world.post("/v1/one-tap/login", &body).send()
    };
    // Nobody carries a browser around, so nobody can be asked: until a phone is trusted.
    let login = on_browser(None).signed_in();
    let token = login.text("/device/token").to_owned();
    assert_eq!(trust(&world, &login, FRIEND).status, 201);
    on_browser(Some(&token)).signed_in();
    assert_eq!(on_browser(None).body["reason"], "new_device");
}
