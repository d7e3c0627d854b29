//! Passwords: one for every identifier, nobody learns who has an account, and hashing leaves others their turn.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, get, post, random},
    emails, leaks,
    login::{access_token, sign_in},
    otp,
    stack::{self, Recipe, Stack},
    story, story_alone,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "passwords: one for number, address and user name; changed once, the old one is nowhere good",
            one_for_all,
        ),
        story("passwords: an unknown identifier and a wrong password get the same answer", same_answer),
        story("passwords: a stale session needs a proof, and is told which", fresh_proof),
        story("passwords: a reset by the number's code ends every other session", reset),
        story("passwords: guesses at one person run out, not for the owner's device", guesses),
        story("passwords: of 60 parallel guesses no more count than may", parallel_guesses),
        story_alone("passwords: 30 logins at once, and somebody else is still answered", many_at_once),
    ]
}

fn fresh_word(prefix: &str) -> String {
    let letters = random::<10>().map(|byte| char::from(b'a' + byte % 26));
    format!("{prefix}{}", letters.iter().collect::<String>())
}

pub(crate) fn password(kind: &'static str) -> String {
    let password = fresh_word("correct ");
    leaks::note(kind, &password);
    password
}

async fn put(stack: &Stack, login: &Value, body: &Value) -> Answer {
    let request = Request::new(stack, Method::PUT, "/v1/account/password").json(body);
    request.bearer(access_token(login)).send().await
}

async fn log_in(stack: &Stack, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password, "device": fresh_device() });
    post(stack, "/v1/password/login", &body).send().await
}

/// Somebody with a number, a name and a password.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) phone: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) login: Value,
}

pub(crate) async fn person(stack: &Stack, prefix: &str) -> Person {
    let phone = fresh_phone(prefix);
    let login = sign_in(stack, &phone).await;
    let username = fresh_word("user.");
    leaks::note("user name", &username);
    let bind = post(stack, "/v1/account/identities/username", &json!({ "username": username }));
    assert_eq!(bind.bearer(access_token(&login)).send().await.status, 204);
    let password = password("password");
    assert_eq!(put(stack, &login, &json!({ "newPassword": password })).await.status, 204);
    Person { phone, username, password, login }
}

async fn one_for_all() {
    let stack = stack::main();
    let Person { phone, username, password: old, login } = person(stack, "158").await;
    let address = emails::fresh_address();
    let code = emails::code_for(stack, access_token(&login), &address, "bind").await;
    let bind = post(stack, "/v1/account/identities/email", &code).bearer(access_token(&login));
    assert_eq!(bind.send().await.status, 204);
    let new = password("new password");
    let identifiers = [&phone, &address, &username];
    for identifier in identifiers {
        log_in(stack, identifier, &new).await.problem(401, "invalid_credentials");
        assert_eq!(log_in(stack, identifier, &old).await.ok()["account"]["id"], login["account"]["id"]);
    }
    let change = json!({ "newPassword": new, "currentPassword": old });
    assert_eq!(put(stack, &login, &change).await.status, 204);
    for identifier in identifiers {
        log_in(stack, identifier, &old).await.problem(401, "invalid_credentials");
        assert_eq!(log_in(stack, identifier, &new).await.ok()["account"]["id"], login["account"]["id"]);
    }
}

