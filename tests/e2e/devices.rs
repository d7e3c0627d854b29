//! What a device is over HTTP: days of use over restarts with a moved clock, and keys that cannot be copied.

use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::Trial;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_key, fresh_phone, get, login_body, post, random_hex},
    device_key::{ED25519, Key, OTHER_P256, P256},
    login::{LOGIN, access_token},
    protection::{approve, ask, at, by_device, decide, deny, log_in, protect, ticket},
    sandbox::Order,
    stack::{self, Recipe, Stack},
    story,
    tokens::REFRESH,
};

const DAY: i64 = 86_400;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("devices: seven days of use, by UTC, make one known, and that is not trusted", seven_days),
        story("devices: a stolen refresh token is worth nothing without the key, P-256", || stolen(P256)),
        story("devices: a stolen refresh token is worth nothing without the key, Ed25519", || {
            stolen(ED25519)
        }),
        story("devices: a copied name, id or user agent makes a new device", copied),
    ]
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

async fn seven_days() {
    let phone = fresh_phone("152");
    // From the first use to the second two minutes pass, and midnight: two days. From any other to the next a day does.
    let first_midnight = now() - now().rem_euclid(DAY) + DAY;
    let starts = [-60, 60, DAY + 60, 2 * DAY + 60, 3 * DAY + 60, 4 * DAY + 60, 5 * DAY + 60];
    let mut devices: [Option<Value>; 2] = [None, None];
    for (nth, start) in starts.into_iter().enumerate() {
        let stack = Recipe::new("days").clock_skew(first_midnight + start - now()).start();
        for device in &mut devices {
            let token = device.as_ref().map(|login| login["device"]["token"].as_str().unwrap().to_owned());
            // Twice on one day is once.
            let login = log_in(&stack, &phone, token.as_deref()).await;
            let token = token.unwrap_or_else(|| login["device"]["token"].as_str().unwrap().to_owned());
            let mut login = log_in(&stack, &phone, Some(&token)).await;
            let listed = get(&stack, "/v1/devices").bearer(access_token(&login)).send().await.ok();
            let mine = listed["devices"]
                .as_array()
                .unwrap()
                .iter()
                .find(|known| known["id"] == login["device"]["id"]);
            let expected = if nth < 6 { "new" } else { "known" };
            assert_eq!(
                (&login["device"]["trust"], &mine.unwrap()["daysUsed"]),
                (&json!(expected), &json!(nth + 1)),
                "start {nth}"
            );
            login["device"]["token"] = json!(token);
            *device = Some(login);
        }
        if nth == 6 {
            let [owner, known] = devices.clone().map(Option::unwrap);
            known_is_not_trusted(&stack, &phone, &owner, &known).await;
        }
        stack.stop(Signal::TERM);
    }
}

/// Who may confirm the sign-ins of others is not a matter of habit.
async fn known_is_not_trusted(stack: &Stack, phone: &str, owner: &Value, known: &Value) {
    protect(stack, owner, true).await;
    let held = ticket(stack, phone).await;
    let (digits, question) = ask(stack, owner, &held).await;
    get(stack, "/v1/approvals").bearer(access_token(known)).send().await.problem(403, "forbidden");
    for decision in [approve(&digits), deny()] {
        decide(stack, known, &question, decision).await.problem(403, "forbidden");
    }
    let put =
        Request::new(stack, Method::PUT, "/v1/account/login-protection").json(&json!({ "enabled": false }));
    put.bearer(access_token(known)).send().await.problem(403, "reauthentication_required");
    let token = &held["device"]["token"];
    assert_eq!(at(stack, "complete", &held, token, by_device()).await.ok()["status"], "step_up_required");
    // It need not wait itself.
    assert_eq!(log_in(stack, phone, known["device"]["token"].as_str()).await["status"], "signed_in");
}

async fn log_in_with_key(stack: &Stack, phone: &str, device: Value, key: Key) -> Answer {
    let mut body = login_body(&Order::new("flash_v2", phone).mint(stack).await);
    body["device"] = device;
    body["device"]["key"] = key.jwk();
    let proof = key.proof("POST", &format!("{}{LOGIN}", stack.service), &random_hex(16), now());
    post(stack, LOGIN, &body).key(&fresh_key()).header("dpop", proof).send().await
}

async fn refresh(stack: &Stack, login: &Value, proof: Option<&str>) -> Answer {
    let ask = post(stack, REFRESH, &json!({ "refreshToken": login["session"]["refreshToken"] }));
    match proof {
        Some(proof) => ask.header("dpop", proof).send().await,
        None => ask.send().await,
    }
}

async fn stolen(key: Key) {
    let stack = stack::main();
    let phone = fresh_phone("152");
    let login = log_in_with_key(stack, &phone, fresh_device(), key).await.ok();
    let url = format!("{}{REFRESH}", stack.service);
    let proof = |key: Key, method: &str, url: &str, at: i64| key.proof(method, url, &random_hex(16), at);
    for wrong in [
        None,
        Some(proof(OTHER_P256, "POST", &url, now())),
        Some(proof(key, "GET", &url, now())),
        Some(proof(key, "POST", &format!("{}{LOGIN}", stack.service), now())),
        Some(proof(key, "POST", &url, now() - 400)),
        Some(proof(key, "POST", &url, now() + 400)),
        Some("garbage".to_owned()),
    ] {
        let refused = refresh(stack, &login, wrong.as_deref()).await.problem(401, "unauthenticated");
        assert_eq!(refused["fields"][0]["name"], "DPoP");
    }
    let good = proof(key, "POST", &url, now());
    let next = refresh(stack, &login, Some(&good)).await.ok();
    // Replayed, with the token it was made for and with the next one.
    refresh(stack, &login, Some(&good)).await.problem(401, "unauthenticated");
    refresh(stack, &next, Some(&good)).await.problem(401, "unauthenticated");
    refresh(stack, &next, Some(&proof(key, "POST", &url, now()))).await.ok();
    // The key is the device, without any token; the token without the key is none.
    let back = log_in_with_key(stack, &phone, fresh_device(), key).await.ok();
    assert_eq!(back["device"]["id"], login["device"]["id"]);
    let copy = log_in(stack, &phone, back["device"]["token"].as_str()).await;
    assert_ne!(copy["device"]["id"], login["device"]["id"]);
}

async fn copied() {
    let stack = stack::main();
    let phone = fresh_phone("152");
    let credential = Order::new("flash_v2", &phone).mint(stack).await;
    let body = login_body(&credential);
    let login = post(stack, LOGIN, &body).key(&fresh_key()).header("user-agent", "App/1").send().await.ok();
    let mut copy = login_body(&Order::new("flash_v2", &phone).mint(stack).await);
    copy["device"] = body["device"].clone();
    copy["device"]["id"] = login["device"]["id"].clone();
    let copy = post(stack, LOGIN, &copy).key(&fresh_key()).header("user-agent", "App/1").send().await.ok();
    assert_eq!(copy["account"]["id"], login["account"]["id"]);
    assert_ne!(copy["device"]["id"], login["device"]["id"]);
}
