//! Friends vouch for who has lost phone and password; and what is tried by who has no such friends.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, LATER, asked, comes, later, ming, recipe, step};
use crate::{
    backend::api_key,
    client::{Answer, Request, fresh_device, fresh_phone, get, post},
    leaks,
    login::{access_token, sign_in},
    passwords::{Person, person},
    protection::{at, log_in},
    stack::Stack,
    story,
    supplied::put,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("recycled: two friends say that it is him, and days later he comes in with the number", vouch),
        story("recycled: whoever asks alone, and who is no friend, has nothing by a phrase", misuse),
        story("recycled: the owner refuses on his own phone what friends have confirmed", refused),
    ]
}

/// Two people sign in, and the app says that they have been his friends for long.
async fn friends_of(stack: &Stack, ming: &Person) -> [Value; 2] {
    let friends = [sign_in(stack, &fresh_phone("158")).await, sign_in(stack, &fresh_phone("158")).await];
    let named: Vec<Value> = friends
        .iter()
        .map(|friend| json!({ "account": friend["account"]["id"], "since": "2020-01-02T03:04:05Z" }))
        .collect();
    let (key, _) = api_key(stack, "account:friends");
    let body = json!({ "friends": named });
    assert_eq!(put(stack, &key, &ming.login["account"]["id"], "friends", &body).await.status, 204);
    friends
}

/// He asks, and is shown a phrase.
async fn ask(stack: &Stack, held: &Value) -> (Value, String) {
    let asking = step(stack, held, "start", json!({ "method": "friends" })).await.ok();
    let phrase = asking["friends"]["phrase"].as_str().unwrap().to_owned();
    leaks::note("phrase", &phrase);
    leaks::note("phrase", &phrase.replace('-', ""));
    (asking["friends"]["id"].clone(), phrase)
}

fn confirming(stack: &Stack, friend: &Value, phone: &str, phrase: &str) -> Request {
    let body = json!({ "phone": phone, "phrase": phrase });
    post(stack, "/v1/friends/confirmations", &body).bearer(access_token(friend))
}

async fn confirm(stack: &Stack, friend: &Value, phone: &str, phrase: &str) -> Answer {
    confirming(stack, friend, phone, phrase).send().await
}

async fn case_state(stack: &Stack, case: &Value, held: &Value) -> Value {
    let look = get(stack, &format!("/v1/appeals/{}", case.as_str().unwrap()));
    let token = held["device"]["token"].as_str().unwrap();
    look.header("x-onetap-device", token).send().await.ok()["state"].clone()
}

async fn vouch() {
    let recipe = recipe("friends");
    let ming = person(&recipe.clone().start(), "137").await;
    let (held, case, phrase);
    {
        let stack = recipe.clone().clock_skew(LATER * DAY).start();
        let friends = friends_of(&stack, &ming).await;
        held = asked(&stack, &ming.phone).await;
        assert_eq!(held["methods"][1], json!({ "method": "friends", "strength": 2 }), "{held}");
        (case, phrase) = ask(&stack, &held).await;
        assert_eq!(ask(&stack, &held).await.1, phrase, "asked again it is the same");
        for friend in &friends {
            let state = step(&stack, &held, "state", json!({})).await.ok();
            assert_eq!((&state["status"], state.get("proven")), (&json!("step_up_required"), None));
            let heard = phrase.to_lowercase().replace('-', " ");
            assert_eq!(confirm(&stack, friend, &ming.phone, &heard).await.ok(), json!({ "confirmed": true }));
        }
        assert_eq!(case_state(&stack, &case, &held).await, "granted");
    }
    // The ticket is over long since. He proves the number on the phone on which he asked.
    let stack = recipe.clock_skew((LATER + 3) * DAY).start();
    step(&stack, &held, "state", json!({})).await.problem(410, "ticket_invalid");
    let token = &held["device"]["token"];
    let elsewhere = asked(&stack, &ming.phone).await;
    assert_eq!(elsewhere.get("proven"), None, "{elsewhere}");
    let again = log_in(&stack, &ming.phone, token.as_str()).await;
    assert_eq!((&again["proven"], again.get("device")), (&json!(["friends"]), None), "{again}");
    at(&stack, "state", &again, &elsewhere["device"]["token"], json!({}))
        .await
        .problem(410, "ticket_invalid");
    let back = at(&stack, "state", &again, token, json!({})).await.ok();
    assert_eq!(
        (&back["status"], &back["account"]["id"]),
        (&json!("signed_in"), &ming.login["account"]["id"])
    );
    assert_eq!(case_state(&stack, &case, &held).await, "done");
    assert_eq!(comes(&stack, &ming.phone).await["account"]["id"], back["account"]["id"], "it is proven");
    // It counted once: the phrase is worth nothing any more.
    let li = sign_in(&stack, &fresh_phone("158")).await;
    confirm(&stack, &li, &ming.phone, &phrase).await.problem(403, "proof_failed");
}

