//! 创蓝 SMS, classic and international: the password stands in the body, the text is ours.
//!
//! Assumed: 101 for a body that is no JSON object; 107 (international: 108) also for a number on the vendor's blacklist;
//! 109 (international: 110) for an empty balance; that the international API pushes the same receipts.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::{Delivery, Fields, Push, format_beijing};
use crate::{
    control::is_mobile,
    crypto,
    reply::{Answer, deliver},
    sms::{Fate, e164},
    state::World,
    tokens::Provider,
};

/// Longest text, in characters, the signature included.
const LONGEST: usize = 536;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/msg/send/json", post(domestic))
        .route("/msg/v1/send/json", post(domestic))
        .route("/send/json", post(international))
}

/// The status report, pushed by GET.
pub(crate) fn receipt(delivery: &Delivery<'_>) -> Push {
    let message = delivery.message;
    let time = format_beijing(delivery.now_ms);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("msgid", &message.id)
        .append_pair("reportTime", time.get(2..12).unwrap_or_default())
        .append_pair("mobile", message.to.trim_start_matches("+86").trim_start_matches('+'))
        .append_pair("status", if delivery.delivered { "DELIVRD" } else { "UNDELIV" })
        .finish();
    Push { query, ..Push::default() }
}

async fn domestic(
    State(world): State<Arc<World>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(exchange(&world, Provider::ChuanglanSms, uri.path(), &headers, &body)).await
}

async fn international(
    State(world): State<Arc<World>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(exchange(&world, Provider::ChuanglanSmsIntl, uri.path(), &headers, &body)).await
}

fn exchange(
    world: &World,
    provider: Provider,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let abroad = provider == Provider::ChuanglanSmsIntl;
    let fields = Fields::json(headers, body).unwrap_or_default();
    let to = if abroad {
        e164(&format!("+{}", fields.get("mobile")))
    } else {
        e164(fields.get("phone")).filter(|_| is_mobile(fields.get("phone")))
    };
    world.seen(provider, path, to.as_deref().unwrap_or_default());
    let id = crypto::random_number()?.to_string();
    let answer = |code: &str, error: &str| {
        let id = if code == "0" { id.as_str() } else { "" };
        Ok(Answer::ok(if abroad {
            json!({ "code": code, "error": error, "msgid": id })
        } else {
            let time = format_beijing(world.now_ms());
            let time = time.get(..14).unwrap_or_default();
            json!({ "code": code, "errorMsg": error, "msgId": id, "time": time })
        }))
    };
    let Some(account) = world.account(provider, fields.get("account")) else {
        return answer("101", "无此用户");
    };
    if fields.get("password") != account.setting("password") {
        return answer("102", "密码错误");
    }
    let text = fields.get("msg");
    if text.is_empty() || text.chars().count() > LONGEST {
        return answer("106", "消息长度错误");
    }
    let (wrong_number, no_balance) = if abroad { ("108", "110") } else { ("107", "109") };
    let Some(to) = to else {
        return answer(wrong_number, "手机号码错误");
    };
    if abroad && to.starts_with("+86") {
        return answer("115", "无国内发送权限");
    }
    let signed = text.starts_with('【') && text.contains('】');
    if !abroad && !signed {
        return answer("116", "签名不合法");
    }
    let (fate, behaviour) = world.submit(account, &to, text.to_owned(), &id)?;
    let given = match fate {
        Fate::Accepted => answer("0", ""),
        Fate::Refused => answer("104", "系统忙"),
        Fate::AccountFault => answer(no_balance, "无发送额度"),
        Fate::Undeliverable => answer(wrong_number, "手机号码错误"),
    }?;
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    async fn send(bench: &Bench, path: &str, body: serde_json::Value) -> serde_json::Value {
        bench.post(path, "application/json", body.to_string()).await.json()["code"].take()
    }

    #[tokio::test]
    async fn what_is_accepted_is_in_the_phone() {
        let bench = Bench::new();
        let good = json!({ "account": "N1234567", "password": "InventedPass1", "phone": "13800138000",
            "msg": "【测试】您的验证码是012345", "report": "true", "uid": "u1" });
        assert_eq!(send(&bench, "/msg/v1/send/json", good.clone()).await, "0");
        for (name, value, code) in [
            ("account", "N7654321", "101"),
            ("password", "another", "102"),
            ("msg", "", "106"),
            ("phone", "138001380", "107"),
            ("phone", "13800138000,13800138001", "107"),
            ("msg", "您的验证码是012345", "116"),
        ] {
            let mut bad = good.clone();
            bad[name] = json!(value);
            assert_eq!(send(&bench, "/msg/send/json", bad).await, code, "{name} {value}");
        }
        assert_eq!(send(&bench, "/msg/send/json", json!([])).await, "101");
        let phone = bench.get("/sandbox/sms?to=%2B8613800138000").await.json();
        assert_eq!(phone.as_array().unwrap().len(), 1);
        assert_eq!(
            (&phone[0]["text"], &phone[0]["provider"]),
            (&json!("【测试】您的验证码是012345"), &json!("chuanglan_sms"))
        );
        assert!(phone[0]["at"].as_str().unwrap().ends_with('Z'));
    }

    #[tokio::test]
    async fn abroad_numbers_have_their_country_and_china_has_none() {
        let bench = Bench::new();
        let to = |mobile: &str| json!({ "account": "I1234567", "password": "InventedPass2", "mobile": mobile, "msg": "code 012345" });
        assert_eq!(send(&bench, "/send/json", to("4915112345678")).await, "0");
        assert_eq!(send(&bench, "/send/json", to("8613800138000")).await, "115");
        assert_eq!(send(&bench, "/send/json", to("0049151")).await, "108");
        let all = bench.get("/sandbox/sms").await.json();
        assert_eq!((all.as_array().unwrap().len(), &all[0]["to"]), (1, &json!("+4915112345678")));
    }
}
