//! The vendors' cryptography, through OpenSSL.
//!
//! Purpose: an implementation that shares no code with the service under test, so that a mistake there cannot cancel out here.
//! Keys come from configuration and are short-lived test values; nothing here is constant-time or wiped.

use openssl::{
    base64, error::ErrorStack, hash::MessageDigest, pkey::PKey, rand::rand_bytes, sign::Signer, symm::Cipher,
    symm::Crypter, symm::Mode,
};

/// Lower-case hexadecimal MD5, 32 characters.
pub(crate) fn md5_hex(data: &str) -> Result<String, ErrorStack> {
    Ok(hex::encode(openssl::hash::hash(MessageDigest::md5(), data.as_bytes())?))
}

/// Lower-case hexadecimal SHA-1, 40 characters.
pub(crate) fn sha1_hex(data: &str) -> Result<String, ErrorStack> {
    Ok(hex::encode(openssl::hash::hash(MessageDigest::sha1(), data.as_bytes())?))
}

/// Lower-case hexadecimal SHA-256, 64 characters.
pub(crate) fn sha256_hex(data: &[u8]) -> Result<String, ErrorStack> {
    Ok(hex::encode(openssl::hash::hash(MessageDigest::sha256(), data)?))
}

/// Lower-case hexadecimal HMAC-SHA256, 64 characters.
pub(crate) fn hmac_sha256_hex(key: &str, message: &str) -> Result<String, ErrorStack> {
    Ok(hex::encode(hmac(MessageDigest::sha256(), key.as_bytes(), message)?))
}

/// HMAC-SHA256 under a key of bytes, 32 bytes: the links of a key chain.
pub(crate) fn hmac_sha256(key: &[u8], message: &str) -> Result<Vec<u8>, ErrorStack> {
    hmac(MessageDigest::sha256(), key, message)
}

/// Base64 HMAC-SHA1, 28 characters.
pub(crate) fn hmac_sha1_base64(key: &str, message: &str) -> Result<String, ErrorStack> {
    Ok(base64::encode_block(&hmac(MessageDigest::sha1(), key.as_bytes(), message)?))
}

/// AES-128 in CBC mode; `key` and `iv` are 16 bytes.
pub(crate) fn aes_128_cbc(key: &[u8], iv: &[u8], plain: Plain<'_>) -> Result<Vec<u8>, ErrorStack> {
    encrypt(Cipher::aes_128_cbc(), key, iv, plain)
}

/// Single DES in CBC mode; `key` and `iv` are 8 bytes.
///
/// Triple DES with three equal keys is single DES. OpenSSL keeps the former in its default provider and the latter only in
/// the legacy one, which a build may leave out.
pub(crate) fn des_cbc(key: &[u8], iv: &[u8], plain: Plain<'_>) -> Result<Vec<u8>, ErrorStack> {
    encrypt(Cipher::des_ede3_cbc(), &key.repeat(3), iv, plain)
}

/// What a block cipher is given.
#[derive(Clone, Copy)]
pub(crate) enum Plain<'a> {
    /// Padded as PKCS#7 says.
    Text(&'a str),
    /// One block that is no valid padding: it decrypts under the right key and cannot be unpadded.
    BadPadding,
}

/// Standard Base64 with padding.
pub(crate) fn base64(data: &[u8]) -> String {
    base64::encode_block(data)
}

/// The text that standard Base64 with padding stands for. `None`: no Base64, or no UTF-8.
pub(crate) fn text_of_base64(text: &str) -> Option<String> {
    String::from_utf8(base64::decode_block(text).ok()?).ok()
}

/// URL-safe Base64 without padding.
pub(crate) fn base64_url(data: &[u8]) -> String {
    base64(data).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// 16 random bytes as 32 lower-case hexadecimal characters.
pub(crate) fn random_hex() -> Result<String, ErrorStack> {
    let mut bytes = [0; 16];
    rand_bytes(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// A random whole number, most often of 18 or 19 digits, as vendors number their messages.
pub(crate) fn random_number() -> Result<u64, ErrorStack> {
    let mut bytes = [0; 8];
    rand_bytes(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes) / 4)
}

/// A random number in `0.0..1.0`.
pub(crate) fn random_unit() -> Result<f64, ErrorStack> {
    let mut bytes = [0; 4];
    rand_bytes(&mut bytes)?;
    Ok(f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0))
}

fn hmac(digest: MessageDigest, key: &[u8], message: &str) -> Result<Vec<u8>, ErrorStack> {
    Signer::new(digest, PKey::hmac(key)?.as_ref())?.sign_oneshot_to_vec(message.as_bytes())
}

fn encrypt(cipher: Cipher, key: &[u8], iv: &[u8], plain: Plain<'_>) -> Result<Vec<u8>, ErrorStack> {
    // A last byte of 0xff is more than any block size, so never a padding length.
    let block = vec![0xff; cipher.block_size()];
    let (data, padded) = match plain {
        Plain::Text(text) => (text.as_bytes(), true),
        Plain::BadPadding => (block.as_slice(), false),
    };
    let mut crypter = Crypter::new(cipher, Mode::Encrypt, key, Some(iv))?;
    crypter.pad(padded);
    let mut out = vec![0; data.len().saturating_add(cipher.block_size())];
    let mut done = crypter.update(data, &mut out)?;
    done = done.saturating_add(crypter.finalize(out.get_mut(done..).unwrap_or_default())?);
    out.truncate(done);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector `flash_v2_phone_aes` (computed).
    #[test]
    fn flash_v2_phone_aes() {
        let digest = md5_hex("Zk7Qp2Lm").unwrap();
        assert_eq!(digest, "b13edd0838dbf61319911fc321160449");
        let cipher =
            aes_128_cbc(&digest.as_bytes()[..16], &digest.as_bytes()[16..], Plain::Text("13800138000"))
                .unwrap();
        assert_eq!(hex::encode_upper(cipher), "386D256EC02674090204CEAD13DFBC1C");
    }

    /// Vector `flash_v1_phone_des` (computed).
    #[test]
    fn flash_v1_phone_des() {
        let cipher = des_cbc(b"Zk7Qp2Lm", &[1, 2, 3, 4, 5, 6, 7, 8], Plain::Text("13800138000")).unwrap();
        assert_eq!(base64(&cipher), "LoPUatLDV9NxgayfwCD5Lw==");
    }

    /// Vector `mobtech_des_published` (vendor-published).
    #[test]
    fn mobtech_des_published() {
        let cipher =
            des_cbc(b"b89d2427", b"00000000", Plain::Text("b89d2427a3bc7ad1aea1e1e8c1d36bf3")).unwrap();
        assert_eq!(base64(&cipher), "ne5MoL97ZW2kbWVSApn900JeOgjhg3TPGG4hMacY0uVMV/su4HFnvg==");
    }

    #[test]
    fn bad_padding_is_one_block() {
        assert_eq!(des_cbc(b"Zk7Qp2Lm", b"00000000", Plain::BadPadding).unwrap().len(), 8);
        assert_eq!(aes_128_cbc(&[1; 16], &[2; 16], Plain::BadPadding).unwrap().len(), 16);
    }

    #[test]
    fn base64_url_has_no_padding_and_no_reserved_characters() {
        assert_eq!(base64_url(&[0xfb, 0xff, 0xfe, 0x00]), "-__-AA");
    }
}
