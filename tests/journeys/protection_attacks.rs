//! Ways past login protection, and of turning it against its owner, that somebody tried.

use std::time::Duration;

use onetap::ports::Clock;
use serde_json::{Value, json};

use super::login_protection::{PHONE, answer, asked, at, get, log_in_on, pending, protect, protected, waits};
use crate::world::{
    Answer, World,
    client::{device, device_with},
    device_key::P256,
};

const DAY: Duration = Duration::from_secs(86_400);

fn known_soon() -> World {
    World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "2".to_owned()))
}

fn refresh(world: &World, login: &Answer) -> Answer {
    world.post("/v1/session/refresh", &json!({"refreshToken": login.text("/session/refreshToken")})).send()
}

fn sign_out(world: &World, login: &Answer, path: &str) -> Answer {
    world.delete(path).bearer(login.text("/session/accessToken")).send()
}

fn device_path(login: &Answer) -> String {
    format!("/v1/devices/{}", login.text("/device/id"))
}

fn patch(world: &World, login: &Answer, path: &str, body: &Value) -> Answer {
    world.patch(path, body).bearer(login.text("/session/accessToken")).send()
}

fn approve(world: &World, owner: &Answer, (digits, id): (&str, &str)) {
    let yes = json!({"decision": "approve", "match": digits});
    assert_eq!(answer(world, owner, id, &yes).status, 204);
}

#[test]
fn who_was_in_before_does_not_come_to_be_known_by_waiting() {
    let world = known_soon();
    let owner = world.login(PHONE).signed_in();
    let stranger = world.login(PHONE).signed_in();
    assert_eq!(protect(&world, &owner, true).status, 204);
    world.pass(DAY);
    let known = refresh(&world, &stranger);
    assert_eq!(known.status, 200);
    assert_eq!(get(&world, &known, "/v1/devices").body["devices"][1]["trust"], "known");
    waits(log_in_on(&world, device_with(stranger.text("/device/token"))));
}

#[test]
fn support_leads_out_of_it_and_not_back_in() {
    let world = World::new();
    let lost = protected(&world);
    let support = world.api_key("support", &["account:protect"]);
    let path = format!("/v1/accounts/{}/login-protection", lost.text("/account/id"));
    assert_eq!(world.put(&path, &json!({"enabled": false})).bearer(&support).send().status, 204);
    let owner = world.login(PHONE).signed_in();
    assert_eq!(get(&world, &owner, "/v1/devices").body["devices"][0]["trust"], "new");
    // It is of standing in a week; until then nobody is held up, least of all its owner.
    protect(&world, &owner, true).is_problem(403, "reauthentication_required");
    protect(&world, &lost, true).is_problem(403, "reauthentication_required");
    assert_eq!(sign_out(&world, &owner, "/v1/sessions").status, 204);
    refresh(&world, &lost).is_problem(401, "session_revoked");
    log_in_on(&world, device_with(owner.text("/device/token"))).signed_in();
}

#[test]
fn the_next_device_of_an_account_that_holds_money_is_not_the_first() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let first = world.login(PHONE).signed_in();
    assert_eq!(first.text("/device/trust"), "trusted");
    assert_eq!(sign_out(&world, &first, &device_path(&first)).status, 204);
    assert_eq!(world.login(PHONE).signed_in().text("/device/trust"), "new");
}

#[test]
fn who_proves_the_number_and_stops_is_seen() {
    let world = World::new();
    let owner = protected(&world);
    waits(world.login(PHONE));
    let history = get(&world, &owner, "/v1/login-history");
    assert_eq!((history.text("/events/0/event"), history.text("/events/0/method")), ("held", "one_tap"));
}

#[test]
fn all_others_means_those_too_that_were_let_in_and_have_not_come() {
    let world = World::new();
    let owner = protected(&world);
    let (ticket, digits, id) = asked(&world, &owner);
    approve(&world, &owner, (&digits, &id));
    assert_eq!(sign_out(&world, &owner, "/v1/sessions").status, 204);
    at(&world, "complete", &ticket).is_problem(410, "ticket_invalid");
    // So does a device that approved and is removed.
    let (ticket, digits, id) = asked(&world, &owner);
    approve(&world, &owner, (&digits, &id));
    assert_eq!(sign_out(&world, &owner, &device_path(&owner)).status, 204);
    at(&world, "complete", &ticket).is_problem(410, "ticket_invalid");
}

#[test]
fn a_removed_device_waits_no_more() {
    let world = World::new();
    let stranger_first = world.login(PHONE).signed_in();
    let other = world.login(PHONE).signed_in();
    assert_eq!(protect(&world, &stranger_first, true).status, 204);
    let ticket = waits(log_in_on(&world, device_with(other.text("/device/token"))));
    let body = json!({"ticket": ticket.text("/ticket"), "device": {"token": other.text("/device/token")},
        "method": "device_approval"});
    waits(world.post("/v1/step-up/start", &body).send());
    assert_eq!(pending(&world, &stranger_first).len(), 1);
    assert_eq!(sign_out(&world, &stranger_first, &device_path(&other)).status, 204);
    assert!(pending(&world, &stranger_first).is_empty());
    world.post("/v1/step-up/complete", &body).send().is_problem(410, "ticket_invalid");
}

#[test]
fn who_has_just_come_in_renames_and_removes_nobodys_device() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    let stranger = world.login(PHONE).signed_in();
    let rename = patch(&world, &stranger, &device_path(&owner), &json!({"name": "Attacker"}));
    rename.is_problem(403, "reauthentication_required");
    sign_out(&world, &stranger, &device_path(&owner)).is_problem(403, "reauthentication_required");
    assert_eq!(patch(&world, &stranger, &device_path(&stranger), &json!({"name": "mine"})).status, 204);
}

