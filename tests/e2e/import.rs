//! Users from elsewhere, brought by `make import` while the service is killed and started again.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    backend::api_key,
    client::{fresh_device, fresh_phone, post, random_hex},
    login::sign_in,
    otp::objects::documents,
    recycled,
    stack::{self, Recipe, Stack},
    story_alone,
};

const MANY: usize = 2000;

/// Lines that are under way side by side: four requests of a hundred.
const SIDE_BY_SIDE: usize = 400;

/// Password and hash of crypt_blowfish 1.2, wrapper.c.
const BCRYPT: (&str, &str) = ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");

pub(crate) fn stories() -> Vec<Trial> {
    vec![story_alone("import: 2,000 users, the service killed twice, are there once each", killed_twice)]
}

async fn killed_twice() {
    let recipe = Recipe::new("import");
    let stack = recipe.start();
    let (key, _) = api_key(&stack, "account:import");
    // Not where the state is: a file of users holds all that must not be found there.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.ndjson");
    let phones: Vec<String> = (0..MANY).map(|_| fresh_phone("135")).collect();
    let prefix = random_hex(4);
    let line = |(nth, phone): (usize, &String)| {
        let mut line = json!({"externalId": format!("{prefix}-{nth}"), "phone": phone, "realName": "verified",
            "phoneProvenAt": "2026-01-01T00:00:00Z", "createdAt": "2020-01-01T00:00:00Z"});
        if nth.is_multiple_of(10) {
            line["username"] = json!(format!("u{prefix}.{nth}"));
            line["password"] = json!(BCRYPT.1);
        }
        line.to_string()
    };
    let lines: Vec<String> = phones.iter().enumerate().map(line).collect();
    fs::write(&file, lines.join("\n")).unwrap();

    // 0. More is taken than elsewhere, but not everything.
    for (bytes, status, code) in
        [(250_000, 415, "unsupported_media_type"), (270_000, 413, "payload_too_large")]
    {
        let body = json!({"externalId": "a".repeat(bytes)});
        post(&stack, "/v1/import", &body).bearer(&key).send().await.problem(status, code);
    }

    // 1. Killed when a fifth is there, and when three fifths are; each time in the middle of what comes next.
    let mut client =
        importer(&stack, &key, &file).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(client.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut stack = stack;
    let mut said = String::new();
    for until in [400, 1200] {
        let seen = |line: &String| line.contains(&format!("line {until}:"));
        assert!(progress.any(|line| seen(&line)), "it ended before line {until}");
        let began = Instant::now();
        while begun(&stack) <= until {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing after line {until} was begun");
        }
        stack.kill();
        // In the middle: more has come to be than anybody was told of, and not all that was under way.
        let done = done(&stack);
        assert!(begun(&stack) > until && done < until + SIDE_BY_SIDE, "{done} were done after line {until}");
        stack = recipe.start();
    }
    for line in progress {
        said = line;
    }
    let ended = client.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stdout.is_empty(), "{said}");
    let [imported, unchanged, refused] = numbers(&said);
    assert_eq!((imported + unchanged, refused), (MANY as u64, 0), "{said}");
    eprintln!("killed twice: {said}");

    // 2. Each is there once, and nothing is half done.
    let everything = whole(&stack).await;
    let accounts: Vec<&Value> = of(&everything, "Account");
    assert_eq!(accounts.len(), MANY);
    let claiming = |account: &&&Value| {
        let identifiers = account["state"]["identifiers"].as_array().unwrap();
        account["state"]["importing"].is_object() || identifiers.iter().any(|known| known["claiming"] == true)
    };
    assert_eq!(accounts.iter().filter(claiming).count(), 0);
    let mut held = std::collections::BTreeMap::<&str, usize>::new();
    for handle in of(&everything, "Handle") {
        *held.entry(handle["state"]["holder"]["account"].as_str().unwrap()).or_default() += 1;
    }
    let with = |count: usize| held.values().filter(|held| **held == count).count();
    assert_eq!((with(1), with(2), held.len()), (MANY - MANY / 10, MANY / 10, MANY));

    // 3. The same file again changes nothing.
    let again = importer(&stack, &key, &file).output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success(), "{said}");
    assert_eq!(numbers(said.lines().last().unwrap()), [0, MANY as u64, 0]);
    assert_eq!(of(&whole(&stack).await, "Account").len(), MANY);

    // 4. Who comes is known, by number and by the password of before.
    // His number was proven too long ago to speak for him, so his password does.
    let held = sign_in(&stack, &phones[10]).await;
    assert_eq!(held["reason"], "number_may_be_recycled", "{held}");
    let login = recycled::by_password(&stack, &held, BCRYPT.0).await.ok();
    assert_eq!(
        (&login["account"]["isNew"], &login["account"]["realName"]),
        (&json!(false), &json!("verified"))
    );
    let body = json!({"identifier": format!("U{prefix}.10"), "password": BCRYPT.0, "device": fresh_device()});
    for _ in 0..2 {
        let by_name = post(&stack, "/v1/password/login", &body).send().await.ok();
        assert_eq!(by_name["account"]["id"], login["account"]["id"]);
    }
}

fn importer(stack: &Stack, key: &str, file: &Path) -> Command {
    let mut command = stack::task("import");
    command.env("FILE", file).env("ONETAP_IMPORT_URL", &stack.service).env("ONETAP_IMPORT_KEY", key);
    command
}

/// `imported`, `unchanged`, `refused` of a line of progress.
fn numbers(said: &str) -> [u64; 3] {
    let words: Vec<&str> = said.split([' ', ',']).collect();
    ["imported", "unchanged", "refused"].map(|name| {
        let at = words.iter().position(|word| *word == name).unwrap_or_else(|| panic!("{said}"));
        words[at - 1].parse().unwrap()
    })
}

/// All documents, once every import has ended: one that was killed is ended by the account itself, at the latest.
async fn whole(stack: &Stack) -> Vec<(String, Value)> {
    let began = Instant::now();
    loop {
        let documents = documents(stack);
        let is_over =
            |(class, document): &(String, Value)| class != "Account" || document.get("outbox").is_none();
        if documents.iter().all(is_over) {
            return documents;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "letters are still on their way");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Accounts that an import has begun.
fn begun(stack: &Stack) -> usize {
    of(&documents(stack), "Account").len()
}

/// Accounts that stand.
fn done(stack: &Stack) -> usize {
    let documents = documents(stack);
    of(&documents, "Account").iter().filter(|account| !account["state"]["importing"].is_object()).count()
}

fn of<'d>(documents: &'d [(String, Value)], class: &str) -> Vec<&'d Value> {
    documents.iter().filter(|(known, _)| known == class).map(|(_, document)| document).collect()
}
