//! `/sandbox/receipts`: lets a vendor tell what became of a message.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::{Request, StatusCode, Uri, header},
    routing::post,
};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;

use super::{Reply, bad_request, broken};
use crate::{
    providers::{self, Delivery, Push},
    sms::e164,
    state::World,
    tokens::Provider,
};

/// How long the one called back may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/receipts", post(push))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetReceipt {
    provider: Provider,
    /// `http` on this machine.
    url: String,
    /// Default: whoever got the vendor's last message.
    to: Option<String>,
    delivered: bool,
}

/// Calls back about the last message of the vendor, and answers with what came of the call.
async fn push(State(world): State<Arc<World>>, body: Result<Json<SetReceipt>, JsonRejection>) -> Reply {
    let Json(SetReceipt { provider, url, to, delivered }) =
        body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let to = to.map(|to| e164(&to).ok_or_else(|| bad_request("to: not a number"))).transpose()?;
    let message = world
        .ledger()
        .messages
        .iter()
        .rev()
        .find(|message| message.provider == provider && to.as_ref().is_none_or(|to| message.to == *to))
        .cloned()
        .ok_or_else(|| bad_request("this provider has accepted no such message"))?;
    let account = world.account(provider, &message.account_id).ok_or_else(broken)?;
    let delivery = Delivery { account, message: &message, delivered, url: &url, now_ms: world.now_ms() };
    let push = providers::receipt(&delivery).map_err(|_| broken())?.ok_or_else(broken)?;
    let address: Uri = url.parse().map_err(|_| bad_request("url: not a URL"))?;
    let host = address.host().unwrap_or_default();
    if address.scheme_str() != Some("http") || !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        return Err(bad_request("url: not http on loopback"));
    }
    match tokio::time::timeout(PATIENCE, call(&address, push)).await {
        Ok(Some((status, body))) => Ok(Json(json!({ "status": status, "body": body }))),
        _ => Err((StatusCode::BAD_GATEWAY, Json(json!({ "error": "unreachable" })))),
    }
}

/// Status and body of the answer. `None`: nobody there, or no HTTP.
async fn call(address: &Uri, push: Push) -> Option<(u16, String)> {
    let host = address.host()?.trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, address.port_u16().unwrap_or(80))).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);

    let mut target = address.path_and_query()?.to_string();
    if !push.query.is_empty() {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&push.query);
    }
    let request = Request::builder()
        .method(if push.body.is_some() { "POST" } else { "GET" })
        .uri(target)
        .header(header::HOST, address.authority()?.as_str());
    let request = push.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let answer = sender.send_request(request.body(push.body.unwrap_or_default()).ok()?).await.ok()?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Bytes, http::HeaderMap, routing::any};
    use serde_json::Value;
    use tokio::net::TcpListener;

    use super::*;
    use crate::testing::Bench;

    /// Somebody who repeats what he is told.
    async fn echo() -> String {
        let app = Router::new().fallback(any(async |uri: Uri, headers: HeaderMap, body: Bytes| {
            let signed = headers.contains_key("x-twilio-signature");
            format!("{uri} {signed} {}", String::from_utf8_lossy(&body))
        }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/receipts/secret", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        url
    }

    #[tokio::test]
    async fn every_vendor_calls_back_in_its_own_words() {
        let bench = Bench::new();
        let url = echo().await;
        for (provider, wanted) in [
            (Provider::ChuanglanSms, "?msgid=id-1&"),
            (Provider::ChuanglanSmsV2, "status=UNDELIV"),
            (Provider::ChuanglanSmsIntl, "mobile=13800138000"),
            (Provider::AliyunSms, r#""biz_id":"id-1""#),
            (Provider::TencentSms, r#""report_status":"FAIL""#),
            (Provider::Twilio, "true AccountSid="),
            (Provider::Twilio, "MessageStatus=undelivered"),
        ] {
            let account = bench.world.account_for(provider, None, None).unwrap();
            bench.world.submit(account, "+8613800138000", "text".to_owned(), "id-1").unwrap();
            let body = json!({ "provider": provider, "url": url, "to": "13800138000", "delivered": false });
            let reply = bench.post("/sandbox/receipts", "application/json", body.to_string()).await.json();
            assert_eq!(reply["status"], 200, "{provider:?}");
            let heard = reply["body"].as_str().unwrap();
            assert!(heard.starts_with("/receipts/secret") && heard.contains(wanted), "{heard}");
        }
    }

    #[tokio::test]
    async fn nobody_is_called_elsewhere_or_about_nothing() {
        let bench = Bench::new();
        let call = async |url: &str| {
            let body: Value = json!({ "provider": "twilio", "url": url, "delivered": true });
            bench.post("/sandbox/receipts", "application/json", body.to_string()).await.status
        };
        assert_eq!(call("http://127.0.0.1:1/").await, 400);
        let account = bench.world.account_for(Provider::Twilio, None, None).unwrap();
        bench.world.submit(account, "+8613800138000", "text".to_owned(), "id-1").unwrap();
        for bad in ["http://192.0.2.1/", "https://127.0.0.1/", "nothing"] {
            assert_eq!(call(bad).await, 400, "{bad}");
        }
    }
}
