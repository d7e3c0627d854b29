//! A client that lost our answer repeats itself: one message, one session.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    LOGIN, SEND, fault, login_body, messages, newest_code, not, send_body, send_to_somebody, stacks, type_in,
};
use crate::{
    client::{Answer, fresh_key, fresh_phone, post},
    stack::Stack,
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("otp: a repeated send is the same challenge and one message", repeated_send),
        story("otp: a send whose connection broke is repeated to the same end", broken_send),
        story("otp: a repeated login is the same session", repeated_login),
        story("otp: a login whose connection broke is repeated to the same end", broken_login),
        story("otp: a repeated wrong guess is one guess", repeated_guess),
        story("otp: a key that can be guessed is refused", weak_keys),
    ]
}

async fn repeated_send() {
    let stack = stacks::main();
    let phone = fresh_phone("137");
    let (key, body) = (fresh_key(), send_body(&phone));
    let first = post(stack, SEND, &body).key(&key).send().await.challenge();
    for _ in 0..3 {
        assert_eq!(until_answered(stack, SEND, &body, &key).await.challenge(), first);
    }
    assert_eq!(messages(stack, &phone).await.len(), 1);
    let mut other = body.clone();
    other["device"]["name"] = json!("Another device");
    post(stack, SEND, &other).key(&key).send().await.problem(422, "idempotency_conflict");
    type_in(stack, &first, &newest_code(stack, &phone).await).await.signed_in();
}

async fn broken_send() {
    let stack = stacks::main();
    let phone = fresh_phone("137");
    let (key, body) = (fresh_key(), send_body(&phone));
    // The vendor takes 1.2 s.
    fault(stack, "chuanglan_sms", "slow", &phone).await;
    post(stack, SEND, &body).key(&key).send_and_hang_up(Duration::from_millis(500)).await;
    let challenge = until_answered(stack, SEND, &body, &key).await.challenge();
    assert_eq!(messages(stack, &phone).await.len(), 1);
    type_in(stack, &challenge, &newest_code(stack, &phone).await).await.signed_in();
}

async fn repeated_login() {
    let stack = stacks::main();
    let sent = send_to_somebody(stack).await;
    let (key, body) = (fresh_key(), login_body(&sent.challenge, &sent.code));
    let first = post(stack, LOGIN, &body).key(&key).send().await.signed_in();
    let again = post(stack, LOGIN, &body).key(&key).send().await.signed_in();
    must_be_same(&first, &again);
    assert_eq!(again["account"]["isNew"], true);
    let mut other = body.clone();
    other["device"]["name"] = json!("Another device");
    post(stack, LOGIN, &other).key(&key).send().await.problem(422, "idempotency_conflict");
    // Whoever else has challenge and code has nothing.
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.problem(401, "otp_incorrect");
    post(stack, LOGIN, &body).send().await.problem(401, "otp_incorrect");
}

async fn broken_login() {
    let stack = stacks::main();
    for millis in [1, 4, 8, 12, 20, 30] {
        let sent = send_to_somebody(stack).await;
        let (key, body) = (fresh_key(), login_body(&sent.challenge, &sent.code));
        let request = post(stack, LOGIN, &body).key(&key).patience(Duration::from_millis(millis));
        let first = request.try_send().await.ok();
        let again = until_answered(stack, LOGIN, &body, &key).await.signed_in();
        if let Some(first) = first.filter(|first| first.status == 200) {
            must_be_same(&first.json(), &again);
        }
        must_be_same(&again, &until_answered(stack, LOGIN, &body, &key).await.signed_in());
        type_in(stack, &sent.challenge, &sent.code).await.problem(401, "otp_incorrect");
    }
}

async fn repeated_guess() {
    let stack = stacks::main();
    let sent = send_to_somebody(stack).await;
    let (key, wrong) = (fresh_key(), login_body(&sent.challenge, &not(&sent.code)));
    for _ in 0..10 {
        post(stack, LOGIN, &wrong).key(&key).send().await.problem(401, "otp_incorrect");
    }
    // The key does not carry over to another code, which would be a free guess.
    let right = login_body(&sent.challenge, &sent.code);
    post(stack, LOGIN, &right).key(&key).send().await.problem(422, "idempotency_conflict");
    post(stack, LOGIN, &right).key(&fresh_key()).send().await.signed_in();
}

async fn weak_keys() {
    let stack = stacks::main();
    let sent = send_to_somebody(stack).await;
    for (path, body) in
        [(SEND, send_body(&fresh_phone("137"))), (LOGIN, login_body(&sent.challenge, &not(&sent.code)))]
    {
        for weak in ["order-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let refused = post(stack, path, &body).header("idempotency-key", weak).send().await;
            assert_eq!(refused.problem(400, "invalid_request")["fields"][0]["name"], "Idempotency-Key");
        }
    }
    type_in(stack, &sent.challenge, &sent.code).await.signed_in();
}

/// Sends the request again for as long as its first copy is still running.
pub(super) async fn until_answered(stack: &Stack, path: &str, body: &Value, key: &str) -> Answer {
    for _ in 0..60 {
        let answer = post(stack, path, body).key(key).send().await;
        if answer.code() != "try_again" {
            return answer;
        }
        assert_eq!(answer.problem(503, "try_again")["retryAfter"], 1);
        sleep(Duration::from_millis(250)).await;
    }
    panic!("the first request never ended");
}

pub(super) fn must_be_same(one: &Value, other: &Value) {
    for same in ["/account/id", "/session/id", "/session/refreshToken", "/device/id", "/device/token"] {
        assert!(one.pointer(same).is_some(), "{same}");
        assert_eq!(one.pointer(same), other.pointer(same), "{same}");
    }
}
