//! Whose session an access token stands for.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::{keys::Keys, settings::Settings};

/// The only algorithm taken, whatever a token says of itself.
const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 10;

/// Time for an answer of the service.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What becomes of a token.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is good, and stands for this account.
    Good(String),
    /// It is not. Why is nobody's business.
    Invalid,
}

/// Checks tokens.
#[derive(Debug)]
pub(crate) struct Sessions {
    http: reqwest::Client,
    keys: Keys,
    validation: Validation,
    issuer: String,
    api_key: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

#[derive(Deserialize)]
struct Introspected {
    active: bool,
}

impl Sessions {
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let Settings { jwks_url, issuer, audience, api_key, .. } = settings;
        let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let http = http.build()?;
        let mut validation = Validation::new(ALGORITHM);
        validation.leeway = LEEWAY;
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Self { keys: Keys::new(http.clone(), jwks_url), http, validation, issuer, api_key })
    }

    /// Verifies a token here. A session that was ended is taken until its last token is over.
    ///
    /// # Errors
    /// The keys could not be had.
    pub(crate) async fn verify(&self, token: &str) -> Result<Verdict> {
        let Ok(header) = decode_header(token) else { return Ok(Verdict::Invalid) };
        // Before anything is fetched for it.
        let Some(kid) = header.kid.filter(|_| header.alg == ALGORITHM) else { return Ok(Verdict::Invalid) };
        let Some(jwk) = self.keys.find(&kid).await? else { return Ok(Verdict::Invalid) };
        let Ok(key) = DecodingKey::from_jwk(&jwk) else { return Ok(Verdict::Invalid) };
        let claims = decode::<Claims>(token, &key, &self.validation);
        Ok(claims.map_or(Verdict::Invalid, |token| Verdict::Good(token.claims.sub)))
    }

    /// Asks the service whether the session behind a token is alive at this moment (RFC 7662).
    ///
    /// # Errors
    /// It could not be asked.
    pub(crate) async fn is_alive(&self, token: &str) -> Result<bool> {
        let api_key = self.api_key.as_ref().context("API_KEY is not set")?;
        let asked = self.http.post(format!("{}/oauth/introspect", self.issuer)).bearer_auth(api_key);
        let answer = asked.form(&[("token", token)]).send().await?;
        if answer.status() != reqwest::StatusCode::OK {
            bail!("introspection answered {}", answer.status().as_u16());
        }
        Ok(answer.json::<Introspected>().await?.active)
    }
}
