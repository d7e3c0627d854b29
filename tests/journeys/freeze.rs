//! A frozen account: nobody is in, nobody gets in, until it is let go on.

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
