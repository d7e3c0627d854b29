//! `/v1/account/trusted-phones...`: other numbers that may confirm a new device.

use serde::Serialize;

use super::{
    Reply, Then,
    body::Fields,
    http::{HttpIn, HttpOut},
    login, number_proof, own,
    problem::Problem,
};
use crate::{
    journeys::{Service, claim::Attempt, trusted_phones::TrustedPhoneView},
    kernel::id::TrustedPhoneId,
    ports::World,
};

/// Longest name of a trusted phone, characters.
pub const MAX_LABEL: usize = 32;

/// A trusted phone in answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedPhoneBody<'a> {
    id: String,
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    proven_at: String,
}

/// A trusted phone, in clear only where the account's own number is.
pub fn trusted_phone_body(view: &TrustedPhoneView, in_clear: bool) -> TrustedPhoneBody<'_> {
    let TrustedPhoneView { id, phone, label, proven_at } = view;
    TrustedPhoneBody {
        id: id.to_string(),
        phone: if in_clear { phone.e164().to_owned() } else { phone.masked() },
        label: label.as_deref(),
        proven_at: proven_at.rfc3339(),
    }
}

/// `GET /v1/account/trusted-phones`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        trusted_phones: Vec<TrustedPhoneBody<'a>>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    let phones = account.trusted_phones.iter().map(|phone| trusted_phone_body(phone, false));
    login::json(&Answer { trusted_phones: phones.collect() })
}

/// `POST /v1/account/trusted-phones`
pub(super) async fn add<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical();
    let number = number_proof::any(&mut body, "numberProof");
    let label = body.optional_text("label", MAX_LABEL);
    let number = body.finish(number)?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (phone, after) =
        service.trust_phone(&own::from(doer, request), &number.as_proof(attempt), label.as_deref()).await?;
    let created = HttpOut::json(201, login::bytes(&trusted_phone_body(&phone, false))?);
    Ok(Reply::Ready(created).then(after.map(Then::AfterRedeem)))
}

/// `DELETE /v1/account/trusted-phones/{id}`
pub(super) async fn remove<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    id: TrustedPhoneId,
) -> Result<Reply, Problem> {
    service.distrust_phone(own::doer(service.settings, request)?, id).await?;
    Ok(Reply::nothing())
}
