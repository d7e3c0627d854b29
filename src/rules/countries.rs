//! To which numbers messages go: countries by their code, parts of them by a longer prefix.

use crate::kernel::phone::PhoneNumber;

/// The countries served. China alone by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countries(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    prefix: String,
    is_served: bool,
}

impl Default for Countries {
    fn default() -> Self {
        Self(vec![Entry { prefix: "86".to_owned(), is_served: true }])
    }
}

impl Countries {
    /// Reads a comma list of E.164 country codes or longer prefixes; `!` takes a part away (`1,!1876`: North America
    /// without Jamaica, which shares its code).
    ///
    /// # Errors
    /// One sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let entry = |text: &str| {
            let text = text.trim();
            let (prefix, is_served) = text.strip_prefix('!').map_or((text, true), |prefix| (prefix, false));
            let is_sane = (1..=7).contains(&prefix.len())
                && prefix.bytes().all(|b| b.is_ascii_digit())
                && !prefix.starts_with('0');
            is_sane.then(|| Entry { prefix: prefix.to_owned(), is_served })
        };
        let entries: Option<Vec<Entry>> = text.split(',').map(entry).collect();
        entries.map(Self).ok_or_else(|| {
            "is not a comma list of E.164 country codes or prefixes, such as 86,852 or 1,!1876".to_owned()
        })
    }

    /// Whether messages go to a number: the longest entry that fits decides.
    pub fn serve(&self, phone: &PhoneNumber) -> bool {
        let digits = phone.e164().trim_start_matches('+');
        let fitting = self.0.iter().filter(|entry| digits.starts_with(&entry.prefix));
        fitting.max_by_key(|entry| entry.prefix.len()).is_some_and(|entry| entry.is_served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_decides() {
        let serves = |list: &str, phone: &str| {
            Countries::read(list).unwrap().serve(&PhoneNumber::parse(phone).unwrap())
        };
        assert!(serves("86,852", "13800138000") && serves("86, 852", "+85251234567"));
        assert!(!serves("86", "+85251234567") && !serves("852", "13800138000"));
        let list = "1,!1876,!1268";
        assert!(serves(list, "+14155550100"));
        assert!(!serves(list, "+18765550100") && !serves(list, "+12684641234"));
        assert!(serves("1876", "+18765550100") && !serves("1876", "+14155550100"));
        for wrong in ["", "86,", "0086", "+86", "!", "12345678", "eight"] {
            assert!(Countries::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Countries::default(), Countries::read("86").unwrap());
    }
}
