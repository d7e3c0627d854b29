//! Answers that get lost: the same request with the same key ends as the first one did, and nothing happens twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    identities,
    notices::{listening, types},
    numbers::{NEW, OLD, bearer, later, one_tap, otp},
};
use crate::world::{Answer, World, identities::world};

const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const GOOD: &str = "tnrkx-qumbelhof";
const STALE: Duration = Duration::from_secs(601);

/// Sends it twice; the statuses.
fn twice(world: &World, login: &Answer, method: &str, path: &str, body: &Value) -> [(u16, Value); 2] {
    [(); 2].map(|()| {
        let ask = match method {
            "PUT" => world.put(path, body),
            _ => world.post(path, body),
        };
        let answer = ask.key(KEY).bearer(bearer(login)).header("x-onetap-device", KEY).send();
        (answer.status, answer.body)
    })
}

#[test]
fn a_password_is_set_once_whatever_it_was_set_by() {
    for by in ["code", "carrier", "password", "nothing"] {
        let world = listening();
        let mut login = world.login(OLD).signed_in();
        let first = json!({"newPassword": "vlimp oster gandel"});
        assert_eq!(world.put("/v1/account/password", &first).bearer(bearer(&login)).send().status, 204);
        if by != "nothing" {
            login = later(&world, &login, STALE);
        }
        world.tell();
        let before = types(&world).len();
        let mut body = json!({"newPassword": GOOD, "signOutOthers": true});
        match by {
            "code" => body["numberProof"] = otp(&world, &login, OLD, "step_up"),
            "carrier" => body["numberProof"] = one_tap(&world, OLD),
            "password" => body["currentPassword"] = json!("vlimp oster gandel"),
            _ => {}
        }
        let [(first, _), (again, _)] = twice(&world, &login, "PUT", "/v1/account/password", &body);
        assert_eq!((first, again), (204, 204), "{by}");
        world.tell();
        assert_eq!(types(&world).split_off(before), ["password.changed"], "{by}: told once");
        // Another request under that key is another.
        let other = json!({"newPassword": "brandu-kel-77-mopst"});
        let status = world.put("/v1/account/password", &other).key(KEY).bearer(bearer(&login)).send().status;
        assert_eq!(status, 204, "{by}");
    }
}

#[test]
fn a_fresh_proof_is_given_once() {
    for by_code in [true, false] {
        let world = World::new();
        let login = later(&world, &world.login(OLD).signed_in(), STALE);
        let proof = if by_code { otp(&world, &login, OLD, "step_up") } else { one_tap(&world, OLD) };
        let body = json!({"proof": proof});
        let [first, again] = twice(&world, &login, "POST", "/v1/session/proof", &body);
        assert_eq!((first.0, again.0), (204, 204), "by a code: {by_code}");
    }
}

#[test]
fn a_third_party_is_bound_once_and_a_credential_serves_one_purpose() {
    let world = world();
    let login = world.login(OLD).signed_in();
    let body = identities::body_to_bind(&world, "wechat");
    let [first, again] = twice(&world, &login, "POST", "/v1/account/identities/wechat", &body);
    assert_eq!((first.0, again.0), (204, 204));
    // What is asked for is a part of the request.
    let body = json!({"numberProof": one_tap(&world, NEW)});
    let [first, again] = twice(&world, &login, "POST", "/v1/account/trusted-phones", &body);
    assert_eq!((first.0, again.0, &first.1), (201, 201, &again.1));
    let other = world.put("/v1/account/phone", &body).key(KEY).bearer(bearer(&login)).send();
    other.is_problem(422, "idempotency_conflict");
}

#[test]
fn a_third_partys_login_with_a_carriers_proof_is_answered_again() {
    let world = world();
    let mut body = identities::body_to_log_in(&world, "wechat");
    body["numberProof"] = one_tap(&world, OLD);
    let log_in = || {
        let ask = world.post("/v1/identities/wechat/login", &body).key(KEY);
        ask.header("x-onetap-device", KEY).send().signed_in().body
    };
    assert_eq!(log_in(), log_in());
}

#[test]
fn what_was_mistyped_costs_no_more_than_itself() {
    let world = World::new();
    let login = later(&world, &world.login(OLD).signed_in(), STALE);
    let change = |number: &Value, proof: &Value| {
        let body = json!({"numberProof": number, "proof": proof});
        world.put("/v1/account/phone", &body).bearer(bearer(&login)).send()
    };
    // A carrier's word is not spent on a code that is wrong.
    let (number, proof) = (one_tap(&world, NEW), otp(&world, &login, OLD, "step_up"));
    let mut wrong = proof.clone();
    let code = proof["code"].as_str().unwrap();
    wrong["code"] = json!(if code == "000000" { "000001" } else { "000000" });
    change(&number, &wrong).is_problem(401, "otp_incorrect");
    assert_eq!(change(&number, &proof).status, 204);
    // Nor is a proof on a code of the new number: it counts for the session.
    let login = later(&world, &world.login(NEW).signed_in(), STALE);
    let change = |number: &Value, proof: &Value| {
        let body = json!({"numberProof": number, "proof": proof});
        world.put("/v1/account/phone", &body).bearer(bearer(&login)).send()
    };
    let (number, proof) = (otp(&world, &login, OLD, "change_phone"), one_tap(&world, NEW));
    let mut wrong = number.clone();
    let code = number["code"].as_str().unwrap();
    wrong["code"] = json!(if code == "000000" { "000001" } else { "000000" });
    change(&wrong, &proof).is_problem(401, "otp_incorrect");
    assert_eq!(change(&number, &proof).status, 204);
}
