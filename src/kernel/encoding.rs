//! Bytes as text: hex, base32 and base64 (RFC 4648). Base32 and base64url, in which our own tokens and ids are
//! written, are read strictly: one text for each value, bits beyond the last byte included.

use base16ct::{lower, mixed, upper};
use base32ct::{Base32Unpadded, Encoding as _};
use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding as _};

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    lower::encode_string(bytes)
}

/// Upper-case hex.
pub fn hex_upper(bytes: &[u8]) -> String {
    upper::encode_string(bytes)
}

/// Reads hex in either case.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    mixed::decode_vec(text).ok()
}

/// Lower-case base32 without padding.
pub fn base32(bytes: &[u8]) -> String {
    Base32Unpadded::encode_string(bytes)
}

/// Reads lower-case base32 without padding.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    // The decoder lets bits beyond the last byte pass.
    Base32Unpadded::decode_vec(text).ok().filter(|bytes| base32(bytes) == text)
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads base64 as providers write it: padded or not, broken into lines or not.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Base64Unpadded::decode_vec(bare.trim_end_matches('=')).ok()
}

/// Base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Reads base64url without padding.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok().filter(|bytes| base64url(bytes) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4648_section_10() {
        assert_eq!(hex(b"foobar"), "666f6f626172");
        assert_eq!(hex_upper(b"fooba\xff"), "666F6F6261FF");
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn reads_back() {
        assert_eq!(from_hex("666F6f").as_deref(), Some(b"foo".as_slice()));
        assert_eq!(from_base32("mzxw6ytb").as_deref(), Some(b"fooba".as_slice()));
        assert_eq!(from_base64(" Zm9v\r\nYmE=\n").as_deref(), Some(b"fooba".as_slice()));
        assert_eq!(from_base64url("-_8").as_deref(), Some([0xfb, 0xff].as_slice()));
    }

    #[test]
    fn one_text_for_each_value() {
        for text in ["-_9", "-_8=", "+/8", "-", "-_ 8"] {
            assert_eq!(from_base64url(text), None, "{text}");
        }
        for text in ["MZXW6YTB", "mzxw6yt", "mzxw6yt1", "mz"] {
            assert_eq!(from_base32(text), None, "{text}");
        }
        assert_eq!(from_hex("666"), None);
    }
}
