//! What is over vanishes from the objects, by their own alarms.

use std::{collections::BTreeSet, time::Duration};

use libtest_mimic::Trial;
use serde_json::Value;

use super::{objects::documents, stacks};
use crate::{
    stack::{Stack, lock},
    story,
};

/// A repeat is remembered for two minutes after the code is over, failures for a minute; and an alarm may be late.
const LONGEST: Duration = Duration::from_secs(150);

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("otp: what is over vanishes from the objects by itself", vanishes)]
}

async fn vanishes() {
    let stack = stacks::short();
    let last = lock(&stacks::SHORT_USED).expect("needs the stories of that stack before it");
    loop {
        let left = leftovers(stack);
        if left.is_empty() {
            break;
        }
        let age = last.elapsed();
        assert!(age < LONGEST, "{age:?} after the last code: {left:#?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    eprintln!("nothing was left {:?} after the last code", last.elapsed());
}

/// What is still there of codes and budgets. The guard of a prefix, the health of a vendor and the claim of a one-tap
/// token remember for longer, and their counter goes as a whole.
fn leftovers(stack: &Stack) -> Vec<String> {
    let documents = documents(stack);
    // Accounts stay, and so does who holds a number: the search sees documents.
    assert!(documents.iter().any(|(class, _)| class == "Account"));
    let mut left = Vec::new();
    for (class, document) in documents {
        let state = &document["state"];
        let parts: BTreeSet<&str> = state.as_object().unwrap().keys().map(String::as_str).collect();
        let may_stay = match class.as_str() {
            "Handle" => parts.iter().eq(&["holder"]) && state["holder"].is_object(),
            "Counter" => {
                let remembers = ["funnel", "health", "claim"].iter().any(|part| parts.contains(part));
                remembers && !names_an_address(&state["tallies"])
            }
            _ => continue,
        };
        if !may_stay {
            left.push(format!("{class}: {parts:?}"));
        }
    }
    left
}

/// Whether a tally stands for more than all strangers, people or own devices together.
fn names_an_address(tallies: &Value) -> bool {
    let mut names = tallies.as_array().into_iter().flatten().map(|tally| &tally[0]);
    names.any(|name| !["strangers", "people", "own_devices"].iter().any(|whole| name == whole))
}
