//! Passwords: one for all identifiers, no word about who has an account, and guesses that run out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{
    Answer, Port, World,
    client::{device, device_with},
};

pub(super) const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
pub(super) const GOOD: &str = "tnrkx-qumbelhof";
const BETTER: &str = "vlimp oster gandel";

pub(super) fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn set(world: &World, login: &Answer, body: &Value) -> Answer {
    world.put("/v1/account/password", body).bearer(bearer(login)).send()
}

pub(super) fn log_in(world: &World, identifier: &str, password: &str) -> Answer {
    log_in_on(world, identifier, password, &device())
}

pub(super) fn log_in_on(world: &World, identifier: &str, password: &str, device: &Value) -> Answer {
    let body = json!({"identifier": identifier, "password": password, "device": device});
    world.post("/v1/password/login", &body).send()
}

/// Somebody with a user name and a password.
pub(super) fn person(world: &World) -> Answer {
    let login = world.login(PHONE).signed_in();
    let name = json!({"username": "XiaoMing77"});
    assert_eq!(
        world.post("/v1/account/identities/username", &name).bearer(bearer(&login)).send().status,
        204
    );
    assert_eq!(set(world, &login, &json!({"newPassword": GOOD})).status, 204);
    login
}

fn refresh(world: &World, login: &Answer) -> Answer {
    world.post("/v1/session/refresh", &json!({"refreshToken": login.text("/session/refreshToken")})).send()
}

fn proof(world: &World, login: Option<&Answer>, phone: &str, purpose: &str) -> Value {
    let mut ask =
        world.post("/v1/otp/send", &json!({"phone": phone, "purpose": purpose, "device": device()}));
    if let Some(login) = login {
        ask = ask.bearer(bearer(login));
    }
    let challenge = ask.send().challenge();
    json!({"type": "otp", "challengeId": challenge, "code": world.phones.code(phone)})
}

#[test]
fn one_password_for_every_identifier_and_the_old_one_nowhere() {
    let world = World::new();
    let login = person(&world);
    let identifiers = [PHONE, "+8613800138000", " xiaoming77 ", "XIAOMING77"];
    for identifier in identifiers {
        let answer = log_in(&world, identifier, GOOD).signed_in();
        assert_eq!(answer.body["account"]["id"], login.body["account"]["id"]);
        let session = world.get("/v1/session").bearer(bearer(&answer)).send();
        assert_eq!(session.body["amr"], json!(["pwd"]));
    }
    assert_eq!(set(&world, &login, &json!({"newPassword": BETTER, "currentPassword": GOOD})).status, 204);
    for identifier in identifiers {
        log_in(&world, identifier, GOOD).is_problem(401, "invalid_credentials");
        log_in(&world, identifier, BETTER).signed_in();
    }
}

#[test]
fn nobody_learns_whether_there_is_an_account() {
    let world = World::new();
    person(&world);
    world.login(OTHER).signed_in();
    let look = |identifier: &str| {
        world.faults.take_trace();
        let mut answer = log_in(&world, identifier, "something else");
        answer.is_problem(401, "invalid_credentials");
        answer.body.as_object_mut().unwrap().remove("requestId");
        (answer.body, world.faults.take_trace())
    };
    let wrong = look(PHONE);
    // A number may have led to others before; nothing else is sold again.
    let hashes = |trace: &[Port]| trace.iter().filter(|port| **port == Port::PasswordVerify).count();
    assert_eq!(hashes(&wrong.1), 4);
    for nobody in ["13700137000", OTHER] {
        assert_eq!(look(nobody), wrong, "{nobody}");
    }
    let wrong_by_name = look("xiaoming77");
    assert_eq!((&wrong_by_name.0, hashes(&wrong_by_name.1)), (&wrong.0, 1));
    for nobody in ["nobody", "nobody@nowhere.example", "小", "x y z"] {
        assert_eq!(look(nobody), wrong_by_name, "{nobody}");
    }
}

