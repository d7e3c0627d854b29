//! One's own account: profile and export.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_phone, get, random_hex},
    leaks,
    login::{access_token, sign_in},
    stack::{self, Stack},
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("account: a profile is kept, shown at sign-in, changed and exported", profile)]
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
