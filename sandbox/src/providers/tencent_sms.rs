//! 腾讯云短信 (2021-01-11): `SendSms`. Errors come with HTTP 200, about the request or about one number.
//!
//! Assumed: which of the two places each code stands in, and the code of a wrong application.

use axum::http::{HeaderMap, Uri};
use openssl::error::ErrorStack;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Delivery, Push, tc3};
use crate::{
    crypto,
    reply::Answer,
    sms::{Fate, e164, rendered},
    state::World,
    tokens::Provider,
};

const HOST: &str = "sms.tencentcloudapi.com";
const VERSION: &str = "2021-01-11";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendSms {
    phone_number_set: Vec<String>,
    sms_sdk_app_id: String,
    template_id: String,
    sign_name: String,
    template_param_set: Vec<String>,
}

/// The status report, a batch of one.
pub(crate) fn receipt(delivery: &Delivery<'_>) -> Push {
    let (status, text) = if delivery.delivered { ("SUCCESS", "DELIVRD") } else { ("FAIL", "UNDELIV") };
    let report = json!([{
        "mobile": delivery.message.to.trim_start_matches("+86"), "nationcode": "86",
        "report_status": status, "errmsg": text, "description": text, "sid": delivery.message.id,
    }]);
    let headers = vec![("content-type", "application/json".to_owned())];
    Push { headers, body: Some(report.to_string()), ..Push::default() }
}

/// Answers a call of the path that this vendor shares with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let request: Option<SendSms> = serde_json::from_slice(body).ok();
    let number = request.as_ref().and_then(|request| request.phone_number_set.first());
    let to = number.filter(|number| number.starts_with('+')).and_then(|number| e164(number));
    world.seen(Provider::TencentSms, uri.path(), to.as_deref().unwrap_or_default());

    let request_id = crypto::random_hex()?;
    let respond = |mut response: Value| {
        if let Some(fields) = response.as_object_mut() {
            fields.insert("RequestId".to_owned(), json!(request_id));
        }
        Answer::ok(json!({ "Response": response }))
    };
    let error = |code: &str| respond(json!({ "Error": { "Code": code, "Message": code } }));
    let status = |number: &str, id: &str, code: &str| {
        respond(json!({ "SendStatusSet": [{
            "SerialNo": id, "PhoneNumber": number, "Fee": u8::from(code == "Ok"), "SessionContext": "",
            "Code": code, "Message": code, "IsoCode": "CN",
        }] }))
    };
    let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
    if !is("x-tc-action", "SendSms") {
        return Ok(error("InvalidAction"));
    }
    if !is("x-tc-version", VERSION) {
        return Ok(error("NoSuchVersion"));
    }
    let account = match tc3::verify(world, Provider::TencentSms, HOST, uri, headers, body)? {
        Ok(account) => account,
        Err(code) => return Ok(error(code)),
    };
    if !is("x-tc-region", account.setting("region")) {
        return Ok(error("UnsupportedRegion"));
    }
    let Some(request) = request else { return Ok(error("InvalidParameter")) };
    if request.sms_sdk_app_id != account.setting("sdkAppId") {
        return Ok(error("UnauthorizedOperation.SmsSdkAppIdVerifyFail"));
    }
    let (Some(to), [_]) = (to, request.phone_number_set.as_slice()) else {
        return Ok(status("", "", "InvalidParameterValue.IncorrectPhoneNumber"));
    };
    if request.sign_name != account.setting("signName") {
        return Ok(status(&to, "", "FailedOperation.SignatureIncorrectOrUnapproved"));
    }
    let (Some(code), false) = (request.template_param_set.first(), request.template_id.is_empty()) else {
        return Ok(status(&to, "", "FailedOperation.TemplateIncorrectOrUnapproved"));
    };
    let id = format!("2640:{}", crypto::random_number()?);
    let (fate, behaviour) = world.submit(account, &to, rendered(&request.sign_name, code), &id)?;
    let given = match fate {
        Fate::Accepted => status(&to, &id, "Ok"),
        Fate::Refused => error("InternalError.Timeout"),
        Fate::AccountFault => status(&to, "", "FailedOperation.InsufficientBalanceInSmsPackage"),
        Fate::Undeliverable => status(&to, "", "FailedOperation.PhoneNumberInBlacklist"),
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    async fn send(bench: &Bench, secret: &str, number: &str) -> Value {
        let time = jiff::Timestamp::from_second(bench.world.now_ms() / 1000).unwrap();
        let body = json!({ "PhoneNumberSet": [number], "SmsSdkAppId": "1400000001", "SignName": "测试",
            "TemplateId": "1000001", "TemplateParamSet": ["012345", "5"] })
        .to_string();
        let content_type = "application/json; charset=utf-8";
        let lines = [("content-type", content_type), ("host", HOST), ("x-tc-action", "SendSms")];
        let canonical = tc3::canonical_request("/", "", &lines, body.as_bytes()).unwrap();
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential=AKIDinvented00000001/{}/sms/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature={}",
            time.strftime("%Y-%m-%d"),
            tc3::sign(&canonical, secret, time, "sms").unwrap(),
        );
        let seconds = time.as_second().to_string();
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", content_type),
            ("host", "relay.example"),
            ("x-tc-action", "SendSms"),
            ("x-tc-region", "ap-guangzhou"),
            ("x-tc-timestamp", &seconds),
            ("x-tc-version", VERSION),
        ];
        bench.send("POST", "/", &headers, body).await.json()["Response"].take()
    }

    #[tokio::test]
    async fn errors_are_about_the_request_or_the_number() {
        let bench = Bench::new();
        let (secret, to) = ("InventedSecretKey0123456789", "+8613800138000");
        assert_eq!(send(&bench, secret, to).await["SendStatusSet"][0]["Code"], "Ok");
        assert_eq!(send(&bench, "another", to).await["Error"]["Code"], "AuthFailure.SignatureFailure");
        let wrong = send(&bench, secret, "x").await;
        assert_eq!(wrong["SendStatusSet"][0]["Code"], "InvalidParameterValue.IncorrectPhoneNumber");
        let fault = json!({ "provider": "tencent_sms", "rate": 1, "kind": "refused" }).to_string();
        bench.post("/sandbox/faults", "application/json", fault).await;
        assert_eq!(send(&bench, secret, to).await["Error"]["Code"], "InternalError.Timeout");
        assert_eq!(bench.get("/sandbox/sms").await.json().as_array().unwrap().len(), 1);
    }
}
