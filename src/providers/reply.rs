//! From a provider's reply to an answer.
//!
//! Invariant: a number or verdict comes only out of a 2xx reply whose code the document lists under `ok`.

use serde_json::Value;

use crate::{
    kernel::{
        cipher::{aes_128_cbc_decrypt, des_cbc_decrypt},
        encoding::{from_base64, from_hex},
        http::HttpReply,
        phone::PhoneNumber,
        secret::Secret,
    },
    model::carrier::Carrier,
};

use super::{
    call::Call,
    document::{Cipher, Decrypt, Form, InnerJson, Operation, Outcome},
    values::Values,
};

/// What a provider said. Codes are for logs: the vendor's own, cut down to harmless characters, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The number that the credential belongs to.
    Number {
        /// The number.
        phone: PhoneNumber,
        /// The carrier that the credential names; a hint.
        carrier: Option<Carrier>,
        /// Whether the call is billed, where the provider says so.
        charged: Option<bool>,
    },
    /// Whether the number belongs to the credential.
    Checked {
        /// It does.
        matches: bool,
        /// As above.
        charged: Option<bool>,
    },
    /// The credential or the user's input is not accepted.
    #[allow(missing_docs, reason = "see Answer")]
    Rejected { code: String },
    /// The provider cannot answer now, or its reply cannot be understood.
    #[allow(missing_docs, reason = "see Answer")]
    Unavailable { code: String },
    /// Our account with the provider is at fault; its operator must act.
    #[allow(missing_docs, reason = "see Answer")]
    AccountFault { code: String },
}

/// The reply is none that we understand. One reason for all, so that a bad padding and a plain text that is no
/// number look the same.
struct Unreadable;

pub(super) fn read(call: &Call<'_>, reply: &HttpReply) -> Answer {
    let unavailable = |code: &str| Answer::Unavailable { code: code.to_owned() };
    let Some(operation) = call.document.operation(call.capability) else {
        return unavailable("not_offered");
    };
    let success = (200..300).contains(&reply.status);
    if !success && !(400..500).contains(&reply.status) {
        return unavailable(&format!("http_{}", reply.status));
    }
    let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let Some(code) = first_text(&json, &operation.reply.code) else { return unavailable("unreadable") };
    let class = operation.outcome.class_of(&code);
    let code = if echoes(call, &code) { "unlisted".to_owned() } else { harmless(&code) };
    match class {
        Class::Ok if success => {
            value(call, operation, &json).unwrap_or_else(|Unreadable| unavailable("unreadable"))
        }
        Class::Ok => unavailable(&format!("http_{}", reply.status)),
        Class::Rejected => Answer::Rejected { code },
        Class::Account => Answer::AccountFault { code },
        Class::Unavailable => Answer::Unavailable { code },
    }
}

/// The vendor's words, where the document knows their place.
pub(super) fn message(call: &Call<'_>, reply: &HttpReply) -> Option<String> {
    let json: Value = serde_json::from_slice(&reply.body).ok()?;
    first_text(&json, &call.document.operation(call.capability)?.reply.message)
}

fn value(call: &Call<'_>, operation: &Operation, json: &Value) -> Result<Answer, Unreadable> {
    let mut value = Secret::new(first_text(json, &operation.reply.value).ok_or(Unreadable)?);
    let charged = first_text(json, &operation.reply.charged).and_then(|text| match text.as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    });
    if let Some(decrypt) = &operation.decrypt {
        value = open(call, operation, decrypt, value.expose())?;
        if let Some(inner) = &decrypt.json {
            let json: Value = serde_json::from_slice(value.expose().as_bytes()).map_err(|_| Unreadable)?;
            if let Some(pointer) = unmet(inner, &json)? {
                return Ok(Answer::Rejected { code: harmless(pointer.trim_start_matches('/')) });
            }
            value = Secret::new(first_text(&json, &inner.value).ok_or(Unreadable)?);
        }
    }
    match &operation.verdict {
        Some(verdict) if verdict.matched.contains(value.expose()) => {
            Ok(Answer::Checked { matches: true, charged })
        }
        Some(verdict) if verdict.mismatch.contains(value.expose()) => {
            Ok(Answer::Checked { matches: false, charged })
        }
        Some(_) => Ok(Answer::Unavailable { code: "no_verdict".to_owned() }),
        None => {
            let phone = PhoneNumber::from_carrier(value.expose()).map_err(|_| Unreadable)?;
            Ok(Answer::Number { phone, carrier: carrier(call, operation), charged })
        }
    }
}

