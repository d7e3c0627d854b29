//! Crashes between the objects, and panics. Only the builds with fault points know the header that asks for them.

use std::time::Duration;

use futures_util::future::{join, join_all};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    client::{Answer, fresh_key, fresh_phone, get, login_body, post},
    login::{LOGIN, sign_in},
    sandbox::Order,
    stack::{self, Stack},
    story, story_alone,
};

/// Asks for a fault.
pub(crate) const HOOK: &str = "x-test-hook";

/// A caller whose callee died may wait until the platform gives up.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = Vec::new();
    for object in ["counters", "handles", "accounts"] {
        for kind in ["fail", "lose"] {
            let what =
                if kind == "fail" { "is out of reach" } else { "does its work but the answer is lost" };
            let name = format!("crash: when one of the {object} {what}, the next login ends right");
            stories.push(story(&name, move || next_login_ends_right(kind, object)));
        }
        let name = format!("crash: a panic in one of the {object} does not stop the next login");
        stories.push(story_alone(&name, move || panic_in_object(object)));
        let name =
            format!("crash: unwinding, a panic in one of the {object} reaches its caller as `internal`");
        stories.push(story_alone(&name, move || unwinding_panic_in_object(object)));
    }
    stories.push(story_alone("crash: a panic in the Worker does not stop the next request", panic_in_worker));
    stories.push(story_alone(
        "crash: unwinding, a slow request in flight survives another's panic",
        slow_request_survives,
    ));
    stories.push(story("crash: the release build has no fault points", no_hooks_in_release));
    stories
}

async fn next_login_ends_right(kind: &'static str, object: &'static str) {
    let stack = stack::test_build();
    let phone = fresh_phone("147");
    let broken = hooked_login(stack, &phone, &format!("{kind}-{object}")).await.unwrap();
    assert_eq!(broken.problem(500, "internal")["fallback"], json!(["otp"]));
    must_end_right(stack, &phone).await;
}

async fn panic_in_object(object: &'static str) {
    let stack = stack::test_build();
    let phone = fresh_phone("147");
    // Without unwinding nobody is left to answer well; the client gets the platform's 500 or none.
    if let Ok(answer) = hooked_login(stack, &phone, &format!("panic-{object}")).await {
        assert!(answer.status >= 500, "{}", answer.summary());
    }
    must_end_right(stack, &phone).await;
}

async fn unwinding_panic_in_object(object: &'static str) {
    let stack = stack::unwinding();
    let phone = fresh_phone("147");
    let broken = hooked_login(stack, &phone, &format!("panic-{object}")).await.unwrap();
    assert_eq!(broken.problem(500, "internal")["fallback"], json!(["otp"]));
    must_end_right(stack, &phone).await;
}

async fn panic_in_worker() {
    let stack = stack::test_build();
    sign_in(stack, &fresh_phone("147")).await;
    for _ in 0..3 {
        let panicked =
            get(stack, "/healthz").header(HOOK, "panic-worker").patience(PATIENCE).try_send().await;
        if let Ok(answer) = panicked {
            assert!(answer.status >= 500, "{}", answer.summary());
        }
        get(stack, "/healthz").send().await.ok();
        sign_in(stack, &fresh_phone("147")).await;
    }
}

async fn slow_request_survives() {
    let stack = stack::unwinding();
    sign_in(stack, &fresh_phone("147")).await;
    let credential = Order::new("cmcc", &fresh_phone("147")).behaviour("slow").mint(stack).await;
    let body = login_body(&credential);
    let slow = post(stack, LOGIN, &body).key(&fresh_key()).send();
    let panics = async {
        sleep(Duration::from_millis(400)).await;
        join_all((0..5).map(|_| get(stack, "/healthz").header(HOOK, "panic-worker").send())).await
    };
    let (slow, panicked) = join(slow, panics).await;
    slow.ok();
    for answer in panicked {
        answer.problem(500, "internal");
    }
    get(stack, "/healthz").send().await.ok();
}

async fn no_hooks_in_release() {
    let stack = stack::main();
    get(stack, "/healthz").header(HOOK, "panic-worker").send().await.ok();
    hooked_login(stack, &fresh_phone("147"), "fail-accounts").await.unwrap().ok();
}

async fn hooked_login(stack: &Stack, phone: &str, hook: &str) -> reqwest::Result<Answer> {
    let credential = Order::new("flash_v2", phone).mint(stack).await;
    let request = post(stack, LOGIN, &login_body(&credential)).key(&fresh_key());
    request.header(HOOK, hook).patience(PATIENCE).try_send().await
}

/// However the attempt before went: the number signs in, has one account, and its account has one number.
async fn must_end_right(stack: &Stack, phone: &str) {
    let logins: Vec<Value> = vec![sign_in(stack, phone).await, sign_in(stack, phone).await];
    assert_eq!(logins[0]["account"]["id"], logins[1]["account"]["id"]);
    assert_eq!(logins[1]["account"]["isNew"], false);
    assert_eq!(logins[1]["account"]["phone"], format!("{}****{}", &phone[..6], &phone[10..]));
}
