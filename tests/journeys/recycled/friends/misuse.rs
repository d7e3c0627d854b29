//! What strangers, and friends who are none, try.

use serde_json::json;

use super::{
    Answer, DAY, LI, LONG_AGO, NUMBER, WANG, World, ZHAO, ask, asked, bearer, befriend, both, confirm,
    device_token, device_with, friend, friends_of, login_body, methods, ming, phrase, state, step,
};
use crate::world::Port;
use onetap::{kernel::time::Timestamp, ports::Clock};

/// Whoever asks, by a network of their own.
fn asked_from(world: &World, address: &str) -> Answer {
    let held = world
        .post("/v1/one-tap/login", &login_body("cmcc", &world.providers.token(NUMBER)))
        .from(address)
        .send();
    assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
    held
}

fn days_ago(world: &World, days: i64) -> String {
    Timestamp::from_secs(world.now().secs() - days * 86_400).rfc3339()
}

fn is_in_vain(answer: &Answer) {
    answer.is_problem(403, "proof_failed");
}

#[test]
fn who_has_fewer_than_two_friends_of_thirty_days_is_not_offered_them() {
    let world = World::new();
    let ming = ming(&world);
    friends_of(&world, &ming);
    let (li, wang) = (friend(&world, LI), friend(&world, WANG));
    let day = |days: i64| days_ago(&world, days);
    let lists =
        [vec![], vec![(&li, LONG_AGO.to_owned())], vec![(&li, LONG_AGO.to_owned()), (&wang, day(29))]];
    for friends in lists {
        let friends: Vec<(&Answer, &str)> =
            friends.iter().map(|(who, since)| (*who, since.as_str())).collect();
        befriend(&world, &ming, &friends);
        let held = asked(&world);
        assert_eq!(methods(&held), ["password"]);
        ask(&world, &held).is_problem(404, "not_found");
    }
    befriend(&world, &ming, &[(&li, LONG_AGO), (&wang, &day(30))]);
    assert_eq!(methods(&asked(&world)), ["password", "friends"]);
}

#[test]
fn whatever_is_wrong_with_a_confirmation_is_answered_alike() {
    let world = World::new();
    let ming = ming(&world);
    let [li, _] = friends_of(&world, &ming);
    let (stranger, fresh) = (friend(&world, ZHAO), friend(&world, ("13700137004", "198.51.103.1")));
    befriend(
        &world,
        &ming,
        &[(&li, LONG_AGO), (&friend(&world, WANG), LONG_AGO), (&fresh, "2026-11-20T00:00:00Z")],
    );
    let said = phrase(&ask(&world, &asked(&world)));
    let asker = "203.0.113.7";
    let of_nobody = "13312345678";
    for (who, from, phone, what, why) in [
        (&stranger, ZHAO.1, NUMBER, said.as_str(), "no friend"),
        (&li, LI.1, NUMBER, "7K4M-9QXR-2BTD", "another phrase"),
        (&li, LI.1, of_nobody, &said, "a number of nobody's"),
        (&li, LI.1, ZHAO.0, &said, "another's number"),
        (&li, asker, NUMBER, &said, "the asker's network"),
        (&li, "203.0.113.99", NUMBER, &said, "the asker's network, another address"),
    ] {
        let answer = confirm(&world, who, from, phone, what);
        assert_eq!((answer.status, answer.text("/code")), (403, "proof_failed"), "{why}");
    }
    let first = confirm(&world, &li, LI.1, NUMBER, &said);
    assert_eq!(first.status, 200, "and yet it is hers to say: {}", first.body);
}

#[test]
fn a_friend_of_twenty_nine_days_counts_for_nothing_and_one_friend_counts_once() {
    let world = World::new();
    let ming = ming(&world);
    let [li, wang] = friends_of(&world, &ming);
    let fresh = friend(&world, ZHAO);
    let since = days_ago(&world, 29);
    befriend(&world, &ming, &[(&li, LONG_AGO), (&wang, LONG_AGO), (&fresh, &since)]);
    let held = asked(&world);
    let said = phrase(&ask(&world, &held));
    is_in_vain(&confirm(&world, &fresh, ZHAO.1, NUMBER, &said));
    for _ in 0..3 {
        assert_eq!(confirm(&world, &li, LI.1, NUMBER, &said).status, 200);
    }
    assert_eq!(state(&world, &held).body["status"], "step_up_required", "one friend is one");
    confirm(&world, &wang, WANG.1, NUMBER, &said);
    state(&world, &held).signed_in();
}

#[test]
fn on_a_new_device_a_friend_says_nothing() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let said = phrase(&ask(&world, &asked(&world)));
    let elsewhere = friend(&world, LI);
    assert_ne!(device_token(&elsewhere), device_token(&friends[0]));
    confirm(&world, &elsewhere, LI.1, NUMBER, &said).is_problem(403, "reauthentication_required");
    let nobody = world.post("/v1/friends/confirmations", &json!({"phone": NUMBER, "phrase": said}));
    nobody.send().is_problem(401, "unauthenticated");
}

#[test]
fn the_asker_is_not_two_people_also_from_another_network() {
    let world = World::new();
    let ming = ming(&world);
    let [li, wang] = friends_of(&world, &ming);
    // She asks on the phone on which she is signed in as his friend.
    let body = json!({"credential": {"provider": "cmcc", "token": world.providers.token(NUMBER)},
        "device": device_with(device_token(&li))});
    let held = world.post("/v1/one-tap/login", &body).send();
    let said = phrase(&ask(&world, &held));
    is_in_vain(&confirm(&world, &li, LI.1, NUMBER, &said));
    // Nor from where she has asked once more.
    let body = json!({"method": "friends", "ticket": held.text("/ticket"),
        "device": device_with(device_token(&held))});
    let again = world.post("/v1/step-up/start", &body).from(WANG.1).send();
    assert_eq!(phrase(&again), said);
    is_in_vain(&confirm(&world, &wang, WANG.1, NUMBER, &said));
    assert_eq!(confirm(&world, &wang, ZHAO.1, NUMBER, &said).status, 200);
}

