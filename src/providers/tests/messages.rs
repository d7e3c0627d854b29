//! SMS, bot checks and risk: what is sent, and what the answers mean.

use proptest::prelude::*;

use super::*;
use crate::{
    kernel::http::{HttpReply, HttpRequest},
    providers::{Answer, CallError, RiskLevel},
};

const TEXT_VENDORS: [&str; 3] = ["chuanglan_sms", "chuanglan_sms_intl", "twilio"];
const TEMPLATE_VENDORS: [&str; 3] = ["aliyun_sms", "tencent_sms", "chuanglan_sms_v2"];

fn read(provider: &str, capability: Capability, status: u16, body: &Value) -> Answer {
    Bench::new(provider).call(capability).read(&HttpReply { status, body: body.to_string().into_bytes() })
}

fn sms(provider: &str, status: u16, code: &str) -> Answer {
    let body = match provider {
        "aliyun_sms" => json!({"Code": code, "BizId": "900619746936498440^0"}),
        "tencent_sms" if code.contains("Failure") => json!({"Response": {"Error": {"Code": code}}}),
        "tencent_sms" => json!({"Response": {"SendStatusSet": [{"Code": code, "SerialNo": "2019:1"}]}}),
        "twilio" if status < 300 => json!({"status": code, "error_code": null, "sid": "SM1"}),
        "twilio" => json!({"code": code.parse::<u64>().unwrap_or(0), "status": status}),
        _ => json!({"code": code, "msgId": "17041010383624511", "errorMsg": ""}),
    };
    read(provider, Capability::Sms, status, &body)
}

fn sent(request: &HttpRequest) -> String {
    let body = String::from_utf8(request.body.clone()).unwrap();
    let plain: String = form_urlencoded::parse(format!("{}&{body}", request.url).as_bytes())
        .map(|(name, value)| format!("{name}={value} "))
        .collect();
    format!("{plain} {body}")
}

#[test]
fn vendors_of_text_get_the_text_and_vendors_of_templates_the_parameters() {
    for provider in TEXT_VENDORS {
        let bench = Bench::new(provider);
        let request = bench.call(Capability::Sms).request().unwrap();
        assert!(sent(&request).contains(TEXT), "{provider}");
        assert!(!bench.document.is_template() && bench.document.offers(Capability::Sms));
    }
    for provider in TEMPLATE_VENDORS {
        let bench = Bench::new(provider);
        let call = bench.call(Capability::Sms);
        let sent = sent(&call.request().unwrap());
        assert!(sent.contains("T1") && sent.contains("271828") && !sent.contains(TEXT), "{provider}");
        let message = call.message.map(|message| Message { template: None, ..message });
        assert_eq!(Call { message, ..call }.request(), Err(CallError::Setting("template".into())));
        assert!(matches!(Call { message: None, ..call }.request(), Err(CallError::Setting(_))));
    }
}

