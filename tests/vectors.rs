//! The providers' test vectors, run through the documents and the engine.
//!
//! `vectors/providers.json` holds them all; those marked `published` were published by the vendor, the others
//! were computed by another implementation. A vector that no built-in document produces runs through a small
//! document made for it: a provider of a known shape takes no Rust.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::collections::BTreeMap;

use bench::{
    Case, form, header, json_body, mac, nonce, number, object, post, published, request_of_a_new_document,
    text, vector,
};
use onetap::{
    kernel::{
        cipher::{aes_128_cbc_decrypt, des_cbc_decrypt},
        digest::md5,
        time::Timestamp,
    },
    model::carrier::Carrier,
    providers::{Answer, Capability},
};
use serde_json::{Value, json};

#[path = "vectors/bench.rs"]
mod bench;
#[path = "vectors/inquiries.rs"]
mod inquiries;
#[path = "vectors/messages.rs"]
mod messages;

#[test]
fn every_vector_is_used() {
    let tests = [
        include_str!("vectors.rs"),
        include_str!("vectors/inquiries.rs"),
        include_str!("vectors/messages.rs"),
        include_str!("../src/providers/tests/signatures.rs"),
    ]
    .concat();
    for name in bench::names() {
        assert!(tests.contains(&format!("\"{name}\"")), "{name}");
    }
}

// ---- Flash V2

fn flash_v2(vector: &Value) -> Case {
    let settings = json!({"appId": "aB3dE6gH", "appKey": vector["appKey"]});
    Case::new("flash_v2", settings, json!({"token": "A1-VEVTVC1UT0tFTi0wMDAx"}))
}

#[test]
fn flash_v2_sign_full() {
    let vector = vector("flash_v2_sign_full");
    let request = flash_v2(&vector).request();
    assert_eq!(request.url, "https://api.253.com/open/flashsdk/mobile-query");
    let mut sent = form(&request);
    assert_eq!(sent.remove("sign").unwrap(), text(&vector, "sign_lower"));
    assert_eq!(json!(sent), vector["params"]);
}

#[test]
fn flash_v2_sign_with_empty_values() {
    let vector = vector("flash_v2_sign_with_empty_values");
    let request = Case { address: "", request_id: "", ..flash_v2(&vector) }.request();
    assert_eq!(form(&request)["sign"], text(&vector, "sign_lower"));
}

#[test]
fn flash_v2_validate_sign() {
    let vector = vector("flash_v2_validate_sign");
    let case = Case { capability: Capability::NumberCheck, ..flash_v2(&vector) };
    let request = case.request();
    assert_eq!(request.url, "https://api.253.com/open/flashsdk/mobile-validate");
    let mut sent = form(&request);
    assert_eq!(sent.remove("sign").unwrap(), text(&vector, "sign_lower"));
    assert_eq!(json!(sent), vector["params"]);

    for (verdict, matches) in [("1", true), ("0", false)] {
        let answer = case.read(json!({"code": "200000", "chargeStatus": "1", "data": {"isVerify": verdict}}));
        assert_eq!(answer, Answer::Checked { matches, charged: Some(true) });
    }
}

#[test]
fn flash_v2_signs_of_other_parameter_sets() {
    for name in [
        "flash_v2_sign_min",
        "flash_v2_sign_miniprogram_plain_timestamp",
        "flash_v2_sign_android_demo_encrypted_timestamp",
    ] {
        let vector = vector(name);
        for (output, expected) in [("hex", "sign_lower"), ("hex_upper", "sign_upper")] {
            let sign = mac("{sorted_key_value}", "hmac_sha256", "{ourKey}", output, "sign");
            let request = post("https://api.253.com/open/flashsdk/mobile-query", "form");
            let request =
                request_of_a_new_document(&vector["params"], text(&vector, "appKey"), request, sign);
            assert_eq!(form(&request)["sign"], text(&vector, expected), "{name}");
        }
    }
}

#[test]
fn flash_v2_phone_aes() {
    let vector = vector("flash_v2_phone_aes");
    let cipher = text(&vector, "mobileName");
    let expected = number(text(&vector, "phone"), Some(Carrier::Cmcc), Some(true));
    for (field, cipher) in [("mobileName", cipher.to_owned()), ("mobile", cipher.to_lowercase())] {
        let body = json!({"code": 200_000, "chargeStatus": 1, "data": {field: cipher}});
        assert_eq!(flash_v2(&vector).read(body), expected, "{field}");
    }
}

