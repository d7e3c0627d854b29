//! Numbers over HTTP: another one in place of the account's, at once or after a wait, and phones that confirm a device.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, get, post},
    login::{access_token, sign_in, who_am_i},
    otp::newest_code,
    protection::{at, protect, ticket},
    sandbox::Order,
    stack::{self, Recipe, Stack},
    story,
    tokens::REFRESH,
};

pub(crate) const PHONE: &str = "/v1/account/phone";
const WISH: &str = "/v1/account/phone-change";
pub(crate) const TRUSTED: &str = "/v1/account/trusted-phones";
const DAY: i64 = 86_400;
/// README: a proof is fresh for so long.
const FRESH: i64 = 600;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("numbers: who has just proven it has another number at once, and one only", at_once),
        story("numbers: without a proof another number waits three days, and can be objected to", waits),
        story("numbers: a code to a trusted phone signs a new device in", trusted),
    ]
}

/// The carrier's word, as `numberProof`.
pub(crate) async fn one_tap(stack: &Stack, phone: &str) -> Value {
    json!({ "type": "one_tap", "credential": Order::new("flash_v2", phone).mint(stack).await })
}

/// A code that this session asked for, as `numberProof`.
pub(crate) async fn otp(stack: &Stack, login: &Value, phone: &str, purpose: &str) -> Value {
    let ask = json!({ "phone": phone, "purpose": purpose, "device": fresh_device() });
    let sent = post(stack, "/v1/otp/send", &ask).bearer(access_token(login)).send().await;
    assert_eq!(sent.status, 202, "{}", sent.summary());
    json!({ "type": "otp", "challengeId": sent.json()["challengeId"], "code": newest_code(stack, phone).await })
}

async fn change(stack: &Stack, login: &Value, body: Value) -> Answer {
    Request::new(stack, Method::PUT, PHONE).json(&body).bearer(access_token(login)).send().await
}

/// Takes another number by the carrier's word.
pub(crate) async fn to(stack: &Stack, login: &Value, phone: &str) -> Answer {
    change(stack, login, json!({ "numberProof": one_tap(stack, phone).await })).await
}

pub(crate) async fn account(stack: &Stack, login: &Value) -> Value {
    get(stack, "/v1/account").bearer(access_token(login)).send().await.ok()
}

async fn refreshed(stack: &Stack, login: &Value) -> Value {
    let body = json!({ "refreshToken": login["session"]["refreshToken"] });
    let mut later = post(stack, REFRESH, &body).send().await.ok();
    later["account"] = login["account"].clone();
    later
}

pub(crate) fn masked(phone: &str) -> String {
    format!("{}****{}", &phone[..6], &phone[10..])
}

async fn at_once() {
    let stack = stack::main();
    let [old, new] = ["137", "136"].map(fresh_phone);
    let login = sign_in(stack, &old).await;
    let proof = otp(stack, &login, &old, "step_up").await;
    let number = otp(stack, &login, &new, "change_phone").await;
    let changed = change(stack, &login, json!({ "numberProof": number, "proof": proof })).await;
    assert_eq!(changed.status, 204, "{}", changed.summary());
    assert_eq!(account(stack, &login).await["phone"], masked(&new));
    let again = sign_in(stack, &new).await;
    assert_eq!(again["account"]["id"], login["account"]["id"]);
    let phones = get(stack, "/v1/account/phones").bearer(access_token(&login)).send().await.ok();
    assert_eq!(phones["phones"][0]["phone"], masked(&new), "{phones}");
    assert_eq!(
        (&phones["phones"][1]["phone"], &phones["phones"][1]["cause"]),
        (&json!(masked(&old)), &json!("changed"))
    );
    // The old number is free, and whoever has it now is somebody else, whose number it stays.
    let other = sign_in(stack, &old).await;
    assert_eq!(other["account"]["isNew"], true);
    to(stack, &login, &old).await.problem(409, "phone_in_use");
    assert_eq!(to(stack, &login, &new).await.status, 204, "nothing to do");
    // Two at once: one of them, and never both.
    let [one, two] = ["137", "136"].map(fresh_phone);
    let both = futures_util::future::join(to(stack, &login, &one), to(stack, &login, &two)).await;
    let statuses = [both.0.status, both.1.status];
    assert!(
        statuses.contains(&204) && statuses.iter().all(|status| [204, 503].contains(status)),
        "{statuses:?}"
    );
    let number = account(stack, &login).await["phone"].clone();
    let (is, is_not) = if number == masked(&one) { (one, two) } else { (two, one) };
    assert_eq!(number, masked(&is));
    assert_eq!(sign_in(stack, &is).await["account"]["id"], login["account"]["id"]);
    assert_eq!(sign_in(stack, &is_not).await["account"]["isNew"], true);
}

