//! 中国移动 移动认证: `loginTokenValidate` for one-tap, `tokenValidate` for the number check.
//!
//! Without the RSA modes. Assumed, because the vendor does not say: the number check's codes for an unknown appId (102), for
//! tokens it will not honour (606), for a one-tap token (103420, as 105018 is for the reverse), for our account (124), for a
//! number it could not get (002); and that request times are compared with the clock (103414, 102).

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

use super::{Credential, Fields, Minting, format_beijing, is_content_type, parse_beijing};
use crate::{
    crypto,
    reply::{Answer, deliver},
    state::World,
    tokens::{Attempt, Outcome, Provider, Purpose, Refusal},
};

const ONE_TAP: &str = "/unisdk/rsapi/loginTokenValidate";
const CHECK: &str = "/openapi/rs/tokenValidate";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(ONE_TAP, post(login_token_validate)).route(CHECK, post(token_validate))
}

/// `STsid`, a version, the time and 32 random characters.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    Ok(Credential::of_token(format!("STsid000000{}{}", minting.now_ms, crypto::random_hex()?)))
}

async fn login_token_validate(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(one_tap(&world, &headers, &body)).await
}

async fn token_validate(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(check(&world, &headers, &body)).await
}

fn one_tap(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::json(headers, body);
    world.seen(Provider::Cmcc, ONE_TAP, fields.as_ref().map_or("", |fields| fields.get("token")));
    let message_id = fields.as_ref().map_or("", |fields| fields.get("msgid")).to_owned();
    let answer = |code: &str, msisdn: &str| {
        Ok::<_, ErrorStack>(Answer::ok(json!({
            "inresponseto": message_id,
            "systemtime": format_beijing(world.now_ms()),
            "resultCode": code,
            "msisdn": msisdn,
            "taskId": crypto::random_hex()?,
        })))
    };
    let Some(fields) = fields else { return answer("103412", "") };
    if fields.get("token").is_empty() {
        return answer("103811", "");
    }
    let well_formed = fields.get("version") == "2.0"
        && (1..=36).contains(&fields.get("msgid").len())
        && parse_beijing(fields.get("systemtime")).is_some_and(|ms| world.is_recent(ms))
        && matches!(fields.get("strictcheck"), "0" | "1")
        && fields.get("encryptionalgorithm").is_empty()
        && fields.have(&["appid", "sign"]);
    if !well_formed {
        return answer("103414", "");
    }
    let Some(account) = world.account(Provider::Cmcc, fields.get("appid")) else {
        return answer("103119", "");
    };
    if fields.get("sign") != one_tap_sign(&fields, account.setting("appSecret"))? {
        return answer("103101", "");
    }
    if !fields.get("token").starts_with("STsid") {
        return answer("103113", "");
    }
    let attempt = Attempt {
        account_id: account.id(),
        purpose: Purpose::OneTap,
        companions: &[],
        now_ms: world.now_ms(),
    };
    let (outcome, behaviour) = world.redeem(Provider::Cmcc, fields.get("token"), &attempt)?;
    let given = match outcome {
        Outcome::Phone(phone) => answer("103000", &phone),
        Outcome::Unreadable => answer("103000", "unreadable"),
        Outcome::Refused(Refusal::Unknown | Refusal::Used | Refusal::Expired | Refusal::WrongCompanion) => {
            answer("104201", "")
        }
        Outcome::Refused(Refusal::WrongApp) => answer("103133", ""),
        Outcome::Refused(Refusal::WrongPurpose) => answer("105018", ""),
        Outcome::Refused(Refusal::AccountFault) => answer("105312", ""),
    }?;
    Ok(Answer { behaviour, ..given })
}

