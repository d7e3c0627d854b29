//! What an app's backend says of an account, over HTTP: facts, friends, money; and who somebody is, by an import.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backend::{api_key, api_key_with, query},
    client::{Answer, Request, fresh_phone, get, post, random, random_hex},
    leaks,
    login::{access_token, sign_in},
    otp::objects::documents,
    recycled,
    stack::{self, Stack},
    story,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("supplied: facts are kept until others take their place, and exported by kind", facts),
        story("supplied: five hundred friends fit, and nobody is their own", friends),
        story("supplied: an account that holds money is protected by default", money),
        story("supplied: who comes from elsewhere by name is verified, and shown masked", verified),
        story("supplied: without key, scope or account nothing is kept", refused),
    ]
}

pub(crate) async fn put(stack: &Stack, key: &str, account: &Value, what: &str, body: &Value) -> Answer {
    let path = format!("/v1/accounts/{}/{what}", account.as_str().unwrap());
    Request::new(stack, Method::PUT, &path).json(body).bearer(key).send().await
}

/// A fact whose question nobody else asks.
pub(crate) fn fact(kind: &str, answer: &str) -> Value {
    let question = format!("最常收货的城市 {}", random_hex(6));
    leaks::note("question", &question);
    json!({ "kind": kind, "question": { "zh": question, "en": "The city?" }, "answer": answer })
}

fn field(answer: &Answer) -> String {
    answer.problem(400, "invalid_request")["fields"][0]["name"].as_str().unwrap().to_owned()
}

fn supplied(stack: &Stack, login: &Value) -> Value {
    let session = login["session"]["id"].as_str().unwrap();
    let mut accounts = documents(stack).into_iter().filter(|(class, _)| class == "Account");
    let found = accounts.find(|(_, document)| document.to_string().contains(session));
    found.expect("an account").1["state"]["supplied"].clone()
}

async fn facts() {
    let stack = stack::main();
    let (key, name) = api_key(stack, "account:facts");
    let login = sign_in(stack, &fresh_phone("158")).await;
    let account = &login["account"]["id"];
    // More than a body may have elsewhere.
    let many: Vec<Value> = (0..50)
        .map(|_| fact("city", "乌鲁木齐"))
        .map(|mut fact| {
            fact["question"]["en"] = json!("é".repeat(64));
            fact["question"]["zh"] = json!("问".repeat(64));
            fact
        })
        .collect();
    let body = json!({ "facts": many });
    assert!(body.to_string().len() > 16 * 1024, "{}", body.to_string().len());
    assert_eq!(put(stack, &key, account, "facts", &body).await.status, 204);
    let few = json!({ "facts": [fact("city", "乌鲁木齐"), fact("amount", "512"), fact("month", "2021-07")] });
    assert_eq!(put(stack, &key, account, "facts", &few).await.status, 204);
    let kept = supplied(stack, &login);
    let kinds: Vec<_> = kept["facts"].as_array().unwrap().iter().map(|fact| fact["kind"].clone()).collect();
    assert_eq!(json!(kinds), json!(["city", "amount", "month"]));
    assert!(!kept.to_string().contains("乌鲁木齐"));
    let export = get(stack, "/v1/account/export").bearer(access_token(&login)).send().await.ok();
    assert_eq!(export["facts"], json!(kinds));
    assert!(!export.to_string().contains("乌鲁木齐"));
    for (wrong, body) in [
        ("facts", json!({ "facts": vec![fact("city", "武汉"); 51] })),
        ("facts.1.kind", json!({ "facts": [fact("city", "武汉"), fact("mother", "武汉")] })),
        ("facts.0.answer", json!({ "facts": [fact("city", "亚特兰蒂斯")] })),
    ] {
        assert_eq!(field(&put(stack, &key, account, "facts", &body).await), wrong);
    }
    let padded = json!({ "facts": [], "more": "x".repeat(70_000) });
    put(stack, &key, account, "facts", &padded).await.problem(413, "payload_too_large");
    assert_eq!(supplied(stack, &login), kept);
    let rows = query(stack, &format!("SELECT action, subject FROM audit WHERE actor = 'api_key:{name}'"));
    let row = json!({ "action": "account.facts", "subject": account });
    assert_eq!(rows, [row.clone(), row], "one for each list that was taken");
}

