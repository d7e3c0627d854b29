//! `/sandbox/attestation`: an operator's verifier of attestations. The token says what it answers: `genuine.` and the nonce
//! for which it was made; `hang`, `http_500` and `garbage` are what they say; anything else is not genuine.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::post};
use serde::Deserialize;
use serde_json::json;

use crate::state::World;

/// Longer than anybody waits.
const HANG: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/attestation", post(verify))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    platform: String,
    token: String,
    nonce: String,
}

async fn verify(Json(asked): Json<Asked>) -> axum::response::Response {
    let Asked { platform, token, nonce } = asked;
    match token.as_str() {
        "hang" => {
            tokio::time::sleep(HANG).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        "http_500" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "garbage" => "{\"genuine\":".into_response(),
        _ => {
            let is_made_for_it = token.strip_prefix("genuine.") == Some(&nonce);
            Json(json!({ "genuine": is_made_for_it && !platform.is_empty() })).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn a_token_is_genuine_for_the_nonce_it_names() {
        let bench = Bench::new();
        for (token, genuine) in [("genuine.abc", true), ("genuine.abd", false), ("stolen", false)] {
            let asked = json!({ "platform": "android", "token": token, "nonce": "abc" }).to_string();
            let answer = bench.post("/sandbox/attestation", "application/json", asked).await;
            assert_eq!(answer.json(), json!({ "genuine": genuine }), "{token}");
        }
    }
}
