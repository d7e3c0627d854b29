//! `/v1/account/phone...` and `/v1/account/trusted-phones...`: the account's number, another in its place, those before
//! it, and other numbers that may confirm a new device.

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    fresh_proof::{self, GivenProof},
    http::{HttpIn, HttpOut},
    login,
    number_proof::{self, GivenNumberProof},
    own,
    problem::Problem,
    step_up::MAX_TICKET,
    step_up_required::NOT_MINE,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        numbers::{Brought, PhoneChangeView},
        settings::Settings,
        spent::Spent,
        trusted_phones::TrustedPhoneView,
    },
    kernel::{id::TrustedPhoneId, phone::PhoneNumber, time::Timestamp},
    model::{account::FormerNumber, handle::PHONE, refusal::Code},
    ports::World,
};

/// Longest name of a trusted phone, characters.
pub const MAX_LABEL: usize = 32;

/// A number in answers, with what is to be said of it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
}

impl<'a> PhoneBody<'a> {
    /// In clear only in an export, which takes a fresh proof.
    fn of(phone: &PhoneNumber, in_clear: bool) -> Self {
        let phone = if in_clear { phone.e164().to_owned() } else { phone.masked() };
        Self { phone, ..Self::default() }
    }

    /// A number that is wished for.
    pub(super) fn of_wish(wish: &PhoneChangeView, in_clear: bool) -> Self {
        let time = |at: Timestamp| Some(at.rfc3339());
        let (requested_at, effective_at) = (time(wish.requested_at), time(wish.effective_at));
        Self { requested_at, effective_at, ..Self::of(&wish.phone, in_clear) }
    }

    /// A trusted phone.
    pub(super) fn of_trusted(view: &'a TrustedPhoneView, in_clear: bool) -> Self {
        let (id, proven_at) = (Some(view.id.to_string()), Some(view.proven_at.rfc3339()));
        Self { id, label: view.label.as_deref(), proven_at, ..Self::of(&view.phone, in_clear) }
    }

    /// A number that the account had.
    pub(super) fn of_former(phone: &PhoneNumber, former: &FormerNumber, in_clear: bool) -> Self {
        let (from, until) = (Some(former.since.rfc3339()), Some(former.until.rfc3339()));
        Self { from, until, cause: Some(former.cause.name()), ..Self::of(phone, in_clear) }
    }
}

/// `PUT /v1/account/phone`
pub(super) async fn change<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let (from, mut body) =
        (own::from(own::doer(service.settings, request)?, request), Fields::read(request)?);
    let canonical = body.canonical(request);
    // A number that was proven a moment ago, or one that comes with its proof.
    let ticket = body.optional_text("ticket", MAX_TICKET);
    let number = match ticket {
        Some(_) => body.choice("choice", &[(NOT_MINE, ())]).map(|()| None),
        None => number_proof::any(&mut body, "numberProof").map(Some),
    };
    let proof = proof(&mut body);
    let number = body.finish(number)?;
    let proof = proof.map(|proof| proof.bound(service.settings, request)).transpose()?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (number, proof) = (
        number.as_ref().map(|given| given.as_proof(attempt)),
        proof.as_ref().map(|proof| proof.as_proof(attempt)),
    );
    let mut spent = Spent::default();
    let brought = match &number {
        Some(number) => service.bring_own_number(&from, number, proof.as_ref(), &mut spent).await,
        None => service.claim_number(&from, &ticket.unwrap_or_default(), proof.as_ref(), &mut spent).await,
    };
    let reply = brought.map_err(Problem::from).and_then(|brought| match brought {
        Brought::Taken => Ok(Reply::nothing()),
        Brought::Waits(wish) => Ok(Reply::Accepted(login::bytes(&PhoneBody::of_wish(&wish, false))?)),
        Brought::Asks(ticket, expires_in) => {
            Err(Problem::of(Code::PhoneInUse).with_ticket(ticket, expires_in))
        }
    });
    Ok(Reply::from(reply).after(spent))
}

/// `POST /v1/account/trusted-phones`
pub(super) async fn trust<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let (from, mut body) =
        (own::from(own::doer(service.settings, request)?, request), Fields::read(request)?);
    let canonical = body.canonical(request);
    let given = Given::read(&mut body);
    let label = body.optional_text("label", MAX_LABEL);
    let Given { number, proof } = body.finish(given)?.bound(service.settings, request)?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (number, proof) = (number.as_proof(attempt), proof.as_ref().map(|proof| proof.as_proof(attempt)));
    let (proof, label, mut spent) = (proof.as_ref(), label.as_deref(), Spent::default());
    let trusted = service.bring_trusted_number(&from, &number, proof, label, &mut spent).await;
    let reply = trusted.map_err(Problem::from).and_then(|phone| {
        Ok(Reply::Ready(HttpOut::json(201, login::bytes(&PhoneBody::of_trusted(&phone, false))?)))
    });
    Ok(Reply::from(reply).after(spent))
}

/// A number with its proof, and what else is proven along with it.
struct Given {
    number: GivenNumberProof,
    proof: Option<GivenProof>,
}

impl Given {
    fn read(body: &mut Fields) -> Option<Self> {
        let number = number_proof::any(body, "numberProof");
        let proof = proof(body);
        Some(Self { number: number?, proof })
    }

    fn bound(self, settings: &Settings, request: &HttpIn) -> Result<Self, Problem> {
        let proof = self.proof.map(|proof| proof.bound(settings, request)).transpose()?;
        Ok(Self { proof, ..self })
    }
}

fn proof(body: &mut Fields) -> Option<GivenProof> {
    if body.has("proof") { fresh_proof::read(body, "proof") } else { None }
}

/// `DELETE /v1/account/phone-change`
pub(super) async fn drop_change<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
) -> Result<Reply, Problem> {
    service.drop_phone_change(own::doer(service.settings, request)?).await?;
    Ok(Reply::nothing())
}

/// `GET /v1/account/phones`, the newest first.
pub(super) async fn history<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        phones: Vec<PhoneBody<'a>>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    let since = account.identities.iter().find(|known| known.kind == PHONE).map(|known| known.since);
    let mut phones = Vec::new();
    if let Some((phone, since)) = account.phone.as_ref().zip(since) {
        phones.push(PhoneBody { from: Some(since.rfc3339()), ..PhoneBody::of(phone, false) });
    }
    let former = service.former_numbers(&account).map_err(Problem::internal)?;
    for (phone, former) in former.iter().rev() {
        phones.push(PhoneBody::of_former(phone, former, false));
    }
    login::json(&Answer { phones })
}

/// `GET /v1/account/trusted-phones`
pub(super) async fn trusted<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        trusted_phones: Vec<PhoneBody<'a>>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    let phones = account.trusted_phones.iter().map(|phone| PhoneBody::of_trusted(phone, false));
    login::json(&Answer { trusted_phones: phones.collect() })
}

/// `DELETE /v1/account/trusted-phones/{id}`
pub(super) async fn distrust<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    id: TrustedPhoneId,
) -> Result<Reply, Problem> {
    service.distrust_phone(own::doer(service.settings, request)?, id).await?;
    Ok(Reply::nothing())
}
