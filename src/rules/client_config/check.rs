//! What is wrong with the rules for clients.

use std::ops::RangeInclusive;

use super::{Method, MethodKind, Rule, page::PageRule};
use crate::model::language::Language;

/// Timeouts that leave the user neither without a chance nor waiting, seconds.
const TIMEOUTS: RangeInclusive<u64> = 1..=10;

/// Most characters of a consent version; a login takes no more.
const MAX_VERSION: usize = 64;

/// Every problem, beginning with the number of the rule.
pub(super) fn problems(rules: &[Rule], served: &[String], one_tap: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let mut found = Vec::new();
        if let Some(app) = rule.when.app.as_ref().filter(|app| !served.contains(app)) {
            found.push(format!("app \"{app}\" is not in APPS"));
        }
        if let Some(pattern) = &rule.when.model
            && (pattern.is_empty() || pattern.strip_suffix('*').unwrap_or(pattern).contains('*'))
        {
            found.push("\"model\" is empty or has a * before its end".to_owned());
        }
        if rule.methods.is_none() && rule.page.is_none() {
            found.push("sets neither \"methods\" nor \"page\"".to_owned());
        }
        if let Some(methods) = &rule.methods {
            of_methods(methods, one_tap, &mut found);
        }
        if let Some(page) = &rule.page {
            of_page(page, &mut found);
        }
        problems.extend(found.into_iter().map(|problem| format!("rule {at}: {problem}")));
    }
    problems
}

fn of_methods(methods: &[Method], one_tap: &[String], found: &mut Vec<String>) {
    if methods.is_empty() {
        found.push("\"methods\" is empty".to_owned());
    }
    for (at, method) in methods.iter().enumerate() {
        let earlier = methods.iter().take(at);
        if earlier.clone().any(|other| other.method == method.method && other.provider == method.provider) {
            found.push(format!("method {at} stands there twice"));
        }
        match (method.method, &method.provider) {
            (MethodKind::Otp, None) if method.timeout_seconds.is_none() => {}
            (MethodKind::Otp, _) => found.push(format!("method {at}: otp has no provider and no timeout")),
            (MethodKind::OneTap, None) => found.push(format!("method {at}: one_tap needs a provider")),
            (MethodKind::OneTap, Some(provider)) if !one_tap.contains(provider) => {
                found.push(format!("method {at}: {provider} has no one-tap account in PROVIDER_ACCOUNTS"));
            }
            (MethodKind::OneTap, Some(_)) => {}
        }
        if method.timeout_seconds.is_some_and(|seconds| !TIMEOUTS.contains(&seconds)) {
            let (least, most) = (TIMEOUTS.start(), TIMEOUTS.end());
            found.push(format!("method {at}: \"timeoutSeconds\" is not from {least} to {most}"));
        }
    }
}

fn of_page(page: &PageRule, found: &mut Vec<String>) {
    let is_version = |version: &String| (1..=MAX_VERSION).contains(&version.chars().count());
    if !page.consent_version.as_ref().is_none_or(is_version) {
        found.push(format!("\"consentVersion\" has not 1 to {MAX_VERSION} characters"));
    }
    for (at, agreement) in page.agreements.iter().enumerate() {
        if Language::ALL.iter().any(|language| agreement.name.get(*language).is_none_or(str::is_empty)) {
            found.push(format!("agreement {at}: \"name\" is not in zh-CN and en"));
        }
        let host = agreement.url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_graphic()) {
            found.push(format!("agreement {at}: \"url\" is not an https URL"));
        }
    }
}
