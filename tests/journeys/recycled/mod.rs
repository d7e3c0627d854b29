//! When the number is sold to somebody else: Xiao Ming gave his up, Xiao Hong bought it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{
    Answer, World,
    client::{device, device_with},
};

mod action;
pub(super) mod appeals;
mod asked;
mod cases;
mod closed;
mod evidence;
mod friends;
mod in_session;
mod in_use;
mod mine;
mod not_mine;
pub(super) mod objections;
mod questions;
mod sequences;
mod simulation;
mod told;

/// The number that was his and is hers.
pub(super) const NUMBER: &str = "13800138000";
pub(super) const PASSWORD: &str = "tnrkx-qumbelhof";
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// Long enough for a number to be sold again.
pub(super) const SOLD_AGAIN: Duration = Duration::from_secs(120 * 86_400);

/// Xiao Ming has an account with his number, a name and a password.
pub(super) fn ming(world: &World) -> Answer {
    let login = world.login(NUMBER).signed_in();
    let name = json!({"displayName": "小明同学"});
    assert_eq!(world.patch("/v1/account", &name).bearer(bearer(&login)).send().status, 204);
    set_password(world, &login, PASSWORD);
    world.settle_within(MINUTE);
    login
}

/// Proves by the password, in a session that goes on, who it is.
pub(super) fn set_proven(world: &World, login: &mut Answer) {
    login.body["session"] = refresh(world, login).body["session"].clone();
    let proof = json!({"proof": {"type": "password", "password": PASSWORD}});
    let proven = world.post("/v1/session/proof", &proof).bearer(bearer(login)).send();
    assert_eq!(proven.status, 204, "{}", proven.body);
}

pub(super) fn set_password(world: &World, login: &Answer, password: &str) {
    let body = json!({"newPassword": password});
    let set = world.put("/v1/account/password", &body).bearer(bearer(login)).send();
    assert_eq!(set.status, 204, "{}", set.body);
}

/// Uses a device on so many days, so that the account comes to know it.
pub(super) fn used(world: &World, login: &Answer, days: u64) -> Answer {
    let token = device_token(login).to_owned();
    let mut login = None;
    for _ in 0..days {
        world.pass(DAY);
        login = Some(on(world, &token).signed_in());
    }
    world.settle_within(MINUTE);
    login.unwrap()
}

/// He goes on using his phone for so many days, without ever proving the number again.
pub(super) fn stays(world: &World, login: Answer, days: u32) -> Answer {
    let mut login = login;
    for _ in 0..days / 10 {
        world.pass(DAY * 10);
        let refreshed = refresh(world, &login);
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        login.body["session"] = refreshed.body["session"].clone();
    }
    world.settle_within(MINUTE);
    login
}

/// Whoever has the number signs in on a device that has this token.
pub(super) fn on(world: &World, token: &str) -> Answer {
    let token_of_sim = world.providers.token(NUMBER);
    let credential = json!({"provider": "cmcc", "token": token_of_sim});
    world.post("/v1/one-tap/login", &json!({"credential": credential, "device": device_with(token)})).send()
}

/// Whoever has the number signs in on a new device, and is asked whose account it is.
pub(super) fn asked(world: &World) -> Answer {
    let asked = world.login(NUMBER);
    let said = (&asked.body["status"], &asked.body["reason"]);
    assert_eq!(said, (&json!("step_up_required"), &json!("number_may_be_recycled")), "{}", asked.body);
    asked
}

/// A step at a ticket.
pub(super) fn step(world: &World, held: &Answer, step: &str, more: Value) -> Answer {
    let mut body = more;
    body["ticket"] = json!(held.text("/ticket"));
    body["device"] = device();
    body["device"]["token"] = json!(held.text("/device/token"));
    world.post(&format!("/v1/step-up/{step}"), &body).header("accept-language", "zh-CN").send()
}

pub(super) fn claim(world: &World, held: &Answer, choice: &str) -> Answer {
    step(world, held, "claim", json!({"choice": choice}))
}

pub(super) fn by_password(world: &World, held: &Answer, password: &str) -> Answer {
    step(world, held, "complete", json!({"method": "password", "password": password}))
}

pub(super) fn log_in(world: &World, identifier: &str, password: &str, device: &Value) -> Answer {
    let body = json!({"identifier": identifier, "password": password, "device": device});
    world.post("/v1/password/login", &body).send()
}

pub(super) fn account(login: &Answer) -> &str {
    login.text("/account/id")
}

pub(super) fn device_token(login: &Answer) -> &str {
    login.text("/device/token")
}

pub(super) fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

/// The account as its owner sees it, in a session that goes on.
pub(super) fn own(world: &World, login: &Answer) -> Value {
    let own = world.get("/v1/account").bearer(&fresh_access(world, login)).send();
    assert_eq!(own.status, 200, "{}", own.body);
    own.body
}

/// An access token of a session that was not used for a while.
pub(super) fn fresh_access(world: &World, login: &Answer) -> String {
    let refreshed = refresh(world, login);
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    refreshed.text("/session/accessToken").to_owned()
}

pub(super) fn refresh(world: &World, login: &Answer) -> Answer {
    let token = json!({"refreshToken": login.text("/session/refreshToken")});
    world.post("/v1/session/refresh", &token).send()
}
