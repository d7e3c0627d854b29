//! 极光业务风控: a score from 0 to 1000 for a number and an address; the higher, the riskier.
//!
//! Assumed: HTTP 200 with every code.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::{Fields, basic};
use crate::{
    crypto,
    reply::{Answer, deliver},
    sms::e164,
    state::World,
    tokens::{Behaviour, Provider},
};

const PATH: &str = "/v2/web/queryBusinessRisk";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(query))
}

async fn query(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::json(headers, body).unwrap_or_default();
    let phone = e164(fields.get("phone"));
    world.seen(Provider::JpushRisk, PATH, phone.as_deref().unwrap_or_default());
    let id = crypto::random_number()?;
    let refused =
        |code: u32, content: &str| Answer::ok(json!({ "id": id, "code": code, "content": content }));
    let known = basic(headers).is_some_and(|(name, password)| {
        world.account(Provider::JpushRisk, &name).is_some_and(|one| one.setting("masterSecret") == password)
    });
    if !known {
        return Ok(refused(1802, "authentication failed"));
    }
    let Some(phone) = phone else { return Ok(refused(1801, "invalid parameter")) };
    let behaviour = world.ledger().fault(Provider::JpushRisk, None)?.unwrap_or_default();
    let given = match behaviour {
        Behaviour::Refused | Behaviour::Http500 => refused(2000, "internal error"),
        Behaviour::AccountFault => refused(1805, "insufficient balance"),
        _ => Answer::ok(json!({
            "id": id, "code": 0, "content": "success", "exID": fields.get("exID"),
            "score": world.score(&phone, fields.get("ip")), "tags": [], "detail": {},
        })),
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    /// The account of vector `jpush_basic_published` (vendor-published header).
    #[tokio::test]
    async fn scores_are_those_that_were_set() {
        let bench = Bench::new();
        let ask = async |phone: serde_json::Value, ip: &str| {
            let headers = [
                ("content-type", "application/json"),
                (
                    "authorization",
                    "Basic N2Q0MzFlNDJkZmE2YTZkNjkzYWMyZDA0OjVlOTg3YWM2ZDJlMDRkOTVhOWQ4ZjBkMQ==",
                ),
            ];
            let body = json!({ "phone": phone, "ip": ip }).to_string();
            bench.send("POST", PATH, &headers, body).await.json()
        };
        let body = json!({ "phone": "13800138000", "score": 700 }).to_string();
        assert_eq!(bench.post("/sandbox/risk", "application/json", body).await.status, 200);
        assert_eq!(ask(json!("13800138000"), "192.0.2.1").await["score"], 700);
        assert_eq!(ask(json!(13_800_138_000_i64), "").await["score"], 700);
        assert_eq!(ask(json!("13800138001"), "192.0.2.1").await["score"], 0);
        assert_eq!(ask(json!("x"), "").await["code"], 1801);
        let nobody = bench.post(PATH, "application/json", "{}".to_owned()).await.json();
        assert_eq!(nobody["code"], 1802);
    }
}
