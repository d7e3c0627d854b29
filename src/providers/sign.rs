//! The closed set of signature schemes. For providers' protocols only.

use crate::kernel::{
    digest::{hmac_sha1, hmac_sha256, md5, sha1, sha256},
    encoding::{base64, hex, hex_upper},
    order::in_order,
    secret::Secret,
    time::Timestamp,
};

use super::{
    encode::{key_value, percent, query},
    operation::{Form, Mac},
};

/// A digest or MAC of a text, written as text. The key is that of the HMACs.
pub(super) fn mac(mac: Mac, key: Option<&str>, text: &str, form: Form) -> String {
    let (key, text) = (key.unwrap_or_default().as_bytes(), text.as_bytes());
    let bytes = match mac {
        Mac::Md5 => md5(text).to_vec(),
        Mac::Sha1 => sha1(text).to_vec(),
        Mac::Sha256 => sha256(text).to_vec(),
        Mac::HmacSha1 => hmac_sha1(key, text).to_vec(),
        Mac::HmacSha256 => hmac_sha256(key, text).to_vec(),
    };
    match form {
        Form::Hex => hex(&bytes),
        Form::HexUpper => hex_upper(&bytes),
        Form::Base64 => base64(&bytes),
    }
}

/// The values of [`super::operation::SORTED`], in that order, for fields sorted by name.
pub(super) fn sorted(fields: &[(String, String)]) -> [String; 3] {
    let plain = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    [key_value(fields), plain, percent(&query(fields))]
}

/// The request that a signature covers.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// The vendor's host, also when the request goes through a relay: the relay passes the headers on.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Percent-encoded and sorted.
    pub(super) query: &'a str,
    /// Lower-case names.
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

impl Signed<'_> {
    /// ACS3-HMAC-SHA256, <https://help.aliyun.com/document_detail/2593177.html>: the headers to add. All headers
    /// are signed. `host` is signed but left to the platform, which sends it by itself.
    pub(super) fn acs3(&self, key_id: &str, key: &str) -> [(String, String); 2] {
        let content = ("x-acs-content-sha256".to_owned(), hex(&sha256(self.body)));
        let mut headers = self.headers.to_vec();
        headers.extend([("host".to_owned(), self.host.to_owned()), content.clone()]);
        let (names, digest) = self.canonical(headers);
        let text = format!("ACS3-HMAC-SHA256\n{digest}");
        let signature = mac(Mac::HmacSha256, Some(key), &text, Form::Hex);
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}");
        [content, ("authorization".to_owned(), authorization)]
    }

    /// TC3-HMAC-SHA256, <https://cloud.tencent.com/document/api/362/4208>: the header to add. `signed` names the
    /// signed headers; `now` has to be what the header `x-tc-timestamp` says.
    pub(super) fn tc3(
        &self,
        now: Timestamp,
        service: &str,
        signed: &[String],
        key_id: &str,
        key: &str,
    ) -> (String, String) {
        let mut headers = self.headers.to_vec();
        headers.push(("host".to_owned(), self.host.to_owned()));
        headers.retain(|(name, _)| signed.contains(name));
        headers.iter_mut().for_each(|(_, value)| value.make_ascii_lowercase());
        let (names, digest) = self.canonical(headers);
        let date: String = now.rfc3339().chars().take(10).collect();
        let scope = format!("{date}/{service}/tc3_request");
        let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{digest}", now.secs());
        let mut signature = Secret::new(format!("TC3{key}").into_bytes());
        for part in [date.as_str(), service, "tc3_request", &text] {
            signature = Secret::new(hmac_sha256(signature.expose(), part.as_bytes()).to_vec());
        }
        let signature = hex(signature.expose());
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        ("authorization".to_owned(), authorization)
    }

    /// The names of the signed headers, and the digest of the canonical request that both vendors know.
    fn canonical(&self, headers: Vec<(String, String)>) -> (String, String) {
        let headers = in_order(headers, |one, other| one <= other);
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let body = hex(&sha256(self.body));
        let request = format!("{}\n{}\n{}\n{lines}\n{names}\n{body}", self.method, self.path, self.query);
        (names, hex(&sha256(request.as_bytes())))
    }
}
