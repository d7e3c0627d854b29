//! Personal data at rest: AES-256-GCM (NIST SP 800-38D) under a key ring.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};

use super::{
    digest::{derive, hmac_sha256},
    encoding::{base64url, from_base64url},
    fault::Fault,
    keys::KEY_BYTES,
    keys::KeyRing,
    secret::Secret,
};

/// Bytes of a GCM nonce. Random nonces bound one key to 2^32 seals (SP 800-38D section 8.3); rotate before.
pub const NONCE_BYTES: usize = 12;

/// A sealed value: `<key id>.<base64url of nonce, cipher text and tag>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a text for a sealed value; whether it is one shows when it is opened.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Seals `plain` with the current key. `context` names what the value is and whose (`phone:acc_...`);
/// a value sealed for one context does not open in another.
///
/// # Errors
/// [`Fault`] when the cipher refuses (only for absurd lengths).
pub fn seal(ring: &KeyRing, nonce: [u8; NONCE_BYTES], context: &str, plain: &[u8]) -> Result<Sealed, Fault> {
    let key = ring.current();
    let bytes = seal_bytes(key.bytes.expose(), nonce, context, plain)?;
    Ok(Sealed(format!("{}.{}", key.id, base64url(&bytes))))
}

/// Seals a text of which each is made once: the same text is sealed the same way again, so that a repeated request
/// gets the same. The nonce is derived from the text, which must hold an id that was drawn for it alone.
///
/// # Errors
/// As [`seal`].
pub fn seal_unique(ring: &KeyRing, context: &str, plain: &[u8]) -> Result<Sealed, Fault> {
    let nonce_key = derive(ring.current().bytes.expose(), &format!("onetap {context} nonce"));
    let nonce = hmac_sha256(&nonce_key, plain).first_chunk().copied().unwrap_or_default();
    seal(ring, nonce, context, plain)
}

/// Opens a value sealed by [`seal`] for the same context with any key of the ring.
///
/// # Errors
/// [`Fault`] when the key is gone, the context differs or the value was changed; one error for all.
pub fn open(ring: &KeyRing, context: &str, sealed: &Sealed) -> Result<Secret<Vec<u8>>, Fault> {
    let (id, body) = sealed.0.split_once('.').ok_or(DOES_NOT_OPEN)?;
    let key = ring.find(id).ok_or(DOES_NOT_OPEN)?;
    let bytes = from_base64url(body).ok_or(DOES_NOT_OPEN)?;
    open_bytes(key.bytes.expose(), context, &bytes)
}

/// Seals under a single key; the result is nonce, cipher text and tag.
///
/// # Errors
/// As [`seal`].
pub fn seal_bytes(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    context: &str,
    plain: &[u8],
) -> Result<Vec<u8>, Fault> {
    let payload = Payload { msg: plain, aad: context.as_bytes() };
    let body = Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), payload)
        .map_err(|_| Fault::new("does_not_seal"))?;
    Ok([nonce.as_slice(), &body].concat())
}

/// Opens what [`seal_bytes`] made.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(key: &[u8; KEY_BYTES], context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Fault> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DOES_NOT_OPEN)?;
    let payload = Payload { msg: body, aad: context.as_bytes() };
    Aes256Gcm::new(key.into()).decrypt(nonce.into(), payload).map(Secret::new).map_err(|_| DOES_NOT_OPEN)
}

const DOES_NOT_OPEN: Fault = Fault::new("sealed_value_does_not_open");

#[cfg(test)]
mod tests {
    use super::super::keys::tests::ring;
    use super::*;

    #[test]
    fn known_answer() {
        // NIST CAVP gcmEncryptExtIV256, Keylen 256, IVlen 96, PTlen 0, AADlen 0, Taglen 128, Count 0.
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let key: [u8; 32] =
            hex("b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4").try_into().unwrap();
        let nonce: [u8; 12] = hex("516c33929df5a3284ff463d7").try_into().unwrap();
        let sealed = seal_bytes(&key, nonce, "", b"").unwrap();
        assert_eq!(sealed[12..], hex("bdc1ac884d332457a1d2664f168c76f0"));
    }

    #[test]
    fn opens_after_rotation_and_only_in_its_context() {
        let sealed = seal(&ring("A256GCM", &[1]), [9; 12], "phone:a", b"+8613800138000").unwrap();
        let rotated = ring("A256GCM", &[2, 1]);
        assert_eq!(open(&rotated, "phone:a", &sealed).unwrap().expose(), b"+8613800138000");
        assert!(open(&rotated, "phone:b", &sealed).is_err());
        assert!(open(&ring("A256GCM", &[2]), "phone:a", &sealed).is_err());
        let mut changed = sealed.0.clone();
        changed.replace_range(10..11, if &changed[10..11] == "A" { "B" } else { "A" });
        assert!(open(&rotated, "phone:a", &Sealed(changed)).is_err());
    }
}