#[test]
fn a_new_password_takes_a_fresh_proof_or_the_old_one() {
    let world = World::new();
    let login = person(&world);
    world.pass(Duration::from_secs(601));
    let later = refresh(&world, &login);
    let refused = set(&world, &later, &json!({"newPassword": BETTER}));
    refused.is_problem(403, "reauthentication_required");
    assert_eq!(refused.body["proofs"], json!(["one_tap", "number_check", "otp", "pwd"]));
    set(&world, &later, &json!({"newPassword": BETTER, "currentPassword": BETTER}))
        .is_problem(403, "proof_failed");
    let both = json!({"newPassword": BETTER, "currentPassword": GOOD, "numberProof": {}});
    set(&world, &later, &both).is_problem(400, "invalid_request");
    log_in(&world, PHONE, GOOD).signed_in();
    let by_number = proof(&world, Some(&later), PHONE, "step_up");
    assert_eq!(set(&world, &later, &json!({"newPassword": BETTER, "numberProof": by_number})).status, 204);
    log_in(&world, PHONE, BETTER).signed_in();
    // It is a proof for other things, too.
    world.pass(Duration::from_secs(601));
    let later = refresh(&world, &later);
    let export = || world.get("/v1/account/export").bearer(bearer(&later)).send();
    export().is_problem(403, "reauthentication_required");
    let prove = |password: &str| {
        let body = json!({"proof": {"type": "password", "password": password}});
        world.post("/v1/session/proof", &body).bearer(bearer(&later)).send()
    };
    prove(GOOD).is_problem(403, "proof_failed");
    assert_eq!(prove(BETTER).status, 204);
    assert_eq!(export().status, 200);
}

#[test]
fn others_are_signed_out_by_choice() {
    let world = World::new();
    let login = person(&world);
    let tablet = world.login(PHONE).signed_in();
    assert_eq!(set(&world, &login, &json!({"newPassword": BETTER})).status, 204);
    let tablet = refresh(&world, &tablet);
    assert_eq!(tablet.status, 200);
    assert_eq!(set(&world, &login, &json!({"newPassword": GOOD, "signOutOthers": true})).status, 204);
    refresh(&world, &tablet).is_problem(401, "session_revoked");
    assert_eq!(refresh(&world, &login).status, 200);
}

#[test]
fn weak_passwords_are_refused_by_name_before_anything_is_spent() {
    let world = World::new();
    let login = person(&world);
    for weak in ["1234567", "password1", "XiaoMing77!", "13800138000", &"x".repeat(129)] {
        let answer = set(&world, &login, &json!({"newPassword": weak}));
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], "newPassword", "{weak}");
        assert!(!answer.body.to_string().contains(weak));
    }
    let proof = proof(&world, None, PHONE, "reset_password");
    let reset = |password: &str| {
        let body = json!({"numberProof": proof, "newPassword": password, "device": device()});
        world.post("/v1/password/reset", &body).send()
    };
    reset("password1").is_problem(400, "invalid_request");
    reset(BETTER).signed_in();
}

#[test]
fn a_reset_takes_a_code_for_it_signs_in_and_ends_all_else() {
    let world = World::new();
    let login = person(&world);
    let reset = |proof: &Value| {
        let body = json!({"numberProof": proof, "newPassword": BETTER, "device": device()});
        world.post("/v1/password/reset", &body).send()
    };
    reset(&proof(&world, None, PHONE, "login")).is_problem(401, "otp_incorrect");
    world.pass(Duration::from_secs(60));
    let good = proof(&world, None, PHONE, "reset_password");
    let mut wrong = good.clone();
    wrong["code"] = json!(if good["code"] == "000000" { "000001" } else { "000000" });
    reset(&wrong).is_problem(401, "otp_incorrect");
    let answer = reset(&good).signed_in();
    assert_eq!(answer.body["account"]["id"], login.body["account"]["id"]);
    reset(&good).is_problem(401, "otp_incorrect");
    refresh(&world, &login).is_problem(401, "session_revoked");
    log_in(&world, "xiaoming77", GOOD).is_problem(401, "invalid_credentials");
    log_in(&world, "xiaoming77", BETTER).signed_in();
    // Whoever has no account is new, as with any proof of a number.
    let stranger = reset(&proof(&world, None, OTHER, "reset_password")).signed_in();
    assert_eq!(stranger.body["account"]["isNew"], true);
    log_in(&world, OTHER, BETTER).signed_in();
}

