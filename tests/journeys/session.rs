//! Sessions: who am I, refresh, and their ends.

use std::time::Duration;

use serde_json::json;

use super::login::claims;
use crate::world::{
    Answer, Broken, Port, START, World,
    client::{device_with, login_body},
};

const PHONE: &str = "13800138000";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn refresh(world: &World, token: &str) -> Answer {
    world.post("/v1/session/refresh", &json!({"refreshToken": token})).send()
}

fn refreshed(world: &World, token: &str) -> String {
    let answer = refresh(world, token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("/session/refreshToken").to_owned()
}

fn who_am_i(world: &World, login: &Answer, path: &str) -> Answer {
    world.get(path).bearer(login.text("/session/accessToken")).send()
}

#[test]
fn who_am_i_asks_nobody_unless_it_must_be_fresh() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.faults.take_trace();
    let answer = who_am_i(&world, &login, "/v1/session");
    assert_eq!(
        answer.body,
        json!({
            "account": {"id": login.text("/account/id")},
            "session": {"id": login.text("/session/id"), "expiresAt": "2026-11-20T04:10:00Z"},
            "device": {"id": login.text("/device/id")},
            "app": "default", "amr": ["one_tap"], "authTime": "2026-11-20T04:00:00Z"
        })
    );
    assert_eq!(world.faults.take_trace(), [Port::Entropy, Port::AddressLimiter]);

    assert_eq!(who_am_i(&world, &login, "/v1/session?fresh=true").body, answer.body);
    assert_eq!(world.faults.take_trace(), [Port::Entropy, Port::AddressLimiter, Port::Account]);
}

#[test]
fn an_access_token_dies_after_ten_minutes() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.pass(MINUTE * 10 - Duration::from_secs(1));
    assert_eq!(who_am_i(&world, &login, "/v1/session").status, 200);
    world.pass(Duration::from_secs(1));
    let answer = who_am_i(&world, &login, "/v1/session");
    answer.is_problem(401, "unauthenticated");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
}

#[test]
fn what_is_no_access_token_of_ours_is_refused() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let elsewhere = World::with(|name| (name == "ISSUER").then(|| "https://other.example".to_owned()));
    let foreign = elsewhere.login(PHONE).signed_in();
    let genuine = login.text("/session/accessToken");
    let tampered = genuine.replacen(".eyJ", ".fyJ", 1);
    let tokens =
        [foreign.text("/session/accessToken"), &tampered, login.text("/session/refreshToken"), "", "a.b.c"];
    for token in tokens {
        world.get("/v1/session").bearer(token).send().is_problem(401, "unauthenticated");
    }
    world.get("/v1/session").send().is_problem(401, "unauthenticated");
    world.get("/v1/session").header("authorization", genuine).send().is_problem(401, "unauthenticated");
}

#[test]
fn refresh_hands_out_the_next_pair() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.pass(MINUTE * 9);
    let answer = refresh(&world, login.text("/session/refreshToken"));
    let session = &answer.body["session"];
    assert_eq!(session["id"], login.text("/session/id"));
    assert_eq!((&session["tokenType"], &session["expiresIn"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(session["refreshExpiresIn"], 2_592_000);
    assert_ne!(session["refreshToken"], login.text("/session/refreshToken"));

    let claims = claims(answer.text("/session/accessToken"));
    assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(START.secs() + 540), &json!(START.secs())));
    assert_eq!(claims["did"], login.text("/device/id"));
}

#[test]
fn a_lost_answer_and_a_second_tab_get_the_same_successor() {
    let world = World::new();
    let first = world.login(PHONE).signed_in().text("/session/refreshToken").to_owned();
    let second = refreshed(&world, &first);
    world.pass(MINUTE);
    assert_eq!(refreshed(&world, &first), second);
    // The account answered, but the answer was lost inside.
    world.faults.break_call(Port::Account, 0, Broken::AnswerLost);
    refresh(&world, &second).is_problem(500, "internal");
    let third = refreshed(&world, &second);
    assert_ne!(third, second);
}

#[test]
fn reuse_after_the_grace_ends_the_session_for_both() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let stolen = login.text("/session/refreshToken");
    let next = refreshed(&world, stolen);
    world.pass(MINUTE + Duration::from_millis(1));
    refresh(&world, stolen).is_problem(401, "session_revoked");
    refresh(&world, &next).is_problem(401, "session_revoked");
    // The access token lives out its minutes, unless somebody asks.
    assert_eq!(who_am_i(&world, &login, "/v1/session").status, 200);
    who_am_i(&world, &login, "/v1/session?fresh=true").is_problem(401, "unauthenticated");
}

#[test]
fn a_session_ends_after_thirty_idle_days() {
    let world = World::new();
    let token = world.login(PHONE).signed_in().text("/session/refreshToken").to_owned();
    world.pass(DAY * 30 - Duration::from_secs(1));
    let token = refreshed(&world, &token);
    world.pass(DAY * 30);
    refresh(&world, &token).is_problem(401, "session_expired");
}

#[test]
fn a_session_ends_after_half_a_year_however_busy() {
    let world = World::new();
    let mut token = world.login(PHONE).signed_in().text("/session/refreshToken").to_owned();
    for _ in 0..17 {
        world.pass(DAY * 10);
        token = refreshed(&world, &token);
    }
    // What is handed out never promises more than is left.
    world.pass(DAY * 10 - MINUTE);
    let last = refresh(&world, &token);
    let session = &last.body["session"];
    assert_eq!((&session["expiresIn"], &session["refreshExpiresIn"]), (&json!(60), &json!(60)));
    world.pass(MINUTE);
    refresh(&world, last.text("/session/refreshToken")).is_problem(401, "session_expired");
}

#[test]
fn forged_refresh_tokens_die_without_asking_anybody() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let genuine = login.text("/session/refreshToken");
    let changed = format!("{}x", &genuine[..genuine.len() - 1]);
    world.faults.take_trace();
    for token in [changed.as_str(), "ort_", "x", login.text("/device/token")] {
        refresh(&world, token).is_problem(401, "session_revoked");
    }
    assert!(!world.faults.take_trace().contains(&Port::Account));
}

#[test]
fn the_hundred_and_first_session_pushes_out_the_one_unused_for_longest() {
    let world = World::new();
    let first = world.login(PHONE).signed_in();
    let again = || {
        let mut body = login_body("cmcc", &world.providers.token(PHONE));
        body["device"] = device_with(first.text("/device/token"));
        world.post("/v1/one-tap/login", &body).send().signed_in()
    };
    world.pass(MINUTE);
    let second = again();
    world.pass(MINUTE);
    refreshed(&world, first.text("/session/refreshToken"));
    for _ in 0..99 {
        again();
    }
    assert_eq!(who_am_i(&world, &first, "/v1/session?fresh=true").status, 200);
    who_am_i(&world, &second, "/v1/session?fresh=true").is_problem(401, "unauthenticated");
}
