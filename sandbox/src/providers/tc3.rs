//! Tencent Cloud's request signature TC3-HMAC-SHA256, as its gateway checks it before any product sees the request.
//!
//! Assumed: which code answers which flaw of the header `authorization`.

use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use openssl::error::ErrorStack;

use crate::{
    crypto,
    state::{Account, World},
    tokens::Provider,
};

const SCHEME: &str = "TC3-HMAC-SHA256";
/// How far a request's time may stand from ours, in milliseconds.
const WINDOW_MS: i64 = 5 * 60_000;

/// The account whose signature the request carries, or the code of the refusal. `host` is the vendor's own name.
pub(crate) fn verify<'a>(
    world: &'a World,
    provider: Provider,
    host: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<&'a Account, &'static str>, ErrorStack> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let Some((credential, names, signature)) = authorization(header("authorization")) else {
        return Ok(Err("AuthFailure.InvalidAuthorization"));
    };
    let service = host.split('.').next().unwrap_or_default();
    let [id, date, of, "tc3_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return Ok(Err("AuthFailure.InvalidAuthorization"));
    };
    let signed: Vec<&str> = names.split(';').collect();
    if of != service
        || !signed.is_sorted()
        || !["content-type", "host"].iter().all(|name| signed.contains(name))
    {
        return Ok(Err("AuthFailure.InvalidAuthorization"));
    }
    let Some(time) = header("x-tc-timestamp").parse().ok().and_then(|at| Timestamp::from_second(at).ok())
    else {
        return Ok(Err("MissingParameter"));
    };
    if world.now_ms().saturating_sub(time.as_millisecond()).saturating_abs() > WINDOW_MS
        || date != time.strftime("%Y-%m-%d").to_string()
    {
        return Ok(Err("AuthFailure.SignatureExpire"));
    }
    let Some(account) = world.account(provider, id) else {
        return Ok(Err("AuthFailure.SecretIdNotFound"));
    };
    let lines: Vec<(&str, &str)> =
        signed.iter().map(|name| (*name, if *name == "host" { host } else { header(name) })).collect();
    let canonical = canonical_request(uri.path(), uri.query().unwrap_or_default(), &lines, body)?;
    if signature != sign(&canonical, account.setting("secretKey"), time, service)? {
        return Ok(Err("AuthFailure.SignatureFailure"));
    }
    Ok(Ok(account))
}

/// The text that is hashed and signed. `headers` are the signed ones, sorted by name.
pub(crate) fn canonical_request(
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<String, ErrorStack> {
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}:{}\n", value.to_lowercase())).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    Ok(format!("POST\n{path}\n{query}\n{lines}\n{}\n{}", names.join(";"), crypto::sha256_hex(body)?))
}

/// Lower-case hexadecimal signature; the key is made anew for every day and service.
pub(crate) fn sign(
    canonical: &str,
    secret: &str,
    time: Timestamp,
    service: &str,
) -> Result<String, ErrorStack> {
    let date = time.strftime("%Y-%m-%d").to_string();
    let key = crypto::hmac_sha256(format!("TC3{secret}").as_bytes(), &date)?;
    let key = crypto::hmac_sha256(&crypto::hmac_sha256(&key, service)?, "tc3_request")?;
    let digest = crypto::sha256_hex(canonical.as_bytes())?;
    let text = format!("{SCHEME}\n{}\n{date}/{service}/tc3_request\n{digest}", time.as_second());
    Ok(hex::encode(crypto::hmac_sha256(&key, &text)?))
}

/// `TC3-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`
fn authorization(value: &str) -> Option<(&str, &str, &str)> {
    let mut parts = value.strip_prefix(SCHEME)?.strip_prefix(' ')?.split(',').map(str::trim);
    let credential = parts.next()?.strip_prefix("Credential=")?;
    let signed_headers = parts.next()?.strip_prefix("SignedHeaders=")?;
    let signature = parts.next()?.strip_prefix("Signature=")?;
    parts.next().is_none().then_some((credential, signed_headers, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector `tc3_published` (vendor-published).
    #[test]
    fn tc3_published() {
        let body =
            r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("host", "cvm.tencentcloudapi.com"),
            ("x-tc-action", "DescribeInstances"),
        ];
        let canonical = canonical_request("/", "", &headers, body.as_bytes()).unwrap();
        let time = Timestamp::from_second(1_551_113_065).unwrap();
        assert_eq!(
            sign(&canonical, &"*".repeat(32), time, "cvm").unwrap(),
            "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
        );
    }

    /// Vector `tc3_sendsms` (computed).
    #[test]
    fn tc3_sendsms() {
        let body = r#"{"PhoneNumberSet":["+8613800138000"],"SmsSdkAppId":"1400000001","SignName":"测试","TemplateId":"1000001","TemplateParamSet":["123456","5"]}"#;
        let headers =
            [("content-type", "application/json; charset=utf-8"), ("host", "sms.tencentcloudapi.com")];
        let canonical = canonical_request("/", "", &headers, body.as_bytes()).unwrap();
        let time = Timestamp::from_second(1_795_132_800).unwrap();
        assert_eq!(
            sign(&canonical, "InventedSecretKey0123456789", time, "sms").unwrap(),
            "85b45e3fc0c35772146128ab10a20b972cca94a55fc01aea7125c7c83c1f1e23"
        );
    }
}
