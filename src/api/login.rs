//! What every login has in common on the wire: the device, the credential, the LoginResult.

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    problem::Problem,
};
use crate::{
    journeys::{
        claim::IdempotencyKey,
        provider::{Caller, Credential},
        session::Tokens,
        settings::Settings,
        sign_in::{DeviceClaim, SignedIn},
    },
    kernel::{fault::Fault, secret::Secret},
    model::{platform::Platform, refusal::Refusal},
};

/// Longest device name, characters.
pub const MAX_DEVICE_NAME: usize = 64;

/// Longest push token, characters: longer than those of APNs, FCM and the Chinese vendors.
pub const MAX_PUSH_TOKEN: usize = 1024;

/// The fields that every login takes besides its proof.
#[derive(Debug)]
pub struct Common {
    /// App id.
    pub app: String,
    /// Version of the terms agreed to.
    pub consent: Option<String>,
    /// The device.
    pub device: DeviceClaim,
    /// What the bot check gave the client.
    pub captcha: Option<Secret<String>>,
    /// How the client is handed its tokens.
    pub transport: Transport,
}

impl Common {
    /// Where cookies are asked for: the page must be one of ours, and its cookie tells which device it is.
    ///
    /// # Errors
    /// 403 for other pages, lest they sign somebody in as somebody else.
    pub(super) fn transported(mut self, settings: &Settings, request: &HttpIn) -> Result<Self, Problem> {
        if self.transport == Transport::Cookie {
            cookie::require_our_page(settings, request)?;
            cookie::recognise(settings, request, &mut self.device);
        }
        Ok(self)
    }
}

/// Reads `app`, `device`, `consent`, `transport` and `captchaToken`.
pub fn common(body: &mut Fields) -> Option<Common> {
    let app = app(body);
    let consent = body.optional_object("consent").and_then(|mut consent| {
        let version = consent.text("version", 64);
        body.absorb(consent);
        version
    });
    let transports = [("body", Transport::Body), ("cookie", Transport::Cookie)];
    let transport = body.optional_choice("transport", &transports).unwrap_or(Transport::Body);
    let captcha = captcha(body);
    let device = device(body);
    Some(Common { app, consent, device: device?, captcha, transport })
}

/// Reads `captchaToken`.
pub fn captcha(body: &mut Fields) -> Option<Secret<String>> {
    body.optional_text("captchaToken", 4096).map(Secret::new)
}

/// Who makes a request, as far as providers care.
pub fn caller<'a>(request: &'a HttpIn, app: &'a str, platform: Platform) -> Caller<'a> {
    Caller { app, platform, address: &request.address, request_id: &request.id }
}

/// Reads the header `Idempotency-Key`.
///
/// # Errors
/// 400 for one that cannot hold 128 bits.
pub fn idempotency_key(request: &HttpIn) -> Result<Option<IdempotencyKey>, Problem> {
    let key = request.header("idempotency-key").map(IdempotencyKey::parse).transpose();
    key.map_err(|problem| Refusal::field("Idempotency-Key", problem).into())
}

/// Reads `app`.
pub fn app(body: &mut Fields) -> String {
    body.optional_text("app", 32).unwrap_or_else(|| "default".to_owned())
}

/// Reads a `platform`.
pub fn platform(body: &mut Fields) -> Option<Platform> {
    body.choice("platform", &Platform::ALL.map(|platform| (platform.name(), platform)))
}

/// Reads `device`. Unknown fields in it are ignored.
pub fn device(body: &mut Fields) -> Option<DeviceClaim> {
    let mut device = body.object("device")?;
    let token = device.optional_text("token", 256).map(Secret::new);
    let name = device.text("name", MAX_DEVICE_NAME);
    let platform = platform(&mut device);
    let model = device.optional_text("model", 64);
    let os = device.optional_text("os", 64);
    let app_version = device.optional_text("appVersion", 32);
    let push_token = device.optional_text("pushToken", MAX_PUSH_TOKEN).map(Secret::new);
    body.absorb_open(device);
    Some(DeviceClaim { token, platform: platform?, name: name?, model, os, app_version, push_token })
}

/// Reads `credential`: its provider and whatever texts come with it; the provider's document says which count.
pub fn credential(body: &mut Fields) -> Option<Credential> {
    let mut credential = body.object("credential")?;
    let provider = credential.text("provider", 32);
    let fields = credential.remaining_texts().map(|(name, text)| (name, Secret::new(text))).collect();
    body.absorb_open(credential);
    Some(Credential { provider: provider?, fields })
}

/// The LoginResult of somebody who is in, on a device that said so much of itself.
///
/// # Errors
/// An internal problem when it does not serialise.
pub fn signed_in(signed_in: &SignedIn, transport: Transport, device: &DeviceClaim) -> Result<Reply, Problem> {
    let issued = signed_in.device_token.as_ref();
    let result = LoginResult {
        status: "signed_in",
        account: AccountBody {
            id: signed_in.account.to_string(),
            is_new: signed_in.is_new,
            phone: signed_in.phone.masked(),
            real_name: "none",
        },
        session: SessionBody::new(&signed_in.session, transport),
        device: DeviceBody {
            id: signed_in.device.to_string(),
            trust: signed_in.trust.name(),
            token: issued.filter(|_| transport == Transport::Body).map(|token| token.expose().as_str()),
        },
    };
    let reply = json(&result)?;
    if transport == Transport::Body {
        return Ok(reply);
    }
    let mut cookies = cookie::of_session(&signed_in.session);
    // Set again at every sign-in: a device in use stays known for longer than a browser keeps a cookie.
    cookies.extend(issued.or(device.token.as_ref()).and_then(|token| cookie::of_device(token.expose())));
    Ok(reply.with_cookies(cookies))
}

/// `session` of answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    refresh_expires_in: u64,
}

impl<'a> SessionBody<'a> {
    /// With the tokens, unless cookies carry them.
    pub(super) fn new(tokens: &'a Tokens, transport: Transport) -> Self {
        let shown = (transport == Transport::Body).then_some(tokens);
        Self {
            id: tokens.session.to_string(),
            access_token: shown.map(|tokens| tokens.access.expose().as_str()),
            token_type: shown.map(|_| "Bearer"),
            expires_in: tokens.access_expires_in,
            refresh_token: shown.map(|tokens| tokens.refresh.expose().as_str()),
            refresh_expires_in: tokens.refresh_expires_in,
        }
    }
}

/// A 200 with a JSON body.
///
/// # Errors
/// An internal problem when it does not serialise.
pub fn json(body: &impl Serialize) -> Result<Reply, Problem> {
    bytes(body).map(Reply::Json)
}

/// The JSON of an answer.
///
/// # Errors
/// An internal problem when it does not serialise.
pub fn bytes(body: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(body).map_err(|_| Problem::internal(Fault::new("answer_does_not_serialise")))
}

#[derive(Serialize)]
struct LoginResult<'a> {
    status: &'static str,
    account: AccountBody,
    session: SessionBody<'a>,
    device: DeviceBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody {
    id: String,
    is_new: bool,
    phone: String,
    real_name: &'static str,
}

#[derive(Serialize)]
struct DeviceBody<'a> {
    id: String,
    trust: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}
