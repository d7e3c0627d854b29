//! Resend: a JSON object under a bearer key; errors have a name and the HTTP status that fits.
//!
//! Assumed: the name of a refusal for an address that gets nothing, which the vendor tells later and not at once.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, Response, StatusCode,
        header::{AUTHORIZATION, USER_AGENT},
    },
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use crate::{
    crypto,
    emails::address,
    reply::{Answer, deliver},
    sms::Fate,
    state::World,
    tokens::Provider,
};

const PATH: &str = "/emails";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(send))
}

async fn send(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let order: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer: &str| order.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let to = address(text("/to/0"));
    world.seen(Provider::Resend, PATH, to.as_deref().unwrap_or_default());
    let refused = |status: StatusCode, name: &str| {
        let body = json!({ "statusCode": status.as_u16(), "name": name, "message": name });
        Ok(Answer { status, ..Answer::ok(body) })
    };
    if !headers.contains_key(USER_AGENT) {
        // Whatever stands before the vendor answers with a page of its own.
        return Ok(Answer { status: StatusCode::FORBIDDEN, ..Answer::ok(json!("error code: 1010")) });
    }
    let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(key) = key else { return refused(StatusCode::UNAUTHORIZED, "missing_api_key") };
    let Some(account) = world.account(Provider::Resend, key) else {
        return refused(StatusCode::FORBIDDEN, "invalid_api_key");
    };
    if ["/from", "/subject", "/text"].iter().any(|pointer| text(pointer).is_empty()) {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "missing_required_field");
    }
    if text("/from") != account.setting("from") {
        return refused(StatusCode::FORBIDDEN, "validation_error");
    }
    let Some(to) = to else { return refused(StatusCode::UNPROCESSABLE_ENTITY, "validation_error") };
    let (fate, behaviour) = world.mail(account, &to, text("/subject"), text("/text").to_owned())?;
    let given = match fate {
        Fate::Accepted => Ok(Answer::ok(json!({ "id": crypto::random_hex()? }))),
        Fate::Refused => refused(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded"),
        Fate::AccountFault => refused(StatusCode::TOO_MANY_REQUESTS, "daily_quota_exceeded"),
        Fate::Undeliverable => refused(StatusCode::UNPROCESSABLE_ENTITY, "validation_error"),
    }?;
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, Reply};

    const FROM: &str = "Shop <code@shop.example>";

    async fn send(bench: &Bench, headers: &[(&str, &str)], to: &str) -> Reply {
        let body = json!({ "from": FROM, "to": [to], "subject": "Hello", "text": "It works" });
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        bench.send("POST", PATH, &all, body.to_string()).await
    }

    #[tokio::test]
    async fn taken_or_told_why_not() {
        let bench = Bench::new();
        let good = [("authorization", "Bearer re_invented"), ("user-agent", "test")];
        let taken = send(&bench, &good, "Ming@mail.example").await;
        assert!(taken.status == 200 && taken.json()["id"].is_string());
        let list = bench.get("/sandbox/email?to=ming@mail.example").await.json();
        let [one] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
        assert_eq!((&one["to"], &one["subject"]), (&json!("ming@mail.example"), &json!("Hello")));
        assert_eq!((&one["text"], &one["provider"]), (&json!("It works"), &json!("resend")));
        assert!(one["at"].is_string());
        assert_eq!(bench.get("/sandbox/email?to=other@mail.example").await.json(), json!([]));
        assert_eq!(bench.get("/sandbox/email?to=ming").await.status, 400);
        for (headers, status, name) in [
            (&good[1..], 401, "missing_api_key"),
            (&[("authorization", "Bearer re_other"), good[1]], 403, "invalid_api_key"),
        ] {
            let refused = send(&bench, headers, "ming@mail.example").await;
            assert_eq!((refused.status, &refused.json()["name"]), (status, &json!(name)));
        }
        assert_eq!(send(&bench, &good[..1], "ming@mail.example").await.status, 403, "no user agent");
        assert_eq!(send(&bench, &good, "ming").await.json()["name"], "validation_error");
        assert_eq!(bench.send("DELETE", "/sandbox/email", &[], String::new()).await.status, 204);
        assert_eq!(bench.get("/sandbox/email").await.json(), json!([]));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_have_gone_out_is_in_the_letter_box() {
        let bench = Bench::new();
        let good = [("authorization", "Bearer re_invented"), ("user-agent", "test")];
        for (kind, status, arrives) in [
            ("refused", 429, false),
            ("account_fault", 429, false),
            ("undeliverable", 422, false),
            ("http_500", 500, false),
            ("slow", 200, true),
            ("hang", 504, true),
            ("garbage", 200, true),
        ] {
            bench.send("DELETE", "/sandbox/email", &[], String::new()).await;
            let fault = json!({ "provider": "resend", "rate": 1, "kind": kind, "to": "Ming@mail.example" });
            let set = bench.post("/sandbox/faults", "application/json", fault.to_string()).await;
            assert_eq!(set.json()["faults"][0]["to"], "ming@mail.example");
            assert_eq!(send(&bench, &good, "ming@mail.example").await.status, status, "{kind}");
            assert_eq!(send(&bench, &good, "other@mail.example").await.status, 200, "{kind}");
            let list = bench.get("/sandbox/email?to=ming@mail.example").await.json();
            assert_eq!(!list.as_array().unwrap().is_empty(), arrives, "{kind}");
        }
    }
}
