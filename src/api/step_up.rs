//! `/v1/step-up/...`: what a device does whose sign-in waits.

use std::time::Duration;

use super::{
    Reply, Then,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    login,
    login_result::{DEVICE_APPROVAL, TRUSTED_PHONE, with_challenge},
    number_proof,
    otp::DEADLINE,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        device_proof::GivenDeviceProof,
        number_proof::OtpProof,
        otp::Challenged,
        settings::Settings,
        sign_in::Entry,
        spent::Spent,
        step_up::{Holder, LONGEST_WAIT},
        trusted_phones::CodeToPhone,
    },
    kernel::{id::TrustedPhoneId, secret::Secret},
    model::refusal::Code,
    ports::World,
};

/// Longest ticket looked at, characters; ours are shorter.
pub const MAX_TICKET: usize = 512;

/// What a device does that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `POST /v1/step-up/state`
    State,
    /// `POST /v1/step-up/start`
    Start,
    /// `POST /v1/step-up/complete`
    Complete,
}

/// `POST /v1/step-up/state`, `start` and `complete`.
pub(super) async fn take<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    step: Step,
) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let (mut wait, mut phone, mut code, mut captcha) = (0, None, None, None);
    let by_phone = match step {
        Step::State => {
            wait = body.optional_seconds("wait", LONGEST_WAIT.as_secs()).unwrap_or(0);
            Some(false)
        }
        Step::Start | Step::Complete => body.choice("method", METHODS),
    };
    if by_phone == Some(true) && step == Step::Start {
        captcha = login::captcha(&mut body);
        phone = phone_id(&mut body);
    } else if by_phone == Some(true) {
        code = number_proof::code(&mut body);
    }
    let asked = Asked::read(service.settings, request, body, by_phone.map(|_| ()))?;
    let (holder, now) = (asked.holder(), service.world.now());
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (mut challenged, mut spent) = (None, Spent::default());
    let entry = match (phone, &code) {
        (Some(phone), _) => {
            let code = CodeToPhone {
                holder,
                address: &request.address,
                request_id: &request.id,
                language: request.language(),
                captcha: captcha.as_ref(),
                attempt,
                deadline: now.plus(DEADLINE),
            };
            service.ask_trusted_phone(&code, phone).await.map(|(entry, sent)| {
                challenged = sent;
                entry
            })
        }
        (None, Some((challenge, code))) => {
            let proof = OtpProof { challenge, code, attempt };
            service.confirm_by_phone(&holder, &proof, &mut spent).await
        }
        (None, None) if step == Step::Start => service.ask_trusted_devices(&holder).await,
        (None, None) => service.await_step_up(&holder, now.plus(Duration::from_secs(wait))).await,
    };
    let entry = entry.map_err(Problem::from);
    let reply = Reply::from(entry.and_then(|entry| asked.answer(&entry, challenged.as_ref())));
    let sent = challenged.and_then(|sent| sent.after);
    Ok(reply.after(spent).then(sent.map(Then::AfterSend)))
}

/// Whether a trusted phone is meant.
const METHODS: &[(&str, bool)] = &[(DEVICE_APPROVAL, false), (TRUSTED_PHONE, true)];

fn phone_id(body: &mut Fields) -> Option<TrustedPhoneId> {
    let id = body.text("id", 64)?;
    id.parse().ok().or_else(|| body.wrong("id", "is not the id of a trusted phone"))
}

struct Asked {
    ticket: String,
    device_token: Secret<String>,
    proof: Option<GivenDeviceProof>,
    transport: Transport,
}

impl Asked {
    fn read(
        settings: &Settings,
        request: &HttpIn,
        mut body: Fields,
        rest: Option<()>,
    ) -> Result<Self, Problem> {
        let ticket = body.text("ticket", MAX_TICKET);
        let transport = login::transport(&mut body);
        // Of the device only the token counts here; the rest was said at the sign-in.
        let device = body.object("device").map(|mut device| {
            let token = device.optional_text("token", 256).map(Secret::new);
            body.absorb_open(device);
            token
        });
        let ((ticket, named), ()) = body.finish(ticket.zip(device).zip(rest))?;
        let kept = match transport {
            Transport::Body => None,
            Transport::Cookie => cookie::device_token(settings, request)?,
        };
        let device_token = named.or(kept).ok_or(Problem::of(Code::TicketInvalid))?;
        Ok(Self { ticket, device_token, proof: login::proof(request), transport })
    }

    fn holder(&self) -> Holder<'_> {
        Holder { ticket: &self.ticket, device_token: &self.device_token, proof: self.proof.as_ref() }
    }

    fn answer(&self, entry: &Entry, challenged: Option<&Challenged>) -> Result<Reply, Problem> {
        let reply = with_challenge(entry, challenged, self.transport, Some(&self.device_token))?;
        Ok(match (entry, self.transport) {
            (Entry::SignedIn(_), Transport::Cookie) => reply.with_cookies(vec![cookie::waits_no_more()]),
            _ => reply,
        })
    }
}
