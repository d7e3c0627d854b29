//! Whoever is signed in, at every endpoint of their own account, with what belongs to somebody else: nothing of the
//! other's changes, and nothing of it is shown.

use std::time::Duration;

use serde_json::{Value, json};

use super::numbers::one_tap;
use crate::world::{Answer, World};

/// Somebody with all that an account can have.
struct Person {
    phone: &'static str,
    name: &'static str,
    login: Answer,
    friend: String,
    identities: Vec<String>,
}

impl Person {
    fn new(world: &World, phone: &'static str, name: &'static str, friend: &str) -> Self {
        let login = world.login(phone).signed_in();
        let bearer = login.text("/session/accessToken");
        let post = |path: &str, body: &Value| world.post(path, body).bearer(bearer).send();
        assert_eq!(post("/v1/account/identities/username", &json!({"username": name})).status, 204);
        let friend = post("/v1/account/trusted-phones", &json!({"numberProof": one_tap(world, friend)}));
        assert_eq!(friend.status, 201, "{}", friend.body);
        let password = json!({"newPassword": format!("correct horse {name}")});
        assert_eq!(world.put("/v1/account/password", &password).bearer(bearer).send().status, 204);
        let list = world.get("/v1/account/identities").bearer(bearer).send();
        let ids = list.body["identities"].as_array().unwrap().iter();
        let identities = ids.map(|known| known["id"].as_str().unwrap().to_owned()).collect();
        Self { phone, name, friend: friend.text("/id").to_owned(), login, identities }
    }

