//! An operator's accounts with providers: the secret `PROVIDER_ACCOUNTS`.
//!
//! A JSON array, one entry for each account:
//! `{"provider": "flash_v2", "app": "default", "platforms": ["ios"], "baseUrl": "https://relay.example",
//! "confirmed": false, "settings": {...}}`. Vendors give out an account per app and often per platform.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{kernel::secret::Secret, model::platform::Platform};

use super::document::{Certainty, Document};

/// One account with one provider.
#[derive(Debug, Clone)]
pub struct Account {
    /// Id of the provider's document.
    pub provider: String,
    /// The app it belongs to; `default` when the entry names none.
    pub app: String,
    /// The platforms it is for; all when the entry names none.
    pub platforms: Option<Vec<Platform>>,
    /// Where requests go instead of to the vendor: a relay with a fixed address.
    pub base_url: Option<String>,
    /// The operator has tried the provider, though the facts of its document are only assumed.
    pub confirmed: bool,
    settings: BTreeMap<String, Secret<String>>,
}

/// Reads `PROVIDER_ACCOUNTS` for the built-in providers. Accounts that name platforms stand before those for
/// all, so that the first one that serves a platform is the one to use.
///
/// # Errors
/// Every problem, naming entry and setting, never a value.
pub fn accounts_from_json(json: &str) -> Result<Vec<Account>, Vec<String>> {
    // The parser's own words could quote a secret.
    let entries: Vec<Map<String, Value>> = serde_json::from_slice(json.as_bytes())
        .map_err(|_| vec!["is not a JSON array of objects".to_owned()])?;
    let mut accounts: Vec<Account> = Vec::new();
    let mut problems = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let mut reader = Reader { entry, at: format!("entry {at}"), problems: Vec::new() };
        let account = reader.account();
        problems.append(&mut reader.problems);
        let Some(account) = account else { continue };
        if accounts.iter().any(|other| other.competes_with(&account)) {
            problems.push(format!("{}: another entry is for the same provider, app and platform", reader.at));
        }
        accounts.push(account);
    }
    accounts.sort_by_key(|account| account.platforms.is_none());
    if problems.is_empty() { Ok(accounts) } else { Err(problems) }
}

impl Account {
    /// An account for all platforms of an app, with whatever document.
    ///
    /// # Errors
    /// Every problem, naming the setting, never a value.
    pub fn new(document: &Document, app: &str, settings: Map<String, Value>) -> Result<Self, Vec<String>> {
        let (settings, problems) = read_settings(document, settings);
        if !problems.is_empty() {
            return Err(problems);
        }
        let (provider, app) = (document.id().to_owned(), app.to_owned());
        Ok(Self { provider, app, platforms: None, base_url: None, confirmed: false, settings })
    }

    /// Whether it is for this platform.
    pub fn serves(&self, platform: Platform) -> bool {
        self.platforms.as_ref().is_none_or(|platforms| platforms.contains(&platform))
    }

    /// Whether production may use it with this document: facts that are only assumed need the operator's word.
    pub fn fit_for_production(&self, document: &Document) -> bool {
        document.certainty() != Certainty::Assumed || self.confirmed
    }

    pub(super) const fn settings(&self) -> &BTreeMap<String, Secret<String>> {
        &self.settings
    }

