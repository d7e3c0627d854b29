//! Xiao Ming comes back: the number is Xiao Hong's by now, he knows his password, and neither hears of the other.

use serde_json::{Value, json};

use super::{
    login_protection,
    numbers::{one_tap, otp, to},
    recycled::{
        DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, claim, device_token, log_in, ming,
        own, refresh, set_password, step, used,
    },
};
use crate::world::{
    Answer, Port, World,
    client::{device, device_with},
    objects::Kind,
};

mod guesses;

const HERS: &str = "vlimp oster gandel";
const WRONG: &str = "something else";
const NEW_NUMBER: &str = "13900139000";
const FRIEND: &str = "19912345678";
const ADDRESS: &str = "xiaoming@mail.example";

/// He left his number, and she registered with it; she has a password too.
fn sold(world: &World) -> (Answer, Answer) {
    sold_after(world, |_, _| {})
}

/// The same; before he left it he did that.
fn sold_after(world: &World, doing: impl FnOnce(&World, &Answer)) -> (Answer, Answer) {
    let his = ming(world);
    doing(world, &his);
    world.settle_within(MINUTE);
    world.pass(SOLD_AGAIN);
    (his, buys(world))
}

/// She says that his account is not hers.
fn buys(world: &World) -> Answer {
    let hers = claim(world, &asked(world), "not_mine").signed_in();
    set_password(world, &hers, HERS);
    world.settle_within(MINUTE);
    hers
}

fn bind_address(world: &World, login: &Answer) {
    let ask = json!({"email": ADDRESS, "purpose": "bind", "device": device()});
    let challenge = world.post("/v1/otp/send", &ask).bearer(bearer(login)).send().challenge();
    let body = json!({"challengeId": challenge, "code": world.phones.mailed_code(ADDRESS)});
    let bind = world.post("/v1/account/identities/email", &body).bearer(bearer(login)).send();
    assert_eq!(bind.status, 204, "{}", bind.body);
}

fn trust_phone(world: &World, login: &Answer) {
    let body = json!({"numberProof": one_tap(world, FRIEND)});
    let trusted = world.post("/v1/account/trusted-phones", &body).bearer(bearer(login)).send();
    assert_eq!(trusted.status, 201, "{}", trusted.body);
}

/// A name to come in by that was never sold.
fn take_name(world: &World, login: &Answer) {
    let body = json!({"username": "xiaoming77"});
    let bind = world.post("/v1/account/identities/username", &body).bearer(bearer(login)).send();
    assert_eq!(bind.status, 204, "{}", bind.body);
}

/// He comes with number and password on a device that the account does not know.
fn held(world: &World) -> Answer {
    let held = log_in(world, NUMBER, PASSWORD, &device());
    assert_eq!((held.status, &held.body["status"]), (200, &json!("step_up_required")), "{}", held.body);
    held
}

fn by_mailed_code(world: &World, held: &Answer) -> Answer {
    let started = step(world, held, "start", json!({"method": "email_code"}));
    let challenge = started.text("/challenge/challengeId").to_owned();
    let code = world.phones.mailed_code(ADDRESS);
    let given = json!({"method": "email_code", "challengeId": challenge, "code": code});
    step(world, held, "complete", given)
}

fn methods(held: &Answer) -> Vec<&str> {
    let methods = held.body["methods"].as_array().unwrap().iter();
    methods.map(|way| way["method"].as_str().unwrap()).collect()
}

fn kept(world: &World, login: &Answer) -> Value {
    world.objects.states(Kind::Account)[account(login)].clone()
}

#[test]
fn on_his_own_device_he_is_in_and_is_asked_for_a_new_number() {
    let world = World::new();
    let (his, hers) = sold(&world);
    let before = kept(&world, &hers);
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    assert_eq!((account(&back), &back.body["needs"]), (account(&his), &json!(["new_phone"])));
    assert_eq!((&back.body["account"]["isNew"], back.body["account"].get("phone")), (&json!(false), None));
    assert_eq!(own(&world, &back)["displayName"], "小明同学", "he kept all but the number");
    assert_eq!(kept(&world, &hers), before, "of her account nothing has moved");
    // The number stays hers, and once he has another one nothing is missing.
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hers));
    assert_eq!(to(&world, &back, NEW_NUMBER).status, 204);
    world.settle_within(MINUTE);
    assert_eq!(account(&world.login(NEW_NUMBER).signed_in()), account(&his));
    let again = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    assert_eq!((account(&again), again.body.get("needs")), (account(&his), None));
    assert_eq!(refresh(&world, &hers).status, 200, "she is where she was");
}

