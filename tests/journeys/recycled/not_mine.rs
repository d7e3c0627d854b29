//! *Not mine*: the number goes, everything else stays.

use serde_json::json;

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, by_password, claim, device_token,
    fresh_access, log_in, ming, on, own, stays, step, used,
};
use crate::world::{Answer, World, client::device};

/// Hers is a new account with the number; his has lost it and keeps everything else.
fn are_two_people(world: &World, ming: &Answer, hong: &Answer) {
    assert_ne!(account(hong), account(ming));
    assert_eq!(
        (&hong.body["account"]["isNew"], &hong.body["account"].get("displayName")),
        (&json!(true), &None)
    );
    assert_eq!(hong.body["account"]["phone"], "+86138****8000");
    world.settle_within(MINUTE);
    let again = world.login(NUMBER).signed_in();
    assert_eq!((account(&again), &again.body["account"]["isNew"]), (account(hong), &json!(false)));
}

#[test]
fn she_has_an_account_of_her_own_at_once_where_he_was_long_gone() {
    let world = World::new();
    let ming = ming(&world);
    let id = ming.text("/device/id").to_owned();
    world.pass(SOLD_AGAIN);
    let asked = asked(&world);
    let hong = claim(&world, &asked, "not_mine").signed_in();
    assert_ne!(hong.text("/device/id"), id);
    // A repeat of her answer ends in the same session.
    let again = claim(&world, &asked, "not_mine").signed_in();
    assert_eq!(again.text("/session/id"), hong.text("/session/id"));
    are_two_people(&world, &ming, &hong);
    // The ticket is good for nothing else.
    by_password(&world, &asked, PASSWORD).is_problem(410, "ticket_invalid");
    claim(&world, &asked, "mine").is_problem(400, "invalid_request");
}

#[test]
fn what_he_had_is_his_still() {
    let world = World::new();
    let first = ming(&world);
    let name = json!({"username": "xiaoming"});
    let bound = world.post("/v1/account/identities/username", &name).bearer(bearer(&first)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    used(&world, &first, 7);
    world.pass(SOLD_AGAIN);
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    are_two_people(&world, &first, &hong);
    let back = log_in(&world, "xiaoming", PASSWORD, &crate::world::client::device_with(device_token(&first)));
    let back = back.signed_in();
    assert_eq!((account(&back), &back.body["account"]["displayName"]), (account(&first), &json!("小明同学")));
    let his = own(&world, &back);
    assert_eq!(his.get("phone"), None);
    let phones = world.get("/v1/account/phones").bearer(bearer(&back)).send();
    assert_eq!(phones.body["phones"][0]["cause"], "reassigned", "{}", phones.body);
}

#[test]
fn an_owner_who_can_be_heard_has_three_days_to_object() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let session = stays(&world, first, 120);
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_ne!(account(&hong), account(&session));
    assert_eq!(hong.body["account"].get("phone"), None, "not hers yet: {}", hong.body);
    assert_eq!(own(&world, &session)["phone"], "+86138****8000", "his still");
    // Whoever comes with the number meanwhile is asked again, and led to the same account.
    let again = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_eq!(account(&again), account(&hong));
    world.pass(DAY * 3);
    let hers = world.login(NUMBER).signed_in();
    assert_eq!((account(&hers), &hers.body["account"]["phone"]), (account(&hong), &json!("+86138****8000")));
    world.settle_within(MINUTE);
    assert_eq!(world.login(NUMBER).signed_in().text("/account/id"), account(&hong));
}

#[test]
fn with_the_number_go_the_sessions_on_devices_that_are_not_known_to_be_his() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let phone = stays(&world, first, 120);
    // Whose tablet it is nobody knows.
    let name = json!({"username": "xiaoming"});
    let mut proven = phone;
    super::set_proven(&world, &mut proven);
    let bound = world.post("/v1/account/identities/username", &name).bearer(bearer(&proven)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    world.settle_within(MINUTE);
    let tablet = log_in(&world, "xiaoming", PASSWORD, &device()).signed_in();
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_eq!(super::refresh(&world, &tablet).status, 200, "nothing is lost yet");
    world.pass(DAY * 3);
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hong));
    super::refresh(&world, &tablet).is_problem(401, "session_revoked");
    assert_eq!(super::refresh(&world, &proven).status, 200);
}

#[test]
fn an_owner_who_comes_with_the_number_on_his_own_phone_keeps_it() {
    let world = World::new();
    let first = ming(&world);
    let token = device_token(&first).to_owned();
    used(&world, &first, 7);
    stays(&world, first.clone(), 120);
    let asked = asked(&world);
    let stranger = claim(&world, &asked, "not_mine").signed_in();
    assert_eq!(stranger.body["account"].get("phone"), None);
    let still = on(&world, &token).signed_in();
    assert_eq!(account(&still), account(&first));
    world.settle_within(MINUTE);
    world.pass(DAY * 4);
    let comes = world.login(NUMBER).signed_in();
    assert_eq!(account(&comes), account(&first), "nobody waits for it any more");
}

