//! Hashes and keyed hashes, in the few forms that we and the providers need.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{encoding::base64url, keys::KeyRing};

/// MD5 (RFC 1321). For providers' protocols only.
pub fn md5(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}

/// SHA-1 (FIPS 180-4). For providers' protocols only.
pub fn sha1(data: &[u8]) -> [u8; 20] {
    Sha1::digest(data).into()
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// HMAC-SHA-1 (RFC 2104). For providers' protocols only.
pub fn hmac_sha1(key: &[u8], data: &[u8]) -> [u8; 20] {
    let mut mac = hmac::<Hmac<Sha1>>(key);
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = hmac::<Hmac<Sha256>>(key);
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// The name under which a value is kept without being kept: `<key id>.<base64url HMAC-SHA-256 of kind and value>`.
/// `kind` separates the uses (`phone`, `address`, ...), so that equal values of two kinds are not seen to be equal.
pub fn keyed_name(ring: &KeyRing, kind: &str, value: &str) -> String {
    let key = ring.current();
    let digest = hmac_sha256(key.bytes.expose(), &[kind.as_bytes(), &[0], value.as_bytes()].concat());
    format!("{}.{}", key.id, base64url(&digest))
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
pub fn is_equal(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// 32 bytes derived from a secret for one use: HMAC-SHA-256 with the label as message, i.e. one block of
/// HKDF-Expand (RFC 5869) for input that is already uniform or, as here, at least 128 bits strong.
pub fn derive(secret: &[u8], label: &str) -> [u8; 32] {
    hmac_sha256(secret, label.as_bytes())
}

// HMAC takes keys of every length, so the fallback key is never used; without `expect` the type system
// still wants one.
pub(super) fn hmac<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).unwrap_or_else(|_| M::new(&Default::default()))
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::ring;
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn rfc_vectors() {
        // RFC 1321 A.5, FIPS 180 examples, RFC 2202 and RFC 4231 test case 2.
        assert_eq!(HEXLOWER.encode(&md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(HEXLOWER.encode(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            HEXLOWER.encode(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let (key, data) = (b"Jefe".as_slice(), b"what do ya want for nothing?".as_slice());
        assert_eq!(HEXLOWER.encode(&hmac_sha1(key, data)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            HEXLOWER.encode(&hmac_sha256(key, data)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn names_differ_by_kind_and_key() {
        let (one, two) = (ring("HS256", &[1]), ring("HS256", &[2]));
        let name = keyed_name(&one, "phone", "+8613800138000");
        assert!(name.starts_with("k1.") && !name.contains("13800138000"));
        assert_ne!(name, keyed_name(&one, "email", "+8613800138000"));
        assert_ne!(name, keyed_name(&two, "phone", "+8613800138000"));
    }
}
