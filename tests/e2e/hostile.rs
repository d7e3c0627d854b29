//! Bodies that somebody made wrong on purpose: each gets its 4xx, with the field named.

use futures_util::stream;
use libtest_mimic::Trial;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::{
    backend::{EXCHANGE, api_key},
    client::{Answer, Request, fresh_device, post},
    login::LOGIN,
    stack::{self, Stack},
    story,
    tokens::REFRESH,
};

const MAX_BODY_BYTES: usize = 16 * 1024;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("hostile: an unknown field is named", unknown_field),
        story("hostile: every field of a wrong type is named", wrong_types),
        story("hostile: every missing field is named, all at once", missing_fields),
        story("hostile: values out of their range are named", out_of_range),
        story("hostile: a body over 16 KiB is refused, announced or in chunks", oversize),
        story("hostile: what is not JSON in UTF-8 is refused", not_json),
        story("hostile: another content type is refused", content_types),
        story("hostile: a number that is none is an invalid phone", invalid_phones),
    ]
}

/// Every route with a body, and a body that is well-formed: only its credential is nobody's.
pub(crate) fn good_bodies() -> [(&'static str, Value); 8] {
    let credential = json!({ "provider": "cmcc", "token": "STsid0000000000000000000000000000" });
    let (phone, device) = ("+8613800138000", fresh_device());
    let consent = json!({ "version": "1" });
    [
        (
            LOGIN,
            json!({ "credential": credential, "phone": phone, "otpFallback": false, "app": "default",
                    "consent": consent, "transport": "body", "captchaToken": "c", "device": device }),
        ),
        (LOGIN, json!({ "mode": "check", "credential": credential, "phone": phone, "device": device })),
        (
            "/v1/one-tap/failures",
            json!({ "sdkCode": "1", "network": "wifi", "carrier": "cmcc", "provider": "cmcc", "phone": phone,
                    "otpFallback": true, "app": "default", "device": device }),
        ),
        (
            "/v1/one-tap/check",
            json!({ "credential": credential, "phone": phone, "platform": "web", "app": "default" }),
        ),
        (EXCHANGE, json!({ "credential": credential, "platform": "harmony", "app": "default" })),
        (REFRESH, json!({ "refreshToken": "x" })),
        // Of an app that is not served, so that nobody gets a message.
        (
            "/v1/otp/send",
            json!({ "phone": phone, "purpose": "login", "app": "nobody", "captchaToken": "c",
                    "device": device }),
        ),
        (
            "/v1/otp/login",
            json!({ "challengeId": "och_x.x", "code": "123456", "app": "default", "consent": consent,
                    "transport": "body", "captchaToken": "c", "device": device }),
        ),
    ]
}

async fn unknown_field() {
    let (stack, key) = stack_and_key();
    for (path, body) in good_bodies() {
        let mut more = body.clone();
        more["Phone"] = json!("+8613800138000");
        assert_names(&ask(stack, &key, path, &more).await, path, &["Phone"]);
        // Inside device and credential they are ignored: SDKs add some.
        let mut inside = body.clone();
        for object in ["device", "credential"] {
            if let Some(object) = inside.get_mut(object) {
                object["somethingNew"] = json!({ "a": 1 });
            }
        }
        let (plain, inside) = (ask(stack, &key, path, &body).await, ask(stack, &key, path, &inside).await);
        assert_eq!((plain.status, plain.code()), (inside.status, inside.code()), "{path}");
    }
    let (path, mut body) = good_bodies()[0].clone();
    body["consent"]["when"] = json!("now");
    assert_names(&ask(stack, &key, path, &body).await, path, &["consent.when"]);
}

async fn wrong_types() {
    let (stack, key) = stack_and_key();
    for (path, body) in good_bodies() {
        for name in leaves(&body) {
            let pointer = format!("/{}", name.replace('.', "/"));
            let is_flag = body.pointer(&pointer).is_some_and(Value::is_boolean);
            let texts = if is_flag { json!("true") } else { json!(true) };
            // The vendors' SDKs give some of their values as numbers, so those are taken.
            let number = if name == "credential.token" { json!(false) } else { json!(1) };
            for wrong in [number, json!([]), json!(["x"]), json!({}), texts] {
                let mut bad = body.clone();
                *bad.pointer_mut(&pointer).unwrap() = wrong;
                assert_names(&ask(stack, &key, path, &bad).await, path, &[&name]);
            }
        }
        for name in ["device", "credential", "consent"] {
            for wrong in [json!(1), json!([]), json!("x"), json!(true)] {
                let mut bad = body.clone();
                if bad.get(name).is_some() {
                    bad[name] = wrong;
                    assert_names(&ask(stack, &key, path, &bad).await, path, &[name]);
                }
            }
        }
    }
}

async fn missing_fields() {
    let (stack, key) = stack_and_key();
    for (path, names) in [
        (LOGIN, vec!["credential", "device"]),
        ("/v1/one-tap/failures", vec!["device", "sdkCode"]),
        ("/v1/one-tap/check", vec!["credential", "phone", "platform"]),
        (EXCHANGE, vec!["credential", "platform"]),
        (REFRESH, vec!["refreshToken"]),
        ("/v1/otp/send", vec!["device", "email", "phone"]),
        ("/v1/otp/login", vec!["challengeId", "code", "device"]),
    ] {
        assert_names(&ask(stack, &key, path, &json!({})).await, path, &names);
    }
    let empty = json!({ "mode": "check", "credential": {}, "device": {} });
    let names = ["credential.provider", "device.name", "device.platform", "phone"];
    assert_names(&ask(stack, &key, LOGIN, &empty).await, LOGIN, &names);
    let no_token = json!({ "credential": { "provider": "mobtech" }, "device": fresh_device() });
    let names = ["credential.opToken", "credential.operator", "credential.token"];
    assert_names(&ask(stack, &key, LOGIN, &no_token).await, LOGIN, &names);
}

async fn out_of_range() {
    let (stack, key) = stack_and_key();
    let (path, good) = good_bodies()[0].clone();
    for (pointer, wrong) in [
        ("/credential/provider", json!("nobody")),
        ("/credential/token", json!("x".repeat(5000))),
        ("/device/platform", json!("toaster")),
        ("/device/name", json!("")),
        ("/device/name", json!("x".repeat(65))),
        ("/device/pushToken", json!("x".repeat(1025))),
        ("/device/os", json!("a\u{0}b")),
        ("/app", json!("nobody")),
        ("/transport", json!("pigeon")),
        ("/consent/version", json!("x".repeat(65))),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert_names(&ask(stack, &key, path, &bad).await, path, &[&pointer[1..].replace('/', ".")]);
    }
    let mut bad = good.clone();
    bad["mode"] = json!("guess");
    assert_names(&ask(stack, &key, path, &bad).await, path, &["mode"]);
}

async fn oversize() {
    let (stack, key) = stack_and_key();
    for (path, body) in good_bodies() {
        let pad = " ".repeat(MAX_BODY_BYTES + 1 - body.to_string().len());
        let text = format!("{body}{pad}");
        let chunks: Vec<Result<String, std::io::Error>> =
            text.as_bytes().chunks(1000).map(|chunk| Ok(String::from_utf8_lossy(chunk).into())).collect();
        for body in [Body::from(text), Body::wrap_stream(stream::iter(chunks))] {
            let answer = post(stack, path, &json!({})).bearer(&key).body(body).send().await;
            answer.problem(413, "payload_too_large");
        }
    }
    // One byte less is read.
    let fits = format!("{{}}{}", " ".repeat(MAX_BODY_BYTES - 2));
    let answer = post(stack, REFRESH, &json!({})).body(fits.into()).send().await;
    answer.problem(400, "invalid_request");
}

async fn not_json() {
    let (stack, key) = stack_and_key();
    let deep = |open: &str, close: &str| [open.repeat(3000), close.repeat(3000)].concat().into_bytes();
    let bodies: [Vec<u8>; 14] = [
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"{} {}".to_vec(),
        b"{'a':1}".to_vec(),
        b"{\"a\":1,}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"refreshToken\":\"\xff\xfe\"}".to_vec(),
        b"{\"refreshToken\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"refreshToken\":\"\\ud800\"}".to_vec(),
        deep("[", "]"),
        deep("{\"a\":", "1}").into_iter().take(MAX_BODY_BYTES).collect(),
    ];
    for (path, _) in good_bodies() {
        for body in &bodies {
            let answer = post(stack, path, &json!({})).bearer(&key).body(body.clone().into()).send().await;
            answer.problem(400, "invalid_request");
        }
        // The last of two equal names counts, or none; either way it is the client's error.
        let twice = r#"{"refreshToken":1,"refreshToken":2,"credential":{},"credential":3}"#;
        let answer = post(stack, path, &json!({})).bearer(&key).body(twice.into()).send().await;
        answer.problem(400, "invalid_request");
    }
}

async fn content_types() {
    let (stack, key) = stack_and_key();
    for (path, body) in good_bodies() {
        let request = || Request::new(stack, Method::POST, path).bearer(&key).body(body.to_string().into());
        request().send().await.problem(415, "unsupported_media_type");
        for wrong in
            ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json", "a/b/c"]
        {
            let answer = request().header("content-type", wrong).send().await;
            answer.problem(415, "unsupported_media_type");
        }
        for right in ["application/json; charset=utf-8", "Application/JSON"] {
            let answer = request().header("content-type", right).send().await;
            assert_ne!(answer.status, 415, "{right}");
        }
    }
}

async fn invalid_phones() {
    let (stack, key) = stack_and_key();
    let (path, mut body) = good_bodies()[3].clone();
    for wrong in [
        "12345678901",
        "+8612345678901",
        "1380013800",
        "+861380013800",
        "+",
        "abc",
        "+86 138 0013 8000",
        "+0123456789",
    ] {
        body["phone"] = json!(wrong);
        let answer = ask(stack, &key, path, &body).await;
        assert_eq!(answer.problem(400, "invalid_phone")["fields"][0]["name"], "phone", "{wrong}");
    }
}

fn stack_and_key() -> (&'static Stack, String) {
    static KEY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let stack = stack::main();
    (stack, KEY.get_or_init(|| api_key(stack, "one_tap:exchange phone:read").0).clone())
}

/// The key that the hostile stories share.
pub(crate) fn shared_key() -> String {
    stack_and_key().1
}

async fn ask(stack: &Stack, key: &str, path: &str, body: &Value) -> Answer {
    post(stack, path, body).bearer(key).send().await
}

fn assert_names(answer: &Answer, path: &str, names: &[&str]) {
    let code = if names == ["phone"] && answer.code() == "invalid_phone" {
        "invalid_phone"
    } else {
        "invalid_request"
    };
    assert_eq!(answer.status, 400, "{path} with wrong {names:?}: {}", answer.summary());
    let problem = answer.problem(400, code);
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    let mut named: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, names, "{path}");
    for name in names {
        assert!(
            problem["detail"].as_str().unwrap().contains(name),
            "{path}: the detail does not name {name}"
        );
    }
}

/// The dotted names of all values in an object that are no objects.
fn leaves(body: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in body.as_object().unwrap() {
        match value {
            Value::Object(_) => {
                names.extend(leaves(value).into_iter().map(|inner| format!("{name}.{inner}")))
            }
            _ => names.push(name.clone()),
        }
    }
    names
}
