//! What carriers say before anybody is asked, and what it is worth in each profile.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, by_password, claim, device_token, ming,
    objections::phone, on, own, stays, step, used,
};
use crate::world::{
    START, World,
    configuration::accounts_and,
    registers::{CHUANGLAN, CHUANGLAN_NAMES, Number},
    sms::Mood,
};

pub(super) fn world(profile: &'static str) -> World {
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
pub(super) fn is_sold(world: &World) {
    let reassigned = vec![START.plus(DAY * 100)];
    world.registers.know(NUMBER, Number { reassigned, ..Number::default() });
}

pub(super) fn is_his(world: &World) {
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
        step(&world, &comes, "start", json!({"method": "device_approval"})).is_problem(404, "not_found");
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
    for (days, asked) in [(119, vec![]), (120, vec![CHUANGLAN])] {
        let world = world("money");
        ming(&world);
        is_his(&world);
        world.pass(DAY * days);
        world.login(NUMBER);
        assert_eq!(world.registers.take_asked(), asked, "{days} days");
    }
    let world = world("money");
    ming(&world);
    is_his(&world);
    world.pass(SOLD_AGAIN);
    for _ in 0..3 {
        let comes = world.login(NUMBER);
        assert_eq!(comes.body["reason"], "number_may_be_recycled", "{}", comes.body);
    }
    assert_eq!(world.registers.take_asked(), [CHUANGLAN]);
    world.pass(DAY);
    world.login(NUMBER);
    assert_eq!(world.registers.take_asked(), [CHUANGLAN]);
}

/// Somebody whom an import brought with a verified name, who has not been there for years.
fn verified(world: &World) {
    let line = json!({"externalId": "7", "phone": NUMBER, "phoneProvenAt": "2020-01-01T00:00:00Z",
        "password": BCRYPT.1, "realName": {"state": "verified", "name": "王小明", "idNumber": ID_NUMBER}});
    let key = world.api_key("importer", &["account:import"]);
    let mut import =
        world.post("/v1/import", &json!({})).bearer(&key).header("content-type", "application/x-ndjson");
    import.set_body(line.to_string().as_bytes());
    let imported = import.send();
    assert_eq!(imported.body["imported"], 1, "{}", imported.body);
}

/// GB 11643-1999, the example of the standard.
const ID_NUMBER: &str = "11010519491231002X";

/// Password and hash of crypt_blowfish 1.2, wrapper.c.
const BCRYPT: (&str, &str) = ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");

#[test]
fn a_number_in_another_name_is_never_let_in_without_proofs() {
    for (name, reason) in [(Some("李小红"), json!("number_may_be_recycled")), (Some("王小明"), Value::Null)]
    {
        let world = world("basic");
        verified(&world);
        world.registers.know(NUMBER, Number { name, ..Number::default() });
        let comes = world.login(NUMBER);
        assert_eq!(comes.body["reason"], reason, "{name:?}: {}", comes.body);
        assert!(world.registers.take_asked().contains(&CHUANGLAN_NAMES));
    }
}

#[test]
fn name_and_id_number_help_a_password_and_never_do_alone() {
    let world = world("money");
    verified(&world);
    let held = world.login(NUMBER);
    let by_name = |name: &str, id: &str| {
        step(&world, &held, "complete", json!({"method": "name_id", "name": name, "idNumber": id}))
    };
    assert_eq!(
        held.body["methods"],
        json!([{"method": "password", "strength": 2}, {"method": "name_id", "strength": 1}]),
        "{}",
        held.body
    );
    by_name("王小明", "123").is_problem(400, "invalid_request");
    by_name("李小红", ID_NUMBER).is_problem(403, "proof_failed");
    by_name("王小明", "110105194912310038").is_problem(403, "proof_failed");
    let half = by_name("王小明", ID_NUMBER);
    assert_eq!(
        (&half.body["status"], &half.body["proven"]),
        (&json!("step_up_required"), &json!(["name_id"]))
    );
    let whole = by_password(&world, &held, BCRYPT.0).signed_in();
    assert_eq!(whole.body["account"]["realName"], "verified");
}

#[test]
fn of_a_number_of_which_nobody_knows_when_it_was_proven_no_carrier_is_asked() {
    let world = world("basic");
    let key = world.api_key("importer", &["account:import"]);
    let line = json!({"externalId": "7", "phone": NUMBER, "password": BCRYPT.1});
    let mut import =
        world.post("/v1/import", &json!({})).bearer(&key).header("content-type", "application/x-ndjson");
    import.set_body(line.to_string().as_bytes());
    assert_eq!(import.send().body["imported"], 1);
    is_sold(&world);
    let held = world.login(NUMBER);
    assert_eq!(
        held.body["reason"], "number_may_be_recycled",
        "every number was somebody's since 1970: {}",
        held.body
    );
    assert!(world.registers.take_asked().is_empty());
    by_password(&world, &held, BCRYPT.0).signed_in();
}

#[test]
fn whoever_waits_for_a_number_gets_it_when_the_carrier_bears_them_out() {
    let world = world("basic");
    let first = ming(&world);
    used(&world, &first, 7);
    let his = stays(&world, first, 130);
    let held = world.login(NUMBER);
    let hong = claim(&world, &held, "not_mine").signed_in();
    assert_eq!(hong.body["account"].get("phone"), None);
    is_sold(&world);
    world.pass(DAY);
    let hers = world.login(NUMBER).signed_in();
    assert_eq!((account(&hers), &hers.body["account"]["phone"]), (account(&hong), &json!("+86138****8000")));
    assert_ne!(account(&hers), account(&his));
}

#[test]
fn a_claim_that_is_due_is_not_carried_out_against_the_carriers_word_where_more_is_at_stake() {
    for (profile, is_carried_out) in [("basic", true), ("social", false), ("money", false)] {
        let world = world(profile);
        let first = ming(&world);
        used(&world, &first, 7);
        let mut his = stays(&world, first, 120);
        // The carrier knows nothing of it when she says so.
        let held = world.login(NUMBER);
        assert_eq!(held.body["reason"], "number_may_be_recycled", "{profile}: {}", held.body);
        let hong = claim(&world, &held, "not_mine").signed_in();
        is_his(&world);
        world.pass(DAY * 3);
        let comes = world.login(NUMBER);
        if is_carried_out {
            assert_eq!(account(&comes.signed_in()), account(&hong));
            continue;
        }
        assert_eq!(comes.body["reason"], "number_may_be_recycled", "{profile}: {}", comes.body);
        assert_eq!(phone(&world, &mut his), "+86138****8000");
        claim(&world, &comes, "not_mine");
        // It goes as soon as the carrier knows better.
        is_sold(&world);
        world.pass(DAY * 2);
        assert_eq!(account(&on(&world, device_token(&hong)).signed_in()), account(&hong), "hers");
        world.settle_within(MINUTE);
        assert_eq!(phone(&world, &mut his), Value::Null);
    }
}

#[test]
fn who_said_that_it_is_not_theirs_is_not_let_in_by_the_carriers_word() {
    let world = world("basic");
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    claim(&world, &world.login(NUMBER), "not_mine").signed_in();
    is_his(&world);
    world.pass(DAY);
    assert_eq!(world.login(NUMBER).body["reason"], "number_may_be_recycled", "though it says so of his");
}
