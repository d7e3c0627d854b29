//! Another number while things break and others race: one number before, one after, whoever wins.

use std::{sync::Barrier, thread, time::Duration};

use serde_json::json;

use super::numbers::{NEW, OLD, THIRD, agreed, bearer, one_tap, to};
use crate::world::{Port, World, faults::ALL_WAYS, objects::Kind};

/// How many numbers each account has for good: never none, whatever has just broken.
fn never_none(world: &World) {
    for state in world.objects.states(Kind::Account).values() {
        let known = state["state"]["identifiers"].as_array().unwrap();
        assert_eq!(known.iter().filter(|known| known.get("claiming").is_none()).count(), 1, "{known:?}");
    }
}

#[test]
fn whatever_step_breaks_there_is_one_number_before_and_after() {
    let trace = {
        let world = World::new();
        let login = world.login(OLD).signed_in();
        world.run_alarms();
        world.faults.take_trace();
        assert_eq!(to(&world, &login, NEW).status, 204);
        world.faults.take_trace()
    };
    let calls = |wanted| trace.iter().filter(|port| **port == wanted).count();
    assert_eq!((calls(Port::Account), calls(Port::Handle)), (3, 2), "look, intend, settle: {trace:?}");
    for port in [Port::Account, Port::Handle] {
        for nth in 0..calls(port) {
            for broken in ALL_WAYS {
                let what = format!("{port:?} {nth} {broken:?}");
                let world = World::new();
                let login = world.login(OLD).signed_in();
                world.run_alarms();
                world.faults.break_call(port, nth, broken);
                let body = json!({"numberProof": one_tap(&world, NEW)});
                let first = world.put("/v1/account/phone", &body).bearer(bearer(&login)).try_send();
                world.faults.mend();
                never_none(&world);
                // Somebody else comes to the number before the outbox does.
                let visitor = world.login(NEW);
                never_none(&world);
                if let Some(first) = first {
                    assert!([204, 500].contains(&first.status), "{what}: {}", first.body);
                    assert!(first.status == 500 || visitor.body["account"]["isNew"] == false, "{what}");
                }
                world.settle_within(Duration::from_secs(60));
                let held = agreed(&world);
                let is_theirs = visitor.signed_in().body["account"]["isNew"] == true;
                assert_eq!(held.len(), if is_theirs { 2 } else { 1 }, "{what}");
                // Whoever asks again is told how it is.
                assert_eq!(to(&world, &login, NEW).status, if is_theirs { 409 } else { 204 }, "{what}");
                world.settle_within(Duration::from_secs(60));
                agreed(&world);
            }
        }
    }
}

#[test]
fn an_outbox_that_breaks_at_any_step_still_lets_the_old_number_go() {
    for (port, nth) in [(Port::Account, 0), (Port::Account, 1), (Port::Handle, 0), (Port::Handle, 1)] {
        for broken in ALL_WAYS {
            let world = World::new();
            let login = world.login(OLD).signed_in();
            world.run_alarms();
            assert_eq!(to(&world, &login, NEW).status, 204);
            world.faults.break_call(port, nth, broken);
            world.run_alarms();
            world.faults.mend();
            world.settle_within(Duration::from_secs(3600));
            assert_eq!(agreed(&world).len(), 1, "{port:?} {nth} {broken:?}");
            assert_eq!(world.login(OLD).signed_in().body["account"]["isNew"], true);
        }
    }
}

#[test]
fn of_two_changes_at_once_one_is_the_number() {
    for _ in 0..20 {
        let world = World::new();
        let login = world.login(OLD).signed_in();
        let (start, numbers) = (Barrier::new(2), [NEW, THIRD]);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let changes = numbers.map(|phone| {
                let (world, login, start) = (&world, &login, &start);
                scope.spawn(move || {
                    start.wait();
                    to(world, login, phone).status
                })
            });
            changes.into_iter().map(|change| change.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| [204, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&204), "{statuses:?}");
        world.settle_within(Duration::from_secs(60));
        assert_eq!(agreed(&world).len(), 1);
    }
}

#[test]
fn two_accounts_that_want_one_number_are_told_who_has_it() {
    let world = World::new();
    let (one, two) = (world.login(OLD).signed_in(), world.login(THIRD).signed_in());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let changes = [&one, &two].map(|login| scope.spawn(|| to(&world, login, NEW).status));
        changes.into_iter().map(|change| change.join().unwrap()).collect()
    });
    assert!(statuses == [204, 409] || statuses == [409, 204], "{statuses:?}");
    world.settle_within(Duration::from_secs(60));
    assert_eq!(agreed(&world).len(), 2);
}
