//! The rules a provider document must keep, so that the engine need not doubt it.
//!
//! Every problem is found in one pass and named by where it stands. Runs in the build script for the documents
//! of this repository and at run time for those that an operator writes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::{
        Capability, Certainty, CredentialField, Decrypt, Derived, Document, Encoding, Form, Method,
        Operation, Place, SORTED, Sign,
    },
    template::{Template, is_name},
};

/// The names every template knows, with their length in characters where it is fixed. `phone` and
/// `phone_national` exist only where a number is given.
pub(super) const BUILT_INS: [(&str, Option<usize>); 10] = [
    ("address", None),            // of the client
    ("now_compact17", Some(17)),  // yyyyMMddHHmmssSSS, China Standard Time
    ("now_iso", Some(20)),        // RFC 3339, UTC, whole seconds
    ("now_ms", Some(13)),         // milliseconds since 1970
    ("now_s", Some(10)),          // seconds since 1970
    ("nonce", Some(32)),          // 16 random bytes in hex, new for each call
    ("phone", None),              // E.164
    ("phone_national", Some(11)), // the eleven digits of a Chinese number
    ("platform", None),           // ios, android, harmony, web, miniprogram
    ("request_id", None),         // of the client's request
];

/// Longest time a provider may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 5_000;

/// Everything that is wrong with a document; empty for a good one.
pub(crate) fn problems(document: &Document) -> Vec<String> {
    let mut found = Problems { at: String::new(), list: Vec::new() };
    let id_is_sane = is_name(&document.id)
        && document.id.len() <= 32
        && !document.id.contains(|c: char| c.is_ascii_uppercase());
    found.unless(id_is_sane, || "id must be 1 to 32 characters of a-z 0-9 _".into());
    found.unless(!document.name.is_empty(), || "name is empty".into());
    found.unless(document.certainty == Certainty::Assumed || !document.sources.is_empty(), || {
        "facts that are not assumed need sources".into()
    });
    for (name, setting) in &document.settings {
        found.unless(is_name(name), || format!("setting \"{name}\" is not a name"));
        found.unless(setting.length.is_none() || setting.min_length.is_none(), || {
            format!("setting \"{name}\" has both length and min_length")
        });
    }
    let offered = Capability::ALL.into_iter().filter(|capability| document.offers(*capability));
    found.unless(offered.clone().count() > 0, || "offers nothing".into());
    for capability in offered {
        if let Some(operation) = document.operation(capability) {
            found.at = format!("{}: ", capability.name());
            check_operation(capability, operation, &Names::new(document, capability, &mut found), &mut found);
        }
    }
    found.list
}

struct Problems {
    at: String,
    list: Vec<String>,
}

impl Problems {
    fn unless(&mut self, good: bool, problem: impl FnOnce() -> String) {
        if !good {
            self.list.push(format!("{}{}", self.at, problem()));
        }
    }
}

/// What a name in a template stands for.
#[derive(Clone, Copy)]
struct Meaning {
    length: Option<usize>,
    min_length: usize,
    secret: bool,
    optional: bool,
    /// Chosen by whoever wrote the document or keeps the account, not by a client.
    ours: bool,
}

impl Meaning {
    const fn plain(length: Option<usize>) -> Self {
        let min_length = match length {
            Some(length) => length,
            None => 0,
        };
        Self { length, min_length, secret: false, optional: false, ours: false }
    }
}

struct Names<'d>(BTreeMap<&'d str, Meaning>);

impl<'d> Names<'d> {
    fn new(document: &'d Document, capability: Capability, found: &mut Problems) -> Self {
        let mut names = Self(BTreeMap::new());
        let Some(operation) = document.operation(capability) else { return names };
        for (name, length) in BUILT_INS {
            if capability == Capability::NumberCheck || !name.starts_with("phone") {
                names.add(name, Meaning::plain(length), found);
            }
        }
        for (name, setting) in &document.settings {
            let min_length = setting.length.or(setting.min_length).unwrap_or(0);
            let (length, secret) = (setting.length, setting.secret);
            names.add(name, Meaning { length, min_length, secret, optional: false, ours: true }, found);
        }
        for CredentialField { name, optional } in &operation.credential {
            found.unless(is_name(name), || format!("credential field \"{name}\" is not a name"));
            if !(operation.same.contains(name) && document.settings.contains_key(name)) {
                names.add(name, Meaning { optional: *optional, ..Meaning::plain(None) }, found);
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
            };
            names.add(name, meaning, found);
        }
        names
    }

