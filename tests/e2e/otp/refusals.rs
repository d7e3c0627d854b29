//! Signing in with a code, and every way in which a code is not the right one: all look the same.

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    LOGIN, SEND, Sent, ask, guesses::expired, login_body, newest_code, not, send, send_body,
    send_to_somebody, stacks, type_in,
};
use crate::{
    client::{Answer, fresh_phone, get, post},
    login::{access_token, sign_in, who_am_i},
    stack, story,
};

/// A little more than the time between two codes.
pub(super) const PAUSE: std::time::Duration = std::time::Duration::from_millis(1100);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("otp: a code leads to the account that one-tap leads to", one_account),
        story("otp: a code typed as people type is the code", as_people_type),
        story("otp: nothing in the answer tells numbers with an account from others", no_word),
        story("otp: every wrong way looks the same", same_answer),
        story("otp: a purpose that needs a session or a ticket asks for it", purposes),
        story("otp: with the development settings a code has six digits and a minute to wait", defaults),
    ]
}

async fn one_account() {
    let stack = stacks::main();
    let phone = fresh_phone("135");
    let Sent { challenge, code } = send(stack, &phone).await;
    let first = type_in(stack, &challenge, &code).await.signed_in();
    assert_eq!(first["account"]["isNew"], true);
    assert_eq!(first["account"]["phone"], format!("{}****{}", &phone[..6], &phone[10..]));
    let me = who_am_i(stack, access_token(&first)).await;
    assert_eq!(me["amr"], json!(["otp"]));
    sleep(PAUSE).await;
    let Sent { challenge, code } = send(stack, &phone).await;
    let second = type_in(stack, &challenge, &code).await.signed_in();
    assert_eq!(second["account"]["isNew"], false);
    assert_eq!(second["account"]["id"], first["account"]["id"]);
    assert_ne!(second["session"]["id"], first["session"]["id"]);
    assert_eq!(sign_in(stack, &phone).await["account"]["id"], first["account"]["id"]);
}

async fn as_people_type() {
    let stack = stacks::main();
    let Sent { challenge, code } = send_to_somebody(stack).await;
    let (left, right) = code.split_at(4);
    type_in(stack, &challenge, &format!(" {left}-{right} ")).await.signed_in();
}

async fn no_word() {
    let stack = stacks::main();
    let known = fresh_phone("135");
    sign_in(stack, &known).await;
    let sent = [ask(stack, &known).send().await, ask(stack, &fresh_phone("135")).send().await];
    let [known, unknown] = sent.map(|answer| {
        answer.challenge();
        let mut body = answer.json();
        body["challengeId"] = json!(body["challengeId"].as_str().unwrap().len());
        body
    });
    assert_eq!(known, unknown);
}

async fn same_answer() {
    let (stack, short) = (stacks::main(), stacks::short());
    let mut seen = Vec::new();
    let mut refused = |why: &'static str, answer: Answer| {
        answer.problem(401, "otp_incorrect");
        seen.push((why, without_id(&answer)));
    };
    // Wrong, used.
    let Sent { challenge, code } = send_to_somebody(stack).await;
    refused("wrong", type_in(stack, &challenge, &not(&code)).await);
    refused("no digits", type_in(stack, &challenge, "abcdefgh").await);
    type_in(stack, &challenge, &code).await.signed_in();
    refused("used", type_in(stack, &challenge, &code).await);
    // Superseded, out of tries.
    let phone = fresh_phone("135");
    let old = send(stack, &phone).await;
    sleep(PAUSE).await;
    let new = send(stack, &phone).await;
    refused("superseded", type_in(stack, &old.challenge, &old.code).await);
    for _ in 0..5 {
        refused("guess", type_in(stack, &new.challenge, &not(&new.code)).await);
    }
    refused("out of tries", type_in(stack, &new.challenge, &new.code).await);
    // Another number's, another purpose, another app.
    let (one, other) = (send_to_somebody(stack).await, send_to_somebody(stack).await);
    refused("another number's", type_in(stack, &one.challenge, &other.code).await);
    let phone = fresh_phone("135");
    let mut body = send_body(&phone);
    body["purpose"] = json!("reset_password");
    let reset = post(stack, SEND, &body).send().await.challenge();
    refused("another purpose", type_in(stack, &reset, &newest_code(stack, &phone).await).await);
    let mut elsewhere = login_body(&other.challenge, &other.code);
    elsewhere["app"] = json!(stacks::TWO_VENDORS);
    refused("another app", post(stack, LOGIN, &elsewhere).send().await);
    // Forged, another deployment's, none at all.
    let (sound, last) = one.challenge.split_at(one.challenge.len() - 1);
    let forged = format!("{sound}{}", if last == "A" { "Q" } else { "A" });
    refused("forged", type_in(stack, &forged, &one.code).await);
    refused("shortened", type_in(stack, sound, &one.code).await);
    refused("unknown", type_in(stack, "och_x.AAAA", "12345678").await);
    refused("nothing", type_in(stack, "x", "12345678").await);
    let (challenge, code) = expired(short).await;
    let mut body = login_body(&challenge, &code);
    body["app"] = json!(stacks::TWO_VENDORS);
    refused("expired", post(short, LOGIN, &body).send().await);

    for (why, answer) in &seen {
        assert_eq!(answer, &seen[0].1, "{why} looks different");
    }
    eprintln!("{} refusals of codes look alike", seen.len());
    // And a number that was guessed at is not told from one that was not.
    type_in(stack, &one.challenge, &one.code).await.signed_in();
}

async fn purposes() {
    let stack = stacks::main();
    let phone = fresh_phone("135");
    let with = |purpose: &str| {
        let mut body = send_body(&phone);
        body["purpose"] = json!(purpose);
        body
    };
    // Without a ticket a step-up is a fresh proof within a session.
    for purpose in ["bind", "change_phone", "trusted_phone", "step_up", "real_name"] {
        post(stack, SEND, &with(purpose)).send().await.problem(401, "unauthenticated");
    }
    let mut ticketed = with("step_up");
    ticketed["ticket"] = json!("otk_nobody");
    post(stack, SEND, &ticketed).send().await.problem(410, "ticket_invalid");
    let login = sign_in(stack, &fresh_phone("135")).await;
    let bind = post(stack, SEND, &with("bind")).bearer(access_token(&login)).send().await.challenge();
    // It proves a number to that session, and signs nobody in.
    let code = newest_code(stack, &phone).await;
    type_in(stack, &bind, &code).await.problem(401, "otp_incorrect");
}

async fn defaults() {
    let stack = stack::main();
    let phone = fresh_phone("135");
    let sent = ask(stack, &phone).send().await;
    sent.challenge();
    let body = sent.json();
    assert_eq!((&body["codeLength"], &body["resendIn"]), (&json!(6), &json!(60)));
    // Sending it took a moment of its life.
    assert!(body["expiresIn"].as_u64().is_some_and(|left| (290..=300).contains(&left)), "{body}");
    let refused = ask(stack, &phone).send().await.problem(429, "rate_limited");
    assert!(refused["retryAfter"].as_u64().is_some_and(|wait| (30..=60).contains(&wait)));
    let code = newest_code(stack, &phone).await;
    assert_eq!(code.len(), 6);
    let login = type_in(stack, &sent.challenge(), &code).await.signed_in();
    get(stack, "/v1/session").bearer(access_token(&login)).send().await.ok();
}

/// What a client sees, but for the id of the request.
fn without_id(answer: &Answer) -> Value {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("requestId");
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    headers.sort();
    json!([answer.status, body, headers])
}
