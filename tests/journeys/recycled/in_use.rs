//! Xiao Hong has an account of her own already, and brings the number that leads to his: `phone_in_use` says how to go on,
//! where the rule would ask her at a sign-in.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, SOLD_AGAIN, account, bearer, claim, device_token, evidence, log_in, ming,
    objections, own, stays, used,
};
use crate::world::{
    Answer, Port, World,
    client::{device, device_with},
    faults::ALL_WAYS,
};

/// Her number so far.
const HERS: &str = "13900139000";

/// She brings the number, as her carrier proves it.
fn brings(world: &World, hong: &Answer) -> Answer {
    let credential = json!({"provider": "cmcc", "token": world.providers.token(NUMBER)});
    let proof = json!({"type": "one_tap", "credential": credential});
    world.put("/v1/account/phone", &json!({"numberProof": proof})).bearer(bearer(hong)).send()
}

fn says(world: &World, hong: &Answer, ticket: &Value, choice: &str) -> Answer {
    let body = json!({"ticket": ticket, "choice": choice});
    world.put("/v1/account/phone", &body).bearer(bearer(hong)).send()
}

/// She brings it and is told how to go on: the ticket.
fn may_claim(world: &World, hong: &Answer) -> Value {
    let asked = brings(world, hong);
    asked.is_problem(409, "phone_in_use");
    assert_eq!((&asked.body["choices"], &asked.body["expiresIn"]), (&json!(["not_mine"]), &json!(600)));
    asked.body["ticket"].clone()
}

fn names(answer: &Answer) -> Vec<&String> {
    answer.body.as_object().unwrap().keys().collect()
}

const NO_MORE: [&str; 6] = ["code", "detail", "requestId", "status", "title", "type"];

#[test]
fn with_the_same_proof_she_says_not_mine_and_it_is_hers() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let hong = world.login(HERS).signed_in();
    world.settle_within(MINUTE);
    let ticket = may_claim(&world, &hong);
    assert_eq!(own(&world, &hong)["phone"], "+86139****9000", "nothing has happened yet");
    let hong = world.login(HERS).signed_in();
    says(&world, &hong, &ticket, "not_mine").is_problem(410, "ticket_invalid");
    let ticket = may_claim(&world, &hong);
    assert_eq!(says(&world, &hong, &ticket, "not_mine").status, 204);
    assert_eq!(says(&world, &hong, &ticket, "not_mine").status, 204, "a repeat");
    world.settle_within(MINUTE);
    // The number leads to her account, which is the same; her old one is free, and his account has all but the number.
    let comes = world.login(NUMBER).signed_in();
    assert_eq!((account(&comes), &comes.body["account"]["isNew"]), (account(&hong), &json!(false)));
    assert_eq!(own(&world, &hong)["phone"], "+86138****8000");
    assert_ne!(account(&world.login(HERS).signed_in()), account(&hong));
    let back = log_in(&world, NUMBER, super::PASSWORD, &device());
    assert_eq!(back.body["reason"], "historical_number", "{}", back.body);
    let phones = world.get("/v1/account/phones").bearer(bearer(&hong)).send();
    assert_eq!(phones.body["phones"][1]["cause"], "changed", "{}", phones.body);
    assert!(!phones.body.to_string().contains(account(&ming)));
}

#[test]
fn of_a_number_that_was_proven_lately_nothing_more_is_said() {
    let world = World::new();
    ming(&world);
    world.pass(SOLD_AGAIN - MINUTE * 10);
    let hong = world.login(HERS).signed_in();
    let refused = brings(&world, &hong);
    refused.is_problem(409, "phone_in_use");
    assert_eq!(names(&refused), NO_MORE);
    // A ticket does not outlast what it was given for: he comes with the number meanwhile.
    world.pass(MINUTE * 10);
    let hong = world.login(HERS).signed_in();
    let ticket = may_claim(&world, &hong);
    let held = super::asked(&world);
    let his = super::by_password(&world, &held, super::PASSWORD).signed_in();
    world.settle_within(MINUTE);
    let late = says(&world, &hong, &ticket, "not_mine");
    late.is_problem(409, "phone_in_use");
    assert_eq!(names(&late), NO_MORE);
    assert_eq!(own(&world, &his)["phone"], "+86138****8000");
}

#[test]
fn an_owner_who_is_there_has_three_days_and_then_she_brings_it_again() {
    for by_sign_in in [true, false] {
        let world = World::new();
        let first = ming(&world);
        used(&world, &first, 7);
        let ming = stays(&world, first, 120);
        let hong = world.login(HERS).signed_in();
        let ticket = may_claim(&world, &hong);
        let waits = says(&world, &hong, &ticket, "not_mine");
        assert_eq!((waits.status, &waits.body["phone"]), (202, &json!("+86138****8000")), "{}", waits.body);
        assert_eq!(says(&world, &hong, &ticket, "not_mine").body, waits.body, "neither anew nor longer");
        assert_eq!(
            (own(&world, &ming)["phone"].as_str(), own(&world, &hong)["phone"].as_str()),
            (Some("+86138****8000"), Some("+86139****9000"))
        );
        world.pass(DAY * 3);
        if by_sign_in {
            // By the number alone nobody comes into an account that has another one.
            let comes = world.login(NUMBER).signed_in();
            assert_eq!(
                (&comes.body["account"]["isNew"], account(&comes) == account(&hong)),
                (&json!(true), false)
            );
            let hong = world.login(HERS).signed_in();
            brings(&world, &hong).is_problem(409, "phone_in_use");
            continue;
        }
        let hong = world.login(HERS).signed_in();
        assert_eq!(brings(&world, &hong).status, 204);
        world.settle_within(MINUTE);
        let comes = world.login(NUMBER).signed_in();
        assert_eq!((account(&comes), comes.text("/account/phone")), (account(&hong), "+86138****8000"));
        assert_eq!(world.login(HERS).signed_in().body["account"]["isNew"], true, "one number at a time");
    }
}

