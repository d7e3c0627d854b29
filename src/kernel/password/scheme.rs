//! The algorithms and the texts in which their hashes are written.

use subtle::ConstantTimeEq;

use super::{
    argon2id::Argon2Hash,
    bcrypt::{BcryptHash, BcryptWork},
    pbkdf2::{Pbkdf2Hash, Pbkdf2Work},
};
use crate::kernel::fault::Fault;

/// Longest text of a hash, bytes.
pub(crate) const MAX_TEXT: usize = 256;

/// Why a hash of another system is not taken over. Whoever it belongs to proves the number and sets a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportRefusal {
    /// An algorithm that we do not know.
    UnknownAlgorithm,
    /// A known algorithm, but not as it is written.
    Malformed,
    /// It costs more time or memory than an isolate has.
    TooCostly,
}

impl ImportRefusal {
    /// The reason as a stable code, for the report of an import.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownAlgorithm => "password_hash_unknown",
            Self::Malformed => "password_hash_malformed",
            Self::TooCostly => "password_hash_too_costly",
        }
    }
}

#[derive(Debug)]
pub(super) enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
}

/// The digest of one password in the making.
#[derive(Debug)]
pub(super) enum Work {
    Done(Vec<u8>),
    Bcrypt(BcryptWork),
    Pbkdf2(Pbkdf2Work),
}

impl Scheme {
    pub(super) fn read(text: &str) -> Result<Self, ImportRefusal> {
        if text.len() > MAX_TEXT || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ImportRefusal::Malformed);
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts.as_slice() {
            ["", "2a" | "2b" | "2y", cost, rest] => BcryptHash::read(cost, rest).map(Self::Bcrypt),
            ["pbkdf2_sha256", iterations, salt, digest] => {
                Pbkdf2Hash::read(iterations, salt.as_bytes().to_vec(), digest).map(Self::Pbkdf2)
            }
            ["", "pbkdf2-sha256", costs, salt, digest] => {
                Pbkdf2Hash::read_phc(costs, salt, digest).map(Self::Pbkdf2)
            }
            ["", algorithm, rest @ ..] if algorithm.starts_with("argon2") => {
                Argon2Hash::read(algorithm, rest).map(Self::Argon2)
            }
            _ => Err(ImportRefusal::UnknownAlgorithm),
        }
    }

    pub(super) fn begin(&self, password: &str) -> Result<Work, Fault> {
        Ok(match self {
            Self::Argon2(hash) => Work::Done(hash.digest_of(password)?),
            Self::Bcrypt(hash) => Work::Bcrypt(hash.begin(password)),
            Self::Pbkdf2(hash) => Work::Pbkdf2(hash.begin(password)),
        })
    }

    fn digest(&self) -> &[u8] {
        match self {
            Self::Argon2(hash) => &hash.digest,
            Self::Bcrypt(hash) => &hash.digest,
            Self::Pbkdf2(hash) => &hash.digest,
        }
    }
}

impl Work {
    /// Does the next piece; when it was the last, whether the digest is that of the scheme.
    pub(super) fn step(&mut self, scheme: &Scheme) -> Result<Option<bool>, Fault> {
        let digest = match self {
            Self::Done(digest) => Some(std::mem::take(digest)),
            Self::Bcrypt(work) => work.step(),
            Self::Pbkdf2(work) => work.step(),
        };
        Ok(digest.map(|digest| digest.ct_eq(scheme.digest()).into()))
    }
}

/// A decimal number as algorithms write their costs: no sign, no zero in front.
pub(super) fn number(text: &str) -> Result<u32, ImportRefusal> {
    let is_plain = !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain).ok_or(ImportRefusal::Malformed)
}
