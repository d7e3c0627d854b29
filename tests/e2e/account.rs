//! One's own account: profile, export, deletion.

use libtest_mimic::Trial;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_key, fresh_phone, get, login_body, post, random_hex},
    leaks,
    login::{access_token, sign_in},
    sandbox::Order,
    stack::{self, Recipe, Stack},
    story,
};

const DAY: i64 = 86_400;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("account: a profile is kept, shown at sign-in, changed and exported", profile),
        story("account: deleted, it is closed at once, and after the grace its number is free", deletion),
    ]
}

async fn send(stack: &Stack, method: Method, path: &str, login: &Value, body: Option<&Value>) -> Answer {
    let request = Request::new(stack, method, path).bearer(access_token(login));
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

async fn profile() {
    let stack = stack::main();
    let phone = fresh_phone("159");
    let login = sign_in(stack, &phone).await;
    let name = format!("Xiaoming {}", random_hex(6));
    leaks::note("name", &name);
    let said = json!({ "displayName": name, "avatarUrl": "https://cdn.example/1.png", "locale": "zh-CN" });
    assert_eq!(send(stack, Method::PATCH, "/v1/account", &login, Some(&said)).await.status, 204);
    let shown = get(stack, "/v1/account").bearer(access_token(&login)).send().await.ok();
    assert_eq!((&shown["displayName"], &shown["locale"]), (&said["displayName"], &said["locale"]));
    assert!(shown["phone"].as_str().unwrap().contains("****"));
    let again = sign_in(stack, &phone).await;
    assert_eq!(again["account"]["displayName"], said["displayName"]);
    let change = json!({ "avatarUrl": null, "locale": "en" });
    assert_eq!(send(stack, Method::PATCH, "/v1/account", &login, Some(&change)).await.status, 204);
    let export = get(stack, "/v1/account/export").bearer(access_token(&again)).send().await.ok();
    assert_eq!(export["account"]["phone"], phone);
    assert_eq!(export["account"].get("avatarUrl"), None);
    assert_eq!(export["sessions"].as_array().unwrap().len(), 2);
    let wrong = json!({ "avatarUrl": "javascript:alert(1)", "colour": "red" });
    send(stack, Method::PATCH, "/v1/account", &login, Some(&wrong)).await.problem(400, "invalid_request");
}

async fn deletion() {
    let recipe = Recipe::new("deletion");
    let phone = fresh_phone("159");
    let stack = recipe.start();
    let login = sign_in(&stack, &phone).await;
    let account = login["account"]["id"].as_str().unwrap();
    let closed = send(&stack, Method::DELETE, "/v1/account", &login, None).await;
    assert_eq!(closed.status, 202, "{}", closed.text());
    assert!(closed.text().contains("dataKeptUntil"));
    refused(&stack, &phone, &login).await;
    stack.stop(Signal::TERM);
    // Within the grace it stays closed.
    let recipe = recipe.clock_skew(14 * DAY);
    let stack = recipe.start();
    refused(&stack, &phone, &login).await;
    stack.stop(Signal::TERM);
    let recipe = recipe.clock_skew(16 * DAY);
    let stack = recipe.start();
    // The object wakes when it is called at the latest.
    let mut new = log_in(&stack, &phone).await;
    for _ in 0..20 {
        if new.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        new = log_in(&stack, &phone).await;
    }
    let new = new.ok();
    assert_eq!(new["account"]["isNew"], true);
    assert_ne!(new["account"]["id"], account);
    stack.stop(Signal::TERM);
}

async fn log_in(stack: &Stack, phone: &str) -> Answer {
    let credential = Order::new("flash_v2", phone).mint(stack).await;
    post(stack, "/v1/one-tap/login", &login_body(&credential)).key(&fresh_key()).send().await
}

async fn refused(stack: &Stack, phone: &str, login: &Value) {
    log_in(stack, phone).await.problem(403, "account_frozen");
    let refresh = json!({ "refreshToken": login["session"]["refreshToken"] });
    post(stack, "/v1/session/refresh", &refresh).send().await.problem(401, "session_revoked");
}
