//! What the asker passes on to friends: easy to say over the phone, and nobody guesses it.

use std::fmt;

/// Twelve characters of Crockford's base32, 60 bits: `7K4M-9QXR-2BTD`. Only its keyed digest is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase(String);

/// No I, L, O, U: nobody mistakes them for others, or for words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a phrase.
const CHARACTERS: usize = 12;

/// Longest text in which one is looked for, bytes.
const LONGEST: usize = 64;

impl Phrase {
    /// A new phrase of fresh entropy, five bits a byte.
    pub fn from_entropy(bytes: [u8; CHARACTERS]) -> Self {
        let character = |byte: u8| ALPHABET.get(usize::from(byte & 31)).copied().map(char::from);
        Self(bytes.into_iter().filter_map(character).collect())
    }

    /// Reads a phrase as people write what they have heard: in either case, with any blanks and hyphens or none, O for 0 and
    /// I or L for 1. `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut characters = String::new();
        for c in text.chars().filter(|c| !matches!(c, ' ' | '\u{3000}' | '-' | '‐' | '–' | '—' | '－'))
        {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            let is_known = u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
            characters.extend(is_known.then_some(c));
            if !is_known {
                return None;
            }
        }
        (characters.len() == CHARACTERS).then_some(Self(characters))
    }

    /// In the one form of which the digest is made.
    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// In groups, to be read out.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for (at, c) in self.0.chars().enumerate() {
            shown.extend((at > 0 && at % 4 == 0).then_some('-'));
            shown.push(c);
        }
        shown
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phrase]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_over_the_phone_is_read() {
        let phrase = Phrase::from_entropy([0, 1, 31, 30, 10, 20, 255, 33, 18, 17, 24, 16]);
        // Values and characters of Crockford's table: 10 A, 16 G, 17 H, 18 J, 20 M, 24 R, 30 Y, 31 Z.
        assert_eq!(phrase.shown(), "01ZY-AMZ1-JHRG");
        for heard in ["01ZYAMZ1JHRG", "olzy amzi jhrg", " o-l z-y—AMZ1－jhrg ", "OIZY AMZL JHRG"] {
            assert_eq!(Phrase::read(heard), Some(phrase.clone()), "{heard}");
        }
        for other in
            ["", "01ZY-AMZ1-JHR", "01ZY-AMZ1-JHRGG", "U1ZY-AMZ1-JHRG", "01ZY.AMZ1.JHRG", &"0".repeat(100)]
        {
            assert_eq!(Phrase::read(other), None, "{other}");
        }
        assert_eq!(Phrase::read(phrase.canonical()).unwrap().canonical(), phrase.canonical());
        assert_eq!(format!("{phrase:?}"), "[phrase]");
    }

    #[test]
    fn every_value_of_five_bits_has_a_character_of_its_own() {
        let mut all: Vec<u8> = ALPHABET.to_vec();
        all.dedup();
        assert!(all.len() == 32 && all.is_sorted() && !all.iter().any(|byte| b"ILOU".contains(byte)));
    }
}
