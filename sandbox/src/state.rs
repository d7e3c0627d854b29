//! Configuration and the world it describes: vendor accounts, tokens, counts, faults and the clock.
//!
//! Invariant: one lock, held for map operations only, never across an await.

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use openssl::error::ErrorStack;
use serde::Deserialize;

use crate::{
    captchas::Captcha,
    control::Delivered,
    crypto,
    emails::Email,
    idp::Logins,
    people::Person,
    risk::Score,
    sms::Message,
    tokens::{Attempt, Behaviour, Outcome, Provider, Refusal, Service, Token},
};

/// How far a request's own time may stand from ours, in milliseconds.
///
/// Aliyun documents 15 minutes. CMCC and MobTech document no bound: the same one is assumed for them, so that a wrong unit
/// or time zone shows.
const CLOCK_WINDOW_MS: i64 = 15 * 60_000;

/// What the process is told by its environment.
#[derive(Debug)]
pub struct Config {
    /// `SANDBOX_PORT`, default 8788.
    pub port: u16,
    skew_seconds: i64,
    accounts: Vec<Account>,
}

impl Config {
    /// Reads `SANDBOX_PORT`, `CLOCK_SKEW_SECONDS` (default 0) and `PROVIDER_ACCOUNTS`.
    ///
    /// # Errors
    /// All problems together, one line each. Values are never repeated, they may be secrets.
    pub fn from_env() -> Result<Config, Vec<String>> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        Config::parse(variable("SANDBOX_PORT"), variable("CLOCK_SKEW_SECONDS"), variable("PROVIDER_ACCOUNTS"))
    }

    /// As [`Config::from_env`], from given values.
    ///
    /// # Errors
    /// All problems together.
    pub fn parse(
        port: Option<String>,
        skew: Option<String>,
        accounts: Option<String>,
    ) -> Result<Config, Vec<String>> {
        let mut problems = Vec::new();
        let port = port.map_or(Ok(8788), |text| text.parse()).unwrap_or_else(|_| {
            problems.push("SANDBOX_PORT is not a port number".to_owned());
            0
        });
        let skew_seconds = skew.map_or(Ok(0), |text| text.parse()).unwrap_or_else(|_| {
            problems.push("CLOCK_SKEW_SECONDS is not a whole number".to_owned());
            0
        });
        let accounts = match accounts {
            Some(text) => parse_accounts(&text, &mut problems),
            None => {
                problems.push(
                    "PROVIDER_ACCOUNTS is not set: vendors need the accounts they check signatures with"
                        .to_owned(),
                );
                Vec::new()
            }
        };
        if problems.is_empty() { Ok(Config { port, skew_seconds, accounts }) } else { Err(problems) }
    }
}

/// One account with a vendor, as the service is configured with it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) provider: Provider,
    app: String,
    platforms: Option<Vec<String>>,
    /// What clients call a third-party login, where that is not the provider's name.
    kind: Option<String>,
    settings: BTreeMap<String, String>,
}

impl Account {
    /// Whether clients call its third-party login so.
    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        match &self.kind {
            Some(own) => own == kind,
            None => serde_json::to_value(self.provider).is_ok_and(|name| name == kind),
        }
    }

    /// Whether it serves an app and a platform, where given.
    fn serves(&self, app: Option<&str>, platform: Option<&str>) -> bool {
        let has =
            |wanted: &str| self.platforms.as_ref().is_none_or(|all| all.iter().any(|one| one == wanted));
        app.is_none_or(|app| self.app == app) && platform.is_none_or(has)
    }

    /// A setting; present for all that [`Provider::settings`] names.
    pub(crate) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// The name the vendor knows the account by.
    pub(crate) fn id(&self) -> &str {
        self.provider.settings().first().map_or("", |(name, _)| self.setting(name))
    }
}

/// Everything the simulator knows. Memory only.
pub struct World {
    accounts: Vec<Account>,
    skew_ms: AtomicI64,
    ledger: Mutex<Ledger>,
}

