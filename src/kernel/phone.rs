//! Phone numbers in E.164.

use std::fmt;

use super::secret::Secret;

/// A possible phone number in E.164 (`+8613800138000`); for country code 86 a mobile number (`1[3-9]` and
/// nine digits, <https://www.itu.int/oth/T020200002C>). Never printed: `Debug` is redacted and there is no
/// `Display`; use [`PhoneNumber::masked`] for people and [`PhoneNumber::e164`] for the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(Secret<String>);

/// Why a text is not a phone number we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneError {
    /// Not `+` and 8 to 15 digits (ITU-T E.164), nor eleven bare digits.
    NotPossible,
    /// A number of China (+86) that is not a mobile number.
    NotMobile,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPossible => "is not a phone number in E.164, such as +8613800138000",
            Self::NotMobile => "is not a mobile number",
        })
    }
}

impl PhoneNumber {
    /// Reads E.164, or a bare 11-digit Chinese mobile number, which becomes `+86...`.
    ///
    /// # Errors
    /// [`PhoneError`]; the text is not kept in it.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = match text.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None if text.len() == 11 && text.starts_with('1') => format!("86{text}"),
            None => return Err(PhoneError::NotPossible),
        };
        let possible = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !possible {
            return Err(PhoneError::NotPossible);
        }
        if let Some(national) = digits.strip_prefix("86")
            && !is_chinese_mobile(national)
        {
            return Err(PhoneError::NotMobile);
        }
        Ok(Self(Secret::new(format!("+{digits}"))))
    }

    /// Reads what a Chinese carrier or vendor answers: eleven digits, perhaps with `86` or `+86` before them.
    ///
    /// # Errors
    /// [`PhoneError::NotMobile`] for anything else.
    pub fn from_carrier(text: &str) -> Result<Self, PhoneError> {
        let text = text.trim();
        let bare = if text.len() == 13 { text.strip_prefix("86") } else { text.strip_prefix("+86") };
        let national = bare.unwrap_or(text);
        if is_chinese_mobile(national) { Self::parse(national) } else { Err(PhoneError::NotMobile) }
    }

    /// The number in E.164.
    pub fn e164(&self) -> &str {
        self.0.expose()
    }

    /// The eleven digits of a Chinese mobile number; `None` for other countries.
    pub fn chinese_national(&self) -> Option<&str> {
        self.e164().strip_prefix("+86")
    }

    /// The number for people: the four digits before the last four hidden (`+86138****8000`), for numbers
    /// under ten digits all but the first two and last two.
    pub fn masked(&self) -> String {
        let text = self.e164();
        let (from, to) = if text.len() > 10 {
            (text.len().saturating_sub(8), text.len().saturating_sub(4))
        } else {
            (3, text.len().saturating_sub(2))
        };
        text.char_indices().map(|(at, c)| if (from..to).contains(&at) { '*' } else { c }).collect()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phone]")
    }
}

fn is_chinese_mobile(national: &str) -> bool {
    let bytes = national.as_bytes();
    bytes.len() == 11
        && bytes.first() == Some(&b'1')
        && bytes.get(1).is_some_and(|b| (b'3'..=b'9').contains(b))
        && bytes.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_one_form() {
        for text in ["+8613800138000", "13800138000"] {
            assert_eq!(PhoneNumber::parse(text).unwrap().e164(), "+8613800138000");
        }
        for text in ["13800138000", "8613800138000", "+8613800138000", " 13800138000\n"] {
            assert_eq!(PhoneNumber::from_carrier(text).unwrap().e164(), "+8613800138000");
        }
        assert_eq!(PhoneNumber::parse("+14155550100").unwrap().e164(), "+14155550100");
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "+",
            "138001380",
            "+0613800138000",
            "+86 13800138000",
            "+1234567890123456",
            "abc",
            "１３８００１３８０００",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotPossible), "{text}");
        }
        for text in ["+8612800138000", "+861380013800", "+8602112345678", "+86138001380001"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotMobile), "{text}");
        }
        for text in ["", "0", "+14155550100", "1380013800O", "not a phone"] {
            assert_eq!(PhoneNumber::from_carrier(text), Err(PhoneError::NotMobile), "{text}");
        }
    }

    #[test]
    fn masks_and_hides() {
        let phone = PhoneNumber::parse("13800138000").unwrap();
        assert_eq!(phone.masked(), "+86138****8000");
        assert_eq!(PhoneNumber::parse("+35312345").unwrap().masked(), "+35****45");
        assert_eq!(format!("{phone:?}"), "[phone]");
    }
}
