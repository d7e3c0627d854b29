//! `GET /v1/client-config`: apps follow it without a release.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::stacks::{self, TWO_VENDORS};
use crate::{client::get, story};

const PATH: &str = "/v1/client-config";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("otp: the client configuration differs by app, platform, model and network", differs),
        story("otp: the page shows the carriers' terms, and consent is unticked", page),
        story("otp: wrong parameters of the client configuration are named", wrong_parameters),
    ]
}

async fn differs() {
    for (query, methods) in [
        (format!("app={TWO_VENDORS}&platform=ios"), vec!["otp"]),
        ("platform=android&model=SM-S921B".to_owned(), vec!["otp", "cmcc 5"]),
        ("platform=android&model=sm-s921b".to_owned(), vec!["otp", "cmcc 5"]),
        ("platform=ios&model=SM-S921B&network=wifi".to_owned(), vec!["flash_v2 3"]),
        ("platform=ios&network=none".to_owned(), vec!["otp"]),
        (
            "platform=android&model=Pixel%209&network=cellular".to_owned(),
            vec!["flash_v2 3", "flash_v1 3", "cmcc 3", "aliyun 3", "mobtech 3", "otp"],
        ),
        (String::new(), vec!["flash_v2 3", "flash_v1 3", "cmcc 3", "aliyun 3", "mobtech 3", "otp"]),
    ] {
        let answer = ask(&query).await;
        assert_eq!(names(&answer), methods, "{query}");
        assert_eq!(answer["otp"], json!({ "codeLength": 8, "resendSeconds": 1, "expiresSeconds": 300 }));
    }
    // The widget of the platform, with its public half only.
    for (platform, provider, key) in [("web", "turnstile", 24), ("ios", "geetest", 32)] {
        let bot_check = ask(&format!("platform={platform}")).await["botCheck"].clone();
        assert_eq!(bot_check["provider"], provider);
        assert_eq!(bot_check["siteKey"].as_str().unwrap().len(), key);
        assert_eq!(bot_check.as_object().unwrap().len(), 2);
    }
    assert_eq!(ask(&format!("app={TWO_VENDORS}&platform=web")).await.get("botCheck"), None);
}

async fn page() {
    let page = ask("platform=ios").await["page"].clone();
    assert_eq!(page["consentChecked"], false);
    assert_eq!(page["consentVersion"], "2026-11");
    assert_eq!(page["maskRule"], json!({ "first": 3, "last": 4, "mask": "*" }));
    let agreements = page["agreements"].as_array().unwrap();
    let carriers: Vec<&str> =
        agreements.iter().filter_map(|agreement| agreement["carrier"].as_str()).collect();
    assert_eq!(carriers, ["cmcc", "cucc", "ctcc"]);
    assert_eq!(agreements[3]["url"], "https://shop.example/terms");
    for agreement in agreements {
        assert!(agreement["url"].as_str().unwrap().starts_with("https://"));
        assert!(agreement["name"]["zh-CN"].is_string() && agreement["name"]["en"].is_string());
    }
}

async fn wrong_parameters() {
    let stack = stacks::main();
    for (query, wrong) in [
        ("app=nobody", vec!["app"]),
        ("platform=toaster", vec!["platform"]),
        ("network=pigeon", vec!["network"]),
        ("app=nobody&platform=x&network=x", vec!["app", "platform", "network"]),
    ] {
        let refused = get(stack, &format!("{PATH}?{query}")).send().await.problem(400, "invalid_request");
        let named: Vec<&str> = refused["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        assert_eq!(named, wrong, "{query}");
    }
}

async fn ask(query: &str) -> Value {
    let answer = get(stacks::main(), &format!("{PATH}?{query}")).send().await;
    assert_eq!(answer.header("cache-control"), "private, max-age=300");
    answer.ok()
}

/// The ways in, in short: provider and timeout, or `otp`.
fn names(answer: &Value) -> Vec<String> {
    let methods = answer["methods"].as_array().unwrap().iter();
    methods
        .map(|method| match method["provider"].as_str() {
            Some(provider) => format!("{provider} {}", method["timeoutSeconds"]),
            None => method["method"].as_str().unwrap().to_owned(),
        })
        .collect()
}
