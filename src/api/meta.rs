//! What is said about the service itself.

use super::{Reply, http::HttpOut, problem::Problem};
use crate::{journeys::Service, kernel::fault::Fault, ports::World};

/// `GET /healthz`: the configuration is whole and everything is bound; otherwise this is not reached.
pub(super) fn health() -> Reply {
    Reply::Json(br#"{"status":"ok"}"#.to_vec())
}

/// `GET /.well-known/jwks.json`
pub(super) fn jwks<W: World>(service: Service<'_, W>) -> Result<Reply, Problem> {
    let body = serde_json::to_vec(&service.settings.signing.public());
    let body = body.map_err(|_| Problem::internal(Fault::new("answer_does_not_serialise")))?;
    let mut out = HttpOut::json(200, body);
    // Verifiers keep the set this long, so a new key must be listed as long before it signs.
    out.headers.push(("cache-control", "public, max-age=300".to_owned()));
    Ok(Reply::Ready(out))
}
