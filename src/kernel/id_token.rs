//! ID tokens (OpenID Connect Core 1.0, section 2): who somebody is, signed by an issuer, and the issuer's public keys.
//!
//! The key decides how a token is verified, never the token (RFC 8725, section 3.1): its `alg` must be the one that the key
//! is for, so `none` and MACs under public keys are refused. Claims count only once the signature was found good.

use std::time::Duration;

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use super::{device_proof::PublicKey, encoding::from_base64url, time::Timestamp};

/// Longest token looked at, bytes.
pub const MAX_ID_TOKEN: usize = 16 * 1024;

/// Bytes of the shortest RSA modulus that counts (RFC 7518, section 3.3).
const MIN_MODULUS: usize = 256;

/// What is wrong with a token, for the operator's log; whoever brought it learns only that it is.
pub type Problem = &'static str;

/// A token that is well-formed. Nothing in it is known to be true.
#[derive(Debug)]
pub struct IdToken {
    header: Value,
    signed: String,
    signature: Vec<u8>,
    claims: Value,
    json: Vec<u8>,
}

/// The public keys of an issuer (RFC 7517). Those of kinds that we do not know are left out.
#[derive(Debug)]
pub struct IssuerKeys(Vec<Value>);

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `iss`, letter by letter.
    pub issuer: &'a str,
    /// Ours with the issuer: `aud`, and `azp` if there is one.
    pub client_id: &'a str,
    /// What was sent along with the browser; `None`: no browser was sent.
    pub nonce: Option<&'a str>,
    /// Service time.
    pub now: Timestamp,
    /// How far the issuer's clock may stand from ours.
    pub leeway: Duration,
}

/// How a signature is checked.
#[derive(Debug, PartialEq, Eq)]
pub enum Check<'t> {
    /// It was: good or not.
    Known(bool),
    /// ES256: by the platform. An uncompressed point; r and s.
    P256(Box<[u8; 65]>, Box<[u8; 64]>),
    /// RS256: by the platform. Modulus and exponent in base64url.
    Rsa(&'t str, &'t str),
}

impl IssuerKeys {
    /// Reads a key set; `None` for anything that is none.
    pub fn read(json: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Value>(json).ok()?.get_mut("keys")?.take() {
            Value::Array(keys) => Some(Self(keys)),
            _ => None,
        }
    }

    /// The one key that a token can have been signed with: that of its `kid`, or the only one of its kind.
    fn find(&self, kid: Option<&str>, alg: &str) -> Option<&Value> {
        let is_for = |key: &&Value| {
            let (kind, curve) = match alg {
                "RS256" => ("RSA", None),
                "ES256" => ("EC", Some("P-256")),
                _ => ("OKP", Some("Ed25519")),
            };
            let is_free_for = |member: &str, use_: &str| text(key, member).is_none_or(|given| given == use_);
            text(key, "kty") == Some(kind)
                && text(key, "crv") == curve
                && is_free_for("alg", alg)
                && is_free_for("use", "sig")
                && (kid.is_none() || text(key, "kid") == kid)
        };
        let mut fitting = self.0.iter().filter(is_for);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

impl IdToken {
    /// Takes a token apart; `None` for anything that is none.
    pub fn read(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_ID_TOKEN)?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&from_base64url(header)?).ok()?;
        let json = from_base64url(claims)?;
        let claims: Value = serde_json::from_slice(&json).ok()?;
        let signature = from_base64url(signature)?;
        Some(Self { header, signed: signed.to_owned(), signature, claims, json })
    }

    /// How to check the signature. `Ok(None)`: the issuer's keys, as we know them, hold none for it.
    ///
    /// # Errors
    /// No key can make it good.
    pub fn check<'t>(&self, keys: &'t IssuerKeys) -> Result<Option<Check<'t>>, Problem> {
        let alg = text(&self.header, "alg").unwrap_or_default();
        // RFC 7515, section 4.1.11: extensions that must be understood, and are not.
        if !["RS256", "ES256", "EdDSA"].contains(&alg) || self.header.get("crit").is_some() {
            return Err("id_token_alg");
        }
        let Some(key) = keys.find(text(&self.header, "kid"), alg) else { return Ok(None) };
        let member = |name| text(key, name).unwrap_or_default();
        if alg == "RS256" {
            let is_long = from_base64url(member("n")).is_some_and(|bytes| bytes.len() >= MIN_MODULUS);
            return if is_long {
                Ok(Some(Check::Rsa(member("n"), member("e"))))
            } else {
                Err("id_token_key")
            };
        }
        let signature = <[u8; 64]>::try_from(self.signature.as_slice()).map_err(|_| "id_token_signature")?;
        let key = PublicKey::from_jwk(member("kty"), member("crv"), member("x"), text(key, "y"));
        Ok(Some(match key.ok_or("id_token_key")? {
            PublicKey::P256(point) => Check::P256(Box::new(point), Box::new(signature)),
            PublicKey::Ed25519(key) => Check::Known(VerifyingKey::from_bytes(&key).is_ok_and(|key| {
                key.verify_strict(self.signed.as_bytes(), &Signature::from_bytes(&signature)).is_ok()
            })),
        }))
    }

    /// What was signed, and the signature as it came.
    pub fn signed(&self) -> (&[u8], &[u8]) {
        (self.signed.as_bytes(), &self.signature)
    }

    /// Checks the claims (section 3.1.3.7) of a token whose signature is good.
    ///
    /// # Errors
    /// The first that is not as it must be.
    pub fn claims(&self, expected: &Expected<'_>) -> Result<&[u8], Problem> {
        let claims = &self.claims;
        let is = |name: &str, wanted: &str| text(claims, name) == Some(wanted);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_secs);
        if !is("iss", expected.issuer) {
            return Err("id_token_iss");
        }
        let others = match claims.get("aud") {
            Some(Value::String(_)) if is("aud", expected.client_id) => 0,
            Some(Value::Array(all)) if all.iter().any(|one| one == expected.client_id) => {
                all.len().saturating_sub(1)
            }
            _ => return Err("id_token_aud"),
        };
        // Who asked for it, where it is for several; if it is said, it must be us.
        if claims.get("azp").map_or(others > 0, |_| !is("azp", expected.client_id)) {
            return Err("id_token_azp");
        }
        if time("exp").is_none_or(|until| expected.now >= until.plus(expected.leeway)) {
            return Err("id_token_exp");
        }
        if time("iat").is_none_or(|at| at > expected.now.plus(expected.leeway)) {
            return Err("id_token_iat");
        }
        if expected.nonce.is_some_and(|nonce| !is("nonce", nonce)) {
            return Err("id_token_nonce");
        }
        // Section 2: at most 255 characters.
        match text(claims, "sub") {
            Some(sub) if (1..=255).contains(&sub.len()) => Ok(&self.json),
            _ => Err("id_token_sub"),
        }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
