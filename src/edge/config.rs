//! Configuration from the environment, read once per isolate.

use std::sync::OnceLock;

use worker::{Env, wasm_bindgen::JsValue};

use super::js;
use crate::journeys::settings::{Environment, Settings};

/// The settings, or everything that is wrong with them.
pub(super) struct Config {
    pub(super) settings: Result<Settings, Vec<String>>,
    pub(super) environment: Environment,
    pub(super) skew_seconds: i64,
}

/// Names of the bindings.
pub(super) const HANDLES: &str = "HANDLES";
pub(super) const ACCOUNTS: &str = "ACCOUNTS";
pub(super) const COUNTERS: &str = "COUNTERS";
pub(super) const DEVICES: &str = "DEVICES";
pub(super) const SESSIONS: &str = "SESSIONS";
pub(super) const CHALLENGES: &str = "CHALLENGES";
pub(super) const IMAGES: &str = "IMAGES";
pub(super) const NOTICES: &str = "NOTICES";
pub(super) const BACK_OFFICE: &str = "DB";
pub(super) const ADDRESS_LIMITER: &str = "ADDRESS_LIMITER";

/// The configuration of this isolate. A deployment's environment never changes under it.
pub(super) fn of(env: &Env) -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| read(env))
}

fn read(env: &Env) -> Config {
    let text = |name: &str| js::get(env, name)?.as_string();
    let settings = match (Settings::read(text), unbound(env)) {
        (Ok(settings), unbound) if unbound.is_empty() => Ok(settings),
        (Ok(_), unbound) => Err(unbound),
        (Err(problems), unbound) => Err(problems.into_iter().chain(unbound).collect()),
    };
    let environment = match text("ENVIRONMENT").as_deref() {
        Some("development") => Environment::Development,
        _ => Environment::Production,
    };
    let skew_seconds = settings.as_ref().map_or(0, |settings| settings.clock_skew_seconds);
    Config { settings, environment, skew_seconds }
}

fn unbound(env: &Env) -> Vec<String> {
    // Each by a method of its kind.
    let bindings = [
        (HANDLES, "getByName"),
        (ACCOUNTS, "getByName"),
        (COUNTERS, "getByName"),
        (DEVICES, "put"),
        (SESSIONS, "put"),
        (CHALLENGES, "put"),
        (IMAGES, "put"),
        (NOTICES, "send"),
        (BACK_OFFICE, "prepare"),
        (ADDRESS_LIMITER, "limit"),
    ];
    let has = |of: &JsValue, method: &str| js::get(of, method).is_some_and(|method| method.is_function());
    let is_bound = |name: &str, method: &str| js::get(env, name).is_some_and(|binding| has(&binding, method));
    let unbound = bindings.into_iter().filter(|(name, method)| !is_bound(name, method));
    unbound.map(|(name, _)| format!("{name} is not bound")).collect()
}
