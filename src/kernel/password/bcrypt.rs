//! bcrypt (Provos and Mazières, USENIX 1999), to verify what other systems kept.

use std::fmt;

use blowfish::Blowfish;

use super::scheme::ImportRefusal;
use crate::kernel::{encoding::from_base64, secret::Secret};

/// Highest cost: 2^14 rounds, 1.6 s in pieces.
pub(crate) const MOST_COST: u32 = 14;

/// Rounds of one piece: 0.05 s.
const PIECE: u32 = 512;

/// Bytes of a password that count, with the zero behind it.
const KEY_BYTES: usize = 72;

#[derive(Debug)]
pub(super) struct BcryptHash {
    rounds: u32,
    salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

pub(super) struct BcryptWork {
    cipher: Box<Blowfish>,
    key: Secret<Vec<u8>>,
    salt: Vec<u8>,
    rounds: u32,
}

impl BcryptHash {
    /// `<cost, two digits>$<22 characters of salt><31 of digest>`.
    pub(super) fn read(cost: &str, rest: &str) -> Result<Self, ImportRefusal> {
        use ImportRefusal::{Malformed, TooCostly};
        let digits = cost.bytes().all(|byte| byte.is_ascii_digit()) && cost.len() == 2;
        let cost = cost.parse().ok().filter(|cost| digits && (4..=31).contains(cost)).ok_or(Malformed)?;
        let (salt, digest) = rest.split_at_checked(22).filter(|_| rest.len() == 53).ok_or(Malformed)?;
        let (salt, digest) =
            (from_bcrypt_base64(salt).ok_or(Malformed)?, from_bcrypt_base64(digest).ok_or(Malformed)?);
        let rounds = 1_u32.checked_shl(cost).filter(|_| cost <= MOST_COST).ok_or(TooCostly)?;
        Ok(Self { rounds, salt, digest })
    }

    pub(super) fn begin(&self, password: &str) -> BcryptWork {
        // As all who hash so: what is longer counts no more.
        let key: Vec<u8> = password.bytes().chain([0]).take(KEY_BYTES).collect();
        let mut cipher = Box::new(Blowfish::bc_init_state());
        cipher.salted_expand_key(&self.salt, &key);
        BcryptWork { cipher, key: Secret::new(key), salt: self.salt.clone(), rounds: self.rounds }
    }
}

impl BcryptWork {
    /// Does the next piece; the digest, when it was the last.
    pub(super) fn step(&mut self) -> Option<Vec<u8>> {
        let piece = self.rounds.min(PIECE);
        for _ in 0..piece {
            self.cipher.bc_expand_key(self.key.expose());
            self.cipher.bc_expand_key(&self.salt);
        }
        self.rounds = self.rounds.saturating_sub(piece);
        if self.rounds > 0 {
            return None;
        }
        let mut digest = Vec::with_capacity(24);
        for halves in b"OrpheanBeholderScryDoubt".as_chunks::<8>().0 {
            let block = u64::from_be_bytes(*halves);
            let mut halves = [(block >> 32) as u32, block as u32];
            for _ in 0..64 {
                halves = self.cipher.bc_encrypt(halves);
            }
            digest.extend(halves.iter().flat_map(|half| half.to_be_bytes()));
        }
        // The last byte was lost in the first implementation, and so in all.
        digest.truncate(23);
        Some(digest)
    }
}

/// Base64 with an alphabet of its own: `./A-Za-z0-9` for `A-Za-z0-9+/`.
fn from_bcrypt_base64(text: &str) -> Option<Vec<u8>> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let translated = text.bytes().map(|byte| {
        let value = match byte {
            b'.' => 0,
            b'/' => 1,
            _ => STANDARD.iter().take(62).position(|known| *known == byte)?.checked_add(2)?,
        };
        STANDARD.get(value).map(|byte| char::from(*byte))
    });
    from_base64(&translated.collect::<Option<String>>()?)
}

impl fmt::Debug for BcryptWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
