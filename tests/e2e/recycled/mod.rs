//! When the number is sold to somebody else. Xiao Ming had it, Xiao Hong has it now: what becomes of number, data and
//! sessions of both, over HTTP, with the clock four months further on.

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_key, fresh_phone, login_body, post, runtime},
    login::LOGIN,
    passwords::{Person, person},
    protection::log_in,
    sandbox::Order,
    stack::{self, Recipe, Stack, lock},
};

mod claims;
mod evidence;
mod friends;
mod people;
mod race;

const DAY: i64 = 86_400;

/// Long enough for a number to be sold again, counted from the second day.
const LATER: i64 = 121;

/// So many people were there before; every story takes its own.
const PEOPLE: usize = 14;

static PEOPLE_OF_BEFORE: Mutex<Vec<Person>> = Mutex::new(Vec::new());
static TAKEN: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = people::stories();
    stories.extend(claims::stories());
    stories.extend(evidence::stories());
    stories.extend(friends::stories());
    stories.extend(race::stories());
    stories
}

/// The stack four months after everybody was last there.
fn later() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    stack::shared(&STACK, || {
        let recipe = recipe("recycled");
        // Stories run inside a runtime, which must not be entered twice.
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(settle_in(&recipe))).join()).unwrap();
        recipe.clock_skew(LATER * DAY)
    })
}

fn recipe(name: &'static str) -> Recipe {
    Recipe::new(name).var("DEVICE_KNOWN_DAYS", "2")
}

/// Everybody signs in on two days, so that the account knows the device.
async fn settle_in(recipe: &Recipe) {
    let mut people = Vec::new();
    {
        let stack = recipe.clone().start();
        for _ in 0..PEOPLE {
            people.push(person(&stack, "137").await);
        }
    }
    let stack = recipe.clone().clock_skew(DAY).start();
    for person in &people {
        on_own_phone(&stack, person).await;
    }
    lock(&PEOPLE_OF_BEFORE).extend(people);
}

/// Somebody of before whom no other story has taken.
fn ming() -> Person {
    let stack = later();
    assert!(!stack.service.is_empty());
    let people = lock(&PEOPLE_OF_BEFORE);
    people[TAKEN.fetch_add(1, Ordering::Relaxed)].clone()
}

/// He signs in with his number on the phone that he has always had.
async fn on_own_phone(stack: &Stack, person: &Person) -> Value {
    let token = person.login["device"]["token"].as_str().unwrap();
    let login = log_in(stack, &person.phone, Some(token)).await;
    assert_eq!(login["status"], "signed_in", "{login}");
    login
}

/// Whoever has the number signs in on a new device.
async fn comes(stack: &Stack, phone: &str) -> Value {
    let body = login_body(&Order::new("flash_v2", phone).mint(stack).await);
    post(stack, LOGIN, &body).key(&fresh_key()).send().await.ok()
}

/// The same, and is asked whose account it is.
async fn asked(stack: &Stack, phone: &str) -> Value {
    let asked = comes(stack, phone).await;
    let said = (&asked["status"], &asked["reason"], &asked["choices"]);
    let expected = (json!("step_up_required"), json!("number_may_be_recycled"), json!(["mine", "not_mine"]));
    assert_eq!(said, (&expected.0, &expected.1, &expected.2), "{asked}");
    asked
}

async fn step(stack: &Stack, held: &Value, step: &str, more: Value) -> Answer {
    let mut body = more;
    body["ticket"] = held["ticket"].clone();
    body["device"] = fresh_device();
    body["device"]["token"] = held["device"]["token"].clone();
    post(stack, &format!("/v1/step-up/{step}"), &body).send().await
}

async fn claim(stack: &Stack, held: &Value, choice: &str) -> Answer {
    step(stack, held, "claim", json!({ "choice": choice })).await
}

pub(crate) async fn by_password(stack: &Stack, held: &Value, password: &str) -> Answer {
    step(stack, held, "complete", json!({ "method": "password", "password": password })).await
}

async fn with_password(stack: &Stack, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password, "device": fresh_device() });
    post(stack, "/v1/password/login", &body).send().await
}

/// The number is hers and leads to her; his account has all but the number, and opens with what he knows.
async fn are_two(stack: &Stack, ming: &Person, hong: &Value) {
    assert_eq!(hong["status"], "signed_in", "{hong}");
    assert_ne!(hong["account"]["id"], ming.login["account"]["id"]);
    assert_eq!(hong["account"]["phone"], crate::numbers::masked(&ming.phone));
    let again = comes(stack, &ming.phone).await;
    assert_eq!(
        (&again["account"]["id"], &again["account"]["isNew"]),
        (&hong["account"]["id"], &json!(false))
    );
    let his = with_password(stack, &ming.username, &ming.password).await.ok();
    assert_eq!(his["account"]["id"], ming.login["account"]["id"]);
    assert_eq!(his["account"].get("phone"), None, "{his}");
}

async fn import(stack: &Stack, key: &str, lines: &[Value]) {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let import = Request::new(stack, reqwest::Method::POST, "/v1/import").body(lines.join("\n").into());
    let imported = import.header("content-type", "application/x-ndjson").bearer(key).send().await;
    assert_eq!(imported.status, 200, "{}", imported.summary());
}

/// Somebody of whom nobody has heard for years, brought by an import: no restart is needed to grow old.
fn imported(nth: usize, hash: &str) -> (String, Value) {
    let phone = fresh_phone("137");
    let id = format!("{}-{nth}", crate::client::random_hex(6));
    let line = json!({ "externalId": id, "phone": phone, "phoneProvenAt": "2020-01-01T00:00:00Z", "password": hash });
    (phone, line)
}

/// So many days from now on, by the clock of this machine.
pub(crate) fn in_days(days: i64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    let day = time::OffsetDateTime::from_unix_timestamp(now + days * DAY).unwrap();
    format!("{}-{:02}-{:02}T00:00:00Z", day.year(), u8::from(day.month()), day.day())
}
