//! The contract's parser against bodies and paths that no client of ours would send: every answer is a value or
//! a 4xx that names what is wrong, never a panic, never a 5xx.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use onetap::{
    api::routes::{self, Found},
    providers::{self, Capability},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};
use world::{
    Answer, World,
    client::{device, login_body},
};

#[path = "world/mod.rs"]
#[allow(unused_imports, reason = "each test uses the part of the world it needs")]
mod world;

const LOGIN: &str = "/v1/one-tap/login";

const ROUTES: [&str; 5] =
    [LOGIN, "/v1/one-tap/failures", "/v1/one-tap/check", "/v1/one-tap/exchange", "/v1/session/refresh"];

/// The names that any body may hold.
const NAMES: [&str; 22] = [
    "app",
    "appVersion",
    "captchaToken",
    "consent",
    "credential",
    "device",
    "mode",
    "model",
    "name",
    "network",
    "os",
    "otpFallback",
    "phone",
    "platform",
    "provider",
    "pushToken",
    "refreshToken",
    "sdkCode",
    "token",
    "transport",
    "version",
    "carrier",
];

fn post(world: &World, path: &str, body: &[u8]) -> Answer {
    let mut ask = world.post(path, &Value::Null);
    ask.set_body(body);
    ask.send()
}

fn login(world: &World, body: &Value) -> Answer {
    post(world, LOGIN, body.to_string().as_bytes())
}

