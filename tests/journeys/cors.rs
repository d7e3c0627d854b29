//! Pages of other origins: which may read answers, and which may not even ask.

use serde_json::json;

use super::cookies::world;
use crate::world::{Answer, World};

const OWN: &str = "https://www.login.example";
const PARTNER: &str = "https://partner.example";
const STRANGERS: [&str; 5] = [
    "https://evil.example",
    "null",
    "https://partner.example.evil.example",
    "https://evilpartner.example",
    "http://partner.example",
];

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", String::as_str)
}

fn preflight(world: &World, path: &str, origin: &str) -> Answer {
    let ask = world.options(path).header("origin", origin);
    ask.header("access-control-request-method", "DELETE").send()
}

#[test]
fn listed_pages_may_ask_and_are_told_what() {
    let world = world();
    for (origin, credentials) in [(OWN, "true"), (PARTNER, ""), ("https://login.example", "true")] {
        let answer = preflight(&world, "/v1/session", origin);
        assert_eq!((answer.status, header(&answer, "access-control-allow-origin")), (204, origin));
        assert_eq!(header(&answer, "access-control-allow-credentials"), credentials, "{origin}");
        assert_eq!(header(&answer, "access-control-allow-methods"), "GET, HEAD, DELETE");
        let headers = "authorization, content-type, dpop, idempotency-key, x-request-id, accept-language, x-onetap-device";
        assert_eq!(header(&answer, "access-control-allow-headers"), headers);
        assert_eq!(header(&answer, "access-control-max-age"), "7200");
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        assert_eq!(header(&answer, "vary"), vary);
    }
}

#[test]
fn answers_are_for_listed_pages_whatever_they_say() {
    let world = world();
    for (origin, credentials) in [(OWN, "true"), (PARTNER, "")] {
        for ask in [
            world.get("/v1/session"),
            world.get("/v1/client-config"),
            world.post("/v1/otp/login", &json!({})),
        ] {
            let answer = ask.header("origin", origin).send();
            assert_eq!(header(&answer, "access-control-allow-origin"), origin);
            assert_eq!(header(&answer, "access-control-allow-credentials"), credentials);
            assert_eq!(header(&answer, "access-control-expose-headers"), "date, x-request-id, retry-after");
            assert_eq!(header(&answer, "vary"), "Origin");
        }
    }
    // One kept for anybody must not be shown to a page: that there was no page matters too.
    assert_eq!(header(&world.get("/v1/client-config").send(), "vary"), "Origin");
}

#[test]
fn strangers_may_neither_ask_nor_read() {
    let world = world();
    for origin in STRANGERS {
        preflight(&world, "/v1/session", origin).is_problem(405, "method_not_allowed");
        let asked = [
            preflight(&world, "/v1/session", origin),
            world.get("/v1/session").header("origin", origin).send(),
        ];
        for answer in asked {
            assert!(answer.headers.keys().all(|name| !name.starts_with("access-control")), "{origin}");
        }
    }
}

#[test]
fn without_a_list_only_the_service_itself_is_one() {
    let world = World::new();
    preflight(&world, "/v1/session", PARTNER).is_problem(405, "method_not_allowed");
    assert_eq!(preflight(&world, "/v1/session", "https://login.example").status, 204);
}

#[test]
fn what_backends_call_is_for_no_page() {
    let world = world();
    for path in ["/oauth/introspect", "/oauth/revoke", "/v1/one-tap/exchange", "/healthz"] {
        let answer = preflight(&world, path, OWN);
        answer.is_problem(405, "method_not_allowed");
        assert_eq!((header(&answer, "access-control-allow-origin"), header(&answer, "vary")), ("", ""));
    }
    preflight(&world, "/v1/nowhere", OWN).is_problem(404, "not_found");
}

#[test]
fn the_public_keys_are_for_everybody() {
    let world = world();
    for origin in [OWN, PARTNER, STRANGERS[0]] {
        let answer = world.get("/.well-known/jwks.json").header("origin", origin).send();
        assert_eq!((answer.status, header(&answer, "access-control-allow-origin")), (200, "*"));
        assert_eq!(header(&answer, "access-control-allow-credentials"), "");
        assert_eq!(preflight(&world, "/.well-known/jwks.json", origin).status, 204);
    }
}

#[test]
fn options_that_ask_nothing_are_a_method_like_others() {
    let world = world();
    for ask in [
        world.options("/v1/session"),
        world.options("/v1/session").header("origin", OWN),
        world.options("/v1/session").header("access-control-request-method", "GET"),
    ] {
        let answer = ask.send();
        answer.is_problem(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "GET, HEAD, DELETE");
    }
}
