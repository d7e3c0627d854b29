//! What the first digits of a number tell.

/// The E.164 country code of a number (`+85261234567` -> `852`); for a text with fewer digits than its code
/// would have, all of them. The plus may be missing.
///
/// One to three digits, no code is the beginning of another (ITU-T E.164, and the list of assigned codes,
/// <https://www.itu.int/pub/T-SP-E.164D>). Spare codes have three digits.
pub fn country_code(e164: &str) -> &str {
    let digits = e164.strip_prefix('+').unwrap_or(e164);
    let length = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

/// The range of numbers that one looks at for pumping: in China the four digits that name carrier and block
/// (`+861380`), elsewhere country code and three digits (`+1415`).
pub fn prefix(e164: &str) -> String {
    let digits = e164.strip_prefix('+').unwrap_or(e164);
    let code = country_code(digits);
    let length = if code == "86" { 6 } else { code.len().saturating_add(3) };
    format!("+{}", digits.get(..length).unwrap_or(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the list of assigned codes; 1 and 7 are the only ones of one digit.
    const TWO_DIGITS: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 \
                              61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
    const THREE_DIGITS: &str = "211 212 213 216 218 220 233 234 254 255 260 263 290 298 350 351 353 358 370 \
                                380 385 386 420 421 423 500 501 509 590 595 598 670 673 679 682 692 800 808 \
                                850 852 853 855 856 870 878 880 881 882 883 886 888 960 966 971 972 977 979 \
                                992 998";

    #[test]
    fn every_number_has_the_code_of_its_country() {
        for code in ["1", "7"].into_iter().chain(TWO_DIGITS.split(' ')).chain(THREE_DIGITS.split(' ')) {
            for rest in ["00000000", "13800138", "99999999"] {
                assert_eq!(country_code(&format!("+{code}{rest}")), code);
            }
        }
        let two = (10..=99).filter(|code| country_code(&format!("+{code}5550100")).len() == 2).count();
        assert_eq!(two, TWO_DIGITS.split(' ').count());
    }

    #[test]
    fn prefixes_tell_blocks_apart() {
        for (number, prefix) in [
            ("+8613800138000", "+861380"),
            ("+14155550100", "+1415"),
            ("+85261234567", "+852612"),
            ("+447700900123", "+44770"),
        ] {
            assert_eq!(super::prefix(number), prefix);
        }
    }

    #[test]
    fn a_text_that_is_too_short_is_given_back() {
        for text in ["", "8", "35"] {
            assert_eq!(country_code(text), text);
            assert_eq!(prefix(text), format!("+{text}"));
        }
    }
}
