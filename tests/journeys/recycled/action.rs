//! An app asks who is signed in for a proof, before an action of its own.

use serde_json::json;

use super::{NUMBER, PASSWORD, account, bearer, device_token, ming, step};
use crate::{
    login::claims,
    world::{Answer, World},
};

fn ask(world: &World, login: &Answer, purpose: &str, strength: u8) -> Answer {
    let body = json!({"purpose": purpose, "minStrength": strength});
    let mut asked = world.post("/v1/step-up", &body).bearer(bearer(login)).send();
    // The device has its token.
    asked.body["device"] = json!({"token": device_token(login)});
    asked
}

fn complete(world: &World, asked: &Answer, password: &str) -> Answer {
    step(world, asked, "complete", json!({"method": "password", "password": password}))
}

#[test]
fn what_was_proven_and_for_what_stands_in_the_next_access_token() {
    let world = World::new();
    let login = ming(&world);
    let before = claims(bearer(&login));
    assert_eq!(before.get("step_up"), None);
    let asked = ask(&world, &login, "transfer:42", 2);
    assert_eq!((asked.status, &asked.body["status"]), (200, &json!("step_up_required")), "{}", asked.body);
    assert_eq!((&asked.body["reason"], &asked.body["need"]), (&json!("risk"), &json!(2)));
    assert_eq!(asked.body["methods"], json!([{"method": "password", "strength": 2}]));
    complete(&world, &asked, "wrong").is_problem(403, "proof_failed");
    let proven = complete(&world, &asked, PASSWORD).signed_in();
    assert_eq!(
        (account(&proven), proven.text("/session/id")),
        (account(&login), login.text("/session/id")),
        "the same session"
    );
    assert_eq!(proven.body["account"]["isNew"], false, "although it is the session by which he came first");
    let claims = claims(bearer(&proven));
    assert_eq!(
        (&claims["step_up"]["purpose"], &claims["step_up"]["strength"], &claims["step_up"]["methods"]),
        (&json!("transfer:42"), &json!(2), &json!(["password"]))
    );
    assert_eq!(claims["amr"], json!(["one_tap", "step_up"]));
    let key = world.api_key("backend", &["token:introspect"]);
    let token = format!("token={}", bearer(&proven));
    let seen = world.form("/oauth/introspect", &token).bearer(&key).send();
    assert_eq!(seen.body["step_up"], claims["step_up"], "{}", seen.body);
    // A repeat whose answer was lost finds the same; another purpose begins anew.
    complete(&world, &asked, PASSWORD).signed_in();
    let other = ask(&world, &login, "close", 2);
    assert_ne!(other.text("/ticket"), asked.text("/ticket"));
    complete(&world, &asked, PASSWORD).is_problem(410, "ticket_invalid");
}

#[test]
fn it_takes_a_session_that_goes_on_and_a_strength_that_there_is() {
    let world = World::new();
    let login = ming(&world);
    let asked = ask(&world, &login, "transfer", 2);
    world
        .post("/v1/step-up", &json!({"purpose": "a", "minStrength": 2}))
        .send()
        .is_problem(401, "unauthenticated");
    for (purpose, strength) in
        [("", json!(2)), ("a b", json!(2)), ("a", json!(0)), ("a", json!(4)), ("a", json!("2"))]
    {
        let body = json!({"purpose": purpose, "minStrength": strength});
        let refused = world.post("/v1/step-up", &body).bearer(bearer(&login)).send();
        refused.is_problem(400, "invalid_request");
    }
    let out = world.delete("/v1/session").bearer(bearer(&login)).send();
    assert_eq!(out.status, 204);
    complete(&world, &asked, PASSWORD).is_problem(410, "ticket_invalid");
}

#[test]
fn nobody_approves_what_they_ask_for_themselves() {
    let world = World::new();
    let first = ming(&world);
    let path = format!("/v1/devices/{}", first.text("/device/id"));
    assert_eq!(world.patch(&path, &json!({"trusted": true})).bearer(bearer(&first)).send().status, 204);
    let alone = ask(&world, &first, "transfer", 3);
    assert_eq!(alone.body["methods"], json!([]), "the only trusted device is the one that asks");
    let second = world.login(NUMBER).signed_in();
    let asked = ask(&world, &second, "transfer", 3);
    assert_eq!(asked.body["methods"][0]["method"], "device_approval", "{}", asked.body);
    let shown = step(&world, &asked, "start", json!({"method": "device_approval"}));
    let list = world.get("/v1/approvals").bearer(bearer(&first)).send();
    let id = list.body["approvals"][0]["id"].as_str().unwrap_or_else(|| panic!("{}", list.body));
    let yes = json!({"decision": "approve", "match": shown.text("/approval/match")});
    let answered = world.post(&format!("/v1/approvals/{id}"), &yes).bearer(bearer(&first)).send();
    assert_eq!(answered.status, 204, "{}", answered.body);
    let proven = step(&world, &asked, "complete", json!({"method": "device_approval"})).signed_in();
    assert_eq!(claims(bearer(&proven))["step_up"]["strength"], 3);
}

#[test]
fn who_knows_the_password_is_asked_for_it_as_often_as_the_app_likes() {
    let world = World::new();
    let mut login = ming(&world);
    for nth in 0..7 {
        let asked = ask(&world, &login, &format!("payment:{nth}"), 2);
        let proven = complete(&world, &asked, PASSWORD).signed_in();
        login.body["session"] = proven.body["session"].clone();
    }
}

#[test]
fn what_others_may_know_makes_no_session_fresh() {
    let world = World::new();
    let key = world.api_key("importer", &["account:import"]);
    let line = json!({"externalId": "7", "phone": NUMBER, "phoneProvenAt": "2026-11-19T04:00:00Z",
        "realName": {"state": "verified", "name": "王小明", "idNumber": "11010519491231002X"}});
    let mut import =
        world.post("/v1/import", &json!({})).bearer(&key).header("content-type", "application/x-ndjson");
    import.set_body(line.to_string().as_bytes());
    assert_eq!(import.send().body["imported"], 1);
    let mut login = world.login(NUMBER).signed_in();
    let token = device_token(&login).to_owned();
    world.pass(std::time::Duration::from_secs(700));
    login.body["session"] = super::refresh(&world, &login).body["session"].clone();
    login.body["device"] = json!({"token": token});
    let asked = ask(&world, &login, "look", 1);
    let by_name = json!({"method": "name_id", "name": "王小明", "idNumber": "11010519491231002X"});
    let proven = step(&world, &asked, "complete", by_name).signed_in();
    let said = claims(bearer(&proven));
    assert_eq!((&said["step_up"]["strength"], &said["amr"]), (&json!(1), &json!(["one_tap"])));
    let body = json!({"newPassword": PASSWORD});
    let set = world.put("/v1/account/password", &body).bearer(bearer(&proven)).send();
    set.is_problem(403, "reauthentication_required");
}
