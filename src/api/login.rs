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
        device_proof::GivenDeviceProof,
        provider::{Caller, Credential},
        recycling::EVIDENCE_TIME,
        settings::Settings,
        sign_in::{DeviceClaim, Purpose},
    },
    kernel::{device_proof::PublicKey, json, secret::Secret, time::Timestamp},
    model::{platform::Platform, refusal::Refusal},
};

/// Longest device name, characters.
pub const MAX_DEVICE_NAME: usize = 64;

/// Longest push token, characters: longer than those of APNs, FCM and the Chinese vendors.
pub const MAX_PUSH_TOKEN: usize = 1024;

/// Longest attestation of app and device, characters: those of Play Integrity and App Attest are shorter.
pub const MAX_ATTESTATION: usize = 12_288;

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
pub fn common(request: &HttpIn, body: &mut Fields) -> Option<Common> {
    let app = app(body);
    let consent = body.optional_object("consent").and_then(|mut consent| {
        let version = consent.text("version", 64);
        body.absorb(consent);
        version
    });
    let transport = transport(body);
    let captcha = captcha(body);
    let device = device(request, body);
    Some(Common { app, consent, device: device?, captcha, transport })
}

/// Reads `transport`.
pub fn transport(body: &mut Fields) -> Transport {
    let transports = [("body", Transport::Body), ("cookie", Transport::Cookie)];
    body.optional_choice("transport", &transports).unwrap_or(Transport::Body)
}

/// Reads `captchaToken`.
pub fn captcha(body: &mut Fields) -> Option<Secret<String>> {
    body.optional_text("captchaToken", 4096).map(Secret::new)
}

/// Who makes a request, as far as providers care.
pub fn caller<'a>(request: &'a HttpIn, app: &'a str, platform: Platform) -> Caller<'a> {
    Caller { app, platform, address: &request.address, request_id: &request.id }
}

/// For what somebody signs in.
pub(super) fn purpose<'a>(
    now: Timestamp,
    request: &'a HttpIn,
    app: &'a str,
    consent: Option<&'a str>,
    device: &'a DeviceClaim,
) -> Purpose<'a> {
    let (caller, place) = (caller(request, app, device.platform), &request.place);
    Purpose { caller, consent, device, place, evidence_by: now.plus(EVIDENCE_TIME) }
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
pub fn device(request: &HttpIn, body: &mut Fields) -> Option<DeviceClaim> {
    let mut device = body.object("device")?;
    let token = device.optional_text("token", 256).map(Secret::new);
    let name = device.text("name", MAX_DEVICE_NAME);
    let platform = platform(&mut device);
    let model = device.optional_text("model", 64);
    let os = device.optional_text("os", 64);
    let app_version = device.optional_text("appVersion", 32);
    let push_token = device.optional_text("pushToken", MAX_PUSH_TOKEN).map(Secret::new);
    let key = device.optional_object("key").and_then(|mut jwk| {
        let (kty, crv) = (jwk.text("kty", 8), jwk.text("crv", 16));
        let (x, y) = (jwk.text("x", 64), jwk.optional_text("y", 64));
        device.absorb_open(jwk);
        let key = PublicKey::from_jwk(&kty?, &crv?, &x?, y.as_deref());
        key.or_else(|| device.wrong("key", "must be a public key: EC P-256, or OKP Ed25519"))
    });
    let attestation = device.optional_object("attestation").and_then(|mut attestation| {
        let token = attestation.text("token", MAX_ATTESTATION).map(Secret::new);
        device.absorb_open(attestation);
        token
    });
    body.absorb_open(device);
    let proof = proof(request);
    let (platform, name) = (platform?, name?);
    Some(DeviceClaim { token, platform, name, model, os, app_version, push_token, key, proof, attestation })
}

/// Reads the header `DPoP`.
pub fn proof(request: &HttpIn) -> Option<GivenDeviceProof> {
    let text = Secret::new(request.header("dpop")?.to_owned());
    Some(GivenDeviceProof { text, method: request.method.clone(), path: request.path.clone() })
}

/// Reads `credential`: its provider and whatever texts come with it; the provider's document says which count.
pub fn credential(body: &mut Fields) -> Option<Credential> {
    let mut credential = body.object("credential")?;
    let provider = credential.text("provider", 32);
    let fields = credential.remaining_texts().map(|(name, text)| (name, Secret::new(text))).collect();
    body.absorb_open(credential);
    Some(Credential { provider: provider?, fields })
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
    json::write(body).map(String::into_bytes).map_err(Problem::internal)
}
