//! Ends of sessions over HTTP, and how long each way of checking goes on taking an access token; devices and history.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    backend::api_key,
    client::{Answer, Request, fresh_phone, get, post},
    login::{access_token, sign_in},
    stack::{self, Stack},
    story, story_alone,
    tokens::REFRESH,
};

const AT_ONCE: usize = 100;

/// README: what places that ask the edge's copy go on taking.
const EDGE_BOUND: Duration = Duration::from_secs(90);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("sessions: one that is ended is over, each way of checking within its bound", kicked),
        story("sessions: one's own are listed and ended, and nobody else's", own_only),
        story_alone("sessions: 100 refreshes of one token at once get one successor", refreshed_at_once),
        story("sessions: a stolen refresh token ends the family, and the history tells", stolen),
        story("sessions: devices are named and removed, and take their sessions along", devices),
        story("sessions: backends ask about tokens and take them back", introspected),
    ]
}

fn delete(stack: &Stack, path: &str, login: &Value) -> Request {
    Request::new(stack, Method::DELETE, path).bearer(access_token(login))
}

async fn see(stack: &Stack, path: &str, login: &Value) -> Answer {
    get(stack, path).bearer(access_token(login)).send().await
}

async fn refresh(stack: &Stack, login: &Value) -> Answer {
    post(stack, REFRESH, &json!({ "refreshToken": login["session"]["refreshToken"] })).send().await
}

fn id(login: &Value, of: &str) -> String {
    login[of]["id"].as_str().unwrap().to_owned()
}

async fn kicked() {
    let stack = stack::main();
    let phone = fresh_phone("150");
    let (owner, thief) = (sign_in(stack, &phone).await, sign_in(stack, &phone).await);
    let path = format!("/v1/sessions/{}", id(&thief, "session"));
    let ended = delete(stack, &path, &owner).send().await;
    assert_eq!(ended.status, 204, "{}", ended.summary());
    let since = Instant::now();
    refresh(stack, &thief).await.problem(401, "session_revoked");
    see(stack, "/v1/session?fresh=true", &thief).await.problem(401, "unauthenticated");
    see(stack, "/v1/sessions", &thief).await.problem(401, "unauthenticated");
    let at_once = since.elapsed();
    // A check that asks nobody goes on until the token is over.
    see(stack, "/v1/session", &thief).await.ok();
    while see(stack, "/v1/session?fresh=edge", &thief).await.status == 200 {
        assert!(since.elapsed() < EDGE_BOUND, "the edge never learns of it");
        sleep(Duration::from_millis(50)).await;
    }
    eprintln!(
        "an ended session: refused at refresh and by its account within {at_once:?} (three requests), by the edge's \
         copy after {:?}, by whoever asks nobody after the token's 600 s",
        since.elapsed()
    );
    refresh(stack, &owner).await.ok();
}

async fn own_only() {
    let stack = stack::main();
    let (phone, other) = (fresh_phone("150"), fresh_phone("150"));
    let mine = [sign_in(stack, &phone).await, sign_in(stack, &phone).await, sign_in(stack, &phone).await];
    let theirs = sign_in(stack, &other).await;
    let listed = see(stack, "/v1/sessions", &mine[0]).await.ok();
    let ids: BTreeSet<String> =
        listed["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, mine.iter().map(|login| id(login, "session")).collect());
    for path in
        [format!("/v1/sessions/{}", id(&theirs, "session")), format!("/v1/devices/{}", id(&theirs, "device"))]
    {
        delete(stack, &path, &mine[0]).send().await.problem(404, "not_found");
    }
    assert_eq!(delete(stack, "/v1/sessions", &mine[0]).send().await.status, 204);
    for over in &mine[1..] {
        refresh(stack, over).await.problem(401, "session_revoked");
    }
    assert_eq!(delete(stack, "/v1/session", &mine[0]).send().await.status, 204);
    refresh(stack, &mine[0]).await.problem(401, "session_revoked");
    refresh(stack, &theirs).await.ok();
}

async fn refreshed_at_once() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("150")).await;
    let answers = join_all((0..AT_ONCE).map(|_| refresh(stack, &login))).await;
    let successors: BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.ok()["session"]["refreshToken"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(successors.len(), 1, "one and the same");
    let next = json!({ "session": { "refreshToken": successors.first() } });
    refresh(stack, &next).await.ok();
    eprintln!("{AT_ONCE} refreshes of one token at once: {} successor", successors.len());
}

