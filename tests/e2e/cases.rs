//! Appeals and objections over HTTP: made, seen, decided by those who help people, and carried out.

use std::time::Duration;

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backend::api_key,
    client::{Answer, Request, fresh_device, fresh_phone, get, login_body, post, random_hex},
    leaks,
    login::{LOGIN, access_token, sign_in, who_am_i},
    numbers::{masked, one_tap, to},
    protection::{at, protect, ticket},
    sandbox::Order,
    stack::{self, Recipe, Stack},
    story,
};

const DAY: i64 = 86_400;
/// What outboxes do is looked for so often, in such steps.
const PATIENCE: usize = 100;
const POLL: Duration = Duration::from_millis(200);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("cases: an appeal that support grants signs its device in, by the number once more", appeal),
        story(
            "cases: a number that went comes back when an objection is granted, whatever its holder did meanwhile",
            objection,
        ),
    ]
}

pub(crate) async fn decide(stack: &Stack, key: &str, case: &Value, decision: &str) -> Answer {
    let path = format!("/v1/cases/{}/decision", case["id"].as_str().unwrap());
    let body = json!({ "decision": decision, "reason": "as the papers say" });
    post(stack, &path, &body).bearer(key).send().await
}

/// The case in the queue, once it has come there.
pub(crate) async fn queued(stack: &Stack, key: &str, case: &Value, state: &str) -> Value {
    let path = format!("/v1/cases?state={state}");
    let mut cursor = String::new();
    for _ in 0..PATIENCE {
        let page = get(stack, &format!("{path}{cursor}")).bearer(key).send().await.ok();
        if let Some(found) = page["cases"].as_array().unwrap().iter().find(|row| row["id"] == case["id"]) {
            return found.clone();
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => tokio::time::sleep(POLL).await,
        }
    }
    panic!("the queue does not know of the case");
}

async fn appeal() {
    let stack = stack::main();
    let phone = fresh_phone("137");
    let owner = sign_in(stack, &phone).await;
    protect(stack, &owner, true).await;
    let (held, other) = (ticket(stack, &phone).await, ticket(stack, &phone).await);
    let (key, _) = api_key(stack, "cases:read cases:decide");
    let told = format!("photos of a cat {}", random_hex(8));
    leaks::note("what was told in an appeal", &told);
    let body = json!({ "ticket": held["ticket"], "device": { "token": held["device"]["token"] },
        "answers": [{ "question": "contents", "text": told }] });
    let made = post(stack, "/v1/appeals", &body).send().await;
    assert_eq!((made.status, &made.json()["state"]), (202, &json!("open")), "{}", made.summary());
    let case = made.json();
    assert_eq!(post(stack, "/v1/appeals", &body).send().await.json()["id"], case["id"]);
    let mut stolen = body.clone();
    stolen["device"]["token"] = other["device"]["token"].clone();
    post(stack, "/v1/appeals", &stolen).send().await.problem(410, "ticket_invalid");
    // An image, for those who decide.
    let path = format!("/v1/appeals/{}", case["id"].as_str().unwrap());
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 100_000]].concat();
    let send = async |token: &Value| {
        let request = Request::new(stack, Method::POST, &format!("{path}/images"));
        let request = request.header("x-onetap-device", token.as_str().unwrap());
        request.header("content-type", "image/png").body(image.clone().into()).send().await
    };
    assert_eq!(send(&held["device"]["token"]).await.status, 204);
    send(&other["device"]["token"]).await.problem(404, "not_found");
    let look = async |token: &Value| {
        get(stack, &path).header("x-onetap-device", token.as_str().unwrap()).send().await
    };
    assert_eq!(look(&held["device"]["token"]).await.ok()["state"], "open");
    look(&other["device"]["token"]).await.problem(404, "not_found");
    let seen = get(stack, "/v1/account/appeals").bearer(access_token(&owner)).send().await.ok();
    assert_eq!(seen["appeals"][0]["id"], case["id"], "{seen}");

    let row = queued(stack, &key, &case, "open").await;
    assert_eq!((&row["account"], &row["kind"]), (&owner["account"]["id"], &json!("appeal")));
    let read = get(stack, &format!("/v1/cases/{}", case["id"].as_str().unwrap())).bearer(&key).send().await;
    let opened = read.ok();
    assert_eq!(opened["appeal"]["told"]["answers"][0]["text"], told);
    assert_eq!((&opened["phone"], &opened["appeal"]["images"]), (&json!(masked(&phone)), &json!(1)));
    let images = format!("/v1/cases/{}/images/0", case["id"].as_str().unwrap());
    let shown = get(stack, &images).bearer(&key).send().await;
    assert_eq!((shown.status, shown.header("content-type")), (200, "image/png"));
    let (reader, _) = api_key(stack, "cases:read");
    decide(stack, &reader, &case, "grant").await.problem(403, "forbidden");
    let complete = async |token: &Value| {
        let body = json!({ "device": { "token": token }, "numberProof": one_tap(stack, &phone).await });
        post(stack, &format!("{path}/complete"), &body).send().await
    };
    complete(&held["device"]["token"]).await.problem(409, "case_conflict");
    assert_eq!(decide(stack, &key, &case, "grant").await.ok()["state"], "granted");
    decide(stack, &key, &case, "refuse").await.problem(409, "case_conflict");
    complete(&other["device"]["token"]).await.problem(404, "not_found");
    let login = complete(&held["device"]["token"]).await.ok();
    assert_eq!((&login["status"], &login["account"]["id"]), (&json!("signed_in"), &owner["account"]["id"]));
    assert_eq!(who_am_i(stack, access_token(&login)).await["amr"], json!(["one_tap", "step_up"]));
    queued(stack, &key, &case, "done").await;
    // One that its owner refuses on a known device is over.
    let held = ticket(stack, &phone).await;
    let body = json!({ "ticket": held["ticket"], "device": { "token": held["device"]["token"] },
        "answers": [{ "question": "contents", "text": told }] });
    let case = post(stack, "/v1/appeals", &body).send().await.json();
    let refuse = format!("/v1/account/appeals/{}/refuse", case["id"].as_str().unwrap());
    let refused = post(stack, &refuse, &json!({})).bearer(access_token(&owner)).send().await;
    assert_eq!(refused.status, 204, "{}", refused.summary());
    decide(stack, &key, &case, "grant").await.problem(409, "case_conflict");
    let _ = at(stack, "state", &held, &held["device"]["token"], json!({})).await.ok();
}

