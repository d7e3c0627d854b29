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
    /// Switch login protection of an account on or off.
    AccountProtect,
    /// Take back that an account is to be deleted.
    AccountRestore,
    /// Bring accounts from elsewhere.
    AccountImport,
    /// Say what the app knows of an account's owner.
    AccountFacts,
    /// Say who their friends are.
    AccountFriends,
    /// Say whether an account holds money.
    AccountMoney,
    /// Read objections and appeals.
    CasesRead,
    /// Decide them.
    CasesDecide,
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
            Self::AccountProtect => "account:protect",
            Self::AccountRestore => "account:restore",
            Self::AccountImport => "account:import",
            Self::AccountFacts => "account:facts",
            Self::AccountFriends => "account:friends",
            Self::AccountMoney => "account:money",
            Self::CasesRead => "cases:read",
            Self::CasesDecide => "cases:decide",
        }
    }
}

/// Whose data a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everybody's.
    Live,
    /// Nobody's but that of test numbers.
    Test,
}

impl Mode {
    /// The name in the key table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// A key as the back office knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Name for people and the audit log.
    pub name: String,
    /// Whose data it leads to.
    pub mode: Mode,
    /// Calls it may make in a minute; `None`: as many as the deployment's keys may.
    pub calls_per_minute: Option<u32>,
    /// Calls it may make in a calendar month (UTC); `None`: as many as the deployment's keys may.
    pub calls_per_month: Option<u32>,
    /// Apps whose sessions and credentials it leads to; `None`: all.
    pub apps: Option<Vec<String>>,
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
/// not `oak_` or `oak_test_` and 43 characters of base64url (32 random bytes), so that noise costs no look-up. A
/// plain hash is enough for 256 random bits.
pub fn digest(text: &str) -> Option<String> {
    // A live key may go on with `test_` by chance: what is left of it is too short for a test key's.
    let mut random = PREFIXES.iter().filter_map(|prefix| from_base64url(text.strip_prefix(prefix)?));
    random.any(|bytes| bytes.len() == 32).then(|| hex(&sha256(text.as_bytes())))
}

/// Before a live key's random part, and before a test key's, so that nobody mixes them up.
const PREFIXES: [&str; 2] = ["oak_", "oak_test_"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_modes_have_a_digest_and_noise_has_none() {
        let random = "A".repeat(43);
        // `printf oak_test_AAA... | sha256sum` (GNU coreutils).
        let test = "7a55d13a6d1532eef7765f57099e1f3324483aea9613f2a06b2a26bfd2c85add";
        let live = "23095f9048774cdba7b53621478fac3a1d166ec59d5c090e5bf2f7a1a43f513a";
        assert_eq!(digest(&format!("oak_test_{random}")).as_deref(), Some(test));
        assert_eq!(digest(&format!("oak_{random}")).as_deref(), Some(live));
        assert!(digest(&format!("oak_test_{}", "A".repeat(38))).is_some(), "a live key that looks like that");
        for noise in
            ["", "oak_", "oak_test_", &random, &format!("oak_test_{random}A"), &format!("oak_live_{random}")]
        {
            assert_eq!(digest(noise), None, "{noise}");
        }
    }
}