#[test]
fn many_who_had_the_number_for_a_day_do_not_keep_him_out() {
    let world = World::new();
    let (his, mut hers) = sold(&world);
    // Whoever has the SIM registers, takes another number, and registers anew.
    for nth in 0..20 {
        assert_eq!(to(&world, &hers, &format!("139001390{nth:02}")).status, 204);
        world.settle_within(MINUTE);
        hers = world.login(NUMBER).signed_in();
        assert_eq!(hers.body["account"]["isNew"], true);
    }
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    assert_eq!(account(&back), account(&his));
}

#[test]
fn until_he_has_another_number_every_way_in_asks_for_one() {
    let world = World::new();
    let (his, hers) = sold_after(&world, take_name);
    let by_name = log_in(&world, "xiaoming77", PASSWORD, &device_with(device_token(&his))).signed_in();
    assert_eq!((account(&by_name), &by_name.body["needs"]), (account(&his), &json!(["new_phone"])));
    let hers_again = log_in(&world, NUMBER, HERS, &device_with(device_token(&hers))).signed_in();
    assert_eq!(hers_again.body.get("needs"), None);
}

#[test]
fn on_a_new_device_he_proves_one_thing_more_and_a_weak_one_is_enough() {
    let world = World::new();
    let (his, hers) = sold_after(&world, bind_address);
    let before = kept(&world, &hers);
    let held = held(&world);
    let said = [&held.body["reason"], &held.body["need"], &held.body["proven"]];
    assert_eq!(said, [&json!("historical_number"), &json!(3), &json!(["password"])]);
    assert_eq!((methods(&held), held.body.get("choices")), (vec!["email_code"], None));
    assert_eq!(held.body.get("hints"), None, "whoever has the password needs none");
    let back = by_mailed_code(&world, &held).signed_in();
    assert_eq!((account(&back), &back.body["needs"]), (account(&his), &json!(["new_phone"])));
    assert_eq!(kept(&world, &hers), before);
    // The device is confirmed now.
    log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&held))).signed_in();
}

#[test]
fn the_password_alone_does_not_count_twice_and_where_nothing_else_can_be_proven_nothing_is_offered() {
    let world = World::new();
    sold(&world);
    let held = held(&world);
    assert!(methods(&held).is_empty(), "{}", held.body);
    let again = json!({"method": "password", "password": PASSWORD});
    let more = step(&world, &held, "complete", again);
    assert_eq!(more.body["status"], "step_up_required", "{}", more.body);
    assert_eq!(more.body["proven"], json!(["password"]));
}

#[test]
fn of_equal_passwords_it_is_hers_who_has_the_number() {
    let world = World::new();
    let (his, hers) = sold_after(&world, take_name);
    set_password(&world, &hers, PASSWORD);
    assert_eq!(account(&log_in(&world, NUMBER, PASSWORD, &device()).signed_in()), account(&hers));
    // What is his alone still leads to him.
    assert_eq!(account(&log_in(&world, "xiaoming77", PASSWORD, &device()).signed_in()), account(&his));
}

#[test]
fn nobody_learns_by_a_guess_to_how_many_a_number_has_led() {
    let world = World::new();
    sold(&world);
    let look = |identifier: &str| {
        world.faults.take_trace();
        let mut answer = log_in(&world, identifier, WRONG, &device());
        answer.is_problem(401, "invalid_credentials");
        answer.body.as_object_mut().unwrap().remove("requestId");
        (answer.body, world.faults.take_trace())
    };
    let sold = look(NUMBER);
    assert_eq!(sold.1.iter().filter(|port| **port == Port::PasswordVerify).count(), 4);
    assert_eq!(look("13700137000"), sold, "nobody's");
    world.login(NEW_NUMBER).signed_in();
    assert_eq!(look(NEW_NUMBER), sold, "of one without a password");
}

#[test]
fn three_who_had_it_may_come_back_and_nobody_before_them() {
    let world = World::new();
    let mut people = vec![(ming(&world), "first of many words")];
    set_password(&world, &people[0].0, people[0].1);
    for password in ["second of many words", "third of many words", "fourth of many words", "fifth of many"] {
        world.pass(SOLD_AGAIN);
        let next = buys(&world);
        set_password(&world, &next, password);
        people.push((next, password));
    }
    world.settle_within(MINUTE);
    for (nth, (login, password)) in people.iter().enumerate() {
        let answer = log_in(&world, NUMBER, password, &device_with(device_token(login)));
        match nth {
            0 => answer.is_problem(401, "invalid_credentials"),
            _ => assert_eq!(account(&answer.signed_in()), account(login)),
        }
    }
}

