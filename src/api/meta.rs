//! What is said about the service itself.

use std::borrow::Cow;

use super::{
    Reply,
    http::{HttpIn, HttpOut},
    login,
    problem::Problem,
};
use crate::{
    journeys::Service,
    model::{
        network::Network,
        platform::Platform,
        refusal::{Code, FieldProblem, Refusal},
    },
    ports::World,
};

/// `GET /healthz`: the configuration is whole and everything is bound; otherwise this is not reached.
pub(super) fn health() -> Reply {
    Reply::Json(br#"{"status":"ok"}"#.to_vec())
}

/// `GET /.well-known/jwks.json`
pub(super) fn jwks<W: World>(service: Service<'_, W>) -> Result<Reply, Problem> {
    let body = login::bytes(&service.settings.signing.public())?;
    let mut out = HttpOut::json(200, body);
    // Verifiers keep the set this long, so a new key must be listed as long before it signs.
    out.headers.push(("cache-control", "public, max-age=300".to_owned()));
    Ok(Reply::Ready(out))
}

/// `GET /v1/client-config`
pub(super) fn client_config<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, problem: &str| {
        problems.push(FieldProblem { name: name.to_owned(), problem: problem.to_owned() });
    };
    let app = request.parameter("app").unwrap_or(Cow::Borrowed("default"));
    if !service.settings.apps.iter().any(|served| *served == app) {
        wrong("app", "is not an app of this service");
    }
    let platform = request.parameter("platform");
    let known = platform.as_deref().and_then(Platform::from_name);
    if platform.is_some() && known.is_none() {
        wrong("platform", "must be one of ios, android, harmony, web, miniprogram");
    }
    let network = request.parameter("network");
    let network =
        network.as_deref().map_or(Some(Network::Unknown), Network::from_name).unwrap_or_else(|| {
            wrong("network", "must be one of wifi, cellular, none, unknown");
            Network::Unknown
        });
    if !problems.is_empty() {
        return Err(Refusal { fields: problems, ..Refusal::new(Code::InvalidRequest) }.into());
    }
    let model = request.parameter("model");
    let config = service.client_config(&app, known, model.as_deref(), network);
    let mut out = HttpOut::json(200, login::bytes(&config)?);
    out.headers.push(("cache-control", "private, max-age=300".to_owned()));
    Ok(Reply::Ready(out))
}
