//! The configuration of a deployment, read once and checked whole: all problems at once, each named, and no
//! default for a secret.

use std::time::Duration;

use crate::{
    kernel::{jwt::SigningKeys, keys::KeyRing},
    model::session::Lifetimes,
    providers::{self, Account},
    rules::limits::Limits,
};

/// A deployment's configuration.
#[derive(Debug)]
pub struct Settings {
    /// Whether development aids are allowed.
    pub environment: Environment,
    /// Public base URL of the service, without a slash at its end: `iss` of access tokens.
    pub issuer: String,
    /// Ids of the apps served.
    pub apps: Vec<String>,
    /// Seconds added to the platform's clock; development only.
    pub clock_skew_seconds: i64,
    /// Access token keys.
    pub signing: SigningKeys,
    /// Keys that seal personal data at rest.
    pub sealing: KeyRing,
    /// Keys of refresh and device tokens.
    pub mac: KeyRing,
    /// The key that makes names of identifiers. One only: with another key every identifier would have another
    /// name, so changing it is a migration, not a rotation.
    pub digest: KeyRing,
    /// The operator's accounts with providers.
    pub provider_accounts: Vec<Account>,
    /// Replaces scheme and host of every provider URL; development only (the sandbox).
    pub provider_base_url: Option<String>,
    /// Limits in force.
    pub limits: Limits,
}

/// Where a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Real people. The default.
    Production,
    /// A laptop or a test: the sandbox, a shifted clock, names of settings in errors.
    Development,
}

impl Settings {
    /// Reads all settings through `get`.
    ///
    /// # Errors
    /// Every problem, each beginning with the name of its setting; no value of a secret is quoted.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut reader = Reader { get, problems: Vec::new() };
        let environment = reader.optional("ENVIRONMENT", |text| match text {
            "production" => Ok(Environment::Production),
            "development" => Ok(Environment::Development),
            _ => Err("is neither production nor development".to_owned()),
        });
        let environment = environment.unwrap_or(Environment::Production);
        let issuer = reader.required("ISSUER", |text| base_url(text, environment));
        let apps = reader.optional("APPS", app_ids);
        let clock_skew_seconds = reader.optional("CLOCK_SKEW_SECONDS", |text| match text.parse::<i64>() {
            Ok(seconds) if seconds == 0 || environment == Environment::Development => Ok(seconds),
            Ok(_) => Err("is allowed in development only".to_owned()),
            Err(_) => Err("is not a whole number of seconds".to_owned()),
        });
        let provider_base_url = reader.optional("PROVIDER_BASE_URL", |text| match environment {
            Environment::Development => base_url(text, environment),
            Environment::Production => Err("is allowed in development only".to_owned()),
        });
        let signing = reader.required("SIGNING_KEYS", SigningKeys::from_jwks);
        let sealing = reader.required("SEALING_KEYS", |text| KeyRing::from_jwks(text, "A256GCM"));
        let mac = reader.required("MAC_KEYS", |text| KeyRing::from_jwks(text, "HS256"));
        let digest = reader.required("DIGEST_KEYS", |text| match KeyRing::from_jwks(text, "HS256")? {
            ring if ring.all().count() == 1 => Ok(ring),
            _ => Err("holds more than one key; names made with another key would not be found".to_owned()),
        });
        let provider_accounts = reader.required_list("PROVIDER_ACCOUNTS", providers::accounts_from_json);
        let served = apps.clone().unwrap_or_else(|| vec!["default".to_owned()]);
        for account in provider_accounts.iter().flatten().filter(|account| !served.contains(&account.app)) {
            let Account { provider, app, .. } = account;
            reader.problems.push(format!(
                "PROVIDER_ACCOUNTS has a {provider} account of \"{app}\", which is not in APPS"
            ));
        }
        let limits = Limits::read(&reader.get);
        let limits = reader.keep(limits);
        let settings = (|| {
            Some(Self {
                environment,
                issuer: issuer?,
                apps: served,
                clock_skew_seconds: clock_skew_seconds.unwrap_or(0),
                signing: signing?,
                sealing: sealing?,
                mac: mac?,
                digest: digest?,
                provider_accounts: provider_accounts?,
                provider_base_url,
                limits: limits?,
            })
        })();
        settings.filter(|_| reader.problems.is_empty()).ok_or(reader.problems)
    }

    /// How long sessions live.
    pub const fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: Duration::from_secs(self.limits.refresh_idle_seconds),
            absolute: Duration::from_secs(self.limits.refresh_absolute_seconds),
            grace: Duration::from_secs(self.limits.refresh_grace_seconds),
        }
    }
}

struct Reader<F> {
    get: F,
    problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn required<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.required_list(name, |text| parse(text).map_err(|problem| vec![problem]))
    }

    fn required_list<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let named =
            |problems: Vec<String>| problems.into_iter().map(|problem| format!("{name} {problem}")).collect();
        match (self.get)(name).filter(|text| !text.trim().is_empty()) {
            None => self.keep(Err(vec![format!("{name} is missing")])),
            Some(text) => self.keep(parse(text.trim()).map_err(named)),
        }
    }

    fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.get)(name).filter(|text| !text.trim().is_empty())?;
        self.keep(parse(text.trim()).map_err(|problem| vec![format!("{name} {problem}")]))
    }

    fn keep<T>(&mut self, result: Result<T, Vec<String>>) -> Option<T> {
        result.map_err(|problems| self.problems.extend(problems)).ok()
    }
}

fn base_url(text: &str, environment: Environment) -> Result<String, String> {
    let is_http = environment == Environment::Development && text.starts_with("http://");
    if (text.starts_with("https://") || is_http) && !text.ends_with('/') && !text.contains(['?', '#', ' ']) {
        Ok(text.to_owned())
    } else {
        Err("is not an https URL without a slash at its end".to_owned())
    }
}

fn app_ids(text: &str) -> Result<Vec<String>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_environment_names_every_missing_secret() {
        let problems = Settings::read(|_| None).unwrap_err();
        for name in ["ISSUER", "SIGNING_KEYS", "SEALING_KEYS", "MAC_KEYS", "DIGEST_KEYS", "PROVIDER_ACCOUNTS"]
        {
            assert!(problems.contains(&format!("{name} is missing")), "{problems:?}");
        }
        assert_eq!(problems.len(), 6);
    }

    #[test]
    fn development_aids_are_refused_in_production() {
        let problems = Settings::read(|name| match name {
            "CLOCK_SKEW_SECONDS" => Some("60".to_owned()),
            "PROVIDER_BASE_URL" | "ISSUER" => Some("http://127.0.0.1:1".to_owned()),
            _ => None,
        })
        .unwrap_err();
        for name in
            ["CLOCK_SKEW_SECONDS is allowed", "PROVIDER_BASE_URL is allowed", "ISSUER is not an https"]
        {
            assert!(problems.iter().any(|problem| problem.starts_with(name)), "{problems:?}");
        }
    }
}