/// The fields that a problem names.
fn named(answer: &Answer) -> Vec<&str> {
    let fields = answer.body["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    fields.iter().map(|field| field["name"].as_str().unwrap()).collect()
}

#[test]
fn ten_thousand_bodies() {
    let world = World::new();
    let key = world.api_key("backend", &["one_tap:exchange"]);
    let mut runner = TestRunner::new(Config { cases: 10_000, ..Config::default() });
    let case = (prop::sample::select(&ROUTES[..]), body());
    let result = runner.run(&case, |(path, body)| {
        let mut ask = world.post(path, &Value::Null).bearer(&key);
        ask.set_body(&body);
        let answer = ask.try_send();
        let answer = answer.ok_or_else(|| TestCaseError::fail("no answer"))?;
        prop_assert!(answer.status == 200 || (400..500).contains(&answer.status), "{:?}", answer);
        prop_assert!(answer.status == 200 || answer.body["code"].is_string());
        Ok(())
    });
    result.unwrap();
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::collection::vec((prop::sample::select(&NAMES[..]), json_text()), 0..10);
    let nested = (1..3000_usize, prop::sample::select(vec![("[", "]"), ("{\"device\":", "}")]));
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..300),
        2 => json_text().prop_map(String::into_bytes),
        // Names may come twice.
        4 => known.prop_map(|members| object(&members).into_bytes()),
        1 => nested.prop_map(|(depth, (open, close))| {
            [open.repeat(depth), "1".to_owned(), close.repeat(depth)].concat().into_bytes()
        }),
        3 => changes.prop_map(|changes| {
            let mut bytes = login_body("cmcc", "token").to_string().into_bytes();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
    ]
}

/// JSON as text, so that it can hold what a parser would not let through.
fn json_text() -> impl Strategy<Value = String> {
    let odd = [
        "null",
        "true",
        "-0",
        "1e999",
        "-1e-999",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"ios\"",
        "\"cmcc\"",
        "\"check\"",
        "\"+8613800138000\"",
        "\"13800138000\"",
        "NaN",
        "'a'",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "01",
        "\"",
    ];
    let leaf = prop_oneof![
        3 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        1 => any::<f64>().prop_map(|number| number.to_string()),
        2 => any::<String>().prop_map(|text| Value::from(text).to_string()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let member = (prop::sample::select(&NAMES[..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn each_field_of_a_wrong_type_is_named() {
    const OBJECTS: [&str; 3] = ["credential", "consent", "device"];
    const TEXTS: [&str; 14] = [
        "app",
        "captchaToken",
        "mode",
        "phone",
        "transport",
        "consent.version",
        "credential.provider",
        "device.appVersion",
        "device.model",
        "device.name",
        "device.os",
        "device.platform",
        "device.pushToken",
        "device.token",
    ];
    let world = World::new();
    let (text, list, map) = (json!("text"), json!(["text"]), json!({"text": "text"}));
    let (yes, number) = (json!(true), json!(1.5));
    let wrong_for = |name: &str| match name {
        "otpFallback" => vec![&text, &list, &map, &number],
        name if OBJECTS.contains(&name) => vec![&text, &list, &yes, &number],
        // A number is taken as it is written.
        "credential.token" => vec![&list, &map, &yes, &Value::Null],
        _ => vec![&list, &map, &yes, &number],
    };
    for name in OBJECTS.iter().chain(&TEXTS).chain(&["otpFallback", "credential.token"]) {
        for wrong in wrong_for(name) {
            let mut body = login_body("cmcc", "token");
            body["consent"] = json!({"version": "1"});
            *place(&mut body, name) = wrong.clone();
            let answer = login(&world, &body);
            answer.is_problem(400, "invalid_request");
            assert_eq!(named(&answer), [*name], "{wrong}");
        }
    }
    for name in
        ["credential", "credential.provider", "credential.token", "device", "device.name", "device.platform"]
    {
        let mut body = login_body("cmcc", "token");
        *place(&mut body, name) = Value::Null;
        assert_eq!(named(&login(&world, &body)), [name], "missing");
    }
}

/// The member of that name, made if need be.
fn place<'b>(body: &'b mut Value, name: &str) -> &'b mut Value {
    name.split('.').fold(body, |value, name| &mut value[name])
}

#[test]
fn all_problems_come_at_once() {
    let world = World::new();
    let body = json!({"credential": {}, "device": {"name": "", "platform": "vms"}, "phone": 1, "x": 1});
    let answer = login(&world, &body);
    answer.is_problem(400, "invalid_request");
    let mut found = named(&answer);
    found.sort_unstable();
    assert_eq!(found, ["credential.provider", "device.name", "device.platform", "phone", "x"]);
}

#[test]
fn unknown_fields_are_named_but_not_those_of_device_and_credential() {
    let world = World::new();
    let mut body = login_body("cmcc", &world.providers.token("13800138000"));
    body["device"]["unheardOf"] = json!([1]);
    body["credential"]["unheardOf"] = json!({"a": null});
    body["consent"] = json!({"version": "1", "unheardOf": 1});
    body["unheard\u{0}Of"] = json!(null);
    body["x".repeat(1000)] = json!(1);
    let answer = login(&world, &body);
    answer.is_problem(400, "invalid_request");
    let mut found = named(&answer);
    found.sort_unstable();
    // Names are the client's text: without control characters and cut short.
    assert_eq!(found, ["consent.unheardOf", "unheardOf", &"x".repeat(64)]);

    let whole = body.as_object_mut().unwrap();
    whole.retain(|name, _| ["credential", "device"].contains(&name.as_str()));
    login(&world, &body).signed_in();
}

#[test]
fn not_a_json_object() {
    let world = World::new();
    let deep = [vec![b'['; 5000], vec![b']'; 5000]].concat();
    let bodies: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"\"text\"",
        b"{",
        b"{}x",
        b"{'a':1}",
        b"{\"a\":1e999}",
        b"{\"app\":\"\\ud800\"}",
        b"{\"app\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        &deep,
    ];
    for path in [LOGIN, "/v1/one-tap/failures", "/v1/one-tap/check", "/v1/session/refresh"] {
        for body in bodies {
            let answer = post(&world, path, body);
            answer.is_problem(400, "invalid_request");
            assert_eq!(named(&answer), [""; 0], "{path} {}", String::from_utf8_lossy(body));
        }
    }
}

#[test]
fn the_last_of_equal_names_counts() {
    let world = World::new();
    let token = world.providers.token("13800138000");
    let credential = json!({"provider": "cmcc", "token": token});
    let body = format!("{{\"credential\":1,\"device\":{},\"credential\":{credential}}}", device());
    post(&world, LOGIN, body.as_bytes()).signed_in();
}

#[test]
fn content_types() {
    let world = World::new();
    for (content_type, is_read) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("", false),
        ("text/plain", false),
        ("application/jsonx", false),
        ("application/x-www-form-urlencoded", false),
    ] {
        let answer = world.post(LOGIN, &json!({})).header("content-type", content_type).send();
        let expected = if is_read { (400, "invalid_request") } else { (415, "unsupported_media_type") };
        answer.is_problem(expected.0, expected.1);
    }
}

proptest! {
    #[test]
    fn only_the_paths_of_the_contract_lead_somewhere(
        method in "[A-Z]{0,7}",
        path in prop_oneof![any::<String>(), "/v1/[a-z/%.-]{0,24}", "/v1/accounts/[ -~]{0,32}/phone"],
    ) {
        match routes::find(&method, &path) {
            Found::Nothing => {}
            found => {
                let is_known = ROUTES.contains(&path.as_str())
                    || ["/healthz", "/v1/session", "/.well-known/jwks.json"].contains(&path.as_str());
                prop_assert!(is_known, "{path} is {}", found.name());
            }
        }
    }

    #[test]
    fn any_object_under_credential_and_device(
        credential in prop::collection::btree_map(any::<String>(), any::<String>(), 0..6),
        device in prop::collection::btree_map(any::<String>(), any::<f64>(), 0..6),
    ) {
        let world = World::new();
        let device: Map<String, Value> = device.into_iter().map(|(name, value)| (name, json!(value))).collect();
        let answer = login(&world, &json!({"credential": credential, "device": device}));
        prop_assert_eq!(answer.status, 400);
        // A device has a name and a platform; a number is neither.
        prop_assert!(named(&answer).contains(&"device.name") && named(&answer).contains(&"device.platform"));
    }

    /// A client's `captchaToken` is a vendor's token or JSON, and whatever it is, what is wrong with it is named.
    #[test]
    fn any_text_of_a_bot_check(text in prop_oneof![any::<String>(), json_text()]) {
        let credential = providers::bot_check_credential(&text);
        for document in providers::all().filter(|document| document.offers(Capability::BotCheck)) {
            let problems = document.credential_problems(Capability::BotCheck, &credential);
            let token = document.primary(Capability::BotCheck, &credential);
            let fit = token.is_some_and(|token| token.expose().bytes().all(|b| b.is_ascii_graphic()));
            prop_assert!(fit || !problems.is_empty(), "{}", document.id());
        }
    }

    /// Whoever finds the path of receipts pushes what they like.
    #[test]
    fn any_receipt(content_type in any::<String>(), query in any::<String>(), body in body()) {
        for document in providers::all() {
            let _ = document.receipts(&content_type, &query, &body);
            let _ = document.receipts("application/x-www-form-urlencoded", &query, &body);
        }
    }
}