async fn waits() {
    let [old, new] = ["137", "136"].map(fresh_phone);
    let recipe = Recipe::new("numbers");
    let (login, lost) = {
        let stack = recipe.clone().start();
        (sign_in(&stack, &old).await, sign_in(&stack, &old).await)
    };
    let (login, lost) = {
        let stack = recipe.clone().clock_skew(FRESH + 60).start();
        let (login, lost) = (refreshed(&stack, &login).await, refreshed(&stack, &lost).await);
        let wish = to(&stack, &lost, &new).await;
        assert_eq!(wish.status, 202, "{}", wish.summary());
        assert_eq!(wish.json()["phone"], masked(&new));
        assert_eq!(account(&stack, &login).await["phoneChange"], wish.json());
        // Its owner hears of it and objects, where somebody on a new device could not.
        let stranger = sign_in(&stack, &old).await;
        let object = async |login: &Value| {
            Request::new(&stack, Method::DELETE, WISH).bearer(access_token(login)).send().await
        };
        object(&stranger).await.problem(403, "reauthentication_required");
        let somebody = sign_in(&stack, &fresh_phone("137")).await;
        object(&somebody).await.problem(404, "not_found");
        assert_eq!(object(&login).await.status, 204);
        object(&login).await.problem(404, "not_found");
        assert_eq!(to(&stack, &lost, &new).await.status, 202);
        (login, lost)
    };
    let (login, lost) = {
        let stack = recipe.clone().clock_skew(2 * DAY).start();
        let (login, lost) = (refreshed(&stack, &login).await, refreshed(&stack, &lost).await);
        assert_eq!(to(&stack, &lost, &new).await.status, 202, "not yet");
        (login, lost)
    };
    let stack = recipe.clock_skew(3 * DAY + FRESH + 120).start();
    let (login, lost) = (refreshed(&stack, &login).await, refreshed(&stack, &lost).await);
    assert_eq!(account(&stack, &login).await["phone"], masked(&old));
    assert_eq!(to(&stack, &lost, &new).await.status, 204);
    let shown = account(&stack, &login).await;
    assert_eq!((&shown["phone"], shown.get("phoneChange")), (&json!(masked(&new)), None));
    assert_eq!(sign_in(&stack, &new).await["account"]["id"], login["account"]["id"]);
}

async fn trusted() {
    let stack = stack::main();
    let [phone, friend] = ["137", "136"].map(fresh_phone);
    let owner = sign_in(stack, &phone).await;
    let number = otp(stack, &owner, &friend, "trusted_phone").await;
    let body = json!({ "numberProof": number, "label": "Mum" });
    let added = post(stack, TRUSTED, &body).bearer(access_token(&owner)).send().await;
    assert_eq!(added.status, 201, "{}", added.summary());
    let id = added.json()["id"].clone();
    let list = get(stack, TRUSTED).bearer(access_token(&owner)).send().await.ok();
    assert_eq!(list["trustedPhones"], json!([added.json()]));
    protect(stack, &owner, true).await;
    let held = ticket(stack, &phone).await;
    assert_eq!(
        held["methods"][1],
        json!({ "method": "trusted_phone", "id": id, "hint": masked(&friend), "strength": 2 })
    );
    let token = &held["device"]["token"];
    // The friend's number was sent a code a moment ago.
    let again = json!({ "method": "trusted_phone", "id": id });
    at(stack, "start", &held, token, again.clone()).await.problem(429, "rate_limited");
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    let started = at(stack, "start", &held, token, again).await.ok();
    let challenge = &started["challenge"];
    assert_eq!(challenge["codeLength"], 6, "{started}");
    let code = newest_code(stack, &friend).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let with = |code: &str| json!({ "method": "trusted_phone", "challengeId": challenge["challengeId"], "code": code });
    at(stack, "complete", &held, token, with(wrong)).await.problem(401, "otp_incorrect");
    at(stack, "complete", &held, &owner["device"]["token"], with(&code)).await.problem(410, "ticket_invalid");
    let login = at(stack, "complete", &held, token, with(&code)).await.ok();
    assert_eq!((&login["status"], &login["account"]["id"]), (&json!("signed_in"), &owner["account"]["id"]));
    assert_eq!(login["device"]["trust"], "trusted");
    assert_eq!(who_am_i(stack, access_token(&login)).await["amr"], json!(["one_tap", "step_up"]));
    // It confirms, but leads nowhere.
    assert_eq!(sign_in(stack, &friend).await["account"]["isNew"], true);
    let path = format!("{TRUSTED}/{}", id.as_str().unwrap());
    let removed = Request::new(stack, Method::DELETE, &path).bearer(access_token(&owner)).send().await;
    assert_eq!(removed.status, 204, "{}", removed.summary());
}
