//! The rules for documents of third-party logins: what goes with `identity`, and what its calls can name.
//!
//! Part of the check of documents: see `validate`. Shared with the build script.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::{Capability, Document},
    names::{Meaning, Names, Problems},
    operation::{Operation, Redirect},
    template::is_name,
    validate::is_fixed_url,
};

/// What the exchange of a code can name, besides settings and built-ins.
const GIVEN: [&str; 4] = ["code", "redirect_uri", "code_verifier", TOKEN_ENDPOINT];

/// What the address for the browser can name, besides settings.
const SENT: [&str; 5] = ["authorization_endpoint", "redirect_uri", "state", "nonce", "code_challenge"];

/// What a profile is read for.
const PROFILE: [&str; 3] = ["avatar", "nickname", "sub"];

pub(super) const TOKEN_ENDPOINT: &str = "token_endpoint";
pub(super) const USERINFO_ENDPOINT: &str = "userinfo_endpoint";

/// Whether a name stands for a URL that the issuer's discovery document gave.
pub(super) fn is_endpoint(name: &str) -> bool {
    [TOKEN_ENDPOINT, USERINFO_ENDPOINT].contains(&name)
}

/// Everything that is wrong with the parts of a document that make a third-party login.
pub(super) fn check(document: &Document, found: &mut Problems) {
    for capability in Capability::ALL.into_iter().filter(|capability| !capability.is_identity()) {
        let fields = document.operation(capability).into_iter().flat_map(|operation| &operation.credential);
        found.unless(!fields.into_iter().any(|field| is_endpoint(&field.name)), || {
            format!("{}: a client cannot choose where its credential goes", capability.name())
        });
    }
    found.at = "identity: ".to_owned();
    let Some(exchange) = document.operation(Capability::Identity) else {
        let rest = [Capability::IdentitySubject, Capability::IdentityProfile];
        let has_parts = document.redirect.is_some() || document.discovery || !document.subjects.is_empty();
        found.unless(!has_parts && !rest.into_iter().any(|part| document.offers(part)), || {
            "redirect, discovery, subjects, identity_subject and identity_profile go with identity".into()
        });
        return;
    };
    found.unless(exchange.token.as_deref() == Some("code"), || "its token is not \"code\"".into());
    let mut known: BTreeSet<&str> = GIVEN.into();
    if !document.discovery {
        known.remove(TOKEN_ENDPOINT);
    }
    check_call(exchange, &known, found);
    // What one call took out, the next ones can name.
    let mut taken: BTreeMap<&str, bool> = BTreeMap::new();
    for capability in [Capability::Identity, Capability::IdentitySubject, Capability::IdentityProfile] {
        let Some(operation) = document.operation(capability) else { continue };
        if capability != Capability::Identity {
            let mut known: BTreeSet<&str> = taken.keys().copied().collect();
            if document.discovery {
                known.insert(USERINFO_ENDPOINT);
            }
            check_call(operation, &known, found);
        }
        for (name, optional, _) in operation.reply.taken() {
            let is_free = is_name(name) && !document.settings.contains_key(name);
            found.unless(is_free, || format!("\"{name}\" cannot be taken out of a reply"));
            let fits = capability != Capability::IdentityProfile || PROFILE.contains(&name);
            found.unless(fits, || format!("a profile has no \"{name}\""));
            if capability != Capability::IdentityProfile {
                taken.insert(name, optional);
            }
        }
    }
    if document.discovery {
        found.unless(taken.contains_key("id_token"), || "discovery needs an id_token".into());
        let settings = ["issuer", "clientId"].map(|name| document.settings.get(name));
        let are_there = settings.iter().all(|setting| setting.is_some_and(|s| !s.secret && !s.optional));
        found.unless(are_there, || "discovery needs the settings issuer and clientId".into());
        // Signed by the issuer.
        taken.insert("sub", false);
    }
    check_subjects(document, &taken, found);
    if let Some(redirect) = &document.redirect {
        check_redirect(document, redirect, found);
    }
}

fn check_call(operation: &Operation, known: &BTreeSet<&str>, found: &mut Problems) {
    for field in &operation.credential {
        let name = field.name.as_str();
        found.unless(known.contains(name), || format!("nobody hands in \"{name}\""));
    }
}

fn check_subjects(document: &Document, taken: &BTreeMap<&str, bool>, found: &mut Problems) {
    let mut names = settings(document);
    for (name, optional) in taken {
        let meaning = Meaning { optional: *optional, ..Meaning::plain(None) };
        names.add(name, meaning, found);
    }
    for subject in &document.subjects {
        names.check("subjects", subject, found);
        found.unless(subject.holes().any(|hole| taken.contains_key(hole.name.as_str())), || {
            "subjects: one is the same for everybody".into()
        });
    }
    let last = document.subjects.last();
    found.unless(last.is_some_and(|subject| !names.any(subject, |meaning| meaning.optional)), || {
        "subjects: the last must rest on nothing that may be missing".into()
    });
}

fn check_redirect(document: &Document, redirect: &Redirect, found: &mut Problems) {
    let mut names = settings(document);
    for name in SENT.into_iter().filter(|name| document.discovery || *name != "authorization_endpoint") {
        names.add(name, Meaning::plain(None), found);
    }
    let is_discovered = document.discovery && redirect.url.source() == "{authorization_endpoint}";
    found.unless(is_discovered || is_fixed_url(redirect.url.source()), || {
        "redirect.url must be https://, a fixed lower-case host and a path without query".into()
    });
    for (name, value) in redirect.fields.iter().map(|(name, value)| (name.as_str(), value)) {
        names.check(&format!("redirect {name}"), value, found);
        found.unless(!names.any(value, |meaning| meaning.secret), || {
            format!("redirect {name} would show a secret to the browser")
        });
    }
    for needed in ["state", "redirect_uri"] {
        let is_sent = redirect.fields.values().any(|value| value.source() == format!("{{{needed}}}"));
        found.unless(is_sent, || format!("redirect does not send \"{needed}\""));
    }
}

fn settings(document: &Document) -> Names<'_> {
    let names = document.settings.iter().map(|(name, setting)| {
        let meaning = Meaning { secret: setting.secret, optional: setting.optional, ..Meaning::plain(None) };
        (name.as_str(), meaning)
    });
    Names(names.collect())
}
