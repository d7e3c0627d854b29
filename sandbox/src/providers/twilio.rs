//! Twilio Programmable Messaging: a form under HTTP Basic; errors have a code and the HTTP status that fits.
//!
//! Assumed: 20005 for an account without balance, 20404 for a path of another account.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::{Delivery, Fields, Push, basic};
use crate::{
    crypto,
    reply::{Answer, deliver},
    sms::{Fate, e164},
    state::World,
    tokens::Provider,
};

const PATH: &str = "/2010-04-01/Accounts/{sid}/Messages.json";
/// Longest text, in characters.
const LONGEST: usize = 1600;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(create))
}

/// The status callback, signed as Twilio signs: URL, then names and values in their order.
pub(crate) fn receipt(delivery: &Delivery<'_>) -> Result<Push, ErrorStack> {
    let message = delivery.message;
    let status = if delivery.delivered { "delivered" } else { "undelivered" };
    let mut fields = vec![
        ("AccountSid", message.account_id.as_str()),
        ("From", delivery.account.setting("from")),
        ("MessageSid", &message.id),
        ("MessageStatus", status),
        ("SmsSid", &message.id),
        ("To", &message.to),
    ];
    if !delivery.delivered {
        fields.insert(1, ("ErrorCode", "30003"));
    }
    let text: String = fields.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let signature =
        crypto::hmac_sha1_base64(delivery.account.setting("authToken"), &format!("{}{text}", delivery.url))?;
    Ok(Push {
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-twilio-signature", signature),
        ],
        body: Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()),
        ..Push::default()
    })
}

async fn create(
    State(world): State<Arc<World>>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(exchange(&world, &sid, &headers, &body)).await
}

fn exchange(world: &World, sid: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::form(headers, body).unwrap_or_default();
    let to = Some(fields.get("To")).filter(|to| to.starts_with('+')).and_then(e164);
    world.seen(Provider::Twilio, PATH, to.as_deref().unwrap_or_default());
    let refused = |status: StatusCode, code: u32, message: &str| {
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        let body = json!({ "code": code, "message": message, "more_info": more, "status": status.as_u16() });
        Ok(Answer { status, ..Answer::ok(body) })
    };
    let bad = |code, message| refused(StatusCode::BAD_REQUEST, code, message);
    let account = basic(headers).and_then(|(name, password)| {
        world.account(Provider::Twilio, &name).filter(|account| account.setting("authToken") == password)
    });
    let Some(account) = account else {
        return refused(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    };
    if account.id() != sid {
        return refused(StatusCode::NOT_FOUND, 20404, "The requested resource was not found");
    }
    let Some(to) = to else { return bad(21211, "Invalid 'To' Phone Number") };
    let ours = |field: &str, setting: &str| {
        !fields.get(field).is_empty() && fields.get(field) == account.setting(setting)
    };
    if !ours("From", "from") && !ours("MessagingServiceSid", "messagingServiceSid") {
        return bad(21606, "The 'From' phone number provided is not a valid message-capable number");
    }
    let text = fields.get("Body");
    if text.is_empty() {
        return bad(21602, "Message body is required");
    }
    if text.chars().count() > LONGEST {
        return bad(21617, "The concatenated message body exceeds the 1600 character limit");
    }
    let id = format!("SM{}", crypto::random_hex()?);
    let (fate, behaviour) = world.submit(account, &to, text.to_owned(), &id)?;
    let given = match fate {
        Fate::Accepted => Ok(Answer {
            status: StatusCode::CREATED,
            ..Answer::ok(json!({
                "sid": id, "account_sid": sid, "to": to, "from": fields.get("From"), "body": text,
                "status": "queued", "num_segments": "1", "error_code": null, "error_message": null,
                "price": null, "direction": "outbound-api",
                "uri": format!("/2010-04-01/Accounts/{sid}/Messages/{id}.json"),
            }))
        }),
        Fate::Refused => refused(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests"),
        Fate::AccountFault => refused(StatusCode::FORBIDDEN, 20005, "Account not active"),
        Fate::Undeliverable => bad(21610, "Attempt to send to unsubscribed recipient"),
    }?;
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, Reply, form};

    /// Vector `twilio_basic` (computed).
    const BASIC: &str =
        "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

    async fn send(bench: &Bench, basic: &str, to: &str) -> Reply {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic)];
        let body = form(&[("To", to), ("From", "+15005550006"), ("Body", "code 012345")]);
        let uri = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
        bench.send("POST", uri, &headers, body).await
    }

    #[tokio::test]
    async fn created_or_told_why_not() {
        let bench = Bench::new();
        assert_eq!(send(&bench, BASIC, "+8613800138000").await.status, 201);
        let stranger = send(&bench, "Basic eDp5", "+8613800138000").await;
        assert_eq!((stranger.status, stranger.json()["code"].as_u64()), (401, Some(20003)));
        assert_eq!(send(&bench, BASIC, "13800138000").await.json()["code"], 21211);
        assert_eq!(bench.calls("twilio").await["tokens"]["+8613800138000"], 2);
        assert_eq!(bench.send("DELETE", "/sandbox/sms", &[], String::new()).await.status, 204);
        assert_eq!(bench.get("/sandbox/sms").await.json(), json!([]));
    }

    #[tokio::test(start_paused = true)]
    async fn only_messages_that_may_have_gone_out_are_in_the_phone() {
        let bench = Bench::new();
        for (kind, status, arrives) in [
            ("refused", 429, false),
            ("account_fault", 403, false),
            ("undeliverable", 400, false),
            ("http_500", 500, false),
            ("slow", 201, true),
            ("hang", 504, true),
            ("garbage", 200, true),
            ("truncated", 201, true),
        ] {
            bench.send("DELETE", "/sandbox/sms", &[], String::new()).await;
            let fault = json!({ "provider": "twilio", "rate": 1, "kind": kind, "to": "13800138000" });
            let set = bench.post("/sandbox/faults", "application/json", fault.to_string()).await;
            assert_eq!(set.json()["faults"][0]["to"], "+8613800138000");
            assert_eq!(send(&bench, BASIC, "+8613800138000").await.status, status, "{kind}");
            assert_eq!(send(&bench, BASIC, "+8613800138001").await.status, 201, "{kind}");
            let list = bench.get("/sandbox/sms?to=13800138000").await.json();
            assert_eq!(!list.as_array().unwrap().is_empty(), arrives, "{kind}");
        }
    }
}
