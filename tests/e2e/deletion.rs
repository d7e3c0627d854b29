//! Deletion: from the moment it is asked for nobody comes in any more, and after the grace nothing is left.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use aho_corasick::AhoCorasick;
use libtest_mimic::Trial;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    backend::{api_key, query},
    client::{Answer, Request, fresh_device, fresh_key, fresh_phone, get, login_body, post, random},
    emails,
    identities::{bind, fresh_person, log_in},
    leaks,
    login::{access_token, sign_in},
    numbers::{TRUSTED, one_tap},
    otp::{code_for, objects::documents},
    protection::{at, by_device, protect, ticket},
    sandbox::Order,
    stack::{Recipe, Stack},
    story,
    supplied::{fact, put},
};

const DAY: i64 = 86_400;
/// README: an account that was deleted can be restored for 15 days.
const GRACE: i64 = 15 * DAY;
/// Objects wake when they are called, and the others learn of it by the outbox.
const GONE: Duration = Duration::from_secs(20);

pub(crate) fn stories() -> Vec<Trial> {
    vec![story(
        "deletion: every way in is closed at once, and after the grace all of it is gone and free",
        deletion,
    )]
}

/// Somebody of whom everything is kept that can be.
struct Person {
    phone: String,
    address: String,
    username: String,
    password: String,
    third_party: Value,
    login: Value,
    /// A sign-in that waits for a trusted device.
    held: Value,
}

async fn person(stack: &Stack) -> Person {
    let phone = fresh_phone("159");
    let login = sign_in(stack, &phone).await;
    let word = |kind: &'static str, prefix: &str| {
        let letters = random::<12>().map(|byte| char::from(b'a' + byte % 26));
        let word = format!("{prefix}{}", letters.iter().collect::<String>());
        leaks::note(kind, &word);
        word
    };
    let (username, password) = (word("user name", "user."), word("password", "correct "));
    let profile = json!({ "displayName": word("name", "Xiaoming "), "locale": "zh-CN",
                          "avatarUrl": format!("https://cdn.example/{}.png", word("picture", "me-")) });
    assert_eq!(send(stack, Method::PATCH, "/v1/account", &login, Some(&profile)).await.status, 204);
    let name = json!({ "username": username });
    let path = "/v1/account/identities/username";
    assert_eq!(send(stack, Method::POST, path, &login, Some(&name)).await.status, 204);
    let address = emails::fresh_address();
    let code = emails::code_for(stack, access_token(&login), &address, "bind").await;
    let path = "/v1/account/identities/email";
    assert_eq!(send(stack, Method::POST, path, &login, Some(&code)).await.status, 204);
    let subject = fresh_person();
    leaks::note("openid", &subject);
    let third_party = json!({ "subject": subject });
    assert_eq!(bind(stack, &login, "corp", third_party.clone()).await.status, 204);
    let friend =
        json!({ "numberProof": one_tap(stack, &fresh_phone("136")).await, "label": word("label", "Mum ") });
    assert_eq!(send(stack, Method::POST, TRUSTED, &login, Some(&friend)).await.status, 201);
    let set = json!({ "newPassword": password });
    assert_eq!(send(stack, Method::PUT, "/v1/account/password", &login, Some(&set)).await.status, 204);
    protect(stack, &login, true).await;
    let (key, _) = api_key(stack, "account:facts");
    let facts = json!({ "facts": [fact("city", "乌鲁木齐"), fact("city", "柳州")] });
    assert_eq!(put(stack, &key, &login["account"]["id"], "facts", &facts).await.status, 204);
    let held = ticket(stack, &phone).await;
    Person { phone, address, username, password, third_party, login, held }
}

