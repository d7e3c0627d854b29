//! Accounts that hold money, over HTTP: two decide, a day passes in which the owner can still say no, and one key alone gets
//! past neither.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backend::api_key,
    cases::{decide, queued},
    client::{Answer, Request, fresh_phone, post},
    login::{access_token, sign_in},
    numbers::one_tap,
    protection::{protect, ticket},
    stack::{Recipe, Stack},
    story,
};

const DAY: i64 = 86_400;

pub(crate) fn stories() -> Vec<Trial> {
    vec![story(
        "money: two keys and a day hand an account over, unless its owner refuses in between",
        handed_over,
    )]
}

async fn money(stack: &Stack, key: &str, login: &Value, enabled: bool) {
    let path = format!("/v1/accounts/{}/money", login["account"]["id"].as_str().unwrap());
    let put = Request::new(stack, Method::PUT, &path).json(&json!({ "enabled": enabled }));
    let said = put.bearer(key).send().await;
    assert_eq!(said.status, 204, "{}", said.summary());
}

/// Somebody with the number appeals, on a device that waits.
async fn appeal(stack: &Stack, phone: &str) -> (Value, Value) {
    let held = ticket(stack, phone).await;
    let body = json!({ "ticket": held["ticket"], "device": { "token": held["device"]["token"] },
        "answers": [{ "question": "contents", "text": "photos of a cat" }] });
    let made = post(stack, "/v1/appeals", &body).send().await;
    assert_eq!((made.status, &made.json()["state"]), (202, &json!("open")), "{}", made.summary());
    (held, made.json())
}

async fn complete(stack: &Stack, phone: &str, held: &Value, case: &Value) -> Answer {
    let path = format!("/v1/appeals/{}/complete", case["id"].as_str().unwrap());
    let token = &held["device"]["token"];
    let body = json!({ "device": { "token": token }, "numberProof": one_tap(stack, phone).await });
    post(stack, &path, &body).send().await
}

async fn handed_over() {
    let phone = fresh_phone("137");
    let recipe = Recipe::new("money");
    let (owner, keys, granted, refused) = {
        let stack = recipe.clone().start();
        let owner = sign_in(&stack, &phone).await;
        protect(&stack, &owner, true).await;
        // One may say that there is money, and decide: it does not get past the two by saying that there is none.
        let (anna, _) = api_key(&stack, "account:money cases:read cases:decide");
        let (ben, _) = api_key(&stack, "cases:read cases:decide");
        money(&stack, &anna, &owner, true).await;
        let (granted, refused) = (appeal(&stack, &phone).await, appeal(&stack, &phone).await);
        assert_eq!(queued(&stack, &anna, &granted.1, "open").await["profile"], "money");
        money(&stack, &anna, &owner, false).await;
        for (_, case) in [&granted, &refused] {
            for _ in 0..2 {
                assert_eq!(decide(&stack, &anna, case, "grant").await.ok()["state"], "open");
            }
            assert_eq!(decide(&stack, &ben, case, "grant").await.ok()["state"], "decided");
        }
        complete(&stack, &phone, &granted.0, &granted.1).await.problem(409, "case_conflict");
        let refuse = format!("/v1/account/appeals/{}/refuse", refused.1["id"].as_str().unwrap());
        let said = post(&stack, &refuse, &json!({})).bearer(access_token(&owner)).send().await;
        assert_eq!(said.status, 204, "{}", said.summary());
        (owner, (anna, ben), granted, refused)
    };
    {
        let stack = recipe.clone().clock_skew(DAY - 120).start();
        complete(&stack, &phone, &granted.0, &granted.1).await.problem(409, "case_conflict");
        decide(&stack, &keys.0, &refused.1, "grant").await.problem(409, "case_conflict");
    }
    let stack = recipe.clone().clock_skew(DAY + 120).start();
    let login = complete(&stack, &phone, &granted.0, &granted.1).await.ok();
    assert_eq!((&login["status"], &login["account"]["id"]), (&json!("signed_in"), &owner["account"]["id"]));
    complete(&stack, &phone, &refused.0, &refused.1).await.problem(409, "case_conflict");
    // It is worth as much still, until three days are over; and a case of that time stays one of money.
    let (_, late) = appeal(&stack, &phone).await;
    assert_eq!(queued(&stack, &keys.0, &late, "open").await["profile"], "money");
    drop(stack);
    let stack = recipe.clock_skew(DAY * 3 + 120).start();
    assert_eq!(decide(&stack, &keys.0, &late, "grant").await.ok()["state"], "open");
    let (_, last) = appeal(&stack, &phone).await;
    assert_eq!(queued(&stack, &keys.1, &last, "open").await["profile"], "basic");
}
