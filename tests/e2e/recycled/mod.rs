//! When the number is sold to somebody else. Xiao Ming had it, Xiao Hong has it now: what becomes of number, data and
//! sessions of both, over HTTP, with the clock four months further on.

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_key, fresh_phone, http, login_body, post, runtime},
    emails,
    login::{LOGIN, access_token},
    passwords::{Person, person},
    protection::log_in,
    sandbox::Order,
    stack::{self, Recipe, Stack, lock},
};
use owners::named;

mod claims;
mod evidence;
mod friends;
mod owners;
mod people;
mod proofs;
mod race;
mod tales;

const DAY: i64 = 86_400;

/// Long enough for a number to be sold again, counted from the second day.
const LATER: i64 = 121;

/// So many people were there before; every story takes its own.
const PEOPLE: usize = 16;

static PEOPLE_OF_BEFORE: Mutex<Vec<Ming>> = Mutex::new(Vec::new());
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Xiao Ming, with all that he had before.
#[derive(Clone)]
struct Ming {
    person: Person,
    /// What his profile says.
    name: String,
    /// His address.
    address: String,
    /// His session on the phone that his account knows.
    at_home: Value,
    /// One on a device that it does not know, by the number alone.
    elsewhere: Value,
}

impl std::ops::Deref for Ming {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = tales::stories();
    stories.extend(people::stories());
    stories.extend(proofs::stories());
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

/// Devices are known soon; sessions and trust outlast the months in which a number is sold again.
fn recipe(name: &'static str) -> Recipe {
    let recipe = Recipe::new(name).var("DEVICE_KNOWN_DAYS", "2");
    recipe.var("REFRESH_IDLE_SECONDS", "15552000").var("DEVICE_TRUST_SECONDS", "17280000")
}

/// Everybody signs in on two days, so that the account knows the device.
async fn settle_in(recipe: &Recipe) {
    let mut people = Vec::new();
    {
        let stack = recipe.clone().start();
        for _ in 0..PEOPLE {
            let person = person(&stack, "137").await;
            let name = named(&stack, &person.login, "小明").await;
            let address = emails::fresh_address();
            let code = emails::code_for(&stack, access_token(&person.login), &address, "bind").await;
            let bind = post(&stack, "/v1/account/identities/email", &code);
            assert_eq!(bind.bearer(access_token(&person.login)).send().await.status, 204);
            people.push((person, name, address));
        }
    }
    let stack = recipe.clone().clock_skew(DAY).start();
    for (person, name, address) in people {
        let at_home = on_own_phone(&stack, &person).await;
        let elsewhere = comes(&stack, &person.phone).await;
        assert_eq!(elsewhere["account"]["id"], person.login["account"]["id"], "{elsewhere}");
        lock(&PEOPLE_OF_BEFORE).push(Ming { person, name, address, at_home, elsewhere });
    }
}

/// Somebody of before whom no other story has taken.
fn ming() -> Ming {
    let stack = later();
    assert!(!stack.service.is_empty());
    let people = lock(&PEOPLE_OF_BEFORE);
    people.get(TAKEN.fetch_add(1, Ordering::Relaxed)).expect("a person for each story: PEOPLE").clone()
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
    let request = post(stack, &format!("/v1/step-up/{step}"), &body);
    request.header("accept-language", "zh-CN").send().await
}

async fn claim(stack: &Stack, held: &Value, choice: &str) -> Answer {
    step(stack, held, "claim", json!({ "choice": choice })).await
}

pub(crate) async fn by_password(stack: &Stack, held: &Value, password: &str) -> Answer {
    step(stack, held, "complete", json!({ "method": "password", "password": password })).await
}

async fn with_password(stack: &Stack, identifier: &str, password: &str) -> Answer {
    with_password_on(stack, identifier, password, fresh_device()).await
}

async fn with_password_on(stack: &Stack, identifier: &str, password: &str, device: Value) -> Answer {
    let body = json!({ "identifier": identifier, "password": password, "device": device });
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

/// One line; the account that it is now.
async fn import_one(stack: &Stack, key: &str, line: &Value) -> Value {
    let request = post(stack, "/v1/import", line).header("content-type", "application/x-ndjson");
    let report = request.bearer(key).send().await.ok();
    assert_eq!(report["imported"], 1, "{report}");
    report["lines"][0]["account"].clone()
}

/// Tells the sandbox something.
async fn tell(stack: &Stack, path: &str, body: &Value) {
    let request = http().post(format!("{}{path}", stack.sandbox));
    let told = request.header("content-type", "application/json").body(body.to_string()).send().await;
    assert!(told.unwrap().status().is_success());
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
