//! Backends and their API keys.

use serde::Serialize;

use super::{Reply, http::HttpIn, login, problem::Problem};
use crate::{
    journeys::{Service, backend_access::Backend},
    kernel::time::Timestamp,
    model::{api_key::Scope, counter::UsageLine, refusal::Code},
    ports::World,
};

/// Whoever calls with an API key that has the scope, and room for the call.
///
/// # Errors
/// 401 without a valid key, 403 without the scope, 429 without room.
pub async fn admit<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    scope: Scope,
) -> Result<Backend, Problem> {
    Ok(service.admit(key(request)?, scope).await?)
}

/// `GET /v1/api-key`: what the key that asks may do, and did.
pub(super) async fn api_key<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        name: &'a str,
        mode: &'static str,
        scopes: &'a [String],
        limits: Limits,
        used_this_month: u64,
        usage: Vec<Line<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Limits {
        per_minute: u64,
        per_month: u64,
    }
    #[derive(Serialize)]
    struct Line<'a> {
        day: String,
        scope: &'a str,
        calls: u64,
        refused: u64,
    }
    let in_use = service.key_in_use(key(request)?).await?;
    let lines = in_use.usage.iter().map(|UsageLine(day, scope, calls, refused)| Line {
        day: Timestamp::of_day(*day).date(),
        scope,
        calls: *calls,
        refused: *refused,
    });
    login::json(&Answer {
        name: &in_use.key.name,
        mode: in_use.key.mode.name(),
        scopes: &in_use.key.scopes,
        limits: Limits { per_minute: in_use.per_minute, per_month: in_use.per_month },
        used_this_month: in_use.this_month,
        usage: lines.collect(),
    })
}

fn key(request: &HttpIn) -> Result<&str, Problem> {
    request.bearer().ok_or(Problem::of(Code::Unauthenticated))
}
