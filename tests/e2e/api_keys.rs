//! API keys over HTTP: limits that hold under calls at once, usage that equals the calls made, keys for tests.

use std::process::Stdio;

use futures_util::future::{join_all, join4};
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backend::{EXCHANGE, api_key, api_key_with, order_key},
    client::{Answer, Request, fresh_phone, get, post},
    login::{access_token, sign_in},
    sandbox::{PROVIDERS, calls},
    stack::{self, Recipe, Stack},
    story,
};

const API_KEY: &str = "/v1/api-key";
const AT_ONCE: usize = 60;
const PER_MINUTE: usize = 20;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "api keys: of 60 calls at once 20 pass, as many as the key may make in a minute",
            held_to_the_rate,
        ),
        story("api keys: a month's quota is held, and the wait ends with the month", held_to_the_quota),
        story("api keys: what a key did is what was called, whatever was answered", usage_is_what_was_called),
        story("api keys: a test key meets test numbers and nobody else, and asks no carrier", test_mode),
        story("api keys: a name is taken once, and nonsense is refused", orders_refused),
    ]
}

async fn form(stack: &Stack, path: &str, key: &str, token: &str) -> Answer {
    let body = format!("token={token}").into();
    let request = Request::new(stack, Method::POST, path).bearer(key).body(body);
    request.header("content-type", "application/x-www-form-urlencoded").send().await
}

async fn introspect(stack: &Stack, key: &str, token: &str) -> Answer {
    form(stack, "/oauth/introspect", key, token).await
}

async fn in_use(stack: &Stack, key: &str) -> Value {
    get(stack, API_KEY).bearer(key).send().await.ok()
}

/// Calls and refusals of a key, by scope; midnight may fall between two of them.
fn counted(view: &Value, scope: &str) -> (usize, usize) {
    let lines = view["usage"].as_array().unwrap().iter().filter(|line| line["scope"] == scope);
    let sum = |name: &str| lines.clone().map(|line| line[name].as_u64().unwrap()).sum::<u64>();
    (usize::try_from(sum("calls")).unwrap(), usize::try_from(sum("refused")).unwrap())
}

async fn held_to_the_rate() {
    let stack = stack::main();
    let (key, name) = api_key_with(stack, "token:introspect", &[("PER_MINUTE", &PER_MINUTE.to_string())]);
    let answers = join_all((0..AT_ONCE).map(|_| introspect(stack, &key, "nonsense"))).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((passed.len(), refused.len()), (PER_MINUTE, AT_ONCE - PER_MINUTE));
    for answer in refused {
        let wait = answer.problem(429, "rate_limited")["retryAfter"].as_u64().unwrap();
        assert!((1..=65).contains(&wait), "{wait}");
    }
    let view = in_use(stack, &key).await;
    assert_eq!((&view["name"], &view["mode"]), (&json!(name), &json!("live")));
    assert_eq!(view["limits"], json!({ "perMinute": PER_MINUTE, "perMonth": 1_000_000 }));
    assert_eq!(counted(&view, "token:introspect"), (PER_MINUTE, AT_ONCE - PER_MINUTE));
    eprintln!("{AT_ONCE} calls at once by a key of {PER_MINUTE} a minute: {PER_MINUTE} passed");
}