fn check(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let parts = is_content_type(headers, "application/json").then(|| envelope(body)).flatten();
    world.seen(Provider::Cmcc, CHECK, parts.as_ref().map_or("", |(_, inner)| inner.get("token")));
    let header = |name: &str| parts.as_ref().map_or("", |(header, _)| header.get(name)).to_owned();
    let (message_id, app_id, timestamp) = (header("msgId"), header("appId"), header("timestamp"));
    let answer = |code: &str, description: &str| {
        Ok::<_, ErrorStack>(Answer::ok(json!({
            "header": {
                "msgId": message_id,
                "timestamp": format_beijing(world.now_ms()),
                "appId": app_id,
                "resultCode": code,
            },
            "body": { "resultDesc": description, "taskId": crypto::random_hex()? },
        })))
    };
    let Some((header, inner)) = &parts else { return answer("303", "参数解析错误") };
    let well_formed = header.get("version") == "1.0"
        && header.have(&["msgId", "appId"])
        && parse_beijing(&timestamp).is_some_and(|ms| world.is_recent(ms))
        && match inner.get("requesterType") {
            "0" => matches!(inner.get("openType"), "0" | "1" | "2" | "3"),
            other => other == "1",
        }
        && matches!(inner.get("keyType"), "" | "0")
        && inner.have(&["token", "phoneNum", "sign"]);
    if !well_formed {
        return answer("102", "参数无效");
    }
    let Some(account) = world.account(Provider::Cmcc, &app_id) else { return answer("102", "参数无效") };
    let key = account.setting("appKey");
    if inner.get("sign") != check_sign(header, inner, key)? {
        return answer("302", "sign校验失败");
    }
    let hashed = inner.get("phoneNum");
    if hashed.len() != 64 || !hashed.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) {
        return answer("004", "加密手机号错误");
    }
    let attempt = Attempt {
        account_id: account.id(),
        purpose: Purpose::Check,
        companions: &[],
        now_ms: world.now_ms(),
    };
    let (outcome, behaviour) = world.redeem(Provider::Cmcc, inner.get("token"), &attempt)?;
    let given = match outcome {
        Outcome::Phone(phone) if hashed == hashed_phone(&phone, key, &timestamp)? => {
            answer("000", "是本机号码")
        }
        Outcome::Phone(_) => answer("001", "非本机号码"),
        Outcome::Unreadable => answer("002", "取号失败"),
        Outcome::Refused(Refusal::WrongPurpose) => answer("103420", "权限不足"),
        Outcome::Refused(Refusal::AccountFault) => answer("124", "白名单校验失败"),
        Outcome::Refused(_) => answer("606", "Token校验失败"),
    }?;
    Ok(Answer { behaviour, ..given })
}

fn one_tap_sign(fields: &Fields, secret: &str) -> Result<String, ErrorStack> {
    let order = ["appid", "version", "msgid", "systemtime", "strictcheck", "token"];
    let base: String = order.iter().map(|name| fields.get(name)).chain([secret]).collect();
    Ok(crypto::md5_hex(&base)?.to_uppercase())
}

fn check_sign(header: &Fields, inner: &Fields, key: &str) -> Result<String, ErrorStack> {
    let values = [
        header.get("appId"),
        header.get("msgId"),
        inner.get("phoneNum"),
        header.get("timestamp"),
        inner.get("token"),
        header.get("version"),
    ];
    Ok(crypto::hmac_sha256_hex(key, &values.concat())?.to_uppercase())
}

fn hashed_phone(phone: &str, key: &str, timestamp: &str) -> Result<String, ErrorStack> {
    Ok(crypto::sha256_hex([phone, key, timestamp].concat().as_bytes())?.to_uppercase())
}

