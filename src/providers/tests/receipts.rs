//! What vendors push about SMS.

use proptest::prelude::*;

use super::*;
use crate::providers::{Receipt, all};

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

fn fates(provider: &str, content_type: &str, query: &str, body: &str) -> Option<Vec<(String, bool)>> {
    let receipts = find(provider).unwrap().receipts(content_type, query, body.as_bytes())?;
    Some(receipts.into_iter().map(|Receipt { message_id, delivered }| (message_id, delivered)).collect())
}

fn some(fates: &[(&str, bool)]) -> Option<Vec<(String, bool)>> {
    Some(fates.iter().map(|(id, delivered)| ((*id).to_owned(), *delivered)).collect())
}

#[test]
fn each_vendor_pushes_its_own_way() {
    let tencent = r#"[{"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13800138000",
        "report_status":"SUCCESS","errmsg":"DELIVRD","description":"x","sid":"xxxxxxx"},
        {"report_status":"FAIL","sid":"yyyyyyy"}]"#;
    assert_eq!(fates("tencent_sms", JSON, "", tencent), some(&[("xxxxxxx", true), ("yyyyyyy", false)]));

    let aliyun = r#"[{"phone_number":"13800138000","success":true,"biz_id":"932702304080415357^0","err_code":"DELIVERED"},
        {"success":false,"biz_id":"2^0"}]"#;
    assert_eq!(
        fates("aliyun_sms", "text/plain", "", aliyun),
        some(&[("932702304080415357^0", true), ("2^0", false)])
    );

    let twilio = |status: &str| format!("MessageSid=SM1&MessageStatus={status}&To=%2B14155550100");
    assert_eq!(fates("twilio", FORM, "", &twilio("delivered")), some(&[("SM1", true)]));
    assert_eq!(fates("twilio", FORM, "", &twilio("undelivered")), some(&[("SM1", false)]));
    assert_eq!(fates("twilio", FORM, "", &twilio("sent")), some(&[]), "nothing yet");

    let chuanglan =
        "receiver=&pswd=&msgid=447605524811111111&reportTime=2402010011&mobile=8613900000000&status=DELIVRD";
    for provider in ["chuanglan_sms", "chuanglan_sms_v2", "chuanglan_sms_intl"] {
        assert_eq!(fates(provider, "", chuanglan, ""), some(&[("447605524811111111", true)]));
        assert_eq!(fates(provider, "", "msgid=1&status=UNDELIV", ""), some(&[("1", false)]));
    }
}

#[test]
fn one_receipt_need_not_stand_in_an_array_and_a_bad_one_spoils_no_other() {
    let one = r#"{"success":true,"biz_id":1}"#;
    assert_eq!(fates("aliyun_sms", JSON, "", one), some(&[("1", true)]));
    let mixed = format!("[null,{one},{{\"success\":true}},{{\"biz_id\":\"a b\",\"success\":true}}]");
    assert_eq!(fates("aliyun_sms", JSON, "", &mixed), some(&[("1", true)]));
}

#[test]
fn what_is_no_receipt() {
    for (provider, content_type, query, body) in [
        ("aliyun_sms", JSON, "", ""),
        ("aliyun_sms", JSON, "", "[]"),
        ("aliyun_sms", JSON, "", r#"{"success":true}"#),
        ("twilio", JSON, "", "MessageSid=SM1&MessageStatus=delivered"),
        ("twilio", FORM, "MessageSid=SM1&MessageStatus=delivered", ""),
        ("chuanglan_sms", FORM, "", "msgid=1&status=DELIVRD"),
        ("turnstile", JSON, "", r#"{"success":true}"#),
    ] {
        assert_eq!(fates(provider, content_type, query, body), None, "{provider} {body}");
    }
}

#[test]
fn vendors_hear_what_they_want_to_hear() {
    let reply = |provider: &str| find(provider).unwrap().receipt_reply();
    assert_eq!(reply("tencent_sms"), Some(("application/json", r#"{"result":0,"errmsg":"OK"}"#)));
    let (_, aliyun) = reply("aliyun_sms").unwrap();
    assert_eq!(serde_json::from_str::<Value>(aliyun).unwrap()["code"], 0);
    assert_eq!(reply("twilio").map(|(content_type, _)| content_type), Some("text/xml"));
    assert_eq!(reply("turnstile"), None);
    for document in all() {
        assert_eq!(document.receipt_reply().is_some(), document.offers(Capability::Sms), "{}", document.id());
    }
}

proptest! {
    #[test]
    fn whatever_is_pushed_is_harmless(
        content_type in "(application/json|application/x-www-form-urlencoded|.{0,10})",
        query in ".{0,40}|(msgid|status|%|=|&|[0-9A-F]){0,20}",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..100),
            "([\\[\\]{},:\"]|sid|report_status|success|true|1|MessageSid=|MessageStatus=){0,30}"
                .prop_map(String::into_bytes),
        ],
    ) {
        for document in all() {
            for receipt in document.receipts(&content_type, &query, &body).into_iter().flatten() {
                prop_assert!(receipt.message_id.len() <= 128);
            }
        }
    }
}
