//! The six stories that everybody tells of numbers that were sold again. At the end of each, number, data and sessions
//! are whose they should be.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Ming, asked, by_password, claim, comes, later, ming,
    owners::{Owner, both_own, is_over, named, owns},
    step, with_password, with_password_on,
};
use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, post},
    emails,
    login::access_token,
    numbers::{TRUSTED, masked, one_tap, to},
    otp::newest_code,
    passwords::{password, person},
    protection::{at, protect},
    stack::{self, Stack},
    story,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("recycled: registration 1: she finds the number registered and says not mine", not_mine),
        story("recycled: registration 1: she finds the number registered and says mine", mine),
        story("recycled: login 1: he has a new number and a new phone, and protection is on", login_1),
        story("recycled: login 2: she changes his password", login_2),
        story("recycled: login 3: she has registered, and he comes with number and password", login_3),
        story("recycled: reset 1: he forgot the password and has lost the number", reset_1),
        story("recycled: reset 2: she resets his password", reset_2),
    ]
}

/// She has the number and says that his account is not hers: her sign-in and her name.
async fn hong(stack: &Stack, held: &Value) -> (Value, String) {
    let hong = claim(stack, held, "not_mine").await.ok();
    assert_eq!((&hong["status"], &hong["account"]["isNew"]), (&json!("signed_in"), &json!(true)));
    let name = named(stack, &hong, "小红").await;
    (hong, name)
}

/// The number is hers, all else that was his is his.
async fn are_two(stack: &Stack, ming: &Ming, (hong, name): (&Value, &str)) {
    let his = Owner { login: &ming.at_home, name: &ming.name, number: None };
    both_own(stack, &his, &Owner { login: hong, name, number: Some(&ming.phone) }).await;
    is_over(stack, &ming.elsewhere).await;
    let by_name = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!(by_name["account"]["id"], ming.login["account"]["id"]);
}

async fn set_password(stack: &Stack, bearer: &str, new: &str, proof: Option<Value>) -> Answer {
    let mut body = json!({ "newPassword": new });
    if let Some(proof) = proof {
        body["numberProof"] = proof;
    }
    let put = Request::new(stack, Method::PUT, "/v1/account/password").json(&body);
    put.bearer(bearer).send().await
}

async fn not_mine() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let (hong, name) = hong(stack, &held).await;
    let again = claim(stack, &held, "not_mine").await.ok();
    assert_eq!(again["session"]["id"], hong["session"]["id"], "a repeat");
    are_two(stack, &ming, (&hong, &name)).await;
}

async fn mine() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let mine = claim(stack, &held, "mine").await.ok();
    assert_eq!((&mine["status"], &mine["need"]), (&json!("step_up_required"), &json!(2)));
    by_password(stack, &held, "12345678").await.problem(403, "proof_failed");
    assert_eq!(step(stack, &held, "state", json!({})).await.ok()["status"], "step_up_required");
    // She is in nowhere, and has changed nothing: the number asks as before, and who has the password finds all as it was.
    let still = asked(stack, &ming.phone).await;
    let his = with_password(stack, &ming.username, &ming.password).await.ok();
    let shown = (&his["account"]["id"], &his["account"]["displayName"], &his["account"]["phone"]);
    let expected = (&ming.login["account"]["id"], &json!(ming.name), &json!(masked(&ming.phone)));
    assert_eq!(shown, expected, "{his}");
    // She may think better of it.
    let (hong, name) = hong(stack, &held).await;
    claim(stack, &still, "mine").await.problem(410, "ticket_invalid");
    are_two(stack, &ming, (&hong, &name)).await;
}

async fn login_1() {
    let stack = stack::main();
    // 1. He names another phone that speaks for him, and wants to be asked.
    let ming = person(stack, "137").await;
    let name = named(stack, &ming.login, "小明").await;
    let [mothers, new] = ["136", "139"].map(fresh_phone);
    let trusted = json!({ "numberProof": one_tap(stack, &mothers).await });
    let added = post(stack, TRUSTED, &trusted).bearer(access_token(&ming.login)).send().await;
    assert_eq!(added.status, 201, "{}", added.summary());
    protect(stack, &ming.login, true).await;
    // 2. On a new phone nobody asks the number that he has no more.
    let held = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!((&held["status"], &held["reason"]), (&json!("step_up_required"), &json!("new_device")));
    assert!(!held.to_string().contains(&masked(&ming.phone)), "{held}");
    let (token, id) = (&held["device"]["token"], &added.json()["id"]);
    let by_phone = json!({ "method": "trusted_phone", "id": id });
    let started = at(stack, "start", &held, token, by_phone).await.ok();
    let code = json!({ "method": "trusted_phone", "challengeId": started["challenge"]["challengeId"],
                       "code": newest_code(stack, &mothers).await });
    let back = at(stack, "complete", &held, token, code).await.ok();
    assert_eq!(back["account"]["id"], ming.login["account"]["id"], "{back}");
    // 3. He brings his new number; the old one is free.
    assert_eq!(to(stack, &back, &new).await.status, 204);
    let hong = comes(stack, &ming.phone).await;
    assert_eq!((&hong["status"], &hong["account"]["isNew"]), (&json!("signed_in"), &json!(true)));
    let hers = named(stack, &hong, "小红").await;
    // Protection asks on every new device, his new number's too.
    let guarded = comes(stack, &new).await;
    assert_eq!(guarded["reason"], "new_device", "{guarded}");
    protect(stack, &back, false).await;
    let his = Owner { login: &back, name: &name, number: Some(&new) };
    both_own(stack, &his, &Owner { login: &hong, name: &hers, number: Some(&ming.phone) }).await;
    owns(stack, &Owner { login: &ming.login, ..his }).await;
}

