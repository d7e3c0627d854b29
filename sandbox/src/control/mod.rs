//! The control API for developers and tests: mint credentials, read counts, make vendors fail,
//! read what arrived in people's phones and at backends.

mod attestation;
mod captchas;
mod email;
mod idp;
mod notices;
mod people;
mod receipts;
mod risk;
mod sms;

pub(crate) use notices::Delivered;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    emails::address,
    providers,
    sms::e164,
    state::{Calls, Fault, World},
    tokens::{Behaviour, Carrier, Provider, Purpose, Service, Token},
};

type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/credentials", post(mint))
        .route("/sandbox/calls", get(calls).delete(clear_calls))
        .route("/sandbox/faults", post(set_fault).delete(clear_faults))
        .merge(sms::routes())
        .merge(email::routes())
        .merge(captchas::routes())
        .merge(idp::routes())
        .merge(risk::routes())
        .merge(people::routes())
        .merge(receipts::routes())
        .merge(notices::routes())
        .merge(attestation::routes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mint {
    /// `+86` and 11 digits, or 11 digits.
    phone: String,
    provider: Provider,
    #[serde(default)]
    purpose: Purpose,
    /// Default: by the number's prefix.
    carrier: Option<Carrier>,
    #[serde(default)]
    behaviour: Behaviour,
    /// Which of our applications; default: the vendor's first account.
    app: Option<String>,
    platform: Option<String>,
}

/// What the SDK in a phone would hand to the app.
async fn mint(State(world): State<Arc<World>>, body: Result<Json<Mint>, JsonRejection>) -> Reply {
    let Json(mint) = body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let phone = mint.phone.strip_prefix("+86").unwrap_or(&mint.phone);
    if !is_mobile(phone) {
        return Err(bad_request("phone: not a Chinese mobile number"));
    }
    if mint.purpose == Purpose::Check && !mint.provider.checks_numbers() {
        return Err(bad_request("purpose: this provider has no number check here"));
    }
    if mint.provider.service() != Service::Carrier || !mint.behaviour.fits(Service::Carrier) {
        return Err(bad_request("provider, behaviour: not a carrier's"));
    }
    let account = world
        .account_for(mint.provider, mint.app.as_deref(), mint.platform.as_deref())
        .ok_or_else(|| bad_request("no account of this provider serves the app and platform"))?;
    let carrier = mint.carrier.unwrap_or_else(|| Carrier::of_phone(phone));
    let now_ms = world.now_ms();
    let minted = providers::credential(&providers::Minting {
        account,
        carrier,
        now_ms,
        android: mint.platform.as_deref() == Some("android"),
        foreign: mint.behaviour == Behaviour::WrongApp,
    })
    .map_err(|_| broken())?;

    let mut credential: serde_json::Map<String, Value> =
        minted.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    credential.insert("provider".to_owned(), json!(mint.provider));
    world.mint(
        mint.provider,
        minted.token,
        Token {
            phone: phone.to_owned(),
            purpose: mint.purpose,
            account_id: account.id().to_owned(),
            expires_ms: now_ms.saturating_add(carrier.lifetime_ms()),
            behaviour: mint.behaviour,
            fields: minted.fields,
            used: false,
        },
    );
    Ok(Json(json!({ "credential": credential })))
}

#[derive(Deserialize)]
struct Which {
    provider: Option<Provider>,
}

/// How often vendors were asked: in all, per token, per path. Without `provider`: all vendors together.
async fn calls(State(world): State<Arc<World>>, query: Result<Query<Which>, QueryRejection>) -> Reply {
    let Query(which) = query.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let mut sum = Calls::default();
    for (provider, calls) in &world.ledger().calls {
        if which.provider.is_none_or(|wanted| wanted == *provider) {
            sum.total = sum.total.saturating_add(calls.total);
            add(&mut sum.tokens, &calls.tokens);
            add(&mut sum.by_path, &calls.by_path);
        }
    }
    Ok(Json(json!({ "total": sum.total, "tokens": sum.tokens, "byPath": sum.by_path })))
}

async fn clear_calls(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().calls.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    provider: Provider,
    /// Share of answers that go wrong, 0 to 1; 0 ends the fault.
    rate: f64,
    kind: Behaviour,
    /// One number (`+` and its country code, or 11 digits) of SMS, or one address of e-mail; default: all.
    to: Option<String>,
}

/// One fault per vendor, and one per vendor and number or address; a new one takes the place of the old.
async fn set_fault(State(world): State<Arc<World>>, body: Result<Json<SetFault>, JsonRejection>) -> Reply {
    let Json(SetFault { provider, rate, kind, to }) =
        body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    if !(0.0..=1.0).contains(&rate) {
        return Err(bad_request("rate: not between 0 and 1"));
    }
    if !kind.fits(provider.service()) {
        return Err(bad_request("kind: this provider cannot behave so"));
    }
    let whose = |to: String| match provider.service() {
        Service::Sms => e164(&to).ok_or_else(|| bad_request("to: not a number")),
        Service::Email => address(&to).ok_or_else(|| bad_request("to: not an address")),
        _ => Err(bad_request("to: for SMS and e-mail only")),
    };
    let to = to.map(whose).transpose()?;
    let mut ledger = world.ledger();
    if rate == 0.0 {
        ledger.faults.remove(&(provider, to));
    } else {
        ledger.faults.insert((provider, to), Fault { rate, kind });
    }
    let faults: Vec<Value> = ledger
        .faults
        .iter()
        .map(|((provider, to), fault)| {
            json!({ "provider": provider, "rate": fault.rate, "kind": fault.kind, "to": to })
        })
        .collect();
    Ok(Json(json!({ "faults": faults })))
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().faults.clear();
    StatusCode::NO_CONTENT
}

fn add(sum: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (key, count) in counts {
        let entry = sum.entry(key.clone()).or_default();
        *entry = entry.saturating_add(*count);
    }
}

/// `^1[3-9]\d{9}$`
pub(crate) fn is_mobile(phone: &str) -> bool {
    let mut digits = phone.bytes();
    phone.len() == 11
        && digits.next() == Some(b'1')
        && digits.next().is_some_and(|second| (b'3'..=b'9').contains(&second))
        && digits.all(|digit| digit.is_ascii_digit())
}

fn bad_request(problem: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request", "detail": problem })))
}

/// OpenSSL failed: nothing the caller could do about it.
fn broken() -> (StatusCode, Json<Value>) {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "sandbox" })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reply::UPSTREAM_TEXT, testing::Bench, testing::Reply};

    /// One MobTech exchange of a fresh token.
    async fn exchange(bench: &Bench, behaviour: &str) -> Reply {
        let credential = bench
            .mint(json!({ "phone": "13800138000", "provider": "mobtech", "behaviour": behaviour }))
            .await;
        let mut body = json!({
            "appkey": "3a1b2c3d4e5f6",
            "timestamp": world_now(bench),
            "token": credential["token"],
            "opToken": credential["opToken"],
            "operator": credential["operator"],
        });
        let base: Vec<String> = ["appkey", "opToken", "operator", "timestamp", "token"]
            .iter()
            .map(|name| format!("{name}={}", body[name].as_str().unwrap()))
            .collect();
        let base = format!("{}c0ffee00c0ffee00c0ffee00c0ffee00", base.join("&"));
        body["sign"] = json!(crate::crypto::md5_hex(&base).unwrap());
        bench.post("/auth/auth/sdkClientFreeLogin", "application/json", body.to_string()).await
    }

    fn world_now(bench: &Bench) -> String {
        bench.world.now_ms().to_string()
    }

    #[tokio::test]
    async fn behaviours_of_the_vendor() {
        let bench = Bench::new();
        for (behaviour, status) in [
            ("ok", 200),
            ("expired", 4_119_310),
            ("used", 4_119_310),
            ("wrong_app", 4_119_311),
            ("bad_cipher", 200),
            ("not_a_phone", 200),
            ("account_fault", 5_119_341),
        ] {
            let reply = exchange(&bench, behaviour).await;
            assert_eq!((reply.status, reply.json()["status"].as_i64()), (200, Some(status)), "{behaviour}");
        }
        let res = |reply: Reply| reply.json()["res"].as_str().unwrap().to_owned();
        let good = res(exchange(&bench, "ok").await);
        assert_ne!(res(exchange(&bench, "bad_cipher").await), good);
        assert_ne!(res(exchange(&bench, "not_a_phone").await), good);
    }

    #[tokio::test(start_paused = true)]
    async fn behaviours_of_the_line() {
        let bench = Bench::new();
        let page = exchange(&bench, "http_500").await;
        assert_eq!(page.status, 500);
        assert!(String::from_utf8(page.body).unwrap().contains(UPSTREAM_TEXT));
        for behaviour in ["garbage", "truncated"] {
            let reply = exchange(&bench, behaviour).await;
            assert_eq!(reply.status, 200);
            assert!(serde_json::from_slice::<Value>(&reply.body).is_err(), "{behaviour}");
        }
        for (behaviour, seconds, status) in [("slow", 1.2, 200), ("hang", 30.0, 504)] {
            let start = tokio::time::Instant::now();
            assert_eq!(exchange(&bench, behaviour).await.status, status);
            assert!((start.elapsed().as_secs_f64() - seconds).abs() < 0.1, "{behaviour}");
        }
    }

    #[tokio::test]
    async fn faults_come_and_go() {
        let bench = Bench::new();
        let set = |rate: f64| {
            let body = json!({ "provider": "mobtech", "rate": rate, "kind": "http_500" }).to_string();
            bench.post("/sandbox/faults", "application/json", body)
        };
        assert_eq!(set(1.0).await.json()["faults"][0]["kind"], "http_500");
        assert_eq!(exchange(&bench, "ok").await.status, 500);
        assert_eq!(set(0.0).await.json()["faults"], json!([]));
        assert_eq!(exchange(&bench, "ok").await.status, 200);
        assert_eq!(set(1.0).await.status, 200);
        assert_eq!(bench.send("DELETE", "/sandbox/faults", &[], String::new()).await.status, 204);
        assert_eq!(exchange(&bench, "ok").await.status, 200);
        assert_eq!(set(1.5).await.status, 400);
        for bad in [
            json!({ "provider": "mobtech", "rate": 1, "kind": "refused" }),
            json!({ "provider": "twilio", "rate": 1, "kind": "expired" }),
            json!({ "provider": "turnstile", "rate": 1, "kind": "undeliverable" }),
            json!({ "provider": "geetest", "rate": 1, "kind": "refused", "to": "13800138000" }),
            json!({ "provider": "twilio", "rate": 1, "kind": "refused", "to": "somebody" }),
        ] {
            let reply = bench.post("/sandbox/faults", "application/json", bad.to_string()).await;
            assert_eq!(reply.status, 400, "{bad}");
        }
    }

    #[tokio::test]
    async fn counts_by_token_and_path() {
        let bench = Bench::new();
        exchange(&bench, "ok").await;
        exchange(&bench, "http_500").await;
        let calls = bench.calls("mobtech").await;
        assert_eq!((calls["total"].as_u64(), calls["tokens"].as_object().unwrap().len()), (Some(2), 2));
        assert_eq!(calls["byPath"]["/auth/auth/sdkClientFreeLogin"], 2);
        assert_eq!(bench.calls("cmcc").await["total"], 0);
        assert_eq!(bench.get("/sandbox/calls").await.json()["total"], 2);
        assert_eq!(bench.send("DELETE", "/sandbox/calls", &[], String::new()).await.status, 204);
        assert_eq!(bench.calls("mobtech").await["total"], 0);
    }

    #[tokio::test]
    async fn minting_refuses_what_it_cannot_make() {
        let bench = Bench::new();
        for body in [
            json!({ "phone": "12345678901", "provider": "cmcc" }),
            json!({ "phone": "+8613800138000", "provider": "cmcc", "behavior": "ok" }),
            json!({ "phone": "13800138000", "provider": "mobtech", "purpose": "check" }),
            json!({ "phone": "13800138000", "provider": "cmcc", "app": "nobody" }),
            json!({ "phone": "13800138000", "provider": "nobody" }),
            json!({ "phone": "13800138000", "provider": "twilio" }),
            json!({ "phone": "13800138000", "provider": "cmcc", "behaviour": "undeliverable" }),
        ] {
            let reply = bench.post("/sandbox/credentials", "application/json", body.to_string()).await;
            assert_eq!((reply.status, reply.json()["error"].as_str()), (400, Some("invalid_request")));
        }
    }
}