async fn friends() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "account:friends");
    let login = sign_in(stack, &fresh_phone("158")).await;
    let account = &login["account"]["id"];
    let friend = || {
        let id = data_encoding::BASE32_NOPAD.encode(&random::<16>()).to_lowercase();
        json!({ "account": format!("acc_{id}"), "since": "2020-01-02T03:04:05Z" })
    };
    let many: Vec<Value> = (0..501).map(|_| friend()).collect();
    assert_eq!(field(&put(stack, &key, account, "friends", &json!({ "friends": many })).await), "friends");
    let many = &many[..500];
    assert_eq!(put(stack, &key, account, "friends", &json!({ "friends": many })).await.status, 204);
    let kept = supplied(stack, &login);
    // `date -u -d 2020-01-02 +%s`, divided by 86,400.
    assert_eq!(kept["friends"][499], json!([many[499]["account"], 18_263]));
    let export = get(stack, "/v1/account/export").bearer(access_token(&login)).send().await.ok();
    assert_eq!(export["friends"], 500);
    for (wrong, friend) in [
        ("friends.0.account", json!({ "account": account, "since": "2020-01-02T03:04:05Z" })),
        ("friends.0.since", json!({ "account": many[0]["account"], "since": "2099-01-01T00:00:00Z" })),
    ] {
        let answer = put(stack, &key, account, "friends", &json!({ "friends": [friend] })).await;
        assert_eq!(field(&answer), wrong);
    }
    assert_eq!(supplied(stack, &login), kept);
    // Whoever has so many signs in as before.
    let again = get(stack, "/v1/session?fresh=true").bearer(access_token(&login)).send().await;
    assert_eq!(again.status, 200);
}

async fn money() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "account:money");
    let login = sign_in(stack, &fresh_phone("158")).await;
    let account = &login["account"]["id"];
    // That there is none any more counts after three days only.
    for enabled in [true, false] {
        assert_eq!(put(stack, &key, account, "money", &json!({ "enabled": enabled })).await.status, 204);
        let shown = get(stack, "/v1/account/login-protection").bearer(access_token(&login)).send().await.ok();
        assert_eq!(shown["enabled"], true);
    }
    assert_eq!(field(&put(stack, &key, account, "money", &json!({ "enabled": 1 })).await), "enabled");
}

async fn verified() {
    let stack = stack::main();
    let (key, _) = api_key(stack, "account:import");
    let (phone, name) = (fresh_phone("158"), format!("Lin {}", random_hex(6)));
    leaks::note("verified name", &name);
    // The example of GB 11643-1999, annex A.
    leaks::note("ID number", "11010519491231002X");
    let import = async |external: &str, phone: &str, id_number: &str| {
        let real = json!({ "state": "verified", "name": name, "idNumber": id_number });
        let line = json!({ "externalId": external, "phone": phone, "phoneProvenAt": recycled::in_days(-1),
            "realName": real });
        let request = post(stack, "/v1/import", &line).header("content-type", "application/x-ndjson");
        request.bearer(&key).send().await.ok()
    };
    let report = import(&random_hex(8), &phone, "11010519491231002X").await;
    assert_eq!(report["imported"], 1, "{report}");
    let login = sign_in(stack, &phone).await;
    assert_eq!(
        (&login["account"]["isNew"], &login["account"]["realName"]),
        (&json!(false), &json!("verified"))
    );
    let export = get(stack, "/v1/account/export").bearer(access_token(&login)).send().await.ok();
    assert_eq!(export["verifiedName"], format!("L{}", "*".repeat(name.len() - 1)));
    let refused = import(&random_hex(8), &fresh_phone("158"), "110105491231002").await;
    assert_eq!(refused["lines"][0]["problems"][0]["name"], "realName.idNumber");
}

async fn refused() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("158")).await;
    let account = &login["account"]["id"];
    let nobody = json!(format!("{}aaaaaa", &account.as_str().unwrap()[..24]));
    let (wrong, _) = api_key(stack, "account:freeze account:import");
    let (right, _) = api_key(stack, "account:facts account:friends account:money");
    let scopes = "account:facts account:friends account:money";
    let (test, _) = api_key_with(stack, scopes, &[("MODE", "test")]);
    for (what, body) in [
        ("facts", json!({ "facts": [] })),
        ("friends", json!({ "friends": [] })),
        ("money", json!({ "enabled": true })),
    ] {
        put(stack, access_token(&login), account, what, &body).await.problem(401, "unauthenticated");
        put(stack, &wrong, account, what, &body).await.problem(403, "forbidden");
        put(stack, &right, &nobody, what, &body).await.problem(404, "not_found");
        put(stack, &test, account, what, &body).await.problem(404, "not_found");
    }
    assert_eq!(supplied(stack, &login), Value::Null);
}