async fn held_to_the_quota() {
    let stack = stack::main();
    let (key, _) = api_key_with(stack, "token:introspect", &[("PER_MONTH", "5")]);
    let answers = join_all((0..30).map(|_| introspect(stack, &key, "nonsense"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 5);
    let wait = introspect(stack, &key, "nonsense").await.problem(429, "rate_limited")["retryAfter"].clone();
    assert!(wait.as_u64().is_some_and(|wait| wait <= 31 * 86_400), "{wait}");
    assert_eq!(in_use(stack, &key).await["usedThisMonth"], 5);
}

async fn usage_is_what_was_called() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "token:introspect token:revoke phone:read");
    let login = sign_in(stack, &fresh_phone("151")).await;
    let path = format!("/v1/accounts/{}/phone", login["account"]["id"].as_str().unwrap());
    let introspections = join_all((0..25).map(|_| introspect(stack, &key, access_token(&login))));
    let mistakes = join_all((0..15).map(|_| introspect(stack, &key, "")));
    let reads = join_all((0..20).map(|_| get(stack, &path).bearer(&key).send()));
    let forbidden = join_all((0..5).map(|_| post(stack, EXCHANGE, &json!({})).bearer(&key).send()));
    let (introspections, mistakes, reads, forbidden) =
        join4(introspections, mistakes, reads, forbidden).await;
    introspections.iter().for_each(|answer| assert_eq!(answer.ok()["active"], true));
    mistakes.iter().for_each(|answer| drop(answer.problem(400, "invalid_request")));
    reads.iter().for_each(|answer| drop(answer.ok()));
    forbidden.iter().for_each(|answer| drop(answer.problem(403, "forbidden")));
    assert_eq!(form(stack, "/oauth/revoke", &key, "nonsense").await.status, 200);
    let view = in_use(stack, &key).await;
    let scopes = ["token:introspect", "phone:read", "token:revoke", "one_tap:exchange"];
    assert_eq!(scopes.map(|scope| counted(&view, scope)), [(40, 0), (20, 0), (1, 0), (0, 0)]);
    // Looking is not counted.
    assert_eq!(in_use(stack, &key).await, view);
    get(stack, API_KEY).bearer(access_token(&login)).send().await.problem(401, "unauthenticated");
}

async fn test_mode() {
    let number = fresh_phone("151");
    let stack = Recipe::new("test-keys")
        .var("REVIEW_NUMBERS", &json!([{ "phone": number, "code": "274051" }]).to_string())
        .start();
    let scopes = "one_tap:exchange phone:read token:introspect token:revoke";
    let (key, _) = api_key_with(&stack, scopes, &[("MODE", "test")]);
    let (live, _) = api_key(&stack, scopes);
    let stranger = fresh_phone("151");
    let (person, tester) = (sign_in(&stack, &stranger).await, sign_in(&stack, &number).await);

    let before = join_all(PROVIDERS.map(|provider| calls(&stack, provider))).await;
    let exchange = async |key: &str, provider: &str, token: String| {
        let body = json!({ "credential": { "provider": provider, "token": token }, "platform": "ios" });
        post(&stack, EXCHANGE, &body).bearer(key).send().await
    };
    for provider in PROVIDERS {
        let answer = exchange(&key, provider, format!("test-{number}")).await;
        assert_eq!(answer.ok(), json!({ "phone": number }), "{provider}");
        exchange(&key, provider, format!("test-{stranger}")).await.problem(422, "one_tap_rejected");
    }
    assert_eq!(
        join_all(PROVIDERS.map(|provider| calls(&stack, provider))).await,
        before,
        "a carrier was asked"
    );

    let path = |login: &Value| format!("/v1/accounts/{}/phone", login["account"]["id"].as_str().unwrap());
    get(&stack, &path(&person)).bearer(&key).send().await.problem(404, "not_found");
    assert_eq!(get(&stack, &path(&tester)).bearer(&key).send().await.ok(), json!({ "phone": number }));
    for (login, active) in [(&person, false), (&tester, true)] {
        assert_eq!(introspect(&stack, &key, access_token(login)).await.ok()["active"], active);
        assert_eq!(form(&stack, "/oauth/revoke", &key, access_token(login)).await.status, 200);
        let refresh_token = login["session"]["refreshToken"].as_str().unwrap();
        assert_eq!(introspect(&stack, &live, refresh_token).await.ok()["active"], !active);
    }
    let view = in_use(&stack, &key).await;
    assert_eq!((&view["mode"], &view["usedThisMonth"]), (&json!("test"), &json!(16)));
}

async fn orders_refused() {
    let stack = stack::main();
    let (_, name) = api_key(stack, "phone:read");
    let order = |more: &[(&str, &str)]| {
        let mut command = order_key(stack, &name, "phone:read");
        let output = command.envs(more.iter().copied()).stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "a key was made");
        String::from_utf8(output.stderr).unwrap()
    };
    let taken = order(&[]);
    assert!(taken.contains(&format!("there is, or was, a key named {name}")), "{taken}");
    let nonsense = order(&[("PER_MINUTE", "0")]);
    assert!(nonsense.contains("PER_MINUTE=0 is no whole number from 1 to 30000"), "{nonsense}");
    assert!(order(&[("MODE", "tset")]).contains("MODE=tset is unknown: use live or test"));
}
