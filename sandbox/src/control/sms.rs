//! `/sandbox/sms`: what arrived in people's phones.

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
use crate::{sms::e164, state::World};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/sms", get(list).delete(clear))
}

#[derive(Deserialize)]
struct Whose {
    to: Option<String>,
}

/// Oldest first.
async fn list(State(world): State<Arc<World>>, query: Result<Query<Whose>, QueryRejection>) -> Reply {
    let Query(Whose { to }) = query.map_err(|rejection| bad_request(&rejection.body_text()))?;
    // A plus sign that nobody escaped arrives as a space.
    let to = to
        .map(|to| e164(&to.replacen(' ', "+", 1)).ok_or_else(|| bad_request("to: not a number")))
        .transpose()?;
    let ledger = world.ledger();
    let messages = ledger.messages.iter().filter(|message| to.as_ref().is_none_or(|to| message.to == *to));
    let list: Vec<Value> = messages
        .map(|message| {
            let at = Timestamp::from_millisecond(message.at_ms).map(|at| at.to_string()).unwrap_or_default();
            json!({ "to": message.to, "text": message.text, "provider": message.provider, "at": at })
        })
        .collect();
    Ok(Json(Value::Array(list)))
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().messages.clear();
    StatusCode::NO_CONTENT
}
