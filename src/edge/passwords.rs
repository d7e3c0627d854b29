//! Hashing of passwords in an isolate that has others to serve.

use std::{cell::Cell, time::Duration};

use worker::{Delay, js_sys::JsString};

use super::world::EdgeWorld;
use crate::{
    kernel::{
        fault::Fault,
        password::{Cost, Password, PasswordHash, SALT_BYTES},
    },
    ports::Passwords,
};

thread_local! {
    /// Turns taken in this isolate. A number, nothing that belongs to a request.
    static TURNS: Cell<u64> = const { Cell::new(0) };
}

impl Passwords for EdgeWorld {
    fn nfkc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }

    async fn hash_password(
        &self,
        password: &Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, Fault> {
        turn().await;
        PasswordHash::make(password, salt, Cost::CURRENT)
    }

    async fn verify_password(&self, hash: Option<&PasswordHash>, password: &Password) -> Result<bool, Fault> {
        let mut verification = match hash {
            Some(hash) => hash.compare(password)?,
            None => PasswordHash::decoy(Cost::CURRENT).compare(password)?,
        };
        loop {
            turn().await;
            if let Some(answer) = verification.step()? {
                return Ok(answer);
            }
        }
    }

    fn is_current(&self, hash: &PasswordHash) -> bool {
        hash.is_of(Cost::CURRENT)
    }
}

/// Waits until a pause has passed in which nobody else hashed. A pause alone is not enough: the platform ends all that
/// are due before it looks for new requests, and thirty hashes would stand in a row.
async fn turn() {
    loop {
        let before = TURNS.get();
        Delay::from(Duration::from_millis(1)).await;
        if TURNS.get() == before {
            TURNS.set(before.wrapping_add(1));
            return;
        }
    }
}
