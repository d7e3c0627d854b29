//! Hashing of passwords, cheap: a story has no second to wait for each.

use onetap::{
    kernel::{
        fault::Fault,
        password::{Cost, Password, PasswordHash, SALT_BYTES},
    },
    ports::Passwords,
};
use unicode_normalization::UnicodeNormalization;

use super::{World, faults::Port};

const CHEAP: Cost = Cost { memory: 8, passes: 1 };

const NO_MEMORY: Fault = Fault::new("no_memory_for_password");

impl Passwords for World {
    fn nfkc(&self, text: &str) -> String {
        text.nfkc().collect()
    }

    async fn hash_password(
        &self,
        password: &Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, Fault> {
        let hash = async || PasswordHash::make(password, salt, CHEAP);
        self.faults.pass(Port::PasswordHash, NO_MEMORY, hash).await
    }

    async fn verify_password(&self, hash: Option<&PasswordHash>, password: &Password) -> Result<bool, Fault> {
        let verify = async || {
            let decoy = PasswordHash::decoy(CHEAP);
            hash.unwrap_or(&decoy).compare(password)?.finish()
        };
        self.faults.pass(Port::PasswordVerify, NO_MEMORY, verify).await
    }

    fn is_current(&self, hash: &PasswordHash) -> bool {
        hash.is_of(CHEAP)
    }
}