async fn objection() {
    let phone = fresh_phone("137");
    let (username, password) =
        (format!("user.{}", random_hex(6)), format!("correct horse {}", random_hex(6)));
    leaks::note("user name", &username);
    leaks::note("password", &password);
    let recipe = Recipe::new("cases");
    let ming = {
        let stack = recipe.clone().start();
        let ming = sign_in(&stack, &phone).await;
        let bind = post(&stack, "/v1/account/identities/username", &json!({ "username": username }));
        assert_eq!(bind.bearer(access_token(&ming)).send().await.status, 204);
        let set = Request::new(&stack, Method::PUT, "/v1/account/password");
        let set = set.json(&json!({ "newPassword": password })).bearer(access_token(&ming)).send().await;
        assert_eq!(set.status, 204, "{}", set.summary());
        ming
    };
    let stack = recipe.clock_skew(121 * DAY).start();
    // The number was sold again; she says that his account is not hers.
    let body = login_body(&Order::new("flash_v2", &phone).mint(&stack).await);
    let held = post(&stack, LOGIN, &body).send().await.ok();
    assert_eq!(held["reason"], "number_may_be_recycled", "{held}");
    let not_mine = json!({ "choice": "not_mine" });
    let hong = at(&stack, "claim", &held, &held["device"]["token"], not_mine).await.ok();
    assert_ne!(hong["account"]["id"], ming["account"]["id"]);
    assert_eq!(hong["account"]["phone"], masked(&phone));
    // He has his phone, and objects.
    let mut device = fresh_device();
    device["token"] = ming["device"]["token"].clone();
    let body = json!({ "identifier": username, "password": password, "device": device });
    let back = post(&stack, "/v1/password/login", &body).send().await.ok();
    assert_eq!(back["account"]["id"], ming["account"]["id"], "{back}");
    let claims = get(&stack, "/v1/account/phone/claims").bearer(access_token(&back)).send().await.ok();
    assert_eq!(
        (&claims["claims"][0]["state"], &claims["claims"][0]["phone"]),
        (&json!("lost"), &json!(masked(&phone)))
    );
    let object = async |login: &Value| {
        post(&stack, "/v1/account/phone/objection", &json!({})).bearer(access_token(login)).send().await
    };
    object(&hong).await.problem(404, "not_found");
    let made = object(&back).await;
    assert_eq!(made.status, 202, "{}", made.summary());
    let (key, _) = api_key(&stack, "cases:read cases:decide");
    queued(&stack, &key, &made.json(), "open").await;
    // She gives it up, and takes it again: another holding of the same account.
    assert_eq!(to(&stack, &hong, &fresh_phone("137")).await.status, 204);
    let again = to(&stack, &hong, &phone).await;
    assert_eq!(again.status, 204, "{}", again.summary());
    assert_eq!(decide(&stack, &key, &made.json(), "grant").await.ok()["state"], "granted");
    queued(&stack, &key, &made.json(), "done").await;
    let phone_of = async |login: &Value| {
        get(&stack, "/v1/account").bearer(access_token(login)).send().await.ok()["phone"].clone()
    };
    for _ in 0..PATIENCE {
        if phone_of(&hong).await.is_null() {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    assert_eq!((phone_of(&back).await, phone_of(&hong).await), (json!(masked(&phone)), Value::Null));
    let who = get(&stack, "/v1/session?fresh=true").bearer(access_token(&hong)).send().await;
    assert_eq!(who.status, 200, "she keeps her account: {}", who.summary());
}
