//! The configuration, asked by clients of all kinds.

use serde_json::{Value, json};

use super::{BotCheck, ClientRules, Facts, Otp, Query};
use crate::model::{network::Network, platform::Platform};

const OTP: Otp = Otp { code_length: 6, resend_seconds: 60, expires_seconds: 300 };
const PHONE: Query<'_> =
    Query { app: "default", platform: Some(Platform::Ios), model: None, network: Network::Cellular };

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn read(rules: &Value) -> Result<ClientRules, Vec<String>> {
    ClientRules::read(&rules.to_string(), &names(&["default", "shop"]), &names(&["flash_v2", "cmcc"]))
}

fn answer(rules: &ClientRules, query: Query<'_>, one_tap: &[&str]) -> Value {
    let facts = Facts { one_tap: &names(one_tap), otp: OTP, bot_check: None };
    serde_json::to_value(rules.select(&query, facts)).unwrap()
}

/// The ways in, in short: provider ids, and `otp`.
fn methods(answer: &Value) -> Vec<&str> {
    let methods = answer["methods"].as_array().unwrap().iter();
    methods.map(|method| method["provider"].as_str().unwrap_or(method["method"].as_str().unwrap())).collect()
}

#[test]
fn without_rules_the_contract_stands() {
    let check = BotCheck { provider: "turnstile".to_owned(), site_key: "0x4AAA".to_owned() };
    let facts = Facts { one_tap: &names(&["flash_v2"]), otp: OTP, bot_check: Some(check) };
    let answer = serde_json::to_value(ClientRules::default().select(&PHONE, facts)).unwrap();
    assert_eq!(
        answer,
        json!({
            "methods": [{"method": "one_tap", "provider": "flash_v2", "timeoutSeconds": 3}, {"method": "otp"}],
            "page": {
                "maskRule": {"first": 3, "last": 4, "mask": "*"},
                "agreements": [
                    {
                        "carrier": "cmcc",
                        "name": {"zh-CN": "中国移动认证服务条款", "en": "China Mobile authentication terms"},
                        "url": "https://wap.cmpassport.com/resources/html/contract.html",
                    },
                    {
                        "carrier": "cucc",
                        "name": {"zh-CN": "联通统一认证服务条款", "en": "China Unicom authentication terms"},
                        "url":
                            "https://opencloud.wostore.cn/authz/resource/html/disclaimer.html?fromsdk=true",
                    },
                    {
                        "carrier": "ctcc",
                        "name": {
                            "zh-CN": "天翼账号服务与隐私协议",
                            "en": "China Telecom account service and privacy terms",
                        },
                        "url": "https://e.189.cn/sdk/agreement/detail.do?hidetop=true",
                    },
                ],
                "consentChecked": false,
                "consentVersion": "1",
            },
            "otp": {"codeLength": 6, "resendSeconds": 60, "expiresSeconds": 300},
            "botCheck": {"provider": "turnstile", "siteKey": "0x4AAA"},
            "refreshSeconds": 3600,
        })
    );
}

#[test]
fn one_tap_is_offered_where_it_can_work() {
    let rules = ClientRules::default();
    let on = |network| methods(&answer(&rules, Query { network, ..PHONE }, &["flash_v2"])).join(" ");
    assert_eq!(on(Network::Wifi), "flash_v2 otp");
    assert_eq!(on(Network::Unknown), "flash_v2 otp");
    assert_eq!(on(Network::None), "otp");
    let page = answer(&rules, Query { platform: Some(Platform::Web), ..PHONE }, &[]);
    assert_eq!(methods(&page), ["otp"]);
    assert_eq!(page.get("botCheck"), None);
}