#[test]
fn a_phrase_leads_in_nobody_but_the_device_that_was_shown_it() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let (held, other) = (asked(&world), asked_from(&world, "192.0.2.1"));
    let said = phrase(&ask(&world, &held));
    let theirs = world.post(
        "/v1/step-up/start",
        &json!({"method": "friends", "ticket": other.text("/ticket"), "device": device_with(device_token(&other))}),
    );
    let theirs = phrase(&theirs.from("192.0.2.1").send());
    assert_ne!(said, theirs);
    both(&world, &friends, &said);
    assert_eq!(state(&world, &other).body.get("proven"), None);
    state(&world, &held).signed_in();
}

#[test]
fn after_a_day_nobody_confirms_any_more_and_he_may_ask_once_more() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    let asking = ask(&world, &held);
    let said = phrase(&asking);
    world.pass(DAY);
    for (friend, (_, address)) in friends.iter().zip([LI, WANG]) {
        let mut friend = friend.clone();
        friend.body["session"] = super::refresh(&world, &friend).body["session"].clone();
        is_in_vain(&confirm(&world, &friend, address, NUMBER, &said));
    }
    assert_eq!(super::case_state(&world, asking.text("/friends/id"), device_token(&held)), "expired");
    let again = asked(&world);
    assert_ne!(phrase(&ask(&world, &again)), said);
    // Twice within a month; then others have to help.
    world.pass(DAY);
    ask(&world, &asked(&world)).is_problem(429, "rate_limited");
}

#[test]
fn strangers_take_each_others_room_and_not_that_of_his_devices() {
    let world = World::new();
    let ming = ming(&world);
    friends_of(&world, &ming);
    let ask_from = |address: &str, token: Option<&str>| {
        let mut body = login_body("cmcc", &world.providers.token(NUMBER));
        if let Some(token) = token {
            body["device"] = device_with(token);
        }
        let held = world.post("/v1/one-tap/login", &body).from(address).send();
        let token = token.unwrap_or_else(|| device_token(&held));
        let body = json!({"method": "friends", "ticket": held.text("/ticket"), "device": {"token": token}});
        world.post("/v1/step-up/start", &body).from(address).send()
    };
    assert_eq!(ask_from("192.0.2.1", None).status, 200);
    ask_from("192.0.2.2", None).is_problem(429, "rate_limited");
    for network in 10..15 {
        assert_eq!(ask_from(&format!("198.18.{network}.1"), None).status, 200, "{network}");
    }
    ask_from("198.18.99.1", None).is_problem(429, "rate_limited");
    let his = ask_from("198.18.99.1", Some(device_token(&ming)));
    assert_eq!(his.status, 200, "{}", his.body);
}

#[test]
fn a_friend_guesses_twenty_times_a_day() {
    let world = World::new();
    let ming = ming(&world);
    let [li, _] = friends_of(&world, &ming);
    let said = phrase(&ask(&world, &asked(&world)));
    for _ in 0..20 {
        is_in_vain(&confirm(&world, &li, LI.1, NUMBER, "7K4M-9QXR-2BTD"));
    }
    confirm(&world, &li, LI.1, NUMBER, &said).is_problem(429, "rate_limited");
    let wrong = |body| world.post("/v1/friends/confirmations", &body).bearer(bearer(&li)).send();
    for (field, body) in [
        ("phrase", json!({"phone": NUMBER, "phrase": "7K4M-9QXR"})),
        ("phrase", json!({"phone": NUMBER})),
        ("phone", json!({"phrase": said})),
    ] {
        let refused = wrong(body);
        refused.is_problem(400, "invalid_request");
        assert_eq!(refused.text("/fields/0/name"), field);
    }
}

#[test]
fn a_friend_learns_nothing_of_who_has_the_number_and_who_had_it() {
    let world = World::new();
    let ming = ming(&world);
    let [li, _] = friends_of(&world, &ming);
    let calls = |phone: &str| {
        world.faults.take_trace();
        is_in_vain(&confirm(&world, &li, LI.1, phone, "7K4M-9QXR-2BTD"));
        world.faults.take_trace()
    };
    let of_ming = calls(NUMBER);
    let accounts = of_ming.iter().filter(|port| **port == Port::Account).count();
    assert_eq!(accounts, 5, "her own, and four: {of_ming:?}");
    super::claim(&world, &asked(&world), "not_mine").signed_in();
    assert_eq!(calls(NUMBER), of_ming, "hers now, his once");
    assert_eq!(calls("13312345678"), of_ming, "nobody's");
}

#[test]
fn an_app_that_asks_for_a_proof_at_once_is_not_offered_friends() {
    let world = World::new();
    let ming = ming(&world);
    let friends = [LI, WANG].map(|one| friend(&world, one));
    befriend(&world, &ming, &[(&friends[0], LONG_AGO), (&friends[1], LONG_AGO)]);
    let body = json!({"purpose": "pay", "minStrength": 2});
    let mut held = world.post("/v1/step-up", &body).bearer(bearer(&ming)).send();
    held.body["device"] = json!({"token": device_token(&ming)});
    assert_eq!(methods(&held), ["password"]);
    step(&world, &held, "start", json!({"method": "friends"})).is_problem(404, "not_found");
}