#[test]
fn a_new_password_is_hers_and_not_his() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let body = json!({"phone": NUMBER, "purpose": "reset_password", "device": device()});
    let challenge = world.post("/v1/otp/send", &body).send().challenge();
    let proof = json!({"type": "otp", "challengeId": challenge, "code": world.phones.code(NUMBER)});
    let reset = json!({"numberProof": proof, "newPassword": "vlimp oster gandel", "device": device()});
    let held = world.post("/v1/password/reset", &reset).send();
    assert_eq!(held.body["reason"], "number_may_be_recycled", "{}", held.body);
    log_in(&world, NUMBER, "vlimp oster gandel", &device()).is_problem(401, "invalid_credentials");
    let hong = claim(&world, &held, "not_mine").signed_in();
    are_two_people(&world, &ming, &hong);
    let hers = log_in(&world, NUMBER, "vlimp oster gandel", &device()).signed_in();
    assert_eq!(account(&hers), account(&hong));
}

#[test]
fn who_bound_another_number_while_she_waited_has_the_one_she_waited_for_in_its_place() {
    const OTHER: &str = "13700137000";
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let waits = claim(&world, &asked(&world), "not_mine").signed_in();
    let credential = json!({"provider": "cmcc", "token": world.providers.token(OTHER)});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
    let bound = world.put("/v1/account/phone", &body).bearer(bearer(&waits)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    world.settle_within(MINUTE);
    // She is led there while she waits.
    let again = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_eq!(
        (account(&again), &again.body["account"]["phone"]),
        (account(&waits), &json!("+86137****7000"))
    );
    world.pass(DAY * 3);
    let hers = world.login(NUMBER).signed_in();
    assert_eq!(account(&hers), account(&waits));
    world.settle_within(MINUTE);
    assert_eq!(own(&world, &hers)["phone"], "+86138****8000");
    let phones = world.get("/v1/account/phones").bearer(bearer(&hers)).send();
    let history: Vec<_> = phones.body["phones"].as_array().unwrap().iter().map(|row| &row["phone"]).collect();
    assert_eq!(history, ["+86138****8000", "+86137****7000"]);
    assert_ne!(account(&world.login(OTHER).signed_in()), account(&waits), "nobody's any more");
}

#[test]
fn who_waits_gets_the_number_in_whatever_way_its_owner_parts_with_it() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let mut ming = stays(&world, first, 120);
    let waits = claim(&world, &asked(&world), "not_mine").signed_in();
    // Told of it, he takes another number.
    super::set_proven(&world, &mut ming);
    let credential = json!({"provider": "cmcc", "token": world.providers.token("13700137000")});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
    let changed = world.put("/v1/account/phone", &body).bearer(bearer(&ming)).send();
    assert_eq!(changed.status, 204, "{}", changed.body);
    let claims = world.get("/v1/account/phone/claims").bearer(bearer(&ming)).send();
    assert_eq!(claims.body["claims"], json!([]), "nobody waits for his new one");
    world.settle_within(MINUTE);
    let hers = world.login(NUMBER).signed_in();
    assert_eq!((account(&hers), &hers.body["account"]["phone"]), (account(&waits), &json!("+86138****8000")));
    assert_eq!(own(&world, &ming)["phone"], "+86137****7000");
}

#[test]
fn what_was_said_is_not_said_anew_once_the_owner_has_come() {
    let world = World::new();
    let first = ming(&world);
    let token = device_token(&first).to_owned();
    used(&world, &first, 7);
    stays(&world, first.clone(), 120);
    let held = asked(&world);
    claim(&world, &held, "not_mine").signed_in();
    assert_eq!(account(&on(&world, &token).signed_in()), account(&first));
    claim(&world, &held, "not_mine").is_problem(410, "ticket_invalid");
    world.pass(DAY * 4);
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&first));
}

#[test]
fn a_protected_account_that_waits_lets_its_owner_in_on_a_new_phone() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let waits = claim(&world, &asked(&world), "not_mine").signed_in();
    world.pass(DAY * 3);
    let held = world.login(NUMBER);
    assert_eq!(held.body["reason"], "new_device", "{}", held.body);
    let shown = step(&world, &held, "start", json!({"method": "device_approval"}));
    let waits_on = fresh_access(&world, &waits);
    let asked = world.get("/v1/approvals").bearer(&waits_on).send();
    let id = asked.body["approvals"][0]["id"].as_str().unwrap().to_owned();
    let digits = json!({"decision": "approve", "match": shown.text("/approval/match")});
    assert_eq!(world.post(&format!("/v1/approvals/{id}"), &digits).bearer(&waits_on).send().status, 204);
    let hers = step(&world, &held, "state", json!({})).signed_in();
    assert_eq!((account(&hers), &hers.body["account"]["phone"]), (account(&waits), &json!("+86138****8000")));
}

#[test]
fn a_number_that_came_to_who_waited_counts_as_proven_when_she_came_and_not_when_it_went() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let mut ming = stays(&world, first, 120);
    let waits = claim(&world, &asked(&world), "not_mine").signed_in();
    world.pass(DAY * 2);
    super::set_proven(&world, &mut ming);
    assert_eq!(world.delete("/v1/account").bearer(bearer(&ming)).send().status, 202);
    // It goes with his account two weeks later. She has given it up long before, and somebody else buys it.
    world.pass(DAY * 15);
    world.run_alarms();
    world.settle_within(MINUTE);
    world.pass(DAY * 104);
    let comes = asked(&world);
    let another = claim(&world, &comes, "not_mine").signed_in();
    assert_ne!(account(&another), account(&waits));
}

#[test]
fn who_waited_and_never_came_gets_nothing_after_thirty_days() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let waited = claim(&world, &asked(&world), "not_mine").signed_in();
    world.pass(SOLD_AGAIN);
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_ne!(account(&hong), account(&waited));
    assert_eq!(hong.body["account"]["phone"], "+86138****8000");
}
