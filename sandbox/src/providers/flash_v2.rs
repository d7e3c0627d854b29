//! 创蓝闪验 version 2: one path for one-tap, one for the number check, for all three carriers.
//!
//! Assumed, because the vendor does not say: 403000 for a wrong signature and for every token it will not honour (unknown,
//! used, expired, of another application or use), 400901 for an unknown appId, 400001 for `encryptType` other than AES.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::{Credential, Fields, Minting};
use crate::{
    control::is_mobile,
    crypto::{self, Plain},
    reply::{Answer, deliver},
    state::World,
    tokens::{Attempt, Carrier, Outcome, Provider, Purpose, Refusal},
};

const QUERY: &str = "/open/flashsdk/mobile-query";
const VALIDATE: &str = "/open/flashsdk/mobile-validate";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(QUERY, post(mobile_query)).route(VALIDATE, post(mobile_validate))
}

/// `A1-` 移动, `A2-` 联通, `A3-` 电信, then the encrypted JSON that carries the carrier's own token.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    let app_id = if minting.foreign { "foreign0" } else { minting.account.setting("appId") };
    let (prefix, gateway) = match minting.carrier {
        Carrier::Cmcc => ("A1", ""),
        Carrier::Cucc => ("A2", ""),
        Carrier::Ctcc => ("A3", r#","au":"2702""#),
    };
    let (carrier_token, data_id) = (crypto::random_hex()?, crypto::random_hex()?);
    let content = format!(
        r#"{{"tk":"nm{carrier_token}","ap":"{app_id}"{gateway},"dd":"{data_id}","vs":"2.3.4.1","fp":"0"}}"#
    );
    Ok(Credential::of_token(token(prefix, app_id, &content)?))
}

async fn mobile_query(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, Purpose::OneTap, &headers, &body)).await
}

async fn mobile_validate(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, Purpose::Check, &headers, &body)).await
}

fn exchange(world: &World, purpose: Purpose, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::form(headers, body);
    let path = if purpose == Purpose::OneTap { QUERY } else { VALIDATE };
    world.seen(Provider::FlashV2, path, fields.as_ref().map_or("", |fields| fields.get("token")));
    let Some(fields) = fields else {
        return Ok(Answer::ok(refused("415000", "请求数据转换异常")));
    };
    if !fields.have(&["appId", "token", "sign"]) || !matches!(fields.get("encryptType"), "" | "0") {
        return Ok(Answer::ok(refused("400001", "参数校验异常")));
    }
    if purpose == Purpose::Check && !is_mobile(fields.get("mobile")) {
        return Ok(Answer::ok(refused("400201", "手机号码不能为空")));
    }
    let Some(account) = world.account(Provider::FlashV2, fields.get("appId")) else {
        return Ok(Answer::ok(refused("400901", "账户信息不存在")));
    };
    let key = account.setting("appKey");
    // Two demos of the vendor differ in the letter case, so the server cannot care.
    if !fields.get("sign").eq_ignore_ascii_case(&crypto::hmac_sha256_hex(key, &fields.concatenated())?) {
        return Ok(Answer::ok(refused("403000", "用户校验失败")));
    }
    let attempt = Attempt { account_id: account.id(), purpose, companions: &[], now_ms: world.now_ms() };
    let (outcome, behaviour) = world.redeem(Provider::FlashV2, fields.get("token"), &attempt)?;
    let trade = crypto::random_hex()?;
    let body = match (outcome, purpose) {
        (Outcome::Phone(phone), Purpose::OneTap) => {
            success(json!({ "tradeNo": trade, "mobileName": encrypted(key, Plain::Text(&phone))? }))
        }
        (Outcome::Unreadable, Purpose::OneTap) => {
            success(json!({ "tradeNo": trade, "mobileName": encrypted(key, Plain::BadPadding)? }))
        }
        (Outcome::Phone(phone), Purpose::Check) => {
            let same = if phone == fields.get("mobile") { "1" } else { "0" };
            success(json!({ "tradeNo": trade, "isVerify": same }))
        }
        (Outcome::Unreadable, Purpose::Check) => success(json!({ "tradeNo": trade, "isVerify": "?" })),
        (Outcome::Refused(Refusal::AccountFault), _) => refused("500005", "账户余额异常"),
        (Outcome::Refused(Refusal::WrongPurpose), _) => refused("403000", "应用能力不匹配"),
        (Outcome::Refused(_), _) => refused("403000", "用户校验失败"),
    };
    Ok(Answer { behaviour, ..Answer::ok(body) })
}