/// The state that changes.
#[derive(Default)]
pub(crate) struct Ledger {
    tokens: BTreeMap<(Provider, String), Token>,
    pub(crate) calls: BTreeMap<Provider, Calls>,
    /// By vendor and, where a fault is of one number or address only, that one (E.164, lower case).
    pub(crate) faults: BTreeMap<(Provider, Option<String>), Fault>,
    /// ACS3 nonces and the time they may be forgotten at, in milliseconds.
    nonces: BTreeMap<String, i64>,
    /// Accepted messages, oldest first.
    pub(crate) messages: VecDeque<Message>,
    /// Accepted e-mails, oldest first.
    pub(crate) emails: VecDeque<Email>,
    /// Solved captchas by the token that names them.
    pub(crate) captchas: BTreeMap<(Provider, String), Captcha>,
    pub(crate) scores: Vec<Score>,
    /// By number, in E.164.
    pub(crate) people: BTreeMap<String, Person>,
    /// Codes and tokens of third-party logins.
    pub(crate) logins: Logins,
    /// Push messages taken, oldest first.
    pub(crate) pushes: VecDeque<Pushed>,
    /// What the backend was sent, oldest first.
    pub(crate) deliveries: VecDeque<Delivered>,
}

impl Ledger {
    /// The fault of the moment; for a number or address that has its own, that one alone counts.
    pub(crate) fn fault(
        &self,
        provider: Provider,
        number: Option<&str>,
    ) -> Result<Option<Behaviour>, ErrorStack> {
        let own = number.and_then(|number| self.faults.get(&(provider, Some(number.to_owned()))));
        Ok(match own.or_else(|| self.faults.get(&(provider, None))) {
            Some(fault) if crypto::random_unit()? < fault.rate => Some(fault.kind),
            _ => None,
        })
    }
}

/// How many push messages are kept; the oldest go first.
pub(crate) const PUSHES_KEPT: usize = 20_000;

/// A push message that its vendor took.
pub(crate) struct Pushed {
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) event: String,
    pub(crate) notice: String,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}

/// What one vendor was asked.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) total: u64,
    pub(crate) tokens: BTreeMap<String, u64>,
    pub(crate) by_path: BTreeMap<String, u64>,
}

/// A vendor's bad day: this share of its answers goes wrong.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) rate: f64,
    pub(crate) kind: Behaviour,
}

impl World {
    /// An empty world with the accounts and clock of `config`.
    pub fn new(config: Config) -> World {
        World {
            accounts: config.accounts,
            skew_ms: AtomicI64::new(config.skew_seconds.saturating_mul(1000)),
            ledger: Mutex::default(),
        }
    }

    /// Moves the simulator's clock, forwards or backwards.
    pub fn shift_clock(&self, seconds: i64) {
        self.skew_ms.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }

    /// Milliseconds since 1970 by the skewed clock.
    pub(crate) fn now_ms(&self) -> i64 {
        Timestamp::now().as_millisecond().saturating_add(self.skew_ms.load(Ordering::Relaxed))
    }

    /// Whether a request's time is near enough to ours.
    pub(crate) fn is_recent(&self, ms: i64) -> bool {
        self.now_ms().saturating_sub(ms).saturating_abs() <= CLOCK_WINDOW_MS
    }

    /// The account a vendor knows by this name.
    pub(crate) fn account(&self, provider: Provider, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.provider == provider && account.id() == id)
    }

    /// The account with this value of a setting: some vendors are told a secret and no name.
    pub(crate) fn account_with(&self, provider: Provider, setting: &str, value: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.provider == provider && account.setting(setting) == value)
    }

    /// The account tokens are minted for: the first of the vendor that serves the app and platform, where given.
    pub(crate) fn account_for(
        &self,
        provider: Provider,
        app: Option<&str>,
        platform: Option<&str>,
    ) -> Option<&Account> {
        self.accounts.iter().find(|account| account.provider == provider && account.serves(app, platform))
    }

    /// The same for a third-party login, by what clients call it.
    pub(crate) fn account_of_kind(
        &self,
        kind: &str,
        app: Option<&str>,
        platform: Option<&str>,
    ) -> Option<&Account> {
        let is_one =
            |account: &&Account| account.provider.service() == Service::Identity && account.is_kind(kind);
        self.accounts.iter().filter(is_one).find(|account| account.serves(app, platform))
    }

    /// The first account with one of several vendors.
    pub(crate) fn account_of_any(&self, providers: &[Provider]) -> Option<&Account> {
        self.accounts.iter().find(|account| providers.contains(&account.provider))
    }

    /// Counts a request before anything about it is judged.
    pub(crate) fn seen(&self, provider: Provider, path: &str, token: &str) {
        let mut ledger = self.ledger();
        let calls = ledger.calls.entry(provider).or_default();
        calls.total = calls.total.saturating_add(1);
        bump(&mut calls.by_path, path);
        if !token.is_empty() {
            bump(&mut calls.tokens, token);
        }
    }

    /// Remembers a token just handed out.
    pub(crate) fn mint(&self, provider: Provider, name: String, token: Token) {
        self.ledger().tokens.insert((provider, name), token);
    }

    /// Uses a token up, and says what comes of it and how to say it.
    pub(crate) fn redeem(
        &self,
        provider: Provider,
        name: &str,
        attempt: &Attempt<'_>,
    ) -> Result<(Outcome, Behaviour), ErrorStack> {
        let mut ledger = self.ledger();
        let fault = ledger.fault(provider, None)?;
        Ok(match ledger.tokens.get_mut(&(provider, name.to_owned())) {
            Some(token) => {
                let behaviour = fault.unwrap_or(token.behaviour);
                (token.redeem(behaviour, attempt), behaviour)
            }
            None => (Outcome::Refused(Refusal::Unknown), fault.unwrap_or_default()),
        })
    }

    /// Whether a nonce is new; it is remembered for as long as its request could be accepted.
    pub(crate) fn nonce_is_new(&self, nonce: &str) -> bool {
        let now = self.now_ms();
        let mut ledger = self.ledger();
        ledger.nonces.retain(|_, until| *until > now);
        ledger
            .nonces
            .insert(nonce.to_owned(), now.saturating_add(CLOCK_WINDOW_MS.saturating_mul(2)))
            .is_none()
    }

    /// The changing state. A poisoned lock is taken all the same: every change is one map operation.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, key: &str) {
    let count = counts.entry(key.to_owned()).or_default();
    *count = count.saturating_add(1);
}

