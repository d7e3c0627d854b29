//! One setting at a time, and the forms that only settings have.

use serde::Deserialize;

use super::{Environment, ReviewNumber};
use crate::kernel::{config, phone::PhoneNumber, secret::Secret};

/// Reads settings by their names, and gathers what is wrong with them.
pub(super) struct Reader<F> {
    pub(super) get: F,
    pub(super) problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.required_list(name, |text| parse(text).map_err(|problem| vec![problem]))
    }

    pub(super) fn required_list<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        match (self.get)(name).filter(|text| !text.trim().is_empty()) {
            None => self.keep(Err(vec![format!("{name} is missing")])),
            Some(text) => self.keep(parse(text.trim()).map_err(|problems| named(name, problems))),
        }
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.optional_list(name, |text| parse(text).map_err(|problem| vec![problem]))
    }

    pub(super) fn optional_list<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let text = (self.get)(name).filter(|text| !text.trim().is_empty())?;
        self.keep(parse(text.trim()).map_err(|problems| named(name, problems)))
    }

    pub(super) fn keep<T>(&mut self, result: Result<T, Vec<String>>) -> Option<T> {
        result.map_err(|problems| self.problems.extend(problems)).ok()
    }
}

pub(super) fn named(name: &str, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{name} {problem}")).collect()
}

pub(super) fn base_url(text: &str, environment: Environment) -> Result<String, String> {
    let is_http = environment == Environment::Development && text.starts_with("http://");
    if (text.starts_with("https://") || is_http) && !text.ends_with('/') && !text.contains(['?', '#', ' ']) {
        Ok(text.to_owned())
    } else {
        Err("is not an https URL without a slash at its end".to_owned())
    }
}

pub(super) fn app_ids(text: &str) -> Result<Vec<String>, String> {
    let ids: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
    let sane = |id: &String| {
        (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if ids.iter().all(sane) {
        Ok(ids)
    } else {
        Err("is not a comma list of ids of A-Z a-z 0-9 - _ .".to_owned())
    }
}

pub(super) fn review_numbers(text: &str) -> Result<Vec<ReviewNumber>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        phone: String,
        code: String,
    }
    // The parser's own words could quote a number or a code.
    let entries: Vec<Entry> =
        config::from_json(text).map_err(|_| "is not a JSON array of {\"phone\", \"code\"}")?;
    let read = |(at, entry): (usize, Entry)| {
        let phone = PhoneNumber::parse(&entry.phone).map_err(|error| format!("entry {at}: phone {error}"))?;
        let code = Secret::new(entry.code);
        let digits = code.expose().bytes().filter(u8::is_ascii_digit).count();
        if !(6..=8).contains(&digits) || digits != code.expose().len() {
            return Err(format!("entry {at}: code is not 6 to 8 digits"));
        }
        Ok(ReviewNumber { phone, code })
    };
    entries.into_iter().enumerate().map(read).collect()
}

/// The host name in a base URL.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}