#[test]
fn who_took_another_number_comes_in_by_the_old_one_and_who_unbound_it_does_not() {
    let world = World::new();
    let his = ming(&world);
    assert_eq!(to(&world, &his, NEW_NUMBER).status, 204);
    // Before its handle has heard of it, and after.
    for _ in 0..2 {
        let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
        assert_eq!((account(&back), back.body.get("needs")), (account(&his), None));
        let stranger = held(&world);
        assert_eq!(stranger.body["reason"], "historical_number");
        world.settle_within(MINUTE);
    }
    let world = World::new();
    let his = ming(&world);
    take_name(&world, &his);
    assert_eq!(world.delete("/v1/account/identities/phone").bearer(bearer(&his)).send().status, 204);
    for _ in 0..2 {
        let own = device_with(device_token(&his));
        log_in(&world, NUMBER, PASSWORD, &own).is_problem(401, "invalid_credentials");
        world.settle_within(MINUTE);
    }
}

#[test]
fn protection_wants_more_beside_the_password_than_a_weak_proof() {
    let world = World::new();
    let (his, _) = sold_after(&world, |world, his| {
        bind_address(world, his);
        trust_phone(world, his);
        assert_eq!(login_protection::protect(world, his, true).status, 204);
    });
    // After four months nothing is left that could be asked, and protection rests.
    let unprotected = held(&world);
    assert_eq!((methods(&unprotected), &unprotected.body["need"]), (vec!["email_code"], &json!(3)));
    // On his own phone he is in, and by a new number he is heard of again.
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    trust_phone(&world, &back);
    let held = held(&world);
    assert_eq!((&held.body["reason"], &held.body["need"]), (&json!("historical_number"), &json!(4)));
    assert_eq!(methods(&held), ["trusted_phone"]);
    let id = held.text("/methods/0/id").to_owned();
    world.pass(MINUTE);
    let started = step(&world, &held, "start", json!({"method": "trusted_phone", "id": id}));
    let challenge = started.text("/challenge/challengeId").to_owned();
    let given =
        json!({"method": "trusted_phone", "challengeId": challenge, "code": world.phones.code(FRIEND)});
    assert_eq!(account(&step(&world, &held, "complete", given).signed_in()), account(&his));
}

#[test]
fn a_password_that_was_changed_since_opens_no_ticket() {
    let world = World::new();
    let (his, _) = sold_after(&world, bind_address);
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    let held = held(&world);
    set_password(&world, &back, "tremble-oxbow-vantage");
    by_mailed_code(&world, &held).is_problem(410, "ticket_invalid");
}

#[test]
fn she_never_hears_of_him_nor_he_of_her() {
    let world = World::new();
    let (his, hers) = sold_after(&world, bind_address);
    let messages = world.phones.all().len();
    let on_his = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    let on_new = held(&world);
    let back = by_mailed_code(&world, &on_new).signed_in();
    world.settle_within(DAY);
    for answer in [&on_his, &on_new, &back] {
        assert!(!answer.body.to_string().contains(account(&hers)), "{}", answer.body);
    }
    let to_her = world.phones.all().split_off(messages);
    assert!(to_her.iter().all(|message| !message.to.ends_with(NUMBER)), "her phone stays silent");
    let refreshed = refresh(&world, &hers);
    let of_hers = |path: &str| world.get(path).bearer(bearer(&refreshed)).send().body.to_string();
    for path in ["/v1/account", "/v1/account/export", "/v1/sessions", "/v1/devices", "/v1/login-history"] {
        let seen = of_hers(path);
        for his in [account(&his), device_token(&his), on_his.text("/session/id"), back.text("/session/id")] {
            assert!(!seen.contains(his), "{path}: {seen}");
        }
    }
}

#[test]
fn what_he_proves_with_the_number_he_had_is_nothing() {
    let world = World::new();
    let (his, hers) = sold(&world);
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&his))).signed_in();
    world.pass(MINUTE * 11);
    let later = refresh(&world, &back);
    // A code to the number is hers, whoever asks for it.
    let code = otp(&world, &later, NUMBER, "step_up");
    let prove = world.post("/v1/session/proof", &json!({"proof": code})).bearer(bearer(&later)).send();
    prove.is_problem(403, "proof_failed");
    to(&world, &later, NUMBER).is_problem(409, "phone_in_use");
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hers));
}

#[test]
fn a_device_that_he_used_for_long_needs_no_first_day() {
    let world = World::new();
    ming(&world);
    // The phone that the account was made on is lost; this one came later, and is known by use.
    let tablet = world.login(NUMBER).signed_in();
    used(&world, &tablet, 7);
    world.pass(SOLD_AGAIN);
    buys(&world);
    let back = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&tablet)));
    assert_eq!(account(&back.signed_in()), account(&tablet));
}
