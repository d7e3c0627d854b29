//! Third-party login 第三方登录, its beginning: where the browser is sent, and the state that must come back with it.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Failure, Service,
    provider::{Caller, Choice},
};
use crate::{
    kernel::{secret::Secret, time::Timestamp},
    model::{
        identity_state::{BrowserDigest, IdentityState, RedirectName},
        refusal::{Code, Refusal},
    },
    ports::World,
    providers::Capability,
};

/// A login that begins in a browser.
#[derive(Debug)]
pub struct IdentityStart<'a> {
    /// Which third party, as clients call it.
    pub kind: &'a str,
    /// Who asks.
    pub caller: Caller<'a>,
    /// Where the browser is to come back to.
    pub redirect_uri: &'a str,
    /// What only this browser or device knows: 128 random bits or more.
    pub binding: &'a Secret<String>,
}

/// Where the browser goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The third party's page.
    pub url: String,
    /// What the third party sends back with the browser, for the client to compare.
    pub state: String,
}

impl<W: World> Service<'_, W> {
    /// Begins a login with a third party. Nothing is kept: the state says all, once, to whoever holds the binding.
    ///
    /// # Errors
    /// `not_found`: the app has no such login on this platform, or none for browsers; `invalid_request` for a URI that
    /// is not listed; `identity_unavailable`: the issuer does not say where its page is.
    pub async fn start_identity(&self, start: &IdentityStart<'_>) -> Result<Departure, Failure> {
        // 1. Our account with the third party, and where it may send the browser back to.
        let choice = self.identity_choice(start.kind, &start.caller)?;
        if !choice.document.redirects() {
            return Err(Code::NotFound.into());
        }
        if !self.settings.redirects.allow(start.redirect_uri) {
            return Err(Refusal::field("redirectUri", "is not in IDENTITY_REDIRECTS").into());
        }
        // 2. Its page, where only the issuer knows it.
        let deadline = self.identity_deadline();
        let issuer = match choice.document.is_openid() {
            true => Some(self.issuer(choice, &start.caller, deadline).await?),
            false => None,
        };
        // 3. The state, and what is derived from it.
        let limits = &self.settings.limits;
        let state = IdentityState {
            id: self.fresh()?,
            until: self.world.now().plus(Duration::from_secs(limits.identity_state_seconds)),
            binding: BrowserDigest::of(start.binding.expose()),
            redirect: RedirectName::of(start.redirect_uri),
            platform: start.caller.platform,
        };
        let text = state.write(&self.settings.sealing, start.kind, start.caller.app)?;
        let mut values = BTreeMap::from([
            ("state", text.clone()),
            ("redirect_uri", start.redirect_uri.to_owned()),
            ("nonce", state.nonce()),
            ("code_challenge", state.code_challenge()),
        ]);
        values.extend(issuer.map(|issuer| ("authorization_endpoint", issuer.authorization_endpoint)));
        // Never the account's relay: that is for us, not for browsers.
        let base_url = self.settings.provider_base_url.as_deref();
        let url = choice.document.redirect_url(choice.account, base_url, &values);
        Ok(Departure { url: url.ok_or(Code::NotFound)?, state: text })
    }

    /// Our account with a third party, by what clients call it.
    pub(super) fn identity_choice(&self, kind: &str, caller: &Caller<'_>) -> Result<Choice<'_>, Failure> {
        if !self.settings.apps.iter().any(|app| app == caller.app) {
            return Err(Refusal::field("app", "is not an app of this service").into());
        }
        let mut choices = self.choices(Capability::Identity, caller);
        choices.find(|choice| choice.account.kind == kind).ok_or_else(|| Code::NotFound.into())
    }

    /// When all calls of a login that begins now must be over.
    pub(super) fn identity_deadline(&self) -> Timestamp {
        self.world.now().plus(Duration::from_millis(self.settings.limits.identity_timeout_ms))
    }
}

/// The third party cannot be asked, or not be understood.
pub(super) fn unavailable() -> Failure {
    Refusal::to_otp(Code::IdentityUnavailable).into()
}
