//! How an answer leaves the house: as it is, late, never, broken or cut.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Response, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use openssl::error::ErrorStack;
use serde_json::Value;

use crate::tokens::Behaviour;

/// Words that stand in every upstream failure page: a test can search for them where they must not appear.
pub(crate) const UPSTREAM_TEXT: &str = "SANDBOX-UPSTREAM-FAILURE node gw-7f3 at 10.9.8.7";

const SLOW: Duration = Duration::from_millis(1200);
const HANG: Duration = Duration::from_secs(30);

/// A vendor's answer and the way it is given.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) behaviour: Behaviour,
}

impl Answer {
    /// HTTP 200, given at once.
    pub(crate) fn ok(body: Value) -> Answer {
        Answer { status: StatusCode::OK, body, behaviour: Behaviour::Ok }
    }
}

/// Gives the answer as its behaviour says; a failure of our own cryptography is HTTP 500 with a JSON body.
pub(crate) async fn deliver(answer: Result<Answer, ErrorStack>) -> Response<Body> {
    let Ok(Answer { status, body, behaviour }) = answer else {
        return (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(serde_json::json!({ "error": "sandbox" })))
            .into_response();
    };
    let text = body.to_string();
    match behaviour {
        Behaviour::Slow => tokio::time::sleep(SLOW).await,
        Behaviour::Hang => {
            tokio::time::sleep(HANG).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Behaviour::Http500 => {
            let page =
                format!("<html><body><h1>Internal Server Error</h1><p>{UPSTREAM_TEXT}</p></body></html>");
            return (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/html")], page).into_response();
        }
        Behaviour::Garbage => {
            return json(StatusCode::OK, b"\x89\xff\xfe\x00 neither JSON nor UTF-8 \xc3\x28".to_vec());
        }
        Behaviour::Truncated => {
            let half = text.len() / 2;
            return json(status, text.into_bytes().into_iter().take(half).collect());
        }
        _ => {}
    }
    json(status, text.into_bytes())
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response<Body> {
    (status, [(CONTENT_TYPE, "application/json;charset=utf-8")], bytes).into_response()
}
