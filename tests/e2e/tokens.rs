//! Access tokens before independent verifiers and before forgers; refresh tokens.

use libtest_mimic::Trial;
use serde_json::json;

use crate::{
    client::{fresh_phone, get, login_body, post},
    jose::{header_of, sign_as_stranger, sign_with_secret, unsigned, verify_by_jwks},
    login::{LOGIN, access_token, sign_in, who_am_i},
    sandbox::Order,
    stack::{self, Stack},
    story,
};

pub(crate) const REFRESH: &str = "/v1/session/refresh";

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("tokens: an independent library verifies them through the JWKS", verified_through_jwks),
        story("tokens: the JWKS publishes public halves, and says how long to keep them", jwks),
        story("tokens: tampered ones are refused", tampered),
        story(
            "tokens: no other algorithm is accepted, least of all one keyed with the public key",
            swapped_algorithm,
        ),
        story("tokens: an unknown key is refused", unknown_key),
        story("tokens: what is no access token is refused", not_a_token),
        story("tokens: a refresh gives new ones, and a repeat the same", refresh),
        story("tokens: a refresh token used after its successor ends the session", reuse),
        story("tokens: forged refresh tokens are refused", forged_refresh),
        story(
            "tokens: forged and mistyped refresh tokens are refused without asking any object",
            asks_nobody,
        ),
    ]
}

/// Asks the service who a token speaks for, and expects to be refused.
pub(crate) async fn must_be_refused(stack: &Stack, token: &str, why: &str) {
    for path in ["/v1/session", "/v1/session?fresh=true"] {
        let answer = get(stack, path).bearer(token).send().await;
        assert_eq!(answer.status, 401, "{why}, {path}: {}", answer.summary());
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

async fn verified_through_jwks() {
    let stack = stack::main();
    let phone = fresh_phone("182");
    let credential = Order::new("aliyun", &phone).mint(stack).await;
    let login = post(stack, LOGIN, &login_body(&credential)).send().await.ok();
    let claims = verify_by_jwks(stack, access_token(&login)).await;
    let claim = |name: &str| claims[name].clone();
    let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["amr", "aud", "auth_time", "did", "exp", "iat", "iss", "jti", "sid", "sub"]);
    assert_eq!(claim("iss"), stack.service);
    assert_eq!(claim("sub"), login["account"]["id"]);
    assert_eq!(claim("sid"), login["session"]["id"]);
    assert_eq!(claim("did"), login["device"]["id"]);
    assert_eq!((claim("aud"), claim("amr")), (json!("default"), json!(["one_tap"])));
    let at = |name: &str| claim(name).as_i64().unwrap();
    assert_eq!(at("exp") - at("iat"), 600);
    assert_eq!(at("auth_time"), at("iat"));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(at("iat").abs_diff(now.cast_signed()) < 60, "iat is {}, the machine says {now}", at("iat"));
    let asked = who_am_i(stack, access_token(&login)).await;
    assert_eq!(asked["account"]["id"], login["account"]["id"]);
}

async fn jwks() {
    let answer = get(stack::main(), "/.well-known/jwks.json").send().await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let keys = answer.ok()["keys"].as_array().unwrap().clone();
    assert!(!keys.is_empty());
    for key in keys {
        let mut names: Vec<&String> = key.as_object().unwrap().keys().collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    }
}

async fn tampered() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let token = access_token(&login);
    who_am_i(stack, token).await;
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    let flipped = |at: usize| {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    // In the header, in the claims, in the signature. The last character of each holds bits that mean nothing.
    for at in [5, dots[0] + 30, dots[1] - 8, dots[1] + 1, dots[1] + 40] {
        must_be_refused(stack, &flipped(at), &format!("changed at {at}")).await;
    }
    must_be_refused(stack, &token[..dots[1] + 1], "without its signature").await;
    must_be_refused(stack, &format!("{token}AAAA"), "with a longer signature").await;
}

async fn swapped_algorithm() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let token = access_token(&login);
    let claims = verify_by_jwks(stack, token).await;
    let kid = header_of(token)["kid"].as_str().unwrap().to_owned();
    must_be_refused(stack, &format!("{}.", unsigned("none", &kid, &claims)), "alg none").await;
    // The classic confusion: the public key's bytes, known to all, as the secret of an HMAC. Also as published text.
    let jwks = get(stack, "/.well-known/jwks.json").send().await.ok();
    let x = jwks["keys"][0]["x"].as_str().unwrap();
    let raw = data_encoding::BASE64URL_NOPAD.decode(x.as_bytes()).unwrap();
    for secret in [raw.as_slice(), x.as_bytes(), jwks["keys"][0].to_string().as_bytes()] {
        must_be_refused(stack, &sign_with_secret(&kid, &claims, secret), "HS256 with the public key").await;
    }
    // The good signature under a header that names another algorithm.
    let (_, signature) = token.rsplit_once('.').unwrap();
    for algorithm in ["none", "HS256", "ES256", "eddsa", ""] {
        let forged = format!("{}.{signature}", unsigned(algorithm, &kid, &claims));
        must_be_refused(stack, &forged, algorithm).await;
    }
}

