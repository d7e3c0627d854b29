//! What backends ask about tokens (RFC 7662), and take back (RFC 7009): the cases of the two, one by one.

use std::time::Duration;

use serde_json::json;

use crate::world::{Answer, Broken, Port, World};

const PHONE: &str = "13800138000";

fn world() -> (World, Answer, String) {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let key = world.api_key("shop", &["token:introspect", "token:revoke"]);
    (world, login, key)
}

fn introspect(world: &World, key: &str, token: &str) -> Answer {
    world.form("/oauth/introspect", &format!("token={token}")).bearer(key).send()
}

fn revoke(world: &World, key: &str, form: &str) -> Answer {
    world.form("/oauth/revoke", form).bearer(key).send()
}

#[test]
fn a_good_access_token_says_what_it_is() {
    let (world, login, key) = world();
    let answer = introspect(&world, &key, login.text("/session/accessToken"));
    assert_eq!((answer.status, &answer.body["active"]), (200, &json!(true)));
    assert_eq!(answer.body["sub"], login.body["account"]["id"]);
    assert_eq!(answer.body["sid"], login.body["session"]["id"]);
    assert_eq!(answer.body["did"], login.body["device"]["id"]);
    assert_eq!(answer.body["iss"], "https://login.example");
    for name in ["client_id", "aud"] {
        assert_eq!(answer.body[name], "default");
    }
    assert_eq!((&answer.body["token_type"], &answer.body["amr"]), (&json!("Bearer"), &json!(["one_tap"])));
    let seconds = answer.body["exp"].as_i64().unwrap() - answer.body["iat"].as_i64().unwrap();
    assert_eq!(seconds, 600);
    assert!(answer.body["jti"].is_string());
    assert!(!answer.body.to_string().contains(PHONE));
}

