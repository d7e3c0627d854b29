//! Nobody sees or touches another's rows over HTTP either, whichever ids they try at whichever endpoint.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_phone, get, post, random},
    login::{access_token, sign_in},
    numbers::{TRUSTED, one_tap},
    protection::{ask, protect, ticket},
    stack::{self, Stack},
    story,
};

/// Accounts, each with two sessions and a sign-in that waits.
const ACCOUNTS: usize = 3;

/// Random tries.
const TRIES: usize = 60;

/// What an owner sees.
const VIEWS: &[&str] = &[
    "/v1/sessions",
    "/v1/devices",
    "/v1/login-history",
    "/v1/approvals",
    "/v1/account/login-protection",
    "/v1/account/trusted-phones",
];

struct Person {
    logins: [Value; 2],
    held: Value,
    approval: String,
    trusted_phone: String,
}

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("isolation: random tries on others' ids change and show nothing", others_ids)]
}

async fn person(stack: &Stack) -> Person {
    let phone = fresh_phone("153");
    let logins = [sign_in(stack, &phone).await, sign_in(stack, &phone).await];
    let friend = json!({ "numberProof": one_tap(stack, &fresh_phone("136")).await });
    let friend = post(stack, TRUSTED, &friend).bearer(access_token(&logins[0])).send().await;
    let trusted_phone = friend.json()["id"].as_str().unwrap().to_owned();
    protect(stack, &logins[0], true).await;
    let held = ticket(stack, &phone).await;
    let (_, question) = ask(stack, &logins[0], &held).await;
    let approval = question["id"].as_str().unwrap().to_owned();
    Person { logins, held, approval, trusted_phone }
}

/// Without the seconds that pass meanwhile.
async fn seen(stack: &Stack, person: &Person) -> Vec<Value> {
    let mut views = Vec::new();
    for path in VIEWS {
        let mut view = get(stack, path).bearer(access_token(&person.logins[0])).send().await.ok();
        for approval in view["approvals"].as_array_mut().into_iter().flatten() {
            approval.as_object_mut().unwrap().remove("expiresIn");
        }
        views.push(view);
    }
    views
}

async fn attempt(stack: &Stack, actor: &Person, target: &Person, which: usize, endpoint: usize) -> Answer {
    let bearer = access_token(&actor.logins[0]);
    let id = |of: &str| target.logins[which][of]["id"].as_str().unwrap().to_owned();
    let (session, device) =
        (format!("/v1/sessions/{}", id("session")), format!("/v1/devices/{}", id("device")));
    let approval = format!("/v1/approvals/{}", target.approval);
    let step_up = json!({ "ticket": target.held["ticket"], "device": { "token": actor.held["device"]["token"] },
                          "method": "device_approval" });
    let request = match endpoint {
        0 => Request::new(stack, Method::DELETE, &session),
        1 => Request::new(stack, Method::DELETE, &device),
        2 => Request::new(stack, Method::PATCH, &device).json(&json!({ "name": "taken" })),
        3 => Request::new(stack, Method::PATCH, &device).json(&json!({ "trusted": false })),
        4 => post(stack, &approval, &json!({ "decision": "deny" })),
        5 => post(stack, &approval, &json!({ "decision": "approve", "match": "42" })),
        6 => Request::new(stack, Method::DELETE, &format!("{TRUSTED}/{}", target.trusted_phone)),
        7 => post(stack, "/v1/step-up/complete", &step_up),
        _ => post(stack, "/v1/step-up/start", &step_up),
    };
    request.bearer(bearer).send().await
}

async fn others_ids() {
    let stack = stack::main();
    let mut people = Vec::new();
    for _ in 0..ACCOUNTS {
        people.push(person(stack).await);
    }
    for nth in 0..TRIES {
        let [actor, step, which, endpoint] = random::<4>().map(usize::from);
        let (actor, which, endpoint) = (actor % ACCOUNTS, which % 2, endpoint % 9);
        let target = (actor + 1 + step % (ACCOUNTS - 1)) % ACCOUNTS;
        let (me, other) = (&people[actor], &people[target]);
        let before = seen(stack, other).await;
        let answer = attempt(stack, me, other, which, endpoint).await;
        let (status, code) = if endpoint < 7 { (404, "not_found") } else { (410, "ticket_invalid") };
        answer.problem(status, code);
        assert_eq!(seen(stack, other).await, before, "try {nth} at endpoint {endpoint}");
        let mine = format!("{:?} {}", seen(stack, me).await, answer.text());
        for login in &other.logins {
            for of in ["account", "session", "device"] {
                assert!(!mine.contains(login[of]["id"].as_str().unwrap()), "try {nth}: {of}");
            }
        }
        assert!(!mine.contains(&other.approval) && !mine.contains(&other.trusted_phone), "try {nth}");
    }
    eprintln!("{TRIES} random tries on others' ids over {ACCOUNTS} accounts: nothing changed, nothing shown");
}
