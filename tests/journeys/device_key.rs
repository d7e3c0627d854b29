//! Devices with a key: tokens that somebody copied are worth nothing without it.

use std::time::Duration;

use onetap::ports::Clock;
use serde_json::{Value, json};

use crate::world::{
    Answer, World,
    client::{device, device_with, login_body},
    device_key::{ED25519, Key, OTHER_P256, P256},
};

const PHONE: &str = "13800138000";
const LOGIN: &str = "/v1/one-tap/login";
const REFRESH: &str = "/v1/session/refresh";

fn url(world: &World, path: &str) -> String {
    format!("{}{path}", world.settings.issuer)
}

fn proof(world: &World, key: &Key, path: &str, id: &str) -> String {
    key.proof("POST", &url(world, path), id, world.now().secs())
}

fn log_in(world: &World, device: Value, proof: Option<&str>) -> Answer {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["device"] = device;
    let ask = world.post(LOGIN, &body);
    match proof {
        Some(proof) => ask.header("dpop", proof).send(),
        None => ask.send(),
    }
}

fn with_key(mut device: Value, key: &Key) -> Value {
    device["key"] = key.jwk();
    device
}

fn refresh(world: &World, login: &Answer, proof: Option<&str>) -> Answer {
    let ask = world.post(REFRESH, &json!({"refreshToken": login.text("/session/refreshToken")}));
    match proof {
        Some(proof) => ask.header("dpop", proof).send(),
        None => ask.send(),
    }
}

fn is_refused(answer: &Answer) {
    answer.is_problem(401, "unauthenticated");
    assert_eq!(answer.body["fields"][0]["name"], "DPoP", "{}", answer.body);
}

#[test]
fn a_stolen_refresh_token_is_refused_without_the_key() {
    for key in [P256, ED25519] {
        let world = World::new();
        let enrolled = proof(&world, &key, LOGIN, "enrol");
        let login = log_in(&world, with_key(device(), &key), Some(&enrolled)).signed_in();
        is_refused(&refresh(&world, &login, None));
        is_refused(&refresh(&world, &login, Some(&proof(&world, &OTHER_P256, REFRESH, "thief"))));
        // Who has the key goes on: nothing was ended by the attempts.
        let first = proof(&world, &key, REFRESH, "first");
        let next = refresh(&world, &login, Some(&first));
        assert_eq!(next.status, 200, "{}", next.body);
        is_refused(&refresh(&world, &next, Some(&first)));
        // A lost answer is asked for again with a proof of its own, and is the same.
        let again = refresh(&world, &login, Some(&proof(&world, &key, REFRESH, "second")));
        assert_eq!(again.text("/session/refreshToken"), next.text("/session/refreshToken"));
    }
}

#[test]
fn a_proof_is_for_one_request_and_one_moment() {
    let world = World::new();
    let enrolled = proof(&world, &P256, LOGIN, "enrol");
    let login = log_in(&world, with_key(device(), &P256), Some(&enrolled)).signed_in();
    let (here, now) = (url(&world, REFRESH), world.now().secs());
    let good = P256.proof("POST", &here, "0", now);
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    for wrong in [
        P256.proof("GET", &here, "1", now),
        P256.proof("POST", &url(&world, LOGIN), "2", now),
        P256.proof("POST", &here.replacen("https://", "https://evil.", 1), "3", now),
        P256.proof("POST", &here, "4", now - 300),
        P256.proof("POST", &here, "5", now + 301),
        P256.sign(&json!({"jti": "6", "htm": "POST", "htu": here})),
        forged,
        "no proof".to_owned(),
    ] {
        is_refused(&refresh(&world, &login, Some(&wrong)));
    }
    for (id, issued_at) in [("7", now - 299), ("8", now + 299)] {
        let good = P256.proof("POST", &format!("{here}?a=b#c"), id, issued_at);
        assert_eq!(refresh(&world, &login, Some(&good)).status, 200, "{id}");
    }
    // It is remembered to its last moment.
    let ahead = P256.proof("POST", &here, "9", now + 290);
    assert_eq!(refresh(&world, &login, Some(&ahead)).status, 200);
    world.pass(Duration::from_secs(589));
    is_refused(&refresh(&world, &login, Some(&ahead)));
}