    fn add(&mut self, name: &'d str, meaning: Meaning, found: &mut Problems) {
        found.unless(self.0.insert(name, meaning).is_none(), || format!("\"{name}\" has two meanings"));
    }

    fn any(&self, template: &Template, test: impl Fn(&Meaning) -> bool) -> bool {
        template.holes().any(|hole| self.0.get(hole.name.as_str()).is_some_and(&test))
    }

    /// Every name known, every range within what the value is sure to have.
    fn check(&self, what: &str, template: &Template, found: &mut Problems) {
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
    fn check_present(&self, what: &str, template: &Template, found: &mut Problems) {
        self.check(what, template, found);
        found.unless(!self.any(template, |meaning| meaning.optional), || {
            format!("{what} rests on an optional credential field")
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
    }
}

fn check_operation(capability: Capability, operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    found.unless(is_required(operation, &operation.token), || "token is no required credential field".into());
    check_request(operation, names, found);
    check_fields(operation, names, found);
    check_sign(operation, names, found);
    check_reply(operation, found);
    if let Some(decrypt) = &operation.decrypt {
        check_decrypt(decrypt, names, found);
    }
    found.unless(operation.verdict.is_some() == (capability == Capability::NumberCheck), || {
        "a verdict goes with number_check and with nothing else".into()
    });
    if let Some(verdict) = &operation.verdict {
        found.unless(!verdict.matched.is_empty() && !verdict.mismatch.is_empty(), || {
            "verdict needs both match and mismatch".into()
        });
        found.unless(verdict.matched.iter().all(|value| !verdict.mismatch.contains(value)), || {
            "verdict: a value is both match and mismatch".into()
        });
    }
    if let Some(hint) = &operation.carrier {
        found.unless(is_required(operation, &hint.of), || {
            format!("carrier looks at \"{}\", which is no required credential field", hint.of)
        });
    }
    check_outcome(operation, found);
}

fn check_request(operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    let request = &operation.request;
    names.check_present("request.url", &request.url, found);
    // Nothing a client sends may choose who gets its credential.
    found.unless(!names.any(&request.url, |meaning| meaning.secret || !meaning.ours), || {
        "request.url may hold settings that are not secret and mapped values, nothing else".into()
    });
    let host_and_path = request.url.source().strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let well_formed = host_and_path.is_some_and(|(host, path)| {
        let is_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b);
        !host.is_empty()
            && host.bytes().all(is_host)
            && !path.contains(['?', '#', '@', '\\', ' '])
            && path.is_ascii()
    });
    found.unless(well_formed, || {
        "request.url must be https://, a fixed lower-case host and a path without query".into()
    });
    for (name, value) in &request.headers {
        found.unless(is_header_name(name), || format!("header \"{name}\" is not lower-case a-z 0-9 -"));
        names.check_present(&format!("header {name}"), value, found);
    }
    found.unless((1..=MAX_TIMEOUT_MS).contains(&request.timeout_ms), || {
        format!("request.timeout_ms must be 1 to {MAX_TIMEOUT_MS}")
    });
    found.unless(request.method == Method::Post || request.encoding == Encoding::Query, || {
        "a GET request has no body: encoding must be query".into()
    });
}

fn check_fields(operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    let encoding = operation.request.encoding;
    let places: BTreeSet<&str> =
        operation.fields.keys().map(String::as_str).chain(signature_field(operation)).collect();
    for name in &places {
        let sane = name.split('.').all(|part| !part.is_empty());
        found.unless(sane, || format!("field \"{name}\" has an empty part"));
        found.unless(encoding == Encoding::Json || !name.contains('.'), || {
            format!("field \"{name}\": only JSON nests")
        });
        let inside = format!("{name}.");
        found.unless(!places.iter().any(|other| other.starts_with(&inside)), || {
            format!("field \"{name}\" is both a value and an object")
        });
    }
    for (name, value) in &operation.fields {
        names.check(&format!("field {name}"), value, found);
        found.unless(encoding != Encoding::Query || !names.any(value, |meaning| meaning.secret), || {
            format!("field {name} would put a secret setting into the URL")
        });
    }
}

fn check_sign(operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    match &operation.sign {
        None => {}
        Some(Sign::Mac { of, mac, key, into, .. }) => {
            let mut names = Names(names.0.clone());
            for name in SORTED {
                names.add(name, Meaning::plain(None), found);
            }
            for template in [of].into_iter().chain(key) {
                names.check_present("sign", template, found);
            }
            found.unless(mac.is_keyed() == key.is_some(), || {
                "sign: a key goes with an HMAC and with nothing else".into()
            });
            match into {
                Place::Field(name) => found.unless(!operation.fields.contains_key(name), || {
                    format!("sign goes into \"{name}\", which is a field already")
                }),
                Place::Header(name) => found.unless(is_header_name(name), || {
                    format!("sign: header \"{name}\" is not lower-case a-z 0-9 -")
                }),
            }
        }
        Some(Sign::Acs3 { key_id, key }) => {
            names.check_present("sign.key_id", key_id, found);
            names.check_present("sign.key", key, found);
        }
    }
}

fn check_reply(operation: &Operation, found: &mut Problems) {
    let reply = &operation.reply;
    found.unless(!reply.code.is_empty() && !reply.value.is_empty(), || {
        "reply needs a code and a value".into()
    });
    let inner = operation.decrypt.iter().flat_map(|decrypt| &decrypt.json);
    let inner = inner.flat_map(|json| json.value.iter().chain(json.require.keys()));
    for pointer in
        [&reply.code, &reply.message, &reply.value, &reply.charged].into_iter().flatten().chain(inner)
    {
        found.unless(pointer.starts_with('/'), || format!("\"{pointer}\" is no JSON pointer"));
    }
}

fn check_decrypt(decrypt: &Decrypt, names: &Names<'_>, found: &mut Problems) {
    let bytes = decrypt.cipher.block_bytes();
    let known = |name: &str| names.0.get(name).and_then(|meaning| meaning.length);
    for (what, template) in [("decrypt.key", Some(&decrypt.key)), ("decrypt.iv", decrypt.iv.as_ref())] {
        if let Some(template) = template {
            names.check_present(what, template, found);
            found.unless(template.length(known) == Some(bytes), || {
                format!("{what} is not known to have {bytes} characters")
            });
        }
    }
    let fixed = decrypt
        .iv_hex
        .as_ref()
        .is_none_or(|hex| hex.len() == bytes.saturating_mul(2) && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    found.unless(fixed, || format!("decrypt.iv_hex is not {bytes} bytes in hex"));
    found.unless(decrypt.iv.is_some() != decrypt.iv_hex.is_some(), || {
        "decrypt needs one of iv and iv_hex".into()
    });
    found.unless(decrypt.json.as_ref().is_none_or(|json| !json.value.is_empty()), || {
        "decrypt.json needs a value".into()
    });
}

fn check_outcome(operation: &Operation, found: &mut Problems) {
    let outcome = &operation.outcome;
    found.unless(!outcome.ok.is_empty(), || "outcome.ok is empty".into());
    found.unless(!outcome.ok.iter().any(|code| code.ends_with('*')), || {
        "outcome.ok must name whole codes".into()
    });
    let mut seen = BTreeSet::new();
    for code in [&outcome.ok, &outcome.rejected, &outcome.unavailable, &outcome.account].into_iter().flatten()
    {
        found.unless(!code.is_empty() && code != "*", || "outcome holds an empty code".into());
        found.unless(seen.insert(code), || format!("outcome holds \"{code}\" twice"));
    }
}

fn is_required(operation: &Operation, name: &str) -> bool {
    operation.credential.iter().any(|field| field.name == name && !field.optional)
}

fn signature_field(operation: &Operation) -> Option<&str> {
    match &operation.sign {
        Some(Sign::Mac { into: Place::Field(name), .. }) => Some(name),
        _ => None,
    }
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
