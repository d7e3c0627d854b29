//! Bot check and risk: who is asked, what they say, and what their silence means.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{SEND, messages, send_body, stacks, tell_sandbox};
use crate::{
    client::{Answer, fresh_phone, post, within},
    login,
    sandbox::Order,
    stack::Stack,
    story, story_alone,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("otp: a bot check passed counts, one failed or used before does not", bot_checks),
        story_alone("otp: risk allows, asks for a bot check, or denies", risk),
        story_alone("otp: a risk provider that is silent means what the operator decided", silence),
    ]
}

async fn bot_checks() {
    let stack = stacks::main();
    for (provider, platform) in [("turnstile", "web"), ("geetest", "ios")] {
        let passed = captcha(stack, provider, "pass").await;
        ask_on(stack, &fresh_phone("130"), platform, Some(&passed)).await.challenge();
        let again = ask_on(stack, &fresh_phone("130"), platform, Some(&passed)).await;
        again.problem(403, "bot_check_required");
        let failed = captcha(stack, provider, "fail").await;
        ask_on(stack, &fresh_phone("130"), platform, Some(&failed)).await.problem(403, "bot_check_required");
        let phone = fresh_phone("130");
        ask_on(stack, &phone, platform, Some("made up")).await.problem(403, "bot_check_required");
        assert_eq!(messages(stack, &phone).await.len(), 0, "{provider}");
        // It was not needed, so without one it is as good.
        ask_on(stack, &phone, platform, None).await.challenge();
    }
}

async fn risk() {
    let stack = stacks::main();
    let risky = async |score: u16| {
        let phone = fresh_phone("130");
        tell_sandbox(stack, "/sandbox/risk", &json!({ "phone": phone, "score": score })).await;
        phone
    };
    ask_on(stack, &risky(100).await, "web", None).await.challenge();
    for (platform, provider) in [("web", "turnstile"), ("android", "geetest")] {
        let phone = risky(700).await;
        ask_on(stack, &phone, platform, None).await.problem(403, "bot_check_required");
        assert_eq!(messages(stack, &phone).await.len(), 0);
        let passed = captcha(stack, provider, "pass").await;
        ask_on(stack, &phone, platform, Some(&passed)).await.challenge();
        let phone = risky(950).await;
        ask_on(stack, &phone, platform, None).await.problem(403, "risk_denied");
        let passed = captcha(stack, provider, "pass").await;
        ask_on(stack, &phone, platform, Some(&passed)).await.problem(403, "risk_denied");
        assert_eq!(messages(stack, &phone).await.len(), 0);
    }
    // One-tap asks as well, before there is an account.
    let phone = risky(950).await;
    let credential = Order::new("flash_v2", &phone).mint(stack).await;
    let denied = post(stack, login::LOGIN, &crate::client::login_body(&credential)).send().await;
    denied.problem(403, "risk_denied");
}

async fn silence() {
    for (stack, is_open) in [(stacks::main(), true), (stacks::short(), false)] {
        for kind in ["http_500", "hang", "garbage"] {
            let down = |rate: u8| json!({ "provider": "jpush_risk", "rate": rate, "kind": kind });
            within(Duration::from_secs(3), async || {
                tell_sandbox(stack, "/sandbox/faults", &down(1)).await;
                let answer = ask_on(stack, &fresh_phone("130"), "ios", None).await;
                tell_sandbox(stack, "/sandbox/faults", &down(0)).await;
                if is_open {
                    answer.challenge();
                } else {
                    answer.problem(403, "risk_denied");
                }
                (answer.took, ())
            })
            .await;
        }
        ask_on(stack, &fresh_phone("130"), "ios", None).await.challenge();
    }
    stacks::short_was_used();
}

/// What a bot check gives to a person (`pass`), or to a program (`fail`).
pub(super) async fn captcha(stack: &Stack, provider: &str, outcome: &str) -> String {
    let order = json!({ "provider": provider, "outcome": outcome });
    let minted: Value = tell_sandbox(stack, "/sandbox/captchas", &order).await;
    minted["captchaToken"].as_str().unwrap().to_owned()
}

/// Asks for a code on a platform, with what its bot check gave, if anything.
pub(super) async fn ask_on(stack: &Stack, phone: &str, platform: &str, captcha: Option<&str>) -> Answer {
    let mut body = send_body(phone);
    body["device"]["platform"] = json!(platform);
    if let Some(token) = captcha {
        body["captchaToken"] = json!(token);
    }
    post(stack, SEND, &body).send().await
}