async fn same_answer() {
    let stack = stack::main();
    let Person { phone, username, .. } = person(stack, "158").await;
    let without_one = fresh_phone("158");
    sign_in(stack, &without_one).await;
    let wrong = password("wrong password");
    let mut bodies = Vec::new();
    for identifier in [
        &phone,
        &username,
        &without_one,
        &fresh_phone("158"),
        &fresh_word("nobody."),
        "nobody@nowhere.example",
    ] {
        let answer = log_in(stack, identifier, &wrong).await;
        let mut body = answer.problem(401, "invalid_credentials");
        body.as_object_mut().unwrap().remove("requestId");
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

async fn fresh_proof() {
    let phone = fresh_phone("158");
    let recipe = Recipe::new("stale");
    let stack = recipe.start();
    let login = sign_in(&stack, &phone).await;
    let old = password("password");
    assert_eq!(put(&stack, &login, &json!({ "newPassword": old })).await.status, 204);
    stack.stop(rustix::process::Signal::TERM);
    let recipe = recipe.clock_skew(601);
    let stack = recipe.start();
    let refresh = json!({ "refreshToken": login["session"]["refreshToken"] });
    let later = post(&stack, "/v1/session/refresh", &refresh).send().await.ok();
    let new = password("new password");
    let refused = put(&stack, &later, &json!({ "newPassword": new })).await;
    let refused = refused.problem(403, "reauthentication_required");
    assert_eq!(refused["proofs"], json!(["one_tap", "number_check", "otp", "pwd"]));
    let wrong = json!({ "proof": { "type": "password", "password": new } });
    let prove = async |body: &Value| {
        post(&stack, "/v1/session/proof", body).bearer(access_token(&later)).send().await
    };
    prove(&wrong).await.problem(403, "proof_failed");
    assert_eq!(prove(&json!({ "proof": { "type": "password", "password": old } })).await.status, 204);
    assert_eq!(put(&stack, &later, &json!({ "newPassword": new })).await.status, 204);
    log_in(&stack, &phone, &new).await.ok();
    stack.stop(rustix::process::Signal::TERM);
}

async fn reset() {
    let stack = stack::main();
    let Person { phone, username, password: old, login } = person(stack, "158").await;
    let new = password("new password");
    let (challenge, code) = otp::code_for(stack, &phone, "reset_password").await;
    let body = json!({ "numberProof": { "type": "otp", "challengeId": challenge, "code": code },
                       "newPassword": new, "device": fresh_device() });
    let reset = post(stack, "/v1/password/reset", &body).send().await.ok();
    assert_eq!(reset["account"]["id"], login["account"]["id"]);
    let refresh = json!({ "refreshToken": login["session"]["refreshToken"] });
    post(stack, "/v1/session/refresh", &refresh).send().await.problem(401, "session_revoked");
    log_in(stack, &username, &old).await.problem(401, "invalid_credentials");
    log_in(stack, &username, &new).await.ok();
    post(stack, "/v1/password/reset", &body).send().await.problem(401, "otp_incorrect");
}

async fn guesses() {
    let stack = stack::main();
    let Person { phone, password: right, login, .. } = person(stack, "158").await;
    let wrong = password("wrong password");
    for _ in 0..10 {
        log_in(stack, &phone, &wrong).await.problem(401, "invalid_credentials");
    }
    log_in(stack, &phone, &right).await.problem(429, "rate_limited");
    let mut body = json!({ "identifier": phone, "password": right, "device": fresh_device() });
    body["device"]["token"] = login["device"]["token"].clone();
    let own = post(stack, "/v1/password/login", &body).send().await.ok();
    assert_eq!(own["device"]["id"], login["device"]["id"]);
    sign_in(stack, &phone).await;
}

async fn parallel_guesses() {
    let stack = stack::main();
    let Person { phone, .. } = person(stack, "158").await;
    let wrong = password("wrong password");
    let answers = join_all((0..60).map(|_| log_in(stack, &phone, &wrong))).await;
    let counted = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(counted, 10, "the others must be refused unseen");
    assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status)));
}

async fn many_at_once() {
    let stack = stack::main();
    // Ten at once are as many as one person may try.
    let people = [person(stack, "158").await, person(stack, "158").await, person(stack, "158").await];
    let began = Instant::now();
    let thirty = people.iter().cycle().take(30);
    let logins = join_all(thirty.map(|person| log_in(stack, &person.phone, &person.password)));
    let others = async {
        let mut took = Vec::new();
        while began.elapsed() < Duration::from_secs(2) {
            let asked = Instant::now();
            get(stack, "/v1/session").bearer(access_token(&people[0].login)).send().await.ok();
            took.push(asked.elapsed());
        }
        took
    };
    let (logins, mut took) = join(logins, others).await;
    logins.iter().for_each(|login| _ = login.ok());
    took.sort_unstable();
    let p99 = took[(took.len() * 99).div_ceil(100) - 1];
    eprintln!("30 password logins at once: {} answers to somebody else, p99 {p99:?}", took.len());
}
