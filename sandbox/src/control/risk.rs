//! `/sandbox/risk`: makes numbers and addresses look risky.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

use super::{Reply, bad_request};
use crate::{risk::Score, sms::e164, state::World};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/risk", post(set).delete(clear))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetScore {
    phone: Option<String>,
    address: Option<String>,
    score: u16,
}

/// One score per number and address; a new one takes the place of the old.
async fn set(State(world): State<Arc<World>>, body: Result<Json<SetScore>, JsonRejection>) -> Reply {
    let Json(SetScore { phone, address, score }) =
        body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    if score > 1000 {
        return Err(bad_request("score: not between 0 and 1000"));
    }
    let phone =
        phone.map(|phone| e164(&phone).ok_or_else(|| bad_request("phone: not a number"))).transpose()?;
    if phone.is_none() && address.is_none() {
        return Err(bad_request("phone or address: whose score?"));
    }
    let mut ledger = world.ledger();
    ledger.scores.retain(|old| old.phone != phone || old.address != address);
    ledger.scores.push(Score { phone, address, score });
    Ok(Json(json!({ "scores": ledger.scores.len() })))
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().scores.clear();
    StatusCode::NO_CONTENT
}
