//! A backend with one resource: `GET /me` answers whose session the bearer token stands for.

mod keys;
mod sessions;
mod settings;

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    sessions::{Sessions, Verdict},
    settings::Settings,
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "says that it is ready")]
async fn main() -> Result<()> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
    let app = Router::new().route("/me", get(me)).with_state(Arc::new(Sessions::new(settings)?));
    println!("ready: http://{}/me", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    fresh: bool,
}

async fn me(
    State(sessions): State<Arc<Sessions>>,
    Query(Parameters { fresh }): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let Some(token) = bearer(&headers) else {
        // RFC 6750, section 3.1: no error code for who brings no token.
        return unauthenticated("Bearer", "unauthenticated");
    };
    match whose(&sessions, token, fresh).await {
        Ok(Verdict::Good(account)) => answer(StatusCode::OK, json!({ "account": account })),
        Ok(Verdict::Invalid) => unauthenticated(r#"Bearer error="invalid_token""#, "invalid_token"),
        Err(error) => unavailable(&error),
    }
}

async fn whose(sessions: &Sessions, token: &str, fresh: bool) -> Result<Verdict> {
    let verdict = sessions.verify(token).await?;
    // Only for a token that is good otherwise: noise must not use up the quota of the API key.
    if fresh && matches!(verdict, Verdict::Good(_)) && !sessions.is_alive(token).await? {
        return Ok(Verdict::Invalid);
    }
    Ok(verdict)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthenticated(challenge: &'static str, error: &str) -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, challenge)];
    (challenge, answer(StatusCode::UNAUTHORIZED, json!({ "error": error }))).into_response()
}

/// The service could not be asked. Nobody is let in on a guess, and nobody is sent to sign in again for it.
#[expect(clippy::print_stderr, reason = "its log")]
fn unavailable(error: &anyhow::Error) -> Response {
    eprintln!("{error:#}");
    answer(StatusCode::SERVICE_UNAVAILABLE, json!({ "error": "temporarily_unavailable" }))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
