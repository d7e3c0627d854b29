//! MobTech 秒验: one path for one-tap; the answer is a JSON object encrypted with DES.
//!
//! Assumed, because the vendor does not say: 4119302 for an unknown appkey, 4119310 for unknown, used and expired tokens,
//! 4119311 for a token of another application or beside another opToken, operator or certificate digest, 4119343 for a
//! timestamp far from the clock; all of them with HTTP 200.

use std::{collections::BTreeMap, sync::Arc};

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
    crypto::{self, Plain},
    reply::{Answer, deliver},
    state::World,
    tokens::{Attempt, Outcome, Provider, Purpose, Refusal},
};

const PATH: &str = "/auth/auth/sdkClientFreeLogin";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(free_login))
}

/// The carrier's token, MobTech's own beside it, the operator, and the certificate's digest on Android.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    let random = format!("{}/{}+", crypto::random_hex()?, crypto::random_hex()?);
    let token = format!("0:AAAA{}", crypto::base64(random.as_bytes()));
    let mut fields = BTreeMap::from([
        ("token", token.clone()),
        ("opToken", crypto::random_hex()?),
        ("operator", minting.carrier.name().to_owned()),
    ]);
    if minting.android {
        fields.insert("md5", crypto::md5_hex("the signing certificate of an app")?);
    }
    Ok(Credential { token, fields })
}

async fn free_login(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::json(headers, body);
    world.seen(Provider::Mobtech, PATH, fields.as_ref().map_or("", |fields| fields.get("token")));
    let refused = |status: u32, error: &str| {
        Ok::<_, ErrorStack>(Answer::ok(
            json!({ "status": status, "error": error, "seqid": crypto::random_hex()? }),
        ))
    };
    let Some(fields) = fields else { return refused(4_119_301, "数据校验失败") };
    if !fields.have(&["appkey", "token", "opToken", "operator", "timestamp", "sign"]) {
        return refused(4_119_301, "数据校验失败");
    }
    let Some(account) = world.account(Provider::Mobtech, fields.get("appkey")) else {
        return refused(4_119_302, "数据不存在");
    };
    let secret = account.setting("appSecret");
    if fields.get("sign") != sign(&fields, secret)? {
        return refused(4_119_342, "签名错误");
    }
    if !fields.get("timestamp").parse().is_ok_and(|ms| world.is_recent(ms)) {
        return refused(4_119_343, "timestamp错误");
    }
    let companions = ["opToken", "operator", "md5"].map(|name| (name, fields.get(name)));
    let attempt = Attempt {
        account_id: account.id(),
        purpose: Purpose::OneTap,
        companions: &companions,
        now_ms: world.now_ms(),
    };
    let (outcome, behaviour) = world.redeem(Provider::Mobtech, fields.get("token"), &attempt)?;
    let given = match outcome {
        Outcome::Phone(phone) => success(&encrypted(secret, Plain::Text(&content(&phone)))?),
        Outcome::Unreadable => success(&encrypted(secret, Plain::BadPadding)?),
        Outcome::Refused(Refusal::WrongApp | Refusal::WrongPurpose | Refusal::WrongCompanion) => {
            refused(4_119_311, "token非法")
        }
        Outcome::Refused(Refusal::AccountFault) => refused(5_119_341, "余额不足"),
        Outcome::Refused(Refusal::Unknown | Refusal::Used | Refusal::Expired) => {
            refused(4_119_310, "token未找到")
        }
    }?;
    Ok(Answer { behaviour, ..given })
}

