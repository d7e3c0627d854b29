//! The configuration of a deployment, read once and checked whole: all problems at once, each named, and no
//! default for a secret.

use crate::{
    kernel::{jwt::SigningKeys, keys::KeyRing, phone::PhoneNumber, secret::Secret},
    model::recycling::Profile,
    providers::Account,
    rules::{
        client_config::ClientRules, countries::Countries, limits::Limits, message::Apps, origins::Origins,
        redirects::Redirects, webhooks::Webhook,
    },
};

mod read;
mod reader;
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
    /// The operator's verifier of what clients bring in `device.attestation`; without one nobody is asked.
    pub attestation_url: Option<String>,
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

/// What one-tap on a device that the account does not know leads to: who stands beside a phone with a hotspot, or has
/// an app on it, can steal its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTapNewDevice {
    /// They are in.
    Allow,
    /// They are in, and the owner is told. The default.
    Notify,
    /// A trusted device must confirm it, if there is one; unless the client's attestation is genuine: then as before.
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
