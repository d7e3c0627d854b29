//! `/v1/identities/{kind}/...`: logins with third parties

use std::borrow::Cow;

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    cookie,
    http::HttpIn,
    login::{self, Common},
    login_result::login_reply,
    number_proof,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::{Attempt, IdempotencyKey},
        identity::IdentityStart,
        identity_exchange::IdentityCode,
        identity_login::IdentitySignIn,
        settings::Settings,
        spent::Spent,
    },
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

/// Longest code of a third party, characters.
pub const MAX_IDENTITY_CODE: usize = 2048;

/// Longest state, characters; ours are shorter.
pub const MAX_STATE: usize = 512;

/// Longest address of a page to come back to, characters.
pub const MAX_REDIRECT: usize = 512;

/// `POST /v1/identities/{kind}/login`
pub(super) async fn login<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let given = read(&mut body);
    let number = match body.has("numberProof") {
        true => number_proof::any(&mut body, "numberProof").map(Some),
        false => Some(None),
    };
    let common = login::common(request, &mut body);
    let ((given, number), common) = body.finish(given.zip(number).zip(common))?;
    let Common { app, consent, device, transport, .. } = common.transported(service.settings, request)?;
    let binding = binding(service.settings, request)?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let number = number.as_ref().map(|number| number.as_proof(attempt));
    let (app, consent) = (app.as_str(), consent.as_deref());
    let sign_in = IdentitySignIn {
        code: given.as_code(kind_of(request), binding.as_ref(), attempt),
        caller: login::caller(request, app, device.platform),
        number: number.as_ref(),
        purpose: login::purpose(service.world.now(), request, app, consent, &device),
    };
    let mut spent = Spent::default();
    let entry = service.identity_sign_in(&sign_in, &mut spent).await;
    Ok(login_reply(entry, transport, device.token.as_ref(), spent))
}

/// A third party's code, as the client wrote it.
#[derive(Debug)]
pub struct GivenIdentity {
    code: Secret<String>,
    state: Option<String>,
    redirect_uri: Option<String>,
}

/// Reads `code`, `state` and `redirectUri`.
pub fn read(body: &mut Fields) -> Option<GivenIdentity> {
    let code = body.text("code", MAX_IDENTITY_CODE).map(Secret::new);
    let state = body.optional_text("state", MAX_STATE);
    let redirect_uri = body.optional_text("redirectUri", MAX_REDIRECT);
    Some(GivenIdentity { code: code?, state, redirect_uri })
}

impl GivenIdentity {
    /// The same for a journey.
    pub(super) fn as_code<'a>(
        &'a self,
        kind: &'a str,
        binding: Option<&'a Secret<String>>,
        attempt: Attempt<'a>,
    ) -> IdentityCode<'a> {
        let Self { code, state, redirect_uri } = self;
        let (state, redirect_uri) = (state.as_deref(), redirect_uri.as_deref());
        IdentityCode { kind, code, state, redirect_uri, binding, attempt }
    }
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
