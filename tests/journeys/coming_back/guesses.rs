//! What guesses at a number cost whom: her, who has it, and him, who had it.

use super::*;

fn few(name: &str) -> Option<String> {
    ["PASSWORD_TRIES_DAY", "PASSWORD_TRIES_MONTH"].contains(&name).then(|| "10".to_owned())
}

fn guess(world: &World) {
    log_in(world, NUMBER, WRONG, &device()).is_problem(401, "invalid_credentials");
}

#[test]
fn guesses_at_the_number_take_nothing_from_what_he_has_by_his_own_name() {
    let world = World::with(few);
    let (his, _) = sold_after(&world, take_name);
    for _ in 0..10 {
        guess(&world);
    }
    log_in(&world, NUMBER, PASSWORD, &device()).is_problem(429, "rate_limited");
    assert_eq!(account(&log_in(&world, "xiaoming77", PASSWORD, &device()).signed_in()), account(&his));
    // His own device comes in by the number too.
    log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
}

#[test]
fn nor_do_guesses_at_his_name_close_his_way_back_by_the_number() {
    let world = World::with(few);
    let (his, _) = sold_after(&world, |world, his| {
        take_name(world, his);
        bind_address(world, his);
    });
    for _ in 0..10 {
        log_in(&world, "xiaoming77", WRONG, &device()).is_problem(401, "invalid_credentials");
    }
    assert_eq!(account(&by_mailed_code(&world, &held(&world)).signed_in()), account(&his));
}

#[test]
fn under_all_numbers_that_he_had_he_bears_so_many_guesses_a_month_and_nobody_is_told() {
    let world = World::with(few);
    let his = ming(&world);
    for number in [NEW_NUMBER, FRIEND] {
        assert_eq!(to(&world, &his, number).status, 204);
        world.settle_within(MINUTE);
    }
    let ask = |identifier: &str, password: &str| {
        world.faults.take_trace();
        let answer = log_in(&world, identifier, password, &device());
        (answer.status, answer.text("/code").to_owned(), world.faults.take_trace())
    };
    for _ in 0..5 {
        ask(NUMBER, WRONG);
        ask(NEW_NUMBER, WRONG);
    }
    // By now not even the right one counts, and it looks as with a number that is nobody's.
    assert_eq!(ask(NUMBER, PASSWORD), ask("13700137000", PASSWORD));
    log_in(&world, NEW_NUMBER, PASSWORD, &device()).is_problem(401, "invalid_credentials");
    log_in(&world, FRIEND, PASSWORD, &device()).signed_in();
    world.pass(DAY * 33);
    held(&world);
}

#[test]
fn his_returns_cost_her_nothing() {
    let world = World::new();
    let (_, hers) = sold(&world);
    for _ in 0..10 {
        held(&world);
    }
    // Ten wrong ones an hour are hers, as if he had never been there.
    for _ in 0..9 {
        guess(&world);
    }
    assert_eq!(account(&log_in(&world, NUMBER, HERS, &device()).signed_in()), account(&hers));
}

#[test]
fn with_new_passwords_of_his_own_he_guesses_at_hers_no_more_often_than_anybody() {
    let world = World::new();
    sold(&world);
    // Each return is a guess at her password: ten an hour are free, ten more are paid for as a stranger's are.
    let tried = (0..40).take_while(|_| log_in(&world, NUMBER, PASSWORD, &device()).status == 200).count();
    assert_eq!(tried, 20);
    log_in(&world, NUMBER, PASSWORD, &device()).is_problem(429, "rate_limited");
}

#[test]
fn her_device_and_his_are_two() {
    let world = World::with(few);
    let (his, hers) = sold(&world);
    let (on_hers, on_his) = (device_with(device_token(&hers)), device_with(device_token(&his)));
    for _ in 0..10 {
        guess(&world);
    }
    // By now strangers are told to wait, and neither of both.
    assert_eq!(account(&log_in(&world, NUMBER, HERS, &on_hers).signed_in()), account(&hers));
    assert_eq!(account(&log_in(&world, NUMBER, PASSWORD, &on_his).signed_in()), account(&his));
    // His device is no way to guess at hers past what strangers have.
    log_in(&world, NUMBER, HERS, &on_his).is_problem(401, "invalid_credentials");
}

#[test]
fn on_a_device_of_his_she_signs_in_by_her_number_as_on_any() {
    let world = World::new();
    let (his, hers) = sold(&world);
    let on_his = device_with(device_token(&his));
    let back = log_in(&world, NUMBER, HERS, &on_his).signed_in();
    assert_eq!(account(&back), account(&hers));
    assert_ne!(back.text("/device/id"), his.text("/device/id"), "to her account it is a new one");
}