#[test]
fn a_device_with_a_key_is_known_by_it_and_not_by_its_token() {
    let world = World::new();
    let enrolled = proof(&world, &P256, LOGIN, "enrol");
    let login = log_in(&world, with_key(device(), &P256), Some(&enrolled)).signed_in();
    let (id, token) = (login.text("/device/id"), login.text("/device/token"));
    // A copy of the token is a new device.
    let copy = log_in(&world, device_with(token), None).signed_in();
    assert_ne!(copy.text("/device/id"), id);
    // The key alone is the device; a token comes along, as this client seems to have lost its own.
    let by_key =
        log_in(&world, with_key(device(), &P256), Some(&proof(&world, &P256, LOGIN, "2"))).signed_in();
    assert_eq!(by_key.text("/device/id"), id);
    assert_ne!(by_key.text("/device/token"), token);
    let both = with_key(device_with(by_key.text("/device/token")), &P256);
    let both = log_in(&world, both, Some(&proof(&world, &P256, LOGIN, "3"))).signed_in();
    assert_eq!((both.text("/device/id"), &both.body["device"]["token"]), (id, &Value::Null));
    // A proof that was seen does not sign in, nor does another key on this token.
    is_refused(&log_in(&world, with_key(device(), &P256), Some(&proof(&world, &P256, LOGIN, "3"))));
    let other = with_key(device_with(by_key.text("/device/token")), &OTHER_P256);
    let other = log_in(&world, other, Some(&proof(&world, &OTHER_P256, LOGIN, "4"))).signed_in();
    assert_ne!(other.text("/device/id"), id);
}

