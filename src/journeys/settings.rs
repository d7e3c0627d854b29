//! The configuration of a deployment, read once and checked whole: all problems at once, each named, and no
//! default for a secret.

use serde::Deserialize;

use crate::{
    kernel::{config, jwt::SigningKeys, keys::KeyRing, phone::PhoneNumber, secret::Secret},
    providers::{self, Account, Capability},
    rules::{
        client_config::ClientRules,
        countries::Countries,
        limits::Limits,
        message::Apps,
        origins::{self, Origins},
        redirects::Redirects,
        webhooks::Webhook,
    },
};

mod rules;

/// A deployment's configuration.
#[derive(Debug)]
pub struct Settings {
    /// Whether development aids are allowed.
    pub environment: Environment,
    /// Public base URL of the service, without a slash at its end: `iss` of access tokens.
    pub issuer: String,
    /// Ids of the apps served.
    pub apps: Vec<String>,
    /// Web pages that may call.
    pub origins: Origins,
    /// Where third parties may send browsers back to.
    pub redirects: Redirects,
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
    /// Countries that get messages.
    pub sms_countries: Countries,
    /// Messages are shown on the console instead of being sent; development only.
    pub sms_console: bool,
    /// What the messages say.
    pub messages: Apps,
    /// Numbers that app-store reviewers sign in with.
    pub review_numbers: Vec<ReviewNumber>,
    /// What the silence of a risk provider means.
    pub risk_when_down: WhenDown,
    /// What the accounts are worth.
    pub profile: Profile,
    /// Who has an account without a number is asked for one.
    pub needs_phone: bool,
    /// What one-tap on a device that the account does not know leads to.
    pub one_tap_new_device: OneTapNewDevice,
    /// Part of the URL to which providers push receipts; without one there is no such URL.
    pub receipt_token: Option<Secret<String>>,
    /// Where backends want to be told.
    pub webhooks: Vec<Webhook>,
    /// Some app has an account with a vendor of push messages.
    pub has_push: bool,
    /// What `GET /v1/client-config` answers.
    pub client_config: ClientRules,
    /// Limits in force.
    pub limits: Limits,
}

/// A number that gets no message, because its code is always the same: app stores' reviewers have no other phone.
#[derive(Debug, Clone)]
pub struct ReviewNumber {
    /// The number.
    pub phone: PhoneNumber,
    /// Its code.
    pub code: Secret<String>,
}

/// What the silence of somebody who is asked means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDown {
    /// Go on. The default: a risk provider that is down locks nobody out.
    Allow,
    /// Go no further.
    Deny,
}

/// What the accounts of a deployment are worth, and so how much must be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Little. The default.
    Basic,
    /// Friends, and what was said between them.
    Social,
    /// Money: login protection is on unless its owner switches it off.
    Money,
}

