//! `/v1/login-history`

use serde::Serialize;

use super::{Reply, http::HttpIn, login, own, problem::Problem, sessions::DeviceOf};
use crate::{
    journeys::{Service, own_account::View},
    kernel::id::SessionId,
    model::{
        login::Method,
        login_history::{Event, Place},
        refusal::Refusal,
    },
    ports::World,
};

/// Events in an answer, unless fewer are asked for.
pub const PAGE: usize = 20;

/// Most events in an answer.
pub const MAX_PAGE: usize = 100;

/// `GET /v1/login-history?cursor=&limit=`
pub(super) async fn page<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        events: Vec<EventBody<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
    let doer = own::doer(service.settings, request)?;
    let number = |name: &str| match request.parameter(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| Refusal::field(name, "is none of ours")),
    };
    let before = number("cursor")?;
    let limit = number("limit")?.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(MAX_PAGE));
    let view = service.login_history(doer, before, limit.clamp(1, MAX_PAGE)).await?;
    let events = &view.seen.events;
    let next_cursor = events.last().filter(|_| view.seen.has_more).map(|event| event.number.to_string());
    let events = events.iter().map(|event| event_body(event, &view));
    login::json(&Answer { events: events.collect(), next_cursor })
}

/// An event in answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventBody<'a> {
    at: String,
    event: &'static str,
    method: Method,
    app: &'a str,
    session: SessionOf,
    /// Absent when it was removed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceOf<'a>>,
    #[serde(skip_serializing_if = "Place::is_unknown")]
    place: &'a Place,
}

#[derive(Serialize)]
struct SessionOf {
    id: SessionId,
    /// It can still be ended.
    alive: bool,
}

/// An event of what is seen.
pub fn event_body<'a>(event: &'a Event, view: &'a View) -> EventBody<'a> {
    let alive = view.seen.sessions.iter().any(|session| session.id == event.session);
    EventBody {
        at: event.at.rfc3339(),
        event: event.kind.name(),
        method: event.method,
        app: &event.app,
        session: SessionOf { id: event.session, alive },
        device: view.device(event.device).map(DeviceOf::from),
        place: &event.place,
    }
}
