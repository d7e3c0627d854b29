//! The six stories that everybody tells of numbers that were sold again, and who is not asked at all.

use libtest_mimic::Trial;
use serde_json::json;

use super::{
    DAY, are_two, asked, by_password, claim, comes, later, ming, on_own_phone, recipe, step, with_password,
};
use crate::{
    client::{fresh_device, get, post},
    login::access_token,
    otp::newest_code,
    passwords::{password, person},
    story,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("recycled: 119 days after the last proof he is in, after 120 somebody is asked", boundary),
        story("recycled: on his own phone he is in, whatever the calendar says", known_device),
        story(
            "recycled: registration 1: she finds the number registered, says not mine, and has her own",
            not_mine,
        ),
        story("recycled: registration 1: she says mine, proves nothing, and is in nowhere", mine_unproven),
        story("recycled: he says mine, proves it by his password, and keeps everything", mine),
        story("recycled: login 2: she cannot change his password", no_new_password),
        story("recycled: reset 2: a reset with the number is hers and leaves his password alone", reset),
        story("recycled: tries that a stranger uses up leave his own phone's way open", exhausted),
        story("recycled: the hints tell a first character and a year, and no proof", hints),
    ]
}

async fn boundary() {
    let recipe = recipe("boundary");
    let phones = {
        let stack = recipe.clone().start();
        [person(&stack, "137").await, person(&stack, "137").await]
    };
    {
        let stack = recipe.clone().clock_skew(119 * DAY).start();
        let in_time = comes(&stack, &phones[0].phone).await;
        assert_eq!(in_time["account"]["id"], phones[0].login["account"]["id"], "{in_time}");
    }
    let stack = recipe.clock_skew(120 * DAY).start();
    asked(&stack, &phones[1].phone).await;
    // Who came a day ago is not asked.
    let again = comes(&stack, &phones[0].phone).await;
    assert_eq!(again["account"]["id"], phones[0].login["account"]["id"], "{again}");
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

async fn not_mine() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let hong = claim(stack, &held, "not_mine").await.ok();
    assert_eq!(hong["account"]["isNew"], true);
    assert_eq!(
        claim(stack, &held, "not_mine").await.ok()["session"]["id"],
        hong["session"]["id"],
        "a repeat"
    );
    are_two(stack, &ming, &hong).await;
    // His sessions on his own phone go on.
    let refresh = json!({ "refreshToken": on_his_phone(&ming) });
    let his = post(stack, "/v1/session/refresh", &refresh).send().await;
    assert_eq!(his.status, 401, "idle for too long, as every session");
    let by_name = with_password(stack, &ming.username, &ming.password).await.ok();
    let phones = get(stack, "/v1/account/phones").bearer(access_token(&by_name)).send().await.ok();
    assert_eq!(phones["phones"][0]["cause"], "reassigned", "{phones}");
}

fn on_his_phone(ming: &crate::passwords::Person) -> &str {
    ming.login["session"]["refreshToken"].as_str().unwrap()
}

async fn mine_unproven() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    let mine = claim(stack, &held, "mine").await.ok();
    assert_eq!((&mine["status"], &mine["need"]), (&json!("step_up_required"), &json!(2)));
    by_password(stack, &held, "12345678").await.problem(403, "proof_failed");
    let state = step(stack, &held, "state", json!({})).await.ok();
    assert_eq!(state["status"], "step_up_required");
    // She may think better of it.
    let hong = claim(stack, &held, "not_mine").await.ok();
    are_two(stack, &ming, &hong).await;
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

async fn no_new_password() {
    let (stack, ming) = (later(), ming());
    let held = asked(stack, &ming.phone).await;
    // All that she holds is a ticket, which is no session.
    let new = json!({ "newPassword": password("her password") });
    let put = crate::client::Request::new(stack, reqwest::Method::PUT, "/v1/account/password").json(&new);
    put.bearer(held["ticket"].as_str().unwrap()).send().await.problem(401, "unauthenticated");
    let his = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!(his["account"]["id"], ming.login["account"]["id"]);
}

async fn reset() {
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
    with_password(stack, &ming.phone, &hers).await.problem(401, "invalid_credentials");
    let his = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!(his["account"]["id"], ming.login["account"]["id"]);
    let hong = claim(stack, &held, "not_mine").await.ok();
    are_two(stack, &ming, &hong).await;
    let by_number = with_password(stack, &ming.phone, &hers).await.ok();
    assert_eq!(by_number["account"]["id"], hong["account"]["id"]);
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
