//! Aliyun's request signature ACS3-HMAC-SHA256, as its gateway checks it before any product sees the request.
//!
//! Assumed: the HTTP status and code of each refusal, taken from the gateway's general list; that every `x-acs-*` header and
//! `host` must be signed.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    crypto,
    state::{Account, World},
    tokens::Provider,
};

const SCHEME: &str = "ACS3-HMAC-SHA256";
const REQUIRED: [&str; 5] =
    ["x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];
/// RFC 3986: all but letters, digits and `-_.~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A gateway's refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
}

/// A request whose signature is right.
pub(crate) struct Verified<'a> {
    pub(crate) account: &'a Account,
    pub(crate) query: BTreeMap<String, String>,
}

/// Checks a request addressed to `host`, the vendor's own name: a relay stands in between and has another one.
pub(crate) fn verify<'a>(
    world: &'a World,
    provider: Provider,
    host: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<Verified<'a>, Refused>, ErrorStack> {
    let refused = |status, code| Ok(Err(Refused { status, code }));
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if REQUIRED.iter().any(|name| header(name).is_empty()) {
        return refused(StatusCode::BAD_REQUEST, "MissingParameter");
    }
    let Some((key_id, signed_headers, signature)) = authorization(header("authorization")) else {
        return refused(StatusCode::BAD_REQUEST, "IncompleteSignature");
    };
    let names: Vec<&str> = signed_headers.split(';').collect();
    let must =
        headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-acs-")).chain(["host"]);
    if !names.is_sorted() || must.into_iter().any(|name| !names.contains(&name)) {
        return refused(StatusCode::BAD_REQUEST, "IncompleteSignature");
    }
    let Ok(date) = header("x-acs-date").parse::<Timestamp>() else {
        return refused(StatusCode::BAD_REQUEST, "InvalidTimeStamp.Format");
    };
    if !world.is_recent(date.as_millisecond()) {
        return refused(StatusCode::BAD_REQUEST, "InvalidTimeStamp.Expired");
    }
    let Some(account) = world.account(provider, key_id) else {
        return refused(StatusCode::NOT_FOUND, "InvalidAccessKeyId.NotFound");
    };
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let signed: Vec<(&str, &str)> =
        names.iter().map(|name| (*name, if *name == "host" { host } else { header(name) })).collect();
    let body_digest = crypto::sha256_hex(body)?;
    let canonical = canonical_request("POST", uri.path(), &query, &signed, &body_digest);
    if body_digest != header("x-acs-content-sha256")
        || signature != sign(&canonical, account.setting("accessKeySecret"))?
    {
        return refused(StatusCode::BAD_REQUEST, "SignatureDoesNotMatch");
    }
    // Last, so that a nonce is spent by its owner only.
    if !world.nonce_is_new(header("x-acs-signature-nonce")) {
        return refused(StatusCode::BAD_REQUEST, "SignatureNonceUsed");
    }
    Ok(Ok(Verified { account, query }))
}

/// The text that is hashed and signed. `headers` are the signed ones, lower-case and sorted.
pub(crate) fn canonical_request(
    method: &str,
    path: &str,
    query: &BTreeMap<String, String>,
    headers: &[(&str, &str)],
    body_digest: &str,
) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    format!("{method}\n{path}\n{}\n{lines}\n{}\n{body_digest}", query.join("&"), names.join(";"))
}

/// Lower-case hexadecimal signature of a canonical request.
pub(crate) fn sign(canonical: &str, secret: &str) -> Result<String, ErrorStack> {
    crypto::hmac_sha256_hex(secret, &format!("{SCHEME}\n{}", crypto::sha256_hex(canonical.as_bytes())?))
}

/// `ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..`, in this order and without spaces.
fn authorization(value: &str) -> Option<(&str, &str, &str)> {
    let mut parts = value.strip_prefix(SCHEME)?.strip_prefix(' ')?.split(',');
    let key_id = parts.next()?.strip_prefix("Credential=")?;
    let signed_headers = parts.next()?.strip_prefix("SignedHeaders=")?;
    let signature = parts.next()?.strip_prefix("Signature=")?;
    parts.next().is_none().then_some((key_id, signed_headers, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn canonical(
        host: &str,
        action: &str,
        date: &str,
        nonce: &str,
        version: &str,
        query: &[(&str, &str)],
    ) -> String {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let headers = [
            ("host", host),
            ("x-acs-action", action),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-date", date),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", version),
        ];
        canonical_request("POST", "/", &query, &headers, EMPTY)
    }

    /// Vector `aliyun_acs3_published` (vendor-published).
    #[test]
    fn aliyun_acs3_published() {
        let canonical = canonical(
            "ecs.cn-shanghai.aliyuncs.com",
            "RunInstances",
            "2023-10-26T10:22:32Z",
            "3156853299f313e23d1673dc12e1703d",
            "2014-05-26",
            &[
                ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
                ("RegionId", "cn-shanghai"),
            ],
        );
        let digest = crypto::sha256_hex(canonical.as_bytes()).unwrap();
        assert_eq!(digest, "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
        assert_eq!(
            sign(&canonical, "YourAccessKeySecret").unwrap(),
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    /// Vectors `aliyun_acs3_getmobile` and `aliyun_acs3_sendsms` (computed; the second has reserved characters).
    #[test]
    fn aliyun_acs3_computed() {
        let (date, nonce) = ("2026-11-20T04:00:00Z", "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
        let query = [("AccessToken", "eyJjIjoiTESTTOKEN"), ("OutId", "order-0001")];
        let get_mobile = canonical("dypnsapi.aliyuncs.com", "GetMobile", date, nonce, "2017-05-25", &query);
        let secret = "InventedSecret00000000000000000";
        assert_eq!(
            sign(&get_mobile, secret).unwrap(),
            "5410fc4218128ed66249a12c75646f46ae0059382b3663cf67f8445de1ec9481"
        );
        let query = [
            ("PhoneNumbers", "13800138000"),
            ("SignName", "测试"),
            ("TemplateCode", "SMS_000000001"),
            ("TemplateParam", r#"{"code":"123456"}"#),
        ];
        let send = canonical("dysmsapi.aliyuncs.com", "SendSms", date, nonce, "2017-05-25", &query);
        assert_eq!(
            sign(&send, secret).unwrap(),
            "6dc117782b4827db75bdaf6206385bd8db33403cfeac79ff0d54b1f8a891625a"
        );
    }
}
