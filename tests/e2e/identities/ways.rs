//! The other ways a code comes in: out of a vendor's SDK, and back to a page whose browser is known by its cookie. And issuers
//! that want the client's secret in the body.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{BACK, agree, authorize, fresh_person, log_in, many};
use crate::{
    client::{Answer, Request, fresh_device, fresh_key, get, post},
    leaks,
    stack::{self, Stack},
    story,
};

const KINDS: [&str; 5] = ["wechat", "qq", "weibo", "corp", "partner"];
const COOKIE: &str = "__Host-onetap-identity";

pub(super) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story(
            "identities: an SDK's code counts only where the account with the third party says so",
            not_native,
        ),
        story("identities: an issuer that wants the secret in the body gets it there", secret_in_body),
    ];
    for kind in KINDS {
        let name = format!("identities: {kind}, an SDK's code signs in without a browser, once");
        stories.push(story(&name, move || native(kind)));
        let name = format!("identities: {kind}, a page signs in by the cookie of the browser that began");
        stories.push(story(&name, move || by_cookie(kind)));
    }
    stories
}

/// What an SDK hands out.
async fn sdk(stack: &Stack, kind: &str, mut person: Value) -> Value {
    person["platform"] = json!("android");
    let code = agree(stack, kind, person).await;
    json!({ "code": code, "device": fresh_device() })
}

fn login(stack: &Stack, kind: &str, body: &Value) -> Request {
    post(stack, &format!("/v1/identities/{kind}/login"), body)
}

async fn native(kind: &'static str) {
    let stack = many();
    let person = json!({ "subject": fresh_person(), "nickname": "Xiaoming of the SDK" });
    let body = sdk(stack, kind, person.clone()).await;
    let new = login(stack, kind, &body).send().await.ok();
    assert_eq!((&new["account"]["isNew"], &new["needs"]), (&json!(true), &json!(["phone"])));
    assert_eq!(new["account"]["displayName"], "Xiaoming of the SDK");
    login(stack, kind, &body).send().await.problem(401, "invalid_credentials");
    let again = login(stack, kind, &sdk(stack, kind, person.clone()).await).send().await.ok();
    assert_eq!(again["account"]["id"], new["account"]["id"]);
    // Who comes back by the browser is the same person.
    let by_browser = log_in(stack, kind, "default", person).await.ok();
    assert_eq!(by_browser["account"]["id"], new["account"]["id"]);
    for behaviour in ["reused_code", "wrong_secret"] {
        let body = sdk(stack, kind, json!({ "subject": fresh_person(), "behaviour": behaviour })).await;
        let (status, code) = match behaviour {
            "reused_code" => (401, "invalid_credentials"),
            _ => (503, "identity_unavailable"),
        };
        login(stack, kind, &body).send().await.problem(status, code);
    }
}

async fn not_native() {
    let stack = stack::main();
    for kind in ["qq", "weibo", "corp"] {
        let body = sdk(stack, kind, json!({ "subject": fresh_person() })).await;
        let refused = login(stack, kind, &body).send().await.problem(400, "invalid_request");
        assert_eq!(refused["fields"][0]["name"], "state", "{kind}");
    }
}

/// A browser, which keeps what it was given.
struct Browser {
    cookie: String,
}

impl Browser {
    /// Begins a login in a browser that has a cookie already, or gets one.
    async fn begins(stack: &Stack, kind: &str, earlier: Option<&Browser>) -> (Self, Value) {
        let request = get(stack, &format!("/v1/identities/{kind}/authorize?redirectUri={BACK}"));
        let answer = match earlier {
            Some(browser) => request.header("cookie", &browser.cookie).send().await,
            None => request.send().await,
        };
        let departure = answer.ok();
        leaks::note("state", departure["state"].as_str().unwrap());
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let (name, value) = cookie.split_once('=').unwrap();
        assert_eq!(name, COOKIE);
        leaks::note("binding", value);
        (Self { cookie }, departure)
    }

    /// Comes back to a page of that origin, which signs in.
    async fn ends(&self, stack: &Stack, kind: &str, body: &Value, origin: Option<&str>) -> Answer {
        let mut request = login(stack, kind, body).header("cookie", &self.cookie);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send().await
    }
}

async fn by_cookie(kind: &'static str) {
    let stack = many();
    let here = stack.service.as_str();
    let person = json!({ "subject": fresh_person() });
    let (browser, departure) = Browser::begins(stack, kind, None).await;
    let mut agreed = person.clone();
    agreed["url"] = departure["url"].clone();
    let code = agree(stack, kind, agreed).await;
    let body = json!({ "code": code, "state": departure["state"], "device": fresh_device() });
    // Pages that are not ours, programs that are no page, another browser, and none.
    for origin in [Some("https://evil.example"), Some("null"), None] {
        browser.ends(stack, kind, &body, origin).await.problem(403, "forbidden");
    }
    let other_site = login(stack, kind, &body).header("cookie", &browser.cookie).header("origin", here);
    other_site.header("sec-fetch-site", "cross-site").send().await.problem(403, "forbidden");
    let (stranger, _) = Browser::begins(stack, kind, None).await;
    assert_ne!(stranger.cookie, browser.cookie);
    stranger.ends(stack, kind, &body, Some(here)).await.problem(401, "invalid_credentials");
    login(stack, kind, &body).header("origin", here).send().await.problem(401, "invalid_credentials");
    // Another tab begins too, and undoes nothing.
    let (tab, _) = Browser::begins(stack, kind, Some(&browser)).await;
    assert_eq!(tab.cookie, browser.cookie);
    let new = browser.ends(stack, kind, &body, Some(here)).await.ok();
    assert_eq!(new["account"]["isNew"], true);
    browser.ends(stack, kind, &body, Some(here)).await.problem(401, "invalid_credentials");
    let again = log_in(stack, kind, "default", person).await.ok();
    assert_eq!(again["account"]["id"], new["account"]["id"]);
}

async fn secret_in_body() {
    let stack = many();
    let person = json!({ "subject": fresh_person(), "nickname": "Partner of ours" });
    let new = log_in(stack, "partner", "default", person.clone()).await.ok();
    assert_eq!(
        (&new["account"]["isNew"], &new["account"]["displayName"]),
        (&json!(true), &json!("Partner of ours"))
    );
    let again = log_in(stack, "partner", "default", person.clone()).await.ok();
    assert_eq!(again["account"]["id"], new["account"]["id"]);
    // The same name at the same issuer, by another client of ours: kinds are apart.
    let other = log_in(stack, "corp", "default", person).await.ok();
    assert_ne!(other["account"]["id"], new["account"]["id"]);
    for behaviour in ["reused_code", "nonce_mismatch", "expired_id_token", "wrong_issuer", "alg_none"] {
        let person = json!({ "subject": fresh_person(), "behaviour": behaviour });
        log_in(stack, "partner", "default", person).await.problem(401, "invalid_credentials");
    }
    let person = json!({ "subject": fresh_person(), "behaviour": "wrong_secret" });
    log_in(stack, "partner", "default", person).await.problem(503, "identity_unavailable");
    // The same client with another secret than it was registered with.
    let own = fresh_key();
    leaks::note("binding", &own);
    let departure = authorize(stack, "misled", Some(&own)).await.ok();
    let code = agree(stack, "partner", json!({ "subject": fresh_person(), "url": departure["url"] })).await;
    let body = json!({ "code": code, "state": departure["state"], "device": fresh_device() });
    let refused = login(stack, "misled", &body).header("x-onetap-device", &own).send().await;
    refused.problem(503, "identity_unavailable");
}
