//! The `state` of a third-party login (RFC 6749, section 10.12), as it travels through a browser and the third party.
//!
//! Sealed, so that a forged one is refused without asking anybody; what the client says again at the end (kind and app) is
//! not in it but part of the seal. With that it stays below the 128 characters that WeChat allows.

use crate::kernel::{
    digest::{derive, sha256},
    encoding::base64url,
    fault::Fault,
    keys::KeyRing,
    seal::{Sealed, open, seal_unique},
    time::Timestamp,
};

use super::platform::Platform;

/// A login that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityState {
    /// Drawn for this one; seen by nobody but us.
    pub id: [u8; 16],
    /// It is over then.
    pub until: Timestamp,
    /// Whose browser or device it is for.
    pub binding: BrowserDigest,
    /// Where the third party sends the browser back to.
    pub redirect: RedirectName,
    /// For which platform's account with the third party it was begun.
    pub platform: Platform,
}

/// A digest of what only the browser or device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserDigest([u8; 16]);

/// A digest of a URI, to find it again in the operator's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedirectName([u8; 8]);

impl BrowserDigest {
    /// Of a text of at least 128 random bits.
    pub fn of(secret: &str) -> Self {
        Self(first(&sha256(&[b"identity-binding", secret.as_bytes()].concat())))
    }
}

impl RedirectName {
    /// Of a URI.
    pub fn of(uri: &str) -> Self {
        Self(first(&sha256(uri.as_bytes())))
    }
}

impl IdentityState {
    /// The text that travels, for a kind of login and an app.
    ///
    /// # Errors
    /// [`Fault`] when the cipher refuses.
    pub fn write(&self, ring: &KeyRing, kind: &str, app: &str) -> Result<String, Fault> {
        let platform = Platform::ALL.iter().position(|platform| *platform == self.platform);
        let platform = [platform.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()];
        let until = self.until.millis().to_be_bytes();
        let plain = [self.id.as_slice(), &until, &self.binding.0, &self.redirect.0, &platform].concat();
        Ok(format!("{PREFIX}{}", seal_unique(ring, &context(kind, app), &plain)?.as_str()))
    }

    /// Reads a text of ours for the same kind and app; `None` for any other.
    pub fn read(ring: &KeyRing, kind: &str, app: &str, text: &str) -> Option<Self> {
        let sealed = Sealed::from_text(text.strip_prefix(PREFIX)?);
        let plain = open(ring, &context(kind, app), &sealed).ok()?;
        let (id, rest) = plain.expose().split_first_chunk::<16>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (binding, rest) = rest.split_first_chunk::<16>()?;
        let (redirect, platform) = rest.split_first_chunk::<8>()?;
        Some(Self {
            id: *id,
            until: Timestamp::from_millis(i64::from_be_bytes(*until)),
            binding: BrowserDigest(*binding),
            redirect: RedirectName(*redirect),
            platform: *Platform::ALL.get(usize::from(*platform.first()?))?,
        })
    }

    /// The PKCE verifier (RFC 7636, section 4.1): 43 characters that only we know.
    pub fn code_verifier(&self) -> String {
        base64url(&derive(&self.id, "onetap identity pkce"))
    }

    /// Its S256 challenge (section 4.2).
    pub fn code_challenge(&self) -> String {
        base64url(&sha256(self.code_verifier().as_bytes()))
    }

    /// The `nonce` that must come back in the ID token.
    pub fn nonce(&self) -> String {
        base64url(&derive(&self.id, "onetap identity nonce"))
    }
}

const PREFIX: &str = "ois_";

fn context(kind: &str, app: &str) -> String {
    // Neither holds a blank.
    format!("identity {kind} {app}")
}

fn first<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::keys::tests::ring;

    fn state() -> IdentityState {
        IdentityState {
            id: [1; 16],
            until: Timestamp::from_secs(5),
            binding: BrowserDigest::of("browser"),
            redirect: RedirectName::of("https://shop.example/back"),
            platform: Platform::Miniprogram,
        }
    }

    #[test]
    fn says_nothing_cannot_be_forged_and_is_for_one_kind_and_app() {
        let ring = ring("A256GCM", &[1]);
        let text = state().write(&ring, "wechat", "shop").unwrap();
        assert!(text.len() <= 128 - 14, "{} with a key id of 2 characters, which may have 16", text.len());
        assert_eq!(IdentityState::read(&ring, "wechat", "shop", &text), Some(state()));
        for (kind, app) in [("qq", "shop"), ("wechat", "default"), ("wechat shop", "")] {
            assert_eq!(IdentityState::read(&ring, kind, app, &text), None, "{kind} {app}");
        }
        for forged in [text.replacen("ois_", "otk_", 1), format!("{text}A"), text[..60].to_owned()] {
            assert_eq!(IdentityState::read(&ring, "wechat", "shop", &forged), None, "{forged}");
        }
        assert!(!text.contains(&data_encoding::BASE64URL_NOPAD.encode(&[1; 15])));
    }

    // hashlib and hmac of Python 3.
    #[test]
    fn verifier_challenge_and_nonce_are_of_this_state() {
        let state = state();
        assert_eq!(state.code_verifier(), "FuMF6WHmMAXg9JOphYKAHmXJaitocd5vzfoyJsBYIbs");
        assert_eq!(state.code_challenge(), "VDC3TIJzOgqDY2GHvwvggNa_n1kLPCS88RBa4Tl6nTs");
        assert_eq!(state.nonce(), "l9n5sNnpcvzEyhZoBcVJ47JzOSvGFPXqr4AUSeOY0zk");
    }
}
