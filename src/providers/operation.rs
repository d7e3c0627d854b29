//! How one capability is spoken: the parts of a document below its head.
//!
//! Shared with the build script: nothing here knows more than std, serde and the carriers' names.

use serde::{Deserialize, Serialize};

use crate::{kernel::table::Table, model::carrier::Carrier};

use super::{document::is_false, template::Template, written};

/// How one capability is spoken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    /// Fields of the client's credential; `name?` is optional. None for SMS, e-mail, risk and questions about a number.
    /// Push: what we bring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) credential: Vec<CredentialField>,
    /// The credential field that is single-use. Push: where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// SMS, and questions about a number: the countries served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) countries: Vec<String>,
    /// SMS and e-mail only: the vendor composes the message of a registered template.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) template: bool,
    /// Names that are both a credential field and a setting, and must be equal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) same: Vec<String>,
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(super) derive: Table<String, Derived>,
    pub(super) request: Request,
    /// What is sent, before the signature. Dots nest in JSON, parts that count from 0 make arrays.
    pub(super) fields: Table<String, Template>,
    /// JSON only: fields whose text is JSON already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) raw: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sign: Option<Sign>,
    pub(super) reply: Reply,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decrypt: Option<Decrypt>,
    /// Number check and questions about a number: what the value means. Words of `Capability::verdicts`, and values.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(super) verdict: Table<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) carrier: Option<CarrierHint>,
    /// Risk only: what the value means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<Score>,
    pub(super) outcome: Outcome,
}

/// The name of a credential field and whether it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct CredentialField {
    pub(super) name: String,
    pub(super) optional: bool,
}

/// A named value made of others. It may use settings, credential fields and built-ins, not other derived values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "written::Derived")]
pub(super) enum Derived {
    Digest(DerivedDigest),
    Map(DerivedMap),
    Base64(DerivedBase64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DerivedDigest {
    pub(super) digest: Mac,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Template>,
    pub(super) of: Template,
    pub(super) output: Form,
}

/// The value that a credential field's value is mapped to; a value that is not listed is the client's mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DerivedMap {
    pub(super) map: Table<String, String>,
    pub(super) of: String,
}

/// The Base64 of a text: what HTTP Basic authentication (RFC 7617) is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DerivedBase64 {
    pub(super) base64: Template,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Template,
    /// Parameters of the URL besides the fields in the body.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(super) query: Table<String, Template>,
    pub(super) encoding: Encoding,
    /// The vendor takes secrets in the query and nowhere else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) secrets_in_query: bool,
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(super) headers: Table<String, Template>,
    pub(super) timeout_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
}

/// Where the fields go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    Form,
    Json,
    Query,
}

/// The signature schemes. RSA would be one more variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "lowercase", try_from = "written::Sign")]
pub(super) enum Sign {
    /// A MAC or digest of a text. Besides the usual names the text knows [`SORTED`].
    Mac {
        of: Template,
        mac: Mac,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Template>,
        output: Form,
        into: Place,
        /// What [`SORTED_PARTS`] is made of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<Template>,
    },
    /// Aliyun's ACS3-HMAC-SHA256, over method, path, query, body and all headers of the request.
    Acs3 { key_id: Template, key: Template },
    /// Tencent's TC3-HMAC-SHA256, over method, path, query, body and the named headers.
    Tc3 { key_id: Template, key: Template, service: String, headers: Vec<String> },
}

/// Forms of all fields that are sent, sorted by name, as a signature's text can use them.
pub(super) const SORTED: [&str; 3] = [
    "sorted_key_value", // name, value, name, value, ...
    "sorted_query",     // name=value&name=value, not encoded
    "sorted_rpc",       // the same percent-encoded, and the whole again, as Aliyun's RPC signature wants it
];

