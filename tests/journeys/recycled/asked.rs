//! Who is asked, and who is not.

use serde_json::json;

use super::{DAY, NUMBER, SOLD_AGAIN, account, asked, bearer, device_token, ming, on, stays, used};
use crate::world::World;

#[test]
fn four_months_after_the_last_proof_the_person_is_asked_and_not_a_day_before() {
    for (days, is_asked) in [(119, false), (120, true)] {
        let world = World::new();
        let ming = ming(&world);
        world.pass(DAY * days);
        let comes = world.login(NUMBER);
        assert_eq!(comes.body["status"] == "step_up_required", is_asked, "{days} days: {}", comes.body);
        if !is_asked {
            assert_eq!(account(&comes), account(&ming));
        }
    }
}

#[test]
fn whoever_comes_again_in_time_is_never_asked() {
    let world = World::new();
    let ming = ming(&world);
    for _ in 0..5 {
        world.pass(DAY * 119);
        let back = world.login(NUMBER).signed_in();
        assert_eq!(account(&back), account(&ming));
        world.settle_within(super::MINUTE);
    }
}

#[test]
fn a_known_device_and_a_trusted_one_are_not_asked() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    world.pass(SOLD_AGAIN);
    let known = on(&world, device_token(&first)).signed_in();
    assert_eq!((account(&known), known.text("/device/trust")), (account(&first), "known"));

    let world = World::new();
    let first = ming(&world);
    let path = format!("/v1/devices/{}", first.text("/device/id"));
    let trusts = world.patch(&path, &json!({"trusted": true})).bearer(bearer(&first)).send();
    assert_eq!(trusts.status, 204, "{}", trusts.body);
    // Trust ends when a device is not used for 90 days.
    stays(&world, first.clone(), 120);
    let trusted = on(&world, device_token(&first)).signed_in();
    assert_eq!((account(&trusted), trusted.text("/device/trust")), (account(&first), "trusted"));
}

#[test]
fn a_device_that_was_used_on_a_few_days_only_is_asked() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 3);
    world.pass(SOLD_AGAIN);
    assert_eq!(on(&world, device_token(&first)).body["reason"], "number_may_be_recycled");
}

#[test]
fn the_hints_tell_a_first_character_and_a_year() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN);
    let asked = asked(&world);
    assert_eq!(asked.body["hints"], json!({"displayName": "小**", "since": "2026"}));
    assert_eq!(asked.body["choices"], json!(["mine", "not_mine"]));
    assert_eq!(asked.body["need"], 2);
    assert_eq!(asked.body["methods"], json!([{"method": "password", "strength": 2}]));
    for told in ["小明", "acc_", "138001"] {
        assert!(!asked.body.to_string().contains(told), "{told} in {}", asked.body);
    }
}
