//! Which passwords may be set. After NIST SP 800-63B-4, 3.1.1.2: a least length and lists, no rules of composition.

use crate::kernel::{country::country_code, digest::sha256, password::Password};

/// Longest password, characters. NIST asks for 64 at least.
pub const MOST_CHARACTERS: usize = 128;

/// Characters around an identifier that make no password of it.
const ADDED: usize = 3;

/// Why a password cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer characters than the least.
    TooShort,
    /// More than [`MOST_CHARACTERS`].
    TooLong,
    /// One of the passwords that are tried first.
    Common,
    /// What others know of the person, or the name of the app.
    Personal,
}

/// The passwords that are tried first, of eight characters and more: 24 bits of SHA-256 each, ascending, as differences
/// of 16 bits. One in 16,000 other passwords is taken for one of them. `build.rs` makes it of `password/common.txt`.
static COMMON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/common_passwords.bin"));

/// Whether a password may be set. `least` is its least length, every code point counting as one character; `about` are
/// the person's identifiers (number in E.164, address, user name) and the name of the app. Compared is the password as
/// a whole, in whatever case; it is also [`Weakness::Personal`] when it is a part of an identifier (a number without its
/// country code, the name in an address), or one with up to three characters more.
///
/// # Errors
/// [`Weakness`].
pub fn check(password: &Password, least: usize, about: &[&str]) -> Result<(), Weakness> {
    let text = password.normal().expose().as_str();
    let characters = text.chars().count();
    if characters < least {
        return Err(Weakness::TooShort);
    }
    if characters > MOST_CHARACTERS {
        return Err(Weakness::TooLong);
    }
    let text = text.to_ascii_lowercase();
    if is_common(&text) {
        return Err(Weakness::Common);
    }
    let is_personal = |known: &str| {
        let known = known.to_ascii_lowercase();
        let is_short = text.len() <= known.len().saturating_add(ADDED);
        known.contains(&text) || !known.is_empty() && is_short && text.contains(&known)
    };
    // A number is known without its country code too, and an address without its host.
    let forms = about.iter().flat_map(|known| {
        let national = known.strip_prefix('+').and_then(|digits| digits.strip_prefix(country_code(known)));
        let name = known.split_once('@').map(|(name, _)| name);
        [Some(*known), national, name].into_iter().flatten()
    });
    if forms.into_iter().any(is_personal) { Err(Weakness::Personal) } else { Ok(()) }
}

fn is_common(text: &str) -> bool {
    let digest = sha256(text.as_bytes()).into_iter().take(3).fold(0, |sum, byte| sum << 8 | u32::from(byte));
    let mut sum = 0_u32;
    COMMON.as_chunks().0.iter().any(|step| {
        sum = sum.saturating_add(u16::from_be_bytes(*step).into());
        sum == digest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::Secret;

    fn checked(text: &str, about: &[&str]) -> Result<(), Weakness> {
        check(&Password::new(Secret::new(String::new()), Secret::new(text.to_owned())), 8, about)
    }

    #[test]
    fn every_character_counts_as_one() {
        assert_eq!(checked("7-tnrkx", &[]), Err(Weakness::TooShort));
        assert_eq!(checked("7-tnrkxq", &[]), Ok(()));
        assert_eq!(
            checked("\u{7b2c}\u{4e00}\u{4e2a}\u{5bc6}\u{7801}\u{4e0d}\u{957f}", &[]),
            Err(Weakness::TooShort)
        );
        assert_eq!(checked(&"\u{1f40e}".repeat(MOST_CHARACTERS), &[]), Ok(()));
        assert_eq!(checked(&"\u{1f40e}".repeat(MOST_CHARACTERS + 1), &[]), Err(Weakness::TooLong));
    }

    #[test]
    fn what_most_people_have_is_refused_in_whatever_case() {
        let list = include_str!("password/common.txt");
        let words: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.len() > 1000);
        for word in words {
            assert_eq!(checked(word, &[]), Err(Weakness::Common), "{word}");
            assert_eq!(checked(&word.to_ascii_uppercase(), &[]), Err(Weakness::Common), "{word}");
        }
    }

    #[test]
    fn what_nobody_has_passes() {
        for number in 0..2000 {
            assert_eq!(checked(&format!("tnrkx-{number}-qumbelhof"), &[]), Ok(()));
        }
    }

    #[test]
    fn what_others_know_is_refused() {
        let about = ["+8613800138000", "Xiao.Ming@example.com", "xiaoming77", "OneTap", ""];
        for text in [
            "13800138000",
            "00138000",
            "x13800138000yy",
            "xiao.ming99",
            "8613800138000",
            "xiao.ming",
            "XiaoMing77",
            "1xiaoming77",
            "xiaoming77!!!",
            "onetap12",
            "12ONETAP",
        ] {
            assert_eq!(checked(text, &about), Err(Weakness::Personal), "{text}");
        }
        for text in ["xiaoming77 rides", "onetap and more", "99138000"] {
            assert_eq!(checked(text, &about), Ok(()), "{text}");
        }
    }
}
