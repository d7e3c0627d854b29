//! Attestation: one-tap on a new device need not wait where an app that is the operator's own brings the credential.

use serde_json::{Value, json};

use crate::world::{
    Answer, World,
    client::{device, login_body},
    receivers::VERIFIER,
};

const PHONE: &str = "13800138000";

/// A world where one-tap on a new device waits, with an account that has somebody to ask.
fn world(more: &'static [(&str, &str)]) -> World {
    let world = World::with(|name| {
        let usual = [("ONE_TAP_NEW_DEVICE", "step_up"), ("ATTESTATION_URL", VERIFIER)];
        let mut settings = more.iter().chain(&usual);
        settings.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    let owner = world.login(PHONE).signed_in();
    let path = format!("/v1/devices/{}", owner.text("/device/id"));
    let trust = world.patch(&path, &json!({"trusted": true})).bearer(owner.text("/session/accessToken"));
    assert_eq!(trust.send().status, 204);
    world
}

/// A login on a new device with what attests it, made for the credential of this login where it says so.
fn log_in(world: &World, attestation: impl FnOnce(&str) -> Value) -> Answer {
    let token = world.providers.token(PHONE);
    let mut body = login_body("cmcc", &token);
    body["device"]["attestation"] = attestation(&token);
    world.post("/v1/one-tap/login", &body).send()
}

fn genuine(token: &str) -> Value {
    json!({"token": format!("genuine for {token}")})
}

fn waits(login: &Answer) {
    let said = (&login.body["status"], &login.body["reason"]);
    assert_eq!(said, (&json!("step_up_required"), &json!("risk")), "{}", login.body);
}

#[test]
fn a_genuine_app_is_in_and_its_owner_is_told() {
    let world = world(&[]);
    waits(&world.login(PHONE));
    let login = log_in(&world, genuine).signed_in();
    assert_eq!(login.body["device"]["trust"], "new");
    let history = world.get("/v1/login-history").bearer(login.text("/session/accessToken")).send();
    assert_eq!(history.text("/events/0/event"), "signed_in_on_new_device");
}

#[test]
fn what_was_attested_for_another_credential_and_silence_leave_it_waiting() {
    let world = world(&[]);
    let other = world.providers.token(PHONE);
    for token in [&format!("genuine for {other}"), "stolen", "hangs", "breaks", "says nothing"] {
        waits(&log_in(&world, |_| json!({"token": token})));
    }
    // Nor does it help past login protection, which the owner wants.
    let known = world.login("13900139000").signed_in();
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true}));
    assert_eq!(on.bearer(known.text("/session/accessToken")).send().status, 204);
    let token = world.providers.token("13900139000");
    let mut body = login_body("cmcc", &token);
    body["device"]["attestation"] = genuine(&token);
    let held = world.post("/v1/one-tap/login", &body).send();
    assert_eq!(held.body["reason"], "new_device", "{}", held.body);
}

#[test]
fn nobody_is_asked_where_it_does_not_matter() {
    for setting in [&[("ONE_TAP_NEW_DEVICE", "notify")][..], &[("ATTESTATION_URL", "")]] {
        let world = world(setting);
        let asked =
            |world: &World| world.metrics().into_iter().filter(|call| call.provider == "attestation").count();
        let login = log_in(&world, genuine);
        assert_eq!(asked(&world), 0);
        match setting[0].0 {
            "ATTESTATION_URL" => waits(&login),
            _ => drop(login.signed_in()),
        }
    }
    let world = world(&[]);
    log_in(&world, genuine).signed_in();
    log_in(&world, |_| json!({"token": "stolen"}));
    let calls = world.metrics().into_iter().filter(|call| call.provider == "attestation");
    assert_eq!(calls.map(|call| call.outcome).collect::<Vec<_>>(), ["ok", "rejected"]);
}

#[test]
fn what_is_no_attestation_is_named() {
    let world = world(&[]);
    for (attestation, field) in [
        (json!("genuine"), "device.attestation"),
        (json!({}), "device.attestation.token"),
        (json!({"token": "a".repeat(12_289)}), "device.attestation.token"),
    ] {
        let mut body = login_body("cmcc", &world.providers.token(PHONE));
        body["device"] = device();
        body["device"]["attestation"] = attestation;
        let refused = world.post("/v1/one-tap/login", &body).send();
        refused.is_problem(400, "invalid_request");
        assert_eq!(refused.text("/fields/0/name"), field);
    }
}
