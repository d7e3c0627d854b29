//! `/v1/otp/...`

use std::time::Duration;

use serde::Serialize;

use super::{
    Reply, Then,
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
        claim::Attempt,
        number_proof::{OtpProof, binding_of_app},
        otp::{Challenged, OtpSend},
        session::Freshness,
        spent::Spent,
        step_up::Holder,
    },
    kernel::{
        email::{self, EmailAddress},
        secret::Secret,
    },
    model::{challenge::Destination, otp_purpose::Purpose, refusal::Code},
    ports::World,
};

/// Longest `challengeId` looked at, characters; ours are shorter.
pub const MAX_CHALLENGE: usize = 512;

/// Longest code looked at, characters, with whatever a person types between the digits.
pub const MAX_CODE: usize = 32;

/// A whole request for a code takes at most so long.
pub const DEADLINE: Duration = Duration::from_secs(6);

/// `challenge` of problems, and the answer of otp/send.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeBody {
    challenge_id: String,
    expires_in: u64,
    resend_in: u64,
    code_length: u64,
}

impl From<&Challenged> for ChallengeBody {
    fn from(challenged: &Challenged) -> Self {
        Self {
            challenge_id: challenged.id.clone(),
            expires_in: challenged.expires_in,
            resend_in: challenged.resend_in,
            code_length: challenged.code_length,
        }
    }
}

/// `POST /v1/otp/send`
pub(super) async fn send<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let to = destination(&mut body);
    let purposes = Purpose::ALL.map(|purpose| (purpose.name(), purpose));
    let purpose = body.optional_choice("purpose", &purposes).unwrap_or(Purpose::Login);
    let ticket = body.optional_text("ticket", MAX_CHALLENGE);
    let by_email = to.as_ref().is_some_and(|to| to.phone().is_none());
    match (purpose, &ticket) {
        (Purpose::StepUp, Some(_)) if !by_email => None::<()>,
        (_, Some(_)) => body.wrong("ticket", "goes with the purpose step_up and a number"),
        (_, None) if by_email && !purpose.goes_by_email() && body.is_clean("purpose") => {
            body.wrong("purpose", "must be bind or step_up for an e-mail address")
        }
        (_, None) => None,
    };
    let app = login::app(&mut body);
    let captcha = login::captcha(&mut body);
    let device = login::device(request, &mut body);
    let (to, mut device) = body.finish(to.zip(device))?;
    cookie::recognise(service.settings, request, &mut device);

    // What is proven is proven for whoever asks: the app, or the session.
    let binding = match purpose {
        Purpose::Login | Purpose::ResetPassword => binding_of_app(&app),
        // Or for the sign-in that waits, to one of the trusted phones.
        Purpose::StepUp if ticket.is_some() => {
            let ticket = ticket.as_deref().unwrap_or_default();
            let device_token = device.token.as_ref().ok_or(Problem::of(Code::TicketInvalid))?;
            let holder = Holder { ticket, device_token, proof: device.proof.as_ref() };
            let phone = to.phone().ok_or(Problem::of(Code::TicketInvalid))?;
            service.ticket_for(&holder, phone).await?
        }
        Purpose::StepUp
        | Purpose::Bind
        | Purpose::ChangePhone
        | Purpose::TrustedPhone
        | Purpose::RealName => {
            let token = cookie::access_token(service.settings, request)?;
            format!("session:{}", service.authenticate(token, Freshness::Edge).await?.sid)
        }
    };
    let send = OtpSend {
        to: &to,
        purpose,
        binding: &binding,
        caller: login::caller(request, &app, device.platform),
        device: &device,
        language: request.language(),
        captcha: captcha.as_ref(),
        attempt: Attempt { key: key.as_ref(), request: &canonical },
        deadline: service.world.now().plus(DEADLINE),
    };
    let challenged = service.send_otp(&send).await?;
    let reply = Reply::Accepted(login::bytes(&ChallengeBody::from(&challenged))?);
    Ok(reply.then(challenged.after.map(Then::AfterSend)))
}

/// Reads `phone` or `email`.
fn destination(body: &mut Fields) -> Option<Destination> {
    match (body.has("phone"), body.has("email")) {
        (true, false) => body.phone("phone").map(Destination::Phone),
        (false, true) => {
            let address = Secret::new(body.text("email", email::LONGEST)?);
            let address = EmailAddress::parse(address.expose()).map(Destination::Email);
            address.or_else(|| body.wrong("email", "is not an e-mail address of the form name@host"))
        }
        _ => {
            for name in ["phone", "email"] {
                body.optional_text(name, email::LONGEST);
                body.wrong::<()>(name, "must be there, or else the other of phone and email, and not both");
            }
            None
        }
    }
}

/// `POST /v1/otp/login`
pub(super) async fn login<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let proof = number_proof::code(&mut body);
    let common = login::common(request, &mut body);
    let ((challenge, code), common) = body.finish(proof.zip(common))?;
    let Common { app, consent, device, transport, .. } = common.transported(service.settings, request)?;

    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let proof = OtpProof { challenge: &challenge, code: &code, attempt };
    let purpose = login::purpose(service.world.now(), request, &app, consent.as_deref(), &device);
    let mut spent = Spent::default();
    let entry = service.otp_login(&proof, &purpose, &mut spent).await;
    Ok(login_reply(entry, transport, device.token.as_ref(), spent))
}

/// The digits of what a person typed: `123 456`, `123-456` and full-width digits are the same code.
pub(super) fn typed(text: String) -> Secret<String> {
    let text = Secret::new(text);
    let plain = text.expose().chars().filter_map(|c| match c {
        '０'..='９' => char::from_u32(u32::from(c).saturating_sub(0xFF10).saturating_add(0x30)),
        ' ' | '-' | '\u{3000}' => None,
        c => Some(c),
    });
    Secret::new(plain.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{id::ChallengeId, keys::tests::ring, time::Timestamp},
        model::challenge::Reference,
    };

    #[test]
    fn the_challenge_of_the_longest_address_is_looked_at() {
        let labels = ["b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
        let longest = format!("{}@{labels}", "a".repeat(64));
        let to = Destination::parse(&longest).unwrap();
        assert_eq!(longest.len(), email::LONGEST);
        let (id, expires) = (ChallengeId::from_bytes([7; 16]), Timestamp::from_secs(300));
        let reference = Reference { id, purpose: Purpose::Bind, expires, to };
        assert!(reference.write(&ring("A256GCM", &[1])).unwrap().len() <= MAX_CHALLENGE);
    }

    #[test]
    fn a_code_is_its_digits() {
        for text in ["012345", "012 345", " 012-345 ", "０１２３４５"] {
            assert_eq!(typed(text.to_owned()).expose(), "012345", "{text}");
        }
        assert_eq!(typed("12345O".to_owned()).expose(), "12345O");
    }
}
