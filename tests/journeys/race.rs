//! Many at once, on real threads.

use std::{
    collections::BTreeSet,
    sync::{Barrier, atomic::Ordering},
    thread,
};

use crate::world::{Answer, World, objects::Kind};

const PHONE: &str = "13800138000";
const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const MANY: usize = 50;

fn at_once(act: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(MANY);
    let run = |nth: usize| {
        start.wait();
        act(nth)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..MANY).map(|nth| scope.spawn(move || run(nth))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn fifty_first_logins_of_one_number_make_one_account() {
    for _ in 0..10 {
        let world = World::new();
        let answers: Vec<Answer> =
            at_once(|_| world.login(PHONE)).into_iter().map(Answer::signed_in).collect();

        let accounts: BTreeSet<&str> = answers.iter().map(|answer| answer.text("/account/id")).collect();
        let sessions: BTreeSet<&str> = answers.iter().map(|answer| answer.text("/session/id")).collect();
        let devices: BTreeSet<&str> = answers.iter().map(|answer| answer.text("/device/token")).collect();
        assert_eq!((accounts.len(), sessions.len(), devices.len()), (1, MANY, MANY));
        assert_eq!(answers.iter().filter(|answer| answer.body["account"]["isNew"] == true).count(), 1);
        for answer in &answers {
            let fresh = world.get("/v1/session?fresh=true").bearer(answer.text("/session/accessToken"));
            assert_eq!(fresh.send().status, 200);
        }
        assert_eq!(world.objects.states(Kind::Account).len(), 1);
        world.run_alarms();
        assert_eq!(world.back_office().accounts.len(), 1);
        assert_eq!(world.device_records().len(), MANY);
    }
}

#[test]
fn fifty_uses_of_one_token_are_one_login() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let answers = at_once(|_| world.log_in_with(&token).send());
    let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1);
    for answer in bad {
        answer.falls_back(422, "one_tap_rejected");
    }
    assert_eq!(world.providers.times_seen(&token), 1);
}

#[test]
fn fifty_repeats_of_one_request_are_one_login() {
    let world = World::new();
    world.pauses_pass.store(false, Ordering::SeqCst);
    let token = world.providers.token(PHONE);
    let answers = at_once(|_| world.log_in_with(&token).key(KEY).send());
    let (good, running): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(good.iter().all(|answer| answer.body == good[0].body));
    for answer in running {
        answer.is_problem(503, "try_again");
    }
    assert_eq!(world.log_in_with(&token).key(KEY).send().signed_in().body, good[0].body);
    assert_eq!(world.providers.times_seen(&token), 1);
}
