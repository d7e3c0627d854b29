//! What happens to an account is told over HTTP: to backends by signed webhooks, to people by push and SMS.

use std::time::{Duration, Instant};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{fresh_device, fresh_key, fresh_phone, http, post, random},
    leaks,
    login::LOGIN,
    sandbox::Order,
    stack::{Recipe, Stack},
    story,
    tokens::REFRESH,
};

/// An alarm, a batch of the queue, and a machine that is busy.
const SOON: Duration = Duration::from_secs(30);

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("notices: a new device and a stolen token are told, by webhook, push and SMS", told)]
}

async fn told() {
    let secret = format!("whsec_{}", BASE64.encode(&random::<32>()));
    leaks::note("webhook secret", &secret);
    let recipe = Recipe::new("notices");
    let hook = format!("http://127.0.0.1:{}/sandbox/webhooks?fail=1", recipe.sandbox_port());
    let hooks = json!([{ "url": hook, "secret": secret }]).to_string();
    let mut recipe = recipe.var("WEBHOOKS", &hooks).var("DEVICE_KNOWN_DAYS", "2");
    let phone = fresh_phone("150");
    let first = {
        let stack = recipe.start();
        let first = sign_in(&stack, &phone, &fresh_device()).await;
        let created = taken(&stack, 1, &secret).await;
        assert_eq!(kinds(&created), ["account.created"]);
        assert_eq!(created[0]["data"]["account"], first["account"]["id"]);

        // No device of standing yet: the second one is told by SMS.
        let second = sign_in(&stack, &phone, &fresh_device()).await;
        let events = taken(&stack, 2, &secret).await;
        assert_eq!(kinds(&events), ["account.created", "login.new_device"]);
        assert_eq!(events[1]["data"]["device"], second["device"]["id"]);
        let path = format!("/sandbox/sms?to={}", phone.replace('+', "%2B"));
        let texts = until(&stack, &path, |texts| texts.len() == 1).await;
        assert!(texts[0]["text"].as_str().unwrap().contains("新设备"), "{texts:?}");
        first
    };
    // A day later the first device is known, and hears of the third by push.
    recipe = recipe.clock_skew(86_400);
    let stack = recipe.start();
    let mut device = fresh_device();
    let push_token = device["pushToken"].as_str().unwrap().to_owned();
    device["token"] = first["device"]["token"].clone();
    assert_eq!(sign_in(&stack, &phone, &device).await["device"]["trust"], "known");
    let third = sign_in(&stack, &phone, &fresh_device()).await;
    let path = format!("/sandbox/pushes?to={push_token}");
    let pushes = until(&stack, &path, |pushes| pushes.len() == 1).await;
    assert_eq!(pushes[0]["event"], "login.new_device");
    // Two refreshes with one token, and then the first again: somebody has a copy.
    let refresh = async |token: &Value| post(&stack, REFRESH, &json!({ "refreshToken": token })).send().await;
    let used = &third["session"]["refreshToken"];
    let next = refresh(used).await.ok();
    refresh(&next["session"]["refreshToken"]).await.ok();
    refresh(used).await.problem(401, "session_revoked");
    let pushes = until(&stack, &path, |pushes| pushes.len() == 2).await;
    assert_eq!(pushes[1]["event"], "session.token_reused");
    let events = taken(&stack, 2, &secret).await;
    assert_eq!(kinds(&events), ["login.new_device", "session.token_reused"]);
    assert_eq!(events[1]["data"]["session"], third["session"]["id"]);
    assert_eq!(events[1]["id"], pushes[1]["notice"]);
}

async fn sign_in(stack: &Stack, phone: &str, device: &Value) -> Value {
    let credential = Order::new("flash_v2", phone).mint(stack).await;
    let body = json!({ "credential": credential, "device": device });
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok()
}

/// The events that the backend took, once there are so many: oldest first, each tried twice, each signed.
async fn taken(stack: &Stack, count: usize, secret: &str) -> Vec<Value> {
    let is_taken = |delivery: &&Value| delivery["taken"] == true;
    let all = until(stack, "/sandbox/webhooks", |all| all.iter().filter(is_taken).count() == count).await;
    assert!(all.len() >= 2 * count, "the first attempt at each was refused");
    for delivery in &all {
        let header = |name: &str| delivery["headers"][name].as_str().unwrap();
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        let body = delivery["body"].as_str().unwrap();
        mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        assert_eq!(
            header("webhook-signature"),
            format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
        );
    }
    let mut events: Vec<Value> = all
        .iter()
        .filter(is_taken)
        .map(|delivery| serde_json::from_str(delivery["body"].as_str().unwrap()).unwrap())
        .collect();
    events.sort_by_key(|event| event["timestamp"].as_str().unwrap().to_owned());
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// What the sandbox shows, once it is as wanted.
async fn until(stack: &Stack, path: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let answer = http().get(format!("{}{path}", stack.sandbox)).send().await.unwrap();
        let list: Vec<Value> = answer.json().await.unwrap();
        if wanted(&list) {
            return list;
        }
        assert!(began.elapsed() < SOON, "{path} shows {} after {SOON:?}", list.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
