//! *Not mine* where the owner can be heard: three days to object, and an account of her own meanwhile.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    DAY, asked, claim, comes, import, imported, later, ming,
    owners::{Owner, both_own, is_over, named},
    recipe, with_password,
};
use crate::{
    backend::api_key,
    client::{Request, fresh_device, post, random_hex},
    login::access_token,
    numbers::{PHONE, one_tap},
    passwords::person,
    stack::Stack,
    story,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story(
            "recycled: an owner who is there has three days to object, and she waits for her number",
            waits,
        ),
        story("recycled: phone_in_use tells who has an account already how the number comes to it", in_use),
    ]
}

async fn in_use() {
    let (stack, ming) = (later(), ming());
    // She has an account with a number of her own, and brings the one that she has bought.
    let hong = person(stack, "136").await;
    let name = named(stack, &hong.login, "小红").await;
    let put = async |login: &Value, body: Value| {
        let put = Request::new(stack, Method::PUT, PHONE).json(&body);
        put.bearer(access_token(login)).send().await
    };
    let brought = put(&hong.login, json!({ "numberProof": one_tap(stack, &ming.phone).await })).await;
    let asked = brought.problem(409, "phone_in_use");
    assert_eq!(asked["choices"], json!(["not_mine"]), "{asked}");
    let not_mine = json!({ "ticket": asked["ticket"], "choice": "not_mine" });
    let other = comes(stack, &hong.phone).await;
    put(&other, not_mine.clone()).await.problem(410, "ticket_invalid");
    assert_eq!(put(&hong.login, not_mine).await.status, 204);
    let his = Owner { login: &ming.at_home, name: &ming.name, number: None };
    let hers = Owner { login: &hong.login, name: &name, number: Some(&ming.phone) };
    both_own(stack, &his, &hers).await;
    is_over(stack, &ming.elsewhere).await;
    let back = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!(back["account"]["id"], ming.login["account"]["id"]);
    // Her old number is nobody's, and one that was proven lately says no more than it ever did.
    assert_eq!(comes(stack, &hong.phone).await["account"]["isNew"], true);
    let brought = put(&hong.login, json!({ "numberProof": one_tap(stack, &hong.phone).await })).await;
    assert_eq!(brought.problem(409, "phone_in_use").get("ticket"), None);
}

/// Password and hash of crypt_blowfish 1.2, wrapper.c.
pub(super) const BCRYPT: (&str, &str) =
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");

/// He comes by his name and password, so that nothing is known of his number.
async fn by_name(stack: &Stack, name: &str, device: &Value) -> Value {
    let body = json!({ "identifier": name, "password": BCRYPT.0, "device": device });
    post(stack, "/v1/password/login", &body).send().await.ok()
}

async fn waits() {
    let recipe = recipe("waits");
    let name = format!("u{}", random_hex(4));
    let (phone, mut line) = imported(0, BCRYPT.1);
    line["username"] = json!(name);
    let (first, token) = {
        let stack = recipe.clone().start();
        let (key, _) = api_key(&stack, "account:import account:money");
        import(&stack, &key, &[line]).await;
        let login = by_name(&stack, &name, &fresh_device()).await;
        // The wait is the same where there is money.
        let path = format!("/v1/accounts/{}/money", login["account"]["id"].as_str().unwrap());
        let put = Request::new(&stack, reqwest::Method::PUT, &path).json(&json!({ "enabled": true }));
        assert_eq!(put.bearer(&key).send().await.status, 204);
        let token = login["device"]["token"].clone();
        (login, token)
    };
    let mut device = fresh_device();
    device["token"] = token;
    let hong = {
        let stack = recipe.clone().clock_skew(DAY).start();
        let his = by_name(&stack, &name, &device).await;
        assert_eq!(his["device"]["trust"], "known", "{his}");
        let hong = claim(&stack, &asked(&stack, &phone).await, "not_mine").await.ok();
        assert_ne!(hong["account"]["id"], first["account"]["id"]);
        assert_eq!(hong["account"].get("phone"), None, "not hers yet: {hong}");
        // Asked again she finds the same account; and his has its number still.
        let again = claim(&stack, &asked(&stack, &phone).await, "not_mine").await.ok();
        assert_eq!(again["account"]["id"], hong["account"]["id"]);
        assert_eq!(by_name(&stack, &name, &device).await["account"]["phone"], crate::numbers::masked(&phone));
        hong
    };
    {
        let stack = recipe.clone().clock_skew(DAY * 4 - 60).start();
        asked(&stack, &phone).await;
    }
    let stack = recipe.clock_skew(DAY * 4 + 60).start();
    let hers = comes(&stack, &phone).await;
    assert_eq!(
        (&hers["status"], &hers["account"]["id"]),
        (&json!("signed_in"), &hong["account"]["id"]),
        "{hers}"
    );
    assert_eq!(hers["account"]["phone"], crate::numbers::masked(&phone));
    let his = by_name(&stack, &name, &device).await;
    assert_eq!((&his["account"]["id"], his["account"].get("phone")), (&first["account"]["id"], None));
}