#[test]
fn who_waits_since_a_sign_in_sees_until_when_and_has_it_when_it_is_due() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let waits = claim(&world, &super::asked(&world), "not_mine").signed_in();
    assert_eq!(waits.body["needs"], json!(["phone"]));
    let seen = brings(&world, &waits);
    assert_eq!((seen.status, &seen.body["phone"]), (202, &json!("+86138****8000")), "{}", seen.body);
    assert!(seen.body["effectiveAt"].is_string());
    world.pass(DAY * 3);
    let hers = world.login(NUMBER).signed_in();
    assert_eq!((account(&hers), hers.text("/account/phone")), (account(&waits), "+86138****8000"));
}

#[test]
fn what_he_objects_to_stays_his_until_somebody_has_decided() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    let mut ming = stays(&world, first, 120);
    let hong = world.login(HERS).signed_in();
    let ticket = may_claim(&world, &hong);
    assert_eq!(says(&world, &hong, &ticket, "not_mine").status, 202);
    assert_eq!(objections::object(&world, &mut ming).status, 202);
    world.pass(DAY * 4);
    let hong = world.login(HERS).signed_in();
    let ticket = may_claim(&world, &hong);
    assert_eq!(says(&world, &hong, &ticket, "not_mine").status, 202);
    assert_eq!(own(&world, &hong)["phone"], "+86139****9000");
}

#[test]
fn who_waits_for_it_already_is_not_pushed_aside() {
    let world = World::new();
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let other = claim(&world, &super::asked(&world), "not_mine").signed_in();
    for days in [0, 3] {
        world.pass(DAY * days);
        let hong = world.login(HERS).signed_in();
        let brought = brings(&world, &hong);
        brought.is_problem(409, "phone_in_use");
        if let Some(ticket) = brought.body.get("ticket") {
            says(&world, &hong, ticket, "not_mine").is_problem(409, "phone_in_use");
        }
    }
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&other));
}

#[test]
fn whatever_breaks_on_the_way_it_is_hers_in_the_end_and_nobody_elses() {
    for (port, calls) in [(Port::Account, 7), (Port::Handle, 5)] {
        for nth in 0..calls {
            for way in ALL_WAYS {
                let world = World::new();
                let ming = ming(&world);
                world.pass(SOLD_AGAIN);
                let hong = world.login(HERS).signed_in();
                world.settle_within(MINUTE);
                let ticket = may_claim(&world, &hong);
                let body = json!({"ticket": ticket, "choice": "not_mine"});
                world.faults.break_call(port, nth, way);
                let first = world.put("/v1/account/phone", &body).bearer(bearer(&hong)).try_send();
                world.faults.mend();
                let name = format!("{port:?} {nth} {way:?}");
                if let Some(first) = first {
                    assert!([204, 500].contains(&first.status), "{name}: {}", first.body);
                }
                assert_eq!(says(&world, &hong, &ticket, "not_mine").status, 204, "{name}");
                world.settle_within(MINUTE * 2);
                assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hong), "{name}");
                assert_eq!(world.login(HERS).signed_in().body["account"]["isNew"], true, "{name}");
                let back = log_in(&world, NUMBER, super::PASSWORD, &device_with(device_token(&ming)));
                assert_eq!(back.body["needs"], json!(["new_phone"]), "{name}: {}", back.body);
            }
        }
    }
}

#[test]
fn the_carrier_is_asked_first_and_its_word_counts_as_at_a_sign_in() {
    let world = evidence::world("basic");
    ming(&world);
    evidence::is_sold(&world);
    world.pass(SOLD_AGAIN);
    let hong = world.login(HERS).signed_in();
    assert_eq!(brings(&world, &hong).status, 204, "it was sold: there is nothing to ask");
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&hong));

    let world = evidence::world("basic");
    ming(&world);
    evidence::is_his(&world);
    world.pass(SOLD_AGAIN);
    let hong = world.login(HERS).signed_in();
    let refused = brings(&world, &hong);
    refused.is_problem(409, "phone_in_use");
    assert_eq!(names(&refused), NO_MORE);
}

#[test]
fn nobody_loses_a_number_to_who_has_not_just_proven_who_they_are() {
    let world = World::new();
    let ming = ming(&world);
    world.pass(SOLD_AGAIN);
    let hong = world.login(HERS).signed_in();
    let ticket = may_claim(&world, &hong);
    for (body, field) in [
        (json!({"ticket": ticket, "choice": "mine"}), "choice"),
        (json!({"ticket": ticket}), "choice"),
        (json!({"choice": "not_mine"}), "numberProof"),
    ] {
        let refused = world.put("/v1/account/phone", &body).bearer(bearer(&hong)).send();
        refused.is_problem(400, "invalid_request");
        assert!(refused.body["fields"].to_string().contains(field), "{}", refused.body);
    }
    world.pass(MINUTE * 11);
    let mut later = hong.clone();
    later.body["session"] = super::refresh(&world, &hong).body["session"].clone();
    says(&world, &later, &ticket, "not_mine").is_problem(410, "ticket_invalid");
    brings(&world, &later).is_problem(403, "reauthentication_required");
    let back = log_in(&world, NUMBER, super::PASSWORD, &device()).signed_in();
    assert_eq!(account(&back), account(&ming), "his still");
}