/// Key and IV are the halves of the hexadecimal digest as ASCII, not the digest's bytes.
fn aes(digest_of: &str, plain: Plain<'_>) -> Result<Vec<u8>, ErrorStack> {
    let digest = crypto::md5_hex(digest_of)?;
    let (key, iv) = digest.split_at(16);
    crypto::aes_128_cbc(key.as_bytes(), iv.as_bytes(), plain)
}

fn encrypted(app_key: &str, plain: Plain<'_>) -> Result<String, ErrorStack> {
    Ok(hex::encode_upper(aes(app_key, plain)?))
}

fn token(prefix: &str, app_id: &str, content: &str) -> Result<String, ErrorStack> {
    Ok(format!("{prefix}-{}", crypto::base64_url(&aes(app_id, Plain::Text(content))?)))
}

fn success(data: Value) -> Value {
    json!({ "code": "200000", "message": "成功", "chargeStatus": 1, "data": data })
}

fn refused(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message, "chargeStatus": 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    const KEY: &str = "Zk7Qp2Lm";
    const APP: &str = "aB3dE6gH";

    fn sign(fields: &[(&str, &str)]) -> String {
        let sorted: std::collections::BTreeMap<_, _> = fields.iter().copied().collect();
        let base: String = sorted.into_iter().flat_map(|(name, value)| [name, value]).collect();
        crypto::hmac_sha256_hex(KEY, &base).unwrap()
    }

    async fn call(bench: &Bench, path: &str, fields: &[(&str, &str)], sign: &str) -> Value {
        let mut all = fields.to_vec();
        all.push(("sign", sign));
        bench.post(path, "application/x-www-form-urlencoded", form(&all)).await.json()
    }

    /// Vectors `flash_v2_sign_min`, `_full`, `_with_empty_values` and `flash_v2_validate_sign` (computed).
    #[test]
    fn flash_v2_signs() {
        let base = [("appId", APP), ("token", "A1-VEVTVC1UT0tFTi0wMDAx")];
        let with = |more: &[(&'static str, &'static str)]| sign(&[&base, more].concat());
        assert_eq!(with(&[]), "18c8821a62618353a483b76c3f925a516afdf657217dce4a5808fec28d9bda7e");
        assert_eq!(
            with(&[("clientIp", "203.0.113.7"), ("outId", "order-0001"), ("encryptType", "0")]),
            "5a71caff81c3d0ef51329f5225da8245bcfe6740b475cacae2ad0da5b8cde0b5"
        );
        assert_eq!(
            with(&[("clientIp", ""), ("outId", ""), ("encryptType", "0")]),
            "934bce50cdf653a454cd52033071a175983151c97a951d9aa914b350f5a1d798"
        );
        assert_eq!(
            with(&[("mobile", "13800138000"), ("outId", "order-0001")]),
            "9e3e411bb05da748f7e4da96522f18146302728e1777bb71491b6b50709a91e8"
        );
    }

    /// Vectors `flash_v2_token` and `flash_v2_token_ctcc` (computed).
    #[test]
    fn flash_v2_tokens() {
        let json = r#"{"tk":"nm00000000000000000000000000000001","ap":"aB3dE6gH","dd":"0123456789abcdef0123456789abcdef","vs":"2.3.4.1","fp":"0"}"#;
        assert_eq!(
            token("A1", APP, json).unwrap(),
            "A1-WWDxq-q-kXvCR3eNes0idPNI_3fkG5ePUj3m9F2ZMH7QyETPjHQK3iy0ER3MhNQfsKlKVFXkIPAvFDYEI4CkxYydYUT_kE7iE_MvQr8b3i6OU7QWOFrp_vDnn0mHQ5IU6lFN_s7YVpqpjY_uxQp0D3Cj-hOaeUMkoKV-zvCwOE0"
        );
        let json = r#"{"tk":"nm00000000000000000000000000000003","ap":"aB3dE6gH","au":"2702","dd":"0123456789abcdef0123456789abcdef","vs":"2.3.4.1","fp":"0"}"#;
        assert_eq!(
            token("A3", APP, json).unwrap(),
            "A3-WWDxq-q-kXvCR3eNes0idPNI_3fkG5ePUj3m9F2ZMH6trIY7hC7OlWpcPCLck2icQp9IiehKS13f0BjyYl-PBvIE2gq5Adu_bTNjxDQnorc1TDyKKF3B_Q5cPiT5ADW-E_jmcAcDl0__Zz_uoi7EbQ3Fu2lEjLO1jZQTJ3NYvdGu4H1RBpVl2m4xpvoIvIL7"
        );
    }

    #[tokio::test]
    async fn one_tap_once() {
        let bench = Bench::new();
        let token = bench.token("flash_v2", "one_tap").await;
        assert!(token.starts_with("A1-"));
        let fields = [("appId", APP), ("token", &token), ("clientIp", ""), ("encryptType", "0")];
        let wrong = call(&bench, QUERY, &fields, &sign(&fields[..2])).await;
        assert_eq!(wrong["code"], "403000", "a signature must cover empty fields too");
        let first = call(&bench, QUERY, &fields, &sign(&fields).to_uppercase()).await;
        assert_eq!(first["code"], "200000");
        // Vector flash_v2_phone_aes.
        assert_eq!(first["data"]["mobileName"], "386D256EC02674090204CEAD13DFBC1C");
        let again = call(&bench, QUERY, &fields, &sign(&fields)).await;
        assert_eq!((again["code"].as_str(), again["chargeStatus"].as_i64()), (Some("403000"), Some(0)));
        assert_eq!(bench.calls("flash_v2").await["tokens"][&token], 3);
    }

    #[tokio::test]
    async fn tokens_expire_and_keep_to_their_use() {
        let bench = Bench::new();
        let token = bench.token("flash_v2", "one_tap").await;
        bench.world.shift_clock(121);
        let fields = [("appId", APP), ("token", token.as_str())];
        assert_eq!(call(&bench, QUERY, &fields, &sign(&fields)).await["code"], "403000");
        let token = bench.token("flash_v2", "check").await;
        let fields = [("appId", APP), ("token", token.as_str())];
        assert_eq!(call(&bench, QUERY, &fields, &sign(&fields)).await["code"], "403000");
    }

    #[tokio::test]
    async fn number_check() {
        let bench = Bench::new();
        for (typed, same) in [("13800138000", "1"), ("13900139000", "0")] {
            let token = bench.token("flash_v2", "check").await;
            let fields = [("appId", APP), ("token", token.as_str()), ("mobile", typed)];
            assert_eq!(call(&bench, VALIDATE, &fields, &sign(&fields)).await["data"]["isVerify"], same);
        }
    }

    #[tokio::test]
    async fn requests_it_cannot_use() {
        let bench = Bench::new();
        let code = |fields: Vec<(&'static str, &'static str)>| {
            let bench = &bench;
            async move { call(bench, QUERY, &fields, &sign(&fields)).await["code"].clone() }
        };
        assert_eq!(code(vec![("appId", APP)]).await, "400001");
        assert_eq!(code(vec![("appId", APP), ("token", "A1-x"), ("encryptType", "1")]).await, "400001");
        assert_eq!(code(vec![("appId", "nobody00"), ("token", "A1-x")]).await, "400901");
        assert_eq!(code(vec![("appId", APP), ("token", "A1-x")]).await, "403000");
        assert_eq!(bench.post(QUERY, "application/json", "{}".to_owned()).await.json()["code"], "415000");
    }
}
