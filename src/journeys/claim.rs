//! A single-use credential is claimed before it is sent anywhere, and the reply is kept for the client that
//! lost it.
//!
//! The kept reply is sealed under a key derived from the client's `Idempotency-Key`, of which only a check value
//! is stored: whoever holds all our state and secrets still cannot open it.

use std::time::Duration;

use super::{Failure, Service, UNEXPECTED_OUTCOME};
use crate::{
    kernel::{
        digest::{derive, hmac_sha256, keyed_name},
        encoding::{base64, base64url, from_base64url},
        fault::Fault,
        seal::{NONCE_BYTES, open_bytes, seal_bytes},
        secret::Secret,
    },
    model::{
        counter::{Claimant, Operation, Outcome},
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// The client's name for one attempt, at least 128 bits that nobody can guess.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(Secret<String>);

/// What makes two requests the same.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The client's key, if it gave one.
    pub key: Option<&'a IdempotencyKey>,
    /// The request in a canonical form.
    pub request: &'a [u8],
}

/// A claim that was made; with it the reply can be kept.
#[derive(Debug)]
pub struct Claim {
    name: String,
    by: Claimant,
    key: Option<IdempotencyKey>,
}

impl Attempt<'_> {
    /// One that is like no other.
    pub const ONCE: Self = Self { key: None, request: &[] };
}

impl IdempotencyKey {
    /// Takes a key of 22 to 255 visible ASCII characters that can hold 128 bits: 32 hex digits, a UUID, or 22
    /// characters of base64.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("must be at most 255 visible ASCII characters");
        }
        let drawn: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
        let different = (0..=u8::MAX).filter(|b| drawn.contains(b)).count();
        // Characters, and hundredths of a bit in each: of the smallest alphabet that explains the text. What stands
        // between hexadecimal digits only groups them (UUIDs); among letters it is drawn too (base64).
        let (count, each) = if drawn.iter().all(u8::is_ascii_digit) {
            (drawn.len(), 332)
        } else if drawn.iter().all(u8::is_ascii_hexdigit) {
            (drawn.len(), 400)
        } else {
            (text.len(), 600)
        };
        if count.saturating_mul(each) < 12_800 || different < 8 {
            return Err(
                "must hold at least 128 random bits, such as 22 characters of base64url or 32 of hex",
            );
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    fn check(&self) -> String {
        base64url(&derive(self.0.expose().as_bytes(), "onetap idempotency check"))
    }

    /// What the ids of a sign-in are drawn from, with a secret of ours.
    pub(super) fn seed(&self) -> [u8; 32] {
        derive(self.0.expose().as_bytes(), "onetap idempotency seed")
    }

    fn digest(&self, request: &[u8]) -> String {
        let key = derive(self.0.expose().as_bytes(), "onetap idempotency request");
        base64url(&hmac_sha256(&key, request))
    }

    fn reply_key(&self) -> Secret<[u8; 32]> {
        Secret::new(derive(self.0.expose().as_bytes(), "onetap idempotency reply"))
    }
}

impl<W: World> Service<'_, W> {
    /// Claims the credential `subject` for an attempt. A repeat whose first request still runs waits a little, and is
    /// [`Failure::Answered`] by the reply to it.
    pub(super) async fn claim(&self, subject: &str, attempt: &Attempt<'_>) -> Result<Claim, Failure> {
        let digest = &self.settings.digest;
        let name = format!("claim.{}", keyed_name(digest, "credential", subject));
        let request = base64(attempt.request);
        let by = Claimant {
            key_check: attempt.key.map(IdempotencyKey::check),
            request: keyed_name(digest, "request", &request),
        };
        let mut waits = self.settings.limits.repeat_wait_ms.div_euclid(POLL_MS);
        loop {
            match self.world.counter(&name, Operation::Claim { by: by.clone() }).await? {
                Outcome::Claimed => {
                    return Ok(Claim { name, by, key: attempt.key.cloned() });
                }
                Outcome::Replied { sealed } => {
                    return Err(Failure::Answered(self.reopen(attempt.key, &name, &sealed)?));
                }
                Outcome::Running if waits > 0 => {
                    waits = waits.saturating_sub(1);
                    self.world.pause(Duration::from_millis(POLL_MS)).await;
                }
                Outcome::Running => {
                    return Err(Refusal { retry_after: Some(1), ..Refusal::new(Code::TryAgain) }.into());
                }
                // The token may have reached the provider, so it is spent either way.
                Outcome::Lost => return Err(Refusal::to_otp(Code::OneTapUnavailable).into()),
                Outcome::Conflict => return Err(Code::IdempotencyConflict.into()),
                Outcome::Used => return Err(Refusal::to_otp(Code::OneTapRejected).into()),
                _ => return Err(UNEXPECTED_OUTCOME.into()),
            }
        }
    }

    /// Names of an attempt and of its request for whoever recognises a repeat by them. Only the client could tell
    /// what the request was, since both are made with its key. Without a key no attempt is like another.
    pub(super) fn names_of(&self, attempt: &Attempt<'_>) -> Result<(String, String), Fault> {
        Ok(match attempt.key {
            Some(key) => (key.check(), key.digest(attempt.request)),
            None => (base64url(&self.fresh::<16>()?), String::new()),
        })
    }

    /// Keeps the reply of a claimed attempt for repeats; without an idempotency key there is nothing to keep.
    ///
    /// # Errors
    /// [`Fault`]: not kept; a repeat will be told that its first request is lost.
    pub async fn keep_reply(&self, claim: Claim, reply: &[u8]) -> Result<(), Fault> {
        let Some(key) = claim.key else { return Ok(()) };
        let nonce = self.fresh::<NONCE_BYTES>()?;
        let sealed = seal_bytes(key.reply_key().expose(), nonce, &claim.name, reply)?;
        let operation = Operation::KeepReply { by: claim.by, sealed: base64url(&sealed) };
        self.world.counter(&claim.name, operation).await.map(|_| ())
    }

    fn reopen(
        &self,
        key: Option<&IdempotencyKey>,
        name: &str,
        sealed: &str,
    ) -> Result<Secret<Vec<u8>>, Failure> {
        let key = key.ok_or(UNEXPECTED_OUTCOME)?.reply_key();
        let sealed = from_base64url(sealed).ok_or(UNEXPECTED_OUTCOME)?;
        Ok(open_bytes(key.expose(), name, &sealed)?)
    }
}

const POLL_MS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_must_hold_128_bits() {
        for good in [
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "Zk7Qp2LmXw9TbR4sVn6YcA",
            "_k7Qp2-mXw9TbR4s-n6Y_A",
            "271828182845904523536028747135266249775",
        ] {
            assert!(IdempotencyKey::parse(good).is_ok(), "{good}");
        }
        let long = "Zk7Qp2LmXw9TbR4sVn6YcA".repeat(12);
        for bad in [
            "",
            "order-1",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "12345678901234567890123456789",
            "_k7Qp2-mXw9TbR4s-n6Y_",
            "Zk7Qp2LmXw9TbR4sVn6Y é",
            &long,
        ] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad}");
        }
    }
}
