//! Nobody sees or touches another's rows, whatever ids they try at whichever endpoint.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Answer, World, client::device};

/// Accounts of a case, with two sessions each; the last one waits for an approval.
const ACCOUNTS: usize = 3;

/// One account, with everything that an id could name.
struct Person {
    phone: String,
    logins: [Answer; 2],
    ticket: Answer,
    approval: String,
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
const ENDPOINTS: usize = 12;

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
    Person { phone, logins, ticket, approval }
}

/// Everything of an account that its owner sees.
fn seen(world: &World, person: &Person) -> Vec<Value> {
    let bearer = person.logins[0].text("/session/accessToken");
    let paths =
        ["/v1/sessions", "/v1/devices", "/v1/login-history", "/v1/approvals", "/v1/account/login-protection"];
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
        let world = World::new();
        let people: Vec<Person> = (0..ACCOUNTS).map(|nth| person(&world, nth)).collect();
        for Try { actor, target, which, endpoint } in tries {
            let (actor, target, which) = (actor.index(ACCOUNTS), target.index(ACCOUNTS), which.index(2));
            if actor == target {
                continue;
            }
            let (actor, target) = (&people[actor], &people[target]);
            let before = seen(&world, target);
            let answer = attempt(&world, actor, target, which, endpoint);
            let refused = match endpoint {
                0..=5 => (404, "not_found"),
                6 | 7 | 9 => (410, "ticket_invalid"),
                10 | 11 => (204, ""),
                _ => (200, "step_up_required"),
            };
            let told = answer.body["code"].as_str().or(answer.body["status"].as_str()).unwrap_or_default();
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
                prop_assert!(!mine.contains(&foreign.approval));
            }
        }
    }
}
