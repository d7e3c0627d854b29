//! Ten thousand bodies and a thousand headers that nobody thought of: whatever arrives, the answer is the client's error.

use futures_util::{StreamExt, stream};
use libtest_mimic::Trial;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;

use crate::{
    client::{Answer, get, post},
    contract::ROUTES,
    hostile::{good_bodies, shared_key},
    stack, story_alone,
};

const BODIES: usize = 10_000;
const HEADERS: usize = 1000;
const AT_ONCE: usize = 16;

/// The same cases in every run.
const SEED: [u8; 32] = *b"a body like no other, every time";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_alone("fuzz: 10,000 random bodies get a 4xx each", random_bodies),
        story_alone("fuzz: 1,000 random headers get no 5xx", random_headers),
    ]
}

async fn random_bodies() {
    let (stack, key) = (stack::main(), shared_key());
    let mut runner = runner();
    let cases: Vec<(&str, Vec<u8>)> = (0..BODIES).map(|_| draw(&mut runner, &body())).collect();
    let wrong = stream::iter(cases)
        .map(|(path, body)| {
            let request = post(stack, path, &Value::Null).bearer(&key).body(body.clone().into());
            async move { complaint(&request.send().await).map(|what| (path, what, body)) }
        })
        .buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = wrong.collect::<Vec<_>>().await.into_iter().flatten().collect();
    let first =
        wrong.first().map(|(path, what, body)| (path, what, String::from_utf8_lossy(body).into_owned()));
    assert_eq!((wrong.len(), first), (0, None));
    get(stack, "/healthz").send().await.ok();
}

async fn random_headers() {
    const NAMES: [&str; 5] =
        ["x-request-id", "idempotency-key", "authorization", "accept-language", "content-type"];
    let stack = stack::main();
    let mut runner = runner();
    let value = prop_oneof![
        prop::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff], 0..300),
        "[ -~]{0,80}".prop_map(String::into_bytes),
        "(Bearer|bearer|Basic) [!-~]{0,200}".prop_map(String::into_bytes),
        "[a-z]{1,8}(-[A-Z]{1,8})?(;q=[0-9.]{0,6})?(,[a-z*]{1,3};q=[0-9.-]{0,9}){0,20}"
            .prop_map(String::into_bytes),
    ];
    let case = (
        prop::sample::select(ROUTES),
        prop::collection::vec((prop::sample::select(&NAMES[..]), value), 1..5),
    );
    let cases: Vec<_> = (0..HEADERS).map(|_| draw(&mut runner, &case)).collect();
    let wrong = stream::iter(cases)
        .map(|((method, path), headers)| async move {
            let mut request =
                if method == "GET" { get(stack, path) } else { post(stack, path, &Value::Null) };
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            let answer = request.send().await;
            (answer.status >= 500).then(|| (path, answer.summary()))
        })
        .buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = wrong.collect::<Vec<_>>().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {HEADERS}, such as {:?}", wrong.len(), wrong.first());
    get(stack, "/healthz").send().await.ok();
}

/// What is wrong with the answer to a body that nobody can mean.
fn complaint(answer: &Answer) -> Option<String> {
    let is_problem = answer.header("content-type") == "application/problem+json";
    (!(400..500).contains(&answer.status) || !is_problem).then(|| answer.summary())
}

fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &SEED))
}

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// A path with noise, any JSON, an object of known names with any values, or a good body with some bytes changed.
fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let paths = prop::sample::select(good_bodies().map(|(path, _)| path).to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..600);
    let json = json().prop_map(|value| value.to_string().into_bytes());
    let known = prop::collection::btree_map(prop::sample::select(&NAMES[..]), json_inner(), 0..8)
        .prop_map(|members| serde_json::to_vec(&members).unwrap());
    let anywhere = (paths, prop_oneof![1 => noise, 2 => json, 3 => known]);
    let changed = (
        prop::sample::select(good_bodies().to_vec()),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    )
        .prop_map(|((path, body), changes)| {
            let mut bytes = body.to_string().into_bytes();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            (path, bytes)
        });
    prop_oneof![3 => anywhere, 1 => changed]
}

const NAMES: [&str; 19] = [
    "credential",
    "device",
    "phone",
    "mode",
    "app",
    "platform",
    "provider",
    "token",
    "name",
    "consent",
    "sdkCode",
    "refreshToken",
    "otpFallback",
    "transport",
    "challengeId",
    "code",
    "purpose",
    "ticket",
    "captchaToken",
];

fn json() -> impl Strategy<Value = Value> {
    json_inner().prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![any::<String>(), prop::sample::select(&NAMES[..]).prop_map(str::to_owned)],
                inner,
                0..8
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn json_inner() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::collection::btree_map("[a-z]{1,8}", any::<String>(), 0..4)
            .prop_map(|members| serde_json::to_value(members).unwrap()),
    ]
}
