//! `/v1/one-tap/...`

use serde::Serialize;

use super::{
    Reply, Then, backend,
    body::Fields,
    cookie,
    http::HttpIn,
    login::{self, Common},
    login_result::login_result,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        one_tap::{DEADLINE, Login, OneTapLogin, OtpFallback},
        provider::{Caller, Credential},
        spent::Spent,
    },
    kernel::phone::PhoneNumber,
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
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
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
    let wants_otp = otp_fallback(&mut body, phone.is_some());
    let credential = login::credential(&mut body);
    let common = login::common(request, &mut body);
    let (credential, common) = body.finish(credential.zip(common))?;
    let Common { app, consent, device, captcha, transport } =
        common.transported(service.settings, request)?;

    let mut spent = Spent::default();
    let login = OneTapLogin {
        credential: &credential,
        checked_phone: phone.as_ref().filter(|_| is_check),
        caller: login::caller(request, &app, device.platform),
        purpose: login::purpose(service.world.now(), request, &app, consent.as_deref(), &device),
        captcha: captcha.as_ref(),
        attempt: Attempt { key: key.as_ref(), request: &canonical },
        otp_fallback: phone.as_ref().filter(|_| wants_otp).map(|phone| fallback(request, phone)),
        deadline: service.world.now().plus(DEADLINE),
    };
    let Login { result, challenge } = service.one_tap_login(&login, &mut spent).await;
    let entry = result.map_err(|failure| Problem::from(failure).with_challenge(challenge.as_ref()));
    let reply = entry.and_then(|entry| login_result(&entry, transport, device.token.as_ref()));
    let sent = challenge.and_then(|challenged| challenged.after).map(Then::AfterSend);
    Ok(Reply::from(reply).after(spent).then(sent))
}

/// `POST /v1/one-tap/failures`: the SDK gave no credential. The answer is that of a refused one.
pub(super) async fn failures<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let sdk_code = body.text("sdkCode", 64);
    body.optional_text("network", 32);
    body.optional_text("carrier", 32);
    body.optional_text("provider", 32);
    let phone = body.optional_phone("phone");
    let wants_otp = otp_fallback(&mut body, phone.is_some());
    let common = login::common(request, &mut body);
    let (_, Common { app, mut device, captcha, .. }) = body.finish(sdk_code.zip(common))?;
    cookie::recognise(service.settings, request, &mut device);
    let phone = phone.as_ref().filter(|_| wants_otp);
    let caller = login::caller(request, &app, device.platform);
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let deadline = service.world.now().plus(DEADLINE);
    let challenged = match phone.map(|phone| fallback(request, phone)) {
        Some(fallback) => {
            service.fall_back(&fallback, &caller, &device, captcha.as_ref(), attempt, deadline).await
        }
        None => None,
    };
    let problem = Problem::from(Refusal::to_otp(Code::OneTapRejected)).with_challenge(challenged.as_ref());
    Ok(Reply::from(problem).then(challenged.and_then(|sent| sent.after).map(Then::AfterSend)))
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
    let backend = backend::admit(service, request, Scope::OneTapExchange).await?;
    let (asked, ()) = Asked::read(Fields::read(request)?, Some(()))?;
    let exchanged = service.exchange(&asked.credential, &asked.caller(request), &backend).await?;
    login::json(&Answer { phone: exchanged.phone.e164(), carrier: exchanged.carrier.map(Carrier::name) })
}

/// Reads `otpFallback`, which needs a number to send to.
fn otp_fallback(body: &mut Fields, has_phone: bool) -> bool {
    let wanted = body.flag("otpFallback");
    if wanted && !has_phone && body.is_clean("phone") {
        body.wrong::<()>("phone", "is missing: otpFallback needs it");
    }
    wanted
}

fn fallback<'a>(request: &HttpIn, phone: &'a PhoneNumber) -> OtpFallback<'a> {
    OtpFallback { phone, language: request.language() }
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
        login::caller(request, &self.app, self.platform)
    }
}
