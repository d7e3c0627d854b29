//! `/v1/session...`

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    login::{self, SessionBody},
    problem::Problem,
};
use crate::{
    journeys::{Failure, Service, session::Freshness},
    kernel::{
        id::{AccountId, DeviceId, SessionId},
        secret::Secret,
        time::Timestamp,
    },
    model::{
        login::Method,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// `POST /v1/session/refresh`
pub(super) async fn refresh<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        session: SessionBody<'a>,
    }
    let mut body = Fields::read(request)?;
    let kept = match body.has("refreshToken") {
        true => None,
        false => cookie::refresh_token(service.settings, request)?,
    };
    let (token, transport) = match kept {
        Some(token) => (Some(token.to_owned()), Transport::Cookie),
        None => (body.text("refreshToken", 256), Transport::Body),
    };
    let token = body.finish(token.map(Secret::new))?;
    let tokens = match service.refresh(token.expose(), &request.place).await {
        Ok(tokens) => tokens,
        Err(Failure::Refusal(over))
            if transport == Transport::Cookie
                && matches!(over.code, Code::SessionExpired | Code::SessionRevoked) =>
        {
            return Ok(Reply::from(Problem::from(over)).with_cookies(cookie::cleared()));
        }
        Err(failure) => return Err(failure.into()),
    };
    let reply = login::json(&Answer { session: SessionBody::new(&tokens, transport) })?;
    Ok(match transport {
        Transport::Body => reply,
        Transport::Cookie => reply.with_cookies(cookie::of_session(&tokens)),
    })
}

/// `GET /v1/session`
pub(super) async fn who_am_i<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        account: Account,
        session: Session,
        device: Device,
        app: String,
        amr: Vec<Method>,
        auth_time: String,
    }
    #[derive(Serialize)]
    struct Account {
        id: AccountId,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Session {
        id: SessionId,
        expires_at: String,
    }
    #[derive(Serialize)]
    struct Device {
        id: DeviceId,
    }
    let token = cookie::access_token(service.settings, request)?;
    let freshness = match request.parameter("fresh").as_deref() {
        None | Some("false") => Freshness::Token,
        Some("edge") => Freshness::Edge,
        Some("true") => Freshness::Authority,
        Some(_) => return Err(Refusal::field("fresh", "must be true, edge or false").into()),
    };
    let claims = service.authenticate(token, freshness).await?;
    login::json(&Answer {
        account: Account { id: claims.sub },
        session: Session { id: claims.sid, expires_at: Timestamp::from_secs(claims.exp).rfc3339() },
        device: Device { id: claims.did },
        app: claims.aud,
        amr: claims.amr,
        auth_time: Timestamp::from_secs(claims.auth_time).rfc3339(),
    })
}
