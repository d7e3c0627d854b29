//! What the Durable Objects share: one document in SQLite, one operation at a time, an alarm for what is due.
//!
//! Handlers are atomic only while they await nothing but storage, so an operation is parsed first, then read,
//! applied and written in one synchronous piece, then answered.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use worker::{Env, Request, Response, SqlStorageValue, State};

use super::{clock, config, log, world::EdgeWorld};
use crate::{
    journeys::Service,
    kernel::{fault::Fault, json, time::Timestamp},
    model::object::{Document, Machine},
};

/// One request to an object: answers the outcome as JSON, or 500 with the code of a fault.
pub(super) async fn fetch<M>(state: &State, env: &Env, mut request: Request) -> worker::Result<Response>
where
    M: Machine + Serialize + DeserializeOwned,
    M::Operation: DeserializeOwned,
    M::Outcome: Serialize,
{
    #[cfg(feature = "test-hooks")]
    super::hooks::in_object(&request);
    let body = request.bytes().await?;
    let outcome = match json::read(&body) {
        Some(operation) => apply::<M>(state, operation, now(env)).await,
        None => Err(Fault::new("operation_does_not_parse")),
    };
    match outcome.map(|outcome| serde_json::to_vec(&outcome)) {
        Ok(Ok(json)) => Response::from_bytes(json),
        Ok(Err(_)) => Response::error(OUTCOME_DOES_NOT_SERIALISE.code(), 500),
        Err(fault) => {
            log::fault("object", fault);
            Response::error(fault.code(), 500)
        }
    }
}

/// The object's alarm: delivers what is due and drops what is over, the whole object when nothing is left.
pub(super) async fn alarm<M>(state: &State, env: &Env) -> worker::Result<Response>
where
    M: Machine + Serialize + DeserializeOwned,
{
    let done = match config::of(env).settings.as_ref() {
        Ok(settings) => {
            let world = EdgeWorld::without_request(env.clone(), settings.clock_skew_seconds);
            wake::<M>(state, Service { settings, world: &world }, now(env)).await
        }
        Err(_) => Err(Fault::new("misconfigured")),
    };
    if let Err(fault) = done {
        log::fault("alarm", fault);
        // The platform tries a failed alarm a few times only; what is due must not be forgotten for good.
        state.storage().set_alarm(AFTER_A_FAULT).await?;
    }
    Response::empty()
}

async fn apply<M>(state: &State, operation: M::Operation, now: Timestamp) -> Result<M::Outcome, Fault>
where
    M: Machine + Serialize + DeserializeOwned,
{
    let (mut document, before) = read::<M>(state)?;
    let waking = document.wake_at();
    let outcome = document.apply(operation, now);
    write(state, &document, before.as_deref())?;
    // An alarm is a write of its own, so one that stands is left alone, unless it should have rung by now.
    let wake_at = document.wake_at();
    if wake_at != waking || wake_at.is_some_and(|at| at <= now) {
        set_alarm(state, &document, now).await?;
    }
    Ok(outcome)
}

async fn wake<M>(state: &State, service: Service<'_, EdgeWorld>, now: Timestamp) -> Result<(), Fault>
where
    M: Machine + Serialize + DeserializeOwned,
{
    let (mut document, _) = read::<M>(state)?;
    if document.tidy(now) {
        return delete(state).await;
    }
    let delivery = service.deliver(document.due(now)).await;
    for (_, fault) in &delivery.failed {
        log::fault("delivery", *fault);
    }
    // Others may have changed the object meanwhile.
    let (mut document, before) = read::<M>(state)?;
    let failed: Vec<u64> = delivery.failed.iter().map(|(id, _)| *id).collect();
    document.settle(&delivery.delivered, &failed, now);
    if document.tidy(now) {
        return delete(state).await;
    }
    write(state, &document, before.as_deref())?;
    set_alarm(state, &document, now).await
}

async fn delete(state: &State) -> Result<(), Fault> {
    state.storage().delete_all().await.map_err(|_| Fault::new("object_does_not_delete"))
}

fn now(env: &Env) -> Timestamp {
    clock::service_time(config::of(env).skew_seconds)
}

#[derive(Deserialize)]
struct Row {
    json: String,
}

/// The document, and as what it is stored: `None` when nothing is. Looking does not make an object.
fn read<M: Machine + DeserializeOwned>(state: &State) -> Result<(Document<M>, Option<String>), Fault> {
    let rows =
        |query: &str| -> worker::Result<Vec<Row>> { state.storage().sql().exec(query, None)?.to_array() };
    let Ok(stored) = rows("SELECT json FROM document") else {
        let tables = rows("SELECT name AS json FROM sqlite_master WHERE name = 'document'");
        return match tables {
            Ok(tables) if tables.is_empty() => Ok((Document::empty(), None)),
            _ => Err(Fault::new("object_does_not_read")),
        };
    };
    let Some(Row { json }) = stored.into_iter().next() else {
        return Ok((Document::empty(), None));
    };
    let document: Document<M> = json::read(json.as_bytes()).ok_or(Fault::new("document_does_not_parse"))?;
    if document.is_known_version() {
        Ok((document, Some(json)))
    } else {
        Err(Fault::new("document_from_the_future"))
    }
}

fn write<M: Machine + Serialize>(
    state: &State,
    document: &Document<M>,
    before: Option<&str>,
) -> Result<(), Fault> {
    let serialise = |document: &Document<M>| {
        serde_json::to_string(document).map_err(|_| Fault::new("document_does_not_serialise"))
    };
    let json = serialise(document)?;
    let is_same = match before {
        Some(before) => before == json,
        None => serialise(&Document::empty())? == json,
    };
    if is_same {
        return Ok(());
    }
    let fault = |_| Fault::new("object_does_not_write");
    let sql = state.storage().sql();
    if before.is_none() {
        let table = "CREATE TABLE IF NOT EXISTS document \
                     (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT";
        sql.exec(table, None).map_err(fault)?;
    }
    let row =
        "INSERT INTO document (id, json) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
    sql.exec(row, vec![SqlStorageValue::String(json)]).map(|_| ()).map_err(fault)
}

async fn set_alarm<M: Machine>(state: &State, document: &Document<M>, now: Timestamp) -> Result<(), Fault> {
    let Some(at) = document.wake_at() else { return Ok(()) };
    let wait: Duration = at.since(now);
    state.storage().set_alarm(wait).await.map_err(|_| Fault::new("alarm_does_not_set"))
}

/// When an alarm that met a fault rings again.
const AFTER_A_FAULT: Duration = Duration::from_secs(600);

const OUTCOME_DOES_NOT_SERIALISE: Fault = Fault::new("outcome_does_not_serialise");
