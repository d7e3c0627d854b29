//! 创蓝 SMS v2: templates; a header is signed with the digest of the password.
//!
//! Known from clients: 000000, 101200 for a wrong account, password or signature, 101207 for an empty balance. Assumed: all
//! other codes, and that a timestamp may stand as far from the clock as with other vendors.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::{Map, Value, json};

use super::{Fields, format_beijing};
use crate::{
    control::is_mobile,
    crypto,
    reply::{Answer, deliver},
    sms::{Fate, e164, rendered},
    state::World,
    tokens::Provider,
};

const PATH: &str = "/msg/sms/v2/tpl/send";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(send))
}

async fn send(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::json(headers, body).unwrap_or_default();
    let to = e164(fields.get("phoneNumbers")).filter(|_| is_mobile(fields.get("phoneNumbers")));
    world.seen(Provider::ChuanglanSmsV2, PATH, to.as_deref().unwrap_or_default());
    let id = crypto::random_number()?.to_string();
    let answer = |code: &str, error: &str| {
        let sent = u8::from(code == "000000");
        let id = if sent == 1 { id.as_str() } else { "" };
        let time = format_beijing(world.now_ms());
        Ok(Answer::ok(json!({
            "code": code, "errorMsg": error, "msgId": id, "time": time.get(..14),
            "successNum": sent.to_string(), "failNum": 1_u8.saturating_sub(sent).to_string(),
        })))
    };
    let Some(account) = world.account(Provider::ChuanglanSmsV2, fields.get("account")) else {
        return answer("101200", "账号或密码错误");
    };
    let given = headers.get("x-qa-hmac-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (timestamp, nonce) = (fields.get("timestamp"), fields.get("nonce"));
    let recent = timestamp.parse().is_ok_and(|seconds: i64| world.is_recent(seconds.saturating_mul(1000)));
    if !recent || nonce.is_empty() || given != sign(account.setting("password"), timestamp, nonce)? {
        return answer("101200", "账号或密码错误");
    }
    let Some(code) = code(fields.get("templateParamJson")) else {
        return answer("101205", "模板参数错误");
    };
    if !fields.have(&["templateId"]) || fields.get("signature") != account.setting("signature") {
        return answer("101205", "模板或签名错误");
    }
    let Some(to) = to else { return answer("101202", "手机号码错误") };
    let text = rendered(fields.get("signature"), &code);
    let (fate, behaviour) = world.submit(account, &to, text, &id)?;
    let given = match fate {
        Fate::Accepted => answer("000000", ""),
        Fate::Refused => answer("101204", "系统忙"),
        Fate::AccountFault => answer("101207", "余额不足"),
        Fate::Undeliverable => answer("101202", "手机号码错误"),
    }?;
    Ok(Answer { behaviour, ..given })
}

/// `X-QA-Hmac-Signature`: the digest of the password is part of the text and the key.
fn sign(password: &str, timestamp: &str, nonce: &str) -> Result<String, ErrorStack> {
    let key = crypto::md5_hex(password)?;
    let mut parts = [key.as_str(), timestamp, nonce];
    parts.sort_unstable();
    crypto::hmac_sha256_hex(&key, &parts.concat())
}

/// The parameter named `code`, or else the first, of the one recipient.
fn code(parameters: &str) -> Option<String> {
    let all: Vec<Map<String, Value>> = serde_json::from_str(parameters).ok()?;
    let [one] = all.as_slice() else { return None };
    one.get("code").or_else(|| one.values().next())?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    /// Vector `chuanglan_sms_v2_hmac` (computed).
    #[test]
    fn chuanglan_sms_v2_hmac() {
        assert_eq!(
            sign("InventedPass1", "1795132800", "2026112012000012345").unwrap(),
            "cbae5edac65b380141be80428b13ad9d2b88c8926252db8684f121401b9f488d"
        );
    }

    #[tokio::test]
    async fn a_template_becomes_a_text() {
        let bench = Bench::new();
        let now = (bench.world.now_ms() / 1000).to_string();
        let send = async |phone: &str, parameters: &str, password: &str| {
            let body = json!({ "account": "YZM1234567", "nonce": "n1", "timestamp": now, "phoneNumbers": phone,
                "templateId": "1000001", "templateParamJson": parameters, "signature": "测试", "report": "true" });
            let signature = sign(password, &now, "n1").unwrap();
            let headers = [("content-type", "application/json"), ("x-qa-hmac-signature", &signature)];
            bench.send("POST", PATH, &headers, body.to_string()).await.json()["code"].take()
        };
        let (phone, good) = ("13800138000", r#"[{"param1":"012345","param2":"5"}]"#);
        assert_eq!(send(phone, good, "InventedPass1").await, "000000");
        assert_eq!(send(phone, good, "another").await, "101200");
        assert_eq!(send(phone, r#"{"param1":"012345"}"#, "InventedPass1").await, "101205");
        assert_eq!(send("1380013", good, "InventedPass1").await, "101202");
        let all = bench.get("/sandbox/sms").await.json();
        assert_eq!(all.as_array().unwrap().len(), 1);
        assert_eq!(all[0]["text"], "【测试】您的验证码是012345，5分钟内有效，请勿告诉他人。");
    }
}
