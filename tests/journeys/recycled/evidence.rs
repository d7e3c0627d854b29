//! What carriers say before anybody is asked, and what it is worth in each profile.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, by_password, claim, ming, own, stays, step, used,
};
use crate::world::{
    START, World,
    configuration::accounts_and,
    registers::{CHUANGLAN, Number},
    sms::Mood,
};

fn world(profile: &'static str) -> World {
    World::with(move |name| match name {
        "PROFILE" => Some(profile.to_owned()),
        "PROVIDER_ACCOUNTS" => {
            let settings = json!({"appId": "A1", "appSecret": "s"});
            Some(accounts_and(&[json!({"provider": "chuanglan_data", "settings": settings})]))
        }
        _ => None,
    })
}

/// It was sold a hundred days after he last proved it.
fn is_sold(world: &World) {
    let reassigned = vec![START.plus(DAY * 100)];
    world.registers.know(NUMBER, Number { reassigned, ..Number::default() });
}

fn is_his(world: &World) {
    world.registers.know(NUMBER, Number::default());
}

#[test]
fn not_reassigned_is_enough_where_the_profile_says_so() {
    for (profile, days, reason) in [
        ("basic", 120, Value::Null),
        ("basic", 1000, Value::Null),
        ("social", 120, Value::Null),
        ("social", 366, json!("number_may_be_recycled")),
        ("money", 120, json!("number_may_be_recycled")),
    ] {
        let world = world(profile);
        let ming = ming(&world);
        is_his(&world);
        world.pass(DAY * days);
        let comes = world.login(NUMBER);
        assert_eq!(comes.body["reason"], reason, "{profile} {days}: {}", comes.body);
        assert_eq!(world.registers.take_asked(), [CHUANGLAN], "{profile} {days}");
        if reason.is_null() {
            assert_eq!(account(&comes), account(&ming));
        }
    }
}

#[test]
fn reassigned_is_never_his_and_never_offered_as_such() {
    for profile in ["basic", "social", "money"] {
        let world = world(profile);
        let first = ming(&world);
        is_sold(&world);
        world.pass(SOLD_AGAIN);
        let comes = world.login(NUMBER);
        let said = (&comes.body["status"], &comes.body["reason"], &comes.body["choices"]);
        assert_eq!(said, (&json!("step_up_required"), &json!("number_recycled"), &json!(["not_mine"])));
        assert_eq!((&comes.body["methods"], comes.body.get("hints")), (&json!([]), None), "{}", comes.body);
        claim(&world, &comes, "mine").is_problem(400, "invalid_request");
        by_password(&world, &comes, PASSWORD).is_problem(403, "proof_failed");
        step(&world, &comes, "start", json!({"method": "device_approval"}));
        let hong = claim(&world, &comes, "not_mine").signed_in();
        assert_ne!(account(&hong), account(&first), "{profile}");
        assert_eq!(hong.body["account"]["phone"], "+86138****8000");
    }
}

#[test]
fn reassigned_protects_him_at_once_whatever_she_answers() {
    let world = world("basic");
    let first = ming(&world);
    used(&world, &first, 7);
    is_sold(&world);
    let his = stays(&world, first, 130);
    assert_eq!(world.login(NUMBER).body["reason"], "number_recycled");
    world.settle_within(MINUTE);
    assert_eq!(own(&world, &his).get("phone"), None, "gone, though he is there and could be asked");
    // Who comes next finds a number that is nobody's.
    let hong = world.login(NUMBER).signed_in();
    assert_ne!(account(&hong), account(&his));
}

#[test]
fn a_carrier_that_is_silent_leads_to_the_question() {
    for mood in [Mood::IsDown, Mood::TakesAndHangs, Mood::TakesAndMumbles] {
        let world = world("basic");
        ming(&world);
        is_his(&world);
        world.registers.set_mood(CHUANGLAN, mood);
        world.pass(SOLD_AGAIN);
        let comes = world.login(NUMBER);
        assert_eq!(comes.body["reason"], "number_may_be_recycled", "{mood:?}: {}", comes.body);
    }
}

#[test]
fn the_carrier_is_asked_only_where_it_matters_and_once_a_day() {
    let world = world("money");
    let first = ming(&world);
    is_his(&world);
    world.pass(DAY * 119);
    world.login(NUMBER);
    assert!(world.registers.take_asked().is_empty(), "a proof that is young enough");
    world.pass(DAY);
    for _ in 0..3 {
        assert_eq!(world.login(NUMBER).body["reason"], "number_may_be_recycled");
    }
    assert_eq!(world.registers.take_asked(), [CHUANGLAN]);
    world.pass(DAY);
    world.login(NUMBER);
    assert_eq!(world.registers.take_asked(), [CHUANGLAN]);
    let _ = first;
}
