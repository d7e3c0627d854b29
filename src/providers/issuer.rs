//! What an issuer of OpenID Connect says about itself (OpenID Connect Discovery 1.0).

use serde_json::Value;

use super::{
    account::Account,
    call::relayed,
    check_login::{TOKEN_ENDPOINT, USERINFO_ENDPOINT},
    json::text,
};

/// The URLs of an issuer, all https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where profiles are, if anywhere.
    pub userinfo_endpoint: Option<String>,
    /// Where its public keys are.
    pub jwks_uri: String,
}

impl Issuer {
    /// Names of the endpoints in documents.
    pub const ENDPOINTS: [&str; 2] = [TOKEN_ENDPOINT, USERINFO_ENDPOINT];

    /// Reads the discovery document of `issuer`. `None`: it is of somebody else (section 4.3: the two must be the same, letter
    /// by letter), or lacks what we need. Endpoints may stand on other hosts, as those of large issuers do.
    pub fn read(json: &[u8], issuer: &str) -> Option<Self> {
        let json: Value = serde_json::from_slice(json).ok()?;
        let url = |name: &str| {
            let url = json.get(name).and_then(text);
            url.filter(|url| {
                url.starts_with("https://") && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
            })
        };
        (json.get("issuer").and_then(text)? == issuer).then_some(())?;
        Some(Self {
            authorization_endpoint: url("authorization_endpoint")?,
            token_endpoint: url("token_endpoint")?,
            userinfo_endpoint: url("userinfo_endpoint"),
            jwks_uri: url("jwks_uri")?,
        })
    }

    /// Where the discovery document of `issuer` is (section 4).
    pub fn discovery_url(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }
}

impl Account {
    /// A URL of the provider as it is reached from here: behind `base_url` in development, or the account's relay.
    pub fn reached(&self, base_url: Option<&str>, url: &str) -> String {
        relayed(base_url.or(self.base_url.as_deref()), url.to_owned())
    }
}
