//! What those who help people do with an account: freeze it, see to its login protection.

use serde_json::json;

use crate::world::World;

const PHONE: &str = "13800138000";

#[test]
fn a_frozen_account_is_closed_until_it_is_let_go_on() {
    let world = World::new();
    let (login, other) = (world.login(PHONE).signed_in(), world.login("13900139000").signed_in());
    let key = world.api_key("support", &["account:freeze"]);
    let reader = world.api_key("reader", &["phone:read"]);
    let path = format!("/v1/accounts/{}/freeze", login.text("/account/id"));
    let freeze = |key: &str, frozen: bool| world.put(&path, &json!({"frozen": frozen})).bearer(key).send();
    freeze(&reader, true).is_problem(403, "forbidden");
    world.put(&path, &json!({"frozen": true})).send().is_problem(401, "unauthenticated");
    world.put(&path, &json!({})).bearer(&key).send().is_problem(400, "invalid_request");
    assert_eq!(freeze(&key, true).status, 204);
    let refresh = |login: &crate::world::Answer| {
        world
            .post("/v1/session/refresh", &json!({"refreshToken": login.text("/session/refreshToken")}))
            .send()
    };
    refresh(&login).is_problem(403, "account_frozen");
    world.login(PHONE).is_problem(403, "account_frozen");
    let bearer = login.text("/session/accessToken");
    world.get("/v1/session?fresh=true").bearer(bearer).send().is_problem(401, "unauthenticated");
    world.get("/v1/devices").bearer(bearer).send().is_problem(401, "unauthenticated");
    assert_eq!(refresh(&other).status, 200);

    assert_eq!(freeze(&key, false).status, 204);
    refresh(&login).is_problem(401, "session_revoked");
    let back = world.login(PHONE).signed_in();
    assert_eq!(back.text("/account/id"), login.text("/account/id"));
    let unknown = path.replace(login.text("/account/id"), &format!("acc_{}", "a".repeat(26)));
    world.put(&unknown, &json!({"frozen": true})).bearer(&key).send().is_problem(404, "not_found");
    let actions: Vec<_> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["account.freeze", "account.unfreeze", "account.freeze"]);
}

#[test]
fn who_has_lost_the_only_trusted_device_is_helped() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    let bearer = owner.text("/session/accessToken");
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(on.status, 204);
    assert_eq!(world.login(PHONE).body["status"], "step_up_required");
    let path = format!("/v1/accounts/{}/login-protection", owner.text("/account/id"));
    let off = |key: &str| world.put(&path, &json!({"enabled": false})).bearer(key).send();
    off(&world.api_key("freezer", &["account:freeze"])).is_problem(403, "forbidden");
    // Nobody's account but those of test numbers is there for a test key.
    off(&world.test_key("test", &["account:protect"])).is_problem(404, "not_found");
    let freeze = path.replace("login-protection", "freeze");
    let frozen = world.put(&freeze, &json!({"frozen": true}));
    frozen.bearer(&world.test_key("test freezer", &["account:freeze"])).send().is_problem(404, "not_found");
    assert_eq!(off(&world.api_key("support", &["account:protect"])).status, 204);
    world.login(PHONE).signed_in();
    let actions: Vec<_> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["account.unprotect"]);
}
