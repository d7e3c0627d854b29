//! `/v1/session...`

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    cookie::{self, Transport},
    fresh_proof,
    http::HttpIn,
    login,
    login_result::SessionBody,
    number_proof, own,
    problem::Problem,
};
use crate::{
    journeys::{
        Failure, Service,
        claim::Attempt,
        number_proof::CarrierProof,
        session::{Freshness, Refreshing},
        spent::Spent,
    },
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
        /// Whether the number counts as proven now; only where a proof was brought.
        #[serde(rename = "numberProven", skip_serializing_if = "Option::is_none")]
        number_proven: Option<bool>,
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
    let number = number_proof::by_carrier(&mut body);
    let token = body.finish(token.map(Secret::new))?;
    let proof = login::proof(request);
    let refreshing = Refreshing {
        token: token.expose(),
        proof: proof.as_ref(),
        number: number.as_ref().map(|number| CarrierProof {
            credential: &number.credential,
            phone: number.phone.as_ref(),
            attempt: Attempt::ONCE,
        }),
        address: &request.address,
        request_id: &request.id,
        place: &request.place,
    };
    let (tokens, renewed) = match service.refresh(&refreshing).await {
        Ok(refreshed) => refreshed,
        Err(Failure::Refusal(over))
            if transport == Transport::Cookie
                && matches!(over.code, Code::SessionExpired | Code::SessionRevoked) =>
        {
            return Ok(Reply::from(Problem::from(over)).with_cookies(cookie::cleared()));
        }
        Err(failure) => return Err(failure.into()),
    };
    let session = SessionBody::new(&tokens, transport);
    let reply = login::json(&Answer { session, number_proven: number.is_some().then_some(renewed) })?;
    Ok(match transport {
        Transport::Body => reply,
        Transport::Cookie => reply.with_cookies(cookie::of_session(&tokens)),
    })
}

/// `POST /v1/session/proof`: who is signed in proves anew that it is them.
pub(super) async fn prove<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let proof = fresh_proof::read(&mut body, "proof");
    let proof = body.finish(proof)?.bound(service.settings, request)?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let mut spent = Spent::default();
    let proven = service.prove_anew(&own::from(doer, request), &proof.as_proof(attempt), &mut spent).await;
    Ok(Reply::done(proven).after(spent))
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
