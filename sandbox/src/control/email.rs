//! `/sandbox/email`: what arrived in people's letter-boxes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    routing::get,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, bad_request};
use crate::{emails::address, state::World};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/email", get(list).delete(clear))
}

#[derive(Deserialize)]
struct Whose {
    to: Option<String>,
}

/// Oldest first.
async fn list(State(world): State<Arc<World>>, query: Result<Query<Whose>, QueryRejection>) -> Reply {
    let Query(Whose { to }) = query.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let to = to.map(|to| address(&to).ok_or_else(|| bad_request("to: not an address"))).transpose()?;
    let ledger = world.ledger();
    let emails = ledger.emails.iter().filter(|email| to.as_ref().is_none_or(|to| email.to == *to));
    let list: Vec<Value> = emails
        .map(|email| {
            let at = Timestamp::from_millisecond(email.at_ms).map(|at| at.to_string()).unwrap_or_default();
            let (to, provider) = (&email.to, email.provider);
            json!({ "to": to, "subject": email.subject, "text": email.text, "provider": provider, "at": at })
        })
        .collect();
    Ok(Json(Value::Array(list)))
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().emails.clear();
    StatusCode::NO_CONTENT
}
