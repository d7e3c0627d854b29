//! API keys: rate and quota, usage that equals the calls made, and keys in test mode that meet test numbers only.

use std::{thread, time::Duration};

use onetap::model::api_key::Mode;
use serde_json::{Value, json};

use crate::world::{Answer, Broken, Port, World};

const PHONE: &str = "13800138000";
const TEST_PHONE: &str = "13800000000";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A tally counts whole twelfths of its window.
const BUCKET: Duration = Duration::from_secs(5);

fn world() -> World {
    World::with(|name| {
        let numbers = json!([{"phone": TEST_PHONE, "code": "246810"}]);
        (name == "REVIEW_NUMBERS").then(|| numbers.to_string())
    })
}

fn introspect(world: &World, key: &str, token: &str) -> Answer {
    world.form("/oauth/introspect", &format!("token={token}")).bearer(key).send()
}

fn in_use(world: &World, key: &str) -> Value {
    let answer = world.get("/v1/api-key").bearer(key).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn exchange(world: &World, key: &str, provider: &str, token: &str) -> Answer {
    let body = json!({"credential": {"provider": provider, "token": token}, "platform": "ios"});
    world.post("/v1/one-tap/exchange", &body).bearer(key).send()
}

#[test]
fn a_key_says_what_it_may_do_and_did() {
    let world = world();
    let key = world.api_key("shop", &["token:introspect", "token:revoke", "of:tomorrow"]);
    let mut expected = json!({
        "name": "shop", "mode": "live", "scopes": ["token:introspect", "token:revoke", "of:tomorrow"],
        "limits": {"perMinute": 600, "perMonth": 1_000_000}, "usedThisMonth": 0, "usage": [],
    });
    assert_eq!(in_use(&world, &key), expected);
    introspect(&world, &key, "nonsense");
    introspect(&world, &key, "nonsense");
    // An answer that is an error is a call like any other.
    introspect(&world, &key, "").is_problem(400, "invalid_request");
    world.form("/oauth/revoke", "token=nonsense").bearer(&key).send();
    // What the key is not for is none: nor is asking about the key.
    world
        .get("/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/phone")
        .bearer(&key)
        .send()
        .is_problem(403, "forbidden");
    world.pass(DAY);
    introspect(&world, &key, "nonsense");
    expected["usedThisMonth"] = json!(5);
    expected["usage"] = json!([
        {"day": "2026-11-20", "scope": "token:introspect", "calls": 3, "refused": 0},
        {"day": "2026-11-20", "scope": "token:revoke", "calls": 1, "refused": 0},
        {"day": "2026-11-21", "scope": "token:introspect", "calls": 1, "refused": 0},
    ]);
    assert_eq!(in_use(&world, &key), expected);

    let other = world.api_key_of("other", &[], Mode::Test, [Some(7), Some(70)]);
    let view = in_use(&world, &other);
    assert_eq!((&view["mode"], &view["scopes"]), (&json!("test"), &json!([])));
    assert_eq!(view["limits"], json!({"perMinute": 7, "perMonth": 70}));
    world.get("/v1/api-key").send().is_problem(401, "unauthenticated");
}

#[test]
fn noise_costs_no_look_up() {
    let world = world();
    for noise in
        ["oak_short", "oak_test_short", "oak_test_", "eyJ.eyJ.sig", &format!("oak_live_{}", "A".repeat(43))]
    {
        world.faults.take_trace();
        world.get("/v1/api-key").bearer(noise).send().is_problem(401, "unauthenticated");
        introspect(&world, noise, "nonsense").is_problem(401, "unauthenticated");
        let calls = world.faults.take_trace();
        assert!(!calls.contains(&Port::ApiKeys) && !calls.contains(&Port::Counter), "{calls:?}");
    }
}

#[test]
fn so_many_calls_a_minute_then_a_wait_that_ends() {
    let world = world();
    let key = world.api_key_of("shop", &["token:introspect"], Mode::Live, [Some(3), None]);
    for _ in 0..3 {
        assert_eq!(introspect(&world, &key, "nonsense").status, 200);
    }
    let full = introspect(&world, &key, "nonsense");
    full.is_problem(429, "rate_limited");
    let wait = full.body["retryAfter"].as_u64().unwrap();
    assert_eq!(full.headers["retry-after"], wait.to_string());
    assert!((60..=65).contains(&wait), "{wait}");
    world.pass(Duration::from_secs(wait - 1));
    introspect(&world, &key, "nonsense").is_problem(429, "rate_limited");
    world.pass(Duration::from_secs(1));
    assert_eq!(introspect(&world, &key, "nonsense").status, 200);
    let view = in_use(&world, &key);
    assert_eq!((&view["usedThisMonth"], &view["usage"][0]["refused"]), (&json!(4), &json!(2)));
    // Another key has room of its own.
    let other = world.api_key("other", &["token:introspect"]);
    assert_eq!(introspect(&world, &other, "nonsense").status, 200);
}

#[test]
fn so_many_calls_a_month_until_the_month_turns() {
    let world = world();
    let key = world.api_key_of("shop", &["token:introspect"], Mode::Live, [None, Some(5)]);
    for _ in 0..5 {
        assert_eq!(introspect(&world, &key, "nonsense").status, 200);
        world.pass(DAY);
    }
    let full = introspect(&world, &key, "nonsense");
    full.is_problem(429, "rate_limited");
    // 25 November, 04:00:00.123 UTC: to December it is five days and 20 hours.
    assert_eq!(full.body["retryAfter"], 5 * 86_400 + 20 * 3600);
    world.pass(5 * DAY + Duration::from_secs(20 * 3600 - 1));
    introspect(&world, &key, "nonsense").is_problem(429, "rate_limited");
    world.pass(Duration::from_secs(1));
    assert_eq!(introspect(&world, &key, "nonsense").status, 200);
    assert_eq!(in_use(&world, &key)["usedThisMonth"], 1);
}

#[test]
fn the_defaults_are_settings_of_the_deployment() {
    let world = World::with(|name| match name {
        "API_KEY_CALLS_PER_MINUTE" => Some("2".to_owned()),
        "API_KEY_CALLS_PER_MONTH" => Some("3".to_owned()),
        _ => None,
    });
    let key = world.api_key("shop", &["token:introspect"]);
    let statuses: Vec<u16> = (0..5)
        .map(|_| {
            world.pass(MINUTE / 2 + BUCKET);
            introspect(&world, &key, "nonsense").status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let problems = crate::world::configuration::problems(|name| match name {
        "API_KEY_CALLS_PER_MINUTE" => Some("0".to_owned()),
        "API_KEY_CALLS_PER_MONTH" => Some("2000000000".to_owned()),
        _ => None,
    });
    assert_eq!(
        problems,
        [
            "API_KEY_CALLS_PER_MINUTE must be a whole number from 1 to 30000",
            "API_KEY_CALLS_PER_MONTH must be a whole number from 1 to 1000000000"
        ]
    );
}

#[test]
fn calls_at_once_are_held_to_the_limit_and_all_are_counted() {
    let world = world();
    let key = world.api_key_of("shop", &["token:introspect"], Mode::Live, [Some(20), None]);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let call = || introspect(&world, &key, "nonsense").status;
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let with = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((with(200), with(429)), (20, 80));
    let view = in_use(&world, &key);
    assert_eq!((&view["usage"][0]["calls"], &view["usage"][0]["refused"]), (&json!(20), &json!(80)));
}

#[test]
fn who_cannot_be_counted_is_not_let_in() {
    let world = world();
    let login = world.login(PHONE).signed_in();
    let key = world.api_key("shop", &["token:introspect", "phone:read"]);
    let read = format!("/v1/accounts/{}/phone", login.text("/account/id"));
    for (broken, counted) in [(Broken::Before, 0), (Broken::AnswerLost, 1)] {
        world.faults.break_all(Port::Counter, broken);
        introspect(&world, &key, login.text("/session/accessToken")).is_problem(500, "internal");
        world.get(&read).bearer(&key).send().is_problem(500, "internal");
        world.get("/v1/api-key").bearer(&key).send().is_problem(500, "internal");
        world.faults.mend();
        assert!(world.back_office().audit.is_empty());
        assert_eq!(in_use(&world, &key)["usedThisMonth"], 2 * counted, "{broken:?}");
    }
}

#[test]
fn what_a_key_did_is_forgotten_after_two_months() {
    let world = world();
    let key = world.api_key("shop", &["token:introspect"]);
    introspect(&world, &key, "nonsense");
    world.pass(61 * DAY);
    world.run_alarms();
    assert_eq!(in_use(&world, &key)["usage"].as_array().unwrap().len(), 1);
    world.settle_within(2 * DAY);
    assert!(world.objects.stored().iter().all(|(name, _)| !name.starts_with("api_key.")));
    assert_eq!(in_use(&world, &key)["usage"], json!([]));
}

#[test]
fn a_test_key_exchanges_test_numbers_and_asks_no_provider() {
    let world = world();
    let key = world.test_key("staging", &["one_tap:exchange"]);
    world.faults.take_trace();
    // Again and again, with every provider.
    for provider in ["flash_v2", "flash_v1", "cmcc", "aliyun", "mobtech", "flash_v2"] {
        let answer = exchange(&world, &key, provider, &format!("test-+86{TEST_PHONE}"));
        assert_eq!(
            (answer.status, answer.body),
            (200, json!({"phone": format!("+86{TEST_PHONE}")})),
            "{provider}"
        );
    }
    let real = world.providers.token(PHONE);
    for token in [&format!("test-+86{PHONE}"), "test-", "test-nonsense", &format!("+86{TEST_PHONE}"), &real] {
        exchange(&world, &key, "cmcc", token).falls_back(422, "one_tap_rejected");
    }
    exchange(&world, &key, "no_such", "test-").is_problem(400, "invalid_request");
    exchange(&world, &key, "twilio", "test-").is_problem(400, "invalid_request");
    assert!(!world.faults.take_trace().contains(&Port::Http));
    assert_eq!(world.providers.times_seen(&real), 0);
    assert_eq!(in_use(&world, &key)["usedThisMonth"], 13);
    // What left is on record as ever.
    assert_eq!(world.back_office().audit.len(), 6);
    // And a live key does not take it.
    let live = world.api_key("shop", &["one_tap:exchange"]);
    exchange(&world, &live, "cmcc", &format!("test-+86{TEST_PHONE}")).falls_back(422, "one_tap_rejected");
}

#[test]
fn a_test_key_meets_nobody_but_test_numbers() {
    let world = world();
    let scopes = ["phone:read", "token:introspect", "token:revoke"];
    let (test, live) = (world.test_key("staging", &scopes), world.api_key("shop", &scopes));
    let (person, tester) = (world.login(PHONE).signed_in(), world.login(TEST_PHONE).signed_in());
    let path = |login: &Answer| format!("/v1/accounts/{}/phone", login.text("/account/id"));
    let revoke = |key: &str, token: &str| {
        world.form("/oauth/revoke", &format!("token={token}")).bearer(key).send().status
    };

    world.get(&path(&person)).bearer(&test).send().is_problem(404, "not_found");
    assert_eq!(world.get(&path(&person)).bearer(&live).send().status, 200);
    assert_eq!(world.get(&path(&tester)).bearer(&test).send().body["phone"], format!("+86{TEST_PHONE}"));
    assert_eq!(world.back_office().audit.len(), 2);

    for which in ["/session/accessToken", "/session/refreshToken"] {
        assert_eq!(introspect(&world, &test, person.text(which)).body, json!({"active": false}), "{which}");
        assert_eq!(revoke(&test, person.text(which)), 200);
        assert_eq!(introspect(&world, &live, person.text(which)).body["active"], true, "{which}");
        assert_eq!(introspect(&world, &test, tester.text(which)).body["active"], true, "{which}");
    }
    assert_eq!(revoke(&test, tester.text("/session/refreshToken")), 200);
    let over = introspect(&world, &test, tester.text("/session/accessToken"));
    assert_eq!(over.body, json!({"active": false}));
    assert_eq!(revoke(&test, "nonsense"), 200);
}
