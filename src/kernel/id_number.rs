//! Chinese ID numbers (公民身份号码, GB 11643).

use super::{secret::Secret, time::Timestamp};

/// An ID number of a citizen: 18 characters, the last one a check on the others.
#[derive(Debug, Clone)]
pub struct IdNumber(Secret<String>);

/// Characters of an ID number. Those of 15, before 1999, are good no more.
const CHARACTERS: usize = 18;

/// The check characters by what the weighted sum leaves, divided by 11 (ISO 7064, MOD 11-2).
const CHECKS: &[u8; 11] = b"10X98765432";

impl IdNumber {
    /// Reads an ID number: region, date of birth, sequence, check. Whether anybody has it is another matter.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let (digits, check) = text.split_at_checked(CHARACTERS.saturating_sub(1))?;
        let is_plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let mut left = 0_usize;
        for digit in digits.bytes().filter(u8::is_ascii_digit) {
            // Horner's scheme: each digit weighs twice the one after it.
            left = left.saturating_add(usize::from(digit.saturating_sub(b'0'))).saturating_mul(2);
        }
        let expected = left.checked_rem(11).and_then(|left| CHECKS.get(left))?;
        let (year, month, day) = (digits.get(6..10)?, digits.get(10..12)?, digits.get(12..14)?);
        Timestamp::from_rfc3339(&format!("{year}-{month}-{day}T00:00:00Z"))?;
        (is_plain && check.as_bytes() == [*expected]).then(|| Self(Secret::new(text)))
    }

    /// The number, with an upper-case X.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_and_the_date_are_looked_at() {
        // The examples of GB 11643-1999, annex A, and GB/T 17710: 11010519491231002X and 440524188001010014.
        for good in ["11010519491231002X", "11010519491231002x", "440524188001010014"] {
            let number = IdNumber::parse(good).unwrap();
            assert_eq!(number.expose(), good.to_ascii_uppercase());
            assert!(!format!("{number:?}").contains("1949"));
        }
        for bad in [
            "",
            "110105491231002",     // of 15
            "110105194912310021",  // check
            "11010519491231003X",  // a digit
            "11010519491231020X",  // two exchanged
            "44052418800101001",   // short
            "4405241880010100144", // long
            "110105194902310026",  // 31 February; its check is right
            "A1010519491231002X",
            "１１０１０５１９４９１２３１００２",
        ] {
            assert!(IdNumber::parse(bad).is_none(), "{bad}");
        }
        for at in 0..17 {
            let mut changed = "11010519491231002X".as_bytes().to_vec();
            changed[at] = if changed[at] == b'9' { b'0' } else { changed[at] + 1 };
            assert!(IdNumber::parse(std::str::from_utf8(&changed).unwrap()).is_none(), "at {at}");
        }
    }
}
