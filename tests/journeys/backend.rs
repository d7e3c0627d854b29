//! Backends: exchanging a credential for the number, reading the number of an account, always on record.

use onetap::{kernel::phone::PhoneNumber, model::audit::Action, model::handle::HandleName};
use serde_json::{Value, json};

use crate::world::{Broken, Port, World};

const PHONE: &str = "13800138000";

fn body(token: &str) -> Value {
    json!({"credential": {"provider": "flash_v2", "token": token}, "platform": "ios"})
}

#[test]
fn a_key_with_the_scope_gets_the_number_and_leaves_a_record() {
    let world = World::new();
    let key = world.api_key("shop backend", &["one_tap:exchange"]);
    let ask = world.post("/v1/one-tap/exchange", &body(&world.providers.token(PHONE))).bearer(&key);
    let answer = ask.header("x-request-id", "order-0001").send();
    assert_eq!(answer.body, json!({"phone": "+8613800138000", "carrier": "cucc"}));

    let phone = PhoneNumber::parse(PHONE).unwrap();
    let tables = world.back_office();
    let [entry] = tables.audit.as_slice() else { panic!("{:?}", tables.audit) };
    assert_eq!((entry.actor.as_str(), entry.action), ("api_key:shop backend", Action::OneTapExchange));
    assert_eq!(entry.subject, HandleName::of_phone(&world.settings.digest, &phone).as_str());
    assert_eq!(entry.request, "order-0001");
    // The backend keeps its own accounts.
    assert!(tables.accounts.is_empty());
}

#[test]
fn no_key_or_the_wrong_one_costs_the_client_nothing() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let ask = || world.post("/v1/one-tap/exchange", &body(&token));
    ask().send().is_problem(401, "unauthenticated");
    ask().bearer("oak_short").send().is_problem(401, "unauthenticated");
    ask().bearer(&format!("oak_{}", "A".repeat(43))).send().is_problem(401, "unauthenticated");
    ask().bearer(&world.api_key("reader", &["phone:read"])).send().is_problem(403, "forbidden");
    ask().bearer(&world.api_key("none", &[])).send().is_problem(403, "forbidden");
    assert_eq!(world.providers.times_seen(&token), 0);
    assert!(world.back_office().audit.is_empty());
}

#[test]
fn a_token_is_exchanged_once() {
    let world = World::new();
    let key = world.api_key("shop", &["one_tap:exchange"]);
    let token = world.providers.token(PHONE);
    let ask = || world.post("/v1/one-tap/exchange", &body(&token)).bearer(&key).send();
    assert_eq!(ask().status, 200);
    ask().falls_back(422, "one_tap_rejected");
    assert_eq!(world.providers.times_seen(&token), 1);
}

#[test]
fn no_number_leaves_without_its_record() {
    let world = World::new();
    let key = world.api_key("shop", &["one_tap:exchange", "phone:read"]);
    let account = world.login(PHONE).signed_in().text("/account/id").to_owned();
    for broken in [Broken::Before, Broken::AnswerLost] {
        world.faults.break_all(Port::Audit, broken);
        let token = world.providers.token(PHONE);
        let exchange = world.post("/v1/one-tap/exchange", &body(&token)).bearer(&key).send();
        exchange.falls_back(500, "internal");
        let read = world.get(&format!("/v1/accounts/{account}/phone")).bearer(&key).send();
        read.is_problem(500, "internal");
        for answer in [exchange, read] {
            assert!(!answer.body.to_string().contains(PHONE), "{}", answer.body);
        }
    }
}

#[test]
fn the_number_of_an_account_is_read_on_record() {
    let world = World::new();
    let key = world.api_key("crm", &["phone:read"]);
    let account = world.login(PHONE).signed_in().text("/account/id").to_owned();
    let path = format!("/v1/accounts/{account}/phone");
    assert_eq!(world.get(&path).bearer(&key).send().body, json!({"phone": "+8613800138000"}));

    let entry = world.back_office().audit.last().unwrap().clone();
    assert_eq!(
        (entry.action, entry.subject, entry.actor.as_str()),
        (Action::PhoneRead, account, "api_key:crm")
    );

    world.get(&path).send().is_problem(401, "unauthenticated");
    let other = world.api_key("shop", &["one_tap:exchange"]);
    world.get(&path).bearer(&other).send().is_problem(403, "forbidden");
    let nobody = format!("/v1/accounts/acc_{}/phone", "a".repeat(26));
    world.get(&nobody).bearer(&key).send().is_problem(404, "not_found");
    assert_eq!(world.back_office().audit.len(), 1);
}

#[test]
fn a_back_office_that_is_down_does_not_mistake_a_good_key_for_a_bad_one() {
    let world = World::new();
    let key = world.api_key("shop", &["one_tap:exchange"]);
    world.faults.break_all(Port::ApiKeys, Broken::Before);
    let token = world.providers.token(PHONE);
    let answer = world.post("/v1/one-tap/exchange", &body(&token)).bearer(&key).send();
    answer.falls_back(500, "internal");
    assert_eq!(world.providers.times_seen(&token), 0);
}
