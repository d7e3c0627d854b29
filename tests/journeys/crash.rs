//! A login that breaks at any one step, in any way: the client gets a clean answer or none, and the next login
//! ends right.

use std::time::Duration;

use onetap::{kernel::phone::PhoneNumber, model::handle::HandleName, ports::Clock};
use serde_json::{Value, json};

use crate::world::{Broken, Port, World, faults::ALL_WAYS, objects::Kind};

const PHONE: &str = "13800138000";
const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const HOUR: Duration = Duration::from_secs(3600);

/// Every call that can break: port, its number among the calls of that port, and how.
fn breaks(trace: &[Port]) -> Vec<(Port, usize, Broken)> {
    let mut breaks = Vec::new();
    for (at, port) in trace.iter().enumerate() {
        let nth = trace[..at].iter().filter(|earlier| *earlier == port).count();
        match port {
            Port::AddressLimiter | Port::Metrics => {}
            // Drawn at once: it cannot be lost on the way.
            Port::Entropy => breaks.push((*port, nth, Broken::Before)),
            _ => breaks.extend(ALL_WAYS.map(|way| (*port, nth, way))),
        }
    }
    breaks
}

fn trace_of_a_login() -> Vec<Port> {
    let world = World::new();
    world.log_in_with(&world.providers.token(PHONE)).key(KEY).send().signed_in();
    world.faults.take_trace()
}

/// One account for the number, and handle, account and index agree on it.
fn all_agree_on(world: &World, account: &str) {
    let accounts = world.objects.states(Kind::Account);
    assert_eq!(accounts.keys().collect::<Vec<_>>(), [account]);
    let name = HandleName::of_phone(&world.settings.digest, &PhoneNumber::parse(PHONE).unwrap());
    let handles = world.objects.states(Kind::Handle);
    assert_eq!(handles.keys().collect::<Vec<_>>(), [name.as_str()]);
    let holder = &handles[name.as_str()]["state"]["holder"];
    assert_eq!(holder["account"], account);
    assert_eq!(accounts[account]["state"]["identifiers"][0]["handle"], name.as_str());
    let tables = world.back_office();
    assert_eq!(tables.accounts.keys().map(ToString::to_string).collect::<Vec<_>>(), [account]);
}

fn no_letters_left(world: &World) {
    for (place, state) in world.objects.states(Kind::Account) {
        assert_eq!(state.get("outbox"), None, "{place}");
    }
}

#[test]
fn the_steps_of_a_login_are_those_of_the_design() {
    let calls: Vec<Port> = trace_of_a_login().into_iter().filter(|port| *port != Port::Entropy).collect();
    let expected = [
        Port::AddressLimiter,
        Port::Counter,
        Port::Http,
        Port::Metrics,
        Port::Handle,
        Port::Account,
        // After the answer.
        Port::Counter,
    ];
    assert_eq!(calls, expected);
}

#[test]
fn whatever_step_breaks_the_next_login_ends_right() {
    for (port, nth, way) in breaks(&trace_of_a_login()) {
        let what = format!("{port:?} {nth} {way:?}");
        let world = World::new();
        let token = world.providers.token(PHONE);
        world.faults.break_call(port, nth, way);
        let first = world.log_in_with(&token).key(KEY).try_send();
        let died = matches!(way, Broken::DiesBefore | Broken::DiesAfter);
        match &first {
            None => assert!(died, "{what}"),
            Some(answer) if answer.status == 200 => {}
            Some(answer) => {
                assert_eq!(answer.body["fallback"], json!(["otp"]), "{what}");
                assert!([500, 503].contains(&answer.status), "{what}: {}", answer.body);
            }
        }
        world.faults.mend();

        // The client repeats itself after a while: the same answer, another clean one, but never a second use.
        world.pass(Duration::from_secs(11));
        let repeat = world.log_in_with(&token).key(KEY).send();
        if repeat.status != 200 {
            assert_eq!(repeat.body["fallback"], json!(["otp"]), "{what}");
        } else if let Some(first) = first.filter(|first| first.status == 200) {
            assert_eq!(first.body, repeat.body, "{what}");
        }
        assert!(world.providers.times_seen(&token) <= 1, "{what}");

        world.pass(Duration::from_secs(60));
        let next = world.login(PHONE).signed_in();
        let at = world.now();
        world.settle_within(HOUR);
        all_agree_on(&world, next.text("/account/id"));
        no_letters_left(&world);
        let handles = world.objects.states(Kind::Handle);
        let holder = &handles.first_key_value().unwrap().1["state"]["holder"];
        assert_eq!(holder["last_proof"], json!({"at": at.millis(), "method": "one_tap"}), "{what}");
    }
}

