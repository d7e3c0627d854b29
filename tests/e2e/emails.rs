//! E-mail addresses over HTTP: proven by what the sandbox's vendors deliver, and used with the password.

use std::time::Duration;

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, get, http, post, random_hex},
    leaks,
    login::{access_token, sign_in},
    otp::stacks,
    stack::{self, Stack},
    story,
};

const SEND: &str = "/v1/otp/send";
const BIND: &str = "/v1/account/identities/email";
const OLD: &str = "tnrkx-qumbelhof";
const NEW: &str = "vlimp oster gandel";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("emails: an address is bound by the code that arrived, and signs in with the password", bound),
        story("emails: a second address is in use as another's is, and mail signs nobody in", in_use),
        story(
            "emails: who reads another's mail now binds the address only when they give it up",
            changed_hands,
        ),
        story("emails: one vendor refuses and the next delivers; none delivers twice", vendors),
    ]
}

/// An address that nobody used before.
pub(crate) fn fresh_address() -> String {
    let address = format!("person.{}@mail.example", random_hex(8));
    leaks::note("address", &address);
    address
}

async fn ask(stack: &Stack, token: &str, address: &str, purpose: &str) -> Answer {
    let body = json!({ "email": address, "purpose": purpose, "device": fresh_device() });
    post(stack, SEND, &body).bearer(token).send().await
}

/// Asks for a code and returns it with its challenge, as a body.
pub(crate) async fn code_for(stack: &Stack, token: &str, address: &str, purpose: &str) -> Value {
    let sent = ask(stack, token, address, purpose).await;
    assert_eq!(sent.status, 202, "{}", sent.summary());
    json!({ "challengeId": sent.json()["challengeId"], "code": newest_code(stack, address).await })
}

/// The code that arrived last at an address.
pub(crate) async fn newest_code(stack: &Stack, address: &str) -> String {
    let text = letters(stack, address).await.pop().unwrap()["text"].as_str().unwrap().to_owned();
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() >= 6).unwrap().to_owned()
}

/// What arrived at an address, oldest first.
async fn letters(stack: &Stack, address: &str) -> Vec<Value> {
    let url = format!("{}/sandbox/email?to={address}", stack.sandbox);
    http().get(url).send().await.unwrap().json().await.unwrap()
}

async fn fault(stack: &Stack, provider: &str, kind: &str, to: &str) {
    let fault = json!({ "provider": provider, "rate": 1, "kind": kind, "to": to }).to_string();
    let request = http().post(format!("{}/sandbox/faults", stack.sandbox));
    let set = request.header("content-type", "application/json").body(fault).send().await.unwrap();
    assert_eq!(set.status(), 200);
}

async fn set_password(stack: &Stack, token: &str, password: &str) {
    let request = Request::new(stack, Method::PUT, "/v1/account/password");
    let set = request.json(&json!({ "newPassword": password })).bearer(token).send().await;
    assert_eq!(set.status, 204, "{}", set.summary());
}

async fn log_in(stack: &Stack, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password, "device": fresh_device() });
    post(stack, "/v1/password/login", &body).send().await
}

async fn bound() {
    let stack = stack::main();
    let (phone, address) = (fresh_phone("138"), fresh_address());
    let login = sign_in(stack, &phone).await;
    let token = access_token(&login);
    let body = code_for(stack, token, &address, "bind").await;
    let letter = letters(stack, &address).await.remove(0);
    assert_eq!((&letter["to"], letter["subject"].as_str().unwrap().is_empty()), (&json!(address), false));
    let wrong = json!({ "challengeId": body["challengeId"], "code": "00000000" });
    post(stack, BIND, &wrong).bearer(token).send().await.problem(401, "otp_incorrect");
    let done = post(stack, BIND, &body).bearer(token).send().await;
    assert_eq!(done.status, 204, "{}", done.summary());
    let list = get(stack, "/v1/account/identities").bearer(token).send().await.ok();
    assert_eq!(list["identities"][1]["value"], "p***@mail.example");
    // Once for all of them, and the old one nowhere.
    set_password(stack, token, OLD).await;
    for identifier in [&phone, &address, &address.to_uppercase()] {
        let again = log_in(stack, identifier, OLD).await.ok();
        assert_eq!(again["account"]["id"], login["account"]["id"]);
    }
    set_password(stack, token, NEW).await;
    for identifier in [&phone, &address] {
        log_in(stack, identifier, OLD).await.problem(401, "invalid_credentials");
        log_in(stack, identifier, NEW).await.ok();
    }
}