async fn send(stack: &Stack, method: Method, path: &str, login: &Value, body: Option<&Value>) -> Answer {
    let request = Request::new(stack, method, path).bearer(access_token(login));
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

async fn deletion() {
    let recipe = Recipe::new("deletion");
    let stack = recipe.start();
    let person = person(&stack).await;
    let login = &person.login;
    let kept = sealed(&stack, login);
    assert!(
        kept.len() >= 12,
        "number, address, name, subject, profile, device, password, trusted phone, facts: {}",
        kept.len()
    );
    at(&stack, "state", &person.held, &person.held["device"]["token"], json!({})).await.ok();
    let id = login["account"]["id"].as_str().unwrap();
    assert_eq!(indexed(&stack, id), 1);
    let closed = send(&stack, Method::DELETE, "/v1/account", login, None).await;
    assert_eq!(closed.status, 202, "{}", closed.text());
    assert!(closed.text().contains("dataKeptUntil"));
    refused(&stack, &person).await;
    stack.stop(Signal::TERM);
    assert_eq!(found(&stack.state, &kept), kept.len(), "what is looked for is there while it is kept");
    // To the end of the grace it stays closed, and nobody else gets what is its.
    let recipe = recipe.clock_skew(GRACE - 600);
    let stack = recipe.start();
    refused(&stack, &person).await;
    let other = sign_in(&stack, &fresh_phone("159")).await;
    let name = json!({ "username": person.username });
    let path = "/v1/account/identities/username";
    send(&stack, Method::POST, path, &other, Some(&name)).await.problem(409, "identity_in_use");
    stack.stop(Signal::TERM);

    let recipe = recipe.clock_skew(GRACE + 600);
    let stack = recipe.start();
    let began = Instant::now();
    while one_tap_login(&stack, &person.phone).await.status != 200 || !is_gone(&stack, login) {
        assert!(began.elapsed() < GONE, "still there");
        sleep(Duration::from_millis(500)).await;
    }
    // All that led to it is free, and leads to whoever has it now.
    let other = sign_in(&stack, &person.phone).await;
    assert_ne!(other["account"]["id"], id);
    assert_eq!(other["account"].get("displayName"), None);
    assert_eq!(send(&stack, Method::POST, path, &other, Some(&name)).await.status, 204);
    let code = emails::code_for(&stack, access_token(&other), &person.address, "bind").await;
    let by_mail = "/v1/account/identities/email";
    assert_eq!(send(&stack, Method::POST, by_mail, &other, Some(&code)).await.status, 204);
    let anew = log_in(&stack, "corp", "default", person.third_party.clone()).await.ok();
    assert_eq!((&anew["account"]["isNew"], anew["account"]["id"] != id), (&json!(true), true));
    for identifier in [&person.phone, &person.address, &person.username] {
        by_password(&stack, identifier, &person.password).await.problem(401, "invalid_credentials");
    }
    // That there was somebody only the handles know, by the account's id, and they go by a digest.
    let (history, others): (Vec<_>, Vec<_>) =
        documents(&stack).into_iter().partition(|(class, _)| class == "Handle");
    assert!(others.iter().all(|(_, document)| !document.to_string().contains(id)));
    let history = history.iter().map(|(_, document)| &document["state"]);
    let held = history.clone().filter(|state| state["former"].to_string().contains(id));
    assert_eq!(held.count(), 4, "number, address, user name, third party");
    assert!(history.into_iter().all(|state| state["holder"]["account"] != id));
    assert_eq!(indexed(&stack, id), 0);
    stack.stop(Signal::TERM);
    // A page of the database may outlive its row, and the simulator keeps the names of objects that were.
    let files = leaks::files(&stack.state).into_iter();
    let telling = files.filter(|file| contains(file, id)).map(|file| file.display().to_string());
    let telling: Vec<_> = telling
        .filter(|file| !["Handle", "D1Database", "metadata.sqlite"].iter().any(|known| file.contains(known)))
        .collect();
    assert!(telling.is_empty(), "{telling:?}");
    assert_eq!(found(&stack.state, &kept), 0, "sealed values that outlive their account");
    let (leaks, _) = leaks::search(&stack.state);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Whatever is tried, and with whatever is right.
async fn refused(stack: &Stack, person: &Person) {
    let Person { phone, address, username, password, third_party, login, held } = person;
    one_tap_login(stack, phone).await.problem(403, "account_frozen");
    for identifier in [phone, address, username] {
        by_password(stack, identifier, password).await.problem(403, "account_frozen");
        by_password(stack, identifier, "not the password").await.problem(401, "invalid_credentials");
    }
    log_in(stack, "corp", "default", third_party.clone()).await.problem(403, "account_frozen");
    let (challenge, code) = code_for(stack, phone, "login").await;
    let body = json!({ "challengeId": challenge, "code": code, "device": fresh_device() });
    post(stack, "/v1/otp/login", &body).send().await.problem(403, "account_frozen");
    let reset = json!({ "numberProof": one_tap(stack, phone).await, "newPassword": "another one altogether",
                        "device": fresh_device() });
    post(stack, "/v1/password/reset", &reset).send().await.problem(403, "account_frozen");
    // Nor do those come in who were on their way, or in.
    let token = &held["device"]["token"];
    for step in ["start", "complete"] {
        at(stack, step, held, token, by_device()).await.problem(410, "ticket_invalid");
    }
    at(stack, "state", held, token, json!({})).await.problem(410, "ticket_invalid");
    let refresh = json!({ "refreshToken": login["session"]["refreshToken"] });
    post(stack, "/v1/session/refresh", &refresh).send().await.problem(401, "session_revoked");
    for path in ["/v1/account", "/v1/account/export", "/v1/account/identities", "/v1/devices"] {
        get(stack, path).bearer(access_token(login)).send().await.problem(401, "unauthenticated");
    }
}

async fn one_tap_login(stack: &Stack, phone: &str) -> Answer {
    let credential = Order::new("flash_v2", phone).mint(stack).await;
    post(stack, "/v1/one-tap/login", &login_body(&credential)).key(&fresh_key()).send().await
}

async fn by_password(stack: &Stack, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password, "device": fresh_device() });
    post(stack, "/v1/password/login", &body).send().await
}

