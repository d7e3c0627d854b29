//! What every login has in common on the wire: the device, the credential, the LoginResult.

use serde::Serialize;

use super::{Reply, body::Fields, http::HttpIn, problem::Problem};
use crate::{
    journeys::{
        claim::IdempotencyKey,
        device_proof::GivenProof,
        provider::{Caller, Credential},
        session::Tokens,
        sign_in::{DeviceClaim, Entry, SignedIn},
        step_up::StepUp,
    },
    kernel::{device_proof::PublicKey, fault::Fault, secret::Secret},
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
}

/// Reads `app`, `device`, `consent`, `transport` and `captchaToken`.
pub fn common(request: &HttpIn, body: &mut Fields) -> Option<Common> {
    let app = app(body);
    let consent = body.optional_object("consent").and_then(|mut consent| {
        let version = consent.text("version", 64);
        body.absorb(consent);
        version
    });
    if body.optional_text("transport", 16).is_some_and(|text| text != "body") {
        body.wrong::<()>("transport", "must be body; cookie is not offered yet");
    }
    let captcha = captcha(body);
    let device = device(request, body);
    Some(Common { app, consent, device: device?, captcha })
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
    body.absorb_open(device);
    let proof = proof(request);
    let (platform, name) = (platform?, name?);
    Some(DeviceClaim { token, platform, name, model, os, app_version, push_token, key, proof })
}

/// Reads the header `DPoP`.
pub fn proof(request: &HttpIn) -> Option<GivenProof> {
    let text = Secret::new(request.header("dpop")?.to_owned());
    Some(GivenProof { text, method: request.method.clone(), path: request.path.clone() })
}

/// Reads `credential`: its provider and whatever texts come with it; the provider's document says which count.
pub fn credential(body: &mut Fields) -> Option<Credential> {
    let mut credential = body.object("credential")?;
    let provider = credential.text("provider", 32);
    let fields = credential.remaining_texts().map(|(name, text)| (name, Secret::new(text))).collect();
    body.absorb_open(credential);
    Some(Credential { provider: provider?, fields })
}

/// The LoginResult.
///
/// # Errors
/// An internal problem when it does not serialise.
pub fn result(entry: &Entry) -> Result<Reply, Problem> {
    match entry {
        Entry::SignedIn(signed_in) => self::signed_in(signed_in),
        Entry::StepUp(step_up) => step_up_required(step_up),
    }
}

fn step_up_required(step_up: &StepUp) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct StepUpRequired<'a> {
        status: &'static str,
        ticket: &'a str,
        expires_in: u64,
        reason: &'static str,
        methods: [Way; 1],
        need: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        approval: Option<Approval<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<DeviceToken<'a>>,
    }
    #[derive(Serialize)]
    struct Way {
        method: &'static str,
        strength: u8,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Approval<'a> {
        r#match: &'a str,
        expires_in: u64,
    }
    #[derive(Serialize)]
    struct DeviceToken<'a> {
        token: &'a str,
    }
    json(&StepUpRequired {
        status: "step_up_required",
        ticket: &step_up.ticket,
        expires_in: step_up.expires_in,
        reason: step_up.reason.name(),
        methods: [Way { method: DEVICE_APPROVAL, strength: 3 }],
        need: 2,
        approval: step_up
            .question
            .as_ref()
            .map(|(digits, expires_in)| Approval { r#match: digits, expires_in: *expires_in }),
        device: step_up.device_token.as_ref().map(|token| DeviceToken { token: token.expose() }),
    })
}

/// The method of a step-up in which a trusted device confirms.
pub const DEVICE_APPROVAL: &str = "device_approval";

fn signed_in(signed_in: &SignedIn) -> Result<Reply, Problem> {
    let result = LoginResult {
        status: "signed_in",
        account: AccountBody {
            id: signed_in.account.to_string(),
            is_new: signed_in.is_new,
            phone: signed_in.phone.masked(),
            real_name: "none",
        },
        session: SessionBody::from(&signed_in.session),
        device: DeviceBody {
            id: signed_in.device.to_string(),
            trust: signed_in.trust.name(),
            token: signed_in.device_token.as_ref().map(|token| token.expose().as_str()),
        },
    };
    json(&result)
}

/// `session` of answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody<'a> {
    id: String,
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: &'a str,
    refresh_expires_in: u64,
}

impl<'a> From<&'a Tokens> for SessionBody<'a> {
    fn from(tokens: &'a Tokens) -> Self {
        Self {
            id: tokens.session.to_string(),
            access_token: tokens.access.expose(),
            token_type: "Bearer",
            expires_in: tokens.access_expires_in,
            refresh_token: tokens.refresh.expose(),
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
