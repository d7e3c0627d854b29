//! API keys of backends.

use crate::kernel::{
    digest::sha256,
    encoding::{from_base64url, hex},
};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Exchange a one-tap credential for the full number.
    OneTapExchange,
    /// Read the full number of an account.
    PhoneRead,
    /// Ask whether a token is good.
    TokenIntrospect,
    /// Take a token back.
    TokenRevoke,
    /// Freeze an account.
    AccountFreeze,
}

impl Scope {
    /// The name in the key table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneTapExchange => "one_tap:exchange",
            Self::PhoneRead => "phone:read",
            Self::TokenIntrospect => "token:introspect",
            Self::TokenRevoke => "token:revoke",
            Self::AccountFreeze => "account:freeze",
        }
    }
}

/// A key as the back office knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Name for people and the audit log.
    pub name: String,
    /// Names of its scopes; names of a newer build are kept, and mean nothing here.
    pub scopes: Vec<String>,
}

impl ApiKey {
    /// Whether the key has a scope.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|name| name == scope.name())
    }
}

/// The digest under which a key is stored: lower-case hex of SHA-256 of the whole text. `None` when the text is
/// not `oak_` and 43 characters of base64url (32 random bytes), so that noise costs no look-up. A plain hash is
/// enough for 256 random bits.
pub fn digest(text: &str) -> Option<String> {
    let bytes = from_base64url(text.strip_prefix("oak_")?)?;
    (bytes.len() == 32).then(|| hex(&sha256(text.as_bytes())))
}
