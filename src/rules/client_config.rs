//! What clients follow without a release: the ways in, in order, and what a one-tap page must show.
//!
//! The setting `CLIENT_CONFIG` is a list of rules: `[{"when": {"app": "shop", "platform": "android",
//! "model": "SM-*", "network": "wifi"}, "methods": [{"method": "one_tap", "provider": "flash_v2",
//! "timeoutSeconds": 3}, {"method": "otp"}], "page": {"consentVersion": "2026-11", "agreements": [{"name":
//! {"zh-CN": "用户协议", "en": "Terms"}, "url": "https://shop.example/terms"}]}}]`. Of the rules that match, the first that sets
//! `methods` decides them, and the first that sets `page` decides that; the defaults come last.

use serde::{Deserialize, Serialize};

use crate::{
    kernel::config,
    model::{network::Network, platform::Platform},
};

mod check;
mod page;

#[cfg(test)]
mod tests;

use page::PageRule;
pub use page::{Agreement, MaskRule, Page};

/// How long a client may keep an answer, seconds.
pub const REFRESH_SECONDS: u64 = 3600;

/// How long a client waits for one-tap before it goes on, seconds; what a one-tap request may take here.
const TIMEOUT_SECONDS: u64 = 3;

/// The rules of a deployment.
#[derive(Debug, Clone, Default)]
pub struct ClientRules {
    rules: Vec<Rule>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Id of the app.
    pub app: &'a str,
    /// Its platform, if it says.
    pub platform: Option<Platform>,
    /// The model of the device, if it says; compared without regard to ASCII case.
    pub model: Option<&'a str>,
    /// How it is connected.
    pub network: Network,
}

/// What this deployment offers the one who asks.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// One-tap providers with an account for the app on this platform, the preferred one first.
    pub one_tap: &'a [String],
    /// The codes.
    pub otp: Otp,
    /// The bot check of this platform, if there is one.
    pub bot_check: Option<BotCheck>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientConfig {
    /// The ways in, to be tried in this order; never empty.
    pub methods: Vec<Method>,
    /// What the one-tap page shows.
    pub page: Page,
    /// The codes.
    pub otp: Otp,
    /// The bot check to run when a send is answered with `bot_check_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_check: Option<BotCheck>,
    /// When to ask again, seconds.
    pub refresh_seconds: u64,
}

/// A way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Method {
    /// Which.
    pub method: MethodKind,
    /// The provider whose SDK to ask; for one-tap only, and always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// How long to wait for SDK and service each, seconds, 1 to 10; for one-tap only, and always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
}

/// The kinds of ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// The carrier vouches.
    OneTap,
    /// A code by SMS.
    Otp,
}

/// What a client needs to know to ask for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Otp {
    /// Digits of a code.
    pub code_length: u64,
    /// Seconds until another may be asked for.
    pub resend_seconds: u64,
    /// Seconds that a code is valid for.
    pub expires_seconds: u64,
}

/// The public half of a bot check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BotCheck {
    /// Id of its document.
    pub provider: String,
    /// What its widget is started with.
    pub site_key: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    when: When,
    methods: Option<Vec<Method>>,
    page: Option<PageRule>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    app: Option<String>,
    platform: Option<Platform>,
    model: Option<String>,
    network: Option<Network>,
}

impl ClientRules {
    /// Reads the setting, for the apps served and the one-tap providers that have an account of any of them.
    ///
    /// # Errors
    /// Every problem, beginning with the number of the rule, the first of which is 0.
    pub fn read(json: &str, served: &[String], one_tap: &[String]) -> Result<Self, Vec<String>> {
        let rules: Vec<Rule> = config::from_json(json).map_err(|error| vec![error])?;
        let problems = check::problems(&rules, served, one_tap);
        if problems.is_empty() { Ok(Self { rules }) } else { Err(problems) }
    }

    /// The answer to a query. Of the methods that a rule sets, those remain that the facts offer; the code is
    /// what remains of none.
    pub fn select(&self, query: &Query<'_>, facts: Facts<'_>) -> ClientConfig {
        let mut matching = self.rules.iter().filter(|rule| rule.when.matches(query));
        let page = matching.clone().find_map(|rule| rule.page.as_ref());
        let mut methods = match matching.find_map(|rule| rule.methods.as_ref()) {
            Some(methods) => methods.iter().filter(|method| method.is_among(&facts)).cloned().collect(),
            // The SDKs switch from Wi-Fi to cellular data by themselves, but need some.
            None if query.network == Network::None => Vec::new(),
            None => {
                facts.one_tap.iter().map(|provider| Method::one_tap(provider)).chain([Method::OTP]).collect()
            }
        };
        if methods.is_empty() {
            methods.push(Method::OTP);
        }
        ClientConfig {
            methods: methods.into_iter().map(Method::with_timeout).collect(),
            page: Page::of(page),
            otp: facts.otp,
            bot_check: facts.bot_check,
            refresh_seconds: REFRESH_SECONDS,
        }
    }
}

impl When {
    fn matches(&self, query: &Query<'_>) -> bool {
        self.app.as_ref().is_none_or(|app| app == query.app)
            && self.platform.is_none_or(|platform| query.platform == Some(platform))
            && self.network.is_none_or(|network| query.network == network)
            && self
                .model
                .as_ref()
                .is_none_or(|pattern| query.model.is_some_and(|model| is_like(model, pattern)))
    }
}

impl Method {
    const OTP: Self = Self { method: MethodKind::Otp, provider: None, timeout_seconds: None };

    fn one_tap(provider: &str) -> Self {
        Self { method: MethodKind::OneTap, provider: Some(provider.to_owned()), timeout_seconds: None }
    }

    fn is_among(&self, facts: &Facts<'_>) -> bool {
        self.provider.as_ref().is_none_or(|provider| facts.one_tap.contains(provider))
    }

    fn with_timeout(mut self) -> Self {
        if self.method == MethodKind::OneTap {
            self.timeout_seconds.get_or_insert(TIMEOUT_SECONDS);
        }
        self
    }
}

fn is_like(model: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => model.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)),
        None => model.eq_ignore_ascii_case(pattern),
    }
}
