//! The names that the templates of an operation can use, and what is sure about their values.
//!
//! Part of the check of documents: see `validate`.

use std::collections::BTreeMap;

use super::{
    check_login::is_endpoint,
    document::{Capability, Document, Setting},
    operation::{CredentialField, Derived, Form, Operation},
    template::{Template, is_name},
};

/// The names every template knows, with their length in characters where it is fixed.
const BUILT_INS: [(&str, Option<usize>); 8] = [
    ("address", None),           // of the client
    ("now_compact17", Some(17)), // yyyyMMddHHmmssSSS, China Standard Time
    ("now_iso", Some(20)),       // RFC 3339, UTC, whole seconds
    ("now_ms", Some(13)),        // milliseconds since 1970
    ("now_s", Some(10)),         // seconds since 1970
    ("nonce", Some(32)),         // 16 random bytes in hex, new for each call
    ("platform", None),          // ios, android, harmony, web, miniprogram
    ("request_id", None),        // of the client's request
];

/// Those of number check, SMS, risk and questions about a number. A number that is not Chinese has no national one.
const NUMBERS: [(&str, Option<usize>); 3] = [
    ("phone", None),              // E.164
    ("phone_digits", None),       // E.164 without +
    ("phone_national", Some(11)), // the eleven digits of a Chinese number
];

/// That of the question whether a number has been reassigned: since when.
const SINCE: [(&str, Option<usize>); 2] = [
    ("since_compact17", Some(17)), // as `now_compact17`
    ("since_iso", Some(20)),       // as `now_iso`
];

/// That of two factors: the name to compare with.
const PERSON: [(&str, Option<usize>); 1] = [("name", None)];

/// Those of SMS and e-mail.
const MESSAGES: [(&str, Option<usize>); 6] = [
    ("text", None),            // the whole message
    ("code", None),            // the code in it
    ("template", None),        // the vendor's id of the registered template
    ("params_object", None),   // {"code":"...",...}
    ("params_list", None),     // ["...",...]
    ("params_numbered", None), // {"param1":"...",...}
];

/// Those of e-mail alone.
const MAILS: [(&str, Option<usize>); 2] = [
    ("email", None),   // the address
    ("subject", None), // of the message
];

/// What was found so far.
pub(super) struct Problems {
    /// Stands before each.
    pub(super) at: String,
    pub(super) list: Vec<String>,
}

impl Problems {
    pub(super) fn unless(&mut self, good: bool, problem: impl FnOnce() -> String) {
        if !good {
            self.list.push(format!("{}{}", self.at, problem()));
        }
    }
}

/// What a name in a template stands for.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) length: Option<usize>,
    pub(super) min_length: usize,
    pub(super) secret: bool,
    pub(super) optional: bool,
    /// Chosen by whoever wrote the document or keeps the account, not by a client.
    pub(super) ours: bool,
}

impl Meaning {
    pub(super) const fn plain(length: Option<usize>) -> Self {
        let min_length = match length {
            Some(length) => length,
            None => 0,
        };
        Self { length, min_length, secret: false, optional: false, ours: false }
    }
}

pub(super) struct Names<'d>(pub(super) BTreeMap<&'d str, Meaning>);

