//! One's own account: profile, export, fresh proof, deletion.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{
    Answer, World,
    client::{device, device_with, login_body},
    objects::Kind,
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
const DAY: Duration = Duration::from_secs(86_400);
/// README: a proof is fresh for so long.
const FRESH: Duration = Duration::from_secs(600);

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn get(world: &World, login: &Answer, path: &str) -> Answer {
    world.get(path).bearer(bearer(login)).send()
}

/// Refreshed so that the access token is good again; a refresh proves nothing.
fn later(world: &World, login: &Answer, time: Duration) -> Answer {
    world.pass(time);
    let body = json!({"refreshToken": login.text("/session/refreshToken")});
    world.post("/v1/session/refresh", &body).send()
}

fn username(world: &World, login: &Answer, name: &str) -> Answer {
    let path = "/v1/account/identities/username";
    world.post(path, &json!({"username": name})).bearer(bearer(login)).send()
}

fn prove(world: &World, login: &Answer, proof: &Value) -> Answer {
    world.post("/v1/session/proof", &json!({"proof": proof})).bearer(bearer(login)).send()
}

fn one_tap(world: &World, phone: &str) -> Value {
    json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": world.providers.token(phone)}})
}

#[test]
fn what_people_say_about_themselves_is_kept_sealed_and_shown_at_sign_in() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let profile = json!({"displayName": "小明", "avatarUrl": "https://cdn.example/1.png", "locale": "zh-CN"});
    assert_eq!(world.patch("/v1/account", &profile).bearer(bearer(&login)).send().status, 204);
    let shown = get(&world, &login, "/v1/account");
    for name in ["displayName", "avatarUrl", "locale"] {
        assert_eq!(shown.body[name], profile[name]);
    }
    assert_eq!(shown.body["phone"], "+86138****8000");
    assert_eq!(shown.body["id"], login.body["account"]["id"]);
    let again = world.login(PHONE).signed_in();
    assert_eq!(again.body["account"]["displayName"], "小明");
    assert_eq!(again.body["account"]["avatarUrl"], profile["avatarUrl"]);
    // One part changes, one goes, one stays.
    let change = json!({"displayName": "Xiaoming", "avatarUrl": null});
    assert_eq!(world.patch("/v1/account", &change).bearer(bearer(&login)).send().status, 204);
    let shown = get(&world, &login, "/v1/account").body;
    assert_eq!(shown["displayName"], "Xiaoming");
    assert_eq!((shown.get("avatarUrl"), &shown["locale"]), (None, &json!("zh-CN")));
    let stored = format!("{:?}", world.objects.stored());
    for secret in ["小明\"", "Xiaoming\"", "cdn.example"] {
        assert!(!stored.contains(secret), "{secret} in clear");
    }
    for (name, bad) in [
        ("displayName", json!("\u{7}")),
        ("avatarUrl", json!("http://x.example")),
        ("locale", json!("zh_CN")),
    ] {
        let answer = world.patch("/v1/account", &json!({name: bad})).bearer(bearer(&login)).send();
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], name);
    }
}

#[test]
fn a_stale_session_must_prove_itself_anew_and_is_told_how() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    assert_eq!(username(&world, &login, "XiaoMing").status, 204, "who has just signed in has proven it");
    let later = later(&world, &login, FRESH + Duration::from_secs(1));
    let unbind =
        |login: &Answer| world.delete("/v1/account/identities/username").bearer(bearer(login)).send();
    let refused = unbind(&later);
    refused.is_problem(403, "reauthentication_required");
    assert_eq!(refused.body["proofs"], json!(["one_tap", "number_check", "otp"]));
    get(&world, &later, "/v1/account/export").is_problem(403, "reauthentication_required");
    world.delete("/v1/account").bearer(bearer(&later)).send().is_problem(403, "reauthentication_required");
    // Somebody else's number proves nothing, and a code for signing in is none for this.
    prove(&world, &later, &one_tap(&world, OTHER)).is_problem(403, "proof_failed");
    let challenge = world.send_otp(PHONE).send().challenge();
    let code = world.phones.code(PHONE);
    let otp = |challenge: &str, code: &str| json!({"type": "otp", "challengeId": challenge, "code": code});
    prove(&world, &later, &otp(&challenge, &code)).is_problem(401, "otp_incorrect");
    unbind(&later).is_problem(403, "reauthentication_required");
    // A code that this session asked for.
    world.pass(Duration::from_secs(60));
    let ask = json!({"phone": PHONE, "purpose": "step_up", "device": device()});
    let challenge = world.post("/v1/otp/send", &ask).bearer(bearer(&later)).send().challenge();
    let code = world.phones.code(PHONE);
    let thief = world.login(OTHER).signed_in();
    prove(&world, &thief, &otp(&challenge, &code)).is_problem(401, "otp_incorrect");
    assert_eq!(prove(&world, &later, &otp(&challenge, &code)).status, 204);
    assert_eq!(unbind(&later).status, 204);
    // The carrier's word does as well.
    let later = self::later(&world, &later, FRESH + Duration::from_secs(1));
    get(&world, &later, "/v1/account/export").is_problem(403, "reauthentication_required");
    assert_eq!(prove(&world, &later, &one_tap(&world, PHONE)).status, 204);
    assert_eq!(get(&world, &later, "/v1/account/export").status, 200);
}

