//! 阿里云短信 (Dysms 2017-05-25): `SendSms`, parameters in the query or a form.
//!
//! Assumed: isv.MOBILE_NUMBER_ILLEGAL also for a number on a blacklist, isp.SYSTEM_ERROR for a bad moment.

use axum::http::{HeaderMap, StatusCode, Uri};
use openssl::error::ErrorStack;
use serde_json::{Map, Value, json};

use super::{Delivery, Fields, Push, acs3};
use crate::{
    crypto,
    reply::Answer,
    sms::{Fate, e164, rendered},
    state::World,
    tokens::Provider,
};

const HOST: &str = "dysmsapi.aliyuncs.com";
const VERSION: &str = "2017-05-25";

/// SmsReport, a batch of one.
pub(crate) fn receipt(delivery: &Delivery<'_>) -> Push {
    let message = delivery.message;
    let (code, text) = if delivery.delivered {
        ("DELIVERED", "用户接收成功")
    } else {
        ("MOBILE_NOT_ON_SERVICE", "停机")
    };
    let report = json!([{
        "phone_number": message.to.trim_start_matches("+86"), "biz_id": message.id, "success": delivery.delivered,
        "err_code": code, "err_msg": text, "sms_size": "1", "out_id": "",
    }]);
    let headers = vec![("content-type", "application/json;charset=utf-8".to_owned())];
    Push { headers, body: Some(report.to_string()), ..Push::default() }
}

/// Answers a call of the path that Aliyun's products share with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let mut form = Fields::form(headers, body).unwrap_or_default();
    form.0.extend(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned());
    let number = form.get("PhoneNumbers");
    let to = e164(number.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(number));
    world.seen(Provider::AliyunSms, uri.path(), to.as_deref().unwrap_or_default());

    let request_id = crypto::random_hex()?.to_uppercase();
    let biz_id = format!("{}^0", crypto::random_number()?);
    let answer = |code: &str| Answer::ok(json!({ "Code": code, "Message": code, "RequestId": request_id }));
    let refuse = |status: StatusCode, code: &str| Ok(Answer { status, ..answer(code) });
    if headers.get("x-acs-version").is_none_or(|version| version != VERSION) {
        return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
    }
    let account = match acs3::verify(world, Provider::AliyunSms, HOST, uri, headers, body)? {
        Ok(verified) => verified.account,
        Err(refused) => return refuse(refused.status, refused.code),
    };
    let Some(to) = to else { return Ok(answer("isv.MOBILE_NUMBER_ILLEGAL")) };
    if form.get("SignName") != account.setting("signName") {
        return Ok(answer("isv.SMS_SIGNATURE_ILLEGAL"));
    }
    if !form.have(&["TemplateCode"]) {
        return Ok(answer("isv.SMS_TEMPLATE_ILLEGAL"));
    }
    let Ok(parameters) = serde_json::from_str::<Map<String, Value>>(form.get("TemplateParam")) else {
        return Ok(answer("isv.INVALID_JSON_PARAM"));
    };
    let Some(code) = parameters.get("code").or_else(|| parameters.values().next()).and_then(Value::as_str)
    else {
        return Ok(answer("isv.TEMPLATE_MISSING_PARAMETERS"));
    };
    let text = rendered(form.get("SignName"), code);
    let (fate, behaviour) = world.submit(account, &to, text, &biz_id)?;
    let given = match fate {
        Fate::Accepted => {
            Answer::ok(json!({ "Code": "OK", "Message": "OK", "RequestId": request_id, "BizId": biz_id }))
        }
        Fate::Refused => answer("isp.SYSTEM_ERROR"),
        Fate::AccountFault => answer("isv.AMOUNT_NOT_ENOUGH"),
        Fate::Undeliverable => answer("isv.MOBILE_NUMBER_ILLEGAL"),
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    async fn send(bench: &Bench, secret: &str, number: &str) -> Value {
        let date = jiff::Timestamp::from_second(bench.world.now_ms() / 1000).unwrap().to_string();
        let (digest, nonce) = (crypto::sha256_hex(b"").unwrap(), crypto::random_hex().unwrap());
        let headers = [
            ("x-acs-action", "SendSms"),
            ("x-acs-content-sha256", &digest),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ];
        let signed: Vec<(&str, &str)> = [("host", HOST)].into_iter().chain(headers).collect();
        let query = [
            ("PhoneNumbers", number),
            ("SignName", "测试"),
            ("TemplateCode", "SMS_000000001"),
            ("TemplateParam", r#"{"code":"012345"}"#),
        ];
        let sorted = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let canonical = acs3::canonical_request("POST", "/", &sorted, &signed, &digest);
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential=LTAIinventedKeyId,SignedHeaders={},Signature={}",
            names.join(";"),
            acs3::sign(&canonical, secret).unwrap()
        );
        let mut all = headers.to_vec();
        all.push(("authorization", &authorization));
        bench.send("POST", &format!("/?{}", form(&query)), &all, String::new()).await.json()["Code"].take()
    }

    #[tokio::test]
    async fn a_template_becomes_a_text() {
        let bench = Bench::new();
        let secret = "InventedSecret00000000000000000";
        assert_eq!(send(&bench, secret, "13800138000").await, "OK");
        assert_eq!(send(&bench, "another", "13800138000").await, "SignatureDoesNotMatch");
        assert_eq!(send(&bench, secret, "1380013").await, "isv.MOBILE_NUMBER_ILLEGAL");
        let list = bench.get("/sandbox/sms").await.json();
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!(list[0]["text"], "【测试】您的验证码是012345，5分钟内有效，请勿告诉他人。");
    }
}
