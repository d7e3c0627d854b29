//! The rules a provider document must keep, so that the engine need not doubt it.
//!
//! Every problem is found in one pass and named by where it stands. Runs in the build script for the documents
//! of this repository and at run time for those that an operator writes.

use std::collections::BTreeSet;

use super::{
    check_login::{self, is_endpoint},
    countries,
    document::{Capability, Certainty, Document},
    names::{Meaning, Names, Problems, is_required},
    operation::{
        Decrypt, Encoding, Method, Operation, Place, ReceiptRule, SORTED, SORTED_PARTS, Score, Sign,
    },
    template::{Template, is_name},
};

/// Longest time a provider may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 5_000;

/// Highest score of a risk provider.
const MAX_SCORE: u64 = 1_000;

/// What may go into JSON as it is.
const RAW: [&str; 4] = ["{params_list}", "{params_object}", "{params_numbered}", "{template}"];

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
    check_login::check(document, &mut found);
    found.at.clear();
    found.unless(!document.offers(Capability::Sms) || !document.offers(Capability::Email), || {
        "sms and email are two accounts, so they need two documents".into()
    });
    found.at = "receipt: ".to_owned();
    found.unless(document.receipt.is_none() || document.offers(Capability::Sms), || {
        "receipts go with sms and with nothing else".into()
    });
    if let Some(rule) = &document.receipt {
        check_receipt(rule, &mut found);
    }
    found.list
}

fn check_operation(capability: Capability, operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    check_capability(capability, operation, names, found);
    check_request(operation, names, found);
    check_fields(operation, names, found);
    check_sign(operation, names, found);
    check_reply(capability, operation, found);
    if let Some(decrypt) = &operation.decrypt {
        check_decrypt(decrypt, names, found);
    }
    check_verdict(capability, operation, found);
    if let Some(hint) = &operation.carrier {
        found.unless(is_required(operation, &hint.of), || {
            format!("carrier looks at \"{}\", which is no required credential field", hint.of)
        });
    }
    check_outcome(operation, found);
}

/// What goes with one capability and not with another.
fn check_capability(capability: Capability, operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    match (capability, &operation.token) {
        (capability, token) if capability.is_shared() || capability == Capability::Risk => {
            found.unless(token.is_none() && operation.credential.is_empty(), || {
                "there is no credential here".into()
            });
        }
        (_, token) => found.unless(token.as_ref().is_some_and(|token| is_required(operation, token)), || {
            "token is no required credential field".into()
        }),
    }
    found.unless(capability.has_countries() == countries::are_sane(&operation.countries), || {
        "sms and questions about numbers, and nothing else, need countries like [\"86\"], [\"*\"] or [\"!86\"]".into()
    });
    let message = if operation.template { "template" } else { "text" };
    let holes = || operation.fields.values().flat_map(Template::holes);
    found.unless(capability.is_message() || !operation.template, || {
        "template goes with sms and email, and with nothing else".into()
    });
    found.unless(!capability.is_message() || holes().any(|hole| hole.name == message), || {
        format!("no field holds \"{message}\"")
    });
    let held = match capability {
        Capability::Email => "email",
        Capability::TwoFactor => "name",
        Capability::Reassigned => "since_",
        _ => "",
    };
    found.unless(held.is_empty() || holes().any(|hole| hole.name.starts_with(held)), || {
        format!("no field holds \"{held}\"")
    });
    found.unless(operation.score.is_some() == (capability == Capability::Risk), || {
        "a score goes with risk and with nothing else".into()
    });
    let ascends = |score: &Score| score.challenge <= score.deny && score.deny <= MAX_SCORE;
    found.unless(operation.score.as_ref().is_none_or(ascends), || {
        format!("score must be challenge <= deny <= {MAX_SCORE}")
    });
    for name in &operation.raw {
        // Anything else could break out of its place.
        let is_ours = operation
            .fields
            .get(name)
            .is_some_and(|value| RAW.contains(&value.source()) || value.holes().next().is_none());
        let is_json = operation.request.encoding == Encoding::Json;
        found.unless(is_ours && capability.is_message() && is_json, || {
            format!("raw \"{name}\" is no JSON field of a template, its parameters or a constant")
        });
    }
    for (name, value) in &operation.request.query {
        names.check_present(&format!("query {name}"), value, found);
        found.unless(!names.any(value, |meaning| meaning.secret || !meaning.ours), || {
            format!("query {name} may hold settings that are not secret, nothing else")
        });
    }
}