async fn stolen() {
    let stack = stack::main();
    let phone = fresh_phone("150");
    let login = sign_in(stack, &phone).await;
    let first = refresh(stack, &login).await.ok();
    // A lost answer: the old token gives the same successor, until that is used.
    let again = refresh(stack, &login).await.ok();
    assert_eq!(again["session"]["refreshToken"], first["session"]["refreshToken"]);
    let second = refresh(stack, &first).await.ok();
    refresh(stack, &login).await.problem(401, "session_revoked");
    refresh(stack, &second).await.problem(401, "session_revoked");
    // Its access tokens too: at once for who asks, for ten minutes at most for who does not.
    let (key, _) = api_key(stack, "token:introspect");
    let form = format!("token={}", access_token(&second));
    let asked = Request::new(stack, Method::POST, "/oauth/introspect").bearer(&key);
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form.into());
    assert_eq!(asked.send().await.ok(), json!({ "active": false }));
    see(stack, "/v1/session", &second).await.ok();
    let owner = sign_in(stack, &phone).await;
    let history = see(stack, "/v1/login-history", &owner).await.ok();
    let events: Vec<&str> =
        history["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["signed_in_on_new_device", "token_reused", "signed_in"]);
    assert!(!history.to_string().contains(&phone[3..]));
    let page = see(stack, "/v1/login-history?limit=1", &owner).await.ok();
    let cursor = page["nextCursor"].as_str().unwrap();
    let next = see(stack, &format!("/v1/login-history?limit=1&cursor={cursor}"), &owner).await.ok();
    assert_eq!(next["events"][0]["event"], "token_reused");
}

async fn devices() {
    let stack = stack::main();
    let phone = fresh_phone("150");
    let (here, there) = (sign_in(stack, &phone).await, sign_in(stack, &phone).await);
    let path = format!("/v1/devices/{}", id(&there, "device"));
    let change =
        |body: Value| Request::new(stack, Method::PATCH, &path).bearer(access_token(&here)).json(&body);
    assert_eq!(change(json!({ "name": "旧平板" })).send().await.status, 204);
    // The device that the account was created on says whom it trusts; one that has just come in by the number does not.
    let own = Request::new(stack, Method::PATCH, &path).bearer(access_token(&there));
    own.json(&json!({ "trusted": true })).send().await.problem(403, "reauthentication_required");
    assert_eq!(change(json!({ "trusted": true })).send().await.status, 204);
    change(json!({ "nmae": "x" })).send().await.problem(400, "invalid_request");
    let listed = see(stack, "/v1/devices", &here).await.ok();
    let names: BTreeSet<&str> =
        listed["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap()).collect();
    assert!(names.contains("旧平板") && names.len() == 2, "{names:?}");
    assert_eq!(delete(stack, &path, &here).send().await.status, 204);
    refresh(stack, &there).await.problem(401, "session_revoked");
    delete(stack, &path, &here).send().await.problem(404, "not_found");
}

async fn introspected() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "token:introspect token:revoke");
    let login = sign_in(stack, &fresh_phone("150")).await;
    let form = |path: &str, token: &str| {
        let body = format!("token={token}").into();
        let request = Request::new(stack, Method::POST, path).bearer(&key).body(body);
        request.header("content-type", "application/x-www-form-urlencoded").send()
    };
    let active = form("/oauth/introspect", access_token(&login)).await.ok();
    assert_eq!((&active["active"], &active["sub"]), (&json!(true), &login["account"]["id"]));
    let refresh_token = login["session"]["refreshToken"].as_str().unwrap();
    assert_eq!(form("/oauth/introspect", refresh_token).await.ok()["active"], true);
    assert_eq!(form("/oauth/revoke", refresh_token).await.status, 200);
    for token in [access_token(&login), refresh_token, "nonsense"] {
        assert_eq!(form("/oauth/introspect", token).await.ok(), json!({ "active": false }));
        assert_eq!(form("/oauth/revoke", token).await.status, 200);
    }
    refresh(stack, &login).await.problem(401, "session_revoked");
    post(stack, "/oauth/introspect", &json!({})).send().await.problem(401, "unauthenticated");
}
