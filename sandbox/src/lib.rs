//! Carriers, registers, SMS, e-mail, captcha and risk vendors simulated on loopback: the providers' wire protocols on their own paths, for development and tests.
//!
//! Purpose: the service under test calls this process as if it were the vendors. Signatures are checked, tokens are used
//! once and expire, and any answer can be made to go wrong on request (`/sandbox/*`).
//! Invariants: state lives in memory only; every vendor is one module of `providers` that nobody else imports; the
//! cryptography is not the service's own (`crypto`).

mod captchas;
mod control;
mod crypto;
mod emails;
mod idp;
mod people;
mod providers;
mod reply;
mod risk;
mod sms;
mod state;
#[cfg(test)]
mod testing;
mod tokens;

pub use state::{Config, World};

use std::sync::Arc;

use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::json;

/// The whole simulator over one world: vendors' paths, the control API and `GET /healthz`.
///
/// Unknown paths answer 404 with a JSON body, known paths with another method 405.
pub fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .merge(control::routes())
        .merge(providers::routes())
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))))
        .with_state(world)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[tokio::test]
    async fn health_and_unknown_paths() {
        let bench = Bench::new();
        assert_eq!(bench.get("/healthz").await.status, 200);
        let unknown = bench.get("/open/flashsdk/nothing").await;
        assert_eq!((unknown.status, unknown.json()["error"].as_str()), (404, Some("not_found")));
        assert_eq!(bench.get("/open/flashsdk/mobile-query").await.status, 405);
    }
}
