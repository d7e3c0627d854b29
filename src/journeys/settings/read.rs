//! From the environment to settings: each one read, then what they mean together.

use super::{
    Environment, OneTapNewDevice, Settings, WhenDown,
    reader::{Reader, app_ids, base_url, host_of, named, review_numbers},
};
use crate::{
    kernel::{jwt::SigningKeys, keys::KeyRing, secret::Secret},
    model::recycling::Profile,
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
        let attestation_url = reader.optional("ATTESTATION_URL", |text| base_url(text, environment));
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
                attestation_url,
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
