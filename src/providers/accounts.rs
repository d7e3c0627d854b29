//! An operator's accounts with providers: the secret `PROVIDER_ACCOUNTS`.
//!
//! A JSON array, one entry for each account:
//! `{"provider": "flash_v2", "app": "default", "platforms": ["ios"], "baseUrl": "https://relay.example",
//! "confirmed": false, "settings": {...}}`. Vendors give out an account per app and often per platform. Entries
//! for SMS and e-mail may also hold `weight`, `templates` and `templateParams`, those for SMS `countries`, those for questions
//! about a number `weight` and `countries`, those for third-party login `native` and, for OpenID Connect, `kind`.

use serde_json::{Map, Value};

use crate::{
    kernel::{config, json, secret::Secret},
    model::platform::Platform,
};

use super::{
    account::{Account, Messages, Settings},
    countries,
    document::{Capability, Document},
};

/// What else leads to an account.
const RESERVED_KINDS: [&str; 3] = ["email", "phone", "username"];

/// What a template's parameter can stand for.
const TEMPLATE_PARAMS: [&str; 3] = ["code", "minutes", "app"];

/// Reads `PROVIDER_ACCOUNTS` for the built-in providers. Accounts that name platforms stand before those for
/// all, so that the first one that serves a platform is the one to use.
///
/// # Errors
/// Every problem, naming entry and setting, never a value.
pub fn accounts_from_json(json: &str) -> Result<Vec<Account>, Vec<String>> {
    // The parser's own words could quote a secret.
    let entries = config::objects(json).ok_or_else(|| vec!["is not a JSON array of objects".to_owned()])?;
    let mut accounts: Vec<Account> = Vec::new();
    let mut problems = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let mut reader = Reader { entry, at: format!("entry {at}"), problems: Vec::new() };
        let account = reader.account();
        problems.append(&mut reader.problems);
        let Some(account) = account else { continue };
        if accounts.iter().any(|other| compete(other, &account)) {
            problems.push(format!("{}: another entry is for the same use, app and platform", reader.at));
        }
        accounts.push(account);
    }
    let (mut accounts, general): (Vec<_>, _) =
        accounts.into_iter().partition(|account: &Account| account.platforms.is_some());
    accounts.extend::<Vec<_>>(general);
    if problems.is_empty() { Ok(accounts) } else { Err(problems) }
}

/// Whether two accounts are for the same use, so that nothing tells which to take. Clients name the provider of
/// their credential, but not of bot checks and risk. Several accounts for messages or for questions about a number share
/// the work.
fn compete(one: &Account, other: &Account) -> bool {
    let (Some(mine), Some(theirs)) = (super::find(&one.provider), super::find(&other.provider)) else {
        return false;
    };
    let both = |capability| mine.offers(capability) && theirs.offers(capability);
    let alone = [Capability::BotCheck, Capability::Risk, Capability::Push];
    let same_use = if both(Capability::Identity) {
        one.kind == other.kind
    } else {
        mine.id() == theirs.id() || alone.into_iter().any(both)
    };
    same_use
        && !Capability::ALL.into_iter().any(|capability| capability.is_shared() && both(capability))
        && one.app == other.app
        && match (&one.platforms, &other.platforms) {
            (None, None) => true,
            (Some(mine), Some(theirs)) => mine.iter().any(|platform| theirs.contains(platform)),
            _ => false,
        }
}

/// Takes an entry apart and collects what is wrong with it.
struct Reader {
    entry: Map<String, Value>,
    at: String,
    problems: Vec<String>,
}

impl Reader {
    fn account(&mut self) -> Option<Account> {
        let provider = self.text("provider");
        if let Some(provider) = &provider {
            self.at = format!("{} ({provider})", self.at);
        }
        let document = provider.as_deref().and_then(super::find);
        if document.is_none() {
            self.problem("names no known provider");
        }
        let provider = provider.unwrap_or_default();
        let account = Account {
            kind: self.kind(document?, &provider),
            native: document?.offers(Capability::Identity) && self.flag("native"),
            provider,
            app: if self.entry.contains_key("app") { self.text("app")? } else { "default".to_owned() },
            platforms: self.platforms(),
            base_url: self.base_url(document?),
            confirmed: self.flag("confirmed"),
            settings: self.settings(document?),
            messages: self.messages(document?),
        };
        let unknown: Vec<String> = self.entry.keys().cloned().collect();
        for name in unknown {
            self.problem(&format!("\"{name}\" is unknown"));
        }
        Some(account)
    }

