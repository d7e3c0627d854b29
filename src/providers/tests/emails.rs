//! E-mail: what is sent, what the answers mean, and that no address gets into a code.

use super::*;
use crate::{
    kernel::http::HttpReply,
    providers::{Answer, CallError, accounts_from_json},
};

const VENDORS: [&str; 3] = ["aliyun_email", "tencent_email", "resend"];

fn read(provider: &str, status: u16, body: &Value) -> Answer {
    let reply = HttpReply { status, body: body.to_string().into_bytes() };
    Bench::new(provider).call(Capability::Email).read(&reply)
}

/// A refusal as the vendor makes it.
fn refused(provider: &str, code: &str) -> Answer {
    match provider {
        "aliyun_email" => read(provider, 400, &json!({"Code": code, "Message": "m", "RequestId": "1"})),
        "tencent_email" => read(
            provider,
            200,
            &json!({"Response": {"Error": {"Code": code, "Message": "m"}, "RequestId": "1"}}),
        ),
        _ => read(provider, 422, &json!({"statusCode": 422, "name": code, "message": "m"})),
    }
}

#[test]
fn every_vendor_gets_the_address_the_subject_and_the_text_or_the_parameters() {
    for provider in VENDORS {
        let bench = Bench::new(provider);
        let call = bench.call(Capability::Email);
        let request = call.request().unwrap();
        let query: String = form_urlencoded::parse(request.url.as_bytes())
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        let sent = format!("{query} {}", String::from_utf8(request.body).unwrap());
        assert!(sent.contains("xiaoming@mail.example") && sent.contains("绑定邮箱验证码"), "{provider}");
        assert_eq!(sent.contains(TEXT), provider != "tencent_email", "{provider}");
        assert!(sent.contains("271828"), "{provider}");
        let message = call.message.map(|message| Message { mail: None, ..message });
        assert!(matches!(Call { message, ..call }.request(), Err(CallError::Setting(_))), "{provider}");
        assert!(
            !bench.document.offers(Capability::Sms) && !bench.document.serves_country(Capability::Sms, "86")
        );
    }
}

#[test]
fn codes_mean_what_the_documents_say() {
    for (provider, rejected, limited, unavailable, account) in [
        ("aliyun_email", "InvalidToAddress.Spam", None, "Throttling.User", "InvalidMailAddress.NotFound"),
        (
            "tencent_email",
            "FailedOperation.EmailAddrInBlacklist",
            Some("FailedOperation.FrequencyLimit"),
            "InternalError",
            "FailedOperation.InsufficientBalance",
        ),
        ("resend", "", None, "rate_limit_exceeded", "invalid_api_key"),
    ] {
        if !rejected.is_empty() {
            assert_eq!(refused(provider, rejected), Answer::Rejected { code: rejected.to_owned() });
        }
        if let Some(code) = limited {
            assert_eq!(refused(provider, code), Answer::Limited { code: code.to_owned() });
        }
        let unavailable = unavailable.to_owned();
        assert_eq!(
            refused(provider, &unavailable),
            Answer::Unavailable { code: unavailable, definite: true }
        );
        assert_eq!(refused(provider, account), Answer::AccountFault { code: account.to_owned() });
    }
}

#[test]
fn what_says_neither_that_it_was_taken_nor_that_it_was_not_is_a_doubt() {
    for provider in VENDORS {
        for (status, body) in [(200, json!({})), (200, json!("ok")), (403, json!({"error": 1010}))] {
            let doubt = Answer::Unavailable { code: "unreadable".to_owned(), definite: false };
            assert_eq!(read(provider, status, &body), doubt, "{provider}");
        }
    }
}

#[test]
fn no_address_gets_into_a_code() {
    for echo in
        ["xiaoming@mail.example", "XIAOMING", "xiaoming", "other@mail.example", "mail.example", "271828"]
    {
        for provider in VENDORS {
            let answer = refused(provider, echo);
            let hidden = Answer::Unavailable { code: "unlisted".to_owned(), definite: true };
            assert_eq!(answer, hidden, "{provider} {echo}");
        }
    }
}

#[test]
fn accounts_share_the_work_and_know_no_countries() {
    let entry = |more: Value| {
        let mut entry =
            json!({"provider": "resend", "settings": {"apiKey": "re_1", "from": "code@shop.example"}});
        entry.as_object_mut().unwrap().extend(object(more));
        entry
    };
    let read = |entries: &[Value]| accounts_from_json(&json!(entries).to_string());
    let shared = read(&[entry(json!({"weight": 3})), entry(json!({"weight": 0}))]).unwrap();
    assert_eq!(shared.iter().map(Account::weight).collect::<Vec<_>>(), [3, 0]);
    let problems = read(&[entry(json!({"countries": ["86"]}))]).unwrap_err();
    assert_eq!(problems, ["entry 0 (resend): \"countries\" is unknown"]);
    let settings = json!({"secretId": "i", "secretKey": "s", "from": "f", "region": "r"});
    let bare = read(&[json!({"provider": "tencent_email", "settings": settings})]).unwrap_err();
    assert!(bare[0].contains("\"templates\""), "{bare:?}");
    let templates = json!({"default": "100091"});
    let full = json!({"provider": "tencent_email", "settings": settings, "templates": templates,
        "templateParams": ["code", "app"]});
    assert_eq!(read(&[full]).unwrap()[0].template("bind", "en"), Some("100091"));
}

#[test]
fn documents_of_mail_keep_rules_of_their_own() {
    let problems_with = |pointer: &str, value: Value| {
        let mut document = serde_json::to_value(find("tencent_email").unwrap()).unwrap();
        document["sources"] = json!(["built-in documents leave theirs out"]);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        Document::from_json(&document.to_string()).err().unwrap_or_default().join("\n")
    };
    assert_eq!(problems_with("/name", json!("Other")), "");
    let sms = json!({
        "countries": ["*"], "fields": {"to": "{phone}", "text": "{text}"}, "reply": {"code": ["/code"]},
        "request": {"method": "POST", "url": "https://vendor.example/", "encoding": "form", "timeout_ms": 2000},
        "outcome": {"ok": ["0"], "rejected": [], "unavailable": [], "account": []}
    });
    for (pointer, value, problem) in [
        ("/sms", sms, "sms and email are two accounts"),
        ("/email/countries", json!(["86"]), "need countries like"),
        ("/email/template", json!(false), "no field holds \"text\""),
        ("/email/fields/Destination.0", json!("{from}"), "no field holds \"email\""),
        ("/email/fields/Subject", json!("{phone}"), "names \"phone\", which is nothing"),
        ("/email/raw", json!(["Subject"]), "no JSON field of a template"),
        ("/email/reply/value", json!([]), "reply needs a code and a value"),
        ("/email/credential", json!(["token"]), "there is no credential here"),
        ("/settings/subject", json!({"secret": false}), "\"subject\" has two meanings"),
    ] {
        let found = problems_with(pointer, value);
        assert!(found.contains(problem), "{pointer}: {found:?}");
    }
}
