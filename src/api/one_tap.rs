//! `/v1/one-tap/...`

use serde::Serialize;

use super::{
    Reply, backend,
    body::Fields,
    http::{HttpIn, HttpOut},
    login::{self, Common},
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::{Attempt, IdempotencyKey},
        one_tap::{LoginAnswer, OneTapLogin},
        provider::{Caller, Credential},
        sign_in::Purpose,
    },
    kernel::fault::Fault,
    model::{
        api_key::Scope,
        carrier::Carrier,
        platform::Platform,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// `POST /v1/one-tap/login`
pub(super) async fn login<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical();
    let is_check = match body.optional_text("mode", 16).as_deref() {
        None | Some("one_tap") => false,
        Some("check") => true,
        Some(_) => {
            body.wrong::<()>("mode", "must be one_tap or check");
            false
        }
    };
    // Without `check` the number is only for a code by SMS should one-tap fail.
    let phone = if is_check { body.phone("phone") } else { body.optional_phone("phone") };
    body.flag("otpFallback");
    let credential = login::credential(&mut body);
    let common = login::common(&mut body);
    let (credential, Common { app, consent, device }) = body.finish(credential.zip(common))?;

    let outcome = service
        .one_tap_login(&OneTapLogin {
            credential: &credential,
            checked_phone: phone.as_ref().filter(|_| is_check),
            caller: caller(request, &app, device.platform),
            purpose: Purpose { app: &app, consent: consent.as_deref(), device: &device },
            attempt: Attempt { key: key.as_ref(), request: &canonical },
        })
        .await;
    let reply = match outcome.result {
        Ok(LoginAnswer::SignedIn(signed_in)) => login::signed_in(&signed_in),
        Ok(LoginAnswer::Kept(packed)) => HttpOut::unpack(packed.expose())
            .map(Reply::Ready)
            .ok_or_else(|| Problem::internal(Fault::new("kept_reply_is_cut"))),
        Err(failure) => Err(failure.into()),
    };
    let reply = reply.unwrap_or_else(Reply::from);
    Ok(match outcome.claim {
        Some(claim) => Reply::Claimed(Box::new(reply), Box::new(claim)),
        None => reply,
    })
}

/// `POST /v1/one-tap/failures`: the SDK gave no credential. The answer is that of a refused one.
pub(super) fn failures(request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let sdk_code = body.text("sdkCode", 64);
    body.optional_text("network", 32);
    body.optional_text("carrier", 32);
    body.optional_text("provider", 32);
    body.optional_phone("phone");
    body.flag("otpFallback");
    let common = login::common(&mut body);
    body.finish(sdk_code.zip(common))?;
    Err(Refusal::to_otp(Code::OneTapRejected).into())
}

/// `POST /v1/one-tap/check`
pub(super) async fn check<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer {
        r#match: bool,
    }
    let mut body = Fields::read(request)?;
    let phone = body.phone("phone");
    let (asked, phone) = Asked::read(body, phone)?;
    let matches = service.number_check(&asked.credential, &phone, &asked.caller(request)).await?;
    login::json(&Answer { r#match: matches })
}

/// `POST /v1/one-tap/exchange`
pub(super) async fn exchange<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        phone: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        carrier: Option<&'static str>,
    }
    let actor = backend::actor(service, request, Scope::OneTapExchange).await?;
    let (asked, ()) = Asked::read(Fields::read(request)?, Some(()))?;
    let exchanged = service.exchange(&asked.credential, &asked.caller(request), &actor).await?;
    login::json(&Answer { phone: exchanged.phone.e164(), carrier: exchanged.carrier.map(Carrier::name) })
}

struct Asked {
    app: String,
    platform: Platform,
    credential: Credential,
}

impl Asked {
    fn read<T>(mut body: Fields, rest: Option<T>) -> Result<(Self, T), Problem> {
        let app = login::app(&mut body);
        let credential = login::credential(&mut body);
        let platform = login::platform(&mut body);
        let asked = credential.zip(platform).map(|(credential, platform)| Self { app, platform, credential });
        body.finish(asked.zip(rest))
    }

    fn caller<'a>(&'a self, request: &'a HttpIn) -> Caller<'a> {
        caller(request, &self.app, self.platform)
    }
}

fn caller<'a>(request: &'a HttpIn, app: &'a str, platform: Platform) -> Caller<'a> {
    Caller { app, platform, address: &request.address, request_id: &request.id }
}

fn idempotency_key(request: &HttpIn) -> Result<Option<IdempotencyKey>, Problem> {
    let key = request.header("idempotency-key").map(IdempotencyKey::parse).transpose();
    key.map_err(|problem| Refusal::field("Idempotency-Key", problem).into())
}
