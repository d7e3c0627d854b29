//! Cloudflare Turnstile: `siteverify`. Tokens count once, for five minutes; an idempotency key lets a question be repeated.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use serde_json::json;

use super::Fields;
use crate::{
    captchas::{Question, Verdict},
    reply::{Answer, deliver},
    state::World,
    tokens::{Behaviour, Provider},
};

const PATH: &str = "/turnstile/v0/siteverify";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(verify))
}

async fn verify(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::form(headers, body).or_else(|| Fields::json(headers, body));
    world.seen(Provider::Turnstile, PATH, fields.as_ref().map_or("", |fields| fields.get("response")));
    let failed = |code: &str| Answer::ok(json!({ "success": false, "error-codes": [code], "messages": [] }));
    let Some(fields) = fields else { return Ok(failed("bad-request")) };
    if !fields.have(&["secret"]) {
        return Ok(failed("missing-input-secret"));
    }
    let Some(account) = world.account_with(Provider::Turnstile, "secretKey", fields.get("secret")) else {
        return Ok(failed("invalid-input-secret"));
    };
    let token = fields.get("response");
    if token.is_empty() {
        return Ok(failed("missing-input-response"));
    }
    let behaviour = world.ledger().fault(Provider::Turnstile, None)?.unwrap_or_default();
    let given = match behaviour {
        Behaviour::Refused | Behaviour::Http500 => failed("internal-error"),
        Behaviour::AccountFault => failed("invalid-input-secret"),
        _ => {
            let key = fields.get("idempotency_key");
            let question = Question { account_id: account.id(), token, key, companions: &[] };
            match world.judge(Provider::Turnstile, &question) {
                Verdict::Pass => {
                    let at = Timestamp::from_millisecond(world.now_ms()).map(|at| at.to_string());
                    Answer::ok(json!({
                        "success": true, "error-codes": [], "challenge_ts": at.unwrap_or_default(),
                        "hostname": "localhost", "action": "", "cdata": "", "metadata": {},
                    }))
                }
                Verdict::Fail | Verdict::Unknown => failed("invalid-input-response"),
                Verdict::Stale => failed("timeout-or-duplicate"),
            }
        }
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    #[tokio::test]
    async fn a_token_counts_once_and_for_five_minutes() {
        let bench = Bench::new();
        let ask = async |secret: &str, token: &str, key: &str| {
            let body = form(&[("secret", secret), ("response", token), ("idempotency_key", key)]);
            let reply = bench.post(PATH, "application/x-www-form-urlencoded", body).await.json();
            reply["error-codes"].get(0).map_or("", |code| code.as_str().unwrap()).to_owned()
        };
        let secret = "0xInventedSecret";
        let token = bench.captcha(json!({ "provider": "turnstile" })).await;
        assert_eq!(ask("another", &token, "").await, "invalid-input-secret");
        assert_eq!(ask(secret, "another", "").await, "invalid-input-response");
        assert_eq!(ask(secret, &token, "k1").await, "");
        assert_eq!(ask(secret, &token, "k1").await, "");
        assert_eq!(ask(secret, &token, "k2").await, "timeout-or-duplicate");
        let failed = bench.captcha(json!({ "provider": "turnstile", "outcome": "fail" })).await;
        assert_eq!(ask(secret, &failed, "").await, "invalid-input-response");
        let late = bench.captcha(json!({ "provider": "turnstile" })).await;
        bench.world.shift_clock(301);
        assert_eq!(ask(secret, &late, "").await, "timeout-or-duplicate");
    }
}
