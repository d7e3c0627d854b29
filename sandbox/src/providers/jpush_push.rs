//! 极光推送 v3: one JSON object under HTTP Basic; a push that is taken is answered without a code, a refused one with.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::basic;
use crate::{
    crypto,
    reply::{Answer, deliver},
    state::{PUSHES_KEPT, Pushed, World},
    tokens::{Behaviour, Provider},
};

const PATH: &str = "/v3/push";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(push))
}

async fn push(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let order: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer: &str| order.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let to = text("/audience/registration_id/0");
    world.seen(Provider::JpushPush, PATH, to);
    let refused = |status: StatusCode, code: u32, message: &str| {
        let body = json!({ "error": { "code": code, "message": message } });
        Ok(Answer { status, ..Answer::ok(body) })
    };
    let known = basic(headers).is_some_and(|(name, password)| {
        world.account(Provider::JpushPush, &name).is_some_and(|one| one.setting("masterSecret") == password)
    });
    if !known {
        return refused(StatusCode::UNAUTHORIZED, 1004, "Authen failed");
    }
    let alerts = [text("/notification/android/alert"), text("/notification/ios/alert")];
    if text("/platform") != "all" || alerts.iter().any(|alert| alert.is_empty()) {
        return refused(StatusCode::BAD_REQUEST, 1002, "Missing parameter");
    }
    if to.is_empty() || text("/options/apns_collapse_id").len() > 64 {
        return refused(StatusCode::BAD_REQUEST, 1003, "Invalid parameter");
    }
    let at_ms = world.now_ms();
    let mut ledger = world.ledger();
    let behaviour = ledger.fault(Provider::JpushPush, None)?.unwrap_or_default();
    let given = match behaviour {
        Behaviour::Refused => refused(StatusCode::TOO_MANY_REQUESTS, 2002, "Rate limit exceeded"),
        Behaviour::AccountFault => refused(StatusCode::FORBIDDEN, 2003, "App key is blocked"),
        Behaviour::Undeliverable => {
            refused(StatusCode::BAD_REQUEST, 1011, "cannot find user by this audience")
        }
        Behaviour::Http500 => Ok(Answer::ok(json!({}))),
        _ => {
            if ledger.pushes.len() >= PUSHES_KEPT {
                ledger.pushes.pop_front();
            }
            let [_, alert] = alerts;
            ledger.pushes.push_back(Pushed {
                to: to.to_owned(),
                text: alert.to_owned(),
                event: text("/notification/ios/extras/event").to_owned(),
                notice: text("/notification/ios/extras/notice").to_owned(),
                at_ms,
            });
            Ok(Answer::ok(json!({ "sendno": "0", "msg_id": crypto::random_number()?.to_string() })))
        }
    }?;
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, Reply};

    async fn send(bench: &Bench, basic: &str, to: &str) -> Reply {
        let headers = [("content-type", "application/json"), ("authorization", basic)];
        let alert = json!({ "alert": "Hi, JPush!" });
        let body = json!({
            "platform": "all", "audience": { "registration_id": [to] },
            "notification": { "android": alert, "ios": alert },
        });
        bench.send("POST", PATH, &headers, body.to_string()).await
    }

    /// The account of vector `jpush_basic_published` (vendor-published header).
    const BASIC: &str = "Basic N2Q0MzFlNDJkZmE2YTZkNjkzYWMyZDA0OjVlOTg3YWM2ZDJlMDRkOTVhOWQ4ZjBkMQ==";

    #[tokio::test]
    async fn taken_or_told_why_not() {
        let bench = Bench::new();
        let taken = send(&bench, BASIC, "190e35f7e07f7c3fe2a").await;
        assert!(taken.status == 200 && taken.json()["msg_id"].is_string());
        let pushes = bench.get("/sandbox/pushes?to=190e35f7e07f7c3fe2a").await.json();
        assert_eq!((pushes.as_array().unwrap().len(), &pushes[0]["text"]), (1, &json!("Hi, JPush!")));
        assert_eq!(bench.get("/sandbox/pushes?to=other").await.json(), json!([]));
        let stranger = send(&bench, "Basic eDp5", "190e35f7e07f7c3fe2a").await;
        assert_eq!((stranger.status, stranger.json()["error"]["code"].as_u64()), (401, Some(1004)));
        assert_eq!(send(&bench, BASIC, "").await.json()["error"]["code"], 1003);
        for (kind, status, code) in
            [("undeliverable", 400, 1011), ("refused", 429, 2002), ("account_fault", 403, 2003)]
        {
            let fault = json!({ "provider": "jpush_push", "rate": 1, "kind": kind }).to_string();
            bench.post("/sandbox/faults", "application/json", fault).await;
            let refused = send(&bench, BASIC, "190e35f7e07f7c3fe2a").await;
            assert_eq!((refused.status, refused.json()["error"]["code"].as_u64()), (status, Some(code)));
        }
        assert_eq!(bench.send("DELETE", "/sandbox/pushes", &[], String::new()).await.status, 204);
        assert_eq!(bench.get("/sandbox/pushes").await.json(), json!([]));
    }
}
