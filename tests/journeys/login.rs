//! One-tap login 一键登录: registering, coming back, devices, tokens.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, VerifyingKey};
use onetap::kernel::token::DeviceToken;
use serde_json::{Value, json};

use crate::world::{
    Answer, START, World,
    client::{device, device_with, login_body},
    configuration::ISSUER,
    objects::Kind,
};

const PHONE: &str = "13800138000";
const DAY: Duration = Duration::from_secs(86_400);

/// The claims of an access token, after its signature was checked with the public key of RFC 8037.
pub(crate) fn claims(access_token: &str) -> Value {
    let public = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let (input, signature) = access_token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(public.as_slice().try_into().unwrap()).unwrap();
    key.verify_strict(input.as_bytes(), &signature).unwrap();
    let (_, claims) = input.split_once('.').unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap()
}

fn login_on(world: &World, device: &Value) -> Answer {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["device"] = device.clone();
    world.post("/v1/one-tap/login", &body).send().signed_in()
}

#[test]
fn the_first_login_registers_and_the_second_signs_in() {
    let world = World::new();
    let first = world.login(PHONE).signed_in();
    world.pass(DAY);
    let second = world.login(PHONE).signed_in();

    assert_eq!(first.body["account"]["isNew"], true);
    assert_eq!(second.body["account"]["isNew"], false);
    assert_eq!(first.text("/account/id"), second.text("/account/id"));
    assert_ne!(first.text("/session/id"), second.text("/session/id"));
    assert_ne!(first.text("/account/id"), world.login("13900139000").signed_in().text("/account/id"));
}

#[test]
fn a_known_number_takes_the_same_steps_as_a_new_one() {
    let world = World::new();
    let traces = [PHONE, PHONE, "13900139000"].map(|phone| {
        world.login(phone).signed_in();
        world.faults.take_trace()
    });
    assert_eq!(traces[0], traces[1]);
    assert_eq!(traces[0], traces[2]);
}

#[test]
fn a_login_result_has_the_shape_of_the_contract() {
    let world = World::new();
    let answer = world.login(PHONE).signed_in();
    let body = &answer.body;
    assert_eq!(
        *body,
        json!({
            "status": "signed_in",
            "account": {"id": body["account"]["id"], "isNew": true, "phone": "+86138****8000", "realName": "none"},
            "session": {
                "id": body["session"]["id"], "accessToken": body["session"]["accessToken"],
                "tokenType": "Bearer", "expiresIn": 600,
                "refreshToken": body["session"]["refreshToken"], "refreshExpiresIn": 2_592_000
            },
            "device": {"id": body["device"]["id"], "trust": "new", "token": body["device"]["token"]}
        })
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["x-request-id"].starts_with("req_"));
}

#[test]
fn access_tokens_say_who_where_and_how_and_no_more() {
    let world = World::new();
    let answer = world.login(PHONE).signed_in();
    let claims = claims(answer.text("/session/accessToken"));
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": answer.text("/account/id"), "aud": "default",
            "iat": START.secs(), "exp": START.secs() + 600, "auth_time": START.secs(),
            "jti": claims["jti"], "sid": answer.text("/session/id"), "did": answer.text("/device/id"),
            "amr": ["one_tap"]
        })
    );
}

#[test]
fn a_device_is_recognised_by_its_token_and_issued_one_only_once() {
    let world = World::new();
    let first = login_on(&world, &device());
    let again = login_on(&world, &device_with(first.text("/device/token")));
    assert_eq!(again.text("/device/id"), first.text("/device/id"));
    assert_eq!(again.body["device"].get("token"), None);

    // Without its token the same phone is another device.
    let stranger = login_on(&world, &device());
    assert_ne!(stranger.text("/device/id"), first.text("/device/id"));
    assert_ne!(stranger.text("/device/token"), first.text("/device/token"));
}