/// What one-tap on a device that the account does not know leads to: who stands beside a phone with a hotspot, or has
/// an app on it, can steal its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTapNewDevice {
    /// They are in.
    Allow,
    /// They are in, and the owner is told. The default.
    Notify,
    /// A trusted device must confirm it, if there is one.
    StepUp,
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
        let is_development = environment == Environment::Development;
        let cookie_origins = reader.optional("COOKIE_ORIGINS", |text| {
            origins::read_same_site(text, issuer.as_deref(), is_development)
        });
        let cors_origins = reader.optional("CORS_ORIGINS", |text| origins::read(text, is_development));
        let redirects = reader.optional("IDENTITY_REDIRECTS", |text| Redirects::read(text, is_development));
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
        let sms_countries = reader.optional("SMS_COUNTRIES", Countries::read);
        let sms_console = reader.optional("SMS_CONSOLE", |text| match (text, environment) {
            ("false", _) => Ok(false),
            ("true", Environment::Development) => Ok(true),
            ("true", Environment::Production) => {
                Err("is allowed in development only: it prints codes".to_owned())
            }
            _ => Err("is neither true nor false".to_owned()),
        });
        let review_numbers = reader.optional("REVIEW_NUMBERS", review_numbers);
        let risk_when_down = reader.optional("RISK_WHEN_DOWN", |text| match text {
            "allow" => Ok(WhenDown::Allow),
            "deny" => Ok(WhenDown::Deny),
            _ => Err("is neither allow nor deny".to_owned()),
        });
        let profile = reader.optional("PROFILE", |text| match text {
            "basic" => Ok(Profile::Basic),
            "social" => Ok(Profile::Social),
            "money" => Ok(Profile::Money),
            _ => Err("is none of basic, social, money".to_owned()),
        });
        let needs_phone = reader.optional("PHONE_REQUIRED", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("is neither true nor false".to_owned()),
        });
        let one_tap_new_device = reader.optional("ONE_TAP_NEW_DEVICE", |text| match text {
            "allow" => Ok(OneTapNewDevice::Allow),
            "notify" => Ok(OneTapNewDevice::Notify),
            "step_up" => Ok(OneTapNewDevice::StepUp),
            _ => Err("is none of allow, notify, step_up".to_owned()),
        });
        let receipt_token = reader.optional("RECEIPT_TOKEN", |text| {
            let sane =
                text.len() >= 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            let token = sane.then(|| Secret::new(text.to_owned()));
            token.ok_or_else(|| "is not at least 22 characters of A-Z a-z 0-9 - _".to_owned())
        });
        let webhooks = reader.optional_list("WEBHOOKS", |text| {
            Webhook::read(text, &served, environment == Environment::Development)
        });
        let limits = Limits::read(&reader.get, environment == Environment::Development);
        let limits = reader.keep(limits);
        let digits =
            limits.as_ref().map(|limits| usize::try_from(limits.otp_code_digits).unwrap_or(usize::MAX));
        if let (Some(digits), Some(numbers)) = (digits, &review_numbers)
            && numbers.iter().any(|number| number.code.expose().len() != digits)
        {
            reader.problems.push(format!("REVIEW_NUMBERS has a code that is not {digits} digits long"));
        }
        let with = |capability| {
            let accounts = provider_accounts.iter().flatten();
            accounts.filter(move |account| {
                providers::find(&account.provider).is_some_and(|document| document.offers(capability))
            })
        };
        let has_push = with(Capability::Push).next().is_some();
        let mut one_tap: Vec<String> =
            with(Capability::OneTap).map(|account| account.provider.clone()).collect();
        one_tap.dedup();
        let client_config =
            reader.optional_list("CLIENT_CONFIG", |text| ClientRules::read(text, &served, &one_tap));
        let messages = limits.as_ref().zip(issuer.as_deref()).and_then(|(limits, issuer)| {
            let text = (reader.get)("APP_MESSAGES").filter(|text| !text.trim().is_empty());
            let digits = usize::try_from(limits.otp_code_digits).unwrap_or(usize::MAX);
            let minutes = limits.otp_lifetime_seconds.div_ceil(60);
            let read = Apps::read(text.as_deref(), &served, host_of(issuer), digits, minutes);
            reader.keep(read.map_err(|problems| named("APP_MESSAGES", problems)))
        });
        let settings = (|| {
            Some(Self {
                environment,
                origins: Origins::new(
                    issuer.as_deref()?,
                    cookie_origins.unwrap_or_default(),
                    cors_origins.unwrap_or_default(),
                ),
                issuer: issuer?,
                apps: served,
                redirects: redirects.unwrap_or_default(),
                clock_skew_seconds: clock_skew_seconds.unwrap_or(0),
                signing: signing?,
                sealing: sealing?,
                mac: mac?,
                digest: digest?,
                provider_accounts: provider_accounts?,
                provider_base_url,
                sms_countries: sms_countries.unwrap_or_default(),
                sms_console: sms_console.unwrap_or(false),
                messages: messages?,
                review_numbers: review_numbers.unwrap_or_default(),
                risk_when_down: risk_when_down.unwrap_or(WhenDown::Allow),
                profile: profile.unwrap_or(Profile::Basic),
                needs_phone: needs_phone.unwrap_or(true),
                one_tap_new_device: one_tap_new_device.unwrap_or(OneTapNewDevice::Notify),
                receipt_token,
                webhooks: webhooks.unwrap_or_default(),
                has_push,
                client_config: client_config.unwrap_or_default(),
                limits: limits?,
            })
        })();
        settings.filter(|_| reader.problems.is_empty()).ok_or(reader.problems)
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
        match (self.get)(name).filter(|text| !text.trim().is_empty()) {
            None => self.keep(Err(vec![format!("{name} is missing")])),
            Some(text) => self.keep(parse(text.trim()).map_err(|problems| named(name, problems))),
        }
    }

    fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.optional_list(name, |text| parse(text).map_err(|problem| vec![problem]))
    }

    fn optional_list<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let text = (self.get)(name).filter(|text| !text.trim().is_empty())?;
        self.keep(parse(text.trim()).map_err(|problems| named(name, problems)))
    }

    fn keep<T>(&mut self, result: Result<T, Vec<String>>) -> Option<T> {
        result.map_err(|problems| self.problems.extend(problems)).ok()
    }
}

fn named(name: &str, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{name} {problem}")).collect()
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

fn review_numbers(text: &str) -> Result<Vec<ReviewNumber>, String> {
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
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
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