async fn login_2() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let new = password("her password");
    // 1. All that she holds is a ticket, which is no session.
    let ticket = held["ticket"].as_str().unwrap();
    set_password(stack, ticket, &new, None).await.problem(401, "unauthenticated");
    // 2. In her own session the number changes her own password.
    let (hong, name) = hong(stack, &held).await;
    let proof = one_tap(stack, &ming.phone).await;
    let set = set_password(stack, access_token(&hong), &new, Some(proof)).await;
    assert_eq!(set.status, 204, "{}", set.summary());
    let hers = with_password(stack, &ming.phone, &new).await.ok();
    assert_eq!(hers["account"]["id"], hong["account"]["id"]);
    with_password(stack, &ming.username, &new).await.problem(401, "invalid_credentials");
    are_two(stack, &ming, (&hong, &name)).await;
}

async fn login_3() {
    let (stack, ming) = (later(), ming());
    let (hong, name) = hong(stack, &asked(stack, &ming.phone).await).await;
    // 1. On his phone he is in by number and password, and asked for a new number.
    let mut device = fresh_device();
    device["token"] = ming.login["device"]["token"].clone();
    let back = with_password_on(stack, &ming.phone, &ming.password, device).await.ok();
    assert_eq!(
        (&back["account"]["id"], &back["needs"]),
        (&ming.login["account"]["id"], &json!(["new_phone"]))
    );
    // 2. On a new one his address says the rest.
    let held = with_password(stack, &ming.phone, &ming.password).await.ok();
    assert_eq!((&held["reason"], &held["proven"]), (&json!("historical_number"), &json!(["password"])));
    let started = step(stack, &held, "start", json!({ "method": "email_code" })).await.ok();
    let code = json!({ "method": "email_code", "challengeId": started["challenge"]["challengeId"],
                       "code": emails::newest_code(stack, &ming.address).await });
    let new_phone = step(stack, &held, "complete", code).await.ok();
    assert_eq!(new_phone["account"]["id"], ming.login["account"]["id"], "{new_phone}");
    // 3. He has another number; hers is hers.
    are_two(stack, &ming, (&hong, &name)).await;
    let new = fresh_phone("139");
    assert_eq!(to(stack, &new_phone, &new).await.status, 204);
    owns(stack, &Owner { login: &back, name: &ming.name, number: Some(&new) }).await;
}

async fn reset_1() {
    let (stack, ming) = (later(), ming());
    let (hong, name) = hong(stack, &asked(stack, &ming.phone).await).await;
    // 1. What he remembers is wrong, and says nothing of either account.
    with_password(stack, &ming.phone, "12345678").await.problem(401, "invalid_credentials");
    // 2. His phone is signed in still; there his address proves that it is him.
    let session = json!({ "refreshToken": ming.at_home["session"]["refreshToken"] });
    let mut his = post(stack, crate::tokens::REFRESH, &session).send().await.ok();
    (his["account"], his["device"]) = (ming.login["account"].clone(), ming.login["device"].clone());
    let new = password("new password");
    let stale = set_password(stack, access_token(&his), &new, None).await;
    stale.problem(403, "reauthentication_required");
    let mut code = emails::code_for(stack, access_token(&his), &ming.address, "step_up").await;
    code["type"] = json!("otp");
    let proven = post(stack, "/v1/session/proof", &json!({ "proof": code })).bearer(access_token(&his));
    assert_eq!(proven.send().await.status, 204);
    assert_eq!(set_password(stack, access_token(&his), &new, None).await.status, 204);
    // 3. The new one opens his account on any device, by his name; the old one is good nowhere.
    let back = with_password(stack, &ming.username, &new).await.ok();
    assert_eq!(back["account"]["id"], ming.login["account"]["id"]);
    with_password(stack, &ming.username, &ming.password).await.problem(401, "invalid_credentials");
    is_over(stack, &ming.elsewhere).await;
    let number = fresh_phone("139");
    assert_eq!(to(stack, &his, &number).await.status, 204);
    let his = Owner { login: &his, name: &ming.name, number: Some(&number) };
    both_own(stack, &his, &Owner { login: &hong, name: &name, number: Some(&ming.phone) }).await;
}

async fn reset_2() {
    let (stack, ming) = (later(), ming());
    let ask = json!({ "phone": ming.phone, "purpose": "reset_password", "device": fresh_device() });
    let sent = post(stack, "/v1/otp/send", &ask).send().await;
    assert_eq!(sent.status, 202, "{}", sent.summary());
    let code = newest_code(stack, &ming.phone).await;
    let proof = json!({ "type": "otp", "challengeId": sent.json()["challengeId"], "code": code });
    let hers = password("her password");
    let reset = json!({ "numberProof": proof, "newPassword": hers, "device": fresh_device() });
    let held = post(stack, "/v1/password/reset", &reset).send().await.ok();
    assert_eq!(held["reason"], "number_may_be_recycled", "{held}");
    // Nothing is reset before it is known whose account it is; and then it is her own.
    with_password(stack, &ming.phone, &hers).await.problem(401, "invalid_credentials");
    let (hong, name) = hong(stack, &held).await;
    with_password(stack, &ming.username, &hers).await.problem(401, "invalid_credentials");
    are_two(stack, &ming, (&hong, &name)).await;
    let by_number = with_password(stack, &ming.phone, &hers).await.ok();
    assert_eq!(by_number["account"]["id"], hong["account"]["id"]);
}
