//! What the objects of a stack keep, read from its state folder.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::stack::{self, Stack};

/// Wrong guesses in a row, of all numbers and both lanes together.
pub(super) fn failures(stack: &Stack) -> u64 {
    let documents = documents(stack);
    let handles = documents.iter().filter(|(class, _)| class == "Handle");
    let lanes = handles.flat_map(|(_, document)| {
        ["strangers", "own_devices"].map(|lane| &document["state"]["otp"][lane]["failures"])
    });
    lanes.filter_map(Value::as_u64).sum()
}

/// The documents of all objects of a stack, with the name of their class.
pub(crate) fn documents(stack: &Stack) -> Vec<(String, Value)> {
    const SCRIPT: &str = r#"
        const { DatabaseSync } = require("node:sqlite"), fs = require("node:fs"), path = require("node:path");
        const root = process.argv[1], found = [];
        for (const file of fs.readdirSync(root, { recursive: true })) {
            if (!file.endsWith(".sqlite")) continue;
            const database = new DatabaseSync(path.join(root, file), { readOnly: true, timeout: 10000 });
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
