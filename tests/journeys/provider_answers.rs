//! What providers answer, and what becomes of it: a stable code for the client, a metric for the operator, and
//! the vendor's words for nobody.

use onetap::{
    kernel::http::HttpFailure,
    providers::{self, Certainty},
};
use serde_json::json;

use crate::world::{
    World,
    client::login_body,
    provider::{Script, VENDOR_TEXT},
};

const PHONE: &str = "13800138000";

/// Provider, script, code for the client, outcome and vendor code for the operator.
type Case = (&'static str, Script, &'static str, &'static str, &'static str);

fn says(body: serde_json::Value) -> Script {
    Script::Says(200, body.to_string())
}

fn cmcc(code: &str) -> Script {
    says(json!({"resultCode": code, "resultDesc": VENDOR_TEXT, "msisdn": PHONE}))
}

fn flash(code: &str) -> Script {
    says(json!({"code": code, "message": VENDOR_TEXT, "data": {"mobileName": "00"}}))
}

fn aliyun(status: u16, code: &str) -> Script {
    Script::Says(status, json!({"Code": code, "Message": VENDOR_TEXT}).to_string())
}

fn cases() -> Vec<Case> {
    const REJECTED: &str = "one_tap_rejected";
    const UNAVAILABLE: &str = "one_tap_unavailable";
    let garbage = || Script::Says(200, format!("<html>{VENDOR_TEXT}"));
    vec![
        ("cmcc", cmcc("104201"), REJECTED, "rejected", "104201"),
        ("cmcc", cmcc("103133"), REJECTED, "rejected", "103133"),
        ("cmcc", cmcc("103211"), UNAVAILABLE, "unavailable", "103211"),
        ("cmcc", cmcc("103101"), UNAVAILABLE, "account_fault", "103101"),
        ("cmcc", cmcc("103511"), UNAVAILABLE, "account_fault", "103511"),
        ("cmcc", cmcc("999999"), UNAVAILABLE, "unavailable", "999999"),
        ("cmcc", cmcc(PHONE), UNAVAILABLE, "unavailable", "unlisted"),
        ("flash_v2", flash("403000"), REJECTED, "rejected", "403000"),
        ("flash_v2", flash("500004"), UNAVAILABLE, "unavailable", "500004"),
        ("flash_v2", flash("400102"), UNAVAILABLE, "account_fault", "400102"),
        ("flash_v2", flash("200000"), UNAVAILABLE, "unavailable", "unreadable"),
        ("aliyun", aliyun(400, "isv.TOKEN_INVALID"), REJECTED, "rejected", "isv.TOKEN_INVALID"),
        ("aliyun", aliyun(400, "Throttling.User"), UNAVAILABLE, "unavailable", "Throttling.User"),
        ("aliyun", aliyun(403, "Forbidden.RAM"), UNAVAILABLE, "account_fault", "Forbidden.RAM"),
        ("aliyun", aliyun(200, "OK"), UNAVAILABLE, "unavailable", "unreadable"),
        ("cmcc", garbage(), UNAVAILABLE, "unavailable", "unreadable"),
        ("cmcc", Script::Says(500, String::new()), UNAVAILABLE, "unavailable", "http_500"),
        ("cmcc", Script::Says(302, String::new()), UNAVAILABLE, "unavailable", "http_302"),
        ("cmcc", Script::Vouches("not-a-phone".to_owned()), UNAVAILABLE, "unavailable", "unreadable"),
        ("flash_v2", Script::Vouches("+14155550100".to_owned()), UNAVAILABLE, "unavailable", "unreadable"),
        ("cmcc", Script::Fails(HttpFailure::TimedOut), UNAVAILABLE, "unavailable", "timed_out"),
        ("cmcc", Script::Fails(HttpFailure::Broken), UNAVAILABLE, "unavailable", "broken"),
    ]
}

#[test]
fn every_answer_has_its_code_and_its_metric() {
    for (provider, script, code, outcome, vendor_code) in cases() {
        let world = World::new();
        let token = world.providers.token_that(script.clone());
        let answer = world.post("/v1/one-tap/login", &login_body(provider, &token)).send();
        answer.falls_back(if code == "one_tap_rejected" { 422 } else { 503 }, code);

        let text = answer.body.to_string();
        assert!(!text.contains("vendor-says-so") && !text.contains(vendor_code), "{text}");
        let [call] = world.metrics().try_into().unwrap();
        let seen = (call.provider.as_str(), call.capability, call.outcome, call.vendor_code.as_deref());
        assert_eq!(seen, (provider, "one_tap", outcome, Some(vendor_code)), "{script:?}");
        assert_eq!(world.providers.times_seen(&token), 1);
        assert!(world.back_office().accounts.is_empty());
    }
}

#[test]
fn success_is_a_metric_too() {
    let world = World::new();
    world.login(PHONE).signed_in();
    let [call] = world.metrics().try_into().unwrap();
    assert_eq!((call.provider.as_str(), call.outcome, call.vendor_code), ("cmcc", "ok", None));
}

#[test]
fn a_provider_that_is_not_set_up_is_unavailable_and_raises_no_alarm() {
    let world = World::new();
    let mut body = login_body("mobtech", "t");
    body["credential"] = json!({"provider": "mobtech", "token": "t", "opToken": "o", "operator": "CMCC"});
    world.post("/v1/one-tap/login", &body).send().falls_back(503, "one_tap_unavailable");
    // An account for phones serves no web page.
    let mut body = login_body("flash_v2", &world.providers.token(PHONE));
    body["device"]["platform"] = json!("web");
    world.post("/v1/one-tap/login", &body).send().falls_back(503, "one_tap_unavailable");
    let outcomes: Vec<_> = world.metrics().into_iter().map(|call| (call.outcome, call.vendor_code)).collect();
    assert_eq!(outcomes, vec![("not_set_up", None); 2]);
}

#[test]
fn an_unknown_provider_is_the_clients_mistake() {
    let world = World::new();
    let answer = world.post("/v1/one-tap/login", &login_body("nobody", "t")).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"][0]["name"], "credential.provider");
    assert!(world.metrics().is_empty());
}

#[test]
fn assumed_facts_need_the_operators_word_in_production() {
    let assumed = json!({
        "id": "new", "name": "New", "certainty": "assumed", "sources": [], "settings": {},
        "one_tap": {
            "credential": ["token"], "token": "token", "fields": {"token": "{token}"},
            "request": {"method": "POST", "url": "https://new.example/", "encoding": "json", "timeout_ms": 2000},
            "reply": {"code": ["/code"], "value": ["/phone"]},
            "outcome": {"ok": ["0"], "rejected": [], "unavailable": [], "account": []}
        }
    });
    let document = providers::Document::from_json(&assumed.to_string()).unwrap();
    assert_eq!(document.certainty(), Certainty::Assumed);
    let mut account = providers::Account::new(&document, "default", serde_json::Map::new()).unwrap();
    assert!(!account.fit_for_production(&document));
    account.confirmed = true;
    assert!(account.fit_for_production(&document));
}
