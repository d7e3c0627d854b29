//! Pages and neighbours that have no business with somebody's cookies.

use serde_json::json;

use super::{ACCESS, OTHER_SITE, body, signed_in, world};
use crate::world::configuration::{self, ISSUER};

#[test]
fn other_pages_change_nothing() {
    let world = world();
    let (browser, login) = signed_in(&world);
    let path = format!("/v1/devices/{}", login.text("/device/id"));
    let before = world.objects.stored();
    for origin in [
        None,
        Some("null"),
        Some(""),
        Some(OTHER_SITE),
        Some("https://www.login.example.evil.example"),
        Some("https://evilwww.login.example"),
        Some("https://old.login.example"),
        Some("http://www.login.example"),
        Some("https://www.login.example:8443"),
        Some("https://www.login.example, https://evil.example"),
    ] {
        for ask in [
            world.post("/v1/one-tap/login", &body(&world)),
            world.post("/v1/session/refresh", &json!({})),
            world.delete("/v1/session"),
            world.delete("/v1/sessions"),
            world.patch(&path, &json!({"name": "x"})),
            world.delete(&path),
        ] {
            let answer = browser.send_from(ask, origin);
            answer.is_problem(403, "forbidden");
            assert_eq!(answer.cookies, [""; 0], "{origin:?}");
        }
    }
    // The browser says that it is another site, whatever our list says.
    let ask = world.delete("/v1/session").header("sec-fetch-site", "cross-site");
    browser.send(ask).is_problem(403, "forbidden");
    assert_eq!(world.objects.stored(), before);
    // What a form can post is not read.
    let form = world.form("/v1/session/refresh", "{}");
    browser.send_from(form, Some("https://evil.example")).is_problem(415, "unsupported_media_type");
    for (site, status) in [("same-site", 200), ("same-origin", 200)] {
        let ask = world.post("/v1/session/refresh", &json!({})).header("sec-fetch-site", site);
        assert_eq!(browser.send_from(ask, Some(ISSUER)).status, status);
    }
}

#[test]
fn who_names_a_token_means_no_cookie() {
    let world = world();
    let (browser, _) = signed_in(&world);
    let app = world.login("13900139000").signed_in();
    let ask = world.get("/v1/session").bearer(app.text("/session/accessToken"));
    assert_eq!(browser.send_from(ask, None).body["session"]["id"], app.body["session"]["id"]);
    browser.send(world.get("/v1/session").bearer("nonsense")).is_problem(401, "unauthenticated");
    browser
        .send(world.get("/v1/session").header("authorization", "Basic eDp5"))
        .is_problem(401, "unauthenticated");
    let refresh = json!({"refreshToken": app.text("/session/refreshToken")});
    let answer = browser.send_from(world.post("/v1/session/refresh", &refresh), None);
    assert_eq!(
        (answer.body["session"]["id"].clone(), answer.cookies.len()),
        (app.body["session"]["id"].clone(), 0)
    );
    // By name: from wherever, and cookies stay as they are.
    let ask = world.delete("/v1/session").bearer(answer.text("/session/accessToken"));
    let ended = browser.send_from(ask, None);
    assert_eq!((ended.status, ended.cookies.len()), (204, 0));
    assert_eq!(browser.who_am_i(&world).status, 200);
}

#[test]
fn planted_cookies_are_no_cookies_of_ours() {
    let world = world();
    let (browser, _) = signed_in(&world);
    let token = browser.cookie(ACCESS).unwrap();
    let status = |header: String| world.get("/v1/session").header("cookie", &header).send().status;
    assert_eq!(status(format!("a=b;{ACCESS}={token} ; c")), 200);
    for planted in [
        format!("{ACCESS}={token}; {ACCESS}={token}"),
        format!("{ACCESS}={token}; {ACCESS}="),
        format!("a=b, {ACCESS}={token}"),
        format!("\u{2000}{ACCESS}={token}"),
        format!("\t{ACCESS}={token}"),
        format!("__host-onetap-access={token}"),
        format!("x{ACCESS}={token}"),
        format!("{ACCESS}=\"{token}\""),
        format!("{ACCESS} ={token}"),
        ACCESS.to_owned(),
    ] {
        assert_eq!(status(planted.clone()), 401, "{planted}");
    }
}

#[test]
fn the_lists_are_checked_at_start() {
    let problems = |name: &'static str, value: &'static str| {
        configuration::problems(move |asked| (asked == name).then(|| value.to_owned()))
    };
    for (name, value, said) in [
        ("COOKIE_ORIGINS", "*", "is not a comma list of https origins"),
        ("CORS_ORIGINS", "*", "is not a comma list of https origins"),
        ("CORS_ORIGINS", "https://a.example/", "is not a comma list of https origins"),
        ("CORS_ORIGINS", "http://localhost:5173", "is not a comma list of https origins"),
        ("COOKIE_ORIGINS", OTHER_SITE, "has https://partner.example, which is another site than ISSUER"),
    ] {
        let found = problems(name, value);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{name} {said}")), "{found:?}");
    }
}
