//! How many codes go out, whoever asks from wherever, and that what was not sent costs nothing.

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::json;
use tokio::time::sleep;

use super::{
    SEND, Sent, ask, fault, mend, messages, newest_code,
    refusals::PAUSE,
    send, send_body,
    stacks::{self, TWO_VENDORS},
    type_in,
};
use crate::{
    client::{Answer, fresh_phone, post},
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("otp: thirty sends to one number from thirty addresses are the number's cap", one_number),
        story("otp: thirty at once to one number are one message", at_once),
        story("otp: thirty numbers from one address are the address's cap", one_address),
        story("otp: what nobody took costs nothing", not_sent),
        story("otp: a country that is not served is named as such", country),
    ]
}

async fn one_number() {
    let stack = stacks::main();
    let phone = fresh_phone("133");
    let mut answers = Vec::new();
    for round in 0..10 {
        let from = (0..3).map(|nth| {
            let address = format!("198.51.{}.7", 3 * round + nth);
            ask(stack, &phone).header("cf-connecting-ip", address).send()
        });
        answers.extend(join_all(from).await);
        sleep(PAUSE).await;
    }
    let accepted = must_be_sent_or_refused(&answers);
    assert_eq!((answers.len(), accepted, messages(stack, &phone).await.len()), (30, 5, 5));
    let wait = answers.last().unwrap().json()["retryAfter"].as_u64().unwrap();
    assert!((3000..=3600).contains(&wait), "{wait}");
    eprintln!("30 sends to one number from 30 addresses: {accepted} messages");
}

async fn at_once() {
    let stack = stacks::main();
    let phone = fresh_phone("133");
    let answers = join_all((0..30).map(|_| ask(stack, &phone).send())).await;
    let accepted = must_be_sent_or_refused(&answers);
    // Whoever came a second later may be the second one.
    assert!((1..=3).contains(&accepted), "{accepted}");
    assert_eq!(messages(stack, &phone).await.len(), accepted);
}

async fn one_address() {
    let stack = stacks::main();
    let phones: Vec<String> = (0..30).map(|_| fresh_phone("133")).collect();
    let from = |phone: &String| ask(stack, phone).header("cf-connecting-ip", "203.0.113.77").send();
    let answers = join_all(phones.iter().map(from)).await;
    let mut arrived = 0;
    for phone in &phones {
        arrived += messages(stack, phone).await.len();
    }
    let accepted = must_be_sent_or_refused(&answers);
    assert_eq!((accepted, arrived), (20, 20));
    // Its neighbour has a budget of its own.
    ask(stack, &phones[0]).header("cf-connecting-ip", "203.0.113.78").send().await;
    let fresh = ask(stack, &fresh_phone("133")).header("cf-connecting-ip", "203.0.113.78");
    fresh.send().await.challenge();
    eprintln!("30 numbers from one address: {accepted} messages");
}

async fn not_sent() {
    let stack = stacks::main();
    let phone = fresh_phone("133");
    let mut body = send_body(&phone);
    body["app"] = json!(TWO_VENDORS);
    for provider in ["chuanglan_sms", "twilio"] {
        fault(stack, provider, "refused", &phone).await;
    }
    for _ in 0..8 {
        let refused = post(stack, SEND, &body).send().await.problem(503, "sms_unavailable");
        assert_eq!(refused["fallback"], json!(["one_tap"]));
    }
    for provider in ["chuanglan_sms", "twilio"] {
        mend(stack, provider, &phone).await;
    }
    // At once, and as often as ever.
    for nth in 1..=5 {
        post(stack, SEND, &body).send().await.challenge();
        assert_eq!(messages(stack, &phone).await.len(), nth);
        sleep(PAUSE).await;
    }
    post(stack, SEND, &body).send().await.problem(429, "rate_limited");
    // A code stays the newest while its successor is not sent.
    let phone = fresh_phone("133");
    let Sent { challenge, code } = send(stack, &phone).await;
    sleep(PAUSE).await;
    fault(stack, "chuanglan_sms", "undeliverable", &phone).await;
    ask(stack, &phone).send().await.problem(503, "sms_unavailable");
    assert_eq!(newest_code(stack, &phone).await, code);
    type_in(stack, &challenge, &code).await.signed_in();
}

async fn country() {
    let stack = stacks::main();
    let refused = ask(stack, "+4915112345678").send().await.problem(400, "invalid_phone");
    assert_eq!(refused["fields"][0]["name"], "phone");
    assert_eq!(messages(stack, "+4915112345678").await.len(), 0);
}

/// How many were accepted; all others must have been told to wait.
fn must_be_sent_or_refused(answers: &[Answer]) -> usize {
    let (sent, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 202);
    for answer in refused {
        assert!(answer.problem(429, "rate_limited")["retryAfter"].as_u64().unwrap() >= 1);
    }
    sent.len()
}