/// The account's object, by a session or device that it knows.
fn object(stack: &Stack, login: &Value) -> Option<Value> {
    let id = login["device"]["id"].as_str().unwrap();
    let mut accounts = documents(stack).into_iter().filter(|(class, _)| class == "Account");
    accounts.find(|(_, document)| document.to_string().contains(id)).map(|(_, document)| document)
}

fn is_gone(stack: &Stack, login: &Value) -> bool {
    object(stack, login).is_none()
}

/// The sealed values that the account keeps: text is sealed anew each time, so none of them stands anywhere else.
fn sealed(stack: &Stack, login: &Value) -> Vec<String> {
    let key = stack_key();
    let mut found = Vec::new();
    collect(&object(stack, login).expect("an account"), &|text| text.starts_with(&key), &mut found);
    found
}

/// Sealed values begin with the name of their key.
fn stack_key() -> String {
    let text = fs::read_to_string(crate::stack::root().join(".dev.vars")).unwrap();
    let keys = text.lines().find_map(|line| line.strip_prefix("SEALING_KEYS='")).unwrap();
    let keys: Value = serde_json::from_str(keys.trim_end_matches('\'')).unwrap();
    format!("{}.", keys["keys"][0]["kid"].as_str().unwrap())
}

fn collect(value: &Value, is_wanted: &impl Fn(&str) -> bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_wanted(text) && !found.contains(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_wanted, found)),
        Value::Object(members) => members.values().for_each(|item| collect(item, is_wanted, found)),
        _ => {}
    }
}

fn contains(file: &Path, text: &str) -> bool {
    AhoCorasick::new([text]).unwrap().is_match(&fs::read(file).unwrap())
}

/// Its rows in the index.
fn indexed(stack: &Stack, id: &str) -> usize {
    query(stack, &format!("SELECT id FROM accounts WHERE id = '{id}'")).len()
}

/// How many of these texts stand in any byte below a folder.
fn found(folder: &Path, texts: &[String]) -> usize {
    let automaton = AhoCorasick::new(texts).unwrap();
    let mut seen = vec![false; texts.len()];
    for file in leaks::files(folder) {
        for found in automaton.find_iter(&fs::read(file).unwrap()) {
            seen[found.pattern().as_usize()] = true;
        }
    }
    seen.into_iter().filter(|seen| *seen).count()
}