async fn unknown_key() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let token = access_token(&login);
    let claims = verify_by_jwks(stack, token).await;
    let ours = header_of(token)["kid"].as_str().unwrap().to_owned();
    for kid in ["stranger", &ours, ""] {
        must_be_refused(stack, &sign_as_stranger(kid, &claims), &format!("a stranger's key as {kid:?}"))
            .await;
    }
}

async fn not_a_token() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let refresh = login["session"]["refreshToken"].as_str().unwrap();
    let device = login["device"]["token"].as_str().unwrap();
    for token in [refresh, device, "x", "a.b.c", "..", "e30.e30.e30"] {
        must_be_refused(stack, token, "no access token").await;
    }
    get(stack, "/v1/session").send().await.problem(401, "unauthenticated");
    get(stack, "/v1/session")
        .header("authorization", "Basic YTpi")
        .send()
        .await
        .problem(401, "unauthenticated");
}

async fn refresh() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let first = login["session"]["refreshToken"].clone();
    let body = json!({ "refreshToken": first });
    let refreshed = post(stack, REFRESH, &body).send().await.ok();
    let session = &refreshed["session"];
    assert_eq!(session["id"], login["session"]["id"]);
    assert_eq!((&session["expiresIn"], &session["refreshExpiresIn"]), (&json!(600), &json!(2_592_000)));
    assert_ne!(session["refreshToken"], first);
    assert_ne!(session["accessToken"], login["session"]["accessToken"]);
    who_am_i(stack, session["accessToken"].as_str().unwrap()).await;
    // Two tabs, or a lost answer.
    let repeat = post(stack, REFRESH, &body).send().await.ok();
    assert_eq!(repeat["session"]["refreshToken"], session["refreshToken"]);
    let fresh = get(stack, "/v1/session?fresh=true").bearer(access_token(&repeat)).send().await.ok();
    assert_eq!(fresh["session"]["id"], login["session"]["id"]);
}

async fn reuse() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let mut given = vec![login["session"]["refreshToken"].clone()];
    for _ in 0..2 {
        let body = json!({ "refreshToken": given.last().unwrap() });
        let refreshed = post(stack, REFRESH, &body).send().await.ok();
        given.push(refreshed["session"]["refreshToken"].clone());
    }
    // The oldest is in somebody else's hands, or its owner would have the newest. Nobody keeps the session.
    for token in [&given[0], &given[2], &given[1]] {
        let refused = post(stack, REFRESH, &json!({ "refreshToken": token })).send().await;
        refused.problem(401, "session_revoked");
    }
    let fresh = get(stack, "/v1/session?fresh=true").bearer(access_token(&login)).send().await;
    fresh.problem(401, "unauthenticated");
}

async fn forged_refresh() {
    let stack = stack::main();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let token = login["session"]["refreshToken"].as_str().unwrap();
    let flipped = |at: usize| {
        let other = if &token[at..=at] == "a" { "b" } else { "a" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    let device = login["device"]["token"].as_str().unwrap().to_owned();
    for forged in [
        flipped(10),
        flipped(token.len() - 1),
        device,
        access_token(&login)[..200].to_owned(),
        "x".to_owned(),
    ] {
        let refused = post(stack, REFRESH, &json!({ "refreshToken": forged })).send().await;
        refused.problem(401, "session_revoked");
    }
    // None of that ended the session.
    post(stack, REFRESH, &json!({ "refreshToken": token })).send().await.ok();
}

/// Where every object fails, a good token leads to a fault. One that is refused all the same asked none of them.
async fn asks_nobody() {
    let stack = stack::test_build();
    let login = sign_in(stack, &fresh_phone("182")).await;
    let good = login["session"]["refreshToken"].as_str().unwrap();
    let refresh = |token: &str| {
        post(stack, REFRESH, &json!({ "refreshToken": token })).header("x-test-hook", "fail-accounts")
    };
    refresh(good).send().await.problem(500, "internal");
    let mistyped = (0..good.len()).step_by(7).map(|at| {
        let other = if &good[at..=at] == "x" { "y" } else { "x" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    });
    let mut refused = 0;
    for token in mistyped.chain([good[1..].to_owned(), "ort_".to_owned(), "x".repeat(256)]) {
        refresh(&token).send().await.problem(401, "session_revoked");
        refused += 1;
    }
    eprintln!("{refused} forged and mistyped refresh tokens: 0 objects asked");
}
