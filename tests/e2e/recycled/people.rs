//! Who is asked whose account it is, who is not, and what a stranger learns of it.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    DAY, asked, by_password, claim, comes, later, ming, on_own_phone, recipe, step, with_password_on,
};
use crate::{
    client::{Request, fresh_device, fresh_phone, post},
    login::access_token,
    numbers::{TRUSTED, one_tap},
    otp::newest_code,
    passwords::person,
    stack::Stack,
    story,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story(
            "recycled: 119 days after the last proof he is in, after 120 he is asked, but on what he trusts",
            boundary,
        ),
        story("recycled: on his own phone he is in, whatever the calendar says", known_device),
        story("recycled: he says mine, proves it by his password, and keeps everything", mine),
        story("recycled: tries that a stranger uses up leave his own phone's way open", exhausted),
        story("recycled: the hints tell a first character and a year, and no proof", hints),
    ]
}

async fn boundary() {
    let recipe = recipe("boundary");
    let (people, own) = {
        let stack = recipe.clone().start();
        let [early, late, trusting, friendly] = [(); 4].map(|()| person(&stack, "137"));
        let people = [early.await, late.await, trusting.await, friendly.await];
        // One trusts the device, one another phone.
        let trust = json!({ "trusted": true });
        let path = format!("/v1/devices/{}", people[2].login["device"]["id"].as_str().unwrap());
        let patch = Request::new(&stack, Method::PATCH, &path).json(&trust);
        assert_eq!(patch.bearer(access_token(&people[2].login)).send().await.status, 204);
        let own = trusted_phone(&stack, &people[3].login).await;
        (people, own)
    };
    let [early, late, trusting, friendly] = &people;
    let fresh = {
        let stack = recipe.clone().clock_skew(119 * DAY).start();
        let in_time = comes(&stack, &early.phone).await;
        assert_eq!(in_time["account"]["id"], early.login["account"]["id"], "{in_time}");
        // By name and password, which says nothing of the number.
        let mut device = fresh_device();
        device["token"] = friendly.login["device"]["token"].clone();
        let login = with_password_on(&stack, &friendly.username, &friendly.password, device).await.ok();
        trusted_phone(&stack, &login).await
    };
    let stack = recipe.clock_skew(120 * DAY).start();
    asked(&stack, &late.phone).await;
    // Who came a day ago is not asked.
    let again = comes(&stack, &early.phone).await;
    assert_eq!(again["account"]["id"], early.login["account"]["id"], "{again}");
    // Nor is who comes on a device that is trusted; on another they are.
    asked(&stack, &trusting.phone).await;
    let trusted = on_own_phone(&stack, trusting).await;
    assert_eq!(
        (&trusted["account"]["id"], &trusted["device"]["trust"]),
        (&trusting.login["account"]["id"], &json!("trusted"))
    );
    // A phone that was trusted four months ago may be somebody else's too: it is not asked, and no more is said of it. Of
    // the other no digit is shown: whoever has the number may be somebody else.
    let held = asked(&stack, &friendly.phone).await;
    let (phone, id) = &fresh;
    let by_phone = json!({ "method": "trusted_phone", "id": id, "strength": 2 });
    assert_eq!(held["methods"], json!([by_phone, { "method": "password", "strength": 2 }]));
    let start = |id: &Value| json!({ "method": "trusted_phone", "id": id });
    step(&stack, &held, "start", start(&own.1)).await.problem(404, "not_found");
    let started = step(&stack, &held, "start", start(id)).await.ok();
    let code = json!({ "method": "trusted_phone", "challengeId": started["challenge"]["challengeId"],
                       "code": newest_code(&stack, phone).await });
    let back = step(&stack, &held, "complete", code).await.ok();
    assert_eq!(back["account"]["id"], friendly.login["account"]["id"], "{back}");
}

/// Another phone that speaks for who is signed in, and its id.
async fn trusted_phone(stack: &Stack, login: &Value) -> (String, Value) {
    let phone = fresh_phone("136");
    let body = json!({ "numberProof": one_tap(stack, &phone).await });
    let added = post(stack, TRUSTED, &body).bearer(access_token(login)).send().await;
    assert_eq!(added.status, 201, "{}", added.summary());
    (phone, added.json()["id"].clone())
}

async fn known_device() {
    let (stack, ming) = (later(), ming());
    asked(stack, &ming.phone).await;
    let back = on_own_phone(stack, &ming).await;
    assert_eq!(back["account"]["id"], ming.login["account"]["id"]);
    assert_eq!(back["device"]["trust"], "known");
    // He has proven the number by that: nobody is asked for the next months.
    let elsewhere = comes(stack, &ming.phone).await;
    assert_eq!(elsewhere["account"]["id"], ming.login["account"]["id"], "{elsewhere}");
}

async fn mine() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    assert_eq!(held["methods"], json!([{ "method": "password", "strength": 2 }]));
    let back = by_password(stack, &held, &ming.password).await.ok();
    assert_eq!(back["account"]["id"], ming.login["account"]["id"]);
    let claims = crate::login::who_am_i(stack, access_token(&back)).await;
    assert_eq!(claims["amr"], json!(["one_tap", "step_up"]));
    claim(stack, &held, "not_mine").await.problem(400, "invalid_request");
    let again = comes(stack, &ming.phone).await;
    assert_eq!(again["account"]["id"], ming.login["account"]["id"]);
}

async fn exhausted() {
    let (stack, ming) = (later(), ming());
    // From everywhere: each request of a story has an address of its own.
    for _ in 0..20 {
        let held = asked(stack, &ming.phone).await;
        by_password(stack, &held, "12345678").await.problem(403, "proof_failed");
    }
    let held = asked(stack, &ming.phone).await;
    let closed = by_password(stack, &held, &ming.password).await.problem(403, "proofs_exhausted");
    assert_eq!(closed["fallback"], json!(["appeal"]));
    let back = on_own_phone(stack, &ming).await;
    assert_eq!(back["account"]["id"], ming.login["account"]["id"]);
}

async fn hints() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let year = held["hints"]["since"].as_str().unwrap();
    assert!(year.len() == 4 && year.parse::<u16>().is_ok(), "{held}");
    for told in [ming.username.as_str(), &ming.phone, ming.login["account"]["id"].as_str().unwrap()] {
        assert!(!held.to_string().contains(told), "{held}");
    }
}
