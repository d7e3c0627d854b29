//! Questions about a number: what is asked, and what the answers mean.

use super::*;
use crate::{
    kernel::http::{HttpReply, HttpRequest},
    model::evidence::{NumberStatus, Reassignment},
    providers::{Answer, CallError, accounts_from_json},
};

use Capability::{NumberStatus as Status, Reassigned, TwoFactor};

fn read(provider: &str, capability: Capability, status: u16, body: &Value) -> Answer {
    Bench::new(provider).call(capability).read(&HttpReply { status, body: body.to_string().into_bytes() })
}

fn rejected(code: &str) -> Answer {
    Answer::Rejected { code: code.to_owned() }
}

/// It was clearly not done.
fn unavailable(code: &str) -> Answer {
    Answer::Unavailable { code: code.to_owned(), definite: true }
}

fn account(code: &str) -> Answer {
    Answer::AccountFault { code: code.to_owned() }
}

#[test]
fn camara_is_asked_at_the_host_of_the_account() {
    let entry = |more: &str| {
        format!(
            r#"[{{"provider": "camara", {more} "countries": ["34"], "settings": {{"accessToken": "t0k3n"}}}}]"#
        )
    };
    let homeless = accounts_from_json(&entry("")).unwrap_err();
    assert!(homeless.iter().any(|problem| problem.contains("\"baseUrl\" is missing")), "{homeless:?}");
    let accounts =
        accounts_from_json(&entry(r#""baseUrl": "https://api.operator.example/camara/","#)).unwrap();
    let account = accounts.first().unwrap();
    assert!(account.serves_country("34") && !account.serves_country("86"));

    let mut bench = Bench::new("camara");
    bench.phone = PhoneNumber::parse("+34600000000").unwrap();
    let request = Call { account, ..bench.call(Reassigned) }.request().unwrap();
    assert_eq!(request.url, "https://api.operator.example/camara/number-recycling/v0.2/check");
    let header = |name: &str| request.headers.iter().find(|(known, _)| known == name).unwrap().1.as_str();
    assert_eq!((header("authorization"), header("x-correlator")), ("Bearer t0k3n", "req_1"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"phoneNumber": "+34600000000", "specifiedDate": "2026-07-23"}));
}

#[test]
fn chinese_registers_are_asked_about_chinese_numbers_only() {
    for (provider, capability) in
        [("aliyun_number", Reassigned), ("aliyun_number", Status), ("chuanglan_data", TwoFactor)]
    {
        let mut bench = Bench::new(provider);
        assert!(bench.document.serves_country(capability, "86"));
        assert!(!bench.document.serves_country(capability, "1"));
        bench.phone = PhoneNumber::parse("+14155550100").unwrap();
        assert_eq!(bench.call(capability).request(), Err(CallError::Phone));
    }
    // What is not asked for is not sent.
    let url = |request: HttpRequest| request.url;
    let bench = Bench::new("aliyun_number");
    assert_eq!(
        url(bench.call(Status).request().unwrap()),
        "https://dytnsapi.aliyuncs.com/?AuthCode=d&InputNumber=13800138000&Mask=NORMAL"
    );
    assert!(!find("camara").unwrap().offers(TwoFactor) && !find("aliyun_number").unwrap().offers(TwoFactor));
}

#[test]
fn what_carriers_say_of_a_number() {
    let aliyun = |result: Value| {
        read(
            "aliyun_number",
            Reassigned,
            200,
            &json!({"Code": "OK", "Data": {"VerifyResult": result, "Carrier": "CMCC"}}),
        )
    };
    let chuanglan = |status: Value| {
        read("chuanglan_data", Reassigned, 200, &json!({"code": "000000", "data": {"status": status}}))
    };
    let camara = |is: bool| read("camara", Reassigned, 200, &json!({"phoneNumberRecycled": is}));
    for (answer, said) in [
        (aliyun(json!("1")), Reassignment::Reassigned),
        (aliyun(json!(2)), Reassignment::NotReassigned),
        (aliyun(json!("3")), Reassignment::Cancelled),
        (aliyun(json!("0")), Reassignment::Unknown),
        (chuanglan(json!("1")), Reassignment::Reassigned),
        (chuanglan(json!("2")), Reassignment::NotReassigned),
        (chuanglan(json!("3")), Reassignment::Cancelled),
        (chuanglan(json!("11")), Reassignment::Unknown),
        (camara(true), Reassignment::Reassigned),
        (camara(false), Reassignment::NotReassigned),
    ] {
        assert_eq!(answer, Answer::Reassignment(said));
    }
    // A server fault, a failed query, a value that nobody has written of.
    for answer in [chuanglan(json!("9")), chuanglan(json!("10")), aliyun(json!("4")), aliyun(json!("-1"))] {
        assert_eq!(answer, unavailable("no_verdict"));
    }
    let nothing = aliyun(Value::Null);
    assert_eq!(nothing, Answer::Unavailable { code: "unreadable".to_owned(), definite: false });
}

#[test]
fn what_a_register_says_of_a_name() {
    let two = |result: &str| {
        read("chuanglan_data", TwoFactor, 200, &json!({"code": "000000", "data": {"result": result}}))
    };
    assert_eq!(two("01"), Answer::NameCheck { matches: Some(true) });
    assert_eq!(two("02"), Answer::NameCheck { matches: Some(false) });
    assert_eq!(two("03"), Answer::NameCheck { matches: None });
    assert_eq!(two("04"), unavailable("no_verdict"));
}

#[test]
fn whether_a_number_is_in_use() {
    let chuanglan = |status: u64| {
        read("chuanglan_data", Status, 200, &json!({"code": "000000", "data": {"status": status}}))
    };
    for (status, is) in [
        (1, NumberStatus::Active),
        (2, NumberStatus::Vacant),
        (4, NumberStatus::Vacant),
        (5, NumberStatus::Off),
        (10, NumberStatus::Unknown),
        (12, NumberStatus::Vacant),
        (13, NumberStatus::Suspended),
    ] {
        assert_eq!(chuanglan(status), Answer::NumberStatus(is), "{status}");
    }
    assert_eq!((chuanglan(7), chuanglan(9)), (unavailable("no_verdict"), unavailable("no_verdict")));
    let aliyun = |status: &str| {
        read(
            "aliyun_number",
            Status,
            200,
            &json!({"Code": "OK", "Data": {"Status": status, "Carrier": "CUCC"}}),
        )
    };
    for (status, is) in [
        ("NORMAL", NumberStatus::Active),
        ("SHUTDOWN", NumberStatus::Suspended),
        ("POWER_OFF", NumberStatus::Off),
        ("NOT_EXIST", NumberStatus::Vacant),
        ("UNKNOWN", NumberStatus::Unknown),
    ] {
        assert_eq!(aliyun(status), Answer::NumberStatus(is), "{status}");
    }
    assert_eq!(aliyun("DEFECT"), unavailable("no_verdict"));
}

#[test]
fn what_is_no_answer_is_none() {
    let aliyun = |code: &str| read("aliyun_number", Reassigned, 200, &json!({"Code": code, "Message": code}));
    assert_eq!(aliyun("PortabilityNumberNotSupported"), rejected("PortabilityNumberNotSupported"));
    assert_eq!(aliyun("RequestFrequencyLimit"), Answer::Limited { code: "RequestFrequencyLimit".to_owned() });
    assert_eq!(aliyun("AuthCodeNotExist"), account("AuthCodeNotExist"));
    assert_eq!(aliyun("SomethingNew"), unavailable("SomethingNew"));

    let chuanglan = |status, code: &str| {
        read("chuanglan_data", Reassigned, status, &json!({"code": code, "msg": "系统错误"}))
    };
    assert_eq!(chuanglan(200, "301000"), unavailable("301000"));
    assert_eq!(chuanglan(500, "301000"), unavailable("http_500"));

    let camara = |status: u16, code: &str| {
        read(
            "camara",
            Reassigned,
            status,
            &json!({"status": status, "code": code, "message": "+34600000000"}),
        )
    };
    assert_eq!(camara(404, "IDENTIFIER_NOT_FOUND"), rejected("IDENTIFIER_NOT_FOUND"));
    assert_eq!(camara(422, "SERVICE_NOT_APPLICABLE"), rejected("SERVICE_NOT_APPLICABLE"));
    assert_eq!(camara(401, "UNAUTHENTICATED"), account("UNAUTHENTICATED"));
    assert_eq!(camara(403, "PERMISSION_DENIED"), account("PERMISSION_DENIED"));
    assert_eq!(camara(429, "TOO_MANY_REQUESTS"), unavailable("TOO_MANY_REQUESTS"));
    assert_eq!(camara(503, "UNAVAILABLE"), unavailable("http_503"));
    // An answer counts with 2xx only.
    assert!(matches!(
        read("camara", Reassigned, 404, &json!({"phoneNumberRecycled": true})),
        Answer::Unavailable { .. }
    ));
}

#[test]
fn a_code_that_repeats_the_name_is_not_shown() {
    let mut call = Bench::new("chuanglan_data");
    call.phone = PhoneNumber::parse("13800138000").unwrap();
    let call = Call { inquiry: Some(Inquiry { since: SINCE, name: Some("MULLER") }), ..call.call(TwoFactor) };
    let body = json!({"code": "E-MULLER"}).to_string().into_bytes();
    assert_eq!(call.read(&HttpReply { status: 200, body }), unavailable("unlisted"));
}

#[test]
fn accounts_that_answer_questions_share_the_work() {
    let entry = r#"{"provider": "chuanglan_data", "weight": 3, "countries": ["86"],
                    "settings": {"appId": "i", "appSecret": "s"}}"#;
    let accounts = accounts_from_json(&format!("[{entry},{entry}]")).unwrap();
    assert_eq!((accounts.len(), accounts.first().unwrap().weight()), (2, 3));
    let templates = entry.replace(r#""weight""#, r#""templates": {"default": "1"}, "weight""#);
    let problems = accounts_from_json(&format!("[{templates}]")).unwrap_err();
    assert!(problems.concat().contains("\"templates\" is unknown"), "{problems:?}");
}
