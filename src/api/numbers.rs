//! `/v1/account/phone...`: the account's number, another in its place, and those before it.

use serde::Serialize;

use super::{
    Reply, Then, body::Fields, fresh_proof, http::HttpIn, login, number_proof, own, problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        numbers::{Changed, PhoneChangeView},
    },
    model::handle::PHONE,
    ports::World,
};

/// `phoneChange` of an account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneChangeBody {
    phone: String,
    requested_at: String,
    effective_at: String,
}

/// A number that is wished for, in clear only where the account's own is.
pub fn phone_change_body(wish: &PhoneChangeView, in_clear: bool) -> PhoneChangeBody {
    let PhoneChangeView { phone, requested_at, effective_at } = wish;
    PhoneChangeBody {
        phone: if in_clear { phone.e164().to_owned() } else { phone.masked() },
        requested_at: requested_at.rfc3339(),
        effective_at: effective_at.rfc3339(),
    }
}

/// `PUT /v1/account/phone`
pub(super) async fn change<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical();
    let number = number_proof::any(&mut body, "numberProof");
    let has_proof = body.has("proof");
    let proof = if has_proof { fresh_proof::read(&mut body, "proof") } else { None };
    let number = body.finish(number)?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let proof = proof.as_ref().map(|proof| proof.as_proof(attempt));
    let from = own::from(doer, request);
    let (changed, [first, second]) =
        service.change_phone(&from, &number.as_proof(attempt), proof.as_ref()).await?;
    let reply = match changed {
        Changed::Now => Reply::nothing(),
        Changed::Later(wish) => Reply::Accepted(login::bytes(&phone_change_body(&wish, false))?),
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

/// `GET /v1/account/phones`: the newest first.
pub(super) async fn history<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer {
        phones: Vec<Phone>,
    }
    #[derive(Serialize)]
    struct Phone {
        phone: String,
        from: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<&'static str>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    let since = account.identities.iter().find(|known| known.kind == PHONE).map(|known| known.since);
    let current = account.phone.as_ref().zip(since).map(|(phone, since)| Phone {
        phone: phone.masked(),
        from: since.rfc3339(),
        until: None,
        cause: None,
    });
    let former = service.former_numbers(&account).map_err(Problem::internal)?;
    let former = former.iter().rev().map(|(phone, former)| Phone {
        phone: phone.masked(),
        from: former.since.rfc3339(),
        until: Some(former.until.rfc3339()),
        cause: Some(former.cause.name()),
    });
    login::json(&Answer { phones: current.into_iter().chain(former).collect() })
}
