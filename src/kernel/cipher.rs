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

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, HEXUPPER};

    #[test]
    fn des_as_mobtech_publishes_it() {
        let sealed = BASE64.decode(b"ne5MoL97ZW2kbWVSApn900JeOgjhg3TPGG4hMacY0uVMV/su4HFnvg==").unwrap();
        let plain = des_cbc_decrypt(b"b89d2427", b"00000000", &sealed).unwrap();
        assert_eq!(plain.expose(), b"b89d2427a3bc7ad1aea1e1e8c1d36bf3");
    }

    #[test]
    fn as_openssl_encrypts() {
        let sealed = HEXUPPER.decode(b"386D256EC02674090204CEAD13DFBC1C").unwrap();
        let plain = aes_128_cbc_decrypt(b"b13edd0838dbf613", b"19911fc321160449", &sealed).unwrap();
        assert_eq!(plain.expose(), b"13800138000");
        let sealed = BASE64.decode(b"LoPUatLDV9NxgayfwCD5Lw==").unwrap();
        let plain = des_cbc_decrypt(b"Zk7Qp2Lm", &[1, 2, 3, 4, 5, 6, 7, 8], &sealed).unwrap();
        assert_eq!(plain.expose(), b"13800138000");
    }

    #[test]
    fn every_mistake_is_the_same_error() {
        let sealed = HEXUPPER.decode(b"386D256EC02674090204CEAD13DFBC1C").unwrap();
        let (key, iv) = (b"b13edd0838dbf613", b"19911fc321160449");
        for (key, iv, data) in [
            (key.as_slice(), iv.as_slice(), &sealed[..15]),
            (key, iv, &[]),
            (&key[..15], iv, &sealed),
            (key, &iv[..8], &sealed),
            (b"another key here", iv, &sealed),
        ] {
            assert_eq!(aes_128_cbc_decrypt(key, iv, data).unwrap_err(), Undecryptable);
        }
        assert_eq!(des_cbc_decrypt(b"b89d2427", b"00000000", &[7; 8]).unwrap_err(), Undecryptable);
    }
}
