//! Requests and answers as plain values.

use std::borrow::Cow;

use super::language;
use crate::{
    kernel::{encoding::from_hex, table::Table},
    model::{language::Language, login_history::Place},
};

/// Largest body of a request, bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Largest body of an import, bytes.
pub const MAX_IMPORT_BYTES: usize = 256 * 1024;

/// Largest body of a list that an app supplies, bytes.
pub const MAX_LIST_BYTES: usize = 64 * 1024;
/// Largest image of an appeal, bytes.
pub const MAX_IMAGE_BYTES: usize = 512 * 1024;

/// Where imports go.
const IMPORT: &str = "/v1/import";

/// Where such lists go begins so.
const ACCOUNTS: &str = "/v1/accounts/";

/// Largest body of a request to a path, bytes.
pub fn most_bytes(path: &str) -> usize {
    match path {
        IMPORT => MAX_IMPORT_BYTES,
        _ if path.starts_with(ACCOUNTS) && (path.ends_with("/facts") || path.ends_with("/friends")) => {
            MAX_LIST_BYTES
        }
        _ if path.starts_with("/v1/appeals/") && path.ends_with("/images") => MAX_IMAGE_BYTES,
        _ => MAX_BODY_BYTES,
    }
}

/// One request of a client.
#[derive(Clone)]
pub struct HttpIn {
    /// Upper-case method; `HEAD` stands as `GET` with [`HttpIn::is_head`].
    pub method: String,
    /// Only the head of the answer is wanted.
    pub is_head: bool,
    /// Path, as sent.
    pub path: String,
    /// Query, as sent, without `?`.
    pub query: String,
    /// Header values by lower-case name.
    pub headers: Table<String, String>,
    /// The body.
    pub body: Body,
    /// The client's IP address.
    pub address: String,
    /// Where the client is, by the platform's word.
    pub place: Place,
    /// Id of the request; set by [`super::serve`].
    pub id: String,
}

/// The body of a request.
#[derive(Clone)]
pub enum Body {
    /// Read whole; empty for none.
    Read(Vec<u8>),
    /// More than [`most_bytes`]; not read to its end.
    TooLarge,
    /// The connection broke.
    Broken,
}

/// One answer.
#[derive(Clone)]
pub struct HttpOut {
    /// Status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl HttpIn {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The language of titles and details.
    pub fn language(&self) -> Language {
        language::pick(self.header("accept-language"))
    }

    /// The value of a query parameter, decoded (WHATWG URL standard, section 5.1); the first of several.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        form_value(&self.query, name)
    }

    /// The credentials of `Authorization: Bearer` (RFC 6750).
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

/// The value of a field of a form, decoded (WHATWG URL standard, section 5.1); the first of several.
pub fn form_value<'f>(form: &'f str, name: &str) -> Option<Cow<'f, str>> {
    let mut pairs = form.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(known, value)| *known == name && !value.is_empty())?;
    if !value.contains(['%', '+']) {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.first_chunk::<2>().filter(|_| *first == b'%');
        let decoded = hex.and_then(|hex| from_hex(str::from_utf8(hex).ok()?)?.first().copied());
        bytes.push(decoded.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

impl HttpOut {
    /// A JSON answer.
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self::of_type(status, JSON, body)
    }

    /// An answer of a content type.
    pub fn of_type(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body }
    }

    /// Status, body and cookies in a form that [`HttpOut::unpack`] reads: each on a line of its own. Our JSON has no line
    /// breaks, nor has a cookie.
    pub fn pack(&self) -> Vec<u8> {
        let mut packed = [self.status.to_be_bytes().as_slice(), &self.body].concat();
        for (_, cookie) in self.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            packed.push(b'\n');
            packed.extend_from_slice(cookie.as_bytes());
        }
        packed
    }

    /// Reads a packed answer.
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let (status, rest) = packed.split_first_chunk::<2>()?;
        let status = u16::from_be_bytes(*status);
        let content_type = if status < 400 { JSON } else { PROBLEM_JSON };
        let mut lines = rest.split(|byte| *byte == b'\n');
        let mut out = Self::of_type(status, content_type, lines.next()?.to_vec());
        let cookies = lines.map(|cookie| ("set-cookie", String::from_utf8_lossy(cookie).into_owned()));
        out.headers.extend(cookies);
        Some(out)
    }

    /// Headers that every answer carries.
    pub fn add_common_headers(&mut self, request_id: &str) {
        self.headers.push(("x-request-id", request_id.to_owned()));
        self.headers.push(("x-content-type-options", "nosniff".to_owned()));
        if self.headers.iter().all(|(name, _)| *name != "cache-control") {
            self.headers.push(("cache-control", "no-store".to_owned()));
        }
    }
}

/// Content type of answers.
pub const JSON: &str = "application/json";

/// Content type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

// Paths, headers and bodies carry personal data.
impl std::fmt::Debug for HttpIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpIn({} {})", self.method, self.id)
    }
}

impl std::fmt::Debug for HttpOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpOut({}, {} bytes)", self.status, self.body.len())
    }
}
