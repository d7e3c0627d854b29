//! Who is signed in proves the number once more: what was long not proven may be her number by now.

use serde_json::{Value, json};

use super::{DAY, NUMBER, PASSWORD, account, bearer, log_in, ming, stays, used};
use crate::world::{
    Answer, World,
    client::{device, device_with},
};

fn number(world: &World) -> Value {
    let credential = json!({"provider": "cmcc", "token": world.providers.token(NUMBER)});
    json!({"type": "one_tap", "credential": credential})
}

fn prove(world: &World, login: &Answer) -> Answer {
    world.post("/v1/session/proof", &json!({"proof": number(world)})).bearer(bearer(login)).send()
}

fn set_password(world: &World, login: &Answer) -> Answer {
    let body = json!({"newPassword": "vlimp oster gandel", "numberProof": number(world)});
    world.put("/v1/account/password", &body).bearer(bearer(login)).send()
}

/// He has a name; days after he last proved the number somebody signs in with name and password on this device.
fn named(world: &World, days: u32, device: impl FnOnce(&Answer) -> Value) -> Answer {
    let first = ming(world);
    let name = json!({"username": "xiaoming"});
    let bound = world.post("/v1/account/identities/username", &name).bearer(bearer(&first)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    used(world, &first, 7);
    world.pass(DAY * days);
    log_in(world, "xiaoming", PASSWORD, &device(&first)).signed_in()
}

#[test]
fn on_a_new_device_it_proves_what_it_would_sign_in() {
    let world = World::new();
    let login = named(&world, 119, |_| device());
    assert_eq!(prove(&world, &login).status, 204);
    let other = World::new();
    let login = named(&other, 120, |_| device());
    prove(&other, &login).is_problem(403, "proof_failed");
    set_password(&other, &login).is_problem(403, "proof_failed");
    // Nor does it become younger by that: whoever has the number is asked.
    let same = other.put("/v1/account/phone", &json!({"numberProof": number(&other)}));
    assert_eq!(same.bearer(bearer(&login)).send().status, 204);
    other.settle_within(super::MINUTE);
    super::asked(&other);
}

#[test]
fn on_his_own_device_it_does_and_nobody_asks() {
    let world = World::new();
    let login = named(&world, 400, |first| device_with(super::device_token(first)));
    assert_eq!(prove(&world, &login).status, 204);
    assert_eq!(set_password(&world, &login).status, 204);
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let mut his = stays(&world, first, 120);
    his.body["session"] = super::refresh(&world, &his).body["session"].clone();
    assert_eq!(prove(&world, &his).status, 204, "{}", account(&his));
}