#[test]
fn an_export_holds_everything_and_only_ones_own() {
    let world = World::new();
    let stranger = world.login(OTHER).signed_in();
    let login = world.login(PHONE).signed_in();
    username(&world, &login, "xiaoming");
    world.patch("/v1/account", &json!({"displayName": "小明"})).bearer(bearer(&login)).send();
    let export = get(&world, &login, "/v1/account/export");
    assert_eq!(export.status, 200, "{}", export.body);
    let text = export.body.to_string();
    for mine in ["+8613800138000", "xiaoming", "小明", "小明的手机 Xiaoming", "signed_in"] {
        assert!(text.contains(mine), "{mine}");
    }
    for others in [OTHER, stranger.text("/account/id"), stranger.text("/device/id")] {
        assert!(!text.contains(others), "{others}");
    }
    for secret in [login.text("/device/token"), login.text("/session/refreshToken")] {
        assert!(!text.contains(secret), "a token");
    }
}

#[test]
fn a_deleted_account_is_closed_at_once_and_gone_after_the_grace() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    username(&world, &login, "xiaoming");
    world.run_alarms();
    let closed = world.delete("/v1/account").bearer(bearer(&login)).send();
    assert_eq!(closed.status, 202, "{}", closed.body);
    // 1. The ways in stop.
    world.login(PHONE).is_problem(403, "account_frozen");
    get(&world, &login, "/v1/account").is_problem(401, "unauthenticated");
    let refresh = json!({"refreshToken": login.text("/session/refreshToken")});
    world.post("/v1/session/refresh", &refresh).send().is_problem(401, "session_revoked");
    let key = world.api_key("support", &["account:restore", "phone:read"]);
    let account = login.text("/account/id");
    world.get(&format!("/v1/accounts/{account}/phone")).bearer(&key).send().is_problem(404, "not_found");
    // 2. Within the grace somebody else can have neither its number nor its name.
    world.pass(14 * DAY);
    world.login(PHONE).is_problem(403, "account_frozen");
    let other = world.login(OTHER).signed_in();
    username(&world, &other, "xiaoming").is_problem(409, "identity_in_use");
    // 3. After it nothing is left but who held the identifiers, by keyed digest.
    world.pass(DAY);
    world.run_alarms();
    assert!(!world.objects.states(Kind::Account).contains_key(account));
    assert!(world.back_office().accounts.keys().all(|known| known.to_string() != account));
    let new = world.login(PHONE).signed_in();
    assert_eq!(new.body["account"]["isNew"], true);
    assert_ne!(new.text("/account/id"), account);
    let other = world.login(OTHER).signed_in();
    assert_eq!(username(&world, &other, "xiaoming").status, 204);
    world.run_alarms();
    let mentions: Vec<String> = world
        .objects
        .stored()
        .into_iter()
        .filter(|(_, json)| json.contains(account))
        .map(|(name, _)| name)
        .collect();
    assert!(
        mentions.iter().all(|name| name.starts_with("phone.") || name.starts_with("username.")),
        "{mentions:?}"
    );
    assert_eq!(mentions.len(), 2);
}

#[test]
fn support_can_take_a_deletion_back_within_the_grace() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.delete("/v1/account").bearer(bearer(&login)).send();
    let path = format!("/v1/accounts/{}/restore", login.text("/account/id"));
    let other = world.api_key("other", &["phone:read"]);
    world.post(&path, &json!({})).bearer(&other).send().is_problem(403, "forbidden");
    let key = world.api_key("support", &["account:restore"]);
    assert_eq!(world.post(&path, &json!({})).bearer(&key).send().status, 204);
    world.post(&path, &json!({})).bearer(&key).send().is_problem(404, "not_found");
    world.pass(20 * DAY);
    world.run_alarms();
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["device"] = device_with(login.text("/device/token"));
    let again = world.post("/v1/one-tap/login", &body).send().signed_in();
    assert_eq!(again.body["account"]["id"], login.body["account"]["id"]);
    assert_eq!(again.body["device"]["id"], login.body["device"]["id"]);
    let actions: Vec<&str> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["account.restore", "account.restore"]);
}
