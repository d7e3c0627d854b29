//! The fault table: every provider, every way in which it can fail. What the client is told is the same for all.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use libtest_mimic::Trial;
use serde_json::json;

use crate::{
    client::{fresh_key, fresh_phone, login_body, post, within},
    login::LOGIN,
    sandbox::{Order, PROVIDERS, UPSTREAM_TEXT, times_seen},
    stack, story, story_alone,
};

/// What a behaviour of the sandbox leads to: status and code of the answer, and what the log says of the call.
const TABLE: [(&str, u16, &str, &str); 11] = [
    ("expired", 422, "one_tap_rejected", "rejected"),
    ("used", 422, "one_tap_rejected", "rejected"),
    ("wrong_app", 422, "one_tap_rejected", "rejected"),
    ("slow", 200, "", "ok"),
    ("hang", 503, "one_tap_unavailable", "unavailable"),
    ("http_500", 503, "one_tap_unavailable", "unavailable"),
    ("garbage", 503, "one_tap_unavailable", "unavailable"),
    ("bad_cipher", 503, "one_tap_unavailable", "unavailable"),
    ("truncated", 503, "one_tap_unavailable", "unavailable"),
    ("not_a_phone", 503, "one_tap_unavailable", "unavailable"),
    ("account_fault", 503, "one_tap_unavailable", "account_fault"),
];

/// The whole request's deadline, and the tolerance of the promise.
const DEADLINE: Duration = Duration::from_millis(3000 + 500);

/// Rows tried at once: few enough that waiting for a turn does not count as the service's time.
const AT_ONCE: usize = 4;

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = Vec::new();
    for provider in PROVIDERS {
        let name =
            format!("faults: whatever {provider} does, the answer comes in time and offers another way");
        stories.push(story_alone(&name, move || every_fault_of(provider)));
    }
    stories.push(story("faults: an unknown token is rejected, not tried again", unknown_token));
    stories
}

async fn every_fault_of(provider: &'static str) {
    let rows = stream::iter(TABLE).map(|row| within(DEADLINE, async move || one_fault(provider, row).await));
    let rows: Vec<Option<String>> = rows.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<String> = rows.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How long the answer to one fault took, and what is wrong with it.
async fn one_fault(
    provider: &'static str,
    (behaviour, status, code, outcome): (&'static str, u16, &'static str, &'static str),
) -> (Duration, Option<String>) {
    let stack = stack::main();
    let credential = Order::new(provider, &fresh_phone("134")).behaviour(behaviour).mint(stack).await;
    let body = login_body(&credential);
    let answer = post(stack, LOGIN, &body).key(&fresh_key()).send().await;
    let mut wrong = Vec::new();
    if (answer.status, answer.code().as_str()) != (status, code) {
        wrong.push(format!("answered {}", answer.summary()));
    } else if status != 200 {
        let problem = answer.problem(status, code);
        let names: Vec<&String> = problem.as_object().unwrap().keys().collect();
        if names != ["code", "detail", "fallback", "requestId", "status", "title", "type"]
            || problem["fallback"] != json!(["otp"])
            || problem["detail"] != problem["title"]
        {
            wrong.push(format!("more or less than the documented problem: {problem}"));
        }
    }
    if answer.text().contains(UPSTREAM_TEXT) {
        wrong.push("showed the provider's text".to_owned());
    }
    // A repeat without its key must not reach the provider either.
    let repeat = post(stack, LOGIN, &body).send().await;
    if (repeat.status, repeat.code().as_str()) != (422, "one_tap_rejected") {
        wrong.push(format!("a repeat was answered {}", repeat.summary()));
    }
    let seen = times_seen(stack, &credential).await;
    if seen != 1 {
        wrong.push(format!("the provider saw the token {seen} times"));
    }
    if answer.header("x-request-id") != answer.request_id {
        wrong.push(format!("not our answer: {:?}", answer.headers));
        return (answer.took, Some(format!("{provider} {behaviour}: {}", wrong.join("; "))));
    }
    let line = stack.log_line(&answer.request_id).await;
    let call = &line["providers"][0];
    let is_alert = (line["level"] == "alert") == (outcome == "account_fault");
    if call["provider"] != provider || call["outcome"] != outcome || !is_alert {
        wrong.push(format!("logged {line}"));
    }
    (answer.took, (!wrong.is_empty()).then(|| format!("{provider} {behaviour}: {}", wrong.join("; "))))
}

async fn unknown_token() {
    let stack = stack::main();
    let mut credential = Order::new("flash_v2", &fresh_phone("135")).mint(stack).await;
    credential["token"] = json!(format!("A{}", fresh_key()));
    let answer = post(stack, LOGIN, &login_body(&credential)).send().await;
    assert_eq!(answer.problem(422, "one_tap_rejected")["fallback"], json!(["otp"]));
    assert_eq!(times_seen(stack, &credential).await, 1);
}