#[test]
fn trust_that_has_lapsed_can_be_given_again() {
    let world = known_soon();
    let owner = world.login(PHONE).signed_in();
    let trust = |login: &Answer| patch(&world, login, &device_path(login), &json!({"trusted": true})).status;
    assert_eq!(trust(&owner), 204);
    world.pass(DAY * 92);
    let back = log_in_on(&world, device_with(owner.text("/device/token"))).signed_in();
    assert_eq!(back.text("/device/trust"), "known");
    assert_eq!(trust(&back), 204);
    assert_eq!(get(&world, &back, "/v1/devices").body["devices"][0]["trust"], "trusted");
}

#[test]
fn a_ticket_of_a_device_with_a_key_takes_each_proof_once_and_ends_when_the_session_goes_on() {
    let world = World::new();
    let owner = protected(&world);
    let proof = |path: &str, id: &str| {
        P256.proof("POST", &format!("{}{path}", world.settings.issuer), id, world.now().secs())
    };
    let login = "/v1/one-tap/login";
    let mut body = json!({"credential": {"provider": "cmcc", "token": world.providers.token(PHONE)}});
    body["device"] = device();
    body["device"]["key"] = P256.jwk();
    let ticket = waits(world.post(login, &body).header("dpop", &proof(login, "0")).send());
    let call = |step: &str, id: &str| {
        let path = format!("/v1/step-up/{step}");
        let mut body =
            json!({"ticket": ticket.text("/ticket"), "device": {"token": ticket.text("/device/token")}});
        if step == "state" {
            body["wait"] = json!(6);
        } else {
            body["method"] = json!("device_approval");
        }
        world.post(&path, &body).header("dpop", &proof(&path, id)).send()
    };
    let started = waits(call("start", "1"));
    call("start", "1").is_problem(401, "unauthenticated");
    // One request looks again and again with the one proof that it has.
    waits(call("state", "2"));
    call("state", "2").is_problem(401, "unauthenticated");
    let id = pending(&world, &owner)[0]["id"].as_str().unwrap().to_owned();
    approve(&world, &owner, (started.text("/approval/match"), &id));
    let session = call("complete", "3").signed_in();
    call("complete", "4").signed_in();
    // A refresh shows that the answer has arrived.
    let path = "/v1/session/refresh";
    let refresh = world.post(path, &json!({"refreshToken": session.text("/session/refreshToken")}));
    assert_eq!(refresh.header("dpop", &proof(path, "5")).send().status, 200);
    call("complete", "6").is_problem(410, "ticket_invalid");
}

#[test]
fn a_stolen_refresh_token_signs_nobody_out_without_the_key() {
    let world = World::new();
    let proof = |method: &str, path: &str, id: &str| {
        P256.proof(method, &format!("{}{path}", world.settings.issuer), id, world.now().secs())
    };
    let login = "/v1/one-tap/login";
    let mut body = json!({"credential": {"provider": "cmcc", "token": world.providers.token(PHONE)}});
    body["device"] = device();
    body["device"]["key"] = P256.jwk();
    let owner = world.post(login, &body).header("dpop", &proof("POST", login, "0")).send().signed_in();
    let token = owner.text("/session/refreshToken");
    let cookie = format!("__Host-onetap-refresh={token}");
    let sign_out = |proof: Option<&str>| {
        let ask =
            world.delete("/v1/session").header("cookie", &cookie).header("origin", &world.settings.issuer);
        match proof {
            Some(proof) => ask.header("dpop", proof).send(),
            None => ask.send(),
        }
    };
    sign_out(None).is_problem(401, "unauthenticated");
    let path = "/v1/session/refresh";
    let next =
        world.post(path, &json!({"refreshToken": token})).header("dpop", &proof("POST", path, "1")).send();
    assert_eq!(next.status, 200, "{}", next.body);
    // One that is two generations old ends nothing, whoever brings it.
    let after = next.text("/session/refreshToken");
    let third =
        world.post(path, &json!({"refreshToken": after})).header("dpop", &proof("POST", path, "2")).send();
    assert_eq!(third.status, 200, "{}", third.body);
    assert_eq!(sign_out(Some(&proof("DELETE", "/v1/session", "3"))).status, 204);
    let last = third.text("/session/refreshToken");
    let fourth =
        world.post(path, &json!({"refreshToken": last})).header("dpop", &proof("POST", path, "4")).send();
    assert_eq!(fourth.status, 200, "{}", fourth.body);
}

#[test]
fn who_switches_it_on_does_not_lock_themselves_out() {
    let world = World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "3".to_owned()));
    let first = world.login(PHONE).signed_in();
    let mut phone = world.login(PHONE).signed_in();
    let token = phone.text("/device/token").to_owned();
    for _ in 0..2 {
        world.pass(DAY);
        phone = log_in_on(&world, device_with(&token)).signed_in();
    }
    assert_eq!(patch(&world, &phone, &device_path(&phone), &json!({"trusted": true})).status, 204);
    // On the device that the account was created on, which is neither trusted nor known.
    let here = refresh(&world, &first);
    assert_eq!(protect(&world, &here, true).status, 204);
    protect(&world, &here, false).is_problem(403, "reauthentication_required");
    let back = log_in_on(&world, device_with(first.text("/device/token"))).signed_in();
    assert_eq!(back.text("/device/trust"), "new");
}
