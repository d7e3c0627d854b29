//! What is over vanishes from the objects, by their own alarms.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::Duration,
};

use libtest_mimic::Trial;
use serde_json::Value;

use super::stacks;
use crate::{
    stack::{self, Stack, lock},
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
            "Handle" => parts.iter().eq(&["holder"]),
            "Counter" => ["funnel", "health", "claim"].iter().any(|part| parts.contains(part)),
            _ => continue,
        };
        if !may_stay {
            left.push(format!("{class}: {parts:?}"));
        }
    }
    left
}

/// The documents of all objects of a stack, with the name of their class.
fn documents(stack: &Stack) -> Vec<(String, Value)> {
    const SCRIPT: &str = r#"
        const { DatabaseSync } = require("node:sqlite"), fs = require("node:fs"), path = require("node:path");
        const root = process.argv[1], found = [];
        for (const file of fs.readdirSync(root, { recursive: true })) {
            if (!file.endsWith(".sqlite")) continue;
            const database = new DatabaseSync(path.join(root, file), { readOnly: true });
            const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'document'").all();
            const rows = tables.length ? database.prepare("SELECT json FROM document").all() : [];
            for (const row of rows) found.push([path.dirname(file).split("-").pop(), JSON.parse(row.json)]);
            database.close();
        }
        console.log(JSON.stringify(found));
    "#;
    let output = Command::new(stack::root().join("node_modules/.bin/node"))
        .args(["--no-warnings", "--experimental-sqlite", "-e", SCRIPT])
        .arg(stack.state.join("v3/do"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).expect("the search of the objects failed")
}
