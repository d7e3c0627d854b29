//! One-tap and number-check login with every provider, as the contract shapes their answers.

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{fresh_device, fresh_key, fresh_phone, get, login_body, post},
    sandbox::{CHECKING, Order, PROVIDERS, times_seen},
    stack::{self, Stack},
    story, story_alone,
};

pub(crate) const LOGIN: &str = "/v1/one-tap/login";
const CHECK: &str = "/v1/one-tap/check";

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story("login: a second login leads to the same account and knows the device", second_login),
        story("login: a device token of somebody else makes no known device", foreign_device_token),
        story("login: a reported SDK failure offers the code by SMS", sdk_failure),
        story_alone("login: 50 first logins of one number at once make one account", fifty_first_logins),
    ];
    for provider in PROVIDERS {
        stories
            .push(story(&format!("login: one tap with {provider}"), move || one_tap(provider, "138", None)));
    }
    // The cipher is DES, and the path differs by carrier.
    for (carrier, prefix) in [("cmcc", "139"), ("cucc", "186"), ("ctcc", "189")] {
        let name = format!("login: one tap with flash_v1 on {carrier}");
        stories.push(story(&name, move || one_tap("flash_v1", prefix, Some(carrier))));
    }
    for provider in CHECKING {
        stories.push(story(&format!("login: number check with {provider} signs in on a match"), move || {
            check_login(provider)
        }));
        stories
            .push(story(&format!("login: number check with {provider} answers match or not"), move || {
                check_answer(provider)
            }));
    }
    stories
}

/// Signs a number in with a fresh credential of Flash V2, and returns the LoginResult.
pub(crate) async fn sign_in(stack: &Stack, phone: &str) -> Value {
    let credential = Order::new("flash_v2", phone).mint(stack).await;
    post(stack, LOGIN, &login_body(&credential)).key(&fresh_key()).send().await.ok()
}

/// Who an access token speaks for, if the service takes it.
pub(crate) async fn who_am_i(stack: &Stack, access_token: &str) -> Value {
    get(stack, "/v1/session").bearer(access_token).send().await.ok()
}

pub(crate) fn access_token(login: &Value) -> &str {
    login["session"]["accessToken"].as_str().unwrap()
}

async fn one_tap(provider: &'static str, prefix: &'static str, carrier: Option<&'static str>) {
    let stack = stack::main();
    let phone = fresh_phone(prefix);
    let mut order = Order::new(provider, &phone);
    if let Some(carrier) = carrier {
        order = order.carrier(carrier);
    }
    let credential = order.mint(stack).await;
    let login = post(stack, LOGIN, &login_body(&credential)).key(&fresh_key()).send().await.ok();
    must_be_signed_in(&login, &phone, true);
    assert_eq!(times_seen(stack, &credential).await, 1);
    let me = who_am_i(stack, access_token(&login)).await;
    assert_eq!(me["account"]["id"], login["account"]["id"]);
    assert_eq!(me["session"]["id"], login["session"]["id"]);
    assert_eq!(me["device"]["id"], login["device"]["id"]);
    assert_eq!((&me["app"], &me["amr"]), (&json!("default"), &json!(["one_tap"])));
}

async fn second_login() {
    let stack = stack::main();
    let phone = fresh_phone("150");
    let first = sign_in(stack, &phone).await;
    must_be_signed_in(&first, &phone, true);
    let token = first["device"]["token"].as_str().expect("a first login issues a device token");
    // Another provider's word for the same number is as good.
    let credential = Order::new("mobtech", &phone).mint(stack).await;
    let mut body = login_body(&credential);
    body["device"]["token"] = json!(token);
    body["consent"] = json!({ "version": "2026-11" });
    let second = post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok();
    must_be_signed_in(&second, &phone, false);
    assert_eq!(second["account"]["id"], first["account"]["id"]);
    assert_ne!(second["session"]["id"], first["session"]["id"]);
    assert_eq!(second["device"]["id"], first["device"]["id"], "the device token was not recognised");
    assert_eq!(second["device"].get("token"), None, "a recognised device gets no other token");
    // Same name, same model, no token: another device.
    let third = sign_in(stack, &phone).await;
    assert_eq!(third["account"]["id"], first["account"]["id"]);
    assert_ne!(third["device"]["id"], first["device"]["id"]);
}

