//! 腾讯云邮件推送 (2020-10-02): `SendEmail` by template. Errors come with HTTP 200; success has no code.
//!
//! Assumed: the codes of an unknown sender and of a template that is none.

use axum::http::{HeaderMap, Uri};
use openssl::error::ErrorStack;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::tc3;
use crate::{crypto, emails::address, reply::Answer, sms::Fate, state::World, tokens::Provider};

const HOST: &str = "ses.tencentcloudapi.com";
const VERSION: &str = "2020-10-02";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Vec<String>,
    subject: String,
    template: Template,
    trigger_type: Option<u64>,
}

#[derive(Deserialize)]
struct Template {
    #[serde(rename = "TemplateID")]
    id: u64,
    #[serde(rename = "TemplateData")]
    data: String,
}

/// Answers a call of the path that this vendor shares with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let request: Option<SendEmail> = serde_json::from_slice(body).ok();
    let to = request.as_ref().and_then(|request| request.destination.first()).and_then(|to| address(to));
    world.seen(Provider::TencentEmail, uri.path(), to.as_deref().unwrap_or_default());

    let request_id = crypto::random_hex()?;
    let error = |code: &str| {
        let error = json!({ "Code": code, "Message": code });
        Answer::ok(json!({ "Response": { "Error": error, "RequestId": request_id } }))
    };
    let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
    if !is("x-tc-version", VERSION) {
        return Ok(error("NoSuchVersion"));
    }
    let account = match tc3::verify(world, Provider::TencentEmail, HOST, uri, headers, body)? {
        Ok(account) => account,
        Err(code) => return Ok(error(code)),
    };
    if !is("x-tc-region", account.setting("region")) {
        return Ok(error("UnsupportedRegion"));
    }
    let Some(request) = request else { return Ok(error("InvalidParameter")) };
    let (Some(to), [_]) = (to, request.destination.as_slice()) else {
        return Ok(error("FailedOperation.IncorrectEmail"));
    };
    if request.from_email_address != account.setting("from") {
        return Ok(error("FailedOperation.IncorrectSender"));
    }
    let data: Map<String, Value> = serde_json::from_str(&request.template.data).unwrap_or_default();
    let code = data.get("code").and_then(Value::as_str);
    let (Some(code), true) = (code, request.template.id > 0 && request.trigger_type == Some(1)) else {
        return Ok(error("FailedOperation.InvalidTemplateID"));
    };
    // The real text is in the vendor's console.
    let text = format!("您的验证码是{code}，5分钟内有效，请勿告诉他人。");
    let (fate, behaviour) = world.mail(account, &to, &request.subject, text)?;
    let given = match fate {
        Fate::Accepted => {
            let id = format!("qcloud-ses-{}", crypto::random_number()?);
            Answer::ok(json!({ "Response": { "MessageId": id, "RequestId": request_id } }))
        }
        Fate::Refused => error("RequestLimitExceeded"),
        Fate::AccountFault => error("FailedOperation.InsufficientBalance"),
        Fate::Undeliverable => error("FailedOperation.EmailAddrInBlacklist"),
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    async fn send(bench: &Bench, secret: &str, to: &str) -> Value {
        let time = jiff::Timestamp::from_second(bench.world.now_ms() / 1000).unwrap();
        let template = json!({ "TemplateID": 100_091, "TemplateData": r#"{"code":"012345"}"# });
        let body = json!({ "FromEmailAddress": "code@shop.example", "Destination": [to], "Subject": "验证码",
            "Template": template, "TriggerType": 1 })
        .to_string();
        let content_type = "application/json; charset=utf-8";
        let lines = [("content-type", content_type), ("host", HOST), ("x-tc-action", "SendEmail")];
        let canonical = tc3::canonical_request("/", "", &lines, body.as_bytes()).unwrap();
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential=AKIDinvented00000001/{}/ses/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature={}",
            time.strftime("%Y-%m-%d"),
            tc3::sign(&canonical, secret, time, "ses").unwrap(),
        );
        let seconds = time.as_second().to_string();
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", content_type),
            ("host", "relay.example"),
            ("x-tc-action", "SendEmail"),
            ("x-tc-region", "ap-guangzhou"),
            ("x-tc-timestamp", &seconds),
            ("x-tc-version", VERSION),
        ];
        bench.send("POST", "/", &headers, body).await.json()["Response"].take()
    }

    #[tokio::test]
    async fn success_has_an_id_and_every_refusal_a_code() {
        let bench = Bench::new();
        let (secret, to) = ("InventedSecretKey0123456789", "ming@mail.example");
        assert!(send(&bench, secret, to).await["MessageId"].is_string());
        assert_eq!(send(&bench, "another", to).await["Error"]["Code"], "AuthFailure.SignatureFailure");
        assert_eq!(send(&bench, secret, "x").await["Error"]["Code"], "FailedOperation.IncorrectEmail");
        for (kind, code) in [
            ("refused", "RequestLimitExceeded"),
            ("account_fault", "FailedOperation.InsufficientBalance"),
            ("undeliverable", "FailedOperation.EmailAddrInBlacklist"),
        ] {
            let fault = json!({ "provider": "tencent_email", "rate": 1, "kind": kind }).to_string();
            bench.post("/sandbox/faults", "application/json", fault).await;
            assert_eq!(send(&bench, secret, to).await["Error"]["Code"], code);
        }
        let list = bench.get("/sandbox/email").await.json();
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert!(list[0]["text"].as_str().unwrap().contains("012345"));
    }
}
