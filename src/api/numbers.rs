//! `/v1/account/phone...` and `/v1/account/trusted-phones...`: the account's number, another in its place, those before
//! it, and other numbers that may confirm a new device.

use serde::Serialize;

use super::{
    Reply, Then,
    body::Fields,
    fresh_proof,
    http::{HttpIn, HttpOut},
    login, number_proof, own,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        numbers::{Aim, Brought, PhoneChangeView},
        trusted_phones::TrustedPhoneView,
    },
    kernel::{id::TrustedPhoneId, phone::PhoneNumber, time::Timestamp},
    model::{account::FormerNumber, handle::PHONE},
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

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    phones: Option<Vec<PhoneBody<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_phones: Option<Vec<PhoneBody<'a>>>,
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

/// `PUT /v1/account/phone`; `POST /v1/account/trusted-phones` where the number is to be trusted.
pub(super) async fn bring<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    is_to_be_trusted: bool,
) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical();
    let number = number_proof::any(&mut body, "numberProof");
    let proof = if body.has("proof") { fresh_proof::read(&mut body, "proof") } else { None };
    let label = if is_to_be_trusted { body.optional_text("label", MAX_LABEL) } else { None };
    let number = body.finish(number)?;
    let proof = proof.map(|proof| proof.bound(service.settings, request)).transpose()?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (number, proof) = (number.as_proof(attempt), proof.as_ref().map(|proof| proof.as_proof(attempt)));
    let aim = if is_to_be_trusted { Aim::Trusted(label.as_deref()) } else { Aim::Own };
    let brought = service.bring_number(&own::from(doer, request), &number, proof.as_ref(), aim).await?;
    let (brought, [first, second]) = brought;
    let (status, shown) = match &brought {
        Brought::Own => (204, None),
        Brought::Wished(wish) => (202, Some(PhoneBody::of_wish(wish, false))),
        Brought::Trusted(phone) => (201, Some(PhoneBody::of_trusted(phone, false))),
    };
    let reply = match shown {
        Some(shown) => Reply::Ready(HttpOut::json(status, login::bytes(&shown)?)),
        None => Reply::nothing(),
    };
    Ok(reply.then(first.map(Then::AfterRedeem)).then(second.map(Then::AfterRedeem)))
}

/// `DELETE /v1/account/phone-change`
pub(super) async fn drop_change<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
) -> Result<Reply, Problem> {
    service.drop_phone_change(own::doer(service.settings, request)?).await?;
    Ok(Reply::nothing())
}

/// `GET /v1/account/phones`, the newest first; `GET /v1/account/trusted-phones`.
pub(super) async fn list<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    trusted: bool,
) -> Result<Reply, Problem> {
    let account = service.account(own::doer(service.settings, request)?).await?;
    if trusted {
        let phones = account.trusted_phones.iter().map(|phone| PhoneBody::of_trusted(phone, false));
        return login::json(&Answer { trusted_phones: Some(phones.collect()), ..Answer::default() });
    }
    let since = account.identities.iter().find(|known| known.kind == PHONE).map(|known| known.since);
    let mut phones = Vec::new();
    if let Some((phone, since)) = account.phone.as_ref().zip(since) {
        phones.push(PhoneBody { from: Some(since.rfc3339()), ..PhoneBody::of(phone, false) });
    }
    let former = service.former_numbers(&account).map_err(Problem::internal)?;
    for (phone, former) in former.iter().rev() {
        phones.push(PhoneBody::of_former(phone, former, false));
    }
    login::json(&Answer { phones: Some(phones), ..Answer::default() })
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
