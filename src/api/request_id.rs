//! Ids of requests: the client's, where it is fit for a log, else ours.

use crate::kernel::id::RequestId;

/// The client's id if it is sane, else one made of `fresh`.
pub fn take_or_make(given: Option<&str>, fresh: [u8; 16]) -> String {
    match given {
        Some(id) if is_sane(id) => id.to_owned(),
        _ => RequestId::from_bytes(fresh).to_string(),
    }
}

/// 1 to 64 characters of `A-Z a-z 0-9 . _ -`, and nothing that could be a Chinese mobile number: the id is
/// logged and handed to providers, and logs hold no numbers.
fn is_sane(id: &str) -> bool {
    let clean = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    (1..=64).contains(&id.len()) && clean && !id.split(|c: char| !c.is_ascii_digit()).any(is_number)
}

/// Eleven digits, as they are dialled: bare, or after `0`, `86` or `0086`.
fn is_number(digits: &str) -> bool {
    let dialled = digits.trim_start_matches('0');
    [Some(dialled), dialled.strip_prefix("86")].into_iter().flatten().any(|digits| digits.len() == 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sane_ids_are_taken() {
        let uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        for id in ["order-0001", uuid, "1795132800.7", "1795132800123", &"a".repeat(64)] {
            assert_eq!(take_or_make(Some(id), [0; 16]), id);
        }
        for id in ["", "a b", "a\nb", &"a".repeat(65)] {
            assert!(take_or_make(Some(id), [0; 16]).starts_with("req_"), "{id}");
        }
    }

    #[test]
    fn ids_that_could_be_numbers_are_not() {
        for id in ["13800138000", "x-8613800138000", "013800138000", "tel.008613800138000-1"] {
            assert!(take_or_make(Some(id), [0; 16]).starts_with("req_"), "{id}");
        }
    }
}
