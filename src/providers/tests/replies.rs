//! What replies mean, and that no reply can do harm.

use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use proptest::prelude::*;

use super::*;
use crate::{
    kernel::http::HttpReply,
    model::carrier::Carrier,
    providers::{Answer, all},
};

fn reply(status: u16, body: &Value) -> HttpReply {
    HttpReply { status, body: body.to_string().into_bytes() }
}

/// It was clearly not done.
fn unavailable(code: &str) -> Answer {
    Answer::Unavailable { code: code.to_owned(), definite: true }
}

/// It may have been done.
fn unsure(code: &str) -> Answer {
    Answer::Unavailable { code: code.to_owned(), definite: false }
}

/// The reply of a provider with a code and, where the code is good, a number.
fn answer(provider: &str, status: u16, code: &str) -> Answer {
    let body = match provider {
        "flash_v2" => json!({"code": code, "data": {"mobileName": "386D256EC02674090204CEAD13DFBC1C"}}),
        "flash_v1" => json!({"code": code, "data": {"mobileName": "LoPUatLDV9NxgayfwCD5Lw=="}}),
        "cmcc" => json!({"resultCode": code, "msisdn": "13800138000"}),
        "aliyun" => json!({"Code": code, "GetMobileResultDTO": {"Mobile": "13800138000"}}),
        _ => mobtech(code, r#"{"isValid":1,"phone":"13800138000","valid":true}"#),
    };
    Bench::new(provider).call(Capability::OneTap).read(&reply(status, &body))
}

fn mobtech(status: &str, plain: &str) -> Value {
    let cipher = cbc::Encryptor::<des::Des>::new_from_slices(b"c0ffee00", b"00000000").unwrap();
    let sealed = cipher.encrypt_padded_vec::<Pkcs7>(plain.as_bytes());
    json!({"status": status.parse::<u64>().unwrap_or(0), "res": data_encoding::BASE64.encode(&sealed)})
}

#[test]
fn a_code_that_repeats_the_credential_is_not_shown() {
    let mut bench = Bench::new("cmcc");
    bench.credential.insert("token".to_owned(), Secret::new("STsid00abcdef".to_owned()));
    for echo in ["STsid00abcdef", "E_STsid00abcdef", "STsid00abc"] {
        let body = json!({"resultCode": echo});
        let answer = bench.call(Capability::OneTap).read(&reply(200, &body));
        assert_eq!(answer, unavailable("unlisted"));
    }
}

#[test]
fn codes_mean_what_the_documents_say() {
    let rejected = |code: &str| Answer::Rejected { code: code.to_owned() };
    let account = |code: &str| Answer::AccountFault { code: code.to_owned() };
    for (provider, ok, wrong_token, ours, passing) in [
        ("flash_v2", "200000", "403000", "400102", "504000"),
        ("flash_v1", "200000", "403000", "500005", "500000"),
        ("cmcc", "103000", "104201", "103511", "103211"),
        ("aliyun", "OK", "isv.TOKEN_INVALID", "isv.OUT_OF_SERVICE", "Throttling.User"),
        ("mobtech", "200", "4119310", "4119342", "5119105"),
    ] {
        assert!(matches!(answer(provider, 200, ok), Answer::Number { .. }), "{provider}");
        assert_eq!(answer(provider, 200, wrong_token), rejected(wrong_token));
        assert_eq!(answer(provider, 200, ours), account(ours));
        assert_eq!(answer(provider, 200, passing), unavailable(passing));
        // An error may come with 4xx, a number never does, and nothing counts that comes with 5xx or 3xx.
        assert_eq!(answer(provider, 400, wrong_token), rejected(wrong_token));
        assert_eq!(answer(provider, 400, ok), unsure("http_400"));
        assert_eq!(answer(provider, 500, ok), unavailable("http_500"));
        assert_eq!(answer(provider, 302, wrong_token), unsure("http_302"));
    }
    assert_eq!(answer("aliyun", 403, "InvalidAccessKeyId.NotFound"), account("InvalidAccessKeyId.NotFound"));
    assert_eq!(answer("aliyun", 200, "isv.SOMETHING_NEW"), unavailable("isv.SOMETHING_NEW"));
}

#[test]
fn replies_that_cannot_be_understood_look_alike() {
    let bench = Bench::new("flash_v2");
    let read =
        |body: &[u8]| bench.call(Capability::OneTap).read(&HttpReply { status: 200, body: body.to_vec() });
    let with = |data: Value| read(json!({"code": "200000", "data": data}).to_string().as_bytes());
    for answer in [
        read(b""),
        read(b"<html>"),
        read(b"\xff\xfe"),
        read(b"{\"code\":\"200000\""),
        read(b"[]"),
        read(b"{\"code\":null}"),
        read("[".repeat(100_000).as_bytes()),
        with(json!(null)),
        with(json!({"mobileName": ""})),
        with(json!({"mobileName": "zz"})),
        with(json!({"mobileName": "386D256EC02674090204CEAD13DFBC1D"})),
        with(json!({"mobileName": "386D256EC0267409"})),
        // AES-128-CBC of "not a phone" under the key of the other vectors, by openssl.
        with(json!({"mobileName": NOT_A_PHONE})),
    ] {
        assert_eq!(answer, unsure("unreadable"));
    }
}

// printf %s 'not a phone' | openssl enc -aes-128-cbc -K <hex of b13edd0838dbf613> -iv <hex of 19911fc321160449>
const NOT_A_PHONE: &str = "eacd915d1112d7d8c711bb0e4abc8fb2";

#[test]
fn the_second_json_of_mobtech() {
    let bench = Bench::new("mobtech");
    let read = |plain: &str| bench.call(Capability::OneTap).read(&reply(200, &mobtech("200", plain)));
    let phone = PhoneNumber::parse("13800138000").unwrap();
    assert_eq!(
        read(r#"{"isValid":1,"phone":"13800138000"}"#),
        Answer::Number { phone, carrier: Some(Carrier::Ctcc), charged: None }
    );
    assert_eq!(
        read(r#"{"isValid":2,"phone":"13800138000"}"#),
        Answer::Rejected { code: "isValid".to_owned() }
    );
    for plain in
        [r#"{"phone":"13800138000"}"#, r#"{"isValid":1}"#, r#"{"isValid":1,"phone":"1"}"#, "13800138000"]
    {
        assert_eq!(read(plain), unsure("unreadable"), "{plain}");
    }
}

#[test]
fn a_verdict_that_is_none() {
    let bench = Bench::new("aliyun");
    let body = json!({"Code": "OK", "GateVerifyResultDTO": {"VerifyResult": "UNKNOWN"}});
    assert_eq!(bench.call(Capability::NumberCheck).read(&reply(200, &body)), unavailable("no_verdict"));
}

#[test]
fn nothing_personal_gets_into_a_code() {
    for code in ["13800138000", "token-13800138000", "", "手机号"] {
        let answer = answer("cmcc", 200, code);
        assert!(!format!("{answer:?}").contains("138"), "{answer:?}");
    }
    assert_eq!(answer("cmcc", 200, "a b\n<c>"), unavailable("abc"));
}

#[test]
fn the_vendors_words_are_for_whoever_asks() {
    let bench = Bench::new("flash_v2");
    let body = json!({"code": "403000", "message": "", "retMsg": "用户校验失败"});
    assert_eq!(bench.call(Capability::OneTap).message(&reply(200, &body)).as_deref(), Some("用户校验失败"));
}

/// JSON that resembles what providers send: their member names, any values.
fn nearly_a_reply() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9A-F]{32}".prop_map(Value::from),
        Just(json!("13800138000")),
    ];
    let name = prop::sample::select(vec![
        "code",
        "data",
        "mobileName",
        "mobile",
        "chargeStatus",
        "isVerify",
        "resultCode",
        "msisdn",
        "header",
        "Code",
        "GetMobileResultDTO",
        "Mobile",
        "GateVerifyResultDTO",
        "VerifyResult",
        "status",
        "res",
        "success",
        "result",
        "error-codes",
        "score",
        "Data",
        "phoneNumberRecycled",
        "sid",
        "msgId",
        "Response",
        "SendStatusSet",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn holds_an_ok_code(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let codes = [
        "200000",
        "103000",
        "OK",
        "200",
        "000",
        "001",
        "0",
        "Ok",
        "true",
        "false",
        "success",
        "accepted",
        "queued",
        "scheduled",
        "sending",
        "sent",
        "delivered",
    ];
    codes.iter().any(|code| text.contains(code))
}

fn yields_nothing_unasked(status: u16, body: &[u8]) {
    for document in all() {
        let bench = Bench::new(document.id());
        for capability in Capability::ALL {
            let answer = bench.call(capability).read(&HttpReply { status, body: body.to_vec() });
            let yields = !matches!(
                answer,
                Answer::Rejected { .. } | Answer::Unavailable { .. } | Answer::AccountFault { .. }
            );
            // What a profile lacks is left out, be it all of it.
            if yields && capability != Capability::IdentityProfile {
                assert!((200..300).contains(&status) && holds_an_ok_code(body), "{}", document.id());
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_harmless(status in 100..600_u16, body in prop::collection::vec(any::<u8>(), 0..200)) {
        yields_nothing_unasked(status, &body);
    }

    #[test]
    fn arbitrary_json_is_harmless(status in prop_oneof![Just(200_u16), 100..600_u16], body in nearly_a_reply()) {
        yields_nothing_unasked(status, body.to_string().as_bytes());
    }

    #[test]
    fn arbitrary_cipher_text_is_harmless(sealed in prop::collection::vec(any::<u8>(), 0..64)) {
        let (hex, base64) = (data_encoding::HEXUPPER.encode(&sealed), data_encoding::BASE64.encode(&sealed));
        for (provider, body) in [
            ("flash_v2", json!({"code": "200000", "data": {"mobileName": hex}})),
            ("flash_v1", json!({"code": "200000", "data": {"mobileName": base64}})),
            ("mobtech", json!({"status": 200, "res": base64})),
        ] {
            let answer = Bench::new(provider).call(Capability::OneTap).read(&reply(200, &body));
            prop_assert_eq!(answer, unsure("unreadable"));
        }
    }

    #[test]
    fn every_code_but_the_listed_one_yields_no_number(code in "[A-Za-z0-9._]{0,12}") {
        for (provider, ok) in
            [("flash_v2", "200000"), ("flash_v1", "200000"), ("cmcc", "103000"), ("aliyun", "OK")]
        {
            let yields = matches!(answer(provider, 200, &code), Answer::Number { .. });
            prop_assert_eq!(yields, code == ok);
        }
    }
}
