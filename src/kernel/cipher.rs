//! Block ciphers in which providers send phone numbers. For their protocols only: nothing of ours is kept so.

use aes::Aes128;
use cbc::{
    Decryptor,
    cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use des::Des;

use super::secret::Secret;

/// The cipher text does not decrypt: wrong key or length, or bad padding. One error for all causes, and
/// callers answer it like a plain text that is no phone number: no padding oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecryptable;

/// AES-128-CBC with PKCS#7 padding (FIPS 197, SP 800-38A, RFC 5652 section 6.3). Key and IV are 16 bytes.
///
/// # Errors
/// [`Undecryptable`].
pub fn aes_128_cbc_decrypt(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Secret<Vec<u8>>, Undecryptable> {
    decrypt::<Aes128>(key, iv, data)
}

/// DES-CBC with PKCS#7 padding (FIPS 46-3, FIPS 81). Key and IV are 8 bytes.
///
/// # Errors
/// [`Undecryptable`].
pub fn des_cbc_decrypt(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Secret<Vec<u8>>, Undecryptable> {
    decrypt::<Des>(key, iv, data)
}

fn decrypt<C>(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Secret<Vec<u8>>, Undecryptable>
where
    C: BlockCipherDecrypt + KeyInit,
    Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    Decryptor::<C>::new_from_slices(key, iv)
        .map_err(|_| Undecryptable)?
        .decrypt_padded_vec::<Pkcs7>(data)
        .map(Secret::new)
        .map_err(|_| Undecryptable)
}
