//! Backends with API keys: exchange, the number of an account, scopes, and what the audit table remembers.

use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{fresh_phone, get, post, random_hex},
    leaks,
    login::sign_in,
    sandbox::{Order, PROVIDERS, times_seen},
    stack::{self, Stack},
    story,
};

pub(crate) const EXCHANGE: &str = "/v1/one-tap/exchange";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("backend: exchange and /phone answer with the scope, on record", answers_on_record),
        story("backend: a key answers for its scopes only", wrong_scope),
        story("backend: without a good key nothing is told and no token spent", no_key),
    ]
}

/// Makes a key with the project's own target, and says its name too.
pub(crate) fn api_key(stack: &Stack, scopes: &str) -> (String, String) {
    api_key_with(stack, scopes, &[])
}

/// As [`api_key`], with more variables.
pub(crate) fn api_key_with(stack: &Stack, scopes: &str, more: &[(&str, &str)]) -> (String, String) {
    let name = format!("e2e-{}", random_hex(4));
    let output = order_key(stack, &name, scopes).envs(more.iter().copied()).output().unwrap();
    let key = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let prefix = if more.contains(&("MODE", "test")) { "oak_test_" } else { "oak_" };
    let is_key = key.strip_prefix(prefix).is_some_and(|random| random.len() == 43);
    assert!(output.status.success() && is_key, "no key was made");
    leaks::note("API key", &key);
    (key, name)
}

/// The project's own target that makes a key.
pub(crate) fn order_key(stack: &Stack, name: &str, scopes: &str) -> Command {
    let mut command = stack::task("api-key");
    command
        .envs([("NAME", name), ("SCOPES", scopes)])
        .env("STATE_DIR", &stack.state)
        .stderr(Stdio::inherit());
    command
}

async fn answers_on_record() {
    let stack = stack::main();
    let (key, name) = api_key(stack, "one_tap:exchange phone:read");
    let mut expected = Vec::new();
    for provider in PROVIDERS {
        let phone = fresh_phone("137");
        let credential = Order::new(provider, &phone).mint(stack).await;
        let body = json!({ "credential": credential, "platform": "ios" });
        let answer = post(stack, EXCHANGE, &body).bearer(&key).send().await;
        let exchanged = answer.ok();
        assert_eq!(exchanged["phone"], phone, "{provider}");
        if let Some(carrier) = exchanged.get("carrier") {
            assert_eq!(carrier, "cmcc", "{provider}");
        }
        post(stack, EXCHANGE, &body).bearer(&key).send().await.problem(422, "one_tap_rejected");
        assert_eq!(times_seen(stack, &credential).await, 1);
        expected.push(("one_tap.exchange", answer.request_id, None));
    }
    let phone = fresh_phone("137");
    let login = sign_in(stack, &phone).await;
    let account = login["account"]["id"].as_str().unwrap().to_owned();
    let answer = get(stack, &format!("/v1/accounts/{account}/phone")).bearer(&key).send().await;
    assert_eq!(answer.ok(), json!({ "phone": phone }));
    expected.push(("phone.read", answer.request_id, Some(account)));
    let nobody = format!("{}{}", &login["account"]["id"].as_str().unwrap()[..20], "aaaaaa");
    let unknown = get(stack, &format!("/v1/accounts/{nobody}/phone")).bearer(&key).send().await;
    unknown.problem(404, "not_found");

    let rows = query(stack, &format!("SELECT * FROM audit WHERE actor = 'api_key:{name}' ORDER BY id"));
    assert_eq!(rows.len(), expected.len(), "one row for each number that left, none for a refusal");
    for (row, (action, request_id, subject)) in rows.iter().zip(expected) {
        assert_eq!((&row["action"], &row["request_id"]), (&json!(action), &json!(request_id)));
        assert!(subject.is_none_or(|subject| row["subject"] == subject));
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        assert!(u128::from(row["at"].as_u64().unwrap()).abs_diff(now) < 600_000, "at is {}", row["at"]);
    }
}

async fn wrong_scope() {
    let stack = stack::main();
    let (exchange_only, _) = api_key(stack, "one_tap:exchange");
    let (phone_only, _) = api_key(stack, "phone:read");
    let phone = fresh_phone("137");
    let login = sign_in(stack, &phone).await;
    let path = format!("/v1/accounts/{}/phone", login["account"]["id"].as_str().unwrap());
    let refused = get(stack, &path).bearer(&exchange_only).send().await;
    refused.problem(403, "forbidden");
    get(stack, &path).bearer(&phone_only).send().await.ok();
    let credential = Order::new("cmcc", &phone).mint(stack).await;
    let body = json!({ "credential": credential, "platform": "ios" });
    post(stack, EXCHANGE, &body).bearer(&phone_only).send().await.problem(403, "forbidden");
    assert_eq!(times_seen(stack, &credential).await, 0);
    post(stack, EXCHANGE, &body).bearer(&exchange_only).send().await.ok();
}

async fn no_key() {
    let stack = stack::main();
    let (revoked, name) = api_key(stack, "one_tap:exchange phone:read");
    query(stack, &format!("UPDATE api_keys SET revoked_at = unixepoch() * 1000 WHERE name = '{name}'"));
    let login = sign_in(stack, &fresh_phone("137")).await;
    let path = format!("/v1/accounts/{}/phone", login["account"]["id"].as_str().unwrap());
    let credential = Order::new("cmcc", &fresh_phone("137")).mint(stack).await;
    let body = json!({ "credential": credential, "platform": "ios" });
    let noise = format!("oak_{}", "A".repeat(43));
    // A session is no key, not even for one's own number.
    let session = login["session"]["accessToken"].as_str().unwrap();
    for key in [&revoked, &noise, "oak_short", "", session] {
        get(stack, &path).bearer(key).send().await.problem(401, "unauthenticated");
        post(stack, EXCHANGE, &body).bearer(key).send().await.problem(401, "unauthenticated");
    }
    get(stack, &path).send().await.problem(401, "unauthenticated");
    post(stack, EXCHANGE, &body).send().await.problem(401, "unauthenticated");
    assert_eq!(times_seen(stack, &credential).await, 0);
    let who = query(stack, &format!("SELECT * FROM audit WHERE actor = 'api_key:{name}'"));
    assert!(who.is_empty(), "a refusal left an audit row");
}

/// Asks the stack's database, through another process, as an operator would.
pub(crate) fn query(stack: &Stack, sql: &str) -> Vec<Value> {
    let tools = stack::root().join("node_modules/.bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(tools.join("wrangler"))
        .args(["d1", "execute", "DB", "--local", "--json", "--command", sql, "--persist-to"])
        .arg(&stack.state)
        .current_dir(stack::root())
        .env("PATH", format!("{}:{path}", tools.display()))
        .envs([("WRANGLER_SEND_METRICS", "false"), ("WRANGLER_WRITE_LOGS", "false")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("wrangler answered {text}"));
    answer[0]["results"].as_array().cloned().unwrap_or_default()
}