impl<'d> Names<'d> {
    pub(super) fn new(document: &'d Document, capability: Capability, found: &mut Problems) -> Self {
        let mut names = Self(BTreeMap::new());
        let Some(operation) = document.operation(capability) else { return names };
        let has_number = matches!(capability, Capability::NumberCheck | Capability::Risk);
        let numbers = if has_number || capability.has_countries() { &NUMBERS[..] } else { &[] };
        let inquiry = match capability {
            Capability::Reassigned => &SINCE[..],
            Capability::TwoFactor => &PERSON[..],
            _ => &[],
        };
        let messages = if capability.is_message() { &MESSAGES[..] } else { &[] };
        let mails = if capability == Capability::Email { &MAILS[..] } else { &[] };
        for (name, length) in BUILT_INS.iter().chain(numbers).chain(inquiry).chain(messages).chain(mails) {
            names.add(name, Meaning::plain(*length), found);
        }
        for (name, setting) in &document.settings {
            let min_length = setting.length.or(setting.min_length).unwrap_or(0);
            let Setting { length, secret, optional, .. } = *setting;
            names.add(name, Meaning { length, min_length, secret, optional, ours: true }, found);
        }
        for CredentialField { name, optional } in &operation.credential {
            found.unless(is_name(name), || format!("credential field \"{name}\" is not a name"));
            if !(operation.same.contains(name) && document.settings.contains_key(name)) {
                let ours = is_endpoint(name);
                names.add(name, Meaning { optional: *optional, ours, ..Meaning::plain(None) }, found);
            }
        }
        for name in &operation.same {
            let required = operation.credential.iter().any(|field| field.name == *name && !field.optional);
            found.unless(required && document.settings.contains_key(name), || {
                format!("same: \"{name}\" must be a setting and a required credential field")
            });
        }
        // Added only after all were checked: a derived value does not see another one.
        for (name, derived) in &operation.derive {
            check_derived(name, derived, operation, &names, found);
        }
        for (name, derived) in &operation.derive {
            found.unless(is_name(name), || format!("derived \"{name}\" is not a name"));
            let meaning = match derived {
                Derived::Map(_) => Meaning { ours: true, ..Meaning::plain(None) },
                Derived::Digest(digest) => Meaning::plain(Some(match digest.output {
                    Form::Hex | Form::HexUpper => digest.digest.bytes().saturating_mul(2),
                    Form::Base64 => digest.digest.bytes().div_ceil(3).saturating_mul(4),
                })),
                Derived::Base64(text) => {
                    let secret = names.any(&text.base64, |meaning| meaning.secret);
                    Meaning { secret, ..Meaning::plain(None) }
                }
            };
            names.add(name, meaning, found);
        }
        names
    }

    pub(super) fn add(&mut self, name: &'d str, meaning: Meaning, found: &mut Problems) {
        found.unless(self.0.insert(name, meaning).is_none(), || format!("\"{name}\" has two meanings"));
    }

    pub(super) fn any(&self, template: &Template, test: impl Fn(&Meaning) -> bool) -> bool {
        template.holes().any(|hole| self.0.get(hole.name.as_str()).is_some_and(&test))
    }

    /// Every name known, every range within what the value is sure to have.
    pub(super) fn check(&self, what: &str, template: &Template, found: &mut Problems) {
        for hole in template.holes() {
            let meaning = self.0.get(hole.name.as_str());
            found.unless(meaning.is_some(), || format!("{what} names \"{}\", which is nothing", hole.name));
            let (_, end) = hole.range.unwrap_or_default();
            found.unless(meaning.is_none_or(|meaning| end <= meaning.min_length), || {
                format!("{what} takes {end} characters of \"{}\", which may be shorter", hole.name)
            });
        }
    }

    /// As [`Self::check`], and none of the names may be absent at run time.
    pub(super) fn check_present(&self, what: &str, template: &Template, found: &mut Problems) {
        self.check(what, template, found);
        found.unless(!self.any(template, |meaning| meaning.optional), || {
            format!("{what} rests on an optional value")
        });
    }
}

fn check_derived(
    name: &str,
    derived: &Derived,
    operation: &Operation,
    names: &Names<'_>,
    found: &mut Problems,
) {
    match derived {
        Derived::Digest(digest) => {
            names.check_present(&format!("derive.{name}"), &digest.of, found);
            if let Some(key) = &digest.key {
                names.check_present(&format!("derive.{name}.key"), key, found);
            }
            found.unless(digest.digest.is_keyed() == digest.key.is_some(), || {
                format!("derive.{name}: a key goes with an HMAC and with nothing else")
            });
        }
        Derived::Map(map) => {
            found.unless(is_required(operation, &map.of), || {
                format!("derive.{name} maps \"{}\", which is no required credential field", map.of)
            });
            found.unless(!map.map.is_empty(), || format!("derive.{name} maps nothing"));
        }
        Derived::Base64(text) => names.check_present(&format!("derive.{name}"), &text.base64, found),
    }
}

pub(super) fn is_required(operation: &Operation, name: &str) -> bool {
    operation.credential.iter().any(|field| field.name == name && !field.optional)
}
