//! 创蓝, the new platform: what a number is and was, and in whose name it is.
//!
//! As the vendor's SDK sends and reads it. Assumed: all codes but 000000 and 301000, that a nonce is good once, and that
//! CurTime may stand as far from the clock as with other vendors.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::{Fields, format_beijing, parse_beijing};
use crate::{
    control::is_mobile,
    crypto,
    people::{Person, Since, Status},
    reply::{Answer, deliver},
    sms::e164,
    state::World,
    tokens::{Behaviour, Provider},
};

const RESALE: &str = "/api/v2/carrier/unn/moresale";
const STATUS: &str = "/api/v2/carrier/mobstatus/mobstatus-query-basic";
const NAMES: &str = "/api/v2/auth/carriers/carriers-two-auth";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(RESALE, post(query)).route(STATUS, post(query)).route(NAMES, post(query))
}

async fn query(State(world): State<Arc<World>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, uri.path(), &headers, &body)).await
}

fn exchange(world: &World, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::json(headers, body).unwrap_or_default();
    let phone = e164(fields.get("mobile")).filter(|_| is_mobile(fields.get("mobile")));
    world.seen(Provider::ChuanglanData, path, phone.as_deref().unwrap_or_default());
    let id = crypto::random_hex()?;
    let refused = |code: &str, message: &str| {
        Answer::ok(json!({ "code": code, "msg": message, "requestId": id, "chargeStatus": 0 }))
    };
    if !is_signed(world, headers)? {
        return Ok(refused("300001", "签名校验失败"));
    }
    let Some(phone) = phone else { return Ok(refused("300002", "手机号格式错误")) };
    let since = parse_beijing(&format!("{}000000000", fields.get("sinceDate")));
    if (path == RESALE && since.is_none()) || (path == NAMES && !fields.have(&["name"])) {
        return Ok(refused("300003", "参数错误"));
    }
    let behaviour = world.ledger().fault(Provider::ChuanglanData, None)?.unwrap_or_default();
    let given = match behaviour {
        Behaviour::Refused | Behaviour::Http500 => {
            Answer { status: StatusCode::INTERNAL_SERVER_ERROR, ..refused("301000", "系统错误") }
        }
        Behaviour::AccountFault => refused("300004", "账户余额不足"),
        _ => {
            let person = world.person(&phone);
            let (name, value, is_charged) = match path {
                RESALE => resale(person, since.unwrap_or_default()),
                STATUS => status(person, world.now_ms()),
                _ => names(person, fields.get("name")),
            };
            let time = format_beijing(world.now_ms());
            let data = json!({
                "orderNo": fields.get("orderNo"), "mobile": fields.get("mobile"), "handleTime": time.get(..14),
                name: value,
            });
            let charge = u8::from(is_charged);
            Answer::ok(json!({
                "code": "000000", "msg": "success", "requestId": id, "chargeStatus": charge, "chargeCount": charge,
                "data": data,
            }))
        }
    };
    Ok(Answer { behaviour, ..given })
}

fn resale(person: Option<Person>, since_ms: i64) -> (&'static str, &'static str, bool) {
    let value = match person.map(|person| person.since(since_ms)) {
        Some(Since::Reassigned) => "1",
        Some(Since::Neither) => "2",
        Some(Since::Cancelled) => "3",
        None => "11",
    };
    ("status", value, value != "11")
}

fn status(person: Option<Person>, now_ms: i64) -> (&'static str, &'static str, bool) {
    let value = match person.map(|person| person.status(now_ms)) {
        Some(Status::Active) => "1",
        Some(Status::Vacant) => "2",
        Some(Status::Off) => "5",
        Some(Status::Suspended) => "13",
        Some(Status::Unknown) | None => "10",
    };
    ("status", value, value != "10")
}

fn names(person: Option<Person>, name: &str) -> (&'static str, &'static str, bool) {
    let value = match person.and_then(|person| person.name) {
        Some(known) if known == name => "01",
        Some(_) => "02",
        None => "03",
    };
    ("result", value, value != "03")
}

