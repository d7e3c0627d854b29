//! The store of codes hides them or is out of reach, objects die and answers are lost: whoever repeats arrives.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    LOGIN, SEND, login_body, messages, newest_code, not,
    refusals::PAUSE,
    repeats::{must_be_same, until_answered},
    send, send_body, type_in,
};
use crate::{
    client::{Answer, Request, fresh_key, fresh_phone, post},
    stack::{self, Stack},
    story, story_alone,
};

const HOOK: &str = "x-test-hook";

/// A caller whose callee died may wait until the platform gives up.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story("otp: a code whose record is not visible or out of reach signs in, once", no_record),
        story("otp: a code whose record was never written signs in, once", never_recorded),
    ];
    for hook in
        ["fail-handles", "lose-handles", "fail-accounts", "lose-accounts", "fail-counters", "lose-counters"]
    {
        let name = format!("otp: after {hook} at the send the repeat arrives");
        stories.push(story(&name, move || send_breaks(hook)));
        let name = format!("otp: after {hook} at the login the repeat is in");
        stories.push(story(&name, move || login_breaks(hook)));
    }
    for hook in ["panic-handles", "panic-accounts"] {
        let name = format!("otp: after {hook} at the send and at the login the repeats arrive");
        stories.push(story_alone(&name, move || async move {
            send_breaks(hook).await;
            login_breaks(hook).await;
        }));
    }
    stories
}

async fn no_record() {
    let stack = stack::test_build();
    for hook in ["miss-challenges", "fail-challenges", "slow-challenges"] {
        let phone = fresh_phone("145");
        let sent = send(stack, &phone).await;
        let typed = async |code: &str| {
            post(stack, LOGIN, &login_body(&sent.challenge, code)).header(HOOK, hook).send().await
        };
        typed(&not(&sent.code)).await.problem(401, "otp_incorrect");
        let right = typed(&sent.code).await;
        assert!(right.took < Duration::from_secs(5), "{hook}: {:?}", right.took);
        right.signed_in();
        typed(&sent.code).await.problem(401, "otp_incorrect");
        type_in(stack, &sent.challenge, &sent.code).await.problem(401, "otp_incorrect");
    }
}

async fn never_recorded() {
    let stack = stack::test_build();
    for hook in ["fail-challenges", "lose-challenges", "slow-challenges"] {
        let phone = fresh_phone("145");
        let asked_at = Instant::now();
        let sent = post(stack, SEND, &send_body(&phone)).header(HOOK, hook).send().await;
        assert!(asked_at.elapsed() < Duration::from_secs(5), "{hook}: {:?}", asked_at.elapsed());
        let (challenge, code) = (sent.challenge(), newest_code(stack, &phone).await);
        type_in(stack, &challenge, &not(&code)).await.problem(401, "otp_incorrect");
        type_in(stack, &challenge, &code).await.signed_in();
        type_in(stack, &challenge, &code).await.problem(401, "otp_incorrect");
    }
}

async fn send_breaks(hook: &'static str) {
    let stack = stack::test_build();
    let phone = fresh_phone("145");
    let (key, body) = (fresh_key(), send_body(&phone));
    let broken = hooked(post(stack, SEND, &body).key(&key), hook).await;
    if let Some(broken) = broken.filter(|broken| !matches!(broken.status, 202 | 503)) {
        assert!(broken.status == 429 || broken.status >= 500, "{}", broken.summary());
    }
    let again = until_answered(stack, SEND, &body, &key).await;
    assert!(again.status == 202 || again.status == 429, "{}", again.summary());
    let mut challenge = (again.status == 202).then(|| again.challenge());
    if messages(stack, &phone).await.is_empty() {
        // It died before a vendor was asked and counts as sent: another code after the usual wait.
        sleep(PAUSE).await;
        challenge = Some(post(stack, SEND, &send_body(&phone)).send().await.challenge());
    }
    assert!(messages(stack, &phone).await.len() <= 2, "{hook}");
    let code = newest_code(stack, &phone).await;
    type_in(stack, &challenge.expect("a message without a challenge"), &code).await.signed_in();
}

async fn login_breaks(hook: &'static str) {
    let stack = stack::test_build();
    let phone = fresh_phone("145");
    let sent = send(stack, &phone).await;
    let (key, body) = (fresh_key(), login_body(&sent.challenge, &sent.code));
    let broken = hooked(post(stack, LOGIN, &body).key(&key), hook).await;
    let in_at_once = broken.filter(|broken| broken.status < 500).map(|broken| broken.signed_in());
    let again: Value = until_answered(stack, LOGIN, &body, &key).await.signed_in();
    if let Some(first) = in_at_once {
        must_be_same(&first, &again);
    }
    must_be_same(&again, &until_answered(stack, LOGIN, &body, &key).await.signed_in());
    must_be_used(stack, &sent.challenge, &sent.code).await;
    // One account, and the number leads to it.
    sleep(PAUSE).await;
    let sent = send(stack, &phone).await;
    let next = type_in(stack, &sent.challenge, &sent.code).await.signed_in();
    assert_eq!(next["account"]["id"], again["account"]["id"]);
    assert_eq!(next["account"]["isNew"], false);
}

async fn must_be_used(stack: &Stack, challenge: &str, code: &str) {
    type_in(stack, challenge, code).await.problem(401, "otp_incorrect");
}

/// The answer to a request that a fault hits, if there is one.
async fn hooked(request: Request, hook: &str) -> Option<Answer> {
    request.header(HOOK, hook).patience(PATIENCE).try_send().await.ok()
}
