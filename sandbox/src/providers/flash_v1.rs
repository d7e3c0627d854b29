//! 创蓝闪验 version 1: a path per carrier, the parameters signed in the phone, the number encrypted with DES.
//!
//! Assumed, because the vendor does not say: the codes of version 2 (see `flash_v2`), 400001 when the path is not that of
//! the signed carrier.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::{Credential, Fields, Minting};
use crate::{
    crypto::{self, Plain},
    reply::{Answer, deliver},
    state::World,
    tokens::{Attempt, Outcome, Provider, Purpose, Refusal},
};

const PATHS: [(&str, &str); 3] = [
    ("CMCC", "/open/flashsdk/mobile-query-m"),
    ("CUCC", "/open/flashsdk/mobile-query-u"),
    ("CTCC", "/open/flashsdk/mobile-query-t"),
];

pub(crate) fn routes() -> Router<Arc<World>> {
    PATHS.iter().fold(Router::new(), |router, (_, path)| router.route(path, post(mobile_query)))
}

/// The map the SDK returns; the service forwards it unchanged.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    let token = format!("nm{}", crypto::random_hex()?);
    let mut fields = [
        ("appId", minting.account.setting("appId").to_owned()),
        ("accessToken", token.clone()),
        ("telecom", minting.carrier.name().to_owned()),
        ("timestamp", minting.now_ms.to_string()),
        ("randoms", crypto::random_hex()?),
        ("version", "2.0.6".to_owned()),
        ("device", "iphone7".to_owned()),
    ]
    .into_iter()
    .collect::<std::collections::BTreeMap<_, _>>();
    let base: String = fields.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
    fields.insert("sign", crypto::hmac_sha1_base64(minting.account.setting("appKey"), &base)?);
    Ok(Credential { token, fields })
}

async fn mobile_query(
    State(world): State<Arc<World>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(exchange(&world, uri.path(), &headers, &body)).await
}

fn exchange(world: &World, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::form(headers, body);
    world.seen(Provider::FlashV1, path, fields.as_ref().map_or("", |fields| fields.get("accessToken")));
    let Some(fields) = fields else {
        return Ok(Answer::ok(refused(415_000, "请求数据转换异常")));
    };
    let required = ["appId", "accessToken", "telecom", "timestamp", "randoms", "version", "device", "sign"];
    if !fields.have(&required) || !PATHS.contains(&(fields.get("telecom"), path)) {
        return Ok(Answer::ok(refused(400_001, "参数校验异常")));
    }
    let Some(account) = world.account(Provider::FlashV1, fields.get("appId")) else {
        return Ok(Answer::ok(refused(400_901, "账户信息不存在")));
    };
    let key = account.setting("appKey");
    if fields.get("sign") != crypto::hmac_sha1_base64(key, &fields.concatenated())? {
        return Ok(Answer::ok(refused(403_000, "用户校验失败")));
    }
    let attempt = Attempt {
        account_id: account.id(),
        purpose: Purpose::OneTap,
        companions: &[],
        now_ms: world.now_ms(),
    };
    let (outcome, behaviour) = world.redeem(Provider::FlashV1, fields.get("accessToken"), &attempt)?;
    let body = match outcome {
        Outcome::Phone(phone) => success(&encrypted(key, Plain::Text(&phone))?)?,
        Outcome::Unreadable => success(&encrypted(key, Plain::BadPadding)?)?,
        Outcome::Refused(Refusal::AccountFault) => refused(500_005, "账户余额异常"),
        Outcome::Refused(_) => refused(403_000, "用户校验失败"),
    };
    Ok(Answer { behaviour, ..Answer::ok(body) })
}

fn encrypted(app_key: &str, plain: Plain<'_>) -> Result<String, ErrorStack> {
    let key = app_key.as_bytes().get(..8).unwrap_or_default();
    Ok(crypto::base64(&crypto::des_cbc(key, &[1, 2, 3, 4, 5, 6, 7, 8], plain)?))
}

fn success(mobile_name: &str) -> Result<Value, ErrorStack> {
    let data = json!({ "tradeNo": crypto::random_hex()?, "mobileName": mobile_name });
    // A number here and a string in version 2: the vendor's own clients read it either way.
    Ok(json!({ "code": 200_000, "message": "成功", "chargeStatus": 1, "data": data }))
}

fn refused(code: u32, message: &str) -> Value {
    json!({ "code": code, "message": message, "chargeStatus": 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    async fn call(bench: &Bench, path: &str, credential: &Value) -> Value {
        let fields: Vec<(&str, &str)> = credential
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "provider")
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        bench.post(path, "application/x-www-form-urlencoded", form(&fields)).await.json()
    }

    /// Vector `flash_v1_sign` (computed).
    #[test]
    fn flash_v1_sign() {
        let base = "accessTokennm00000000000000000000000000000001appIdaB3dE6gHdeviceiphone7randoms0123456789abcdef0123456789abcdeftelecomCMCCtimestamp1795132800000version2.0.6";
        assert_eq!(crypto::hmac_sha1_base64("Zk7Qp2Lm", base).unwrap(), "hsu9MJRCnrsBSFWZDVbYurQEHIs=");
    }

    #[tokio::test]
    async fn one_tap_once_per_carrier() {
        let bench = Bench::new();
        for (telecom, path) in PATHS {
            let body =
                json!({ "phone": "13800138000", "provider": "flash_v1", "carrier": telecom.to_lowercase() });
            let mut credential = bench.mint(body).await;
            assert_eq!(credential["telecom"], telecom);
            let right = credential["sign"].clone();
            credential["sign"] = json!("ywLmsbPEi5vuM22njekhrFI5gMg=");
            assert_eq!(call(&bench, path, &credential).await["code"], 403_000);
            credential["sign"] = right;
            let first = call(&bench, path, &credential).await;
            assert_eq!(first["code"], 200_000);
            // Vector flash_v1_phone_des.
            assert_eq!(first["data"]["mobileName"], "LoPUatLDV9NxgayfwCD5Lw==");
            assert_eq!(call(&bench, path, &credential).await["code"], 403_000);
            let token = credential["accessToken"].as_str().unwrap();
            assert_eq!(bench.calls("flash_v1").await["tokens"][token], 3);
        }
    }

    #[tokio::test]
    async fn expiry_and_the_wrong_carrier() {
        let bench = Bench::new();
        let credential = bench.mint(json!({ "phone": "18900138000", "provider": "flash_v1" })).await;
        assert_eq!(call(&bench, PATHS[0].1, &credential).await["code"], 400_001);
        bench.world.shift_clock(601);
        assert_eq!(call(&bench, PATHS[2].1, &credential).await["code"], 403_000);
    }
}
