//! Xiao Ming comes back by a number that is Xiao Hong's by now, over HTTP and four months later.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, get, post, random_hex},
    emails, leaks,
    login::{access_token, sign_in},
    numbers::{account, masked, to},
    protection::{at, log_in},
    stack::{Recipe, Stack},
    story,
};

const DAY: i64 = 86_400;

pub(crate) fn stories() -> Vec<Trial> {
    vec![story(
        "coming back: he has the number no more and knows his password; she hears nothing",
        comes_back,
    )]
}

fn password() -> String {
    let password = format!("correct {}", random_hex(8));
    leaks::note("password", &password);
    password
}

async fn set_password(stack: &Stack, login: &Value, password: &str) {
    let put = Request::new(stack, Method::PUT, "/v1/account/password");
    let put = put.json(&json!({ "newPassword": password })).bearer(access_token(login)).send().await;
    assert_eq!(put.status, 204, "{}", put.summary());
}

/// Signs in with number and password, on a device that has this token.
async fn by_password(stack: &Stack, phone: &str, password: &str, device: &Value) -> Answer {
    let mut body = json!({ "identifier": phone, "password": password, "device": fresh_device() });
    body["device"]["token"] = device.clone();
    post(stack, "/v1/password/login", &body).send().await
}

async fn comes_back() {
    let [phone, new] = ["139", "137"].map(fresh_phone);
    let [his_password, her_password] = [password(), password()];
    let recipe = Recipe::new("coming-back");
    // 1. Xiao Ming has an account, with an address and a password, and gives the number up.
    let address = emails::fresh_address();
    let ming = {
        let stack = recipe.clone().start();
        let ming = sign_in(&stack, &phone).await;
        let code = emails::code_for(&stack, access_token(&ming), &address, "bind").await;
        let bind = post(&stack, "/v1/account/identities/email", &code).bearer(access_token(&ming));
        assert_eq!(bind.send().await.status, 204);
        set_password(&stack, &ming, &his_password).await;
        ming
    };
    // 2. Xiao Hong buys it. His account is not hers.
    let stack = recipe.clock_skew(121 * DAY).start();
    let asked = log_in(&stack, &phone, None).await;
    assert_eq!(asked["status"], "step_up_required", "{asked}");
    let not_mine = json!({ "choice": "not_mine" });
    let hong = at(&stack, "claim", &asked, &asked["device"]["token"], not_mine).await.ok();
    assert_eq!((&hong["status"], &hong["account"]["isNew"]), (&json!("signed_in"), &json!(true)));
    set_password(&stack, &hong, &her_password).await;
    let before = account(&stack, &hong).await;
    // 3. On his phone he is in, without the number.
    let nowhere = by_password(&stack, &phone, "correct as nothing", &Value::Null).await;
    let same = by_password(&stack, &fresh_phone("139"), "correct as nothing", &Value::Null).await;
    let [mut nowhere, mut same] = [nowhere, same].map(|answer| answer.problem(401, "invalid_credentials"));
    for body in [&mut nowhere, &mut same] {
        body.as_object_mut().unwrap().remove("requestId");
    }
    assert_eq!(nowhere, same);
    let back = by_password(&stack, &phone, &his_password, &ming["device"]["token"]).await.ok();
    assert_eq!((&back["account"]["id"], &back["needs"]), (&ming["account"]["id"], &json!(["new_phone"])));
    assert_eq!(back["account"].get("phone"), None);
    // 4. On a new one his address says the rest.
    let held = by_password(&stack, &phone, &his_password, &Value::Null).await.ok();
    assert_eq!((&held["reason"], &held["proven"]), (&json!("historical_number"), &json!(["password"])));
    let token = &held["device"]["token"];
    let started = at(&stack, "start", &held, token, json!({ "method": "email_code" })).await.ok();
    let code = json!({ "method": "email_code", "challengeId": started["challenge"]["challengeId"],
                       "code": emails::newest_code(&stack, &address).await });
    let confirmed = at(&stack, "complete", &held, token, code).await.ok();
    assert_eq!(confirmed["account"]["id"], ming["account"]["id"], "{confirmed}");
    // 5. She is where she was, and in by the number; he has another one.
    assert_eq!(account(&stack, &hong).await, before);
    let hers = by_password(&stack, &phone, &her_password, &Value::Null).await.ok();
    assert_eq!(hers["account"]["id"], hong["account"]["id"]);
    assert_eq!(to(&stack, &confirmed, &new).await.status, 204);
    assert_eq!(account(&stack, &confirmed).await["phone"], masked(&new));
    assert_eq!(sign_in(&stack, &phone).await["account"]["id"], hong["account"]["id"]);
    assert_eq!(sign_in(&stack, &new).await["account"]["id"], ming["account"]["id"]);
    // 6. Of equal passwords it is hers who has the number.
    set_password(&stack, &hong, &his_password).await;
    let whose = by_password(&stack, &phone, &his_password, &Value::Null).await.ok();
    assert_eq!(whose["account"]["id"], hong["account"]["id"]);
    // 7. Neither was told of the other.
    for (answer, other) in
        [(&back, &hong), (&held, &hong), (&confirmed, &hong), (&hers, &ming), (&hong, &ming)]
    {
        let id = other["account"]["id"].as_str().unwrap();
        assert!(!answer.to_string().contains(id), "{answer}");
    }
    let seen = get(&stack, "/v1/login-history").bearer(access_token(&hong)).send().await.ok();
    assert!(!seen.to_string().contains(back["session"]["id"].as_str().unwrap()));
}
