//! 阿里云号码百科 (Dytnsapi 2020-02-17): `DescribePhoneTwiceTelVerify` and `PhoneNumberStatusForAccount`, parameters in the
//! query.
//!
//! Assumed: the HTTP status of all codes, `InvalidParameter` for a malformed time, `Throttling.User` for a bad moment.

use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::{civil::DateTime, tz::Offset};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::{Fields, acs3};
use crate::{
    control::is_mobile,
    crypto,
    people::{Since, Status},
    reply::Answer,
    sms::e164,
    state::World,
    tokens::{Behaviour, Provider},
};

const HOST: &str = "dytnsapi.aliyuncs.com";
const VERSION: &str = "2020-02-17";

/// Whether it is one of this product's actions.
pub(crate) fn is_asked(action: &str) -> bool {
    matches!(action, "DescribePhoneTwiceTelVerify" | "PhoneNumberStatusForAccount")
}

/// Answers a call of the path that Aliyun's products share with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = Fields::query(uri).unwrap_or_default();
    let phone = e164(fields.get("InputNumber")).filter(|_| is_mobile(fields.get("InputNumber")));
    let action = header("x-acs-action");
    world.seen(Provider::AliyunNumber, action, phone.as_deref().unwrap_or_default());

    let id = crypto::random_hex()?.to_uppercase();
    let answer = |code: &str, data: Value| {
        Answer::ok(json!({ "Code": code, "Message": code, "RequestId": id, "Data": data }))
    };
    let refuse = |status: StatusCode, code: &str| Ok(Answer { status, ..answer(code, Value::Null) });
    if header("x-acs-version") != VERSION {
        return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
    }
    let account = match acs3::verify(world, Provider::AliyunNumber, HOST, uri, headers, body)? {
        Ok(verified) => verified.account,
        Err(refused) => return refuse(refused.status, refused.code),
    };
    let is_resale = action == "DescribePhoneTwiceTelVerify";
    let auth_code = account.setting(if is_resale { "authCode" } else { "statusAuthCode" });
    if auth_code.is_empty() || fields.get("AuthCode") != auth_code {
        return refuse(StatusCode::OK, "AuthCodeNotExist");
    }
    let Some(phone) = phone.filter(|_| fields.get("Mask") == "NORMAL") else {
        return refuse(StatusCode::OK, "MobileNumberIllegal");
    };
    let behaviour = world.ledger().fault(Provider::AliyunNumber, None)?.unwrap_or_default();
    let person = world.person(&phone);
    let given = match behaviour {
        Behaviour::Refused | Behaviour::Http500 => refuse(StatusCode::BAD_REQUEST, "Throttling.User")?,
        Behaviour::AccountFault => refuse(StatusCode::FORBIDDEN, "NoPermission")?,
        _ if is_resale => {
            let Some(since) = china(fields.get("StartTime")) else {
                return refuse(StatusCode::BAD_REQUEST, "InvalidParameter");
            };
            let result = match person.map(|person| person.since(since)) {
                None => "0",
                Some(Since::Reassigned) => "1",
                Some(Since::Neither) => "2",
                Some(Since::Cancelled) => "3",
            };
            answer("OK", json!({ "VerifyResult": result, "Carrier": "CMCC" }))
        }
        _ => {
            let status = match person.map(|person| person.status(world.now_ms())) {
                Some(Status::Active) => "NORMAL",
                Some(Status::Suspended) => "SHUTDOWN",
                Some(Status::Off) => "POWER_OFF",
                Some(Status::Vacant) => "NOT_EXIST",
                Some(Status::Unknown) | None => "UNKNOWN",
            };
            answer("OK", json!({ "Status": status, "Carrier": "CMCC" }))
        }
    };
    Ok(Answer { behaviour, ..given })
}

/// `yyyy-MM-dd HH:mm:ss` in Beijing, as milliseconds since 1970.
fn china(text: &str) -> Option<i64> {
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(Offset::constant(8).to_timestamp(civil).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    async fn ask(bench: &Bench, action: &str, secret: &str, query: &[(&str, &str)]) -> Value {
        let date = jiff::Timestamp::from_second(bench.world.now_ms() / 1000).unwrap().to_string();
        let (digest, nonce) = (crypto::sha256_hex(b"").unwrap(), crypto::random_hex().unwrap());
        let headers = [
            ("x-acs-action", action),
            ("x-acs-content-sha256", &digest),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ];
        let signed: Vec<(&str, &str)> = [("host", HOST)].into_iter().chain(headers).collect();
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
        bench.send("POST", &format!("/?{}", form(query)), &all, String::new()).await.json()
    }

    const SECRET: &str = "InventedSecret00000000000000000";

    async fn resale(bench: &Bench, number: &str, since: &str) -> Value {
        let query =
            [("AuthCode", "Dd1r00004id"), ("InputNumber", number), ("Mask", "NORMAL"), ("StartTime", since)];
        ask(bench, "DescribePhoneTwiceTelVerify", SECRET, &query).await
    }

    #[tokio::test]
    async fn it_knows_whom_it_was_told_of() {
        let bench = Bench::new();
        let result =
            async |since: &str| resale(&bench, "13800138000", since).await["Data"]["VerifyResult"].take();
        assert_eq!(result("2026-01-01 00:00:00").await, "0");
        bench.people(json!({ "phone": "13800138000", "reassigned": ["2026-06-01T12:00:00+08:00"] })).await;
        assert_eq!(result("2026-06-01 11:59:59").await, "1");
        assert_eq!(result("2026-06-01 12:00:00").await, "2");
        bench.people(json!({ "phone": "13800138000", "cancelled": "2026-06-01T12:00:00+08:00" })).await;
        assert_eq!(result("2026-06-01 11:59:59").await, "3");

        let query = [("AuthCode", "Dd1r00005id"), ("InputNumber", "13800138000"), ("Mask", "NORMAL")];
        let status = ask(&bench, "PhoneNumberStatusForAccount", SECRET, &query).await;
        assert_eq!(status["Data"]["Status"], "NOT_EXIST");
        assert_eq!(bench.calls("aliyun_number").await["byPath"]["PhoneNumberStatusForAccount"], 1);
    }

    #[tokio::test]
    async fn what_is_wrong_has_a_code() {
        let bench = Bench::new();
        assert_eq!(resale(&bench, "1380013", "2026-01-01 00:00:00").await["Code"], "MobileNumberIllegal");
        assert_eq!(resale(&bench, "13800138000", "2026-01-01").await["Code"], "InvalidParameter");
        let query = [("AuthCode", "another"), ("InputNumber", "13800138000"), ("Mask", "NORMAL")];
        let action = "DescribePhoneTwiceTelVerify";
        assert_eq!(ask(&bench, action, SECRET, &query).await["Code"], "AuthCodeNotExist");
        assert_eq!(ask(&bench, action, "another", &query).await["Code"], "SignatureDoesNotMatch");
        for (kind, code) in [("refused", "Throttling.User"), ("account_fault", "NoPermission")] {
            let fault = json!({ "provider": "aliyun_number", "rate": 1, "kind": kind }).to_string();
            assert_eq!(bench.post("/sandbox/faults", "application/json", fault).await.status, 200);
            assert_eq!(resale(&bench, "13800138000", "2026-01-01 00:00:00").await["Code"], code);
        }
    }
}
