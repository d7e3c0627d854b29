//! A deployment whose configuration is not whole says so, and does nothing else.

use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::json;

use crate::{
    client::{fresh_device, get, http, post, runtime},
    login::LOGIN,
    stack::{Recipe, Stack},
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("settings: in development every problem is named at once", all_named),
        story("settings: in production a missing secret is refused and not named", not_named),
    ]
}

async fn all_named() {
    let recipe = Recipe::new("incomplete")
        .var("MAC_KEYS", "")
        .var("SEALING_KEYS", r#"{"keys":[]}"#)
        .var("ACCESS_TOKEN_SECONDS", "5")
        .var("APPS", "a b");
    let stack = launched(&recipe);
    let health = get(&stack, "/healthz").send().await.problem(503, "misconfigured");
    let detail = health["detail"].as_str().unwrap();
    for name in ["MAC_KEYS is missing", "SEALING_KEYS", "ACCESS_TOKEN_SECONDS", "APPS"] {
        assert!(detail.contains(name), "{name} is not named in: {detail}");
    }
    let body = json!({ "credential": { "provider": "cmcc", "token": "t" }, "device": fresh_device() });
    for path in [LOGIN, "/v1/session/refresh"] {
        post(&stack, path, &body).send().await.problem(503, "misconfigured");
    }
    get(&stack, "/.well-known/jwks.json").send().await.problem(503, "misconfigured");
    stack.stop(Signal::TERM);
}

async fn not_named() {
    let stack = launched(&Recipe::new("production").var("ENVIRONMENT", "production").var("DIGEST_KEYS", ""));
    for path in ["/healthz", "/.well-known/jwks.json", "/v1/session"] {
        let answer = get(&stack, path).send().await;
        let problem = answer.problem(503, "misconfigured");
        assert_eq!(problem["detail"], problem["title"]);
        assert!(!answer.text().contains("KEYS"), "{}", answer.text());
    }
    stack.stop(Signal::TERM);
}

/// Starts a stack that will never be ready, and waits until its service answers.
fn launched(recipe: &Recipe) -> Stack {
    let stack = recipe.launch();
    stack.wait("does not answer", Duration::from_secs(420), |stack| {
        let asked = http().get(format!("{}/healthz", stack.service)).send();
        tokio::task::block_in_place(|| runtime().block_on(asked)).is_ok_and(|answer| {
            let kind = answer.headers().get("content-type");
            kind.is_some_and(|kind| kind == "application/problem+json")
        })
    });
    stack
}