/// The values of a signature's `parts` in their order as text, joined; as its text can use it.
pub(super) const SORTED_PARTS: &str = "sorted_parts";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    Field(String),
    Header(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mac {
    Md5,
    Sha1,
    Sha256,
    HmacSha1,
    HmacSha256,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    Hex,
    HexUpper,
    Base64,
}

/// Where things stand in the reply: JSON pointers (RFC 6901), the first that leads to a value counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) code: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) message: Vec<String>,
    /// The number, its cipher text, the verdict, the status, the score, or the id of the SMS, e-mail or push.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) value: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) charged: Vec<String>,
    /// Identity only: what is taken out, for the calls that follow and for us; `name?` may be missing.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(super) take: Table<String, Vec<String>>,
}

/// Where the browser is sent to sign in with a third party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    pub(super) url: Template,
    /// Parameters of the URL.
    pub(super) fields: Table<String, Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fragment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decrypt {
    pub(super) cipher: Cipher,
    /// `hex` of either case, or `base64`.
    pub(super) input: Form,
    pub(super) key: Template,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iv: Option<Template>,
    /// Instead of `iv`: fixed bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iv_hex: Option<String>,
    /// The plain text is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json: Option<InnerJson>,
}

/// The block ciphers, CBC with PKCS#7 padding. RSA would be another variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cipher {
    #[serde(rename = "aes_128_cbc")]
    Aes128Cbc,
    #[serde(rename = "des_cbc")]
    DesCbc,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InnerJson {
    pub(super) value: Vec<String>,
    /// Pointers and the values without which the answer is a refusal.
    #[serde(default)]
    pub(super) require: Table<String, String>,
}

/// From which score (0 to 1000, higher is riskier) on the answer is challenge, and from which deny.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    pub(super) challenge: u64,
    pub(super) deny: u64,
}

/// The carrier that the client's credential names. A hint for statistics, not proof of anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierHint {
    pub(super) of: String,
    pub(super) prefix: Table<String, Carrier>,
}

/// What the provider's codes mean. A code ending in `*` stands for all that begin so; one that is not listed
/// means unavailable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    pub(super) ok: Vec<String>,
    /// This token or this user's input is at fault. SMS, e-mail, push: this number, address or device cannot get any.
    /// Questions about a number: nothing is known of such numbers.
    pub(super) rejected: Vec<String>,
    /// SMS, e-mail, questions about a number: enough for this number or address, by the vendor's own count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) limited: Vec<String>,
    /// Passing trouble.
    pub(super) unavailable: Vec<String>,
    /// Our account, signature, quota or address list is at fault.
    pub(super) account: Vec<String>,
}

/// What a vendor pushes about SMS it has sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptRule {
    /// A JSON body may be one receipt or an array of them. Form and query count as an object of texts.
    pub(super) encoding: Encoding,
    /// JSON pointer inside one receipt.
    pub(super) message_id: String,
    /// JSON pointer inside one receipt.
    pub(super) status: String,
    /// The statuses that mean delivered.
    pub(super) delivered: Vec<String>,
    /// Those that say nothing yet. All others mean failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) passing: Vec<String>,
    pub(super) reply: ReceiptReply,
}

/// What the vendor wants to hear, lest it push again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptReply {
    pub(super) content_type: String,
    pub(super) body: String,
}

impl Reply {
    /// What is taken out: name, whether it may be missing, places.
    pub(super) fn taken(&self) -> impl Iterator<Item = (&str, bool, &[String])> {
        self.take.iter().map(|(name, places)| match name.strip_suffix('?') {
            Some(name) => (name, true, places.as_slice()),
            None => (name.as_str(), false, places.as_slice()),
        })
    }
}

impl Cipher {
    /// Bytes of the key and of the initialisation vector.
    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::DesCbc => 8,
        }
    }
}

impl Mac {
    pub(super) const fn is_keyed(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::HmacSha256)
    }

    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 | Self::HmacSha1 => 20,
            Self::Sha256 | Self::HmacSha256 => 32,
        }
    }
}

impl From<String> for CredentialField {
    fn from(text: String) -> Self {
        match text.strip_suffix('?') {
            Some(name) => Self { name: name.to_owned(), optional: true },
            None => Self { name: text, optional: false },
        }
    }
}

impl From<CredentialField> for String {
    fn from(field: CredentialField) -> Self {
        if field.optional { format!("{}?", field.name) } else { field.name }
    }
}