#[test]
fn login_protection_holds_passwords_and_resets_up_too() {
    let world = World::new();
    let owner = person(&world);
    let on = json!({"enabled": true});
    assert_eq!(world.put("/v1/account/login-protection", &on).bearer(bearer(&owner)).send().status, 204);
    let held = log_in(&world, PHONE, GOOD);
    assert_eq!((held.status, &held.body["status"]), (200, &json!("step_up_required")));
    let proof = proof(&world, None, PHONE, "reset_password");
    let body = json!({"numberProof": proof, "newPassword": BETTER, "device": device()});
    let held = world.post("/v1/password/reset", &body).send();
    assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
    // Nothing has changed until it is confirmed.
    let own = device_with(owner.text("/device/token"));
    log_in_on(&world, PHONE, BETTER, &own).is_problem(401, "invalid_credentials");
    let owner = log_in_on(&world, PHONE, GOOD, &own).signed_in();
    let waiting = device_with(held.text("/device/token"));
    let ticket = held.text("/ticket");
    let start = json!({"ticket": ticket, "device": waiting, "method": "device_approval"});
    let asked = world.post("/v1/step-up/start", &start).send();
    let list = world.get("/v1/approvals").bearer(bearer(&owner)).send();
    let id = list.body["approvals"][0]["id"].as_str().unwrap().to_owned();
    let yes = json!({"decision": "approve", "match": asked.text("/approval/match")});
    assert_eq!(world.post(&format!("/v1/approvals/{id}"), &yes).bearer(bearer(&owner)).send().status, 204);
    world.post("/v1/step-up/state", &json!({"ticket": ticket, "device": waiting})).send().signed_in();
    log_in_on(&world, PHONE, BETTER, &own).signed_in();
    log_in_on(&world, PHONE, GOOD, &own).is_problem(401, "invalid_credentials");
}

#[test]
fn a_number_that_was_given_up_registers_anew_and_the_name_leads_to_the_old_account() {
    let world = World::new();
    let login = person(&world);
    world.run_alarms();
    let unbind =
        |kind: &str| world.delete(&format!("/v1/account/identities/{kind}")).bearer(bearer(&login)).send();
    assert_eq!(unbind("phone").status, 204);
    unbind("username").is_problem(409, "last_identity");
    // Before the handle has heard of it.
    let new = world.login(PHONE).signed_in();
    assert_eq!(new.body["account"]["isNew"], true);
    world.run_alarms();
    assert_eq!(world.login(PHONE).signed_in().body["account"]["id"], new.body["account"]["id"]);
    let old = log_in(&world, "xiaoming77", GOOD).signed_in();
    assert_eq!(old.body["account"]["id"], login.body["account"]["id"]);
    assert_eq!(old.body["account"].get("phone"), None);
    log_in(&world, PHONE, GOOD).is_problem(401, "invalid_credentials");
}

#[test]
fn no_password_is_kept_or_logged() {
    let world = World::new();
    person(&world);
    log_in(&world, PHONE, GOOD).signed_in();
    log_in(&world, PHONE, BETTER).is_problem(401, "invalid_credentials");
    world.run_alarms();
    for secret in [GOOD, BETTER, "$argon2id", "xiaoming77", "XiaoMing77"] {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
}
