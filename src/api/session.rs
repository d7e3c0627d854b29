//! `/v1/session...`

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    http::HttpIn,
    login::{self, SessionBody},
    number_proof,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        session::{Freshness, NumberProof, Refreshing},
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
    let token = body.text("refreshToken", 256).map(Secret::new);
    let number = number_proof::by_carrier(&mut body);
    let token = body.finish(token)?;
    let proof = login::proof(request);
    let refreshing = Refreshing {
        token: token.expose(),
        proof: proof.as_ref(),
        number: number
            .as_ref()
            .map(|number| NumberProof { credential: &number.credential, phone: number.phone.as_ref() }),
        address: &request.address,
        request_id: &request.id,
        place: &request.place,
    };
    let (tokens, renewed) = service.refresh(&refreshing).await?;
    login::json(&Answer { session: (&tokens).into(), number_proven: number.is_some().then_some(renewed) })
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
    let token = request.bearer().ok_or(Problem::of(Code::Unauthenticated))?;
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