#[test]
fn a_refresh_token_is_good_in_its_newest_generation() {
    let (world, login, key) = world();
    let first = login.text("/session/refreshToken");
    let answer = introspect(&world, &key, first);
    assert_eq!((&answer.body["active"], &answer.body["token_type"]), (&json!(true), &json!("refresh_token")));
    let next = world.post("/v1/session/refresh", &json!({"refreshToken": first})).send();
    assert_eq!(introspect(&world, &key, first).body, json!({"active": false}));
    assert_eq!(introspect(&world, &key, next.text("/session/refreshToken")).body["active"], true);
    // To ask is not to use: the token can still be traded.
    assert_eq!(
        world
            .post("/v1/session/refresh", &json!({"refreshToken": next.text("/session/refreshToken")}))
            .send()
            .status,
        200
    );
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_inactive_and_nothing_else() {
    let (world, login, key) = world();
    let access = login.text("/session/accessToken").to_owned();
    let (over, live) = (world.login(PHONE).signed_in(), login.text("/session/refreshToken"));
    world.delete("/v1/session").bearer(over.text("/session/accessToken")).send();
    let forged = access.replacen(".eyJ", ".fyJ", 1);
    let device = login.text("/device/token");
    for token in [
        "nonsense",
        "ort_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        &forged,
        device,
        over.text("/session/accessToken"),
        over.text("/session/refreshToken"),
    ] {
        let answer = introspect(&world, &key, token);
        assert_eq!((answer.status, answer.body), (200, json!({"active": false})), "{token}");
    }
    world.pass(Duration::from_secs(600));
    assert_eq!(introspect(&world, &key, &access).body, json!({"active": false}));
    assert_eq!(introspect(&world, &key, live).body["active"], true);
    world.pass(Duration::from_secs(31 * 86_400));
    assert_eq!(introspect(&world, &key, live).body, json!({"active": false}));
}

#[test]
fn forged_tokens_cause_no_call() {
    let (world, login, key) = world();
    world.faults.take_trace();
    let forged = login.text("/session/refreshToken").replacen("ort_", "ort_A", 1);
    introspect(&world, &key, &forged);
    revoke(&world, &key, &format!("token={forged}"));
    world
        .post("/v1/session/refresh", &json!({"refreshToken": forged}))
        .send()
        .is_problem(401, "session_revoked");
    let calls = world.faults.take_trace();
    assert!(!calls.contains(&Port::Account), "{calls:?}");
}

#[test]
fn only_who_may_ask_is_answered() {
    let (world, login, key) = world();
    let token = login.text("/session/accessToken");
    world.form("/oauth/introspect", &format!("token={token}")).send().is_problem(401, "unauthenticated");
    introspect(&world, token, token).is_problem(401, "unauthenticated");
    let other = world.api_key("other", &["phone:read"]);
    introspect(&world, &other, token).is_problem(403, "forbidden");
    revoke(&world, &other, &format!("token={token}")).is_problem(403, "forbidden");
    // What is no such request.
    introspect(&world, &key, "").is_problem(400, "invalid_request");
    let json = world.post("/oauth/introspect", &json!({"token": token})).bearer(&key).send();
    json.is_problem(415, "unsupported_media_type");
    let long = introspect(&world, &key, &"a".repeat(5000));
    long.is_problem(400, "invalid_request");
    world.get("/oauth/introspect").bearer(&key).send().is_problem(405, "method_not_allowed");
}

#[test]
fn errors_have_the_member_that_oauth_clients_look_for() {
    let (world, login, key) = world();
    let token = login.text("/session/accessToken");
    let other = world.api_key("other", &["phone:read"]);
    assert_eq!(introspect(&world, &key, "").body["error"], "invalid_request");
    assert_eq!(introspect(&world, token, token).body["error"], "invalid_client");
    assert_eq!(revoke(&world, &other, &format!("token={token}")).body["error"], "unauthorized_client");
    world.faults.break_all(Port::Account, Broken::Before);
    assert_eq!(revoke(&world, &key, &format!("token={token}")).body["error"], "temporarily_unavailable");
    assert_eq!(world.get("/v1/session").send().body.get("error"), None);
}

#[test]
fn a_hint_that_is_wrong_does_not_stop_the_search() {
    let (world, login, key) = world();
    for hint in ["access_token", "refresh_token", "pay_token"] {
        for token in ["accessToken", "refreshToken"] {
            let token = login.text(&format!("/session/{token}"));
            let form = format!("token_type_hint={hint}&token={token}");
            let answer = world.form("/oauth/introspect", &form).bearer(&key).send();
            assert_eq!(answer.body["active"], true, "{hint}");
        }
    }
}

#[test]
fn a_key_of_one_app_has_nothing_to_do_with_the_sessions_of_another() {
    let world = World::with(|name| (name == "APPS").then(|| "default,shop".to_owned()));
    let login = world.login("13800138000").signed_in();
    let key = world.api_key("shop", &["token:introspect", "token:revoke", "one_tap:exchange"]);
    for stored in world.back_office().api_keys.values_mut() {
        stored.apps = Some(vec!["shop".to_owned()]);
    }
    for token in ["accessToken", "refreshToken"] {
        let token = login.text(&format!("/session/{token}"));
        assert_eq!(introspect(&world, &key, token).body, json!({"active": false}));
        assert_eq!(revoke(&world, &key, &format!("token={token}")).status, 200);
    }
    let body = json!({"refreshToken": login.text("/session/refreshToken")});
    assert_eq!(world.post("/v1/session/refresh", &body).send().status, 200);
    let credential = json!({"provider": "cmcc", "token": world.providers.token("13800138000")});
    let exchange = json!({"credential": credential, "platform": "ios"});
    world.post("/v1/one-tap/exchange", &exchange).bearer(&key).send().is_problem(403, "forbidden");
}

#[test]
fn a_token_that_is_taken_back_ends_its_session() {
    for which in ["accessToken", "refreshToken"] {
        // A wrong hint does not stop the search.
        for hint in
            ["", "&token_type_hint=refresh_token", "&token_type_hint=access_token", "&token_type_hint=pat"]
        {
            let (world, login, key) = world();
            let token = login.body["session"][which].as_str().unwrap();
            let answer = revoke(&world, &key, &format!("token={token}{hint}"));
            assert_eq!(answer.status, 200, "{which} {hint}");
            for name in ["accessToken", "refreshToken"] {
                let token = login.body["session"][name].as_str().unwrap();
                assert_eq!(introspect(&world, &key, token).body, json!({"active": false}));
            }
            // Once more, and what never was: taken back already.
            assert_eq!(revoke(&world, &key, &format!("token={token}")).status, 200);
        }
    }
    let (world, _, key) = world();
    assert_eq!(revoke(&world, &key, "token=nonsense").status, 200);
    revoke(&world, &key, "").is_problem(400, "invalid_request");
}

#[test]
fn while_nobody_knows_the_token_may_still_be_good() {
    let (world, login, key) = world();
    world.faults.break_all(Port::Account, Broken::Before);
    let answer = revoke(&world, &key, &format!("token={}", login.text("/session/accessToken")));
    answer.is_problem(503, "try_again");
    assert_eq!(answer.headers["retry-after"], "1");
    introspect(&world, &key, login.text("/session/accessToken")).is_problem(500, "internal");
}