async fn in_use() {
    let stack = stack::main();
    let address = fresh_address();
    let (mine, other) =
        (sign_in(stack, &fresh_phone("139")).await, sign_in(stack, &fresh_phone("150")).await);
    // Whoever is first with the code has it; the second code is as good, and comes too late.
    let body = code_for(stack, access_token(&mine), &address, "bind").await;
    assert_eq!(post(stack, BIND, &body).bearer(access_token(&mine)).send().await.status, 204);
    // The address, like a number, gets a code a minute; devices do not matter to what is said.
    let soon = ask(stack, access_token(&other), &address, "bind").await;
    soon.problem(429, "rate_limited");
    // By mail one proves who is signed in, and signs in by nothing.
    ask(stack, access_token(&other), &address, "login").await.problem(400, "invalid_request");
    ask(stack, access_token(&other), &address, "reset_password").await.problem(400, "invalid_request");
    // A second address of one's own is told the same as another's.
    let second = fresh_address();
    let body = code_for(stack, access_token(&mine), &second, "bind").await;
    post(stack, BIND, &body).bearer(access_token(&mine)).send().await.problem(409, "identity_in_use");
}

/// A mailbox that changed hands: its new owner proves the address, and it is still another's.
async fn changed_hands() {
    let stack = stacks::main();
    let address = fresh_address();
    let (mine, other) =
        (sign_in(stack, &fresh_phone("139")).await, sign_in(stack, &fresh_phone("150")).await);
    let bind = async |login: &Value| {
        // Another code may be asked for after a second.
        sleep(Duration::from_millis(1100)).await;
        let body = code_for(stack, access_token(login), &address, "bind").await;
        post(stack, BIND, &body).bearer(access_token(login)).send().await
    };
    let list = async |login: &Value| {
        get(stack, "/v1/account/identities").bearer(access_token(login)).send().await.ok()
    };
    assert_eq!(bind(&mine).await.status, 204);
    set_password(stack, access_token(&mine), OLD).await;
    let before = list(&mine).await;
    let refused = bind(&other).await;
    let said = refused.problem(409, "identity_in_use");
    let names: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(names, ["code", "detail", "requestId", "status", "title", "type"], "nothing else");
    let theirs = [&mine["account"]["id"], &mine["session"]["id"], &mine["device"]["id"]];
    let theirs = theirs.map(|id| id.as_str().unwrap().to_owned()).into_iter();
    for word in theirs.chain([address.clone(), "mail.example".to_owned()]) {
        assert!(!refused.text().contains(&word), "{}", refused.text());
    }
    assert_eq!((list(&mine).await, list(&other).await["identities"].as_array().unwrap().len()), (before, 1));
    assert_eq!(log_in(stack, &address, OLD).await.ok()["account"]["id"], mine["account"]["id"]);
    // When it is given up, whoever proves it has it, and nobody else's password goes with it.
    let unbind = Request::new(stack, Method::DELETE, BIND).bearer(access_token(&mine)).send().await;
    assert_eq!(unbind.status, 204, "{}", unbind.summary());
    assert_eq!(bind(&other).await.status, 204);
    log_in(stack, &address, OLD).await.problem(401, "invalid_credentials");
    bind(&mine).await.problem(409, "identity_in_use");
}

async fn vendors() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("151")).await;
    let token = access_token(&login);
    for (first, others, expected) in [
        ("refused", "account_fault", None),
        ("hang", "refused", Some("resend")),
        ("undeliverable", "undeliverable", None),
    ] {
        let address = fresh_address();
        fault(stack, "resend", first, &address).await;
        for provider in ["aliyun_email", "tencent_email"] {
            fault(stack, provider, others, &address).await;
        }
        let answer = ask(stack, token, &address, "bind").await;
        let by: Vec<Value> =
            letters(stack, &address).await.iter().map(|one| one["provider"].clone()).collect();
        match expected {
            Some(provider) => assert_eq!((answer.status, by), (202, vec![json!(provider)]), "{first}"),
            None => {
                answer.problem(503, "email_unavailable");
                assert_eq!(by, [json!(null); 0], "{first}");
            }
        }
    }
    // The reserves, one after the other: each signs its requests in its own way.
    for (down, expected) in
        [(&["resend", "tencent_email"][..], "aliyun_email"), (&["resend", "aliyun_email"], "tencent_email")]
    {
        let address = fresh_address();
        for provider in down {
            fault(stack, provider, "refused", &address).await;
        }
        assert_eq!(ask(stack, token, &address, "bind").await.status, 202, "{expected}");
        let letters = letters(stack, &address).await;
        assert_eq!((letters.len(), &letters[0]["provider"]), (1, &json!(expected)));
    }
}
