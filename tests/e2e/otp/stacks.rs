//! The stacks of these stories: one with an app for every vendor, one where everything is over within seconds.

use std::{
    fs,
    sync::{Mutex, OnceLock},
    time::Instant,
};

use serde_json::{Value, json};

use crate::stack::{self, Recipe, Stack, lock};

/// The vendors that deliver in China.
pub(super) const CHINESE: [&str; 5] =
    ["chuanglan_sms", "chuanglan_sms_v2", "aliyun_sms", "tencent_sms", "twilio"];

/// The one that delivers everywhere else.
pub(super) const INTERNATIONAL: &str = "chuanglan_sms_intl";

/// Part of the URL for receipts.
pub(super) const RECEIPT_TOKEN: &str = "Vb3nQ9sLx2Kd8Wf5Tz7RmA";

/// An app with two vendors, of which the second is asked only when the first refuses. No risk provider.
pub(super) const TWO_VENDORS: &str = "two-vendors";

/// Codes have eight digits, so that leaks of them can be searched for; another may be asked for every second.
pub(crate) fn main() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    stack::shared(&STACK, || {
        let mut accounts = development_accounts();
        let mut apps = vec!["default".to_owned(), TWO_VENDORS.to_owned()];
        for provider in CHINESE.into_iter().chain([INTERNATIONAL]) {
            accounts.push(with(&account(&accounts, provider), &app_of(provider), 1));
            apps.push(app_of(provider));
        }
        accounts.push(with(&account(&accounts, "chuanglan_sms"), TWO_VENDORS, 1));
        accounts.push(with(&account(&accounts, "twilio"), TWO_VENDORS, 0));
        let rules = json!([
            { "when": { "app": TWO_VENDORS }, "methods": [{ "method": "otp" }] },
            { "when": { "platform": "android", "model": "SM-*" },
              "methods": [{ "method": "otp" }, { "method": "one_tap", "provider": "cmcc", "timeoutSeconds": 5 }] },
            { "when": { "network": "wifi" }, "methods": [{ "method": "one_tap", "provider": "flash_v2" }] },
            { "page": { "consentVersion": "2026-11", "agreements": [
                { "name": { "zh-CN": "用户协议", "en": "Terms" }, "url": "https://shop.example/terms" }] } },
        ]);
        relaxed(Recipe::new("otp"))
            .var("PROVIDER_ACCOUNTS", &Value::from(accounts).to_string())
            .var("APPS", &apps.join(","))
            .var("SMS_COUNTRIES", "86,852")
            .var("OTP_CODE_DIGITS", "8")
            .var("OTP_RESEND_SECONDS", "1")
            .var("RECEIPT_TOKEN", RECEIPT_TOKEN)
            .var("CLIENT_CONFIG", &rules.to_string())
    })
}

/// Everything is over soon, and a risk provider that is silent means no.
pub(super) fn short() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    stack::shared(&STACK, || {
        let mut accounts = development_accounts();
        accounts.push(with(&account(&accounts, "chuanglan_sms"), TWO_VENDORS, 1));
        relaxed(Recipe::new("otp-short"))
            .var("PROVIDER_ACCOUNTS", &Value::from(accounts).to_string())
            .var("APPS", &format!("default,{TWO_VENDORS}"))
            .var("RISK_WHEN_DOWN", "deny")
            .var("OTP_CODE_DIGITS", "8")
            .var("OTP_LIFETIME_SECONDS", "8")
            .var("OTP_TRIES", "3")
            .var("OTP_RESEND_SECONDS", "1")
            .var("OTP_SHORT_WINDOW_SECONDS", "2")
            .var("OTP_LONG_WINDOW_SECONDS", "3")
            .var("OTP_FIRST_WAIT_SECONDS", "1")
            .var("OTP_LONGEST_WAIT_SECONDS", "1")
            .var("OTP_FAILURE_MEMORY_SECONDS", "60")
    })
}

/// The guard against pumping is as watchful as it can be.
pub(super) fn guarded() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    stack::shared(&STACK, || Recipe::new("otp-guarded").var("PUMPING_PREFIX_MIN_SENDS", "5"))
}

/// When a story sent a code there last; what it left must have time to go.
pub(super) static SHORT_USED: Mutex<Option<Instant>> = Mutex::new(None);

/// A story sent its last code there.
pub(super) fn short_was_used() {
    *lock(&SHORT_USED) = Some(Instant::now());
}

/// The app whose messages go out by one vendor only.
pub(super) fn app_of(provider: &str) -> String {
    format!("by-{provider}")
}

/// Stories send more codes that nobody redeems than a prefix would bear.
fn relaxed(recipe: Recipe) -> Recipe {
    recipe.var("PUMPING_PREFIX_MIN_SENDS", "1000").var("PUMPING_COUNTRY_MIN_SENDS", "100000")
}

/// The accounts with providers that `make dev` has drawn.
pub(crate) fn development_accounts() -> Vec<Value> {
    let text = fs::read_to_string(stack::root().join(".dev.vars")).unwrap();
    let accounts = text.lines().find_map(|line| line.strip_prefix("PROVIDER_ACCOUNTS='")).unwrap();
    serde_json::from_str(accounts.trim_end_matches('\'')).unwrap()
}

fn account(accounts: &[Value], provider: &str) -> Value {
    accounts.iter().find(|account| account["provider"] == provider).unwrap().clone()
}

fn with(account: &Value, app: &str, weight: u64) -> Value {
    let mut account = account.clone();
    account["app"] = json!(app);
    account["weight"] = json!(weight);
    account
}