fn envelope(body: &[u8]) -> Option<(Fields, Fields)> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    Some((Fields::object(value.get_mut("header")?.take())?, Fields::object(value.get_mut("body")?.take())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    const SECRET: &str = "4E6F7441526561C53656372657431323";
    const KEY: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F9";
    const MESSAGE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    fn one_tap_fields(token: &str, systemtime: &str) -> Value {
        let mut value = json!({
            "appid": "300012345678", "version": "2.0", "msgid": MESSAGE,
            "systemtime": systemtime, "strictcheck": "0", "token": token,
        });
        value["sign"] = json!(one_tap_sign(&Fields::object(value.clone()).unwrap(), SECRET).unwrap());
        value
    }

    fn check_fields(token: &str, timestamp: &str, phone: &str) -> Value {
        let header =
            json!({ "version": "1.0", "msgId": MESSAGE, "timestamp": timestamp, "appId": "300012345678" });
        let mut body = json!({
            "openType": "1", "requesterType": "0", "keyType": "0", "token": token,
            "phoneNum": hashed_phone(phone, KEY, timestamp).unwrap(),
        });
        let sign =
            check_sign(&Fields::object(header.clone()).unwrap(), &Fields::object(body.clone()).unwrap(), KEY)
                .unwrap();
        body["sign"] = json!(sign);
        json!({ "header": header, "body": body })
    }

    async fn call(bench: &Bench, path: &str, body: &Value) -> Value {
        bench.post(path, "application/json", body.to_string()).await.json()
    }

    fn now(bench: &Bench) -> String {
        format_beijing(bench.world.now_ms())
    }

    /// Vectors `cmcc_loginTokenValidate_sign` and `cmcc_tokenValidate_keyType0` (computed).
    #[test]
    fn cmcc_signs() {
        let token = "STsid0000001795132800123abcdefghijklmnopqrstuvwx";
        assert_eq!(one_tap_fields(token, "20261120120000123")["sign"], "0012F5AACCA38B6F7B74CC2941C6F7DD");
        let check = check_fields(token, "20261120120000123", "13800138000");
        assert_eq!(
            check["body"]["phoneNum"],
            "7A1AB9AFAEA76A81F89BC8E2BED05F58F000234F2FD8C0EECCC6EDCCC20C6D1E"
        );
        assert_eq!(check["body"]["sign"], "18DEA1D90629F46EEE52C4C90D13CB5DB3ABB5016FE8969095A049F5114EE2A7");
    }

    #[tokio::test]
    async fn one_tap_once() {
        let bench = Bench::new();
        let token = bench.token("cmcc", "one_tap").await;
        let body = one_tap_fields(&token, &now(&bench));
        let mut wrong = body.clone();
        wrong["sign"] = json!(body["sign"].as_str().unwrap().to_lowercase());
        assert_eq!(call(&bench, ONE_TAP, &wrong).await["resultCode"], "103101");
        let first = call(&bench, ONE_TAP, &body).await;
        assert_eq!(
            (first["resultCode"].as_str(), first["msisdn"].as_str()),
            (Some("103000"), Some("13800138000"))
        );
        assert_eq!(first["inresponseto"], MESSAGE);
        assert_eq!(call(&bench, ONE_TAP, &body).await["resultCode"], "104201");
        assert_eq!(bench.calls("cmcc").await["tokens"][&token], 3);
    }

    #[tokio::test]
    async fn tokens_expire_and_keep_to_their_use() {
        let bench = Bench::new();
        let token = bench.token("cmcc", "one_tap").await;
        bench.world.shift_clock(121);
        assert_eq!(
            call(&bench, ONE_TAP, &one_tap_fields(&token, &now(&bench))).await["resultCode"],
            "104201"
        );
        let token = bench.token("cmcc", "check").await;
        assert_eq!(
            call(&bench, ONE_TAP, &one_tap_fields(&token, &now(&bench))).await["resultCode"],
            "105018"
        );
        let token = bench.token("cmcc", "one_tap").await;
        let check = call(&bench, CHECK, &check_fields(&token, &now(&bench), "13800138000")).await;
        assert_eq!(check["header"]["resultCode"], "103420");
    }

    #[tokio::test]
    async fn number_check_once() {
        let bench = Bench::new();
        for (typed, code) in [("13800138000", "000"), ("13900139000", "001")] {
            let token = bench.token("cmcc", "check").await;
            let body = check_fields(&token, &now(&bench), typed);
            let mut wrong = body.clone();
            wrong["body"]["sign"] = json!("00");
            assert_eq!(call(&bench, CHECK, &wrong).await["header"]["resultCode"], "302");
            assert_eq!(call(&bench, CHECK, &body).await["header"]["resultCode"], code);
            assert_eq!(call(&bench, CHECK, &body).await["header"]["resultCode"], "606");
        }
    }

    #[tokio::test]
    async fn requests_it_cannot_use() {
        let bench = Bench::new();
        let mut body = one_tap_fields("STsid1", &now(&bench));
        assert_eq!(call(&bench, ONE_TAP, &body).await["resultCode"], "104201");
        body["appid"] = json!("1");
        assert_eq!(call(&bench, ONE_TAP, &body).await["resultCode"], "103119");
        body["token"] = json!("");
        assert_eq!(call(&bench, ONE_TAP, &body).await["resultCode"], "103811");
        assert_eq!(
            call(&bench, ONE_TAP, &one_tap_fields("STsid1", "20190226111842617")).await["resultCode"],
            "103414"
        );
        assert_eq!(call(&bench, ONE_TAP, &one_tap_fields("x", &now(&bench))).await["resultCode"], "103113");
        assert_eq!(call(&bench, ONE_TAP, &json!([])).await["resultCode"], "103412");
        assert_eq!(call(&bench, CHECK, &json!({})).await["header"]["resultCode"], "303");
    }
}
