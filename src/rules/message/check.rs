//! What is wrong with the messages of the apps.

use crate::{
    model::{language::Language, otp_purpose::Purpose, platform::Platform},
    rules::message::{App, Apps, HOLES, Recipient, length::Length},
};

/// Every problem, beginning with the app. `code` and `minutes` stand for those to come.
pub(super) fn problems(apps: &Apps, served: &[String], code: &str, minutes: u64) -> Vec<String> {
    let mut problems = Vec::new();
    for id in apps.apps.keys().filter(|id| !served.contains(id)) {
        problems.push(format!("{id}: is not in APPS"));
    }
    for id in served {
        let app = apps.app(id);
        let mut found = of_app(app);
        for (language, purpose) in texts() {
            // Without a hash Android's form is that of all.
            let android = app.android_hash.as_ref().map(|_| Platform::Android);
            for platform in [Some(Platform::Web), android].into_iter().flatten() {
                let of = |signed| {
                    let to = Recipient { app: id, language, purpose, platform, signed };
                    Length::of(&apps.compose(&to, code, minutes))
                };
                // Signed and not: where one is too long, that one is told.
                let length = [of(true), of(false)].into_iter().find(|length| !length.fits());
                if let Some((count, most, units)) = length.map(Length::in_one_message) {
                    found.push(format!(
                        "the {} text of {} for {} has {count} {units}; one SMS holds {most} (shorten host, \
                         signature, name or template)",
                        language.name(),
                        purpose.name(),
                        platform.name(),
                    ));
                }
            }
        }
        problems.extend(found.into_iter().map(|problem| format!("{id}: {problem}")));
    }
    problems
}

fn of_app(app: &App) -> Vec<String> {
    let mut problems = Vec::new();
    if app.host.as_ref().is_some_and(|host| !is_host(host)) {
        problems.push("\"host\" is not a host name without scheme and port".to_owned());
    }
    if app.android_hash.as_ref().is_some_and(|hash| !is_android_hash(hash)) {
        problems.push("\"androidHash\" is not 11 characters of Base64".to_owned());
    }
    if app.language.as_ref().is_some_and(|name| Language::ALL.iter().all(|known| known.name() != name)) {
        problems.push("\"language\" is neither zh-CN nor en".to_owned());
    }
    for language in Language::ALL {
        let mut templates = Purpose::ALL.into_iter().map(|purpose| app.template(language, purpose));
        // The built-in texts are signed.
        if templates.any(|own| own.is_none_or(|own| own.contains("{signature}")))
            && !is_signature(app.signature(language))
        {
            problems.push(format!(
                "the {} signature (or the name in its place) has not 2 to 12 characters without 【】, as \
                 China's carriers demand",
                language.name()
            ));
        }
    }
    for (language, purpose) in texts() {
        let Some(template) = app.template(language, purpose) else { continue };
        let of = format!("the {} template of {}", language.name(), purpose.name());
        if !template.contains("{code}") {
            problems.push(format!("{of} has no {{code}}"));
        }
        for hole in template.split('{').skip(1).map(|piece| piece.split('}').next().unwrap_or_default()) {
            if !HOLES.contains(&hole) {
                problems.push(format!("{of} has {{{hole}}}, which is none of {}", HOLES.join(", ")));
            }
        }
    }
    problems
}

fn texts() -> impl Iterator<Item = (Language, Purpose)> {
    Language::ALL.into_iter().flat_map(|language| Purpose::ALL.map(|purpose| (language, purpose)))
}

// Letters, digits and hyphens (RFC 1123 section 2.1); international names in their ASCII form.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

fn is_android_hash(hash: &str) -> bool {
    hash.len() == 11 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
}

fn is_signature(signature: &str) -> bool {
    (2..=12).contains(&signature.chars().count()) && !signature.contains(['【', '】'])
}
