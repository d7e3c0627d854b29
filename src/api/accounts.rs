//! `/v1/accounts/...`

use serde::Serialize;

use super::{Reply, backend, body::Fields, http::HttpIn, login, problem::Problem, supplied};
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

/// `PUT /v1/accounts/{id}/...`
pub(super) async fn put<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
    put: Put,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, put.scope()).await?;
    let mut body = Fields::read(request)?;
    let (limits, now) = (&service.settings.limits, service.world.now());
    let support = match put {
        Put::Freeze => body.required_flag("frozen").map(Support::Freeze),
        Put::Protect => body.required_flag("enabled").map(Support::Protect),
        Put::Facts => supplied::facts(&mut body, limits.facts_per_account).map(Support::Facts),
        Put::Friends => {
            supplied::friends(&mut body, limits.friends_per_account, account, now).map(Support::Friends)
        }
        Put::Money => body.required_flag("enabled").map(Support::Money),
    };
    let support = body.finish(support)?;
    service.support(account, support, &backend, &request.id).await?;
    Ok(Reply::nothing())
}

/// What a backend puts to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// `/freeze`
    Freeze,
    /// `/login-protection`
    Protect,
    /// `/facts`
    Facts,
    /// `/friends`
    Friends,
    /// `/money`
    Money,
}

impl Put {
    /// Method and pattern.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Freeze => "PUT /v1/accounts/{id}/freeze",
            Self::Protect => "PUT /v1/accounts/{id}/login-protection",
            Self::Facts => "PUT /v1/accounts/{id}/facts",
            Self::Friends => "PUT /v1/accounts/{id}/friends",
            Self::Money => "PUT /v1/accounts/{id}/money",
        }
    }

    const fn scope(self) -> Scope {
        match self {
            Self::Freeze => Scope::AccountFreeze,
            Self::Protect => Scope::AccountProtect,
            Self::Facts => Scope::AccountFacts,
            Self::Friends => Scope::AccountFriends,
            Self::Money => Scope::AccountMoney,
        }
    }
}
