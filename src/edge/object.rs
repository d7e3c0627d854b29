//! What the Durable Objects share: one document in SQLite, one operation at a time, an alarm for what is due.
//!
//! Handlers are atomic only while they await nothing but storage, so an operation is read first, then the document is
//! read, changed and written in one synchronous piece, then answered.

use std::{marker::PhantomData, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use worker::{
    Env, Request, Response, State,
    js_sys::Array,
    wasm_bindgen::{JsCast, JsValue},
};

use super::{clock, config, js, log, world::EdgeWorld};
use crate::{
    journeys::Service,
    kernel::{fault::Fault, json, time::Timestamp},
    model::{
        object::{Document, Machine},
        outbox::Letter,
    },
};

/// What a machine does to its document, from text to text. Only this is compiled for each of them.
pub(super) trait Steps {
    /// Carries out an operation.
    fn apply(&self, stored: Option<&str>, operation: &[u8], now: Timestamp) -> Result<Applied, Fault>;

    /// The letters that are due; `None` when nothing is left to keep.
    fn due(&self, stored: Option<&str>, now: Timestamp) -> Result<Option<Vec<Letter>>, Fault>;

    /// Takes note of what was delivered and what was not; `None` when nothing is left to keep.
    fn settle(
        &self,
        stored: Option<&str>,
        delivered: &[u64],
        failed: &[u64],
        now: Timestamp,
    ) -> Result<Option<After>, Fault>;
}

/// The outcome as JSON, the document after it, and when the object wanted to be woken before.
pub(super) struct Applied {
    outcome: String,
    after: After,
    waking: Option<Timestamp>,
}

/// The document as it is to be stored, unless it is the same, and when the object wants to be woken.
pub(super) struct After {
    json: Option<String>,
    wake_at: Option<Timestamp>,
}

/// The steps of a machine.
pub(super) struct Runs<M>(PhantomData<M>);

impl<M> Runs<M> {
    pub(super) const STEPS: Self = Self(PhantomData);
}

impl<M> Steps for Runs<M>
where
    M: Machine + Serialize + DeserializeOwned,
    M::Operation: DeserializeOwned,
    M::Outcome: Serialize,
{
    fn apply(&self, stored: Option<&str>, operation: &[u8], now: Timestamp) -> Result<Applied, Fault> {
        let operation = json::read(operation).ok_or(Fault::new("operation_does_not_parse"))?;
        let mut document = document::<M>(stored)?;
        let waking = document.wake_at();
        let outcome = document.apply(operation, now);
        Ok(Applied { outcome: json::write(&outcome)?, after: after(&document, stored)?, waking })
    }

    fn due(&self, stored: Option<&str>, now: Timestamp) -> Result<Option<Vec<Letter>>, Fault> {
        let mut document = document::<M>(stored)?;
        Ok((!document.tidy(now)).then(|| document.due(now)))
    }

    fn settle(
        &self,
        stored: Option<&str>,
        delivered: &[u64],
        failed: &[u64],
        now: Timestamp,
    ) -> Result<Option<After>, Fault> {
        let mut document = document::<M>(stored)?;
        document.settle(delivered, failed, now);
        if document.tidy(now) { Ok(None) } else { after(&document, stored).map(Some) }
    }
}

fn document<M: Machine + DeserializeOwned>(stored: Option<&str>) -> Result<Document<M>, Fault> {
    let Some(stored) = stored else { return Ok(Document::empty()) };
    let document: Document<M> = json::read(stored.as_bytes()).ok_or(Fault::new("document_does_not_parse"))?;
    if document.is_known_version() { Ok(document) } else { Err(Fault::new("document_from_the_future")) }
}

// Looking does not make an object: one that is as empty as before is not written.
fn after<M: Machine + Serialize>(document: &Document<M>, stored: Option<&str>) -> Result<After, Fault> {
    let json = json::write(document)?;
    let is_same = match stored {
        Some(stored) => stored == json,
        None => json::write(&Document::<M>::empty())? == json,
    };
    Ok(After { json: (!is_same).then_some(json), wake_at: document.wake_at() })
}

/// One request to an object: answers the outcome as JSON, or 500 with the code of a fault.
pub(super) async fn fetch(
    state: &State,
    env: &Env,
    mut request: Request,
    steps: &dyn Steps,
) -> worker::Result<Response> {
    #[cfg(feature = "test-hooks")]
    super::hooks::in_object(&request);
    let body = request.bytes().await?;
    match apply(state, steps, &body, now(env)).await {
        Ok(outcome) => Response::from_bytes(outcome.into_bytes()),
        Err(fault) => {
            log::fault("object", fault);
            Response::error(fault.code(), 500)
        }
    }
}

/// The object's alarm: delivers what is due and drops what is over, the whole object when nothing is left.
pub(super) async fn alarm(state: &State, env: &Env, steps: &dyn Steps) -> worker::Result<Response> {
    let done = match config::of(env).settings.as_ref() {
        Ok(settings) => {
            let world = EdgeWorld::without_request(env.clone(), settings.clock_skew_seconds);
            wake(state, steps, Service { settings, world: &world }, now(env)).await
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

async fn apply(state: &State, steps: &dyn Steps, body: &[u8], now: Timestamp) -> Result<String, Fault> {
    let stored = read(state)?;
    let Applied { outcome, after, waking } = steps.apply(stored.as_deref(), body, now)?;
    write(state, &after, stored.is_none())?;
    // An alarm is a write of its own, so one that stands is left alone, unless it should have rung by now.
    if after.wake_at != waking || after.wake_at.is_some_and(|at| at <= now) {
        set_alarm(state, after.wake_at, now).await?;
    }
    Ok(outcome)
}

async fn wake(
    state: &State,
    steps: &dyn Steps,
    service: Service<'_, EdgeWorld>,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(letters) = steps.due(read(state)?.as_deref(), now)? else {
        return delete(state).await;
    };
    let delivery = service.deliver(letters).await;
    for (_, fault) in &delivery.failed {
        log::fault("delivery", *fault);
    }
    let failed: Vec<u64> = delivery.failed.iter().map(|(id, _)| *id).collect();
    // Others may have changed the object meanwhile.
    let stored = read(state)?;
    let Some(after) = steps.settle(stored.as_deref(), &delivery.delivered, &failed, now)? else {
        return delete(state).await;
    };
    write(state, &after, stored.is_none())?;
    set_alarm(state, after.wake_at, now).await
}

async fn delete(state: &State) -> Result<(), Fault> {
    state.storage().delete_all().await.map_err(|_| Fault::new("object_does_not_delete"))
}

fn now(env: &Env) -> Timestamp {
    clock::service_time(config::of(env).skew_seconds)
}

/// The document as it is stored; `None` when nothing is.
fn read(state: &State) -> Result<Option<String>, Fault> {
    let unread = Fault::new("object_does_not_read");
    let Some(stored) = rows(state, "SELECT json FROM document") else {
        let tables = rows(state, "SELECT name FROM sqlite_master WHERE name = 'document'");
        return if tables.ok_or(unread)?.length() == 0 { Ok(None) } else { Err(unread) };
    };
    if stored.length() == 0 {
        return Ok(None);
    }
    js::get(&stored.get(0), "json").and_then(|json| json.as_string()).map(Some).ok_or(unread)
}

fn rows(state: &State, query: &str) -> Option<Array> {
    js::call(&execute(state, &[query.into()])?, "toArray", &[])?.dyn_into().ok()
}

fn write(state: &State, after: &After, is_new: bool) -> Result<(), Fault> {
    let Some(json) = &after.json else { return Ok(()) };
    let fault = Fault::new("object_does_not_write");
    if is_new {
        let table = "CREATE TABLE IF NOT EXISTS document \
                     (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT";
        execute(state, &[table.into()]).ok_or(fault)?;
    }
    let row =
        "INSERT INTO document (id, json) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
    execute(state, &[row.into(), json.into()]).map(|_| ()).ok_or(fault)
}

/// Executes a statement, which stands first, with its values.
fn execute(state: &State, statement: &[JsValue]) -> Option<JsValue> {
    js::call(&js::get(state.storage().as_raw(), "sql")?, "exec", statement)
}

async fn set_alarm(state: &State, at: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
    let Some(at) = at else { return Ok(()) };
    let wait: Duration = at.since(now);
    state.storage().set_alarm(wait).await.map_err(|_| Fault::new("alarm_does_not_set"))
}

/// When an alarm that met a fault rings again.
const AFTER_A_FAULT: Duration = Duration::from_secs(600);