/// The token opens with the public app id: nothing in it proves anything, and only its first letters are used.
#[test]
fn flash_v2_tokens() {
    for (name, field, carrier) in [
        ("flash_v2_token", "token_cmcc", Carrier::Cmcc),
        ("flash_v2_token_ctcc", "token_ctcc", Carrier::Ctcc),
    ] {
        let vector = vector(name);
        let token = text(&vector, field);
        let digest: String =
            md5(text(&vector, "appId").as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        let sealed = data_encoding::BASE64URL_NOPAD.decode(&token.as_bytes()[3..]).unwrap();
        let open = aes_128_cbc_decrypt(&digest.as_bytes()[..16], &digest.as_bytes()[16..], &sealed).unwrap();
        assert_eq!(std::str::from_utf8(open.expose()), Ok(text(&vector, "json")));

        let case = Case { credential: json!({"token": token}), ..flash_v2(&json!({"appKey": "Zk7Qp2Lm"})) };
        let body = json!({"code": "200000", "data": {"mobileName": "386D256EC02674090204CEAD13DFBC1C"}});
        assert_eq!(case.read(body), number("13800138000", Some(carrier), None));
    }
}

// ---- Flash V1

fn flash_v1() -> Case {
    let vector = vector("flash_v1_sign");
    let mut credential = vector["params"].clone();
    credential["sign"] = vector["sign"].clone();
    let settings = json!({"appId": vector["params"]["appId"], "appKey": vector["appKey"]});
    Case::new("flash_v1", settings, credential)
}

/// The phone signs: what the SDK handed out arrives at the vendor unchanged, at the carrier's path.
#[test]
fn flash_v1_map_is_forwarded_unchanged() {
    for (telecom, path) in [("CMCC", "m"), ("CUCC", "u"), ("CTCC", "t")] {
        let mut case = flash_v1();
        case.credential["telecom"] = json!(telecom);
        let request = case.request();
        assert_eq!(request.url, format!("https://api.253.com/open/flashsdk/mobile-query-{path}"));
        assert_eq!(json!(form(&request)), case.credential);
    }
}

#[test]
fn flash_v1_sign() {
    let vector = vector("flash_v1_sign");
    let sign = mac("{sorted_key_value}", "hmac_sha1", "{ourKey}", "base64", "sign");
    let request = post("https://api.253.com/open/flashsdk/mobile-query-m", "form");
    let request = request_of_a_new_document(&vector["params"], text(&vector, "appKey"), request, sign);
    assert_eq!(form(&request)["sign"], text(&vector, "sign"));
}

#[test]
fn flash_v1_phone_des() {
    let vector = vector("flash_v1_phone_des");
    let body = json!({"code": 200_000, "chargeStatus": "1", "data": {"mobileName": vector["mobileName"]}});
    let expected = number(text(&vector, "phone"), Some(Carrier::Cmcc), Some(true));
    assert_eq!(flash_v1().read(body), expected);
}

// ---- China Mobile

fn cmcc(vector: &Value, id: &str, nonce_name: &str) -> Case {
    let request = &vector["request"];
    let secret = |name: &str| vector[name].as_str().unwrap_or("unused").to_owned();
    let settings =
        json!({"appId": request[id], "appSecret": secret("appSecret"), "appKey": secret("appKey")});
    let mut case = Case::new("cmcc", settings, json!({"token": request["token"]}));
    case.nonce = nonce(text(request, nonce_name));
    case
}

#[test]
fn cmcc_login_token_validate_sign() {
    let vector = vector("cmcc_loginTokenValidate_sign");
    let case = cmcc(&vector, "appid", "msgid");
    let request = case.request();
    assert_eq!(request.url, "https://www.cmpassport.com/unisdk/rsapi/loginTokenValidate");
    let mut sent = json_body(&request);
    assert_eq!(sent["sign"].take(), vector["sign"]);
    sent.as_object_mut().unwrap().remove("sign");
    assert_eq!(sent, vector["request"]);

    for code in ["resultCode", "resultcode"] {
        assert_eq!(
            case.read(json!({code: "103000", "msisdn": "13800138000"})),
            number("13800138000", None, None)
        );
    }
}

#[test]
fn cmcc_token_validate_key_type_0() {
    let vector = vector("cmcc_tokenValidate_keyType0");
    let case = Case { capability: Capability::NumberCheck, ..cmcc(&vector, "appId", "msgId") };
    let sent = json_body(&case.request());
    assert_eq!(sent["body"]["phoneNum"], vector["phoneNum"]);
    assert_eq!(sent["body"]["sign"], vector["sign"]);
    assert_eq!(sent["body"]["token"], vector["request"]["token"]);
    for name in ["appId", "msgId", "timestamp", "version"] {
        assert_eq!(sent["header"][name], vector["request"][name]);
    }

    for (code, matches) in [("000", true), ("001", false)] {
        let answer = case.read(json!({"header": {"resultCode": code}, "body": {}}));
        assert_eq!(answer, Answer::Checked { matches, charged: None });
    }
}

// ---- Aliyun

#[test]
fn aliyun_acs3_get_mobile() {
    let vector = vector("aliyun_acs3_getmobile");
    let settings = json!({"accessKeyId": "LTAIinventedKeyId", "accessKeySecret": vector["secret"]});
    let mut case = Case::new("aliyun", settings, json!({"token": "eyJjIjoiTESTTOKEN"}));
    case.nonce = nonce("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let request = case.request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    assert_eq!(request.url, "https://dypnsapi.aliyuncs.com/?AccessToken=eyJjIjoiTESTTOKEN&OutId=order-0001");

    let answer = case.read(json!({"Code": "OK", "GetMobileResultDTO": {"Mobile": "13800138000"}}));
    assert_eq!(answer, number("13800138000", None, None));
    case.capability = Capability::NumberCheck;
    for (verdict, matches) in [("PASS", true), ("REJECT", false)] {
        let answer = case.read(json!({"Code": "OK", "GateVerifyResultDTO": {"VerifyResult": verdict}}));
        assert_eq!(answer, Answer::Checked { matches, charged: None });
    }
}

/// Any ACS3 vector: method, query and headers come from its canonical request.
fn acs3(vector: &Value, secret: &str) {
    let canonical = text(vector, "canonical_request");
    let mut lines = canonical.lines().skip(2);
    let params: BTreeMap<String, String> =
        form_urlencoded::parse(lines.next().unwrap().as_bytes()).into_owned().collect();
    let mut headers: BTreeMap<&str, &str> =
        lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':')).collect();
    headers.remove("x-acs-content-sha256").unwrap();
    let mut request = post(&format!("https://{}/", headers.remove("host").unwrap()), "query");
    request["headers"] = json!(headers);
    let authorization = text(vector, "authorization");
    let key_id = authorization.split(['=', ',']).nth(1).unwrap();
    let sign = json!({"scheme": "acs3", "key_id": key_id, "key": "{ourKey}"});
    let request = request_of_a_new_document(&json!(params), secret, request, sign);
    assert_eq!(header(&request, "authorization"), authorization);
}

