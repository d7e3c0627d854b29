//! The cookie transport in a browser: Chromium over https, a shop of the service's site, and pages that mean ill.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{fresh_device, fresh_phone},
    login::LOGIN,
    sandbox::Order,
    stack::{Recipe, Stack},
    story,
    tokens::REFRESH,
};

mod chromium;
mod front;

use chromium::Chromium;
use front::{EVIL, FORGOTTEN, Front, Pass, SERVICE, SHOP};

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("browser: a page signs in, reloads, refreshes in two tabs and signs out; others cannot", told)]
}

const SESSION: &str = "/v1/session?fresh=true";

async fn told() {
    let recipe =
        Recipe::new("browser").var("ISSUER", &format!("https://{SERVICE}")).var("COOKIE_ORIGINS", SHOP);
    let stack = recipe.start();
    let front = Front::start(&stack.service).await;
    let browser = Chromium::start(front.port).await;
    browser.open(SHOP).await;

    let session = sign_in(&stack, &browser).await;
    let seen = browser.run("return document.cookie", Value::Null).await;
    assert_eq!(seen, Ok(json!("")), "scripts see no cookie");
    browser.reload().await;
    let (status, me) = call(&browser, "GET", SESSION).await;
    assert_eq!((status, &me["session"]["id"]), (200, &session));
    two_tabs(&browser, &front).await;

    for page in [EVIL, FORGOTTEN] {
        others_change_nothing(&browser, &front, page).await;
    }
    browser.open(SHOP).await;
    let (status, me) = call(&browser, "GET", SESSION).await;
    assert_eq!((status, &me["session"]["id"]), (200, &session), "nothing has changed");
    let (_, sessions) = call(&browser, "GET", "/v1/sessions").await;
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1));

    assert_eq!(call(&browser, "DELETE", "/v1/session").await.0, 204);
    front.take_passed();
    browser.reload().await;
    assert_eq!(call(&browser, "GET", SESSION).await.0, 401);
    let passed = front.take_passed();
    assert_eq!(names(&passed.last().unwrap().cookies), ["__Host-onetap-device"], "the device stays known");
    browser.close().await;
}

/// Signs in by one tap and returns the session's id.
async fn sign_in(stack: &Stack, browser: &Chromium) -> Value {
    let credential = Order::new("flash_v2", &fresh_phone("150")).mint(stack).await;
    let mut device = fresh_device();
    device["platform"] = json!("web");
    let credential = json!({ "credential": credential, "device": device, "transport": "cookie" });
    let script = format!("return call('POST', '{LOGIN}', given)");
    let (status, login) = read(&browser.run(&script, credential).await.unwrap());
    assert_eq!((status, &login["status"]), (200, &json!("signed_in")));
    let members: Vec<&String> = login["session"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["expiresIn", "id", "refreshExpiresIn"], "no token in the body");
    login["session"]["id"].clone()
}

/// Both send the same cookie before either is answered, and both are given the same one.
async fn two_tabs(browser: &Chromium, front: &Front) {
    front.take_passed();
    let script = format!(
        "const tab = window.open(location.href);
         while (!tab.call) await new Promise(resolve => setTimeout(resolve, 20));
         const answers = await Promise.all([window, tab].map(tab => tab.call('POST', '{REFRESH}', {{}})));
         tab.close();
         return answers"
    );
    let answers = browser.run(&script, Value::Null).await.unwrap();
    for answer in answers.as_array().unwrap() {
        assert_eq!(read(answer).0, 200);
    }
    let passed = front.take_passed();
    let refreshed: Vec<&Pass> =
        passed.iter().filter(|pass| pass.path == REFRESH && pass.method == "POST").collect();
    let cookie = |pass: &Pass| pass.set.iter().find(|cookie| cookie.contains("-refresh=")).cloned().unwrap();
    assert_eq!(refreshed.len(), 2);
    assert!(refreshed[0].cookies == refreshed[1].cookies, "both went out with the same cookies");
    let token = |pass: &Pass| cookie(pass).split(';').next().unwrap().to_owned();
    assert!(token(refreshed[0]) == token(refreshed[1]), "one and the same successor");
    assert_eq!(call(browser, "GET", SESSION).await.0, 200);
}

/// What a page can try that is not the shop's: by script as JSON, by script as a form would, and by a form.
async fn others_change_nothing(browser: &Chromium, front: &Front, page: &str) {
    browser.open(page).await;
    front.take_passed();
    for (method, path) in [("POST", REFRESH), ("DELETE", "/v1/session"), ("DELETE", "/v1/sessions")] {
        let body = if method == "POST" { "{}" } else { "undefined" };
        let refused = browser.run(&format!("return call('{method}', '{path}', {body})"), Value::Null).await;
        assert!(refused.is_err_and(|error| error.contains("Failed to fetch")), "{page} {method} {path}");
    }
    assert!(
        browser.run(&format!("return call('GET', '{SESSION}')"), Value::Null).await.is_err(),
        "{page} reads"
    );
    let simple = format!("return call('POST', '{REFRESH}', {{}}, 'text/plain', 'no-cors')");
    assert!(browser.run(&simple, Value::Null).await.is_ok());
    browser
        .leave(&format!(
            "const form = document.createElement('form');
             Object.assign(form, {{ method: 'post', enctype: 'text/plain', action: 'https://{SERVICE}{REFRESH}' }});
             document.body.append(form);
             form.submit();"
        ))
        .await;
    // A next command waits for the page that the form led to.
    browser.open(page).await;
    let passed = front.take_passed();
    let changing: Vec<&Pass> = passed.iter().filter(|pass| pass.method != "GET").collect();
    assert!(changing.iter().all(|pass| pass.origin == page && pass.set.is_empty()));
    let statuses: Vec<(&str, u16)> =
        changing.iter().map(|pass| (pass.method.as_str(), pass.status)).collect();
    let expected = [("OPTIONS", 405), ("OPTIONS", 405), ("OPTIONS", 405), ("POST", 415), ("POST", 415)];
    assert_eq!(statuses, expected, "{page}: asked in vain, then not read");
    let with_session = changing.iter().filter(|pass| pass.cookies.contains("-refresh=")).count();
    // A browser withholds the cookies from another site, not from a neighbour: there it is up to us.
    assert_eq!(with_session, if page == EVIL { 0 } else { 2 }, "{page}");
}

/// Calls the service from the page; the status and the body.
async fn call(browser: &Chromium, method: &str, path: &str) -> (u64, Value) {
    let answer = browser.run(&format!("return call('{method}', '{path}')"), Value::Null).await;
    read(&answer.unwrap())
}

fn read(answer: &Value) -> (u64, Value) {
    let text = answer["text"].as_str().unwrap();
    (answer["status"].as_u64().unwrap(), serde_json::from_str(text).unwrap_or_default())
}

fn names(cookies: &str) -> Vec<&str> {
    cookies.split("; ").filter_map(|cookie| Some(cookie.split_once('=')?.0)).collect()
}