#[test]
fn who_never_got_an_account_is_new_at_the_next_login() {
    // The handle was taken, the account never made.
    for way in [Broken::Before, Broken::DiesBefore] {
        let world = World::new();
        world.faults.break_all(Port::Account, way);
        let _ = world.log_in_with(&world.providers.token(PHONE)).try_send();
        world.faults.mend();
        assert_eq!(world.objects.states(Kind::Handle).len(), 1);
        assert!(world.objects.states(Kind::Account).is_empty());
        let next = world.login(PHONE).signed_in();
        assert_eq!(next.body["account"]["isNew"], true);
        assert_eq!(world.login(PHONE).signed_in().body["account"]["isNew"], false);
    }
}

#[test]
fn one_lost_answer_of_an_object_is_made_up_for() {
    for port in [Port::Handle, Port::Account] {
        for way in [Broken::Before, Broken::AnswerLost] {
            let world = World::new();
            world.faults.break_call(port, 0, way);
            let login = world.login(PHONE).signed_in();
            assert_eq!(login.body["account"]["isNew"], true, "{port:?} {way:?}");
            world.settle_within(HOUR);
            all_agree_on(&world, login.text("/account/id"));
            let sessions =
                &world.objects.states(Kind::Account)[login.text("/account/id")]["state"]["sessions"];
            assert_eq!(sessions.as_array().unwrap().len(), 1, "{port:?} {way:?}");
        }
    }
}

#[test]
fn two_crashes_in_a_row_are_no_worse_than_one() {
    let all = breaks(&trace_of_a_login());
    let of_objects: Vec<_> =
        all.into_iter().filter(|(port, ..)| matches!(port, Port::Handle | Port::Account)).collect();
    for one in &of_objects {
        for two in &of_objects {
            let world = World::new();
            for (port, nth, way) in [one, two] {
                world.faults.break_call(*port, *nth, *way);
                let _ = world.log_in_with(&world.providers.token(PHONE)).try_send();
                world.faults.mend();
            }
            let next = world.login(PHONE).signed_in();
            world.settle_within(HOUR);
            all_agree_on(&world, next.text("/account/id"));
        }
    }
}

#[test]
fn an_alarm_that_breaks_at_any_step_still_delivers_everything() {
    let clean = World::new();
    clean.login(PHONE).signed_in();
    clean.faults.take_trace();
    clean.settle_within(HOUR);
    let trace = clean.faults.take_trace();
    assert!(trace.contains(&Port::Handle) && trace.contains(&Port::Index));
    assert!(trace.contains(&Port::DeviceRecords));

    for (port, nth, way) in breaks(&trace) {
        let world = World::new();
        world.login(PHONE).signed_in();
        world.faults.break_call(port, nth, way);
        while !world.run_alarms() {}
        world.settle_within(HOUR);
        // To the last byte what the clean run left, but for the numbers of the letters that are gone.
        assert_eq!(without_outbox(&world), without_outbox(&clean), "{port:?} {nth} {way:?}");
        no_letters_left(&world);
        assert_eq!(world.device_records(), clean.device_records());
        assert_eq!(world.back_office().accounts, clean.back_office().accounts);
    }
}

fn without_outbox(world: &World) -> Vec<Value> {
    let kinds = [Kind::Handle, Kind::Account];
    let states = kinds.iter().flat_map(|kind| world.objects.states(*kind).into_values());
    states.map(|state| state["state"].clone()).collect()
}
