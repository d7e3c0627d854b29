//! PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2), to verify what other systems kept. One block: digests of 32 bytes.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::scheme::{ImportRefusal, number};
use crate::kernel::{digest::hmac, encoding::from_base64};

/// Most iterations: 2 s in pieces, a third more than Django asks for in 2026.
pub(crate) const MOST_ITERATIONS: u32 = 2_000_000;

/// Iterations of one piece: 0.05 s.
const PIECE: u32 = 50_000;

/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Pbkdf2Hash {
    iterations: u32,
    salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

pub(super) struct Pbkdf2Work {
    mac: Hmac<Sha256>,
    last: [u8; DIGEST_BYTES],
    sum: [u8; DIGEST_BYTES],
    left: u32,
}

impl Pbkdf2Hash {
    /// As Django writes it: the salt is a text, the digest base64.
    pub(super) fn read(iterations: &str, salt: Vec<u8>, digest: &str) -> Result<Self, ImportRefusal> {
        use ImportRefusal::{Malformed, TooCostly};
        let iterations = number(iterations)?;
        let digest = from_base64(digest).filter(|bytes| bytes.len() == DIGEST_BYTES).ok_or(Malformed)?;
        if salt.is_empty() || iterations == 0 {
            return Err(Malformed);
        }
        if iterations > MOST_ITERATIONS { Err(TooCostly) } else { Ok(Self { iterations, salt, digest }) }
    }

    /// As passlib writes it, `29000$<salt>$<digest>` with `.` for `+`, or the PHC string format: `i=600000[,l=32]`.
    pub(super) fn read_phc(costs: &str, salt: &str, digest: &str) -> Result<Self, ImportRefusal> {
        let iterations = costs.strip_prefix("i=").unwrap_or(costs);
        let iterations = iterations.strip_suffix(",l=32").unwrap_or(iterations);
        let salt = from_base64(&salt.replace('.', "+")).ok_or(ImportRefusal::Malformed)?;
        Self::read(iterations, salt, &digest.replace('.', "+"))
    }

    pub(super) fn begin(&self, password: &str) -> Pbkdf2Work {
        let mac = hmac::<Hmac<Sha256>>(password.as_bytes());
        let first = mac.clone().chain_update(&self.salt).chain_update(1_u32.to_be_bytes());
        let first = first.finalize().into_bytes().into();
        Pbkdf2Work { mac, last: first, sum: first, left: self.iterations.saturating_sub(1) }
    }
}

impl Pbkdf2Work {
    /// Does the next piece; the digest, when it was the last.
    pub(super) fn step(&mut self) -> Option<Vec<u8>> {
        let piece = self.left.min(PIECE);
        for _ in 0..piece {
            self.last = self.mac.clone().chain_update(self.last).finalize().into_bytes().into();
            for (sum, byte) in self.sum.iter_mut().zip(self.last) {
                *sum ^= byte;
            }
        }
        self.left = self.left.saturating_sub(piece);
        (self.left == 0).then(|| self.sum.to_vec())
    }
}

impl fmt::Debug for Pbkdf2Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
