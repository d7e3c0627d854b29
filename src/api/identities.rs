//! `/v1/account/identities...`: what leads to one's own account.

use serde::Serialize;

use super::{Reply, body::Fields, http::HttpIn, identity_login, login, number_proof, own, problem::Problem};
use crate::{
    journeys::{
        Service,
        binding::{IdentifierView, USERNAME_LENGTH},
        claim::Attempt,
        number_proof::OtpProof,
        spent::Spent,
    },
    kernel::phone::PhoneNumber,
    model::{
        handle::{EMAIL, PHONE, USERNAME},
        refusal::Code,
    },
    ports::World,
};

/// `GET /v1/account/identities`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        identities: Vec<IdentityBody<'a>>,
    }
    let identities = service.identities(own::doer(service.settings, request)?).await?;
    let identities = identities.iter().map(|identity| identity_body(identity, false));
    login::json(&Answer { identities: identities.collect() })
}

/// `POST /v1/account/identities/{kind}`
pub(super) async fn bind<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let mut body = Fields::read(request)?;
    let (key, canonical) = (login::idempotency_key(request)?, body.canonical(request));
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let mut spent = Spent::default();
    let bound = match kind(request) {
        USERNAME => {
            // Ours to judge how long it may be: a text that is cut short would be another name.
            let name = body.text("username", USERNAME_LENGTH.1.saturating_mul(4));
            service.bind_username(doer, &body.finish(name)?).await
        }
        EMAIL => {
            let proof = number_proof::code(&mut body);
            let (challenge, code) = body.finish(proof)?;
            let proof = OtpProof { challenge: &challenge, code: &code, attempt };
            service.bind_email(&own::from(doer, request), &proof).await
        }
        PHONE => return Err(Problem::of(Code::NotFound)),
        kind => {
            let given = identity_login::read(&mut body);
            let given = body.finish(given)?;
            let binding = identity_login::binding(service.settings, request)?;
            let code = given.as_code(kind, binding.as_ref(), attempt);
            service.bind_identity(&own::from(doer, request), &code, &mut spent).await
        }
    };
    Ok(Reply::done(bound).after(spent))
}

/// `DELETE /v1/account/identities/{kind}`
pub(super) async fn unbind<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    service.unbind(doer, kind(request), request.parameter("id").as_deref()).await?;
    Ok(Reply::nothing())
}

/// An identifier in answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityBody<'a> {
    id: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    bound_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_of: Option<&'a str>,
}

/// An identifier, its value masked unless it is asked for in clear. Subjects of identity providers mean nothing to
/// people.
pub fn identity_body(identity: &IdentifierView, in_clear: bool) -> IdentityBody<'_> {
    let IdentifierView { id, kind, value, since, alias_of } = identity;
    let masked = match kind.as_str() {
        PHONE => PhoneNumber::parse(value).map(|phone| phone.masked()).ok(),
        EMAIL => Some(masked_address(value)),
        USERNAME => Some(value.clone()),
        _ => None,
    };
    let value = if in_clear { Some(value.clone()) } else { masked };
    IdentityBody { id, kind, value, bound_at: since.rfc3339(), alias_of: alias_of.as_deref() }
}

/// First letter and host of an address.
fn masked_address(address: &str) -> String {
    let (name, host) = address.rsplit_once('@').unwrap_or_default();
    let first = name.chars().next().map(String::from).unwrap_or_default();
    format!("{first}***@{host}")
}

/// The kind that the path names.
fn kind(request: &HttpIn) -> &str {
    request.path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_to_their_first_letter() {
        assert_eq!(masked_address("xiaoming@example.com"), "x***@example.com");
        assert_eq!(masked_address("小明@example.com"), "小***@example.com");
    }
}