    fn get(&self, world: &World, path: &str) -> Value {
        let answer = world.get(path).bearer(self.login.text("/session/accessToken")).send();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Everything that they see of their account.
    fn seen(&self, world: &World) -> Vec<Value> {
        LOOKS.iter().map(|path| self.get(world, path)).collect()
    }

    /// What must be shown to nobody else.
    fn secrets(&self) -> Vec<&str> {
        let of_login = ["/account/id", "/session/id", "/device/id", "/device/token"];
        let mut secrets: Vec<&str> = of_login.iter().map(|at| self.login.text(at)).collect();
        secrets.extend(self.identities.iter().map(String::as_str));
        secrets.extend([self.phone, self.friend.as_str()]);
        secrets
    }
}

/// What is only looked at. Approvals are in the story of isolation.
const LOOKS: [&str; 10] = [
    "/v1/account",
    "/v1/account/export",
    "/v1/account/identities",
    "/v1/account/login-protection",
    "/v1/account/phones",
    "/v1/account/trusted-phones",
    "/v1/devices",
    "/v1/login-history",
    "/v1/session",
    "/v1/sessions",
];

/// What one of them tries with what is the other's, and how it is answered. What is their own comes last.
fn tries(world: &World, other: &Person) -> Vec<(&'static str, String, Value, u16, &'static str)> {
    let theirs = |what: &str| json!({what: one_tap(world, other.phone)});
    let with_theirs = |mut body: Value| {
        body["numberProof"] = one_tap(world, other.phone);
        body
    };
    let [name, phone] = ["username", "phone"].map(|kind| format!("/v1/account/identities/{kind}"));
    let mut tries = vec![
        ("POST", name.clone(), json!({"username": other.name}), 409, "identity_in_use"),
        ("POST", "/v1/session/proof".to_owned(), theirs("proof"), 403, "proof_failed"),
        (
            "PUT",
            "/v1/account/password".to_owned(),
            with_theirs(json!({"newPassword": "battery staple 1"})),
            403,
            "proof_failed",
        ),
        ("PUT", "/v1/account/phone".to_owned(), theirs("numberProof"), 409, "phone_in_use"),
        ("DELETE", format!("/v1/account/trusted-phones/{}", other.friend), Value::Null, 404, "not_found"),
        (
            "DELETE",
            format!("/v1/sessions/{}", other.login.text("/session/id")),
            Value::Null,
            404,
            "not_found",
        ),
        ("DELETE", format!("/v1/devices/{}", other.login.text("/device/id")), Value::Null, 404, "not_found"),
        (
            "PATCH",
            format!("/v1/devices/{}", other.login.text("/device/id")),
            json!({"name": "taken"}),
            404,
            "not_found",
        ),
        ("DELETE", "/v1/account/phone-change".to_owned(), Value::Null, 404, "not_found"),
    ];
    for id in &other.identities {
        for path in [&name, &phone] {
            tries.push(("DELETE", format!("{path}?id={id}"), Value::Null, 404, "not_found"));
        }
    }
    tries.extend([
        ("PATCH", "/v1/account".to_owned(), json!({"displayName": "somebody"}), 204, ""),
        ("PUT", "/v1/account/password".to_owned(), json!({"newPassword": "battery staple 2"}), 204, ""),
        // Another's number may be trusted, who learns nothing of it.
        ("POST", "/v1/account/trusted-phones".to_owned(), theirs("numberProof"), 201, ""),
        ("DELETE", name, Value::Null, 204, ""),
        ("PUT", "/v1/account/login-protection".to_owned(), json!({"enabled": true}), 204, ""),
        ("DELETE", "/v1/sessions".to_owned(), Value::Null, 204, ""),
        ("DELETE", "/v1/account".to_owned(), Value::Null, 202, ""),
    ]);
    tries
}

fn ask(world: &World, who: &Person, method: &str, path: &str, body: &Value) -> Answer {
    let ask = match method {
        "POST" => world.post(path, body),
        "PUT" => world.put(path, body),
        "PATCH" => world.patch(path, body),
        _ => world.delete(path),
    };
    ask.bearer(who.login.text("/session/accessToken")).send()
}

#[test]
fn with_what_is_anothers_one_gets_and_changes_nothing() {
    let world = World::new();
    let mine = Person::new(&world, "13800138000", "xiaoming", "18600138000");
    let other = Person::new(&world, "13900139000", "xiaohong", "18700138000");
    for (method, path, body, status, code) in tries(&world, &other) {
        let before = other.seen(&world);
        let answer = ask(&world, &mine, method, &path, &body);
        let told = answer.body["code"].as_str().unwrap_or_default();
        assert_eq!((answer.status, told), (status, code), "{method} {path}: {}", answer.body);
        world.run_alarms();
        assert_eq!(other.seen(&world), before, "{method} {path}");
        let shown = answer.body.to_string();
        for secret in other.secrets() {
            assert!(!shown.contains(secret), "{method} {path}: {shown}");
        }
    }
    // And by what the other has one still comes in as the other.
    let again = world.login(other.phone).signed_in();
    assert_eq!(again.text("/account/id"), other.login.text("/account/id"));
}

#[test]
fn whoever_looks_sees_what_is_their_own() {
    let world = World::new();
    let mine = Person::new(&world, "13800138000", "xiaoming", "18600138000");
    let other = Person::new(&world, "13900139000", "xiaohong", "18700138000");
    let shown = format!("{:?}", mine.seen(&world));
    assert!(mine.secrets()[..3].iter().all(|own| shown.contains(own)), "{shown}");
    for secret in other.secrets() {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn what_needs_a_fresh_proof_is_not_done_with_anothers() {
    let world = World::with(|name| (name == "FRESH_PROOF_SECONDS").then(|| "60".to_owned()));
    let mine = Person::new(&world, "13800138000", "xiaoming", "18600138000");
    let other = Person::new(&world, "13900139000", "xiaohong", "18700138000");
    world.pass(Duration::from_secs(61));
    let own = format!("/v1/account/identities/username?id={}", mine.identities.last().unwrap());
    for (method, path, body) in [
        ("DELETE", "/v1/account", Value::Null),
        ("DELETE", own.as_str(), Value::Null),
        ("POST", "/v1/account/identities/username", json!({"username": "xiaogang"})),
        ("PUT", "/v1/account/password", json!({"newPassword": "battery staple 1"})),
        ("POST", "/v1/account/trusted-phones", json!({"numberProof": one_tap(&world, "18800138000")})),
    ] {
        let proof = json!({"proof": one_tap(&world, other.phone)});
        ask(&world, &mine, "POST", "/v1/session/proof", &proof).is_problem(403, "proof_failed");
        let answer = ask(&world, &mine, method, path, &body);
        answer.is_problem(403, "reauthentication_required");
    }
    let stale = world.get("/v1/account/export").bearer(mine.login.text("/session/accessToken")).send();
    stale.is_problem(403, "reauthentication_required");
}
