//! One-tap failed: the code by SMS is on its way with the answer.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{fault, messages, newest_code, stacks, type_in};
use crate::{
    client::{Answer, fresh_device, fresh_key, fresh_phone, post, within},
    leaks, login,
    sandbox::Order,
    stack::Stack,
    story, story_alone,
};

const FAILURES: &str = "/v1/one-tap/failures";

/// The whole request's deadline, and the tolerance of the promise.
const IN_TIME: Duration = Duration::from_millis(3000 + 500);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_alone("otp: when one-tap fails the code is on its way within 3.5 seconds", in_time),
        story("otp: a failure of the SDK is answered with a code on its way", reported),
        story("otp: a repeated failure has the same challenge and no second message", repeated),
        story("otp: nobody gets a code that was not asked for, or that could not help", only_if_asked),
        story("otp: a code that cannot be sent changes nothing about the failure", not_sent),
    ]
}

async fn in_time() {
    let stack = stacks::main();
    for (behaviour, status, code) in [
        ("hang", 503, "one_tap_unavailable"),
        ("http_500", 503, "one_tap_unavailable"),
        ("expired", 422, "one_tap_rejected"),
    ] {
        let took = within(IN_TIME, async || {
            let phone = fresh_phone("131");
            let body = login_with_fallback(stack, &phone, behaviour).await;
            let failed = post(stack, login::LOGIN, &body).key(&fresh_key()).send().await;
            assert_eq!(failed.problem(status, code)["fallback"], json!(["otp"]));
            must_lead_to_a_login(stack, &phone, &failed).await;
            (failed.took, failed.took)
        });
        eprintln!("one-tap {behaviour}: failure with challenge after {:?}", took.await);
    }
}

async fn reported() {
    let stack = stacks::main();
    let phone = fresh_phone("131");
    let failed = post(stack, FAILURES, &report(&phone)).send().await;
    assert_eq!(failed.problem(422, "one_tap_rejected")["fallback"], json!(["otp"]));
    must_lead_to_a_login(stack, &phone, &failed).await;
}

async fn repeated() {
    let stack = stacks::main();
    let (one, other) = (fresh_phone("131"), fresh_phone("131"));
    let requests = [
        (login::LOGIN, &one, login_with_fallback(stack, &one, "http_500").await),
        (FAILURES, &other, report(&other)),
    ];
    for (path, phone, body) in requests {
        let key = fresh_key();
        let first = post(stack, path, &body).key(&key).send().await;
        let again = post(stack, path, &body).key(&key).send().await;
        assert_eq!((again.status, challenge(&again)), (first.status, challenge(&first)), "{path}");
        assert_eq!(messages(stack, phone).await.len(), 1, "{path}");
        if path == login::LOGIN {
            assert_eq!(again.body, first.body, "{path}");
        }
        must_lead_to_a_login(stack, phone, &again).await;
    }
}

async fn only_if_asked() {
    let stack = stacks::main();
    let phone = fresh_phone("131");
    let mut quiet = login_with_fallback(stack, &phone, "http_500").await;
    quiet["otpFallback"] = json!(false);
    let failed = post(stack, login::LOGIN, &quiet).send().await.problem(503, "one_tap_unavailable");
    assert_eq!(failed.get("challenge"), None);
    let mut nameless = report(&phone);
    nameless.as_object_mut().unwrap().remove("phone");
    let refused = post(stack, FAILURES, &nameless).send().await.problem(400, "invalid_request");
    assert_eq!(refused["fields"][0]["name"], "phone");
    let good = login_with_fallback(stack, &phone, "ok").await;
    post(stack, login::LOGIN, &good).send().await.signed_in();
    assert_eq!(messages(stack, &phone).await.len(), 0);
}

async fn not_sent() {
    let stack = stacks::main();
    let phone = fresh_phone("131");
    fault(stack, "chuanglan_sms", "undeliverable", &phone).await;
    let body = login_with_fallback(stack, &phone, "expired").await;
    let failed = post(stack, login::LOGIN, &body).send().await.problem(422, "one_tap_rejected");
    assert_eq!((&failed["fallback"], failed.get("challenge")), (&json!(["otp"]), None));
}

async fn must_lead_to_a_login(stack: &Stack, phone: &str, failed: &Answer) {
    let code = newest_code(stack, phone).await;
    let login = type_in(stack, &challenge(failed), &code).await.signed_in();
    assert_eq!(login["account"]["isNew"], true);
}

fn challenge(failed: &Answer) -> String {
    let challenge = failed.json()["challenge"].clone();
    let id =
        challenge["challengeId"].as_str().unwrap_or_else(|| panic!("no challenge: {}", failed.summary()));
    leaks::note("challenge", id);
    assert_eq!(challenge["codeLength"], 8);
    id.to_owned()
}

fn report(phone: &str) -> Value {
    json!({ "sdkCode": "200023", "network": "wifi", "carrier": "cmcc", "provider": "cmcc", "phone": phone,
            "otpFallback": true, "device": fresh_device() })
}

async fn login_with_fallback(stack: &Stack, phone: &str, behaviour: &str) -> Value {
    let credential = Order::new("cmcc", phone).behaviour(behaviour).mint(stack).await;
    json!({ "credential": credential, "phone": phone, "otpFallback": true, "device": fresh_device() })
}