fn check_verdict(capability: Capability, operation: &Operation, found: &mut Problems) {
    let (needed, also) = capability.verdicts();
    let verdict = &operation.verdict;
    for (word, _) in verdict {
        let is_known = needed.iter().chain(also).any(|known| known == word);
        found.unless(is_known, || format!("verdict \"{word}\" does not go with it"));
    }
    for word in needed {
        found.unless(verdict.get(*word).is_some_and(|values| !values.is_empty()), || {
            format!("verdict lacks \"{word}\"")
        });
    }
    let mut seen = BTreeSet::new();
    for value in verdict.values().flatten() {
        found.unless(seen.insert(value), || format!("verdict has \"{value}\" twice"));
    }
}

fn check_receipt(rule: &ReceiptRule, found: &mut Problems) {
    for pointer in [&rule.message_id, &rule.status] {
        found.unless(pointer.starts_with('/'), || format!("\"{pointer}\" is no JSON pointer"));
    }
    found.unless(!rule.delivered.is_empty(), || "delivered is empty".into());
    found.unless(rule.delivered.iter().all(|status| !rule.passing.contains(status)), || {
        "a status is both delivered and passing".into()
    });
}

fn check_request(operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    let request = &operation.request;
    names.check_present("request.url", &request.url, found);
    // Nothing a client sends may choose who gets its credential.
    found.unless(!names.any(&request.url, |meaning| meaning.secret || !meaning.ours), || {
        "request.url may hold settings that are not secret and mapped values, nothing else".into()
    });
    let mut holes = request.url.holes();
    let is_discovered = holes
        .next()
        .is_some_and(|hole| is_endpoint(&hole.name) && request.url.source() == format!("{{{}}}", hole.name));
    found.unless(is_discovered || is_fixed_url(request.url.source()), || {
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
        let may_hold_secrets = encoding != Encoding::Query || operation.request.secrets_in_query;
        found.unless(may_hold_secrets || !names.any(value, |meaning| meaning.secret), || {
            format!("field {name} would put a secret setting into the URL")
        });
    }
}

fn check_sign(operation: &Operation, names: &Names<'_>, found: &mut Problems) {
    match &operation.sign {
        None => {}
        Some(Sign::Mac { of, mac, key, into, parts, .. }) => {
            for part in parts {
                names.check_present("sign.parts", part, found);
            }
            let mut names = Names(names.0.clone());
            for name in SORTED.into_iter().chain([SORTED_PARTS]) {
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
        Some(Sign::Tc3 { key_id, key, headers, .. }) => {
            names.check_present("sign.key_id", key_id, found);
            names.check_present("sign.key", key, found);
            let is_sent = |name: &String| name == "host" || operation.request.headers.contains_key(name);
            found.unless(headers.iter().all(is_sent), || "sign.headers names one that is not sent".into());
            let wanted = ["host", "content-type"].map(str::to_owned);
            found.unless(wanted.iter().all(|name| headers.contains(name)), || {
                "sign.headers must hold host and content-type".into()
            });
        }
    }
}

fn check_reply(capability: Capability, operation: &Operation, found: &mut Problems) {
    let reply = &operation.reply;
    let has_value = !reply.value.is_empty()
        || matches!(capability, Capability::Sms | Capability::BotCheck)
        || !reply.take.is_empty();
    found.unless(!reply.code.is_empty() && has_value, || "reply needs a code and a value".into());
    found.unless(capability.is_identity() != reply.take.is_empty(), || {
        "reply.take goes with identity and its other calls, and with nothing else".into()
    });
    let inner = operation.decrypt.iter().flat_map(|decrypt| &decrypt.json);
    let inner = inner.flat_map(|json| json.value.iter().chain(json.require.keys()));
    let lists = [&reply.code, &reply.message, &reply.value, &reply.charged].into_iter();
    for pointer in lists.chain(reply.take.values()).flatten().chain(inner) {
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
    let lists = [&outcome.ok, &outcome.rejected, &outcome.limited, &outcome.unavailable, &outcome.account];
    for code in lists.into_iter().flatten() {
        found.unless(!code.is_empty() && code != "*", || "outcome holds an empty code".into());
        found.unless(seen.insert(code), || format!("outcome holds \"{code}\" twice"));
    }
}

/// `https`, a fixed host and a path.
pub(super) fn is_fixed_url(url: &str) -> bool {
    let host_and_path = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    host_and_path.is_some_and(|(host, path)| {
        let is_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b);
        !host.is_empty()
            && host.bytes().all(is_host)
            && !path.contains(['?', '#', '@', '\\', ' '])
            && path.is_ascii()
    })
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
