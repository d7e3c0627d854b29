//! `/v1/sessions...`, and the end of `/v1/session`.

use serde::Serialize;

use super::{Reply, cookie, http::HttpIn, login, own, problem::Problem};
use crate::{
    journeys::{
        Service,
        own_account::{DeviceView, View},
        session::Refreshing,
        settings::Settings,
    },
    kernel::id::{DeviceId, SessionId},
    model::login::Method,
    ports::World,
};

/// `GET /v1/sessions`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        sessions: Vec<ListedSession<'a>>,
    }
    let view = service.look(own::doer(service.settings, request)?).await?;
    login::json(&Answer { sessions: bodies(service.settings, &view) })
}

/// A session in answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedSession<'a> {
    id: SessionId,
    current: bool,
    app: &'a str,
    method: Method,
    created_at: String,
    last_used_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceOf<'a>>,
}

/// The sessions of what is seen.
pub fn bodies<'a>(settings: &Settings, view: &'a View) -> Vec<ListedSession<'a>> {
    let lifetimes = settings.account_rules().lifetimes;
    let sessions = view.seen.sessions.iter().map(|session| ListedSession {
        id: session.id,
        current: session.id == view.seen.session,
        app: &session.app,
        method: session.method,
        created_at: session.created_at.rfc3339(),
        last_used_at: session.last_used().rfc3339(),
        expires_at: session.expires_at(&lifetimes).rfc3339(),
        consent: session.consent.as_deref(),
        device: view.device(session.device).map(DeviceOf::from),
    });
    sessions.collect()
}

/// `DELETE /v1/session`
pub(super) async fn sign_out<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let by_cookie = cookie::speaks_for(request);
    if by_cookie {
        cookie::require_our_page(service.settings, request)?;
    }
    match end(service, request, None).await {
        // The access token is over long before the session is.
        Err(problem) if by_cookie && problem.kind.status == 401 => {
            if let Ok(Some(token)) = cookie::refresh_token(service.settings, request) {
                let (proof, place) = (login::proof(request), &request.place);
                let (address, request_id) = (request.address.as_str(), request.id.as_str());
                let given_up =
                    Refreshing { token, proof: proof.as_ref(), number: None, address, request_id, place };
                service.give_up(&given_up).await?;
            }
        }
        Ok(_) if by_cookie => {}
        ended => return ended,
    }
    Ok(Reply::nothing().with_cookies(cookie::cleared()))
}

/// `DELETE /v1/sessions/{id}`, and for `None` this one.
pub(super) async fn end<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    which: Option<SessionId>,
) -> Result<Reply, Problem> {
    service.end_session(own::doer(service.settings, request)?, which).await?;
    Ok(Reply::nothing())
}

/// `DELETE /v1/sessions`
pub(super) async fn end_others<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
) -> Result<Reply, Problem> {
    service.end_other_sessions(own::doer(service.settings, request)?).await?;
    Ok(Reply::nothing())
}

/// The device of a session or event.
#[derive(Serialize)]
pub(super) struct DeviceOf<'a> {
    id: DeviceId,
    name: &'a str,
    platform: &'static str,
    trust: &'static str,
}

impl<'a> From<&'a DeviceView> for DeviceOf<'a> {
    fn from(view: &'a DeviceView) -> Self {
        Self {
            id: view.device.id,
            name: &view.name,
            platform: view.device.profile.platform.name(),
            trust: view.trust.name(),
        }
    }
}
