//! Pages of other origins (Fetch standard, CORS protocol): the one place that lets them read answers.
//!
//! Every answer says so that depends on the page. That it may depend on cookies need not be said: such answers are never
//! kept (`no-store`).

use super::{
    Reply,
    http::{HttpIn, HttpOut},
    routes::{self, Found, Route},
};
use crate::journeys::settings::Settings;

/// Seconds for which a browser need not ask again; Chromium keeps it for no longer.
pub const MAX_AGE_SECONDS: u64 = 7200;

const HEADERS: &str =
    "authorization, content-type, dpop, idempotency-key, x-request-id, accept-language, x-onetap-device";

/// Pages that may read the answers of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Everybody,
    Listed,
    Nobody,
}

/// The answer to a browser that asks whether a page may call; `None`: it does not ask, or it may not.
pub(super) fn preflight(settings: &Settings, found: &Found, request: &HttpIn) -> Option<Reply> {
    let Found::OtherMethods(methods) = found else { return None };
    let origin = request.header("origin").filter(|_| is_preflight(request))?;
    match readers(found, &request.path) {
        Readers::Everybody => {}
        Readers::Listed if settings.origins.may_call(origin) => {}
        _ => return None,
    }
    let headers = vec![
        ("access-control-allow-methods", (*methods).to_owned()),
        ("access-control-allow-headers", HEADERS.to_owned()),
        ("access-control-max-age", MAX_AGE_SECONDS.to_string()),
    ];
    Some(Reply::Ready(HttpOut { status: 204, headers, body: Vec::new() }))
}

/// Says who may read an answer.
pub(super) fn add_headers(settings: &Settings, found: &Found, request: &HttpIn, out: &mut HttpOut) {
    let mut add = |name, value: &str| out.headers.push((name, value.to_owned()));
    match readers(found, &request.path) {
        Readers::Nobody => return,
        Readers::Everybody => add("access-control-allow-origin", "*"),
        Readers::Listed => {
            let asks = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
            add("vary", if is_preflight(request) { asks } else { "Origin" });
            let origin = request.header("origin").filter(|origin| settings.origins.may_call(origin));
            let Some(origin) = origin else { return };
            add("access-control-allow-origin", origin);
            if settings.origins.may_use_cookies(origin) {
                add("access-control-allow-credentials", "true");
            }
        }
    }
    add("access-control-expose-headers", "date, x-request-id, retry-after");
}

fn is_preflight(request: &HttpIn) -> bool {
    request.method == "OPTIONS" && request.header("access-control-request-method").is_some()
}

fn readers(found: &Found, path: &str) -> Readers {
    let route = match found {
        Found::Nothing => return Readers::Nobody,
        Found::Route(route) => *route,
        // All methods of a path are for the same callers.
        Found::OtherMethods(methods) => {
            match routes::find(methods.split(',').next().unwrap_or_default(), path) {
                Found::Route(route) => route,
                _ => return Readers::Nobody,
            }
        }
    };
    match route {
        Route::Jwks => Readers::Everybody,
        // API keys and vendors' secrets have no place in a page.
        Route::OneTapExchange
        | Route::Introspect
        | Route::Revoke
        | Route::AccountPhone(_)
        | Route::AccountPut(..)
        | Route::AccountRestore(_)
        | Route::Import
        | Route::ApiKey
        | Route::Receipts
        | Route::Health => Readers::Nobody,
        _ => Readers::Listed,
    }
}