fn content(phone: &str) -> String {
    format!(r#"{{"isValid":1,"phone":"{phone}","valid":true}}"#)
}

fn encrypted(secret: &str, plain: Plain<'_>) -> Result<String, ErrorStack> {
    let key = secret.as_bytes().get(..8).unwrap_or_default();
    Ok(crypto::base64(&crypto::des_cbc(key, b"00000000", plain)?))
}

fn success(res: &str) -> Result<Answer, ErrorStack> {
    let body: Value = json!({ "status": 200, "res": res, "error": null, "seqid": crypto::random_hex()? });
    Ok(Answer::ok(body))
}

/// MD5 of `k=v&k=v...` and the secret, names in ASCII order: `opToken` before `operator`.
fn sign(fields: &Fields, secret: &str) -> Result<String, ErrorStack> {
    let pairs: Vec<String> = fields.signed().map(|(name, value)| format!("{name}={value}")).collect();
    crypto::md5_hex(&format!("{}{secret}", pairs.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    const SECRET: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";

    fn request(bench: &Bench, credential: &Value) -> Value {
        let mut body = credential.clone();
        body.as_object_mut().unwrap().remove("provider");
        body["appkey"] = json!("3a1b2c3d4e5f6");
        body["timestamp"] = json!(bench.world.now_ms().to_string());
        signed(body)
    }

    fn signed(mut body: Value) -> Value {
        body["sign"] = json!(sign(&Fields::object(body.clone()).unwrap(), SECRET).unwrap());
        body
    }

    async fn call(bench: &Bench, body: &Value) -> Value {
        bench.post(PATH, "application/json", body.to_string()).await.json()
    }

    /// Vector `mobtech_sign` (computed).
    #[test]
    fn mobtech_sign() {
        let body = json!({
            "appkey": "3a1b2c3d4e5f6", "opToken": "op-token-0001", "operator": "CMCC", "timestamp": "1795132800123",
            "token": "0:AAAAtest", "md5": "00112233445566778899aabbccddeeff",
        });
        assert_eq!(signed(body)["sign"], "3fffdb355ce913b44402fd9571422341");
    }

    /// Vector `mobtech_sign_published` (vendor-published).
    #[test]
    fn mobtech_sign_published() {
        let fields = Fields::object(json!({
            "appkey": "2f2d7j9wf8a40",
            "opToken": "f630dwff2f8f209c60a6449cf971ad50b3e83f4620a1536252457229836325",
            "operator": "CUCC",
            "timestamp": "1655190952281",
            "token": "0:AAAAhAAAAIAIFOEDCVObiS1Pdyogg4JQw5Su4ce9rl/QVDaqKlcGDCzBssmrB3dYL3HcnNG9Gj7IzhiB/cRJF221cELTGHRiFGAjpGpjipkw/EbnoFuxjp3TPAhvprf/vqWm9dmUQCJ7P/+twKy5o5Y9XBBpD+W/jVPX/WbIQofYg3YGwAAAPDTY7g1X3rL326Dnlsifj/UDjoZ0Ftdh8qWG+ofn0P41bbO6q88id06vkU2x2eUEOb1RggqYt+BLHyG3PoLIC0AMGoUcTVyCcGYq15j+ZS23qiA2SLRYgwvvhD3N+HKTSWEPmYQDUKls5fckyQGW6x6yGB71NDUqwntBdQxwmT6W5NG379KyvPwRkZSN4cyJ29HugMMTx/0F9nF6YVgEogEHOms515lQ7f3TJqTidsVdIehQcDb2FdXnCJUjnOJTK4RWRHp9IvTxwXgmsT7WzkwWuSe/12sEx8Zdk2U66//nqgJ5c1FDbuHsqGlKA8fYyo=",
        }))
        .unwrap();
        assert_eq!(
            sign(&fields, "9abee316611wd9ff607feb9f2c496338").unwrap(),
            "3f1991b27b1c86a32e661eabdd3d1f5a"
        );
    }

    #[tokio::test]
    async fn one_tap_once() {
        let bench = Bench::new();
        let credential =
            bench.mint(json!({ "phone": "13800138000", "provider": "mobtech", "platform": "android" })).await;
        assert_eq!(credential["md5"].as_str().map(str::len), Some(32));
        let mut wrong = request(&bench, &credential);
        wrong["sign"] = json!("00");
        assert_eq!(call(&bench, &wrong).await["status"], 4_119_342);
        let body = request(&bench, &credential);
        let first = call(&bench, &body).await;
        assert_eq!(first["status"], 200);
        // Vector mobtech_res_des.
        assert_eq!(
            first["res"],
            "YEIej4AMvDsRmkMP0AJZ0VfZTRKqROFgwKfGU/52XXIJIQaeRUWjSYdi5GK02sh1Mf4PaxOhB5E="
        );
        assert_eq!(call(&bench, &body).await["status"], 4_119_310);
        assert_eq!(bench.calls("mobtech").await["tokens"][credential["token"].as_str().unwrap()], 3);
    }

    #[tokio::test]
    async fn expiry_and_other_refusals() {
        let bench = Bench::new();
        let mint = || bench.mint(json!({ "phone": "18600138000", "provider": "mobtech" }));
        let credential = mint().await;
        assert_eq!(credential["operator"], "CUCC");
        let mut late = request(&bench, &credential);
        late["timestamp"] = json!(1_655_190_952_281_i64);
        late.as_object_mut().unwrap().remove("sign");
        assert_eq!(call(&bench, &signed(late)).await["status"], 4_119_343);
        bench.world.shift_clock(1801);
        assert_eq!(call(&bench, &request(&bench, &credential)).await["status"], 4_119_310);
        let mut other = mint().await;
        other["opToken"] = json!("of somebody else");
        assert_eq!(call(&bench, &request(&bench, &other)).await["status"], 4_119_311);
        assert_eq!(call(&bench, &json!({})).await["status"], 4_119_301);
    }
}