#[test]
fn forged_and_foreign_device_tokens_make_a_new_device() {
    let world = World::new();
    let mine = login_on(&world, &device());
    let of_another_account = world.login("13900139000").signed_in();
    let never_issued = DeviceToken::from_entropy([7; 16]).write(&world.settings.mac);
    let genuine = mine.text("/device/token");
    let changed = format!("{}x", &genuine[..genuine.len() - 1]);

    let mut seen = vec![mine.text("/device/id").to_owned(), of_another_account.text("/device/id").to_owned()];
    for token in [of_another_account.text("/device/token"), &never_issued, &changed, "odt_nonsense"] {
        let answer = login_on(&world, &device_with(token));
        let id = answer.text("/device/id").to_owned();
        assert!(!seen.contains(&id), "{token}");
        assert_ne!(answer.text("/device/token"), token);
        seen.push(id);
    }
}

#[test]
fn a_device_is_known_after_seven_days_of_use() {
    let world = World::new();
    let token = login_on(&world, &device()).text("/device/token").to_owned();
    let mut trust = Vec::new();
    for _ in 0..7 {
        world.pass(DAY);
        // Twice a day counts once.
        login_on(&world, &device_with(&token));
        trust.push(login_on(&world, &device_with(&token)).text("/device/trust").to_owned());
    }
    assert_eq!(trust, ["new", "new", "new", "new", "new", "known", "known"]);
}

#[test]
fn apps_of_one_owner_share_the_account_and_have_their_own_audience() {
    let world = World::new();
    let one = world.login(PHONE).signed_in();
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["app"] = json!("shop");
    let other = world.post("/v1/one-tap/login", &body).send().signed_in();
    assert_eq!(one.text("/account/id"), other.text("/account/id"));
    assert_eq!(claims(other.text("/session/accessToken"))["aud"], "shop");

    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["app"] = json!("not-ours");
    world.post("/v1/one-tap/login", &body).send().is_problem(400, "invalid_request");
}

#[test]
fn the_version_of_the_terms_agreed_to_is_recorded() {
    let world = World::new();
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["consent"] = json!({"version": "2026-11"});
    let answer = world.post("/v1/one-tap/login", &body).send().signed_in();
    let account = &world.objects.states(Kind::Account)[answer.text("/account/id")];
    assert_eq!(account["state"]["sessions"][0]["consent"], "2026-11");
}

#[test]
fn every_provider_leads_to_the_same_account() {
    let world = World::new();
    let ids: Vec<String> = ["cmcc", "aliyun", "flash_v2"]
        .iter()
        .map(|provider| {
            let body = login_body(provider, &world.providers.token(PHONE));
            world.post("/v1/one-tap/login", &body).send().signed_in().text("/account/id").to_owned()
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn a_busy_address_is_asked_to_wait_before_anything_is_spent() {
    let world = World::new();
    world.admits.store(false, std::sync::atomic::Ordering::SeqCst);
    let token = world.providers.token(PHONE);
    let answer = world.log_in_with(&token).send();
    answer.is_problem(429, "rate_limited");
    assert_eq!(answer.headers["retry-after"], "10");
    assert_eq!(world.providers.times_seen(&token), 0);
}

#[test]
fn an_sdk_that_gave_no_token_gets_the_answer_of_a_rejected_one() {
    let world = World::new();
    let report = json!({"sdkCode": "200027", "network": "wifi", "carrier": "cmcc", "provider": "cmcc",
        "phone": PHONE, "otpFallback": true, "device": device()});
    world.post("/v1/one-tap/failures", &report).send().falls_back(422, "one_tap_rejected");
    let answer = world.post("/v1/one-tap/failures", &json!({"device": device()})).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"], json!([{"name": "sdkCode", "problem": "is missing"}]));
}

#[test]
fn problems_speak_the_language_asked_for() {
    let world = World::new();
    let ask = |language: &str| {
        let used = world.log_in_with("A2-never-issued").header("accept-language", language);
        used.send().text("/title").to_owned()
    };
    // The second time the token was used before; the words are the same.
    assert_eq!(ask("zh-CN,zh;q=0.9,en;q=0.8"), "一键登录未成功，请换用其他方式。");
    assert_eq!(ask("en"), "One-tap login did not succeed.");
}
