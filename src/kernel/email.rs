//! E-mail addresses, as far as they are needed to name a person.

use super::secret::Secret;

/// An address of the plain form `name@host` (RFC 5321, section 4.1.2: dot-strings only), in lower case: hosts are told
/// apart without regard to case, and no provider of note tells names apart by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(Secret<String>);

/// Longest address (RFC 5321, section 4.5.3.1.3 less the brackets), bytes.
pub const LONGEST: usize = 254;

impl EmailAddress {
    /// Reads an address; `None`: it is none, or of a form that nobody has.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, host) = text.split_once('@')?;
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let is_name = |part: &str| !part.is_empty() && part.chars().all(is_name_char);
        let is_label = |part: &str| {
            let is_sane = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=63).contains(&part.len())
                && part.bytes().all(is_sane)
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let is_address = text.len() <= LONGEST
            && name.len() <= 64
            && name.split('.').all(is_name)
            && host.contains('.')
            && host.split('.').all(is_label);
        is_address.then(|| Self(Secret::new(text.to_ascii_lowercase())))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_and_nothing_else() {
        for (text, address) in [
            ("Xiao.Ming+shop@Example.COM", "xiao.ming+shop@example.com"),
            (" a@b.co ", "a@b.co"),
            ("x@xn--fiqs8s.example", "x@xn--fiqs8s.example"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), address);
        }
        let long = format!("a@{}.example", "b".repeat(64));
        for text in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b@c.example",
            "a b@c.example",
            ".a@b.example",
            "a..b@c.example",
            "a@-b.example",
            "a@b..example",
            "小明@例.example",
            "\"a b\"@c.example",
            "a@[127.0.0.1]",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), None, "{text}");
        }
        assert!(!format!("{:?}", EmailAddress::parse("a@b.example")).contains("b.example"));
    }
}
