//! Login protection over HTTP: a new device waits for the digits that a trusted one types.

use futures_util::future::join;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest;

use crate::{
    client::{Answer, Request, fresh_key, fresh_phone, get, login_body, post},
    login::{LOGIN, access_token, sign_in, who_am_i},
    sandbox::{self, Order},
    stack::{self, Recipe, Stack},
    story,
};

/// Rounds of two decisions at once.
const ROUNDS: usize = 10;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "protection: the right digits sign a new device in, within the request that waits",
            right_digits,
        ),
        story("protection: wrong digits, a no and another device's ticket do not", refused),
        story("protection: two decisions at once are one", at_once),
        story("protection: one-tap by a genuine app goes through where others wait", attested),
    ]
}

/// The owner, signed in on a device that is asked from now on.
async fn owner(stack: &Stack, phone: &str) -> Value {
    let login = sign_in(stack, phone).await;
    protect(stack, &login, true).await;
    login
}

pub(crate) async fn protect(stack: &Stack, login: &Value, enabled: bool) {
    let put = Request::new(stack, Method::PUT, "/v1/account/login-protection");
    let put = put.json(&json!({ "enabled": enabled })).bearer(access_token(login)).send().await;
    assert_eq!(put.status, 204, "{}", put.summary());
}

pub(crate) async fn log_in(stack: &Stack, phone: &str, device: Option<&str>) -> Value {
    let mut body = login_body(&Order::new("flash_v2", phone).mint(stack).await);
    if let Some(token) = device {
        body["device"]["token"] = json!(token);
    }
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok()
}

/// A login on a new device, which must wait; its ticket.
pub(crate) async fn ticket(stack: &Stack, phone: &str) -> Value {
    let held = log_in(stack, phone, None).await;
    assert_eq!(
        (&held["status"], &held["reason"]),
        (&json!("step_up_required"), &json!("new_device")),
        "{held}"
    );
    held
}

