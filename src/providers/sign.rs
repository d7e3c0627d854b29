//! The closed set of signature schemes. For providers' protocols only.

use crate::kernel::{
    digest::{hmac_sha1, hmac_sha256, md5, sha1, sha256},
    encoding::{base64, hex, hex_upper},
};

use super::{
    document::{Form, Mac},
    encode::{key_value, percent, query},
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

/// The values of [`super::document::SORTED`], in that order, for fields sorted by name.
pub(super) fn sorted(fields: &[(String, String)]) -> [String; 3] {
    let plain = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    [key_value(fields), plain, percent(&query(fields))]
}

/// What ACS3-HMAC-SHA256 signs. <https://help.aliyun.com/document_detail/2593177.html>
pub(super) struct Acs3<'a> {
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

impl Acs3<'_> {
    /// The headers to add: `x-acs-content-sha256` and `authorization`. `host` is signed but left to the
    /// platform, which sends it by itself.
    pub(super) fn sign(&self, key_id: &str, key: &str) -> [(String, String); 2] {
        let body = hex(&sha256(self.body));
        let content = ("x-acs-content-sha256".to_owned(), body.clone());
        let mut headers = self.headers.to_vec();
        headers.extend([("host".to_owned(), self.host.to_owned()), content.clone()]);
        headers.sort();
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical = format!("{}\n{}\n{}\n{lines}\n{names}\n{body}", self.method, self.path, self.query);
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(&sha256(canonical.as_bytes())));
        let signature = mac(Mac::HmacSha256, Some(key), &text, Form::Hex);
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}");
        [content, ("authorization".to_owned(), authorization)]
    }
}
