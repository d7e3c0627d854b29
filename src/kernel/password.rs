//! Passwords, and what is kept of them.
//!
//! Hashing takes a tenth of a second and is synchronous, so an isolate never has more than one hash in memory. Who asks
//! for many goes through the port `Passwords`, which lets others in between.
//!
//! No pepper goes into a hash: it could never be changed without every person's password. What NIST SP 800-63B-4,
//! 3.1.1.2 asks for instead of one, encryption with a key that is not kept beside the hash, is for who keeps
//! the hash: sealed like a number, under keys that rotate. That covers imported hashes as well.

mod argon2id;
mod bcrypt;
mod pbkdf2;
mod scheme;

use serde::{Deserialize, Serialize};

use super::{encoding::base64, fault::Fault, secret::Secret};
use argon2id::Argon2Hash;
use scheme::{Scheme, Work};

pub use scheme::ImportRefusal;

/// Bytes of a salt (RFC 9106, section 4: 16 are enough).
pub const SALT_BYTES: usize = 16;

/// A password as it was typed, and in Unicode's normal form NFKC (UAX 15), in which ours are hashed: the same password
/// typed on another system may come in other code points (NIST SP 800-63B-4, 3.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    typed: Secret<String>,
    nfkc: Secret<String>,
}

/// What is kept of a password: a text in the PHC string format, or as another system wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(Secret<String>);

/// What argon2id costs with one lane. More lanes would gain nothing in an isolate, which has one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB; at least 8.
    pub memory: u32,
    /// Passes over the memory; at least 1.
    pub passes: u32,
}

/// A comparison under way. Slow algorithms do it in pieces, so that others have their turn between two
/// [`Verification::step`]s.
#[derive(Debug)]
pub struct Verification {
    scheme: Scheme,
    forms: Vec<Secret<String>>,
    work: Option<Work>,
}

impl Password {
    /// A password by what was typed and its form NFKC, which the platform knows.
    pub const fn new(typed: Secret<String>, nfkc: Secret<String>) -> Self {
        Self { typed, nfkc }
    }

    /// In normal form: what is hashed, measured, and compared with lists.
    pub const fn normal(&self) -> &Secret<String> {
        &self.nfkc
    }
}

impl Cost {
    /// What new hashes cost: one of the choices of the OWASP Password Storage Cheat Sheet, which holds them all to be
    /// equally strong. Linear memory never shrinks, so what a hash takes, 12 MiB, stays taken, a tenth of the 128 MB of
    /// an isolate; 19 MiB in 2 passes take longer (docs/ARCHITECTURE.md has the measurements).
    pub const CURRENT: Self = Self { memory: 12_288, passes: 3 };

    fn prefix(self) -> String {
        format!("$argon2id$v=19$m={},t={},p=1$", self.memory, self.passes)
    }
}

impl PasswordHash {
    /// Hashes a password with argon2id (RFC 9106), 32 bytes. The salt is drawn for it alone.
    ///
    /// # Errors
    /// [`Fault`] when there is no memory for it, or the cost is none.
    pub fn make(password: &Password, salt: [u8; SALT_BYTES], cost: Cost) -> Result<Self, Fault> {
        let hash = Argon2Hash::of_cost(cost, &salt).ok_or(UNREADABLE)?;
        let digest = hash.digest_of(password.nfkc.expose())?;
        Ok(Self::of_parts(cost, &salt, &digest))
    }

    /// The hash of no password: takes as long to compare with as one of that cost.
    pub fn decoy(cost: Cost) -> Self {
        Self::of_parts(cost, &[0; SALT_BYTES], &[0; 32])
    }

    /// Takes over what another system kept: bcrypt (`$2a$`, `$2b$`, `$2y$`), PBKDF2-SHA256 (as Django, passlib and the
    /// PHC string format write it) and argon2 in all variants. Bounds on what it may cost keep one hash from taking
    /// the isolate's memory or its time; they are the `MOST_...` of each algorithm.
    ///
    /// # Errors
    /// [`ImportRefusal`].
    pub fn import(text: &str) -> Result<Self, ImportRefusal> {
        // Django puts its own name for the algorithm in front of the algorithm's own text.
        let bare = text.strip_prefix("bcrypt$").or_else(|| text.strip_prefix("argon2")).unwrap_or(text);
        Scheme::read(bare)?;
        Ok(Self(Secret::new(bare.to_owned())))
    }

    /// What was kept.
    pub const fn kept(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text, for what is kept; never for logs or answers.
    pub const fn text(&self) -> &Secret<String> {
        &self.0
    }

    /// Whether it is of this cost; else the next right password is to be hashed anew.
    pub fn is_of(&self, cost: Cost) -> bool {
        self.0.expose().starts_with(&cost.prefix())
    }

    /// Begins to compare it with a password. Systems that hashed what was typed are served as well: that is tried
    /// second, where it differs from the normal form.
    ///
    /// # Errors
    /// [`Fault`]: it is not a hash that could have been made or imported.
    pub fn compare(&self, password: &Password) -> Result<Verification, Fault> {
        let scheme = Scheme::read(self.0.expose()).map_err(|_| UNREADABLE)?;
        let mut forms = vec![password.typed.clone()];
        if password.typed != password.nfkc {
            forms.push(password.nfkc.clone());
        }
        Ok(Verification { scheme, forms, work: None })
    }

    fn of_parts(cost: Cost, salt: &[u8], digest: &[u8]) -> Self {
        let text = [base64(salt), base64(digest)].map(|text| text.trim_end_matches('=').to_owned());
        Self(Secret::new(cost.prefix() + &text.join("$")))
    }
}

impl Verification {
    /// Does the next piece of the work; the answer, when it was the last. The comparison itself takes the same time
    /// wherever digests differ.
    ///
    /// # Errors
    /// [`Fault`]: no memory for it.
    pub fn step(&mut self) -> Result<Option<bool>, Fault> {
        let work = match &mut self.work {
            Some(work) => work,
            none => {
                let Some(form) = self.forms.pop() else { return Ok(Some(false)) };
                none.insert(self.scheme.begin(form.expose())?)
            }
        };
        let Some(is_equal) = work.step(&self.scheme)? else { return Ok(None) };
        self.work = None;
        Ok(Some(is_equal).filter(|is_equal| *is_equal || self.forms.is_empty()))
    }

    /// All of it at once.
    ///
    /// # Errors
    /// As [`Verification::step`].
    pub fn finish(mut self) -> Result<bool, Fault> {
        loop {
            if let Some(answer) = self.step()? {
                return Ok(answer);
            }
        }
    }
}

const UNREADABLE: Fault = Fault::new("password_hash_unreadable");

#[cfg(test)]
mod tests;
