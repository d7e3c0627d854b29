//! Nobody sees or touches another's rows, whatever ids they try at whichever endpoint.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::numbers::one_tap;
use crate::world::{Answer, World, client::device};

/// Accounts of a case, with two sessions each; the last one waits for an approval.
const ACCOUNTS: usize = 3;

/// One account, with everything that an id could name.
struct Person {
    phone: String,
    logins: [Answer; 2],
    ticket: Answer,
    approval: String,
    trusted_phone: String,
}

/// Something tried: in the name of `actor`, on what belongs to `target`.
#[derive(Debug, Clone)]
struct Try {
    actor: prop::sample::Index,
    target: prop::sample::Index,
    which: prop::sample::Index,
    endpoint: usize,
}

/// Endpoints that take an id, and what they do with it.
const ENDPOINTS: usize = 18;

fn tries() -> impl Strategy<Value = Try> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..ENDPOINTS)
        .prop_map(|(actor, target, which, endpoint)| Try { actor, target, which, endpoint })
}

fn person(world: &World, nth: usize) -> Person {
    let phone = format!("1380013800{nth}");
    let logins = [world.login(&phone).signed_in(), world.login(&phone).signed_in()];
    let bearer = logins[0].text("/session/accessToken");
    let protect = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send();
    assert_eq!(protect.status, 204, "{}", protect.body);
    let ticket = world.login(&phone);
    let start = json!({"ticket": ticket.text("/ticket"), "device": {"token": ticket.text("/device/token")},
        "method": "device_approval"});
    assert_eq!(world.post("/v1/step-up/start", &start).send().status, 200);
    let list = world.get("/v1/approvals").bearer(bearer).send();
    let approval = list.text("/approvals/0/id").to_owned();
    let friend = json!({"numberProof": one_tap(world, &format!("1860013800{nth}"))});
    let friend = world.post("/v1/account/trusted-phones", &friend).bearer(bearer).send();
    let trusted_phone = friend.text("/id").to_owned();
    Person { phone, logins, ticket, approval, trusted_phone }
}

/// A stale session wishes for another number; then it proves itself anew.
fn wish(world: &World, person: &Person, nth: usize) {
    let bearer = person.logins[0].text("/session/accessToken");
    let number = json!({"numberProof": one_tap(world, &format!("1390013900{nth}"))});
    assert_eq!(world.put("/v1/account/phone", &number).bearer(bearer).send().status, 202);
    let proof = json!({"proof": one_tap(world, &person.phone)});
    assert_eq!(world.post("/v1/session/proof", &proof).bearer(bearer).send().status, 204);
}

/// Everything of an account that its owner sees.
fn seen(world: &World, person: &Person) -> Vec<Value> {
    let bearer = person.logins[0].text("/session/accessToken");
    let paths = [
        "/v1/sessions",
        "/v1/devices",
        "/v1/login-history",
        "/v1/approvals",
        "/v1/account/login-protection",
        "/v1/account",
        "/v1/account/phones",
        "/v1/account/trusted-phones",
    ];
    paths.iter().map(|path| world.get(path).bearer(bearer).send().body).collect()
}

