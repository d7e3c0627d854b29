//! Cases of accounts that hold money, and who may decide: two, and a day in which the owner can still say no.

use serde_json::json;

use super::{
    DAY, MINUTE, NUMBER, account,
    appeals::{appeal, complete, vague},
    asked,
    objections::{access, decide, key, queue},
    stays,
};
use crate::world::{Answer, World};

fn money() -> World {
    World::with(|name| (name == "PROFILE").then(|| "money".to_owned()))
}

/// He uses his phone, and somebody with his number appeals.
fn appealed(world: &World) -> (Answer, Answer, String) {
    let first = world.login(NUMBER).signed_in();
    super::set_password(world, &first, super::PASSWORD);
    let ming = stays(world, first, 120);
    let held = asked(world);
    let made = appeal(world, &held, &vague());
    assert_eq!(made.text("/state"), "open", "{}", made.body);
    (ming, held, made.text("/id").to_owned())
}

#[test]
fn where_there_is_money_two_grant_and_a_day_passes() {
    let world = money();
    let (ming, held, id) = appealed(&world);
    let (anna, ben) = (key(&world, "anna"), key(&world, "ben"));
    assert_eq!(decide(&world, &anna, &id, "grant").text("/state"), "open");
    assert_eq!(decide(&world, &anna, &id, "grant").text("/state"), "open", "she is one and not two");
    assert_eq!(decide(&world, &ben, &id, "grant").text("/state"), "decided");
    world.pass(DAY - MINUTE);
    complete(&world, &id, &held, NUMBER).is_problem(409, "case_conflict");
    assert_eq!(queue(&world, "decided").len(), 1);
    world.pass(MINUTE);
    assert_eq!(account(&complete(&world, &id, &held, NUMBER).signed_in()), account(&ming));
}

#[test]
fn one_who_refuses_ends_it_and_so_does_the_owner_in_that_day() {
    let world = money();
    let (mut ming, held, id) = appealed(&world);
    for name in ["anna", "ben"] {
        decide(&world, &key(&world, name), &id, "grant");
    }
    assert_eq!(decide(&world, &key(&world, "carl"), &id, "refuse").text("/state"), "refused");
    world.pass(DAY);
    complete(&world, &id, &held, NUMBER).is_problem(409, "case_conflict");
    let again = asked(&world);
    let id = appeal(&world, &again, &vague()).text("/id").to_owned();
    for name in ["anna", "ben"] {
        decide(&world, &key(&world, name), &id, "grant");
    }
    let path = format!("/v1/account/appeals/{id}/refuse");
    assert_eq!(world.post(&path, &json!({})).bearer(&access(&world, &mut ming)).send().status, 204);
    world.pass(DAY);
    complete(&world, &id, &again, NUMBER).is_problem(409, "case_conflict");
}

#[test]
fn only_who_may_reads_and_decides() {
    let world = money();
    let (_, _, id) = appealed(&world);
    let (reader, decider) =
        (world.api_key("only reads", &["cases:read"]), world.api_key("only decides", &["cases:decide"]));
    decide(&world, &reader, &id, "grant").is_problem(403, "forbidden");
    world.get(&format!("/v1/cases/{id}")).bearer(&decider).send().is_problem(403, "forbidden");
    world.get("/v1/cases").bearer(&decider).send().is_problem(403, "forbidden");
    world.get("/v1/cases?state=lost").bearer(&reader).send().is_problem(400, "invalid_request");
    world.get("/v1/cases?cursor=x").bearer(&reader).send().is_problem(400, "invalid_request");
    world.get("/v1/cases").send().is_problem(401, "unauthenticated");
    let test = world.test_key("test", &["cases:read", "cases:decide"]);
    decide(&world, &test, &id, "grant").is_problem(404, "not_found");
    world.settle_within(MINUTE);
    assert_eq!(world.get("/v1/cases").bearer(&test).send().body["cases"], json!([]));
    let body = json!({"decision": "grant"});
    let path = format!("/v1/cases/{id}/decision");
    world.post(&path, &body).bearer(&decider).send().is_problem(400, "invalid_request");
    // Without a record nothing is decided.
    world.faults.break_all(crate::world::Port::Audit, crate::world::Broken::Before);
    assert_eq!(decide(&world, &decider, &id, "refuse").status, 500);
    assert_eq!(queue(&world, "open").len(), 1);
}