async fn foreign_device_token() {
    let stack = stack::main();
    let victim = sign_in(stack, &fresh_phone("151")).await;
    let credential = Order::new("cmcc", &fresh_phone("152")).mint(stack).await;
    let mut body = login_body(&credential);
    body["device"]["token"] = victim["device"]["token"].clone();
    let login = post(stack, LOGIN, &body).send().await.ok();
    assert_ne!(login["device"]["id"], victim["device"]["id"]);
    assert_eq!(login["device"]["trust"], "new");
    assert!(login["device"]["token"].is_string(), "a device without a token of its own gets one");
}

async fn check_login(provider: &'static str) {
    let stack = stack::main();
    let phone = fresh_phone("158");
    let credential = Order::new(provider, &phone).check().mint(stack).await;
    let mut body = login_body(&credential);
    body["mode"] = json!("check");
    body["phone"] = json!(phone);
    let login = post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok();
    must_be_signed_in(&login, &phone, true);
    assert_eq!(times_seen(stack, &credential).await, 1);
    // Somebody else's number: no way in, and the credential is spent.
    let credential = Order::new(provider, &phone).check().mint(stack).await;
    let mut body = login_body(&credential);
    body["mode"] = json!("check");
    body["phone"] = json!(fresh_phone("157"));
    let refused = post(stack, LOGIN, &body).send().await.problem(422, "one_tap_rejected");
    assert_eq!(refused["fallback"], json!(["otp"]));
    body["phone"] = json!(phone);
    post(stack, LOGIN, &body).send().await.problem(422, "one_tap_rejected");
    assert_eq!(times_seen(stack, &credential).await, 1);
}

async fn check_answer(provider: &'static str) {
    let stack = stack::main();
    let phone = fresh_phone("159");
    for (asked, matches) in
        [(phone.clone(), true), (phone[3..].to_owned(), true), (fresh_phone("159"), false)]
    {
        let credential = Order::new(provider, &phone).check().mint(stack).await;
        let body = json!({ "credential": credential, "phone": asked, "platform": "ios" });
        let answer = post(stack, CHECK, &body).send().await.ok();
        assert_eq!(answer, json!({ "match": matches }));
        let again = post(stack, CHECK, &body).send().await.problem(422, "one_tap_rejected");
        assert_eq!(again["fallback"], json!(["otp"]));
        assert_eq!(times_seen(stack, &credential).await, 1);
    }
}

async fn sdk_failure() {
    let body = json!({ "sdkCode": "200023", "network": "wifi", "carrier": "cmcc", "provider": "cmcc",
                       "device": fresh_device() });
    let answer = post(stack::main(), "/v1/one-tap/failures", &body).send().await;
    assert_eq!(answer.problem(422, "one_tap_rejected")["fallback"], json!(["otp"]));
}

async fn fifty_first_logins() {
    let stack = stack::main();
    let phone = fresh_phone("188");
    let credentials = join_all((0..50).map(|_| Order::new("flash_v2", &phone).mint(stack))).await;
    let bodies: Vec<Value> = credentials.iter().map(login_body).collect();
    let logins = join_all(bodies.iter().map(|body| post(stack, LOGIN, body).key(&fresh_key()).send())).await;
    let logins: Vec<Value> = logins.iter().map(|answer| answer.ok()).collect();
    let distinct = |pointer: &str| {
        let values = logins.iter().map(|login| login.pointer(pointer).unwrap().to_string());
        values.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(distinct("/account/id"), 1, "accounts");
    assert_eq!(distinct("/session/id"), 50, "sessions");
    assert_eq!(distinct("/device/id"), 50, "devices");
    assert_eq!(logins.iter().filter(|login| login["account"]["isNew"] == true).count(), 1, "new accounts");
}

/// Holds a LoginResult against the contract, member by member.
fn must_be_signed_in(login: &Value, phone: &str, is_new: bool) {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(login), "account device session status");
    assert_eq!(login["status"], "signed_in");
    assert_eq!(names(&login["account"]), "id isNew phone realName");
    assert_eq!(login["account"]["isNew"], is_new);
    assert_eq!(login["account"]["phone"], format!("{}****{}", &phone[..6], &phone[10..]));
    assert_eq!(login["account"]["realName"], "none");
    let session = &login["session"];
    assert_eq!(names(session), "accessToken expiresIn id refreshExpiresIn refreshToken tokenType");
    assert_eq!((&session["tokenType"], &session["expiresIn"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(session["refreshExpiresIn"], 2_592_000);
    assert_eq!(login["device"]["trust"], "new");
    for id in ["/account/id", "/session/id", "/device/id"] {
        assert!(login.pointer(id).and_then(Value::as_str).is_some_and(|id| id.len() > 20), "{id}");
    }
}