    fn problem(&mut self, problem: &str) {
        self.problems.push(format!("{}: {problem}", self.at));
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.entry.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => {
                self.problem(&format!("\"{name}\" must be a text"));
                None
            }
        }
    }

    fn platforms(&mut self) -> Option<Vec<Platform>> {
        let value = self.entry.remove("platforms")?;
        let platforms: Option<Vec<Platform>> = value.as_array().and_then(|list| {
            list.iter().map(|platform| platform.as_str().and_then(Platform::from_name)).collect()
        });
        if platforms.as_ref().is_none_or(Vec::is_empty) {
            let known = Platform::ALL.map(Platform::name).join(", ");
            self.problem(&format!("\"platforms\" must be a list of {known}"));
        }
        platforms
    }

    fn base_url(&mut self, document: &Document) -> Option<String> {
        if !self.entry.contains_key("baseUrl") {
            if document.is_homeless() {
                self.problem("\"baseUrl\" is missing: every operator of this provider has its own");
            }
            return None;
        }
        let url = self.text("baseUrl")?;
        if !is_base_url(&url) {
            self.problem("\"baseUrl\" must be https://host[:port][/path] without query");
        }
        Some(url)
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.entry.remove(name) {
            None => false,
            Some(Value::Bool(value)) => value,
            Some(_) => {
                self.problem(&format!("\"{name}\" must be true or false"));
                false
            }
        }
    }

    /// What clients call it. A login with an issuer must not pass for another one.
    fn kind(&mut self, document: &Document, provider: &str) -> String {
        if !document.is_openid() {
            return provider.to_owned();
        }
        let kind = self.text("kind").unwrap_or_default();
        let is_sane = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let is_free = super::find(&kind).is_none() && !RESERVED_KINDS.contains(&kind.as_str());
        if !(1..=32).contains(&kind.len()) || !kind.bytes().all(is_sane) || !is_free {
            self.problem("\"kind\" must be 1 to 32 of a-z 0-9 _ and the name of nothing else");
        }
        kind
    }

    fn settings(&mut self, document: &Document) -> Settings {
        let Some(Value::Object(given)) = self.entry.remove("settings") else {
            self.problem("\"settings\" must be an object");
            return Settings::default();
        };
        let (settings, problems) = read_settings(document, given);
        for problem in problems {
            self.problem(&problem);
        }
        settings
    }

    /// What only entries that share work may say; elsewhere it stays and is unknown.
    fn messages(&mut self, document: &Document) -> Messages {
        let mut messages = Messages::default();
        let does = |test: fn(Capability) -> bool| {
            Capability::ALL.into_iter().any(|capability| test(capability) && document.offers(capability))
        };
        if !does(Capability::is_shared) {
            return messages;
        }
        let has_countries = does(Capability::has_countries);
        messages.countries = if has_countries { self.texts("countries") } else { None };
        if messages.countries.as_deref().is_some_and(|list| !countries::are_sane(list)) {
            self.problem("\"countries\" must be like [\"86\"], [\"*\"] or [\"!86\"]");
        }
        match self.entry.remove("weight").map(|weight| weight.as_u64()) {
            None => {}
            Some(Some(weight)) if weight <= 100 => messages.weight = weight,
            Some(_) => self.problem("\"weight\" must be 0 to 100"),
        }
        if !document.is_template() {
            return messages;
        }
        let given = self.entry.remove("templates").unwrap_or_default();
        messages.templates = json::from_value(given).unwrap_or_default();
        let is_sane = |(name, id): &(String, String)| is_template_name(name) && !id.is_empty();
        if !messages.templates.contains_key("default") || !messages.templates.iter().all(is_sane) {
            self.problem(
                "\"templates\" must map \"default\", and purposes or \"purpose.language\", to texts",
            );
        }
        if let Some(names) = self.texts("templateParams") {
            if !names.iter().all(|name| TEMPLATE_PARAMS.contains(&name.as_str())) {
                self.problem(&format!("\"templateParams\" must be of {}", TEMPLATE_PARAMS.join(", ")));
            }
            messages.template_params = names;
        }
        messages
    }

    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let texts = json::from_value(self.entry.remove(name)?);
        if texts.is_none() {
            self.problem(&format!("\"{name}\" must be a list of texts"));
        }
        texts
    }
}

fn is_template_name(name: &str) -> bool {
    let (purpose, language) = name.split_once('.').unwrap_or((name, "en"));
    let is =
        |text: &str, also: u8| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic() || b == also);
    is(purpose, b'_') && is(language, b'-')
}

/// The settings that a document asks for, and what is wrong with those that are given.
pub(super) fn read_settings(document: &Document, mut given: Map<String, Value>) -> (Settings, Vec<String>) {
    let mut settings = Settings::default();
    let mut problems = Vec::new();
    for (name, rule) in &document.settings {
        let value = match given.remove(name) {
            Some(Value::String(value)) if !value.is_empty() => value,
            None if rule.optional => continue,
            other => {
                let problem = if other.is_none() { "is missing" } else { "must be a text" };
                problems.push(format!("setting \"{name}\" {problem}"));
                continue;
            }
        };
        let length = value.chars().count();
        if let Some(wanted) = rule.length.filter(|wanted| *wanted != length) {
            problems.push(format!("setting \"{name}\" must have {wanted} characters"));
        }
        if let Some(least) = rule.min_length.filter(|least| *least > length) {
            problems.push(format!("setting \"{name}\" must have at least {least} characters"));
        }
        if !rule.secret {
            settings.public.push(name.clone());
        }
        settings.values.insert(name.clone(), Secret::new(value));
    }
    let issuer = settings.values.get("issuer").filter(|_| document.is_openid());
    if issuer.is_some_and(|issuer| !is_issuer(issuer.expose())) {
        problems.push("setting \"issuer\" must be https://host[:port][/path]".to_owned());
    }
    problems.extend(given.keys().map(|name| format!("setting \"{name}\" is unknown")));
    (settings, problems)
}

/// OpenID Connect Discovery, section 3: https, and neither query nor fragment.
fn is_issuer(url: &str) -> bool {
    is_base_url(url) && url.starts_with("https://")
}

/// `https`, or `http` to this very machine, where tests keep their relays.
fn is_base_url(url: &str) -> bool {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    !host.is_empty()
        && host.bytes().all(is_host)
        && port.parse::<u16>().is_ok()
        && path.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\".contains(&b))
        && (scheme == "https" || (scheme == "http" && ["127.0.0.1", "localhost"].contains(&host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        for url in ["https://relay.example", "https://relay.example:8443/flash/", "http://127.0.0.1:8788"] {
            assert!(is_base_url(url), "{url}");
        }
        for url in [
            "",
            "relay.example",
            "http://relay.example",
            "ftp://relay.example",
            "https://",
            "https://a:b",
            "https://u@h",
            "https://h/?q",
            "https://h/#f",
            "https://h:99999",
            "https://h/a b",
        ] {
            assert!(!is_base_url(url), "{url}");
        }
    }
}
