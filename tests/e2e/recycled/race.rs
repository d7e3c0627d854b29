//! *Mine* and *not mine* at the same moment, two hundred times.

use futures_util::{StreamExt, future::join, stream};
use libtest_mimic::Trial;
use serde_json::Value;

use super::{asked, by_password, claim, claims::BCRYPT, comes, import, imported};
use crate::{backend::api_key, stack, story};

const ROUNDS: usize = 200;

/// Rounds under way at once.
const AT_ONCE: usize = 4;

pub(super) fn stories() -> Vec<Trial> {
    vec![story("recycled: mine and not mine at once are one of both, in two hundred rounds", one_of_both)]
}

async fn one_of_both() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "account:import");
    let people: Vec<(String, Value)> = (0..ROUNDS).map(|nth| imported(nth, BCRYPT.1)).collect();
    for batch in people.chunks(100) {
        let lines: Vec<Value> = batch.iter().map(|(_, line)| line.clone()).collect();
        import(stack, &key, &lines).await;
    }
    let rounds = stream::iter(people.into_iter().enumerate()).map(async |(nth, (phone, _))| {
        // The same ticket, or one each.
        let first = asked(stack, &phone).await;
        let second = if nth % 2 == 0 { first.clone() } else { asked(stack, &phone).await };
        let (mine, not_mine) =
            join(by_password(stack, &first, BCRYPT.0), claim(stack, &second, "not_mine")).await;
        let (his, hers) = (mine.status == 200, not_mine.status == 200);
        assert!(mine.status < 500 && not_mine.status < 500, "{} {}", mine.summary(), not_mine.summary());
        let leads_to = comes(stack, &phone).await["account"]["id"].clone();
        match (his, hers) {
            (true, false) => assert_eq!(leads_to, mine.json()["account"]["id"]),
            (false, true) => assert_eq!(leads_to, not_mine.json()["account"]["id"]),
            _ => panic!("round {nth}: {} and {}", mine.summary(), not_mine.summary()),
        }
        his
    });
    let outcomes: Vec<bool> = rounds.buffer_unordered(AT_ONCE).collect().await;
    let his = outcomes.iter().filter(|his| **his).count();
    eprintln!("mine and not mine at once: {his} of {ROUNDS} times it was his");
}