#[test]
fn parameters_in_three_forms() {
    let body = |provider| Bench::new(provider).call(Capability::Sms).request().unwrap().body;
    let tencent: Value = serde_json::from_slice(&body("tencent_sms")).unwrap();
    assert_eq!(tencent["TemplateParamSet"], json!(["271828", "5"]));
    assert_eq!(tencent["PhoneNumberSet"], json!(["+8613800138000"]));
    let chuanglan: Value = serde_json::from_slice(&body("chuanglan_sms_v2")).unwrap();
    let params: Value = serde_json::from_str(chuanglan["templateParamJson"].as_str().unwrap()).unwrap();
    assert_eq!(params, json!([{"param1": "271828", "param2": "5"}]));
    let aliyun = Bench::new("aliyun_sms").call(Capability::Sms).request().unwrap();
    assert!(sent(&aliyun).contains(r#"TemplateParam={"code":"271828","minutes":"5"}"#));
}

#[test]
fn vendors_for_china_send_nowhere_else() {
    for (provider, china, america) in [
        ("chuanglan_sms", true, false),
        ("chuanglan_sms_v2", true, false),
        ("chuanglan_sms_intl", false, true),
        ("aliyun_sms", true, false),
        ("tencent_sms", true, true),
        ("twilio", true, true),
        ("turnstile", false, false),
    ] {
        let mut bench = Bench::new(provider);
        let document = bench.document;
        assert_eq!(
            (document.serves_country(Capability::Sms, "86"), document.serves_country(Capability::Sms, "1")),
            (china, america)
        );
        bench.phone = PhoneNumber::parse("+14155550100").unwrap();
        if document.offers(Capability::Sms) {
            let request = bench.call(Capability::Sms).request();
            assert_eq!(request.is_ok(), america, "{provider}");
            assert!(request.map_or_else(|e| e == CallError::Phone, |r| sent(&r).contains("14155550100")));
        }
    }
}

#[test]
fn optional_settings_are_sent_where_there_are_any() {
    let document = find("twilio").unwrap();
    let settings = json!({"accountSid": "AC1", "authToken": "t", "messagingServiceSid": "MG1"});
    let bench = Bench {
        account: Account::new(document, "default", object(settings)).unwrap(),
        ..Bench::new("twilio")
    };
    let body = String::from_utf8(bench.call(Capability::Sms).request().unwrap().body).unwrap();
    assert!(body.contains("MessagingServiceSid=MG1") && !body.contains("From="));
}

#[test]
fn codes_of_sms_mean_what_the_documents_say() {
    for (provider, ok, undeliverable, ours, passing) in [
        ("chuanglan_sms", "0", "107", "109", "103"),
        ("chuanglan_sms_intl", "0", "108", "114", "104"),
        ("aliyun_sms", "OK", "isv.MOBILE_NUMBER_ILLEGAL", "isv.AMOUNT_NOT_ENOUGH", "isp.SYSTEM_ERROR"),
        (
            "tencent_sms",
            "Ok",
            "FailedOperation.PhoneNumberInBlacklist",
            "AuthFailure.SignatureFailure",
            "RequestLimitExceeded",
        ),
        ("twilio", "queued", "21610", "20003", "20429"),
    ] {
        let (success, failure) = if provider == "twilio" { (201, 400) } else { (200, 200) };
        assert!(matches!(sms(provider, success, ok), Answer::Accepted { message_id: Some(_) }), "{provider}");
        let refused = |code: &str| sms(provider, failure, code);
        assert_eq!(refused(undeliverable), Answer::Rejected { code: undeliverable.to_owned() });
        assert_eq!(refused(ours), Answer::AccountFault { code: ours.to_owned() });
        assert_eq!(refused(passing), Answer::Unavailable { code: passing.to_owned(), definite: true });
    }
    assert_eq!(sms("chuanglan_sms_v2", 200, "101207"), Answer::AccountFault { code: "101207".into() });
    // Of this number, at this vendor: another may still take it, and nobody is unwell.
    for (provider, code) in
        [("aliyun_sms", "isv.BUSINESS_LIMIT_CONTROL"), ("tencent_sms", "LimitExceeded.PhoneNumberDailyLimit")]
    {
        assert_eq!(sms(provider, 200, code), Answer::Limited { code: code.to_owned() });
    }
    let balance = "isp.RAM_PERMISSION_DENY";
    assert_eq!(sms("aliyun_sms", 400, balance), Answer::AccountFault { code: balance.to_owned() });
}

/// What decides whether a second vendor may be asked: nobody gets two codes.
#[test]
fn only_a_clear_refusal_is_definite() {
    let definite = |status: u16, body: &[u8]| {
        let reply = HttpReply { status, body: body.to_vec() };
        match Bench::new("chuanglan_sms").call(Capability::Sms).read(&reply) {
            Answer::Unavailable { definite, .. } => definite,
            other => panic!("{other:?}"),
        }
    };
    for (status, body) in [
        (500, "{}"),
        (503, ""),
        (429, "<html>"),
        (200, r#"{"code":"103"}"#),
        (200, r#"{"code":"unheard"}"#),
        (403, r#"{"code":104}"#),
    ] {
        assert!(definite(status, body.as_bytes()), "{status} {body}");
    }
    for (status, body) in [
        (502, ""),
        (504, r#"{"code":"103"}"#),
        (302, ""),
        (200, "<html>"),
        (200, r#"{"code":"0""#),
        (200, "{}"),
        (400, r#"{"code":"0"}"#),
    ] {
        assert!(!definite(status, body.as_bytes()), "{status} {body}");
    }
}

#[test]
fn neither_number_nor_code_gets_into_what_is_logged() {
    for code in [
        "13800138000",
        "+8613800138000",
        "138-0013-8000",
        "E1380013",
        "0138000",
        "271828",
        "code_27-18-28",
        "您的验证码是271828",
        TEXT,
    ] {
        let answer = sms("chuanglan_sms", 200, code);
        assert_eq!(answer, Answer::Unavailable { code: "unlisted".into(), definite: true }, "{code}");
    }
    let with_id = |id: Value| {
        let body = json!({"code": "0", "msgId": id});
        match read("chuanglan_sms", Capability::Sms, 200, &body) {
            Answer::Accepted { message_id } => message_id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with_id(json!(17_041_010_383_624_511_u64)).as_deref(), Some("17041010383624511"));
    for id in [json!(null), json!("a b"), json!("x".repeat(129)), json!("to-8613800138000"), json!(["1"])] {
        assert_eq!(with_id(id.clone()), None, "{id}");
    }
}

#[test]
fn bot_checks() {
    let rejected = |code: &str| Answer::Rejected { code: code.to_owned() };
    let account = |code: &str| Answer::AccountFault { code: code.to_owned() };
    for (provider, body, answer) in [
        ("turnstile", json!({"success": true, "error-codes": [], "hostname": "a.example"}), Answer::Human),
        (
            "turnstile",
            json!({"success": false, "error-codes": ["timeout-or-duplicate"]}),
            rejected("timeout-or-duplicate"),
        ),
        ("turnstile", json!({"success": false, "error-codes": []}), rejected("false")),
        (
            "turnstile",
            json!({"success": false, "error-codes": ["invalid-input-secret"]}),
            account("invalid-input-secret"),
        ),
        ("geetest", json!({"status": "success", "result": "success", "reason": ""}), Answer::Human),
        ("geetest", json!({"status": "success", "result": "fail", "reason": "expired"}), rejected("fail")),
        ("geetest", json!({"status": "error", "code": "-50005"}), rejected("-50005")),
        ("geetest", json!({"status": "error", "code": "-50103"}), account("-50103")),
    ] {
        assert_eq!(read(provider, Capability::BotCheck, 200, &body), answer, "{body}");
    }
    let request = Bench::new("geetest").call(Capability::BotCheck).request().unwrap();
    assert_eq!(request.url, "https://gcaptcha4.geetest.com/validate?captcha_id=k");
    // printf %s l | openssl dgst -sha256 -hmac s
    assert!(
        sent(&request)
            .contains("sign_token=e3f9c019553885afb02963a9e07f29191c1b28169eada46feec13204599b3efe")
    );
    let request = Bench::new("turnstile").call(Capability::BotCheck).request().unwrap();
    assert!(sent(&request).contains("idempotency_key=07070707-0707-4707-8707-070707070707"));
}

#[test]
fn risk_has_three_levels() {
    let read = |score: Value| read("jpush_risk", Capability::Risk, 200, &json!({"code": 0, "score": score}));
    for (score, level) in [
        (json!(0), RiskLevel::Allow),
        (json!("599"), RiskLevel::Allow),
        (json!(600), RiskLevel::Challenge),
        (json!(849), RiskLevel::Challenge),
        (json!(850), RiskLevel::Deny),
        (json!(1000), RiskLevel::Deny),
    ] {
        assert_eq!(read(score), Answer::Risk { level });
    }
    for score in [json!(null), json!(-1), json!("high"), json!(1.5)] {
        assert_eq!(read(score), Answer::Unavailable { code: "unreadable".into(), definite: false });
    }
    let mut bench = Bench::new("jpush_risk");
    bench.phone = PhoneNumber::parse("+14155550100").unwrap();
    assert_eq!(bench.call(Capability::Risk).request(), Err(CallError::Phone));
}

proptest! {
    /// Whatever a number's owner or an operator's template makes of a message stays in its place.
    #[test]
    fn texts_do_not_leave_their_place(text in ".{1,60}", code in "[0-9]{4,8}", name in ".{0,20}") {
        let params = [("code".to_owned(), code.clone()), ("app".to_owned(), name.clone())];
        let message = |template| Some(Message { text: &text, code: &code, template, params: &params, mail: None });
        let request = |provider: &str, template| {
            let bench = Bench::new(provider);
            Call { message: message(template), ..bench.call(Capability::Sms) }.request().unwrap()
        };
        let json = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();

        let classic = json(&request("chuanglan_sms", None).body);
        prop_assert_eq!(&classic["msg"], &json!(text));
        prop_assert_eq!(classic.as_object().unwrap().len(), 6);
        let tencent = json(&request("tencent_sms", Some("T1")).body);
        prop_assert_eq!(&tencent["TemplateParamSet"], &json!([code, name]));
        prop_assert_eq!(tencent.as_object().unwrap().len(), 5);
        let v2 = json(&request("chuanglan_sms_v2", Some("T1")).body);
        prop_assert_eq!(json(v2["templateParamJson"].as_str().unwrap().as_bytes()), json!([{"param1": code, "param2": name}]));
        let twilio: Vec<(String, String)> =
            form_urlencoded::parse(&request("twilio", None).body).into_owned().collect();
        prop_assert_eq!(&twilio[0], &("Body".to_owned(), text.clone()));
        prop_assert_eq!(twilio.len(), 3);
    }
}