    fn competes_with(&self, other: &Self) -> bool {
        self.provider == other.provider
            && self.app == other.app
            && match (&self.platforms, &other.platforms) {
                (None, None) => true,
                (Some(mine), Some(theirs)) => mine.iter().any(|platform| theirs.contains(platform)),
                _ => false,
            }
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
        let account = Account {
            provider: provider.unwrap_or_default(),
            app: if self.entry.contains_key("app") { self.text("app")? } else { "default".to_owned() },
            platforms: self.platforms(),
            base_url: self.base_url(),
            confirmed: self.confirmed(),
            settings: self.settings(document?),
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

    fn base_url(&mut self) -> Option<String> {
        if !self.entry.contains_key("baseUrl") {
            return None;
        }
        let url = self.text("baseUrl")?;
        if !is_base_url(&url) {
            self.problem("\"baseUrl\" must be https://host[:port][/path] without query");
        }
        Some(url)
    }

    fn confirmed(&mut self) -> bool {
        match self.entry.remove("confirmed") {
            None => false,
            Some(Value::Bool(confirmed)) => confirmed,
            Some(_) => {
                self.problem("\"confirmed\" must be true or false");
                false
            }
        }
    }

    fn settings(&mut self, document: &Document) -> BTreeMap<String, Secret<String>> {
        let Some(Value::Object(given)) = self.entry.remove("settings") else {
            self.problem("\"settings\" must be an object");
            return BTreeMap::new();
        };
        let (settings, problems) = read_settings(document, given);
        for problem in problems {
            self.problem(&problem);
        }
        settings
    }
}

/// The settings that a document asks for, and what is wrong with those that are given.
fn read_settings(
    document: &Document,
    mut given: Map<String, Value>,
) -> (BTreeMap<String, Secret<String>>, Vec<String>) {
    let mut settings = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, rule) in &document.settings {
        let value = match given.remove(name) {
            Some(Value::String(value)) if !value.is_empty() => value,
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
        settings.insert(name.clone(), Secret::new(value));
    }
    problems.extend(given.keys().map(|name| format!("setting \"{name}\" is unknown")));
    (settings, problems)
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

    const FLASH: &str = r#"{"provider":"flash_v2","settings":{"appId":"aB3dE6gH","appKey":"Zk7Qp2Lm"}}"#;

    fn with(platforms: &str) -> String {
        FLASH.replacen('{', &format!(r#"{{"platforms":{platforms},"#), 1)
    }

    #[test]
    fn the_named_platform_goes_first() {
        let accounts =
            accounts_from_json(&format!("[{FLASH},{},{}]", with(r#"["ios"]"#), with(r#"["web"]"#))).unwrap();
        let first = |platform| accounts.iter().find(|account| account.serves(platform)).unwrap();
        assert_eq!(first(Platform::Ios).platforms, Some(vec![Platform::Ios]));
        assert_eq!(first(Platform::Web).platforms, Some(vec![Platform::Web]));
        assert_eq!(first(Platform::Android).platforms, None);
    }

    #[test]
    fn every_problem_is_named_and_no_value_shown() {
        let json = r#"[
            {"provider":"flash_v1","settings":{"appId":7,"appKey":"secret-nine","extra":"secret-x"}},
            {"provider":"nobody","settings":{}},
            {"provider":"cmcc","app":"","settings":"secret-s"},
            {"provider":"mobtech","platforms":["ios","amiga"],"baseUrl":"http://u:secret@h/?q","confirmed":"yes",
             "typo":1,"settings":{"appKey":"k","appSecret":"secret"}}
        ]"#;
        let problems = accounts_from_json(json).unwrap_err();
        let all = problems.join("\n");
        for part in [
            "entry 0 (flash_v1): setting \"appId\" must be a text",
            "entry 0 (flash_v1): setting \"appKey\" must have 8 characters",
            "entry 0 (flash_v1): setting \"extra\" is unknown",
            "entry 1 (nobody): names no known provider",
            "entry 2 (cmcc): \"app\" must be a text",
            "entry 3 (mobtech): \"platforms\"",
            "entry 3 (mobtech): \"baseUrl\"",
            "entry 3 (mobtech): \"confirmed\"",
            "entry 3 (mobtech): \"typo\" is unknown",
            "entry 3 (mobtech): setting \"appSecret\" must have at least 8 characters",
        ] {
            assert!(all.contains(part), "{part}\nnot in\n{all}");
        }
        assert!(!all.contains("secret-") && !all.contains("amiga"), "{all}");
        for json in ["", "{}", "[1]", "\"secret\""] {
            assert_eq!(accounts_from_json(json).unwrap_err(), ["is not a JSON array of objects"]);
        }
    }

    #[test]
    fn two_accounts_for_one_use_are_a_problem() {
        for pair in
            [format!("[{FLASH},{FLASH}]"), format!("[{},{}]", with(r#"["ios","web"]"#), with(r#"["ios"]"#))]
        {
            assert!(accounts_from_json(&pair).unwrap_err().join("").contains("entry 1"), "{pair}");
        }
        assert!(format!("{:?}", accounts_from_json(&format!("[{FLASH}]"))).contains("[secret]"));
    }

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