#[test]
fn a_key_can_be_added_to_a_device_and_must_be_proven() {
    let world = World::new();
    let login = log_in(&world, device(), None).signed_in();
    let with_token = || device_with(login.text("/device/token"));
    let unproven = log_in(&world, with_key(with_token(), &P256), None);
    unproven.is_problem(400, "invalid_request");
    assert_eq!(unproven.body["fields"][0]["name"], "DPoP");
    let foreign = log_in(&world, with_key(with_token(), &P256), Some(&proof(&world, &ED25519, LOGIN, "1")));
    foreign.is_problem(400, "invalid_request");
    assert_eq!(foreign.body["fields"][0]["name"], "device.key");
    for jwk in [
        json!({"kty": "RSA", "crv": "P-256", "x": "AA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "Ed25519"}),
        json!("a key"),
    ] {
        let mut device = with_token();
        device["key"] = jwk;
        log_in(&world, device, Some(&proof(&world, &P256, LOGIN, "2"))).is_problem(400, "invalid_request");
    }
    let bound = log_in(&world, with_key(with_token(), &P256), Some(&proof(&world, &P256, LOGIN, "3")));
    assert_eq!(bound.signed_in().text("/device/id"), login.text("/device/id"));
    // From now on, also for the session that was there before.
    is_refused(&refresh(&world, &login, None));
    assert_eq!(refresh(&world, &login, Some(&proof(&world, &P256, REFRESH, "4"))).status, 200);
}

#[test]
fn a_copied_token_takes_nothing_from_the_budget_of_the_owners_device() {
    let world = World::new();
    let enrolled = proof(&world, &P256, LOGIN, "enrol");
    let login = log_in(&world, with_key(device(), &P256), Some(&enrolled)).signed_in();
    world.run_alarms();
    let send = "/v1/otp/send";
    let body = json!({"phone": PHONE, "device": device_with(login.text("/device/token"))});
    for nth in 0..5 {
        world.pass(Duration::from_secs(601));
        assert_eq!(world.post(send, &body).send().status, 202, "{nth}");
    }
    world.post(send, &body).send().is_problem(429, "rate_limited");
    let owner = world.post(send, &body).header("dpop", &proof(&world, &P256, send, "1")).send();
    assert_eq!(owner.status, 202, "{}", owner.body);
}

#[test]
fn device_tokens_are_exchanged_after_a_month() {
    let world = World::new();
    let day = Duration::from_secs(86_400);
    let first = world.login(PHONE).signed_in();
    world.pass(day * 31);
    let second = log_in(&world, device_with(first.text("/device/token")), None).signed_in();
    let id = first.text("/device/id");
    assert_eq!(second.text("/device/id"), id);
    assert_ne!(second.text("/device/token"), first.text("/device/token"));
    world.run_alarms();
    assert_eq!(world.device_records().len(), 2, "both are good until the new one is seen");
    // The answer was lost: the old one still is the device, and gets another.
    let third = log_in(&world, device_with(first.text("/device/token")), None).signed_in();
    assert_eq!(third.text("/device/id"), id);
    let lost = log_in(&world, device_with(second.text("/device/token")), None).signed_in();
    assert_ne!(lost.text("/device/id"), id, "a token that never arrived is nobody's");
    // Once the new one has been seen, who comes with the old one has a copy.
    let seen = log_in(&world, device_with(third.text("/device/token")), None).signed_in();
    assert_eq!((seen.text("/device/id"), &seen.body["device"]["token"]), (id, &Value::Null));
    let copy = log_in(&world, device_with(first.text("/device/token")), None).signed_in();
    assert_ne!(copy.text("/device/id"), id);
    world.run_alarms();
    assert_eq!(world.device_records().len(), 3, "one for each of three devices");
}

#[test]
fn under_login_protection_a_device_with_a_key_gets_a_ticket_that_it_can_use() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    // A device that the account knows by its key, and that is new all the same.
    let enrolled = proof(&world, &P256, LOGIN, "enrol");
    let keyed = log_in(&world, with_key(device(), &P256), Some(&enrolled)).signed_in();
    let bearer = owner.text("/session/accessToken");
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(on.status, 204);
    let held = log_in(&world, with_key(device(), &P256), Some(&proof(&world, &P256, LOGIN, "2")));
    assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
    let start = "/v1/step-up/start";
    let body = json!({"ticket": held.text("/ticket"), "device": {"token": held.text("/device/token")},
        "method": "device_approval"});
    is_refused(&world.post(start, &body).send());
    let started = world.post(start, &body).header("dpop", &proof(&world, &P256, start, "3")).send();
    let list = world.get("/v1/approvals").bearer(bearer).send();
    let path = format!("/v1/approvals/{}", list.text("/approvals/0/id"));
    let yes = json!({"decision": "approve", "match": started.text("/approval/match")});
    assert_eq!(world.post(&path, &yes).bearer(bearer).send().status, 204);
    let complete = "/v1/step-up/complete";
    let login = world.post(complete, &body).header("dpop", &proof(&world, &P256, complete, "4")).send();
    assert_eq!(login.signed_in().text("/device/id"), keyed.text("/device/id"));
    // Its token is now the one that came with the ticket.
    let both = with_key(device_with(held.text("/device/token")), &P256);
    let back = log_in(&world, both, Some(&proof(&world, &P256, LOGIN, "5"))).signed_in();
    assert_eq!(
        (back.text("/device/id"), &back.body["device"]["token"]),
        (keyed.text("/device/id"), &Value::Null)
    );
}

#[test]
fn under_login_protection_a_copied_token_binds_no_key() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    let bearer = owner.text("/session/accessToken");
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(on.status, 204);
    let copy = with_key(device_with(owner.text("/device/token")), &P256);
    let held = log_in(&world, copy, Some(&proof(&world, &P256, LOGIN, "1")));
    assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
    assert_eq!(refresh(&world, &owner, None).status, 200);
    log_in(&world, device_with(owner.text("/device/token")), None).signed_in();
}
