//! Opaque tokens of ours: recognisable, forgery dies without I/O.
//!
//! `<prefix><base64url of payload and 16 bytes of HMAC-SHA-256><6 characters of checksum>`. The checksum lets
//! a secret scanner tell a real token from noise without a key; the MAC lets the service refuse a forged one
//! without asking anybody.

use subtle::ConstantTimeEq;

use super::{
    digest::{hmac_sha256, sha256},
    encoding::{base32, base64url, from_base64url},
    id::{AccountId, SessionId},
    keys::KeyRing,
};

/// Names a device to the account that issued it: 16 random bytes, unguessable, kept only as a digest.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken([u8; 16]);

/// Names one generation of a refresh family. Nothing of it is stored: the family keeps its generation, and
/// the successor is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose account object to ask.
    pub account: AccountId,
    /// The session, which is the family.
    pub session: SessionId,
    /// Counts rotations from 0.
    pub generation: u32,
}

impl DeviceToken {
    /// A new token from 16 bytes of entropy.
    pub const fn from_entropy(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a token we issued; `None` for anything else.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        read(ring, DEVICE_PREFIX, text).map(Self)
    }

    /// The token as the client keeps it.
    pub fn write(&self, ring: &KeyRing) -> String {
        write(ring, DEVICE_PREFIX, &self.0)
    }

    /// What accounts and the edge copy keep instead of the token: base64url of SHA-256 under a label.
    /// A plain hash is enough for 128 random bits.
    pub fn digest(&self) -> String {
        base64url(&sha256(&[b"device-token", self.0.as_slice()].concat()))
    }
}

impl RefreshToken {
    /// Reads a token we issued; `None` for anything else.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let bytes: [u8; 36] = read(ring, REFRESH_PREFIX, text)?;
        let (account, rest) = bytes.split_first_chunk::<16>()?;
        let (session, generation) = rest.split_first_chunk::<16>()?;
        Some(Self {
            account: AccountId::from_bytes(*account),
            session: SessionId::from_bytes(*session),
            generation: u32::from_be_bytes(generation.try_into().ok()?),
        })
    }

    /// The token as the client keeps it.
    pub fn write(&self, ring: &KeyRing) -> String {
        let payload = [
            self.account.bytes().as_slice(),
            self.session.bytes().as_slice(),
            &self.generation.to_be_bytes(),
        ];
        write(ring, REFRESH_PREFIX, &payload.concat())
    }
}

impl std::fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[device token]")
    }
}

const DEVICE_PREFIX: &str = "odt_";
const REFRESH_PREFIX: &str = "ort_";
const MAC_BYTES: usize = 16;
const CHECKSUM_CHARS: usize = 6;

fn write(ring: &KeyRing, prefix: &str, payload: &[u8]) -> String {
    let mac = mac(ring.current().bytes.expose(), prefix, payload);
    let body = format!("{prefix}{}", base64url(&[payload, &mac].concat()));
    let checksum = checksum(&body);
    format!("{body}{checksum}")
}

fn read<const N: usize>(ring: &KeyRing, prefix: &str, text: &str) -> Option<[u8; N]> {
    let (body, given) = text.split_at_checked(text.len().checked_sub(CHECKSUM_CHARS)?)?;
    if checksum(body) != given {
        return None;
    }
    let bytes = from_base64url(body.strip_prefix(prefix)?)?;
    let (payload, given) = bytes.split_first_chunk::<N>()?;
    let known = ring.all().any(|key| mac(key.bytes.expose(), prefix, payload).ct_eq(given).into());
    known.then_some(*payload)
}

fn mac(key: &[u8], prefix: &str, payload: &[u8]) -> [u8; MAC_BYTES] {
    let full = hmac_sha256(key, &[prefix.as_bytes(), payload].concat());
    full.first_chunk().copied().unwrap_or_default()
}

fn checksum(body: &str) -> String {
    let mut text = base32(&sha256(body.as_bytes()));
    text.truncate(CHECKSUM_CHARS);
    text
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::ring;
    use super::*;

    fn refresh() -> RefreshToken {
        RefreshToken {
            account: AccountId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
            generation: 7,
        }
    }

    #[test]
    fn round_trip_also_after_key_rotation() {
        let text = refresh().write(&ring("HS256", &[1]));
        assert!(text.starts_with("ort_"));
        assert_eq!(RefreshToken::read(&ring("HS256", &[2, 1]), &text), Some(refresh()));
        assert_eq!(RefreshToken::read(&ring("HS256", &[2]), &text), None);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let ring = ring("HS256", &[1]);
        let text = DeviceToken::from_entropy([3; 16]).write(&ring);
        assert_eq!(DeviceToken::read(&ring, &text), Some(DeviceToken([3; 16])));
        for at in 0..text.len() {
            let mut changed = text.clone();
            let other = if &text[at..=at] == "x" { "y" } else { "x" };
            changed.replace_range(at..=at, other);
            assert_eq!(DeviceToken::read(&ring, &changed), None, "at {at}");
        }
        for text in ["", "odt_", "short", "odt_é", "ort_aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(DeviceToken::read(&ring, text), None);
        }
    }

    #[test]
    fn one_kind_is_not_another() {
        let ring = ring("HS256", &[1]);
        let text = refresh().write(&ring);
        let renamed = text.replacen("ort_", "odt_", 1);
        let body = &renamed[..renamed.len() - CHECKSUM_CHARS];
        assert_eq!(DeviceToken::read(&ring, &format!("{body}{}", checksum(body))), None);
    }
}
