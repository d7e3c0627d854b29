//! Users from elsewhere: each exactly once, all of one or nothing of them, whatever breaks.

mod many;
mod passwords;
mod races;
mod refusals;
mod verified;

use serde_json::{Value, json};

use crate::world::{Answer, World, client::Ask, objects::Kind};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";

/// A key that may import, as often as this world has calls.
fn importer(world: &World) -> String {
    use onetap::model::api_key::Mode;
    world.api_key_of("importer", &["account:import"], Mode::Live, [Some(30_000), None])
}

fn batch<'w>(world: &'w World, key: &str, lines: &[Value]) -> Ask<'w> {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    raw(world, key, &text.join("\n"))
}

fn raw<'w>(world: &'w World, key: &str, body: &str) -> Ask<'w> {
    let mut ask = world.post("/v1/import", &json!({}));
    ask.set_body(body.as_bytes());
    ask.header("content-type", "application/x-ndjson").bearer(key)
}

fn import(world: &World, lines: &[Value]) -> Answer {
    let answer = batch(world, &importer(world), lines).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// `imported`, `unchanged` and `refused`.
fn counts(answer: &Answer) -> [u64; 3] {
    ["imported", "unchanged", "refused"].map(|name| answer.body[name].as_u64().unwrap())
}

/// To whom identifiers lead, by their handles; accounts and handles must agree on all of it. Nothing may be half done.
fn agreed(world: &World) -> Vec<(String, String)> {
    let holder = |(name, state): (String, Value)| {
        Some((name, state["state"]["holder"]["account"].as_str()?.to_owned()))
    };
    let held: Vec<_> = world.objects.states(Kind::Handle).into_iter().filter_map(holder).collect();
    let mut listed = Vec::new();
    for (account, state) in world.objects.states(Kind::Account) {
        assert_eq!(state["state"].get("importing"), None);
        for known in state["state"]["identifiers"].as_array().unwrap() {
            assert_eq!(known.get("claiming"), None);
            listed.push((known["handle"].as_str().unwrap().to_owned(), account.clone()));
        }
    }
    listed.sort();
    assert_eq!(held, listed);
    held
}
