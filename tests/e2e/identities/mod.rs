//! Third-party login: where browsers are sent, and what comes back with them.

mod accounts;
mod refusals;
mod table;
mod ways;

use std::sync::OnceLock;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{Answer, fresh_device, fresh_key, get, http, post, random},
    leaks,
    login::access_token,
    otp::stacks::development_accounts,
    stack::{self, Recipe, Stack},
    story,
};

/// In the development settings.
pub(crate) const BACK: &str = "http://localhost:5173/back";

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story("identities: browsers go to the third party and come back with code and state", there_and_back),
        story("identities: a browser is bound by a cookie of its own, an app by its header", bound),
        story("identities: what is not set up, and what is not listed", refused),
    ];
    stories.extend(table::stories());
    stories.extend(accounts::stories());
    stories.extend(refusals::stories());
    stories.extend(ways::stories());
    stories
}

/// Several of a kind may be bound, a second app of the same developer has a WeChat of its own, all take codes of SDKs, and an
/// issuer wants the secret in the body: `partner` has the right one, `misled` another.
fn many() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    stack::shared(&STACK, || {
        let mut accounts = development_accounts();
        let like = |accounts: &[Value], provider: &str| {
            accounts.iter().find(|account| account["provider"] == provider).unwrap().clone()
        };
        let mut shop = like(&accounts, "wechat");
        shop["app"] = json!("shop");
        shop["settings"]["appId"] = json!("wxshop0000000000");
        let mut one_tap = like(&accounts, "flash_v2");
        one_tap["app"] = json!("shop");
        let mut partner = like(&accounts, "oidc");
        (partner["provider"], partner["kind"]) = (json!("oidc_post"), json!("partner"));
        partner["settings"]["clientId"] = json!("client-of-the-body");
        let mut misled = partner.clone();
        misled["kind"] = json!("misled");
        misled["settings"]["clientSecret"] = json!("NotTheOneThatWasRegistered");
        accounts.extend([shop, one_tap, partner, misled]);
        for account in &mut accounts {
            if ["wechat", "qq", "weibo", "oidc", "oidc_post"]
                .iter()
                .any(|known| account["provider"] == *known)
            {
                account["native"] = json!(true);
            }
        }
        Recipe::new("many")
            .var("APPS", "default,shop")
            .var("PROVIDER_ACCOUNTS", &Value::from(accounts).to_string())
            .var("IDENTITIES_OF_A_KIND", "5")
    })
}

/// Who somebody is to a third party; nobody else has been.
pub(crate) fn fresh_person() -> String {
    let letters = random::<12>().map(|byte| char::from(b'a' + byte % 26));
    letters.iter().collect()
}

/// The code of somebody who went to a third party and came back, with what goes with it.
pub(crate) async fn came_back(stack: &Stack, kind: &str, app: &str, mut person: Value) -> (Value, String) {
    let own = fresh_key();
    leaks::note("binding", &own);
    let path = format!("/v1/identities/{kind}/authorize?redirectUri={BACK}&app={app}");
    let departure = get(stack, &path).header("x-onetap-device", &own).send().await.ok();
    person["url"] = departure["url"].clone();
    let state = departure["state"].as_str().unwrap();
    leaks::note("state", state);
    let code = agree(stack, kind, person).await;
    (json!({ "code": code, "state": state }), own)
}

/// Signs in with a third party.
pub(crate) async fn log_in(stack: &Stack, kind: &str, app: &str, person: Value) -> Answer {
    let (mut body, own) = came_back(stack, kind, app, person).await;
    body["device"] = fresh_device();
    body["app"] = json!(app);
    post(stack, &format!("/v1/identities/{kind}/login"), &body).header("x-onetap-device", &own).send().await
}

/// Binds an identity to the account of who is signed in.
pub(crate) async fn bind(stack: &Stack, login: &Value, kind: &str, person: Value) -> Answer {
    let (body, own) = came_back(stack, kind, "default", person).await;
    let request = post(stack, &format!("/v1/account/identities/{kind}"), &body);
    request.bearer(access_token(login)).header("x-onetap-device", &own).send().await
}

/// Begins a login.
pub(crate) async fn authorize(stack: &Stack, kind: &str, own: Option<&str>) -> Answer {
    let path = format!("/v1/identities/{kind}/authorize?redirectUri={BACK}");
    let request = get(stack, &path);
    match own {
        Some(own) => request.header("x-onetap-device", own).send().await,
        None => request.send().await,
    }
}

/// Somebody agrees: the code.
pub(crate) async fn agree(stack: &Stack, kind: &str, body: Value) -> String {
    let url = format!("{}/sandbox/idp/{kind}/codes", stack.sandbox);
    let request = http().post(url).header("content-type", "application/json").body(body.to_string());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code =
        answer["code"].as_str().unwrap_or_else(|| panic!("the sandbox minted nothing: {answer}")).to_owned();
    leaks::note("third party's code", &code);
    code
}

async fn there_and_back() {
    let stack = stack::main();
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let departure = authorize(stack, kind, Some(&fresh_key())).await.ok();
        let (url, state) = (departure["url"].as_str().unwrap(), departure["state"].as_str().unwrap());
        leaks::note("state", state);
        assert!(url.starts_with(&stack.sandbox) && state.len() <= 128, "{kind}");
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let page = browser.build().unwrap().get(url).send().await.unwrap();
        assert_eq!(page.status(), 302, "{kind}");
        let back = page.headers()["location"].to_str().unwrap();
        let (page, query) = back.split_once('?').unwrap();
        let sent: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(
            (page, sent[0].0.as_str(), &sent[1]),
            (BACK, "code", &("state".to_owned(), state.to_owned()))
        );
        leaks::note("third party's code", &sent[0].1);
        agree(stack, kind, json!({ "subject": "a", "url": url })).await;
    }
}

async fn bound() {
    let stack = stack::main();
    let first = authorize(stack, "corp", None).await;
    first.ok();
    let cookie = first.header("set-cookie");
    assert!(cookie.starts_with("__Host-onetap-identity=") && cookie.contains("; HttpOnly"), "{cookie}");
    let own = fresh_key();
    leaks::note("binding", &own);
    assert_eq!(authorize(stack, "corp", Some(&own)).await.header("set-cookie"), "");
    authorize(stack, "corp", Some("iphone")).await.problem(400, "invalid_request");
}

async fn refused() {
    let stack = stack::main();
    authorize(stack, "nobody", None).await.problem(404, "not_found");
    let path = "/v1/identities/wechat/authorize?redirectUri=https://evil.example/back";
    get(stack, path).send().await.problem(400, "invalid_request");
}
