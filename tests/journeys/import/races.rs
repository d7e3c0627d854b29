//! An import beside people who sign in and sign up, and one that breaks at any step.

use std::{sync::Barrier, thread, time::Duration};

use serde_json::{Value, json};

use super::{OTHER, PHONE, agreed, batch, counts, import, importer};
use crate::world::{Broken, Port, World, client::device, faults::ALL_WAYS, objects::Kind};

const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const TYPED: &str = "U*U";
const HOUR: Duration = Duration::from_secs(3600);

fn line() -> Value {
    json!({"externalId": "7", "phone": PHONE, "phoneProvenAt": "2026-11-19T04:00:00Z", "username": "xiaoming", "password": BCRYPT})
}

/// A world in which an import of the line died after so many calls to objects of accounts and handles.
fn died_after(calls: usize, is_taken: bool) -> World {
    let world = World::new();
    if is_taken {
        let owner = world.login(OTHER).signed_in();
        let name = json!({"username": "xiaoming"});
        let bind = world.post("/v1/account/identities/username", &name);
        assert_eq!(bind.bearer(owner.text("/session/accessToken")).send().status, 204);
        world.settle_within(HOUR);
    }
    // Account, handle of the number, handle of the name, account; and if the name is taken, the number's once more.
    let (port, nth) =
        [(Port::Account, 0), (Port::Handle, 0), (Port::Handle, 1), (Port::Account, 1), (Port::Handle, 2)]
            [calls];
    world.faults.break_call(port, nth, Broken::DiesAfter);
    assert!(batch(&world, &importer(&world), &[line()]).try_send().is_none(), "it died after {calls}");
    world.faults.mend();
    world
}

#[test]
fn an_import_that_died_is_ended_by_the_same_line() {
    for is_taken in [false, true] {
        for calls in 0..4 + usize::from(is_taken) {
            let world = died_after(calls, is_taken);
            let again = import(&world, &[line()]);
            let expected = match (is_taken, calls) {
                (false, 3) => [0, 1, 0],
                (false, _) => [1, 0, 0],
                (true, _) => [0, 0, 1],
            };
            assert_eq!(counts(&again), expected, "{calls} {is_taken}: {}", again.body);
            world.settle_within(HOUR);
            assert_eq!(agreed(&world).len(), 2, "{calls} {is_taken}");
        }
    }
}

#[test]
fn an_import_that_nobody_ends_ends_itself() {
    for is_taken in [false, true] {
        for calls in 0..4 + usize::from(is_taken) {
            let world = died_after(calls, is_taken);
            world.settle_within(HOUR);
            assert_eq!(agreed(&world).len(), 2, "{calls} {is_taken}");
            assert_eq!(world.objects.states(Kind::Account).len(), 1, "{calls} {is_taken}");
            assert_eq!(world.back_office().accounts.len(), 1, "{calls} {is_taken}");
        }
    }
}

#[test]
fn who_signs_in_in_the_middle_finds_a_whole_account_or_none() {
    for is_taken in [false, true] {
        for calls in 0..4 + usize::from(is_taken) {
            let world = died_after(calls, is_taken);
            let login = world.login(PHONE).signed_in();
            // Before its first claim nothing leads to the account, so who comes is new and has the number.
            let comes_first = calls == 0;
            assert_eq!(login.body["account"]["isNew"], comes_first || is_taken, "{calls} {is_taken}");
            let own = world.get("/v1/account/identities").bearer(login.text("/session/accessToken")).send();
            let bound = own.body["identities"].as_array().unwrap().len();
            assert_eq!(bound, if comes_first || is_taken { 1 } else { 2 }, "{calls} {is_taken}");
            let again = import(&world, &[line()]);
            assert_eq!(counts(&again)[2], u64::from(comes_first || is_taken), "{calls} {is_taken}");
            world.settle_within(HOUR);
            let held = agreed(&world);
            assert_eq!(
                held.len(),
                if is_taken { 3 } else { 1 + usize::from(!comes_first) },
                "{calls} {is_taken}"
            );
        }
    }
}

#[test]
fn a_password_login_in_the_middle_is_one_to_the_whole_account() {
    for (calls, is_in) in [(0, false), (1, true), (2, true), (3, true)] {
        let world = died_after(calls, false);
        let body = json!({"identifier": PHONE, "password": TYPED, "device": device()});
        let answer = world.post("/v1/password/login", &body).send();
        if is_in {
            answer.signed_in();
        } else {
            answer.is_problem(401, "invalid_credentials");
        }
        world.settle_within(HOUR);
        assert_eq!(agreed(&world).len(), 2);
    }
    let world = died_after(1, true);
    let body = json!({"identifier": PHONE, "password": TYPED, "device": device()});
    world.post("/v1/password/login", &body).send().is_problem(401, "invalid_credentials");
    assert!(world.login(PHONE).signed_in().body["account"]["isNew"] == true);
}

#[test]
fn whatever_call_breaks_the_same_line_ends_right() {
    let trace = {
        let world = World::new();
        import(&world, &[line()]);
        world.faults.take_trace()
    };
    for (at, port) in trace.iter().enumerate() {
        let nth = trace[..at].iter().filter(|earlier| *earlier == port).count();
        let ways = if *port == Port::Entropy { &ALL_WAYS[..1] } else { &ALL_WAYS };
        for way in ways {
            let world = World::new();
            let key = importer(&world);
            world.faults.break_call(*port, nth, *way);
            if let Some(answer) = batch(&world, &key, &[line()]).try_send() {
                assert!([200, 500].contains(&answer.status), "{port:?} {nth} {way:?}: {}", answer.body);
            }
            world.faults.mend();
            let [now, before, refused] = counts(&import(&world, &[line()]));
            assert_eq!((now + before, refused), (1, 0), "{port:?} {nth} {way:?}");
            world.settle_within(HOUR);
            assert_eq!(agreed(&world).len(), 2, "{port:?} {nth} {way:?}");
        }
    }
}

#[test]
fn of_an_import_and_people_who_sign_up_at_once_one_has_each_number() {
    for round in 0..20 {
        let world = World::seeded(round, |_| None);
        let key = importer(&world);
        let phones: Vec<String> = (0..20).map(|nth| format!("138001380{nth:02}")).collect();
        let user = |(nth, phone): (usize, &String)| json!({"externalId": nth.to_string(), "phone": phone, "phoneProvenAt": "2026-11-19T04:00:00Z", "username": format!("user{nth}"), "password": BCRYPT});
        let lines: Vec<Value> = phones.iter().enumerate().map(user).collect();
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    assert_eq!(batch(&world, &key, &lines).send().status, 200);
                });
            }
            scope.spawn(|| {
                start.wait();
                for phone in phones.iter().rev() {
                    world.login(phone).signed_in();
                }
            });
            scope.spawn(|| {
                start.wait();
                for _ in 0..50 {
                    world.run_alarms();
                }
            });
        });
        world.settle_within(HOUR);
        let held = agreed(&world);
        let phones_held = held.iter().filter(|(name, _)| name.starts_with("phone.")).count();
        assert_eq!(phones_held, phones.len(), "round {round}");
        for phone in &phones {
            assert_eq!(world.login(phone).signed_in().body["account"]["isNew"], false);
        }
        let [_, unchanged, refused] = counts(&batch(&world, &key, &lines).send());
        assert_eq!(unchanged + refused, 20, "round {round}");
    }
}