#[test]
fn app_platform_model_and_network_choose() {
    let rules = read(&json!([
        {"when": {"model": "SM-*", "platform": "android"}, "methods": [{"method": "otp"}]},
        {"when": {"app": "shop"}, "methods": [
            {"method": "one_tap", "provider": "cmcc", "timeoutSeconds": 5}, {"method": "otp"}]},
        {"when": {"network": "wifi"}, "methods": [{"method": "otp"}, {"method": "one_tap", "provider": "flash_v2"}]},
        {"when": {"model": "iPhone17,2"}, "methods": [{"method": "one_tap", "provider": "cmcc"}]},
    ]))
    .unwrap();
    let ask = |query| methods(&answer(&rules, query, &["flash_v2", "cmcc"])).join(" ");
    let android = Query { platform: Some(Platform::Android), ..PHONE };
    assert_eq!(ask(PHONE), "flash_v2 cmcc otp");
    assert_eq!(ask(Query { model: Some("sm-g9910"), ..android }), "otp");
    assert_eq!(ask(Query { model: Some("SM"), ..android }), "flash_v2 cmcc otp");
    assert_eq!(ask(Query { model: Some("星星"), ..android }), "flash_v2 cmcc otp");
    assert_eq!(ask(Query { model: Some("SM-G9910"), platform: None, ..android }), "flash_v2 cmcc otp");
    assert_eq!(ask(Query { app: "shop", network: Network::Wifi, ..PHONE }), "cmcc otp");
    assert_eq!(ask(Query { network: Network::Wifi, ..PHONE }), "otp flash_v2");
    assert_eq!(ask(Query { model: Some("iPhone17,2"), ..PHONE }), "cmcc");
    assert_eq!(ask(Query { model: Some("iPhone17,20"), ..PHONE }), "flash_v2 cmcc otp");
    let shop = answer(&rules, Query { app: "shop", ..PHONE }, &["cmcc"]);
    assert_eq!(shop["methods"][0]["timeoutSeconds"], 5);
}

#[test]
fn a_provider_without_an_account_here_is_not_offered() {
    let rules = read(&json!([{"methods": [{"method": "one_tap", "provider": "cmcc"}]}])).unwrap();
    assert_eq!(methods(&answer(&rules, PHONE, &["flash_v2"])), ["otp"]);
}

#[test]
fn methods_and_page_are_decided_apart_and_consent_never_is() {
    let terms = json!({"name": {"zh-CN": "用户协议", "en": "Terms"}, "url": "https://shop.example/terms"});
    let mobile = json!({"carrier": "cmcc", "name": {"zh-CN": "移动条款", "en": "Mobile terms"},
        "url": "https://shop.example/cmcc"});
    let rules = read(&json!([
        {"methods": [{"method": "otp"}]},
        {"when": {"app": "shop"}, "page": {"consentVersion": "2026-11", "agreements": [terms, mobile]}},
        {"methods": [{"method": "one_tap", "provider": "cmcc"}], "page": {"consentVersion": "7"}},
    ]))
    .unwrap();
    let shop = answer(&rules, Query { app: "shop", ..PHONE }, &["cmcc"]);
    assert_eq!(methods(&shop), ["otp"]);
    assert_eq!(shop["page"]["consentVersion"], "2026-11");
    assert_eq!(shop["page"]["consentChecked"], false);
    let agreements = shop["page"]["agreements"].as_array().unwrap();
    let carriers: Vec<_> = agreements.iter().map(|agreement| agreement["carrier"].as_str()).collect();
    assert_eq!(carriers, [Some("cucc"), Some("ctcc"), None, Some("cmcc")]);
    assert_eq!(agreements[2], terms);
    assert_eq!(agreements[3], mobile);
    assert_eq!(answer(&rules, PHONE, &[])["page"]["consentVersion"], "7");
}

#[test]
fn all_problems_are_named_at_once() {
    let problems = read(&json!([
        {"when": {"app": "ghost", "model": "S*M"}},
        {"methods": []},
        {"methods": [
            {"method": "one_tap"},
            {"method": "one_tap", "provider": "jpush", "timeoutSeconds": 11},
            {"method": "otp", "provider": "cmcc"},
            {"method": "otp"},
            {"method": "otp"},
        ]},
        {"page": {"consentVersion": "", "agreements": [{"name": {"en": "Terms"}, "url": "http://shop.example"}]}},
    ]))
    .unwrap_err();
    let expected = [
        "rule 0: app \"ghost\" is not in APPS",
        "rule 0: \"model\"",
        "rule 0: sets neither",
        "rule 1: \"methods\" is empty",
        "rule 2: method 0: one_tap needs a provider",
        "rule 2: method 1: jpush has no one-tap account",
        "rule 2: method 1: \"timeoutSeconds\" is not from 1 to 10",
        "rule 2: method 2: otp has no provider",
        "rule 2: method 4 stands there twice",
        "rule 3: \"consentVersion\"",
        "rule 3: agreement 0: \"name\" is not in zh-CN and en",
        "rule 3: agreement 0: \"url\" is not an https URL",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn what_is_unknown_or_fixed_is_refused() {
    for rules in [
        json!({}),
        json!([{"wen": {}}]),
        json!([{"when": {"network": "5g"}}]),
        json!([{"methods": [{"method": "sms"}]}]),
        json!([{"page": {"consentChecked": true}}]),
        json!([{"page": {"maskRule": {}}}]),
    ] {
        let problems = read(&rules).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with("cannot be read"), "{problems:?}");
    }
}
