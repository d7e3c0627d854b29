//! What carriers and registers are asked about a number, and what their silence means.

use std::time::Duration;

use onetap::{
    journeys::provider::Caller,
    kernel::{phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::{
        evidence::{Evidence, Reassignment},
        platform::Platform,
    },
    ports::Clock,
};
use serde_json::{Value, json};

use crate::world::{
    Broken, Port, START, World,
    client::at_once,
    configuration::accounts_and,
    locked,
    registers::{ALIYUN, CHUANGLAN, CHUANGLAN_NAMES, Number},
    sms::Mood,
};

const PHONE: &str = "13800138000";

const DAY: Duration = Duration::from_secs(86_400);

/// The number was last proven 200 days ago.
fn since() -> Timestamp {
    Timestamp::from_millis(START.millis() - 200 * 86_400_000)
}

/// A world in which 创蓝 is asked first, and 阿里云 when it cannot tell.
fn world() -> World {
    let chuanglan = json!({"provider": "chuanglan_data", "settings": {"appId": "A1", "appSecret": "s"}});
    let aliyun = json!({"provider": "aliyun_number", "weight": 0,
        "settings": {"accessKeyId": "LTAIexample", "accessKeySecret": "s", "authCode": "c"}});
    with_accounts(&[chuanglan, aliyun])
}

fn with_accounts(more: &[Value]) -> World {
    World::with(|name| (name == "PROVIDER_ACCOUNTS").then(|| accounts_and(more)))
}

fn ask_about(world: &World, phone: &str, app: &str, name: Option<&str>, time: Duration) -> Evidence {
    let phone = PhoneNumber::parse(phone).unwrap();
    let caller = Caller { app, platform: Platform::Ios, address: "203.0.113.7", request_id: "req_1" };
    let name = name.map(|name| Secret::new(name.to_owned()));
    let deadline = world.now().plus(time);
    at_once(world.service().evidence(&phone, since(), name.as_ref(), &caller, deadline)).unwrap()
}

fn ask(world: &World, name: Option<&str>) -> Evidence {
    ask_about(world, PHONE, "default", name, Duration::from_secs(10))
}

fn word(world: &World) -> Reassignment {
    ask(world, None).reassignment
}

#[test]
fn the_carrier_tells_what_became_of_a_number_since_its_last_proof() {
    let world = world();
    let (before, after) = (Timestamp::from_millis(since().millis() - 86_400_000), since().plus(DAY));
    for (reassigned, cancelled, said) in [
        (vec![], None, Reassignment::NotReassigned),
        (vec![before], None, Reassignment::NotReassigned),
        (vec![before, after], None, Reassignment::Reassigned),
        (vec![], Some(after), Reassignment::Cancelled),
        (vec![after.plus(DAY * 100)], Some(after), Reassignment::Reassigned),
    ] {
        world.registers.know(PHONE, Number { reassigned, cancelled, name: None });
        let evidence = ask(&world, None);
        assert_eq!(evidence, Evidence { reassignment: said, ..Evidence::none(since(), START) });
        // The first word is the last, and without a name nobody is asked for one.
        assert_eq!(world.registers.take_asked(), [CHUANGLAN]);
    }
}

#[test]
fn the_name_is_compared_beside_it() {
    let world = world();
    world.registers.know(PHONE, Number { name: Some("王小红"), ..Number::default() });
    for (name, matches) in [("王小红", true), ("王小明", false)] {
        let evidence = ask(&world, Some(name));
        assert_eq!(
            (evidence.reassignment, evidence.name_matches),
            (Reassignment::NotReassigned, Some(matches))
        );
        assert_eq!(world.registers.take_asked(), [CHUANGLAN, CHUANGLAN_NAMES]);
    }
    // One of the two being silent takes nothing from the other.
    world.registers.set_mood(CHUANGLAN, Mood::IsDown);
    world.registers.set_mood(ALIYUN, Mood::IsDown);
    let evidence = ask(&world, Some("王小明"));
    assert_eq!((evidence.reassignment, evidence.name_matches), (Reassignment::Unknown, Some(false)));
}

#[test]
fn whoever_cannot_tell_gives_way_to_the_next() {
    for mood in [
        Mood::Refuses,
        Mood::WantsMoney,
        Mood::IsDown,
        Mood::TakesAndHangs,
        Mood::TakesAndMumbles,
        Mood::TakesAndBreaksOff,
    ] {
        let world = world();
        world.registers.know(PHONE, Number { reassigned: vec![since().plus(DAY)], ..Number::default() });
        world.registers.set_mood(CHUANGLAN, mood);
        assert_eq!(word(&world), Reassignment::Reassigned, "{mood:?}");
        assert_eq!(world.registers.take_asked(), [CHUANGLAN, ALIYUN]);
        world.registers.set_mood(ALIYUN, mood);
        assert_eq!(ask(&world, Some("王小明")), Evidence::none(since(), world.now()), "{mood:?}");
    }
}

#[test]
fn who_has_no_record_is_well_and_gives_way() {
    let world = world();
    for _ in 0..10 {
        assert_eq!(ask(&world, Some("王小明")), Evidence::none(since(), START));
        assert_eq!(world.registers.take_asked(), [CHUANGLAN, ALIYUN, CHUANGLAN_NAMES]);
    }
}

#[test]
fn whoever_fails_often_is_asked_last_until_it_is_forgotten() {
    let world = world();
    world.registers.know(PHONE, Number::default());
    world.registers.set_mood(CHUANGLAN, Mood::Refuses);
    for _ in 0..5 {
        assert_eq!(word(&world), Reassignment::NotReassigned);
        assert_eq!(world.registers.take_asked(), [CHUANGLAN, ALIYUN]);
    }
    assert_eq!(word(&world), Reassignment::NotReassigned);
    assert_eq!(world.registers.take_asked(), [ALIYUN]);
    world.pass(Duration::from_secs(600));
    word(&world);
    assert_eq!(world.registers.take_asked(), [CHUANGLAN, ALIYUN]);
}

#[test]
fn nobody_waits_longer_than_the_sign_in_can() {
    let slow = |world: &World| {
        for host in [CHUANGLAN, ALIYUN] {
            locked(&world.slow).insert(host, Duration::from_secs(30));
        }
    };
    // Two seconds for the first, what is left for the second.
    let first = world();
    slow(&first);
    let evidence = ask_about(&first, PHONE, "default", None, Duration::from_millis(2600));
    assert_eq!(evidence, Evidence::none(since(), START.plus(Duration::from_millis(2600))));
    assert_eq!(first.registers.take_asked(), [CHUANGLAN, ALIYUN]);
    // Less than a moment is nothing.
    let second = world();
    slow(&second);
    let evidence = ask_about(&second, PHONE, "default", None, Duration::from_millis(2200));
    assert_eq!(evidence, Evidence::none(since(), START.plus(Duration::from_secs(2))));
    assert_eq!(second.registers.take_asked(), [CHUANGLAN]);
    let third = world();
    ask_about(&third, PHONE, "default", Some("王小明"), Duration::from_millis(100));
    assert_eq!(third.registers.take_asked(), [""; 0]);
}

#[test]
fn where_nobody_can_be_asked_nothing_is_known() {
    let world = world();
    world.registers.know(PHONE, Number::default());
    let time = Duration::from_secs(3);
    // Another country, an app without such accounts, a deployment without any.
    for evidence in [
        ask_about(&world, "+14155550100", "default", Some("Ming"), time),
        ask_about(&world, PHONE, "shop", Some("王小明"), time),
        ask_about(&World::new(), PHONE, "default", Some("王小明"), time),
    ] {
        assert_eq!(evidence, Evidence::none(since(), START));
    }
    assert_eq!(world.registers.take_asked(), [""; 0]);
    // Faults of our own are the operator's affair.
    for port in [Port::Entropy, Port::Http, Port::Counter] {
        world.faults.break_all(port, Broken::Before);
        let evidence = ask(&world, Some("王小明"));
        assert_eq!(evidence.reassignment == Reassignment::NotReassigned, port == Port::Counter, "{port:?}");
        world.faults.mend();
    }
    assert!(!world.passed_over().is_empty());
}

#[test]
fn operators_see_outcomes_and_nobody_in_them() {
    let world = world();
    world.registers.know(
        PHONE,
        Number { name: Some("王小红"), reassigned: vec![since().plus(DAY)], ..Number::default() },
    );
    ask(&world, Some("王小明"));
    let calls = world.metrics();
    let seen: Vec<_> =
        calls.iter().map(|call| (call.provider.as_str(), call.capability, call.outcome)).collect();
    assert_eq!(
        seen,
        [("chuanglan_data", "reassigned", "reassigned"), ("chuanglan_data", "two_factor", "mismatch")]
    );
    let shown = format!("{calls:?}");
    assert!(!shown.contains(PHONE) && !shown.contains("小"), "{shown}");
}
