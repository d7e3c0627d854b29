//! `/v1/accounts/...`

use serde::Serialize;

use super::{Reply, backend, http::HttpIn, login, problem::Problem};
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
