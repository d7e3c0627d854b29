//! OpenID Connect: what an issuer publishes, and who its ID tokens say somebody is.

use std::time::Duration;

use super::{
    Failure, Service,
    identity::unavailable,
    provider::{Caller, Choice},
};
use crate::{
    kernel::{
        http::HttpRequest,
        id_token::{Check, Expected, IdToken, IssuerKeys},
        time::Timestamp,
    },
    model::refusal::Code,
    ports::{ProviderCall, World},
    providers::{Capability, Credential, Issuer},
};

impl<W: World> Service<'_, W> {
    /// The URLs of an issuer.
    ///
    /// # Errors
    /// `identity_unavailable`: it does not say, or says it of another issuer.
    pub(super) async fn issuer(
        &self,
        choice: Choice<'_>,
        caller: &Caller<'_>,
        deadline: Timestamp,
    ) -> Result<Issuer, Failure> {
        let issuer = choice.account.public_setting("issuer").unwrap_or_default();
        let url = Issuer::discovery_url(issuer);
        let published = self.published(choice, caller, &url, false, deadline).await?;
        let read = Issuer::read(&published.body, issuer);
        if read.is_none() {
            self.tell_of_issuer(choice, "account_fault", "discovery_unreadable", 0);
        }
        let read = read.ok_or_else(unavailable)?;
        self.keep(published);
        Ok(read)
    }

    /// What an ID token says of its person, by the names of the document's profile.
    ///
    /// # Errors
    /// `invalid_credentials` for a token that is not as it must be, whatever it is; `identity_unavailable`: its issuer's
    /// keys cannot be read.
    pub(super) async fn identified(
        &self,
        choice: Choice<'_>,
        caller: &Caller<'_>,
        issuer: &Issuer,
        (token, nonce): (&str, Option<&str>),
        deadline: Timestamp,
    ) -> Result<Credential, Failure> {
        let refuse = |problem: &str| {
            self.tell_of_issuer(choice, "rejected", problem, 0);
            Failure::from(Code::InvalidCredentials)
        };
        let token = IdToken::read(token).ok_or_else(|| refuse("id_token_unreadable"))?;
        // 1. The signature. A key that is not known is looked for once more: issuers change theirs without a word.
        let mut is_good = None;
        for anew in [false, true] {
            let published = self.published(choice, caller, &issuer.jwks_uri, anew, deadline).await?;
            let Some(keys) = IssuerKeys::read(&published.body) else {
                self.tell_of_issuer(choice, "account_fault", "keys_unreadable", 0);
                return Err(unavailable());
            };
            self.keep(published);
            is_good = match token.check(&keys).map_err(refuse)? {
                None => continue,
                Some(check) => Some(self.is_signed(&token, check).await?),
            };
            break;
        }
        match is_good {
            None => return Err(refuse("id_token_kid")),
            Some(false) => return Err(refuse("id_token_signature")),
            Some(true) => {}
        }
        // 2. The claims.
        let setting = |name| choice.account.public_setting(name).unwrap_or_default();
        let expected = Expected {
            issuer: setting("issuer"),
            client_id: setting("clientId"),
            nonce,
            now: self.world.now(),
            leeway: Duration::from_secs(self.settings.limits.id_token_leeway_seconds),
        };
        let claims = token.claims(&expected).map_err(refuse)?;
        choice.document.take(Capability::IdentityProfile, claims).ok_or_else(|| refuse("id_token_sub"))
    }

    async fn is_signed(&self, token: &IdToken, check: Check<'_>) -> Result<bool, Failure> {
        let (signed, signature) = token.signed();
        Ok(match check {
            Check::Known(is_good) => is_good,
            Check::P256(key, signature) => self.world.verify_p256(&key, signed, &signature).await?,
            Check::Rsa(modulus, exponent) => {
                self.world.verify_rsa(modulus, exponent, signed, signature).await?
            }
        })
    }

    /// What an issuer publishes under a URL: kept from before, or fetched, `anew` in any case.
    async fn published(
        &self,
        choice: Choice<'_>,
        caller: &Caller<'_>,
        url: &str,
        anew: bool,
        deadline: Timestamp,
    ) -> Result<Published, Failure> {
        let url = choice.account.reached(self.settings.provider_base_url.as_deref(), url);
        if let Some(body) = self.world.publication(&url).filter(|_| !anew) {
            return Ok(Published { url, body, is_new: false });
        }
        let limit = self.settings.limits.identity_timeout_ms;
        let timeout = self.time_for(limit, deadline).ok_or_else(unavailable)?;
        let headers = [("accept", "application/json"), ("x-request-id", caller.request_id)];
        let request = HttpRequest {
            method: "GET",
            url: url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: Vec::new(),
            timeout,
        };
        let started = self.world.now();
        let reply = self.world.send(request).await.ok().filter(|reply| reply.status == 200);
        let millis = u64::try_from(self.world.now().since(started).as_millis()).unwrap_or(u64::MAX);
        let Some(reply) = reply else {
            self.tell_of_issuer(choice, "unavailable", "not_published", millis);
            return Err(unavailable());
        };
        Ok(Published { url, body: reply.body, is_new: true })
    }

    /// Keeps what could be read; anything else is better fetched again.
    fn keep(&self, published: Published) {
        let Published { url, body, is_new } = published;
        if is_new {
            let time = Duration::from_secs(self.settings.limits.issuer_cache_seconds);
            self.world.keep_publication(&url, &body, time);
        }
    }

    /// Tells the operator what became of something that the issuer published or signed.
    fn tell_of_issuer(&self, choice: Choice<'_>, outcome: &'static str, code: &str, millis: u64) {
        self.world.provider_called(ProviderCall {
            provider: choice.account.kind.clone(),
            capability: Capability::Identity.name(),
            outcome,
            vendor_code: Some(code.to_owned()),
            millis,
        });
    }
}

/// Something that an issuer publishes.
struct Published {
    url: String,
    body: Vec<u8>,
    is_new: bool,
}
