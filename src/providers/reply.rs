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
    model::{
        carrier::Carrier,
        evidence::{NumberStatus, Reassignment},
    },
};

use super::{
    answer::{Answer, RiskLevel},
    call::Call,
    document::Capability,
    json::{first_text, message_id, text},
    operation::{Cipher, Decrypt, Form, InnerJson, Operation, Outcome},
    values::Values,
};

/// The reply is none that we understand. One reason for all, so that a bad padding and a plain text that is no
/// number look the same.
struct Unreadable;

pub(super) fn read(call: &Call<'_>, reply: &HttpReply) -> Answer {
    let unavailable = |code: &str, definite| Answer::Unavailable { code: code.to_owned(), definite };
    let Some(operation) = call.document.operation(call.capability) else {
        return unavailable("not_offered", true);
    };
    // A gateway that gave up (502, 504) does not know what became of the request; these do.
    let by_status =
        || unavailable(&format!("http_{}", reply.status), [429, 500, 503].contains(&reply.status));
    let success = (200..300).contains(&reply.status);
    if !success && !(400..500).contains(&reply.status) {
        return by_status();
    }
    let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let Some(code) = first_text(&json, &operation.reply.code) else {
        // Who pushes or mails says why not, and when it is done names what was made; so does who logs people in.
        let is_done_without = matches!(call.capability, Capability::Push | Capability::Email);
        if success && (is_done_without || call.capability.is_identity()) {
            return done(call, operation, &json)
                .unwrap_or_else(|Unreadable| unavailable("unreadable", false));
        }
        return if reply.status == 429 { by_status() } else { unavailable("unreadable", false) };
    };
    let class = operation.outcome.class_of(&code);
    let code = if echoes(call, &code) { "unlisted".to_owned() } else { harmless(&code) };
    match class {
        Class::Ok if success => {
            done(call, operation, &json).unwrap_or_else(|Unreadable| unavailable("unreadable", false))
        }
        Class::Ok => unavailable(&format!("http_{}", reply.status), false),
        Class::Rejected => Answer::Rejected { code },
        Class::Limited => Answer::Limited { code },
        Class::Account => Answer::AccountFault { code },
        Class::Unavailable => Answer::Unavailable { code, definite: true },
    }
}

/// The vendor's words, where the document knows their place.
pub(super) fn message(call: &Call<'_>, reply: &HttpReply) -> Option<String> {
    let json: Value = serde_json::from_slice(&reply.body).ok()?;
    first_text(&json, &call.document.operation(call.capability)?.reply.message)
}

fn done(call: &Call<'_>, operation: &Operation, json: &Value) -> Result<Answer, Unreadable> {
    match call.capability {
        Capability::OneTap
        | Capability::NumberCheck
        | Capability::Reassigned
        | Capability::NumberStatus
        | Capability::TwoFactor => vouched(call, operation, json),
        Capability::Sms => {
            let id = first_text(json, &operation.reply.value).and_then(message_id);
            Ok(Answer::Accepted { message_id: id.filter(|id| !echoes_number(call, id)) })
        }
        Capability::Push | Capability::Email => {
            first_text(json, &operation.reply.value).ok_or(Unreadable)?;
            Ok(Answer::Accepted { message_id: None })
        }
        Capability::BotCheck => Ok(Answer::Human),
        Capability::Identity | Capability::IdentitySubject | Capability::IdentityProfile => {
            call.document.take_from(call.capability, json).map(Answer::Taken).ok_or(Unreadable)
        }
        Capability::Risk => {
            let score = first_text(json, &operation.reply.value).and_then(|text| text.parse::<u64>().ok());
            let (score, rule) = score.zip(operation.score.as_ref()).ok_or(Unreadable)?;
            let level = match score {
                score if score >= rule.deny => RiskLevel::Deny,
                score if score >= rule.challenge => RiskLevel::Challenge,
                _ => RiskLevel::Allow,
            };
            Ok(Answer::Risk { level })
        }
    }
}