#[test]
fn aliyun_acs3_published() {
    acs3(&published("aliyun_acs3_published"), "YourAccessKeySecret");
}

#[test]
fn aliyun_acs3_computed() {
    for name in [
        "aliyun_acs3_getmobile",
        "aliyun_acs3_sendsms",
        "aliyun_acs3_singlesendmail",
        "aliyun_acs3_twicetelverify",
    ] {
        let vector = vector(name);
        acs3(&vector, text(&vector, "secret"));
    }
}

#[test]
fn aliyun_rpc_v1_published() {
    for name in ["aliyun_rpc_v1_published_sendsms", "aliyun_rpc_v1_published_describeregions"] {
        let vector = published(name);
        let request = json!({
            "method": vector["method"], "url": "https://ecs.aliyuncs.com/", "encoding": "query", "timeout_ms": 2000
        });
        let sign = mac("GET&%2F&{sorted_rpc}", "hmac_sha1", "{ourKey}&", "base64", "Signature");
        let request = request_of_a_new_document(&vector["params"], text(&vector, "secret"), request, sign);
        let query = request.url.split_once('?').unwrap().1;
        let sent: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(sent["Signature"], text(&vector, "signature"), "{name}");
    }
}

// ---- MobTech

/// A call with exactly the parameters of a signature vector.
fn mobtech(vector: &Value) -> Case {
    let mut params = object(vector["params"].clone());
    let now = params.remove("timestamp").unwrap().as_str().unwrap().parse().unwrap();
    let settings = json!({"appKey": params.remove("appkey"), "appSecret": vector["appSecret"]});
    Case { now: Timestamp::from_millis(now), ..Case::new("mobtech", settings, params.into()) }
}

fn mobtech_sign(vector: &Value) {
    let mut sent = json_body(&mobtech(vector).request());
    assert_eq!(sent.as_object_mut().unwrap().remove("sign").unwrap(), vector["sign"]);
    assert_eq!(sent, vector["params"]);
}

/// Without the optional `md5`, which is then neither sent nor signed.
#[test]
fn mobtech_sign_published() {
    mobtech_sign(&published("mobtech_sign_published"));
}

#[test]
fn mobtech_sign_computed() {
    mobtech_sign(&vector("mobtech_sign"));
}

#[test]
fn mobtech_res_des() {
    let reply = vector("mobtech_res_des");
    let answer = mobtech(&vector("mobtech_sign")).read(json!({"status": 200, "res": reply["res_b64"]}));
    assert_eq!(answer, number("13800138000", Some(Carrier::Cmcc), None));
}

#[test]
fn mobtech_des_published() {
    let vector = published("mobtech_des_published");
    let sealed = data_encoding::BASE64.decode(text(&vector, "res_b64").as_bytes()).unwrap();
    let (key, iv) = (text(&vector, "key_ascii").as_bytes(), text(&vector, "iv_ascii").as_bytes());
    let plain = des_cbc_decrypt(key, iv, &sealed).unwrap();
    assert_eq!(std::str::from_utf8(plain.expose()), Ok(text(&vector, "plain")));

    // The text is no JSON: through the document it is an answer nobody can use.
    let settings = json!({"appKey": "k", "appSecret": "b89d2427a3bc7ad1aea1e1e8c1d36bf3"});
    let case = Case::new("mobtech", settings, json!({"token": "t", "opToken": "o", "operator": "CUCC"}));
    let answer = case.read(json!({"status": 200, "res": vector["res_b64"]}));
    assert_eq!(answer, Answer::Unavailable { code: "unreadable".to_owned(), definite: false });
}
