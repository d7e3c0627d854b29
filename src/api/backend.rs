//! Backends and their API keys.

use super::{http::HttpIn, problem::Problem};
use crate::{
    journeys::Service,
    model::{api_key::Scope, refusal::Code},
    ports::World,
};

/// Whoever calls with an API key that has the scope, as the audit log names them.
///
/// # Errors
/// 401 without a valid key, 403 without the scope.
pub async fn actor<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    scope: Scope,
) -> Result<String, Problem> {
    let key = request.bearer().ok_or(Problem::of(Code::Unauthenticated))?;
    let key = service.backend(key, scope).await?;
    Ok(format!("api_key:{}", key.name))
}