/// Whether CheckSum is the upper-case SHA-1 of secret, Nonce and CurTime, and neither of the latter is old.
fn is_signed(world: &World, headers: &HeaderMap) -> Result<bool, ErrorStack> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(account) = world.account(Provider::ChuanglanData, header("appid")) else { return Ok(false) };
    let (nonce, time) = (header("nonce"), header("curtime"));
    let is_recent = time.parse().is_ok_and(|seconds: i64| world.is_recent(seconds.saturating_mul(1000)));
    let sum = crypto::sha1_hex(&format!("{}{nonce}{time}", account.setting("appSecret")))?.to_uppercase();
    Ok(is_recent
        && (1..=128).contains(&nonce.len())
        && header("checksum") == sum
        && world.nonce_is_new(&format!("chuanglan_data {nonce}")))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::Bench;

    /// A request of the vendor's SDK, with a fresh nonce.
    async fn ask(bench: &Bench, path: &str, secret: &str, body: Value) -> Value {
        let nonce = crypto::random_hex().unwrap();
        let time = (bench.world.now_ms() / 1000).to_string();
        let sum = crypto::sha1_hex(&format!("{secret}{nonce}{time}")).unwrap().to_uppercase();
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("AppID", "A1234567"),
            ("Nonce", nonce.as_str()),
            ("CurTime", time.as_str()),
            ("CheckSum", sum.as_str()),
        ];
        bench.send("POST", path, &headers, body.to_string()).await.json()
    }

    const SECRET: &str = "InventedAppSecret01";

    #[test]
    fn chuanglan_checksum_sha1() {
        let base = "InventedAppSecret013f2504e0-4f89-41d3-9a0c-0305e82c33011795132800";
        assert_eq!(
            crypto::sha1_hex(base).unwrap().to_uppercase(),
            "84B6E3640B83763B880FA9130B83823BEF5EC444"
        );
    }

    #[tokio::test]
    async fn it_knows_whom_it_was_told_of() {
        let bench = Bench::new();
        let resale = async |since: &str| {
            let body = json!({ "mobile": "13800138000", "sinceDate": since, "orderNo": "o" });
            let answer = ask(&bench, RESALE, SECRET, body).await;
            (answer["data"]["status"].as_str().unwrap().to_owned(), answer["chargeStatus"].as_u64())
        };
        let name = async |name: &str| {
            let answer = ask(&bench, NAMES, SECRET, json!({ "mobile": "13800138000", "name": name })).await;
            answer["data"]["result"].as_str().unwrap().to_owned()
        };
        let status = async || {
            let answer = ask(&bench, STATUS, SECRET, json!({ "mobile": "13800138000" })).await;
            answer["data"]["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (resale("20260101").await, name("王小红").await),
            (("11".to_owned(), Some(0)), "03".to_owned())
        );
        assert_eq!(status().await, "10");
        let told =
            json!({ "phone": "13800138000", "name": "王小红", "reassigned": ["2026-06-01T00:00:00+08:00"] });
        bench.people(told).await;
        assert_eq!(resale("20260531").await, ("1".to_owned(), Some(1)));
        assert_eq!(resale("20260601").await, ("2".to_owned(), Some(1)));
        assert_eq!((name("王小红").await, name("王小明").await), ("01".to_owned(), "02".to_owned()));
        assert_eq!(status().await, "1");
        bench.people(json!({ "phone": "13800138000", "cancelled": "2026-06-01T00:00:00+08:00" })).await;
        assert_eq!((resale("20260531").await.0, status().await), ("3".to_owned(), "2".to_owned()));
        let calls = bench.calls("chuanglan_data").await;
        assert_eq!((&calls["total"], &calls["byPath"][RESALE]), (&json!(10), &json!(4)));
    }

    #[tokio::test]
    async fn what_is_not_signed_or_not_whole_is_refused() {
        let bench = Bench::new();
        let body = json!({ "mobile": "13800138000", "sinceDate": "20260101" });
        assert_eq!(ask(&bench, RESALE, "another", body).await["code"], "300001");
        let nobody = bench.post(RESALE, "application/json", "{}".to_owned()).await.json();
        assert_eq!(nobody["code"], "300001");
        for (path, body, code) in [
            (RESALE, json!({ "mobile": "+85251234567", "sinceDate": "20260101" }), "300002"),
            (RESALE, json!({ "mobile": "13800138000", "sinceDate": "2026-01-01" }), "300003"),
            (NAMES, json!({ "mobile": "13800138000" }), "300003"),
        ] {
            assert_eq!(ask(&bench, path, SECRET, body).await["code"], code);
        }
    }

    #[tokio::test]
    async fn faults_come_in_the_vendors_form() {
        let bench = Bench::new();
        for (kind, code) in [("refused", "301000"), ("account_fault", "300004")] {
            let fault = json!({ "provider": "chuanglan_data", "rate": 1, "kind": kind }).to_string();
            assert_eq!(bench.post("/sandbox/faults", "application/json", fault).await.status, 200);
            let body = json!({ "mobile": "13800138000", "name": "王小明" });
            assert_eq!(ask(&bench, NAMES, SECRET, body).await["code"], code);
        }
    }
}