async fn misuse() {
    let (stack, ming) = (later(), ming());
    let lonely = asked(stack, &ming.phone).await;
    step(stack, &lonely, "start", json!({ "method": "friends" })).await.problem(404, "not_found");
    let friends = friends_of(stack, &ming).await;
    let held = asked(stack, &ming.phone).await;
    let home = "203.0.113.77";
    let body = json!({ "ticket": held["ticket"], "device": { "token": held["device"]["token"] },
        "method": "friends" });
    let asking = post(stack, "/v1/step-up/start", &body).header("cf-connecting-ip", home).send().await.ok();
    let phrase = asking["friends"]["phrase"].as_str().unwrap();
    leaks::note("phrase", phrase);
    // Whatever is wrong, it is one answer.
    let stranger = sign_in(stack, &fresh_phone("158")).await;
    let fresh = sign_in(stack, &fresh_phone("158")).await;
    let nobody = fresh_phone("139");
    let mut bodies = Vec::new();
    for request in [
        confirming(stack, &stranger, &ming.phone, phrase),
        confirming(stack, &fresh, &nobody, phrase),
        confirming(stack, &friends[0], &nobody, phrase),
        confirming(stack, &friends[0], &ming.phone, "7K4M-9QXR-2BTD"),
        confirming(stack, &friends[0], &ming.phone, phrase).header("cf-connecting-ip", home),
        confirming(stack, &friends[0], &ming.phone, phrase).header("cf-connecting-ip", "203.0.113.200"),
    ] {
        let mut refused = request.send().await.problem(403, "proof_failed");
        refused["requestId"].take();
        bodies.push(refused);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    // A friend's own new device; nobody; no phrase.
    let phone = fresh_phone("158");
    let first = sign_in(stack, &phone).await;
    let second = sign_in(stack, &phone).await;
    assert_eq!(first["account"]["id"], second["account"]["id"]);
    confirm(stack, &second, &ming.phone, phrase).await.problem(403, "reauthentication_required");
    let body = json!({ "phone": ming.phone, "phrase": phrase });
    post(stack, "/v1/friends/confirmations", &body).send().await.problem(401, "unauthenticated");
    let wrong = confirm(stack, &first, &ming.phone, "7K4M").await.problem(400, "invalid_request");
    assert_eq!(wrong["fields"][0]["name"], "phrase");
    // One friend is one, however often she says it; another ticket has nothing by it.
    for _ in 0..2 {
        assert_eq!(confirm(stack, &friends[0], &ming.phone, phrase).await.status, 200);
    }
    let state = step(stack, &held, "state", json!({})).await.ok();
    assert_eq!(state.get("proven"), None, "{state}");
    assert_eq!(confirm(stack, &friends[1], &ming.phone, phrase).await.status, 200);
    let other = asked(stack, &ming.phone).await;
    assert_eq!(other.get("proven"), None, "{other}");
    let back = step(stack, &held, "state", json!({})).await.ok();
    assert_eq!(back["account"]["id"], ming.login["account"]["id"], "{back}");
}

async fn refused() {
    let (stack, ming) = (later(), ming());
    let friends = friends_of(stack, &ming).await;
    let held = asked(stack, &ming.phone).await;
    let (case, phrase) = ask(stack, &held).await;
    for friend in &friends {
        assert_eq!(confirm(stack, friend, &ming.phone, &phrase).await.status, 200);
    }
    // He is there, on his own phone, by name and password.
    let mut device = fresh_device();
    device["token"] = ming.login["device"]["token"].clone();
    let body = json!({ "identifier": ming.username, "password": ming.password, "device": device });
    let his = post(stack, "/v1/password/login", &body).send().await.ok();
    assert_eq!((&his["status"], &his["device"]["trust"]), (&json!("signed_in"), &json!("known")), "{his}");
    let seen = get(stack, "/v1/account/appeals").bearer(access_token(&his)).send().await.ok();
    let (kind, state) = (&seen["appeals"][0]["kind"], &seen["appeals"][0]["state"]);
    assert_eq!((&seen["appeals"][0]["id"], kind, state), (&case, &json!("friends"), &json!("granted")));
    let path = format!("/v1/account/appeals/{}/refuse", case.as_str().unwrap());
    let refuse = async |login: &Value| {
        Request::new(stack, Method::POST, &path).json(&json!({})).bearer(access_token(login)).send().await
    };
    refuse(&friends[0]).await.problem(404, "not_found");
    assert_eq!(refuse(&his).await.status, 204);
    let state = step(stack, &held, "state", json!({})).await.ok();
    assert_eq!((&state["status"], state.get("proven")), (&json!("step_up_required"), None), "{state}");
    assert_eq!(case_state(stack, &case, &held).await, "refused");
    step(stack, &held, "start", json!({ "method": "friends" })).await.problem(403, "proof_failed");
    let (key, _) = api_key(stack, "cases:read");
    let read = get(stack, &format!("/v1/cases/{}", case.as_str().unwrap())).bearer(&key).send().await;
    read.problem(404, "not_found");
}
