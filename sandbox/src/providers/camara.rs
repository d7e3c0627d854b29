//! An operator that speaks CAMARA Number Recycling 0.2.0 (r2.2), with two-legged tokens.
//!
//! Checked in the order that the project's feature files want: correlator, token, body, date, number.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION},
    routing::post,
};
use jiff::{civil::Date, tz::Offset};
use openssl::error::ErrorStack;
use serde_json::json;

use super::Fields;
use crate::{
    people::Since,
    reply::{Answer, deliver},
    sms::e164,
    state::World,
    tokens::{Behaviour, Provider},
};

const PATH: &str = "/number-recycling/v0.2/check";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(check))
}

async fn check(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = Fields::json(headers, body);
    let phone = fields.as_ref().and_then(|fields| e164(fields.get("phoneNumber")));
    world.seen(Provider::Camara, PATH, phone.as_deref().unwrap_or_default());
    let refuse = |status: StatusCode, code: &str| {
        let body = json!({ "status": status.as_u16(), "code": code, "message": "The request was refused." });
        Ok(Answer { status, ..Answer::ok(body) })
    };
    let is_sane = |b: u8| b.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(&b);
    let correlator = header("x-correlator");
    if correlator.len() > 256 || !correlator.bytes().all(is_sane) {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT");
    }
    let token = header(AUTHORIZATION.as_str()).strip_prefix("Bearer ").unwrap_or_default();
    if world.account_with(Provider::Camara, "accessToken", token).is_none() {
        return refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED");
    }
    let Some(fields) = fields else { return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT") };
    let Some(since) = midnight(fields.get("specifiedDate")) else {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT");
    };
    if since > world.now_ms() {
        return refuse(StatusCode::BAD_REQUEST, "OUT_OF_RANGE");
    }
    let Some(phone) = phone else {
        return match fields.get("phoneNumber") {
            "" => refuse(StatusCode::UNPROCESSABLE_ENTITY, "MISSING_IDENTIFIER"),
            _ => refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        };
    };
    let behaviour = world.ledger().fault(Provider::Camara, None)?.unwrap_or_default();
    let given = match (behaviour, world.person(&phone)) {
        (Behaviour::Refused | Behaviour::Http500, _) => {
            refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
        }
        (Behaviour::AccountFault, _) => refuse(StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        (_, None) => refuse(StatusCode::NOT_FOUND, "IDENTIFIER_NOT_FOUND"),
        (_, Some(person)) => {
            Ok(Answer::ok(json!({ "phoneNumberRecycled": person.since(since) != Since::Neither })))
        }
    }?;
    Ok(Answer { behaviour, ..given })
}

/// The start of `yyyy-MM-dd` in UTC, as milliseconds since 1970.
fn midnight(text: &str) -> Option<i64> {
    let date = Date::strptime("%Y-%m-%d", text).ok().filter(|_| text.len() == 10)?;
    Some(Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::{Bench, Reply};

    async fn ask(bench: &Bench, token: &str, correlator: &str, body: Value) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("content-type", "application/json"),
            ("authorization", bearer.as_str()),
            ("x-correlator", correlator),
        ];
        bench.send("POST", PATH, &headers, body.to_string()).await
    }

    #[tokio::test]
    async fn it_knows_whom_it_was_told_of() {
        let bench = Bench::new();
        let told = json!({ "phone": "+34600000000", "reassigned": ["2026-06-01T12:00:00Z"] });
        bench.people(told).await;
        for (date, recycled) in [("2026-06-01", true), ("2026-06-02", false)] {
            let body = json!({ "phoneNumber": "+34600000000", "specifiedDate": date });
            let reply = ask(&bench, "invented-token", "b4333c46-49c0", body).await;
            assert_eq!((reply.status, reply.json()), (200, json!({ "phoneNumberRecycled": recycled })));
        }
    }

    #[tokio::test]
    async fn errors_have_status_code_and_message() {
        let bench = Bench::new();
        let date = "2026-06-01";
        let number = "+34600000000";
        for (token, correlator, body, status, code) in [
            ("invented-token", "a b", json!({}), 400, "INVALID_ARGUMENT"),
            ("another", "", json!({}), 401, "UNAUTHENTICATED"),
            ("invented-token", "", json!({}), 400, "INVALID_ARGUMENT"),
            ("invented-token", "", json!({ "specifiedDate": "1 June" }), 400, "INVALID_ARGUMENT"),
            ("invented-token", "", json!({ "specifiedDate": "9026-06-01" }), 400, "OUT_OF_RANGE"),
            ("invented-token", "", json!({ "specifiedDate": date }), 422, "MISSING_IDENTIFIER"),
            (
                "invented-token",
                "",
                json!({ "phoneNumber": "6", "specifiedDate": date }),
                400,
                "INVALID_ARGUMENT",
            ),
            (
                "invented-token",
                "",
                json!({ "phoneNumber": number, "specifiedDate": date }),
                404,
                "IDENTIFIER_NOT_FOUND",
            ),
        ] {
            let reply = ask(&bench, token, correlator, body).await;
            let body = reply.json();
            assert_eq!(
                (reply.status, &body["status"], &body["code"]),
                (status, &json!(status), &json!(code))
            );
            assert!(body["message"].is_string());
        }
    }
}
