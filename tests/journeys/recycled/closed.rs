//! An account that nobody signs in to does not keep its number's new holder out.

use serde_json::json;

use super::{DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, by_password, claim, ming};
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
fn an_account_that_waits_for_a_number_does_not_keep_it_once_it_is_frozen() {
    for is_due in [false, true] {
        let world = World::new();
        let first = ming(&world);
        super::used(&world, &first, 7);
        super::stays(&world, first, 120);
        let waits = claim(&world, &asked(&world), "not_mine").signed_in();
        freeze(&world, &waits, true);
        let comes = if is_due {
            world.pass(DAY * 3);
            world.login(NUMBER).signed_in()
        } else {
            claim(&world, &asked(&world), "not_mine").signed_in()
        };
        assert_ne!(account(&comes), account(&waits), "{is_due}");
        let phone = comes.body["account"].get("phone").and_then(serde_json::Value::as_str);
        assert_eq!(phone, is_due.then_some("+86138****8000"));
    }
}