fn attempt(world: &World, actor: &Person, target: &Person, which: usize, endpoint: usize) -> Answer {
    let bearer = actor.logins[0].text("/session/accessToken");
    let login = &target.logins[which];
    let session = format!("/v1/sessions/{}", login.text("/session/id"));
    let device_path = format!("/v1/devices/{}", login.text("/device/id"));
    let approval = format!("/v1/approvals/{}", target.approval);
    let ticket = target.ticket.text("/ticket");
    let device_token = actor.ticket.text("/device/token");
    let step_up = json!({"ticket": ticket, "device": {"token": device_token}, "method": "device_approval"});
    let by_phone = |whose: &Person| {
        let more = json!({"method": "trusted_phone", "id": target.trusted_phone});
        let mut body = json!({"ticket": whose.ticket.text("/ticket"), "device": {"token": device_token}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    match endpoint {
        0 => world.delete(&session).bearer(bearer).send(),
        1 => world.delete(&device_path).bearer(bearer).send(),
        2 => world.patch(&device_path, &json!({"name": "taken"})).bearer(bearer).send(),
        3 => world.patch(&device_path, &json!({"trusted": false})).bearer(bearer).send(),
        4 => world.post(&approval, &json!({"decision": "deny"})).bearer(bearer).send(),
        5 => world.post(&approval, &json!({"decision": "approve", "match": "42"})).bearer(bearer).send(),
        6 => world.post("/v1/step-up/complete", &step_up).send(),
        7 => world.post("/v1/step-up/start", &step_up).send(),
        9 => {
            let state = json!({"ticket": ticket, "device": {"token": device_token}});
            world.post("/v1/step-up/state", &state).send()
        }
        // No id to try, and yet nothing of others may change.
        10 => world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer).send(),
        11 => world.delete("/v1/sessions").bearer(bearer).send(),
        12 => {
            let path = format!("/v1/account/trusted-phones/{}", target.trusted_phone);
            world.delete(&path).bearer(bearer).send()
        }
        // The other's phone at one's own ticket, and at theirs.
        13 => world.post("/v1/step-up/start", &by_phone(actor)).send(),
        14 => world.post("/v1/step-up/start", &by_phone(target)).send(),
        15 => {
            let mut device = device();
            device["token"] = json!(device_token);
            let body =
                json!({"ticket": ticket, "phone": target.phone, "purpose": "step_up", "device": device});
            world.post("/v1/otp/send", &body).send()
        }
        16 => {
            let number = json!({"numberProof": one_tap(world, &target.phone)});
            world.put("/v1/account/phone", &number).bearer(bearer).send()
        }
        // Their own wish goes, and no other.
        17 => world.delete("/v1/account/phone-change").bearer(bearer).send(),
        _ => {
            // A device token of one account means nothing at another's number.
            let mut body =
                json!({"credential": {"provider": "cmcc", "token": world.providers.token(&actor.phone)}});
            body["device"] = device();
            body["device"]["token"] = json!(login.text("/device/token"));
            world.post("/v1/one-tap/login", &body).send()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_tried_on_anothers_ids_changes_and_shows_nothing(tries in prop::collection::vec(tries(), 1..12)) {
        let world = World::with(|name| match name {
            "FRESH_PROOF_SECONDS" => Some("60".to_owned()),
            "TRUSTED_PHONE_CODES_PER_HOUR" => Some("100".to_owned()),
            _ => None,
        });
        let people: Vec<Person> = (0..ACCOUNTS).map(|nth| person(&world, nth)).collect();
        world.pass(Duration::from_secs(61));
        people.iter().enumerate().for_each(|(nth, person)| wish(&world, person, nth));
        for Try { actor, target, which, endpoint } in tries {
            let (actor, target, which) = (actor.index(ACCOUNTS), target.index(ACCOUNTS), which.index(2));
            if actor == target {
                continue;
            }
            let (actor, target) = (&people[actor], &people[target]);
            let before = seen(&world, target);
            let own_wish = seen(&world, actor).swap_remove(5);
            let answer = attempt(&world, actor, target, which, endpoint);
            let refused = match endpoint {
                // Ending all other sessions ends one's own ticket.
                13 if answer.status == 410 => (410, "ticket_invalid"),
                0..=5 | 12 | 13 => (404, "not_found"),
                6 | 7 | 9 | 14 | 15 => (410, "ticket_invalid"),
                16 => (409, "phone_in_use"),
                17 => (if own_wish.get("phoneChange").is_some() { 204 } else { 404 }, ""),
                10 | 11 => (204, ""),
                _ => (200, "step_up_required"),
            };
            let told = answer.body["code"].as_str().or(answer.body["status"].as_str()).unwrap_or_default();
            let told = if endpoint == 17 { "" } else { told };
            prop_assert_eq!((answer.status, told), refused, "endpoint {}", endpoint);
            prop_assert_eq!(seen(&world, target), before, "endpoint {}", endpoint);
            // Nor does anything of the others show in what one sees, or is told.
            let mine = format!("{:?} {}", seen(&world, actor), answer.body);
            for foreign in people.iter().filter(|other| other.phone != actor.phone) {
                for login in &foreign.logins {
                    for id in ["/account/id", "/session/id", "/device/id", "/device/token"] {
                        prop_assert!(!mine.contains(login.text(id)), "{}", id);
                    }
                }
                prop_assert!(!mine.contains(&foreign.approval) && !mine.contains(&foreign.trusted_phone));
            }
        }
    }
}