/// What somebody says of a number, or which it is.
fn vouched(call: &Call<'_>, operation: &Operation, json: &Value) -> Result<Answer, Unreadable> {
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
    if call.capability == Capability::OneTap {
        let phone = PhoneNumber::from_carrier(value.expose()).map_err(|_| Unreadable)?;
        return Ok(Answer::Number { phone, carrier: carrier(call, operation), charged });
    }
    let word = operation.verdict.iter().find(|(_, values)| values.contains(value.expose()));
    let word = word.map_or("", |(word, _)| word.as_str());
    let matches = match word {
        "match" => Some(true),
        "mismatch" => Some(false),
        _ => None,
    };
    Ok(match (call.capability, word) {
        (Capability::NumberCheck, "match" | "mismatch") => {
            Answer::Checked { matches: matches == Some(true), charged }
        }
        (Capability::TwoFactor, "match" | "mismatch" | "unknown") => Answer::NameCheck { matches },
        (Capability::Reassigned, "reassigned") => Answer::Reassignment(Reassignment::Reassigned),
        (Capability::Reassigned, "cancelled") => Answer::Reassignment(Reassignment::Cancelled),
        (Capability::Reassigned, "not_reassigned") => Answer::Reassignment(Reassignment::NotReassigned),
        (Capability::Reassigned, "unknown") => Answer::Reassignment(Reassignment::Unknown),
        (Capability::NumberStatus, "active") => Answer::NumberStatus(NumberStatus::Active),
        (Capability::NumberStatus, "suspended") => Answer::NumberStatus(NumberStatus::Suspended),
        (Capability::NumberStatus, "off") => Answer::NumberStatus(NumberStatus::Off),
        (Capability::NumberStatus, "vacant") => Answer::NumberStatus(NumberStatus::Vacant),
        (Capability::NumberStatus, "unknown") => Answer::NumberStatus(NumberStatus::Unknown),
        _ => Answer::Unavailable { code: "no_verdict".to_owned(), definite: true },
    })
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
    Limited,
    Unavailable,
    Account,
}

impl Outcome {
    /// A code named in full counts before one that fits a pattern, a long pattern before a short one.
    fn class_of(&self, code: &str) -> Class {
        let lists = [
            (Class::Ok, &self.ok),
            (Class::Rejected, &self.rejected),
            (Class::Limited, &self.limited),
            (Class::Account, &self.account),
            (Class::Unavailable, &self.unavailable),
        ];
        let fit = |listed: &String| match listed.strip_suffix('*') {
            _ if listed == code => Some(usize::MAX),
            Some(start) if code.starts_with(start) => Some(start.len()),
            _ => None,
        };
        let fits = lists.iter().flat_map(|(class, codes)| codes.iter().map(move |code| (fit(code), *class)));
        let best = fits.filter(|(fit, _)| fit.is_some()).max_by_key(|(fit, _)| *fit);
        best.map_or(Class::Unavailable, |(_, class)| class)
    }
}

/// Whether a code is a piece of what was sent, or the reverse.
fn echoes(call: &Call<'_>, code: &str) -> bool {
    let sent = call.credential.values().map(|value| value.expose().as_str());
    let sent = sent.chain(call.message.iter().map(|sent| sent.text)).filter(|text| text.len() >= 8);
    (code.len() >= 8 && sent.into_iter().any(|text| text.contains(code) || code.contains(text)))
        || echoes_number(call, code)
        || echoes_address(call, code)
        || call.inquiry.and_then(|asked| asked.name).is_some_and(|name| code.contains(name))
        || call.message.is_some_and(|sent| holds_digits(code, sent.code))
}

/// Whether a text is a piece of the address, or holds one.
fn echoes_address(call: &Call<'_>, text: &str) -> bool {
    let mail = call.message.and_then(|sent| sent.mail);
    mail.is_some_and(|mail| text.contains('@') || mail.to.as_str().contains(&text.to_ascii_lowercase()))
}

/// Whether a text has six or more digits of the number and no others.
fn echoes_number(call: &Call<'_>, text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let has = |phone: &PhoneNumber| {
        phone.e164().contains(&digits) || holds_digits(text, phone.chinese_national().unwrap_or(phone.e164()))
    };
    digits.len() >= 6 && call.phone.is_some_and(has)
}

fn holds_digits(text: &str, wanted: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    !digits(wanted).is_empty() && digits(text).contains(&digits(wanted))
}

/// A code fit for logs. A reply gone wrong could hold a number or token where its code belongs, and no vendor's
/// code has eight digits in a row.
fn harmless(code: &str) -> String {
    let sane = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
    let code: String = code.chars().filter(sane).take(64).collect();
    let longest_number = code.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    if code.is_empty() || longest_number >= Some(8) { "unlisted".to_owned() } else { code }
}
