//! `/v1/accounts/...`

use serde::Serialize;

use super::{Reply, backend, body::Fields, http::HttpIn, login, problem::Problem};
use crate::{journeys::Service, kernel::id::AccountId, model::api_key::Scope, ports::World};

/// `GET /v1/accounts/{id}/phone`
pub(super) async fn phone<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        phone: &'a str,
    }
    let backend = backend::admit(service, request, Scope::PhoneRead).await?;
    let phone = service.phone_of(account, &backend, &request.id).await?;
    login::json(&Answer { phone: phone.e164() })
}

/// `PUT /v1/accounts/{id}/freeze`
pub(super) async fn freeze<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountFreeze).await?;
    let mut body = Fields::read(request)?;
    let frozen = body.required_flag("frozen");
    let frozen = body.finish(frozen)?;
    service.freeze(account, frozen, &backend, &request.id).await?;
    Ok(Reply::nothing())
}
