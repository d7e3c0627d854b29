//! `/v1/accounts/...`

use serde::Serialize;

use super::{Reply, backend, body::Fields, http::HttpIn, login, problem::Problem};
use crate::{
    journeys::{Service, account_support::Support},
    kernel::id::AccountId,
    model::api_key::Scope,
    ports::World,
};

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
    support(service, request, account, Scope::AccountFreeze, ("frozen", Support::Freeze)).await
}

/// `PUT /v1/accounts/{id}/login-protection`
pub(super) async fn protect<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    support(service, request, account, Scope::AccountProtect, ("enabled", Support::Protect)).await
}

/// `POST /v1/accounts/{id}/restore`
pub(super) async fn restore<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountRestore).await?;
    service.support(account, Support::Restore, &backend, &request.id).await?;
    Ok(Reply::nothing())
}

async fn support<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
    scope: Scope,
    (field, support): (&str, fn(bool) -> Support),
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, scope).await?;
    let mut body = Fields::read(request)?;
    let flag = body.required_flag(field);
    let flag = body.finish(flag)?;
    service.support(account, support(flag), &backend, &request.id).await?;
    Ok(Reply::nothing())
}
