//! A client that lost our answer repeats its request; a token is sent to its provider once, whatever happens.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    client::{Answer, fresh_key, fresh_phone, login_body, post},
    login::{LOGIN, access_token, who_am_i},
    sandbox::{Order, times_seen},
    stack::{self, Stack},
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("idempotency: after a lost answer the same session", lost_answer),
        story("idempotency: after an answer the same bytes again", plain_repeat),
        story("idempotency: two at once are one login", two_at_once),
        story("idempotency: a refusal is repeated as well", repeated_refusal),
        story("idempotency: another body under the key is a conflict", conflict),
        story("idempotency: without the key a used token is rejected", without_key),
        story("idempotency: a key that can be guessed is refused", weak_keys),
    ]
}

async fn lost_answer() {
    let stack = stack::main();
    let (credential, body) = order(stack, "slow").await;
    let key = fresh_key();
    post(stack, LOGIN, &body).key(&key).send_and_hang_up(Duration::from_millis(500)).await;
    let repeat = until_answered(stack, &body, &key).await.ok();
    let again = until_answered(stack, &body, &key).await.ok();
    assert_eq!(repeat, again);
    assert_eq!(times_seen(stack, &credential).await, 1);
    who_am_i(stack, access_token(&repeat)).await;
}

async fn plain_repeat() {
    let stack = stack::main();
    let (credential, body) = order(stack, "ok").await;
    let key = fresh_key();
    let first = post(stack, LOGIN, &body).key(&key).send().await;
    // The same members in another order and layout are the same request.
    let text = serde_json::to_string_pretty(&body).unwrap();
    let repeat = post(stack, LOGIN, &json!({})).body(text.into()).key(&key).send().await;
    assert_eq!(first.ok(), repeat.ok());
    assert_ne!(first.header("x-request-id"), repeat.header("x-request-id"));
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn two_at_once() {
    let stack = stack::main();
    let (credential, body) = order(stack, "slow").await;
    let key = fresh_key();
    let both =
        futures_util::future::join(until_answered(stack, &body, &key), until_answered(stack, &body, &key));
    let (one, other) = both.await;
    assert_eq!(one.ok(), other.ok());
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn repeated_refusal() {
    let stack = stack::main();
    let (credential, body) = order(stack, "http_500").await;
    let key = fresh_key();
    for _ in 0..2 {
        let refused = until_answered(stack, &body, &key).await.problem_of_first(503, "one_tap_unavailable");
        assert_eq!(refused["fallback"], json!(["otp"]));
    }
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn conflict() {
    let stack = stack::main();
    let (credential, body) = order(stack, "ok").await;
    let key = fresh_key();
    until_answered(stack, &body, &key).await.ok();
    let mut other = body.clone();
    other["device"]["name"] = json!("Another device");
    post(stack, LOGIN, &other).key(&key).send().await.problem(422, "idempotency_conflict");
    // Under another key it is simply a used token.
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.problem(422, "one_tap_rejected");
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn without_key() {
    let stack = stack::main();
    let (credential, body) = order(stack, "ok").await;
    post(stack, LOGIN, &body).send().await.ok();
    let refused = post(stack, LOGIN, &body).send().await.problem(422, "one_tap_rejected");
    assert_eq!(refused["fallback"], json!(["otp"]));
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn weak_keys() {
    let stack = stack::main();
    let (credential, body) = order(stack, "ok").await;
    let long = "Zk7Qp2LmXw9TbR4sVn6YcA".repeat(12);
    for weak in ["order-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "12345678901234567890", &long] {
        let refused = post(stack, LOGIN, &body).header("idempotency-key", weak).send().await;
        assert_eq!(refused.problem(400, "invalid_request")["fields"][0]["name"], "Idempotency-Key");
    }
    assert_eq!(times_seen(stack, &credential).await, 0, "a refused request spends no token");
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok();
}

async fn order(stack: &Stack, behaviour: &str) -> (Value, Value) {
    let credential = Order::new("aliyun", &fresh_phone("136")).behaviour(behaviour).mint(stack).await;
    let body = login_body(&credential);
    (credential, body)
}

/// Sends the request again for as long as its first copy is still running.
async fn until_answered(stack: &Stack, body: &Value, key: &str) -> Answer {
    for _ in 0..10 {
        let answer = post(stack, LOGIN, body).key(key).send().await;
        if answer.code() != "try_again" {
            return answer;
        }
        assert_eq!(answer.problem(503, "try_again")["retryAfter"], 1);
        sleep(Duration::from_millis(200)).await;
    }
    panic!("the first request never ended");
}

impl Answer {
    /// A problem that may be the kept copy of an earlier answer: then it names the request that was answered first.
    fn problem_of_first(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.summary());
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()
    }
}
