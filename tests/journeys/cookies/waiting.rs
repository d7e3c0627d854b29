//! A sign-in that waits, in a browser: it takes nothing from the device that the browser was before.

use serde_json::json;

use super::{Browser, DEVICE, PHONE, body, world};
use crate::world::{
    Answer,
    client::{device, login_body},
};

const WAITING: &str = "__Host-onetap-waiting";

#[test]
fn a_page_waits_and_is_in_and_its_scripts_see_no_token() {
    let world = world();
    // The owner, on the phone that is asked.
    let owner = world.login(PHONE).signed_in();
    let bearer = owner.text("/session/accessToken");
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(on.status, 204);
    // A browser in which somebody else is signed in.
    let browser = Browser::default();
    let mut other = login_body("cmcc", &world.providers.token("13900139000"));
    other["transport"] = json!("cookie");
    browser.send(world.post("/v1/one-tap/login", &other)).signed_in();
    let their_device = browser.cookie(DEVICE);

    let held = browser.send(world.post("/v1/one-tap/login", &body(&world)));
    assert_eq!((&held.body["status"], held.body.get("device")), (&json!("step_up_required"), None));
    assert_eq!(browser.cookie(DEVICE), their_device);
    assert!(browser.cookie(WAITING).is_some());
    let step = |step: &str| -> Answer {
        let mut body = json!({"ticket": held.text("/ticket"), "device": device(), "transport": "cookie"});
        if step != "state" {
            body["method"] = json!("device_approval");
        }
        browser.send(world.post(&format!("/v1/step-up/{step}"), &body))
    };
    let started = step("start");
    let list = world.get("/v1/approvals").bearer(bearer).send();
    let path = format!("/v1/approvals/{}", list.text("/approvals/0/id"));
    let yes = json!({"decision": "approve", "match": started.text("/approval/match")});
    assert_eq!(world.post(&path, &yes).bearer(bearer).send().status, 204);
    let login = step("state").signed_in();
    assert_eq!(
        (&login.body["session"]["accessToken"], login.body["device"].get("token")),
        (&json!(null), None)
    );
    assert_eq!(browser.cookie(WAITING), None);
    assert_ne!(browser.cookie(DEVICE), their_device);
    assert_eq!(browser.who_am_i(&world).body["account"]["id"], owner.body["account"]["id"]);
}
