//! Every vendor delivers, refuses, hangs and calls back: one message at most, and one whenever possible.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{
    LOGIN, SEND, fault, login_body, messages, newest_code, send_body,
    stacks::{self, CHINESE, INTERNATIONAL, RECEIPT_TOKEN, TWO_VENDORS, app_of},
    tell_sandbox,
};
use crate::{
    client::{Answer, fresh_phone, post, random, within},
    leaks,
    stack::Stack,
    story,
};

/// They send texts as they get them; the others have templates of their own.
const BY_TEXT: [&str; 3] = ["chuanglan_sms", "twilio", INTERNATIONAL];

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story("otp: when one vendor refuses the next delivers, once", next_delivers),
        story("otp: a vendor that may have taken it gets no successor, and its code is good", no_successor),
        story("otp: a number that gets no messages is offered one-tap, and no other vendor", blacklisted),
        story("otp: receipts are taken from who knows the URL", receipts),
    ];
    for provider in CHINESE.into_iter().chain([INTERNATIONAL]) {
        let name = format!("otp: {provider} delivers, in both languages");
        stories.push(story(&name, move || delivers(provider)));
    }
    stories
}

async fn delivers(provider: &'static str) {
    let stack = stacks::main();
    for (language, purpose) in [("zh-CN", "登录"), ("en", "sign-in")] {
        let phone = phone_for(provider);
        let sent = ask(stack, &phone, &app_of(provider), language).await;
        let challenge = sent.challenge();
        let messages = messages(stack, &phone).await;
        assert_eq!((messages.len(), &messages[0]["provider"]), (1, &json!(provider)));
        let (text, code) = (messages[0]["text"].as_str().unwrap(), newest_code(stack, &phone).await);
        assert_eq!(code.len(), 8);
        if BY_TEXT.contains(&provider) {
            assert!(text.contains(purpose), "{language}: {text}");
            // For browsers and Apple's systems: the host of the issuer, without port.
            assert_eq!(text.lines().last().unwrap(), format!("@127.0.0.1 #{code}"));
            let fits = if text.is_ascii() { 160 } else { 70 };
            assert!(text.encode_utf16().count() <= fits, "{text}");
        }
        let mut body = login_body(&challenge, &code);
        body["app"] = json!(app_of(provider));
        post(stack, LOGIN, &body).send().await.signed_in();
    }
}

async fn next_delivers() {
    let stack = stacks::main();
    // In good health at first: one that mostly failed lately is asked last, in these stories and the next two.
    for _ in 0..6 {
        ask(stack, &fresh_phone("132"), TWO_VENDORS, "zh-CN").await.challenge();
    }
    for kind in ["refused", "account_fault", "http_500"] {
        let phone = fresh_phone("132");
        fault(stack, "chuanglan_sms", kind, &phone).await;
        let challenge = ask(stack, &phone, TWO_VENDORS, "zh-CN").await.challenge();
        let messages = messages(stack, &phone).await;
        assert_eq!((messages.len(), &messages[0]["provider"]), (1, &json!("twilio")), "{kind}");
        sign_in(stack, &phone, &challenge).await;
    }
}

async fn no_successor() {
    let stack = stacks::main();
    for kind in ["hang", "garbage"] {
        within(Duration::from_millis(6500), async || {
            let phone = fresh_phone("132");
            fault(stack, "chuanglan_sms", kind, &phone).await;
            let sent = ask(stack, &phone, TWO_VENDORS, "zh-CN").await;
            let challenge = sent.challenge();
            let messages = messages(stack, &phone).await;
            assert_eq!((messages.len(), &messages[0]["provider"]), (1, &json!("chuanglan_sms")), "{kind}");
            sign_in(stack, &phone, &challenge).await;
            (sent.took, ())
        })
        .await;
    }
}

async fn blacklisted() {
    let stack = stacks::main();
    let phone = fresh_phone("132");
    fault(stack, "chuanglan_sms", "undeliverable", &phone).await;
    let refused = ask(stack, &phone, TWO_VENDORS, "zh-CN").await.problem(503, "sms_unavailable");
    assert_eq!(refused["fallback"], json!(["one_tap"]));
    assert_eq!(messages(stack, &phone).await.len(), 0);
}

async fn receipts() {
    let stack = stacks::main();
    for provider in CHINESE.into_iter().chain([INTERNATIONAL]) {
        let phone = phone_for(provider);
        ask(stack, &phone, &app_of(provider), "en").await.challenge();
        for (token, status) in [(RECEIPT_TOKEN, 200), ("Vb3nQ9sLx2Kd8Wf5Tz7RmB", 404)] {
            let url = format!("{}/v1/receipts/{provider}/{token}", stack.service);
            let push = json!({ "provider": provider, "url": url, "to": phone, "delivered": true });
            let heard = tell_sandbox(stack, "/sandbox/receipts", &push).await;
            assert_eq!(heard["status"], status, "{provider}: {heard}");
        }
    }
    for nobody in ["cmcc", "turnstile", "nobody"] {
        let path = format!("/v1/receipts/{nobody}/{RECEIPT_TOKEN}");
        post(stack, &path, &json!({})).send().await.problem(404, "not_found");
    }
}

async fn ask(stack: &Stack, phone: &str, app: &str, language: &str) -> Answer {
    let mut body = send_body(phone);
    body["app"] = json!(app);
    post(stack, SEND, &body).header("accept-language", language).send().await
}

async fn sign_in(stack: &Stack, phone: &str, challenge: &str) -> Value {
    let mut body = login_body(challenge, &newest_code(stack, phone).await);
    body["app"] = json!(TWO_VENDORS);
    post(stack, LOGIN, &body).send().await.signed_in()
}

/// In Hong Kong for the one that does not deliver in China.
fn phone_for(provider: &str) -> String {
    if provider != INTERNATIONAL {
        return fresh_phone("132");
    }
    let digits = u32::from_le_bytes(random()) % 1_000_000;
    let phone = format!("85251{digits:06}");
    leaks::note("number", &phone);
    format!("+{phone}")
}
