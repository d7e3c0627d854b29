//! `/v1/identities/...`

use std::borrow::Cow;

use serde::Serialize;

use super::{Reply, cookie, http::HttpIn, login, problem::Problem};
use crate::{
    journeys::{Service, claim::IdempotencyKey, identity::IdentityStart, settings::Settings},
    kernel::{encoding::base64url, secret::Secret},
    model::{platform::Platform, refusal::Refusal},
    ports::World,
};

/// What an app binds a login to: its device token, or 128 random bits that it keeps until the login is over.
pub const DEVICE_HEADER: &str = "x-onetap-device";

/// `GET /v1/identities/{kind}/authorize`
pub(super) async fn authorize<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        url: &'a str,
        state: &'a str,
    }
    let app = request.parameter("app").unwrap_or(Cow::Borrowed("default"));
    let platform = match request.parameter("platform") {
        None => Platform::Web,
        Some(name) => Platform::from_name(&name).ok_or_else(|| {
            Refusal::field("platform", "must be one of ios, android, harmony, web, miniprogram")
        })?,
    };
    let redirect_uri =
        request.parameter("redirectUri").ok_or_else(|| Refusal::field("redirectUri", "is missing"))?;
    let (binding, cookies) = match by_header(request)? {
        Some(secret) => (secret, Vec::new()),
        None => {
            let mut fresh = [0; 16];
            service.world.fill(&mut fresh).map_err(Problem::internal)?;
            let seconds = service.settings.limits.identity_state_seconds;
            let (secret, cookie) = cookie::of_identity(request, &base64url(&fresh), seconds);
            (Secret::new(secret), vec![cookie])
        }
    };
    let start = IdentityStart {
        kind: kind_of(request),
        caller: login::caller(request, &app, platform),
        redirect_uri: &redirect_uri,
        binding: &binding,
    };
    let departure = service.start_identity(&start).await?;
    let answer = login::json(&Answer { url: &departure.url, state: &departure.state })?;
    Ok(answer.with_cookies(cookies))
}

/// What a login that ends shows for the browser or device that began it: the header, else the cookie of a page that may use
/// cookies.
///
/// # Errors
/// 400 for a header that cannot hold 128 bits; 403 for a cookie from another page.
pub fn binding(settings: &Settings, request: &HttpIn) -> Result<Option<Secret<String>>, Problem> {
    match by_header(request)? {
        Some(secret) => Ok(Some(secret)),
        None => cookie::identity(settings, request),
    }
}

/// The third party that a path names.
pub fn kind_of(request: &HttpIn) -> &str {
    request.path.split('/').nth(3).unwrap_or_default()
}

fn by_header(request: &HttpIn) -> Result<Option<Secret<String>>, Problem> {
    let Some(text) = request.header(DEVICE_HEADER) else { return Ok(None) };
    IdempotencyKey::parse(text).map_err(|problem| Refusal::field("X-Onetap-Device", problem))?;
    Ok(Some(Secret::new(text.to_owned())))
}