#[derive(Deserialize)]
struct AccountEntry {
    provider: serde_json::Value,
    app: String,
    platforms: Option<Vec<String>>,
    kind: Option<String>,
    settings: BTreeMap<String, String>,
}

fn parse_accounts(text: &str, problems: &mut Vec<String>) -> Vec<Account> {
    let Ok(entries) = serde_json::from_str::<Vec<AccountEntry>>(text) else {
        problems.push(
            "PROVIDER_ACCOUNTS is not a JSON array of {provider, app, platforms?, settings}".to_owned(),
        );
        return Vec::new();
    };
    let mut accounts = Vec::new();
    for (index, AccountEntry { provider, app, platforms, kind, settings }) in entries.into_iter().enumerate()
    {
        // The service may know vendors that are not simulated.
        let Ok(provider) = serde_json::from_value::<Provider>(provider) else { continue };
        for (name, least) in provider.settings() {
            if settings.get(*name).is_none_or(|value| value.len() < *least) {
                problems.push(format!(
                    "PROVIDER_ACCOUNTS[{index}]: settings.{name} is missing or shorter than {least}"
                ));
            }
        }
        accounts.push(Account { provider, app, platforms, kind, settings });
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(accounts: &str) -> Result<Config, Vec<String>> {
        Config::parse(None, None, Some(accounts.to_owned()))
    }

    #[test]
    fn all_problems_are_told_together_and_values_are_not() {
        let problems = Config::parse(
            Some("x".to_owned()),
            Some("y".to_owned()),
            Some(
                r#"[{"provider":"flash_v1","app":"default","settings":{"appId":"","appKey":"short"}}]"#
                    .to_owned(),
            ),
        )
        .unwrap_err();
        assert_eq!(problems.len(), 4);
        assert!(!problems.concat().contains("short\""));
        assert!(Config::parse(None, None, None).is_err());
    }

    #[test]
    fn vendors_that_are_not_simulated_are_left_out() {
        let config = parse(r#"[{"provider":"other","app":"default","settings":{}}]"#).unwrap();
        assert!(config.accounts.is_empty());
        assert_eq!(config.port, 8788);
    }

    #[test]
    fn accounts_are_chosen_by_app_and_platform() {
        let world = World::new(
            parse(
                r#"[{"provider":"flash_v2","app":"a","platforms":["ios"],"settings":{"appId":"1","appKey":"k"}},
                    {"provider":"flash_v2","app":"a","settings":{"appId":"2","appKey":"k"}},
                    {"provider":"flash_v2","app":"b","settings":{"appId":"3","appKey":"k"}}]"#,
            )
            .unwrap(),
        );
        let id = |app, platform| world.account_for(Provider::FlashV2, app, platform).map(Account::id);
        assert_eq!(id(None, None), Some("1"));
        assert_eq!(id(None, Some("android")), Some("2"));
        assert_eq!(id(Some("b"), None), Some("3"));
        assert_eq!(id(Some("c"), None), None);
        assert!(world.account(Provider::FlashV1, "1").is_none());
    }
}