fn open(
    call: &Call<'_>,
    operation: &Operation,
    decrypt: &Decrypt,
    text: &str,
) -> Result<Secret<String>, Unreadable> {
    let values = Values::of(call, operation).map_err(|_| Unreadable)?;
    let fill = |template| values.fill(template).map_err(|_| Unreadable);
    let key = Secret::new(fill(&decrypt.key)?);
    let iv = match (&decrypt.iv, &decrypt.iv_hex) {
        (Some(iv), _) => fill(iv)?.into_bytes(),
        (None, hex) => from_hex(hex.as_deref().unwrap_or_default()).ok_or(Unreadable)?,
    };
    let input = match decrypt.input {
        Form::Hex | Form::HexUpper => from_hex(text.trim()),
        Form::Base64 => from_base64(text),
    };
    let cipher = match decrypt.cipher {
        Cipher::Aes128Cbc => aes_128_cbc_decrypt,
        Cipher::DesCbc => des_cbc_decrypt,
    };
    let plain = cipher(key.expose().as_bytes(), &iv, &input.ok_or(Unreadable)?).map_err(|_| Unreadable)?;
    let text = std::str::from_utf8(plain.expose()).map_err(|_| Unreadable)?;
    Ok(Secret::new(text.to_owned()))
}

/// The first requirement that is not met; one whose value is missing makes the text unreadable.
fn unmet<'d>(inner: &'d InnerJson, json: &Value) -> Result<Option<&'d str>, Unreadable> {
    for (pointer, wanted) in &inner.require {
        let found = json.pointer(pointer).and_then(text).ok_or(Unreadable)?;
        if found != *wanted {
            return Ok(Some(pointer));
        }
    }
    Ok(None)
}

fn carrier(call: &Call<'_>, operation: &Operation) -> Option<Carrier> {
    let hint = operation.carrier.as_ref()?;
    let value = call.credential.get(&hint.of)?.expose();
    hint.prefix.iter().find(|(prefix, _)| value.starts_with(prefix.as_str())).map(|(_, carrier)| *carrier)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Ok,
    Rejected,
    Unavailable,
    Account,
}

impl Outcome {
    /// A code named in full counts before one that fits a pattern.
    fn class_of(&self, code: &str) -> Class {
        let lists = [
            (Class::Ok, &self.ok),
            (Class::Rejected, &self.rejected),
            (Class::Account, &self.account),
            (Class::Unavailable, &self.unavailable),
        ];
        let fits = |listed: &String| listed.strip_suffix('*').is_some_and(|start| code.starts_with(start));
        let named = lists.iter().find(|(_, codes)| codes.iter().any(|listed| listed == code));
        named
            .or_else(|| lists.iter().find(|(_, codes)| codes.iter().any(fits)))
            .map_or(Class::Unavailable, |(class, _)| *class)
    }
}

/// The first of several places that holds a value. Vendors write the same one as text here, as a number there.
fn first_text(json: &Value, pointers: &[String]) -> Option<String> {
    pointers.iter().find_map(|pointer| json.pointer(pointer).and_then(text))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Whether a code is a piece of what was sent, or the reverse.
fn echoes(call: &Call<'_>, code: &str) -> bool {
    let sent = call.credential.values().map(Secret::expose);
    code.len() >= 8
        && sent.filter(|text| text.len() >= 8).any(|text| text.contains(code) || code.contains(text.as_str()))
}

/// A code fit for logs. A reply gone wrong could hold a number or token where its code belongs, and no vendor's
/// code has eight digits in a row.
fn harmless(code: &str) -> String {
    let sane = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
    let code: String = code.chars().filter(sane).take(64).collect();
    let longest_number = code.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    if code.is_empty() || longest_number >= Some(8) { "unlisted".to_owned() } else { code }
}
