//! What ends it: the owner, the app, time, and whoever freezes the account.

use serde_json::json;

use super::{
    Answer, DAY, LI, LONG_AGO, MINUTE, NUMBER, PASSWORD, WANG, World, account, ask, asked, bearer, befriend,
    both, by_password, case_state, confirm, device_token, friend, friends_of, ming, on, phrase, refresh,
    set_password, state, stays, used,
};

/// He uses his phone all the time, and has friends; somebody else has his number.
fn at_home(world: &World) -> (Answer, [Answer; 2]) {
    let first = ming(world);
    used(world, &first, 7);
    let ming = stays(world, first, 120);
    let friends = [LI, WANG].map(|one| friend(world, one));
    befriend(world, &ming, &[(&friends[0], LONG_AGO), (&friends[1], LONG_AGO)]);
    (ming, friends)
}

fn refuse(world: &World, login: &Answer, id: &str) -> Answer {
    let path = format!("/v1/account/appeals/{id}/refuse");
    let refreshed = refresh(world, login);
    world.post(&path, &json!({})).bearer(refreshed.text("/session/accessToken")).send()
}

#[test]
fn the_owner_sees_it_and_refuses_it_also_when_friends_have_spoken() {
    let world = World::new();
    let (ming, friends) = at_home(&world);
    let held = asked(&world);
    let asking = ask(&world, &held);
    let id = asking.text("/friends/id").to_owned();
    both(&world, &friends, &phrase(&asking));
    let list = world.get("/v1/account/appeals").bearer(bearer(&ming)).send();
    let seen = &list.body["appeals"][0];
    assert_eq!((&seen["kind"], &seen["state"]), (&json!("friends"), &json!("granted")), "{}", list.body);
    assert_eq!((&seen["id"], &seen["device"]["platform"]), (&json!(id), &json!("ios")));
    refuse(&world, &friends[0], &id).is_problem(404, "not_found");
    assert_eq!(refuse(&world, &ming, &id).status, 204);
    let state_now = state(&world, &held);
    assert_eq!((&state_now.body["status"], state_now.body.get("proven")), (&json!("step_up_required"), None));
    ask(&world, &held).is_problem(403, "proof_failed");
    assert_eq!(case_state(&world, &id, device_token(&held)), "refused");
    // Nor does it count at the next ticket, and nobody who helps people has to do with it.
    assert_eq!(on(&world, device_token(&held)).body.get("proven"), None);
    let anna = super::super::objections::key(&world, "anna");
    world.get(&format!("/v1/cases/{id}")).bearer(&anna).send().is_problem(404, "not_found");
    super::super::objections::decide(&world, &anna, &id, "grant").is_problem(404, "not_found");
    for state in ["open", "granted", "refused"] {
        assert!(super::super::objections::queue(&world, state).is_empty());
    }
}

#[test]
fn an_owner_who_comes_with_the_number_ends_it() {
    let world = World::new();
    let (ming, friends) = at_home(&world);
    let held = asked(&world);
    let asking = ask(&world, &held);
    both(&world, &friends, &phrase(&asking));
    let his = on(&world, device_token(&ming)).signed_in();
    assert_eq!(account(&his), account(&ming));
    state(&world, &held).is_problem(410, "ticket_invalid");
    assert_eq!(case_state(&world, asking.text("/friends/id"), device_token(&held)), "refused");
}

#[test]
fn who_proves_it_in_another_way_has_asked_in_vain_and_is_in() {
    let world = World::new();
    let ming = ming(&world);
    friends_of(&world, &ming);
    let held = asked(&world);
    let asking = ask(&world, &held);
    let back = by_password(&world, &held, PASSWORD).signed_in();
    assert_eq!(account(&back), account(&ming));
    assert_eq!(case_state(&world, asking.text("/friends/id"), device_token(&held)), "done");
}

#[test]
fn who_is_a_friend_no_more_has_said_nothing() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    let said = phrase(&ask(&world, &held));
    both(&world, &friends, &said);
    befriend(&world, &ming, &[(&friends[0], LONG_AGO)]);
    assert_eq!(state(&world, &held).body.get("proven"), None);
    // Named again, she says it again.
    befriend(&world, &ming, &[(&friends[0], LONG_AGO), (&friends[1], LONG_AGO)]);
    assert_eq!(state(&world, &held).body.get("proven"), None);
    assert_eq!(confirm(&world, &friends[1], WANG.1, NUMBER, &said).status, 200);
    state(&world, &held).signed_in();
}

#[test]
fn of_a_frozen_account_nobody_says_anything_that_counts() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    let said = phrase(&ask(&world, &held));
    let key = world.api_key("freezer", &["account:freeze"]);
    let freeze = |frozen: bool| {
        let path = format!("/v1/accounts/{}/freeze", account(&ming));
        assert_eq!(world.put(&path, &json!({"frozen": frozen})).bearer(&key).send().status, 204);
    };
    assert_eq!(confirm(&world, &friends[0], LI.1, NUMBER, &said).status, 200);
    freeze(true);
    confirm(&world, &friends[1], WANG.1, NUMBER, &said).is_problem(403, "proof_failed");
    state(&world, &held).is_problem(410, "ticket_invalid");
    let mut again = on(&world, device_token(&held));
    again.body["device"] = held.body["device"].clone();
    ask(&world, &again).is_problem(403, "account_frozen");
    freeze(false);
    assert_eq!(confirm(&world, &friends[1], WANG.1, NUMBER, &said).status, 200);
    assert_eq!(on(&world, device_token(&held)).body["proven"], json!(["friends"]));
}

#[test]
fn what_friends_have_said_is_forgotten_after_thirty_days() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    let asking = ask(&world, &held);
    both(&world, &friends, &phrase(&asking));
    world.pass(DAY * 30 - MINUTE);
    assert_eq!(on(&world, device_token(&held)).body["proven"], json!(["friends"]));
    world.pass(MINUTE);
    assert_eq!(on(&world, device_token(&held)).body.get("proven"), None);
    world.run_alarms();
    world.settle_within(MINUTE);
    let looked = world.get(&format!("/v1/appeals/{}", asking.text("/friends/id")));
    looked.header("x-onetap-device", device_token(&held)).send().is_problem(404, "not_found");
    assert_eq!(super::kept(&world, &ming).get("cases"), None);
}

#[test]
fn a_new_password_says_nothing_of_friends() {
    let world = World::new();
    let (ming, friends) = at_home(&world);
    let held = asked(&world);
    both(&world, &friends, &phrase(&ask(&world, &held)));
    let mut proven = ming.clone();
    super::super::set_proven(&world, &mut proven);
    set_password(&world, &proven, "vlimp oster gandel");
    // He has all others signed out; who asked friends proves the number anew.
    assert_eq!(on(&world, device_token(&held)).body["proven"], json!(["friends"]));
}
