//! Captchas that somebody has solved, or failed to: what the client holds and the vendor remembers.

use std::collections::BTreeMap;

use crate::{state::World, tokens::Provider};

/// How long a solved captcha counts, in milliseconds. Turnstile documents it; assumed for 极验.
pub(crate) const LIFETIME_MS: i64 = 300_000;

/// One solved captcha as the vendor remembers it.
pub(crate) struct Captcha {
    pub(crate) account_id: String,
    pub(crate) passes: bool,
    pub(crate) expires_ms: i64,
    /// What else the client hands over, by name.
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// Set by the first question about it: that question's idempotency key, empty without one.
    pub(crate) used_by: Option<String>,
}

/// A question about a captcha by an account whose credentials are right.
pub(crate) struct Question<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) token: &'a str,
    /// A repeat with the same key, if not empty, gets the same answer.
    pub(crate) key: &'a str,
    /// Fields that travel beside the token.
    pub(crate) companions: &'a [(&'static str, &'a str)],
}

/// The vendor's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    /// Never given out, or to another account, or beside other fields.
    Unknown,
    /// Used before, or too old.
    Stale,
}

impl World {
    /// Uses a captcha up and says what it was worth.
    pub(crate) fn judge(&self, provider: Provider, question: &Question<'_>) -> Verdict {
        let now = self.now_ms();
        let mut ledger = self.ledger();
        let Some(captcha) = ledger.captchas.get_mut(&(provider, question.token.to_owned())) else {
            return Verdict::Unknown;
        };
        let foreign = question
            .companions
            .iter()
            .any(|(name, value)| captcha.fields.get(name).map(String::as_str) != Some(*value));
        if captcha.account_id != question.account_id || foreign {
            return Verdict::Unknown;
        }
        let fresh = match &captcha.used_by {
            None => true,
            Some(key) => !key.is_empty() && key == question.key,
        };
        captcha.used_by.get_or_insert_with(|| question.key.to_owned());
        match (fresh, now < captcha.expires_ms, captcha.passes) {
            (true, true, true) => Verdict::Pass,
            (true, true, false) => Verdict::Fail,
            _ => Verdict::Stale,
        }
    }
}
