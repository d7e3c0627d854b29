//! An account that nobody signs in to does not keep its number's new holder out.

use serde_json::json;

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, by_password, claim, ming, own,
};
use crate::world::{Answer, World};

fn freeze(world: &World, login: &Answer, frozen: bool) {
    let key = world.api_key("support", &["account:freeze"]);
    let path = format!("/v1/accounts/{}/freeze", account(login));
    assert_eq!(world.put(&path, &json!({"frozen": frozen})).bearer(&key).send().status, 204);
}

#[test]
fn who_has_the_number_of_a_frozen_account_now_gets_one_of_her_own() {
    let world = World::new();
    let ming = ming(&world);
    freeze(&world, &ming, true);
    world.login(NUMBER).is_problem(403, "account_frozen");
    world.pass(SOLD_AGAIN);
    // Who says that it is theirs learns how it stands, and comes in by nothing.
    let his = asked(&world);
    claim(&world, &his, "mine").is_problem(403, "account_frozen");
    by_password(&world, &his, PASSWORD).is_problem(403, "account_frozen");
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_ne!(account(&hong), account(&ming));
    assert_eq!(hong.body["account"]["phone"], "+86138****8000");
    world.settle_within(MINUTE);
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hong));
    // Let go on it has all but the number.
    freeze(&world, &ming, false);
    let back = super::log_in(&world, NUMBER, PASSWORD, &crate::world::client::device());
    assert_eq!(back.body["reason"], "historical_number", "{}", back.body);
}

#[test]
fn who_has_the_number_of_an_account_on_its_way_to_be_deleted_gets_one_of_her_own() {
    let world = World::new();
    let mut ming = super::stays(&world, ming(&world), 120);
    super::set_proven(&world, &mut ming);
    assert_eq!(world.delete("/v1/account").bearer(bearer(&ming)).send().status, 202);
    claim(&world, &asked(&world), "mine").is_problem(403, "account_frozen");
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_ne!(account(&hong), account(&ming));
    world.settle_within(MINUTE);
    // What is deleted in the end takes nothing from her.
    world.pass(DAY * 31);
    world.settle_within(MINUTE);
    let again = world.login(NUMBER).signed_in();
    assert_eq!(
        (account(&again), &again.body["account"]["phone"]),
        (account(&hong), &json!("+86138****8000"))
    );
}

#[test]
fn who_was_asked_before_it_was_frozen_does_not_come_in_by_what_was_proven() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let held = asked(&world);
    freeze(&world, &ming, true);
    by_password(&world, &held, PASSWORD).is_problem(410, "ticket_invalid");
}

#[test]
fn who_bound_another_number_while_she_waited_has_two_accounts_of_one_number_each() {
    const OTHER: &str = "13700137000";
    let world = World::new();
    let first = ming(&world);
    super::used(&world, &first, 7);
    super::stays(&world, first, 120);
    let waits = claim(&world, &asked(&world), "not_mine").signed_in();
    let credential = json!({"provider": "cmcc", "token": world.providers.token(OTHER)});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
    let bound = world.put("/v1/account/phone", &body).bearer(bearer(&waits)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    world.settle_within(MINUTE);
    // She is led there while she waits.
    let again = claim(&world, &asked(&world), "not_mine").signed_in();
    assert_eq!(account(&again), account(&waits));
    world.pass(DAY * 3);
    let new = world.login(NUMBER).signed_in();
    assert_ne!(account(&new), account(&waits));
    world.settle_within(MINUTE);
    assert_eq!(
        (own(&world, &new)["phone"].clone(), account(&world.login(NUMBER))),
        (json!("+86138****8000"), account(&new))
    );
    assert_eq!(own(&world, &again)["phone"], "+86137****7000");
    assert_eq!(account(&world.login(OTHER).signed_in()), account(&waits));
}
