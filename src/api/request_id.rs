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
    let mut runs = id.split(|c: char| !c.is_ascii_digit());
    (1..=64).contains(&id.len()) && clean && !runs.any(|run| run.len() == 11 || run.len() == 13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sane_ids_are_taken() {
        for id in ["order-0001", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "1795132800.7", &"a".repeat(64)] {
            assert_eq!(take_or_make(Some(id), [0; 16]), id);
        }
        for id in ["", "a b", "13800138000", "x-8613800138000", "a\nb", &"a".repeat(65)] {
            assert!(take_or_make(Some(id), [0; 16]).starts_with("req_"), "{id}");
        }
    }
}
