//! 阿里云号码认证 (Dypnsapi 2017-05-25): `GetMobile` and `VerifyMobile`, parameters in the query.
//!
//! Assumed: isv.TOKEN_INVALID also for unknown, used and foreign tokens (documented for expired ones), isv.OUT_OF_SERVICE
//! for an empty balance, isv.INVALID_PARAMETERS for a missing token; all of them with HTTP 200.

use axum::http::{HeaderMap, StatusCode, Uri};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::{Credential, Minting, acs3};
use crate::{
    control::is_mobile,
    crypto,
    reply::Answer,
    state::World,
    tokens::{Attempt, Outcome, Provider, Purpose, Refusal},
};

const HOST: &str = "dypnsapi.aliyuncs.com";
const VERSION: &str = "2017-05-25";

/// Base64 of a small JSON object, padding included: the token needs escaping in a query.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    let content = format!(r#"{{"c":"{}","t":{}}}"#, crypto::random_hex()?, minting.now_ms);
    Ok(Credential::of_token(crypto::base64(content.as_bytes())))
}

/// Answers a call of the path that Aliyun's products share with others.
pub(crate) fn exchange(
    world: &World,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorStack> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (purpose, token_name) = match header("x-acs-action") {
        "VerifyMobile" => (Some(Purpose::Check), "AccessCode"),
        "GetMobile" => (Some(Purpose::OneTap), "AccessToken"),
        _ => (None, "AccessToken"),
    };
    let token = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == token_name).then(|| value.into_owned()))
        .unwrap_or_default();
    world.seen(Provider::Aliyun, uri.path(), &token);

    let request_id = crypto::random_hex()?.to_uppercase();
    let answer = |code: &str, more: Option<(&str, Value)>| {
        let common = [("Code", json!(code)), ("Message", json!(code)), ("RequestId", json!(request_id))];
        Answer::ok(common.into_iter().chain(more).collect())
    };
    let refuse =
        |status: StatusCode, code: &str| Ok(Answer { status, ..answer(code, Some(("HostId", json!(HOST)))) });
    let (Some(purpose), VERSION) = (purpose, header("x-acs-version")) else {
        return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
    };
    let verified = match acs3::verify(world, Provider::Aliyun, HOST, uri, headers, body)? {
        Ok(verified) => verified,
        Err(refused) => return refuse(refused.status, refused.code),
    };
    if token.is_empty() {
        return Ok(answer("isv.INVALID_PARAMETERS", None));
    }
    let typed = verified.query.get("PhoneNumber").map_or("", String::as_str);
    if purpose == Purpose::Check && !is_mobile(typed) {
        return Ok(answer("isv.MOBILE_NUMBER_ILLEGAL", None));
    }
    let attempt =
        Attempt { account_id: verified.account.id(), purpose, companions: &[], now_ms: world.now_ms() };
    let (outcome, behaviour) = world.redeem(Provider::Aliyun, &token, &attempt)?;
    let number = |text: &str| Some(("GetMobileResultDTO", json!({ "Mobile": text })));
    let verdict =
        |text: &str| Some(("GateVerifyResultDTO", json!({ "VerifyResult": text, "VerifyId": request_id })));
    let (code, result) = match (outcome, purpose) {
        (Outcome::Phone(phone), Purpose::OneTap) => ("OK", number(&phone)),
        (Outcome::Unreadable, Purpose::OneTap) => ("OK", number("unreadable")),
        (Outcome::Phone(phone), Purpose::Check) => {
            ("OK", verdict(if phone == typed { "PASS" } else { "REJECT" }))
        }
        (Outcome::Unreadable, Purpose::Check) => ("OK", verdict("UNKNOWN")),
        (Outcome::Refused(Refusal::WrongPurpose), _) => ("isv.TOKEN_UNAUTHORIZED_USED", None),
        (Outcome::Refused(Refusal::AccountFault), _) => ("isv.OUT_OF_SERVICE", None),
        (Outcome::Refused(_), _) => ("isv.TOKEN_INVALID", None),
    };
    Ok(Answer { behaviour, ..answer(code, result) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Bench, Reply, form};

    /// A client of the vendor: what it sends can be bent before it is signed (`at_ms`, `nonce`) or after (`break_it`).
    struct Call<'a> {
        action: &'a str,
        query: &'a [(&'a str, &'a str)],
        at_ms: i64,
        nonce: &'a str,
        break_it: bool,
    }

    impl Call<'_> {
        async fn send(&self, bench: &Bench) -> Reply {
            let date = jiff::Timestamp::from_second(self.at_ms / 1000).unwrap().to_string();
            let digest = crypto::sha256_hex(b"").unwrap();
            let headers = [
                ("x-acs-action", self.action),
                ("x-acs-content-sha256", &digest),
                ("x-acs-date", &date),
                ("x-acs-signature-nonce", self.nonce),
                ("x-acs-version", VERSION),
            ];
            let signed: Vec<(&str, &str)> = [("host", HOST)].into_iter().chain(headers).collect();
            let query: BTreeMap<String, String> =
                self.query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let canonical = acs3::canonical_request("POST", "/", &query, &signed, &digest);
            let secret = if self.break_it { "another secret" } else { "InventedSecret00000000000000000" };
            let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
            let authorization = format!(
                "ACS3-HMAC-SHA256 Credential=LTAIinventedKeyId,SignedHeaders={},Signature={}",
                names.join(";"),
                acs3::sign(&canonical, secret).unwrap()
            );
            let mut all = headers.to_vec();
            all.push(("authorization", &authorization));
            // A relay in between: the Host header is not the vendor's.
            all.push(("host", "relay.example"));
            bench.send("POST", &format!("/?{}", form(self.query)), &all, String::new()).await
        }
    }

    async fn call(bench: &Bench, action: &str, query: &[(&str, &str)]) -> Reply {
        let nonce = crypto::random_hex().unwrap();
        Call { action, query, at_ms: bench.world.now_ms(), nonce: &nonce, break_it: false }.send(bench).await
    }

    #[tokio::test]
    async fn one_tap_once() {
        let bench = Bench::new();
        let token = bench.token("aliyun", "one_tap").await;
        let query = [("AccessToken", token.as_str()), ("OutId", "order 1")];
        let first = call(&bench, "GetMobile", &query).await.json();
        assert_eq!(
            (first["Code"].as_str(), first["GetMobileResultDTO"]["Mobile"].as_str()),
            (Some("OK"), Some("13800138000"))
        );
        let again = call(&bench, "GetMobile", &query).await;
        assert_eq!((again.status, again.json()["Code"].as_str()), (200, Some("isv.TOKEN_INVALID")));
        assert_eq!(bench.calls("aliyun").await["tokens"][&token], 2);
    }

    #[tokio::test]
    async fn the_gateway_refuses() {
        let bench = Bench::new();
        let token = bench.token("aliyun", "one_tap").await;
        let query = [("AccessToken", token.as_str())];
        let now = bench.world.now_ms();
        let good = Call { action: "GetMobile", query: &query, at_ms: now, nonce: "n1", break_it: false };
        for (bent, status, code) in [
            (Call { break_it: true, ..good }, 400, "SignatureDoesNotMatch"),
            (Call { at_ms: now - 16 * 60_000, ..good }, 400, "InvalidTimeStamp.Expired"),
            (Call { action: "GetNothing", ..good }, 404, "InvalidAction.NotFound"),
            (Call { ..good }, 200, "OK"),
            (Call { ..good }, 400, "SignatureNonceUsed"),
        ] {
            let reply = bent.send(&bench).await;
            assert_eq!((reply.status, reply.json()["Code"].as_str()), (status, Some(code)));
        }
        let bare = bench.post("/", "application/json", String::new()).await;
        assert_eq!(bare.json()["Code"], "InvalidAction.NotFound");
    }

    #[tokio::test]
    async fn tokens_expire_and_keep_to_their_use() {
        let bench = Bench::new();
        let token = bench.token("aliyun", "one_tap").await;
        bench.world.shift_clock(121);
        assert_eq!(
            call(&bench, "GetMobile", &[("AccessToken", &token)]).await.json()["Code"],
            "isv.TOKEN_INVALID"
        );
        let token = bench.token("aliyun", "check").await;
        assert_eq!(
            call(&bench, "GetMobile", &[("AccessToken", &token)]).await.json()["Code"],
            "isv.TOKEN_UNAUTHORIZED_USED"
        );
    }

    #[tokio::test]
    async fn number_check() {
        let bench = Bench::new();
        for (typed, result) in [("13800138000", "PASS"), ("13900139000", "REJECT")] {
            let token = bench.token("aliyun", "check").await;
            let reply =
                call(&bench, "VerifyMobile", &[("AccessCode", &token), ("PhoneNumber", typed)]).await.json();
            assert_eq!(reply["GateVerifyResultDTO"]["VerifyResult"], result);
        }
    }
}
