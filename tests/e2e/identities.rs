//! Third-party login: where browsers are sent, and what comes back with them.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{Answer, fresh_key, get, http},
    leaks,
    stack::{self, Stack},
    story,
};

/// In the development settings.
pub(crate) const BACK: &str = "http://localhost:5173/back";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("identities: browsers go to the third party and come back with code and state", there_and_back),
        story("identities: a browser is bound by a cookie of its own, an app by its header", bound),
        story("identities: what is not set up, and what is not listed", refused),
    ]
}

/// Begins a login.
pub(crate) async fn authorize(stack: &Stack, kind: &str, own: Option<&str>) -> Answer {
    let path = format!("/v1/identities/{kind}/authorize?redirectUri={BACK}");
    let request = get(stack, &path);
    match own {
        Some(own) => request.header("x-onetap-device", own).send().await,
        None => request.send().await,
    }
}

/// Somebody agrees: the code.
pub(crate) async fn agree(stack: &Stack, kind: &str, body: Value) -> String {
    let url = format!("{}/sandbox/idp/{kind}/codes", stack.sandbox);
    let request = http().post(url).header("content-type", "application/json").body(body.to_string());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code =
        answer["code"].as_str().unwrap_or_else(|| panic!("the sandbox minted nothing: {answer}")).to_owned();
    leaks::note("third party's code", &code);
    code
}

async fn there_and_back() {
    let stack = stack::main();
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let departure = authorize(stack, kind, Some(&fresh_key())).await.ok();
        let (url, state) = (departure["url"].as_str().unwrap(), departure["state"].as_str().unwrap());
        leaks::note("state", state);
        assert!(url.starts_with(&stack.sandbox) && state.len() <= 128, "{kind}");
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let page = browser.build().unwrap().get(url).send().await.unwrap();
        assert_eq!(page.status(), 302, "{kind}");
        let back = page.headers()["location"].to_str().unwrap();
        let (page, query) = back.split_once('?').unwrap();
        let sent: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(
            (page, sent[0].0.as_str(), &sent[1]),
            (BACK, "code", &("state".to_owned(), state.to_owned()))
        );
        leaks::note("third party's code", &sent[0].1);
        agree(stack, kind, json!({ "subject": "a", "url": url })).await;
    }
}

async fn bound() {
    let stack = stack::main();
    let first = authorize(stack, "corp", None).await;
    first.ok();
    let cookie = first.header("set-cookie");
    assert!(cookie.starts_with("__Host-onetap-identity=") && cookie.contains("; HttpOnly"), "{cookie}");
    let own = fresh_key();
    leaks::note("binding", &own);
    assert_eq!(authorize(stack, "corp", Some(&own)).await.header("set-cookie"), "");
    authorize(stack, "corp", Some("iphone")).await.problem(400, "invalid_request");
}

async fn refused() {
    let stack = stack::main();
    authorize(stack, "nobody", None).await.problem(404, "not_found");
    let path = "/v1/identities/wechat/authorize?redirectUri=https://evil.example/back";
    get(stack, path).send().await.problem(400, "invalid_request");
}
