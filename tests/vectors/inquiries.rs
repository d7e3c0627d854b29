//! The vectors of questions about a number.

use onetap::{
    kernel::time::Timestamp,
    providers::{Answer, Capability, Document, Inquiry, find},
};
use serde_json::{Value, json};

use crate::bench::{Case, header, json_body, nonce, text, vector};

/// 2026-07-23T20:30:00Z, half past four of the next morning in China (`TZ=Asia/Shanghai date -d @1784838600`).
const SINCE: Timestamp = Timestamp::from_secs(1_784_838_600);

fn case(provider: &'static str, capability: Capability, settings: Value) -> Case {
    let inquiry = Some(Inquiry { since: SINCE, name: Some("王小明") });
    Case { capability, inquiry, ..Case::new(provider, settings, json!({})) }
}

#[test]
fn aliyun_acs3_twicetelverify() {
    let vector = vector("aliyun_acs3_twicetelverify");
    let settings = json!({
        "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": vector["secret"], "authCode": "Dd1r00004id"
    });
    let mut case = case("aliyun_number", Capability::Reassigned, settings);
    case.nonce = nonce("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let request = case.request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let query = text(&vector, "canonical_request").lines().nth(2).unwrap();
    assert_eq!(request.url, format!("https://dytnsapi.aliyuncs.com/?{query}"));
}

/// The vector's nonce has hyphens and ours has none, so it stands in the text of the document.
#[test]
fn chuanglan_checksum_sha1() {
    let vector = vector("chuanglan_checksum_sha1");
    let mut document = serde_json::to_value(find("chuanglan_data").unwrap()).unwrap();
    document["sources"] = json!(["built-in documents leave theirs out"]);
    let document = document.to_string().replace("{nonce}", text(&vector, "nonce"));
    for (capability, url, body) in [
        (
            Capability::Reassigned,
            "https://wscarrier.253.com/api/v2/carrier/unn/moresale",
            json!({"mobile": "13800138000", "sinceDate": "20260724", "orderNo": "order-0001"}),
        ),
        (
            Capability::NumberStatus,
            "https://wscarrier.253.com/api/v2/carrier/mobstatus/mobstatus-query-basic",
            json!({"mobile": "13800138000", "orderNo": "order-0001"}),
        ),
        (
            Capability::TwoFactor,
            "https://wsauth.253.com/api/v2/auth/carriers/carriers-two-auth",
            json!({"mobile": "13800138000", "name": "王小明"}),
        ),
    ] {
        let settings = json!({"appId": "A1", "appSecret": vector["appSecret"]});
        let mut case = case("chuanglan_data", capability, settings);
        case.document = Document::from_json(&document).unwrap();
        case.now = Timestamp::from_secs(text(&vector, "curTime").parse().unwrap());
        let request = case.request();
        assert_eq!((request.url.as_str(), json_body(&request)), (url, body));
        for (name, value) in [
            ("appid", "A1"),
            ("nonce", text(&vector, "nonce")),
            ("curtime", text(&vector, "curTime")),
            ("checksum", text(&vector, "checkSum")),
            ("content-type", "application/json; charset=utf-8"),
        ] {
            assert_eq!(header(&request, name), value, "{name}");
        }
    }
}

/// The sample of the vendor's answer in its own tests, abridged.
#[test]
fn chuanglan_answers_in_its_own_form() {
    let settings = json!({"appId": "A1", "appSecret": "s"});
    let answer = case("chuanglan_data", Capability::TwoFactor, settings).read(json!({
        "code": "000000", "msg": "success", "requestId": "r", "chargeStatus": 1, "chargeCount": 1,
        "data": {"orderNo": "1", "handleTime": "2026-11-20 12:00:00", "type": "1", "result": "01", "remark": "一致"}
    }));
    assert_eq!(answer, Answer::NameCheck { matches: Some(true) });
}
