//! Cookies: how a web page has a session without its scripts ever seeing a token.
//!
//! Browsers send cookies along with requests that other pages make. So nothing that a cookie vouches for changes
//! anything unless the browser says (`Origin`, RFC 6454) that the page is one of ours.

use super::{http::HttpIn, problem::Problem};
use crate::{
    journeys::{session::Tokens, settings::Settings, sign_in::DeviceClaim},
    kernel::secret::Secret,
    model::refusal::Code,
};

// `__Host-`: only the service's own host can set them, over TLS, for all paths (RFC 6265bis, section 4.1.3.2).
const ACCESS: &str = "__Host-onetap-access";
const REFRESH: &str = "__Host-onetap-refresh";
const DEVICE: &str = "__Host-onetap-device";

// The token of a device that waits: until it is in, the browser goes on being the device that it was.
const WAITING: &str = "__Host-onetap-waiting";

// Whose browser began a login with a third party.
const IDENTITY: &str = "__Host-onetap-identity";

/// Life of the device's cookie from each sign-in on: 400 days, the most that browsers keep any (RFC 6265bis,
/// section 5.5).
pub const DEVICE_SECONDS: u64 = 34_560_000;

/// How a client is handed its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In the body of the answer.
    Body,
    /// As cookies, and nowhere else.
    Cookie,
}

/// The access token of a request: that of `Authorization`, else the cookie's.
///
/// # Errors
/// 401 for none; 403 when a cookie would change something for a page that is not ours.
pub(super) fn access_token<'r>(settings: &Settings, request: &'r HttpIn) -> Result<&'r str, Problem> {
    let unauthenticated = Problem::of(Code::Unauthenticated);
    // Whoever names a token means no other.
    if request.header("authorization").is_some() {
        return request.bearer().ok_or(unauthenticated);
    }
    let token = value(request, ACCESS).ok_or(unauthenticated)?;
    if request.method != "GET" {
        require_our_page(settings, request)?;
    }
    Ok(token)
}

/// The refresh token of a page that named none; `None`: no page of ours asks.
///
/// # Errors
/// 401 for a page of ours without the cookie; 403 for a cookie from another page.
pub(super) fn refresh_token<'r>(
    settings: &Settings,
    request: &'r HttpIn,
) -> Result<Option<&'r str>, Problem> {
    match value(request, REFRESH) {
        Some(token) => require_our_page(settings, request).map(|()| Some(token)),
        None if is_our_page(settings, request) => Err(Problem::of(Code::Unauthenticated)),
        None => Ok(None),
    }
}

/// Whether cookies are all that speaks for a request.
pub(super) fn speaks_for(request: &HttpIn) -> bool {
    request.header("authorization").is_none()
        && [ACCESS, REFRESH].iter().any(|name| value(request, name).is_some())
}

/// Lets the cookie tell which device it is, where the body does not and the page is one of ours.
pub(super) fn recognise(settings: &Settings, request: &HttpIn, device: &mut DeviceClaim) {
    if device.token.is_none() && is_our_page(settings, request) {
        device.token = value(request, DEVICE).map(|token| Secret::new(token.to_owned()));
    }
}

/// The device token of a page that asks for cookies.
///
/// # Errors
/// As [`require_our_page`].
pub(super) fn device_token(settings: &Settings, request: &HttpIn) -> Result<Option<Secret<String>>, Problem> {
    require_our_page(settings, request)?;
    let token = value(request, WAITING).or_else(|| value(request, DEVICE));
    Ok(token.map(|token| Secret::new(token.to_owned())))
}

/// Lets only pages of ours go on.
///
/// # Errors
/// 403 for all others, and for whoever is no page.
pub(super) fn require_our_page(settings: &Settings, request: &HttpIn) -> Result<(), Problem> {
    if is_our_page(settings, request) {
        return Ok(());
    }
    let detail = Some("Cookies are for pages of the service's origin and of COOKIE_ORIGINS.".into());
    Err(Problem { detail, ..Problem::of(Code::Forbidden) })
}

/// The cookies of a session.
pub(super) fn of_session(tokens: &Tokens) -> Vec<String> {
    vec![
        set(ACCESS, tokens.access.expose(), tokens.access_expires_in),
        set(REFRESH, tokens.refresh.expose(), tokens.refresh_expires_in),
    ]
}

/// The cookie of a device that waits for so many seconds.
pub(super) fn of_waiting(token: &str, seconds: u64) -> String {
    set(WAITING, token, seconds)
}

/// What takes that away.
pub(super) fn waits_no_more() -> String {
    set(WAITING, "", 0)
}

/// What a browser is bound by while it signs in with a third party, and its cookie: what it has already, so that one tab does
/// not undo what another has begun, else `fresh`.
pub(super) fn of_identity(request: &HttpIn, fresh: &str, seconds: u64) -> (String, String) {
    let kept = value(request, IDENTITY).filter(|text| text.len() == fresh.len() && is_sane(text));
    let secret = kept.unwrap_or(fresh).to_owned();
    let cookie = set(IDENTITY, &secret, seconds);
    (secret, cookie)
}

/// What a page shows that comes back from a third party.
///
/// # Errors
/// As [`require_our_page`].
pub(super) fn identity(settings: &Settings, request: &HttpIn) -> Result<Option<Secret<String>>, Problem> {
    let Some(secret) = value(request, IDENTITY) else { return Ok(None) };
    require_our_page(settings, request)?;
    Ok(Some(Secret::new(secret.to_owned())))
}

/// The cookie of a device; `None` for a text that is no token, since a client may have named it.
pub(super) fn of_device(token: &str) -> Option<String> {
    is_sane(token).then(|| set(DEVICE, token, DEVICE_SECONDS))
}

/// What takes the cookies of a session away. The device stays known.
pub(super) fn cleared() -> Vec<String> {
    [ACCESS, REFRESH].map(|name| set(name, "", 0)).into()
}

fn is_sane(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn set(name: &str, value: &str, max_age: u64) -> String {
    format!("{name}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=Lax")
}

fn is_our_page(settings: &Settings, request: &HttpIn) -> bool {
    // The browser knows better than our list what is one site.
    request.header("sec-fetch-site") != Some("cross-site")
        && request.header("origin").is_some_and(|origin| settings.origins.may_use_cookies(origin))
}

/// The value of a cookie. A browser has one of each of ours; of two, somebody else has planted one.
///
/// A neighbour below the same domain may set cookies that look like ours to who reads generously: after a comma in a
/// value, or after white space other than the blank. So only what the standard says counts.
fn value<'r>(request: &'r HttpIn, name: &str) -> Option<&'r str> {
    let mut values = request.header("cookie")?.split(';').filter_map(|cookie| {
        let (known, value) = cookie.trim_matches(' ').split_once('=')?;
        (known == name).then_some(value)
    });
    values.next().filter(|value| !value.is_empty() && values.next().is_none())
}
