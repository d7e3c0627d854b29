//! Who is told of sign-ins that wait, and of new devices.

use onetap::journeys::notices::Told;
use serde_json::json;

use super::notices::{PHONE, configured, listening, owner, sign_in, types};

#[test]
fn trusted_devices_are_asked_and_the_others_are_told_of_a_no() {
    let world = listening();
    let phone = owner(&world);
    let bearer = phone.text("/session/accessToken");
    let protect = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer);
    assert_eq!(protect.send().status, 401, "its access token is of yesterday");
    let phone = sign_in(&world, "push-token-of-the-phone", Some(&phone));
    let bearer = phone.text("/session/accessToken");
    let protect = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer);
    assert_eq!(protect.send().status, 204);
    let ticket = world.login(PHONE);
    let start = json!({"ticket": ticket.text("/ticket"), "device": {"token": ticket.text("/device/token")},
        "method": "device_approval"});
    let started = world.post("/v1/step-up/start", &start).send();
    assert_eq!(world.post("/v1/step-up/start", &start).send().body, started.body);
    assert_eq!(
        world.tell(),
        [Told::Done, Told::Done, Told::Done],
        "held, and asked once: a backend and a phone"
    );
    let [push] = world.receivers.pushes().try_into().unwrap();
    assert_eq!((push.to.as_str(), push.event.as_str()), ("push-token-of-the-phone", "approval.requested"));
    assert!(!push.text.contains(started.text("/approval/match")), "{}", push.text);

    let list = world.get("/v1/approvals").bearer(bearer).send();
    let path = format!("/v1/approvals/{}", list.text("/approvals/0/id"));
    assert_eq!(world.post(&path, &json!({"decision": "deny"})).bearer(bearer).send().status, 204);
    world.tell();
    assert_eq!(types(&world)[1..], ["login.held", "approval.requested", "approval.denied"]);
}

#[test]
fn of_one_tap_on_a_new_device_the_operator_decides_who_is_told() {
    let world = configured(vec![("ONE_TAP_NEW_DEVICE", "allow".to_owned())]);
    owner(&world);
    sign_in(&world, "push-token-of-the-stranger", None);
    assert_eq!(world.tell(), []);
    let challenge = world.send_otp(PHONE).send().challenge();
    world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
    assert_eq!(world.tell().len(), 2);
}

#[test]
fn questions_leave_room_for_warnings() {
    let world = configured(vec![("NOTICES_PUSH_PER_DAY", "4".to_owned())]);
    let phone = owner(&world);
    let phone = sign_in(&world, "push-token-of-the-phone", Some(&phone));
    let bearer = phone.text("/session/accessToken");
    let on = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(on.status, 204);
    world.tell();
    let ask = || {
        let ticket = world.login(PHONE);
        let start = json!({"ticket": ticket.text("/ticket"), "device": {"token": ticket.text("/device/token")},
            "method": "device_approval"});
        assert_eq!(world.post("/v1/step-up/start", &start).send().status, 200);
    };
    (0..5).for_each(|_| ask());
    world.tell();
    assert_eq!(world.receivers.pushes().len(), 2, "half of four");
    let list = world.get("/v1/approvals").bearer(bearer).send();
    let path = format!("/v1/approvals/{}", list.text("/approvals/0/id"));
    assert_eq!(world.post(&path, &json!({"decision": "deny"})).bearer(bearer).send().status, 204);
    world.tell();
    assert_eq!(world.receivers.pushes().last().unwrap().event, "approval.denied");
}