pub(crate) async fn at(stack: &Stack, step: &str, ticket: &Value, device: &Value, more: Value) -> Answer {
    let mut body = json!({ "ticket": ticket["ticket"], "device": { "token": device } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(stack, &format!("/v1/step-up/{step}"), &body).send().await
}

pub(crate) fn by_device() -> Value {
    json!({ "method": "device_approval" })
}

/// The digits that the new device shows, and the question as the owner sees it.
pub(crate) async fn ask(stack: &Stack, owner: &Value, held: &Value) -> (String, Value) {
    let started = at(stack, "start", held, &held["device"]["token"], by_device()).await.ok();
    let digits = started["approval"]["match"].as_str().unwrap().to_owned();
    let list = get(stack, "/v1/approvals").bearer(access_token(owner)).send().await.ok();
    (digits, list["approvals"].as_array().unwrap().last().unwrap().clone())
}

pub(crate) async fn decide(stack: &Stack, login: &Value, question: &Value, decision: Value) -> Answer {
    let path = format!("/v1/approvals/{}", question["id"].as_str().unwrap());
    post(stack, &path, &decision).bearer(access_token(login)).send().await
}

pub(crate) fn approve(digits: &str) -> Value {
    json!({ "decision": "approve", "match": digits })
}

pub(crate) fn deny() -> Value {
    json!({ "decision": "deny" })
}

async fn right_digits() {
    let stack = stack::main();
    let phone = fresh_phone("151");
    let owner = owner(stack, &phone).await;
    let held = ticket(stack, &phone).await;
    let token = &held["device"]["token"];
    let (digits, question) = ask(stack, &owner, &held).await;
    assert_eq!(
        (&question["device"]["model"], question["expiresIn"].as_u64() > Some(290)),
        (&json!("Pixel 9"), true)
    );
    // The waiting device asks once, the owner types meanwhile.
    let (state, decided) = join(
        at(stack, "state", &held, token, json!({ "wait": 25 })),
        decide(stack, &owner, &question, approve(&digits)),
    )
    .await;
    assert_eq!(decided.status, 204, "{}", decided.summary());
    let login = state.ok();
    assert_eq!((&login["status"], &login["account"]["id"]), (&json!("signed_in"), &owner["account"]["id"]));
    assert_eq!(login["device"]["trust"], "trusted", "a phone that passed a step-up");
    assert_eq!(who_am_i(stack, access_token(&login)).await["amr"], json!(["one_tap", "step_up"]));
    eprintln!("the device that waited was in {:?} after it asked", state.took);
    let again = at(stack, "complete", &held, token, by_device()).await.ok();
    assert_eq!(again["session"]["id"], login["session"]["id"]);
    // It is not held up again, and may itself be asked.
    let back = log_in(stack, &phone, token.as_str()).await;
    assert_eq!((&back["status"], &back["device"]["id"]), (&json!("signed_in"), &login["device"]["id"]));
    let third = ticket(stack, &phone).await;
    let (digits, question) = ask(stack, &back, &third).await;
    assert_eq!(decide(stack, &back, &question, approve(&digits)).await.status, 204);
    at(stack, "complete", &third, &third["device"]["token"], by_device()).await.ok();
    protect(stack, &owner, false).await;
    assert_eq!(log_in(stack, &phone, None).await["status"], "signed_in");
}

async fn refused() {
    let stack = stack::main();
    let phone = fresh_phone("151");
    let owner = owner(stack, &phone).await;
    let held = ticket(stack, &phone).await;
    let (digits, question) = ask(stack, &owner, &held).await;
    let thief = ticket(stack, &phone).await;
    for token in [&thief["device"]["token"], &owner["device"]["token"]] {
        at(stack, "complete", &held, token, by_device()).await.problem(410, "ticket_invalid");
    }
    let forged = json!({ "ticket": format!("{}x", held["ticket"].as_str().unwrap()) });
    at(stack, "state", &forged, &held["device"]["token"], json!({})).await.problem(410, "ticket_invalid");
    let wrong = (10..100).map(|other| other.to_string()).find(|other| *other != digits).unwrap();
    for _ in 0..3 {
        decide(stack, &owner, &question, approve(&wrong)).await.problem(403, "proof_failed");
    }
    decide(stack, &owner, &question, approve(&digits)).await.problem(404, "not_found");
    at(stack, "complete", &held, &held["device"]["token"], by_device()).await.problem(403, "proof_failed");

    let (_, question) = ask(stack, &owner, &thief).await;
    assert_eq!(decide(stack, &owner, &question, deny()).await.status, 204);
    at(stack, "state", &thief, &thief["device"]["token"], json!({ "wait": 5 }))
        .await
        .problem(403, "proof_failed");
    let history = get(stack, "/v1/login-history?limit=2").bearer(access_token(&owner)).send().await.ok();
    assert!(
        history["events"].as_array().unwrap().iter().all(|event| event["event"] == "denied"),
        "{history}"
    );
}

async fn attested() {
    let recipe = Recipe::new("attested").var("ONE_TAP_NEW_DEVICE", "step_up");
    let verifier = format!("http://127.0.0.1:{}/sandbox/attestation", recipe.sandbox_port());
    let stack = recipe.var("ATTESTATION_URL", &verifier).start();
    let phone = fresh_phone("151");
    let owner = sign_in(&stack, &phone).await;
    let path = format!("/v1/devices/{}", owner["device"]["id"].as_str().unwrap());
    let trust = Request::new(&stack, Method::PATCH, &path).json(&json!({ "trusted": true }));
    assert_eq!(trust.bearer(access_token(&owner)).send().await.status, 204);
    let with = async |attestation: &dyn Fn(&str) -> String| {
        let credential = Order::new("flash_v2", &phone).mint(&stack).await;
        let nonce = sha2::Sha256::digest(sandbox::token(&credential));
        let token = attestation(&data_encoding::BASE64URL_NOPAD.encode(&nonce));
        let mut body = login_body(&credential);
        body["device"]["attestation"] = json!({ "token": token });
        post(&stack, LOGIN, &body).key(&fresh_key()).send().await
    };
    for token in ["stolen", "genuine.for-another-one", "http_500", "garbage", "hang"] {
        let held = with(&|_| token.to_owned()).await;
        assert_eq!(held.ok()["reason"], "risk", "{token}: {}", held.summary());
    }
    let login = with(&|nonce| format!("genuine.{nonce}")).await;
    let line = stack.log_line(&login.request_id).await;
    let asked = line["providers"].as_array().unwrap().iter().find(|call| call["provider"] == "attestation");
    assert_eq!(asked.unwrap()["outcome"], "ok", "{line}");
    let login = login.ok();
    assert_eq!((&login["status"], &login["account"]["id"]), (&json!("signed_in"), &owner["account"]["id"]));
    assert_eq!(login["device"]["trust"], "new");
}

async fn at_once() {
    let stack = stack::main();
    let phone = fresh_phone("151");
    let owner = owner(stack, &phone).await;
    let mut yes = 0;
    for _ in 0..ROUNDS {
        let held = ticket(stack, &phone).await;
        let (digits, question) = ask(stack, &owner, &held).await;
        let (approved, denied) = join(
            decide(stack, &owner, &question, approve(&digits)),
            decide(stack, &owner, &question, deny()),
        )
        .await;
        let end = at(stack, "complete", &held, &held["device"]["token"], by_device()).await;
        match (approved.status, denied.status) {
            (204, 404) => assert_eq!(end.ok()["status"], "signed_in"),
            (404, 204) => drop(end.problem(403, "proof_failed")),
            other => panic!("{other:?}"),
        }
        yes += usize::from(approved.status == 204);
    }
    eprintln!("{ROUNDS} times yes and no at once: {yes} times yes counted, else no, never both");
}
