//! The guard against pumping over HTTP: it closes by itself, a person passes, and the operator is told.

use std::{fs, sync::Mutex, time::Duration, time::Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use super::{
    ask,
    screening::{ask_on, captcha},
    stacks,
};
use crate::{
    client::fresh_phone,
    stack::{lock, structured},
    story,
};

/// A code is judged two minutes after it was sent, by whole minutes.
const JUDGED_AFTER: Duration = Duration::from_secs(185);

/// When the last of the codes went out that nobody redeems.
static ORDERED: Mutex<Option<Instant>> = Mutex::new(None);

/// The first half.
pub(super) fn stories() -> Vec<Trial> {
    vec![story("otp: somebody orders codes that nobody redeems", order)]
}

/// The second half, when time has passed.
pub(super) fn last_stories() -> Vec<Trial> {
    vec![story(
        "otp: a prefix whose codes nobody redeems is stopped for strangers, not for people",
        is_stopped,
    )]
}

async fn order() {
    for _ in 0..8 {
        ask(stacks::guarded(), &number()).send().await.challenge();
    }
    *lock(&ORDERED) = Some(Instant::now());
}

async fn is_stopped() {
    let stack = stacks::guarded();
    let ordered = lock(&ORDERED).expect("needs the first half before it");
    tokio::time::sleep(JUDGED_AFTER.saturating_sub(ordered.elapsed())).await;
    let phone = number();
    ask_on(stack, &phone, "web", None).await.problem(403, "bot_check_required");
    let passed = captcha(stack, "turnstile", "pass").await;
    ask_on(stack, &phone, "web", Some(&passed)).await.challenge();
    // Another prefix is open.
    ask_on(stack, &fresh_phone("199"), "web", None).await.challenge();
    let log = fs::read_to_string(&stack.log).unwrap();
    let turns: Vec<Value> =
        log.lines().filter_map(structured).filter(|line| line["event"] == "pumping_guard").collect();
    assert_eq!(turns.len(), 1, "{turns:?}");
    assert_eq!((&turns[0]["level"], &turns[0]["guard"]), (&"alert".into(), &"stop".into()));
    assert_eq!(turns[0]["scope"], PREFIX);
}

const PREFIX: &str = "+861470";

/// A number of the prefix that is ordered for.
fn number() -> String {
    loop {
        let phone = fresh_phone("147");
        if phone.starts_with(PREFIX) {
            return phone;
        }
    }
}
