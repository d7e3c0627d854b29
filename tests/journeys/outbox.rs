//! What must reach others after a login does, however often it fails on the way.

use std::time::Duration;

use onetap::{
    model::outbox::MAX_BACKOFF,
    ports::{Clock, DeviceRecords},
};
use serde_json::{Value, json};

use crate::world::{
    Answer, Broken, Port, START, World,
    client::{at_once, device_with, login_body},
    objects::Kind,
};

const PHONE: &str = "13800138000";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn letters(world: &World) -> Vec<Value> {
    let accounts = world.objects.states(Kind::Account).into_values();
    accounts.flat_map(|state| state["outbox"]["letters"].as_array().cloned().unwrap_or_default()).collect()
}

fn again_on_the_same_device(world: &World, first: &Answer) {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["device"] = device_with(first.text("/device/token"));
    world.post("/v1/one-tap/login", &body).send().signed_in();
}

#[test]
fn index_device_record_and_last_proof_follow_a_login() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    // Nothing of it was waited for.
    assert!(world.back_office().accounts.is_empty() && world.device_records().is_empty());
    world.run_alarms();

    let account = login.text("/account/id").parse().unwrap();
    assert_eq!(world.back_office().accounts[&account], (START, START));
    let records = world.device_records();
    let (_, record) = records.first_key_value().unwrap();
    assert_eq!((record.account, record.device.to_string().as_str()), (account, login.text("/device/id")));
    let (_, handle) = world.objects.states(Kind::Handle).pop_first().unwrap();
    let proof = json!({"at": START.millis(), "method": "one_tap"});
    assert_eq!(handle["state"]["holder"]["last_proof"], proof);
    assert!(letters(&world).is_empty());
}

#[test]
fn later_logins_move_the_dates_and_not_the_creation() {
    let world = World::new();
    let first = world.login(PHONE).signed_in();
    world.run_alarms();
    world.pass(HOUR * 48);
    again_on_the_same_device(&world, &first);
    world.run_alarms();
    let account = first.text("/account/id").parse().unwrap();
    assert_eq!(world.back_office().accounts[&account], (START, world.now()));
    let records = world.device_records();
    assert_eq!((records.len(), records.first_key_value().unwrap().1.usage.days), (1, 2));
}

#[test]
fn a_delivery_is_tried_again_ever_more_slowly_until_it_succeeds() {
    let world = World::new();
    world.faults.break_all(Port::Index, Broken::Before);
    world.login(PHONE).signed_in();
    let mut tries = Vec::new();
    for _ in 0..16 {
        let due = Duration::from_millis(letters(&world)[0]["due"].as_u64().unwrap());
        let now = Duration::from_millis(u64::try_from(world.now().millis()).unwrap());
        let wait = due.saturating_sub(now);
        tries.push(wait.as_secs());
        world.settle_within(wait);
        assert_eq!(letters(&world).len(), 1, "the others have arrived");
    }
    assert_eq!(tries[..5], [0, 2, 4, 8, 16]);
    assert_eq!(tries[15], MAX_BACKOFF.as_secs());
    assert!(world.back_office().accounts.is_empty());

    world.faults.mend();
    world.settle_within(MAX_BACKOFF);
    assert_eq!(world.back_office().accounts.len(), 1);
    assert!(letters(&world).is_empty());
}

#[test]
fn users_notice_nothing_of_a_back_office_that_is_down() {
    let world = World::new();
    for port in [Port::Index, Port::DeviceRecords, Port::ApiKeys, Port::Audit] {
        world.faults.break_all(port, Broken::Before);
    }
    let first = world.login(PHONE).signed_in();
    for _ in 0..200 {
        world.pass(SECOND * 7);
        world.run_alarms();
        again_on_the_same_device(&world, &first);
    }
    // The newest news replace the older ones, so what waits does not pile up.
    let waiting = letters(&world);
    // Besides them there is, of sessions that gave way, what was not carried yet.
    let news = waiting.iter().filter(|letter| letter["message"].get("publish_end").is_none());
    assert!(news.count() <= 3 && waiting.len() <= 5, "{waiting:?}");

    world.faults.mend();
    world.settle_within(HOUR * 2);
    let account = first.text("/account/id").parse().unwrap();
    // The index is told of the first login of a day.
    assert_eq!(world.back_office().accounts[&account], (START, START));
    assert!(letters(&world).is_empty());
}

#[test]
fn an_older_device_record_never_overwrites_a_newer_one() {
    let world = World::new();
    // Just before midnight: the record of the first day does not arrive.
    let midnight =
        86_400 - Duration::from_millis(START.millis().rem_euclid(86_400_000).unsigned_abs()).as_secs();
    world.pass(SECOND * u32::try_from(midnight - 1).unwrap());
    let first = world.login(PHONE).signed_in();
    world.faults.break_call(Port::DeviceRecords, 0, Broken::Before);
    world.run_alarms();
    // Just after midnight: that of the second day does, while the first still waits for its next try.
    world.pass(SECOND + SECOND / 2);
    again_on_the_same_device(&world, &first);
    world.run_alarms();
    world.settle_within(HOUR);
    let (_, record) = world.device_records().pop_first().unwrap();
    assert_eq!(record.usage.days, 2);
}

#[test]
fn taking_every_letter_twice_changes_nothing() {
    let world = World::new();
    let first = world.login(PHONE).signed_in();
    for port in [Port::Handle, Port::Index, Port::DeviceRecords] {
        world.faults.break_call(port, 0, Broken::AnswerLost);
    }
    world.run_alarms();
    let states = || (world.objects.states(Kind::Handle), world.device_records());
    let (once, index) = (states(), world.back_office().accounts.clone());
    assert_eq!(letters(&world).len(), 3);
    world.settle_within(HOUR);
    assert_eq!((states(), world.back_office().accounts.clone()), (once, index));
    assert!(letters(&world).is_empty());
    // Nor does a record that somebody writes again.
    let (digest, record) = world.device_records().pop_first().unwrap();
    at_once(world.publish_device(&digest, &record)).unwrap().unwrap();
    assert_eq!(record.device.to_string(), first.text("/device/id"));
}
