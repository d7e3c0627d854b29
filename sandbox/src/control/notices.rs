//! `/sandbox/pushes` and `/sandbox/webhooks`: what devices showed, and a backend that listens.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, bad_request};
use crate::state::World;

/// How many deliveries are kept; the oldest go first.
const KEPT: usize = 20_000;

/// One attempt at a webhook.
pub(crate) struct Delivered {
    /// Those of Standard Webhooks.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) taken: bool,
}

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/pushes", get(pushes).delete(clear_pushes))
        .route("/sandbox/webhooks", get(deliveries).post(receive).delete(clear_deliveries))
}

#[derive(Deserialize)]
struct Whose {
    to: Option<String>,
}

/// Oldest first.
async fn pushes(State(world): State<Arc<World>>, query: Result<Query<Whose>, QueryRejection>) -> Reply {
    let Query(Whose { to }) = query.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let ledger = world.ledger();
    let pushes = ledger.pushes.iter().filter(|push| to.as_ref().is_none_or(|to| push.to == *to));
    let list: Vec<Value> = pushes
        .map(|push| {
            let at = Timestamp::from_millisecond(push.at_ms).map(|at| at.to_string()).unwrap_or_default();
            json!({ "to": push.to, "text": push.text, "event": push.event, "notice": push.notice, "at": at })
        })
        .collect();
    Ok(Json(Value::Array(list)))
}

async fn clear_pushes(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().pushes.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct How {
    /// Each message is taken at the attempt after so many; those before are answered 500.
    #[serde(default)]
    fail: usize,
}

/// Takes what a backend would; checks nothing.
async fn receive(
    State(world): State<Arc<World>>,
    query: Result<Query<How>, QueryRejection>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let Ok(Query(How { fail })) = query else { return StatusCode::BAD_REQUEST };
    let ours = headers.iter().filter(|(name, _)| name.as_str().starts_with("webhook-"));
    let headers: BTreeMap<String, String> = ours
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let id = |headers: &BTreeMap<String, String>| headers.get("webhook-id").cloned();
    let mut ledger = world.ledger();
    let before = ledger.deliveries.iter().filter(|one| id(&one.headers) == id(&headers)).count();
    let taken = before >= fail;
    if ledger.deliveries.len() >= KEPT {
        ledger.deliveries.pop_front();
    }
    ledger.deliveries.push_back(Delivered { headers, body, taken });
    if taken { StatusCode::NO_CONTENT } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// Every attempt, oldest first; `body` is the text as it came.
async fn deliveries(State(world): State<Arc<World>>) -> Json<Value> {
    let ledger = world.ledger();
    let list = ledger.deliveries.iter();
    Json(list.map(|one| json!({ "headers": one.headers, "body": one.body, "taken": one.taken })).collect())
}

async fn clear_deliveries(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().deliveries.clear();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn a_backend_takes_a_message_at_the_attempt_it_was_told() {
        let bench = Bench::new();
        let send = async |id: &str| {
            let headers = [("content-type", "application/json"), ("webhook-id", id)];
            bench.send("POST", "/sandbox/webhooks?fail=1", &headers, "{}".to_owned()).await.status
        };
        assert_eq!((send("a").await, send("b").await, send("a").await), (500, 500, 204));
        let list = bench.get("/sandbox/webhooks").await.json();
        assert_eq!((&list[2]["headers"]["webhook-id"], &list[2]["taken"]), (&json!("a"), &json!(true)));
        assert_eq!(bench.send("DELETE", "/sandbox/webhooks", &[], String::new()).await.status, 204);
        assert_eq!(bench.get("/sandbox/webhooks").await.json(), json!([]));
    }
}
