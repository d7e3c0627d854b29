//! 阿里云邮件推送 (Dm 2015-11-23): `SingleSendMail`, parameters in the query or a form. Success has no code.

use axum::http::{HeaderMap, StatusCode, Uri};
use openssl::error::ErrorStack;
use serde_json::json;

use super::{Fields, acs3};
use crate::{crypto, emails::address, reply::Answer, sms::Fate, state::World, tokens::Provider};

const HOST: &str = "dm.aliyuncs.com";
const VERSION: &str = "2015-11-23";
/// Longest subject and sender's name, in characters.
const LONGEST: (usize, usize) = (100, 15);

/// Answers a call of the path that Aliyun's products share with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let mut form = Fields::form(headers, body).unwrap_or_default();
    form.0.extend(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned());
    let to = address(form.get("ToAddress"));
    world.seen(Provider::AliyunEmail, uri.path(), to.as_deref().unwrap_or_default());

    let request_id = crypto::random_hex()?.to_uppercase();
    let refuse = |status: StatusCode, code: &str| {
        let body = json!({ "Code": code, "Message": code, "RequestId": request_id, "HostId": HOST });
        Ok(Answer { status, ..Answer::ok(body) })
    };
    let bad = |code: &str| refuse(StatusCode::BAD_REQUEST, code);
    if headers.get("x-acs-version").is_none_or(|version| version != VERSION) {
        return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
    }
    let account = match acs3::verify(world, Provider::AliyunEmail, HOST, uri, headers, body)? {
        Ok(verified) => verified.account,
        Err(refused) => return refuse(refused.status, refused.code),
    };
    let Some(to) = to else { return bad("InvalidToAddress") };
    if form.get("AccountName") != account.setting("accountName") {
        return refuse(StatusCode::NOT_FOUND, "InvalidMailAddress.NotFound");
    }
    if form.get("AddressType") != "1" || !["true", "false"].contains(&form.get("ReplyToAddress")) {
        return bad("MissingParameter");
    }
    if form.get("Subject").is_empty() || form.get("Subject").chars().count() > LONGEST.0 {
        return bad("InvalidSubject.Malformed");
    }
    if form.get("FromAlias").chars().count() > LONGEST.1 {
        return bad("InvalidFromAlias.Malformed");
    }
    if !form.have(&["TextBody"]) {
        return bad("InvalidBody");
    }
    let (fate, behaviour) = world.mail(account, &to, form.get("Subject"), form.get("TextBody").to_owned())?;
    let given = match fate {
        Fate::Accepted => {
            Ok(Answer::ok(json!({ "EnvId": crypto::random_number()?.to_string(), "RequestId": request_id })))
        }
        Fate::Refused => bad("Throttling.User"),
        Fate::AccountFault => bad("InvalidSendMail.Spam"),
        Fate::Undeliverable => bad("InvalidToAddress.Spam"),
    }?;
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::{Bench, form};

    async fn send(bench: &Bench, secret: &str, to: &str) -> Value {
        let date = jiff::Timestamp::from_second(bench.world.now_ms() / 1000).unwrap().to_string();
        let (digest, nonce) = (crypto::sha256_hex(b"").unwrap(), crypto::random_hex().unwrap());
        let headers = [
            ("x-acs-action", "SingleSendMail"),
            ("x-acs-content-sha256", &digest),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ];
        let signed: Vec<(&str, &str)> = [("host", HOST)].into_iter().chain(headers).collect();
        let query = [
            ("AccountName", "code@shop.example"),
            ("AddressType", "1"),
            ("ReplyToAddress", "false"),
            ("Subject", "验证码"),
            ("TextBody", "012345"),
            ("ToAddress", to),
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
        bench.send("POST", &format!("/?{}", form(&query)), &all, String::new()).await.json()
    }

    #[tokio::test]
    async fn success_has_no_code_and_every_refusal_has_one() {
        let bench = Bench::new();
        let (secret, to) = ("InventedSecret00000000000000000", "ming@mail.example");
        let taken = send(&bench, secret, to).await;
        assert!(taken["EnvId"].is_string() && taken.get("Code").is_none());
        assert_eq!(send(&bench, "another", to).await["Code"], "SignatureDoesNotMatch");
        assert_eq!(send(&bench, secret, "ming").await["Code"], "InvalidToAddress");
        for (kind, code) in [
            ("refused", "Throttling.User"),
            ("account_fault", "InvalidSendMail.Spam"),
            ("undeliverable", "InvalidToAddress.Spam"),
        ] {
            let fault = json!({ "provider": "aliyun_email", "rate": 1, "kind": kind }).to_string();
            bench.post("/sandbox/faults", "application/json", fault).await;
            assert_eq!(send(&bench, secret, to).await["Code"], code);
        }
        let list = bench.get("/sandbox/email").await.json();
        assert_eq!((list.as_array().unwrap().len(), &list[0]["subject"]), (1, &json!("验证码")));
    }
}
