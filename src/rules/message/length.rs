//! How much one SMS holds.

/// The basic alphabet of GSM 03.38 (3GPP TS 23.038 section 6.2.1), in its order, without the escape at 0x1B.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table (section 6.2.1.1): an escape and the character.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// A text as the network counts it. One message carries 140 bytes, in either alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Characters of seven bits.
    Gsm(usize),
    /// UTF-16 units, because of a character that GSM 03.38 does not have.
    Ucs2(usize),
}

impl Length {
    /// Counts.
    pub(super) fn of(text: &str) -> Self {
        let septets = text.chars().try_fold(0_usize, |sum, c| {
            let septets = if BASIC.contains(c) {
                1
            } else if EXTENSION.contains(c) {
                2
            } else {
                return None;
            };
            sum.checked_add(septets)
        });
        septets.map_or_else(|| Self::Ucs2(text.encode_utf16().count()), Self::Gsm)
    }

    /// Whether it is one message.
    pub(super) const fn fits(self) -> bool {
        let (count, most, _) = self.in_one_message();
        count <= most
    }

    /// How many of how many there may be, and of what.
    pub(super) const fn in_one_message(self) -> (usize, usize, &'static str) {
        match self {
            Self::Gsm(count) => (count, 160, "characters of GSM 03.38"),
            Self::Ucs2(count) => (count, 70, "UTF-16 units, for it has characters outside GSM 03.38"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        let at = |code: usize| BASIC.chars().nth(if code > 0x1b { code - 1 } else { code }).unwrap();
        assert_eq!(BASIC.chars().count(), 127);
        for (code, c) in [
            (0x00, '@'),
            (0x01, '£'),
            (0x09, 'Ç'),
            (0x0a, '\n'),
            (0x0d, '\r'),
            (0x10, 'Δ'),
            (0x11, '_'),
            (0x1a, 'Ξ'),
            (0x1c, 'Æ'),
            (0x1f, 'É'),
            (0x24, '¤'),
            (0x40, '¡'),
            (0x5b, 'Ä'),
            (0x5f, '§'),
            (0x60, '¿'),
            (0x7b, 'ä'),
            (0x7f, 'à'),
        ] {
            assert_eq!(at(code), c, "{code:#x}");
        }
        // Where ASCII and GSM agree.
        for code in (0x20..=0x7a_u8).filter(|code| ![0x24, 0x40, 0x60].contains(code)) {
            if !(0x5b..=0x60).contains(&code) {
                assert_eq!(at(usize::from(code)), char::from(code));
            }
        }
    }

    #[test]
    fn counts_as_the_network_does() {
        for (text, length) in [
            ("", Length::Gsm(0)),
            ("@login.example #123456", Length::Gsm(22)),
            ("[5 €]", Length::Gsm(8)),
            ("`", Length::Ucs2(1)),
            ("【一点通】", Length::Ucs2(5)),
            ("ok 👍", Length::Ucs2(5)),
            ("ç", Length::Ucs2(1)),
            ("\u{1b}", Length::Ucs2(1)),
        ] {
            assert_eq!(Length::of(text), length, "{text}");
        }
    }
}
