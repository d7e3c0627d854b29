//! A login belongs to the browser or device that began it: else somebody could sign others in as themselves.

use std::time::Duration;

use onetap::api::{http::Body, identity_login};

use super::*;
use crate::world::identities::world_and;

const OTHER: &str = "AcY6nVs4RbT9wXmL2pQ7kZ";

#[test]
fn a_state_is_good_once_for_its_browser_kind_app_and_page() {
    let world = world();
    let login = sign_in(&world, "wechat", "default", XIAOMING);
    for wrong in [
        Login { own: Some(OTHER), ..login.clone() },
        Login { own: None, ..login.clone() },
        Login { back: Some("https://shop.example/back"), ..login.clone() },
        Login { app: "shop", ..login.clone() },
        Login { kind: "weibo", ..login.clone() },
        Login { state: Some("invented".to_owned()), ..login.clone() },
        Login { state: login.state.clone().map(|state| state.replace('a', "b") + "A"), ..login.clone() },
    ] {
        wrong.is_refused(&world);
    }
    // None of these has spent anything. The page need not be named, nor the platform be the same.
    Login { back: None, platform: Platform::Ios, ..login.clone() }.proven(&world);
    let other = sign_in(&world, "wechat", "default", XIAOMING);
    Login { state: login.state, ..other }.is_refused(&world);
}

#[test]
fn a_state_is_over_after_ten_minutes() {
    for (seconds, is_good) in [(599, true), (600, false)] {
        let world = world();
        let login = sign_in(&world, "wechat", "default", XIAOMING);
        world.pass(Duration::from_secs(seconds));
        assert_eq!(login.prove(&world).is_ok(), is_good, "{seconds}");
    }
}

#[test]
fn of_two_logins_with_one_state_one_is_in() {
    let world = world();
    let login = sign_in(&world, "wechat", "default", XIAOMING);
    let second = sign_in(&world, "wechat", "default", XIAOMING);
    let second = Login { state: login.state.clone(), ..second };
    let won = [&login, &second].map(|login| login.prove(&world).is_ok());
    assert_eq!(won, [true, false]);
}

#[test]
fn a_browser_is_bound_by_a_cookie() {
    let world = world();
    let path = format!("/v1/identities/wechat/authorize?redirectUri={BACK}");
    let first = world.get(&path).send();
    let [cookie] = first.cookies.as_slice() else { panic!("{:?}", first.cookies) };
    assert!(cookie.starts_with("__Host-onetap-identity="), "{cookie}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    // Another tab begins a login, too: neither undoes the other.
    let second = world.get(&path).header("cookie", pair).send();
    assert_eq!(second.cookies, first.cookies);
    assert_ne!(second.text("/state"), first.text("/state"));
    // A value that is none of ours is not taken over.
    let planted = world.get(&path).header("cookie", "__Host-onetap-identity=planted").send();
    assert!(!planted.cookies[0].contains("planted"));
    assert!(authorize(&world, "wechat", "default").cookies.is_empty(), "an app brings its own");

    // What comes back to our page is known by the cookie; another page's request is not.
    let shown = |origin: &str, pair: &str| {
        let mut request = world.get("/v1/identities/wechat/login").into_http();
        request.method = "POST".to_owned();
        request.body = Body::Read(Vec::new());
        request.headers.insert("origin".to_owned(), origin.to_owned());
        request.headers.insert("cookie".to_owned(), pair.to_owned());
        identity_login::binding(&world.settings, &request)
    };
    let ours = shown("https://login.example", pair).unwrap().unwrap();
    assert_eq!(Some(ours.expose().as_str()), pair.strip_prefix("__Host-onetap-identity="));
    assert_eq!(shown("https://evil.example", pair).unwrap_err().code(), "forbidden");
    assert!(shown("https://login.example", "a=b").unwrap().is_none());
    let code = world.third_parties.agree(first.text("/url"), XIAOMING);
    let own: &str = Box::leak(ours.expose().clone().into_boxed_str());
    let state = Some(first.text("/state").to_owned());
    let login =
        Login { state, platform: Platform::Web, own: Some(own), ..Login::native("wechat", "default", code) };
    Login { own: Some(OTHER), ..login.clone() }.is_refused(&world);
    login.proven(&world);
}

#[test]
fn what_an_app_binds_itself_by_cannot_be_guessed() {
    let world = world();
    let path = format!("/v1/identities/wechat/authorize?redirectUri={BACK}");
    let weak = world.get(&path).header("x-onetap-device", "iphone").send();
    weak.is_problem(400, "invalid_request");
    assert_eq!(weak.body["fields"][0]["name"], "X-Onetap-Device");
    // A device token will do.
    let device = world.login("13800138000").signed_in();
    let answer = world.get(&path).header("x-onetap-device", device.text("/device/token")).send();
    assert_eq!((answer.status, answer.body.as_object().unwrap().len()), (200, 2));
    assert!(answer.text("/state").len() <= 128);
}

#[test]
fn a_relay_is_for_us_and_not_for_browsers() {
    let world = world_and(&[
        serde_json::json!({"provider": "weibo", "app": "shop", "baseUrl": "https://relay.example",
        "settings": {"appKey": "1", "appSecret": "s"}}),
    ]);
    let departure = authorize(&world, "weibo", "shop");
    assert!(departure.text("/url").starts_with("https://api.weibo.com/oauth2/authorize?"));
}
