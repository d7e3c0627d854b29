//! SES-4: pages whose scripts never see a token.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use onetap::model::counter::REPLY_KEPT;
use serde_json::{Value, json};

use crate::world::{
    Answer, Broken, Port, World,
    client::{Ask, device, login_body},
};

mod strangers;
mod waiting;

const PHONE: &str = "13800138000";
const WWW: &str = "https://www.login.example";
const OTHER_SITE: &str = "https://partner.example";
const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const ACCESS: &str = "__Host-onetap-access";
const REFRESH: &str = "__Host-onetap-refresh";
const DEVICE: &str = "__Host-onetap-device";
const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn world() -> World {
    World::with(|name| match name {
        "COOKIE_ORIGINS" => Some(WWW.to_owned()),
        "CORS_ORIGINS" => Some(OTHER_SITE.to_owned()),
        _ => None,
    })
}

/// Keeps cookies as a browser does, and names the page.
#[derive(Default, Clone)]
struct Browser(RefCell<BTreeMap<String, String>>);

impl Browser {
    fn send(&self, ask: Ask<'_>) -> Answer {
        self.send_from(ask, Some(WWW))
    }

    fn send_from(&self, ask: Ask<'_>, origin: Option<&str>) -> Answer {
        let ask = ask.header("cookie", &self.header());
        let answer = origin.into_iter().fold(ask, |ask, origin| ask.header("origin", origin)).send();
        for cookie in &answer.cookies {
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let (max_age, rest) = attributes.split_once("; ").unwrap();
            assert_eq!(rest, "Path=/; Secure; HttpOnly; SameSite=Lax");
            match max_age {
                "Max-Age=0" => self.0.borrow_mut().remove(name),
                _ => self.0.borrow_mut().insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    fn header(&self) -> String {
        let cookies =
            self.0.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        ["theme=dark".to_owned()].into_iter().chain(cookies).collect::<Vec<_>>().join("; ")
    }

    fn cookie(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    fn who_am_i(&self, world: &World) -> Answer {
        self.send_from(world.get("/v1/session?fresh=true"), None)
    }

    fn refresh(&self, world: &World) -> Answer {
        self.send(world.post("/v1/session/refresh", &json!({})))
    }
}

fn body(world: &World) -> Value {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    body["transport"] = json!("cookie");
    body
}

fn signed_in(world: &World) -> (Browser, Answer) {
    let browser = Browser::default();
    let login = browser.send(world.post("/v1/one-tap/login", &body(world))).signed_in();
    (browser, login)
}

#[test]
fn a_page_signs_in_and_its_scripts_see_no_token() {
    let world = world();
    let (browser, login) = signed_in(&world);
    let session = json!({"id": login.text("/session/id"), "expiresIn": 600, "refreshExpiresIn": 2_592_000});
    assert_eq!(login.body["session"], session);
    assert_eq!(login.body["device"], json!({"id": login.text("/device/id"), "trust": "new"}));
    assert_eq!(browser.names(), [ACCESS, DEVICE, REFRESH]);
    let ages: Vec<&str> = login
        .cookies
        .iter()
        .map(|cookie| cookie.split("; ").find(|part| part.starts_with("Max")).unwrap())
        .collect();
    // The lives of the tokens, and 400 days.
    assert_eq!(ages, ["Max-Age=600", "Max-Age=2592000", "Max-Age=34560000"]);

    let me = browser.who_am_i(&world);
    assert_eq!(me.body["session"]["id"], login.body["session"]["id"]);
    assert_eq!((me.status, me.headers["cache-control"].as_str()), (200, "no-store"));
    // Acts are done with the cookie too.
    let path = format!("/v1/devices/{}", login.text("/device/id"));
    assert_eq!(browser.send(world.patch(&path, &json!({"name": "Laptop"}))).status, 204);
}

#[test]
fn a_browser_with_its_device_cookie_is_the_same_device() {
    let world = world();
    let (browser, first) = signed_in(&world);
    world.pass(MINUTE);
    let second = browser.send(world.post("/v1/one-tap/login", &body(&world))).signed_in();
    assert_eq!(second.text("/device/id"), first.text("/device/id"));
    // Renewed, so that it outlives the 400 days of browsers.
    assert_eq!(second.cookies.len(), 3);
    // Another page's word about it is not taken, nor is it needed with a token in the body.
    let elsewhere = browser.send_from(world.log_in_with(&world.providers.token(PHONE)), Some(OTHER_SITE));
    assert_ne!(elsewhere.signed_in().text("/device/id"), first.text("/device/id"));
}

#[test]
fn codes_by_sms_know_the_device_by_its_cookie() {
    let world = world();
    let (browser, first) = signed_in(&world);
    world.run_alarms();
    let send = |origin| browser.send_from(world.send_otp(PHONE), Some(origin));
    // Strangers have used up the number's cooldown; the owner's device has its own.
    let stranger = send(OTHER_SITE).challenge();
    send(OTHER_SITE).is_problem(429, "rate_limited");
    let challenge = send(WWW).challenge();
    assert_ne!(stranger, challenge);
    let mut body = json!({"challengeId": challenge, "code": world.phones.code(PHONE), "device": device()});
    body["transport"] = json!("cookie");
    let login = browser.send(world.post("/v1/otp/login", &body)).signed_in();
    assert_eq!(login.text("/device/id"), first.text("/device/id"));
    assert!(login.body.pointer("/session/accessToken").is_none());
}

#[test]
fn a_lost_answer_is_kept_with_its_cookies() {
    let world = world();
    let ask = body(&world);
    let login = |browser: &Browser| browser.send(world.post("/v1/one-tap/login", &ask).key(KEY)).signed_in();
    let (lost, browser) = (Browser::default(), Browser::default());
    let first = login(&lost);
    world.pass(REPLY_KEPT);
    let second = login(&browser);
    assert_eq!((&first.body, &first.cookies), (&second.body, &second.cookies));
    assert_eq!(browser.who_am_i(&world).status, 200);
    // Kept or not: not for other pages.
    let elsewhere = world.post("/v1/one-tap/login", &ask).key(KEY).header("origin", OTHER_SITE).send();
    elsewhere.is_problem(403, "forbidden");
    assert_eq!(elsewhere.cookies, [""; 0]);
}

#[test]
fn two_tabs_that_refresh_at_once_get_the_same_successor() {
    let world = world();
    let (browser, _) = signed_in(&world);
    world.pass(MINUTE * 9);
    let second_tab = browser.clone();
    let answer = browser.refresh(&world);
    let session = answer.body["session"].as_object().unwrap();
    assert_eq!(session.keys().collect::<Vec<_>>(), ["expiresIn", "id", "refreshExpiresIn"]);
    assert_eq!(second_tab.refresh(&world).status, 200);
    assert_eq!(browser.cookie(REFRESH), second_tab.cookie(REFRESH));
    world.pass(MINUTE * 9);
    assert_eq!(browser.who_am_i(&world).status, 200);
    assert_eq!(browser.refresh(&world).status, 200);
}

#[test]
fn a_refused_refresh_takes_the_cookies_away_and_a_fault_does_not() {
    let world = world();
    let (browser, _) = signed_in(&world);
    let other = browser.clone();
    world.faults.break_call(Port::Account, 0, Broken::AnswerLost);
    browser.refresh(&world).is_problem(500, "internal");
    assert_eq!(browser.names(), [ACCESS, DEVICE, REFRESH]);
    assert_eq!(browser.send(world.delete("/v1/session")).status, 204);
    other.refresh(&world).is_problem(401, "session_revoked");
    assert_eq!(other.names(), [DEVICE]);
    // Nothing to go on with; and who is no page is told what is missing, as ever.
    other.refresh(&world).is_problem(401, "unauthenticated");
    world.post("/v1/session/refresh", &json!({})).send().is_problem(400, "invalid_request");

    let (idle, _) = signed_in(&world);
    world.pass(Duration::from_secs(2_592_000));
    idle.refresh(&world).is_problem(401, "session_expired");
    assert_eq!(idle.names(), [DEVICE]);
}

#[test]
fn signing_out_ends_the_session_and_takes_the_cookies_away() {
    let world = world();
    let (browser, _) = signed_in(&world);
    let stolen = browser.clone();
    assert_eq!(browser.send(world.delete("/v1/session")).status, 204);
    assert_eq!(browser.names(), [DEVICE]);
    stolen.who_am_i(&world).is_problem(401, "unauthenticated");
    // Over already: the cookies go all the same.
    assert_eq!(stolen.clone().send(world.delete("/v1/session")).status, 204);

    // The access token is over, and its cookie gone, long before the session is.
    for forget in [true, false] {
        let (browser, _) = signed_in(&world);
        world.pass(MINUTE * 11);
        if forget {
            browser.0.borrow_mut().remove(ACCESS);
        }
        let other = browser.clone();
        assert_eq!(browser.send(world.delete("/v1/session")).status, 204);
        assert_eq!(browser.names(), [DEVICE]);
        other.refresh(&world).is_problem(401, "session_revoked");
    }
    // Nobody knows whether it ended: the cookies stay, to try again.
    let (browser, _) = signed_in(&world);
    world.faults.break_call(Port::Account, 0, Broken::Before);
    browser.send(world.delete("/v1/session")).is_problem(500, "internal");
    assert_eq!(browser.names(), [ACCESS, DEVICE, REFRESH]);
    Browser::default().send(world.delete("/v1/session")).is_problem(401, "unauthenticated");
}
