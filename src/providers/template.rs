//! Texts with holes: `{name}` and `{name[a..b]}`, the only expressions a provider document has.
//!
//! A name stands for a setting of ours, a credential field of the client, a derived value or a built-in one. A
//! range takes characters `a` (inclusive) to `b` (exclusive). Shared with the build script: std and serde only.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// A hole that has nothing to fill it: no such value, or one too short for the range. Holds the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled(pub String);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Hole),
}

/// One `{name}` or `{name[a..b]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Whose value goes here.
    pub name: String,
    /// First character and the one after the last; the whole value when absent.
    pub range: Option<(usize, usize)>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            let (text, tail) = rest.split_at(rest.find(['{', '}']).unwrap_or(rest.len()));
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            if tail.is_empty() {
                break;
            }
            let (hole, tail) = tail
                .strip_prefix('{')
                .and_then(|tail| tail.split_once('}'))
                .ok_or_else(|| format!("\"{source}\" has an unmatched brace"))?;
            parts.push(Part::Hole(Hole::parse(hole).ok_or_else(|| {
                format!("\"{source}\": {{{hole}}} is neither {{name}} nor {{name[a..b]}} with a < b")
            })?));
            rest = tail;
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The template as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The holes in their order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(hole) => Some(hole),
        })
    }

    /// Characters of the result, when the length of every value that is used whole is known.
    pub fn length(&self, known: impl Fn(&str) -> Option<usize>) -> Option<usize> {
        self.parts.iter().try_fold(0_usize, |sum, part| {
            let length = match part {
                Part::Text(text) => text.chars().count(),
                Part::Hole(Hole { range: Some((from, to)), .. }) => to.saturating_sub(*from),
                Part::Hole(hole) => known(&hole.name)?,
            };
            Some(sum.saturating_add(length))
        })
    }

    /// Fills the holes.
    ///
    /// # Errors
    /// The first hole that cannot be filled.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, Unfilled> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Hole(hole) => {
                    let value = value(&hole.name).ok_or_else(|| Unfilled(hole.name.clone()))?;
                    out.push_str(hole.cut(value).ok_or_else(|| Unfilled(hole.name.clone()))?);
                }
            }
        }
        Ok(out)
    }
}

impl Hole {
    fn parse(text: &str) -> Option<Self> {
        let (name, range) = match text.strip_suffix(']') {
            None => (text, None),
            Some(text) => {
                let (name, range) = text.split_once('[')?;
                let (from, to) = range.split_once("..")?;
                let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                (name, (from < to).then_some((from, to)))
            }
        };
        let ranged_well = range.is_some() || !text.ends_with(']');
        (is_name(name) && ranged_well).then(|| Self { name: name.to_owned(), range })
    }

    fn cut<'v>(&self, value: &'v str) -> Option<&'v str> {
        let Some((from, to)) = self.range else { return Some(value) };
        // Byte offset of a character, or of the end.
        let offset = |at: usize| value.char_indices().map(|(offset, _)| offset).chain([value.len()]).nth(at);
        value.get(offset(from)?..offset(to)?)
    }
}

/// Whether a text can be a name: a letter, then letters, digits and `_`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(source: String) -> Result<Self, String> {
        Self::parse(&source)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.source
    }
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, Unfilled> {
        Template::parse(source).unwrap().render(|name| match name {
            "key" => Some("0123456789abcdef"),
            "name" => Some("张三丰"),
            _ => None,
        })
    }

    #[test]
    fn fills_holes() {
        for (source, result) in [
            ("", ""),
            ("plain", "plain"),
            ("{key}", "0123456789abcdef"),
            ("<{key[0..2]}|{key[14..16]}>", "<01|ef>"),
            ("{name[1..3]}", "三丰"),
        ] {
            assert_eq!(render(source).as_deref(), Ok(result), "{source}");
        }
    }

    #[test]
    fn says_which_hole_stays_empty() {
        assert_eq!(render("{key}{other}"), Err(Unfilled("other".into())));
        assert_eq!(render("{key[0..17]}"), Err(Unfilled("key".into())));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for source in [
            "{",
            "}",
            "{}",
            "{a",
            "a}",
            "{a b}",
            "{1a}",
            "{md5(a)}",
            "{a[}",
            "{a[1]}",
            "{a[2..2]}",
            "{a[..2]}",
            "{a[-1..2]}",
            "{a[0..1]b}",
            "{{a}}",
        ] {
            assert!(Template::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn knows_lengths() {
        let length =
            |source: &str| Template::parse(source).unwrap().length(|name| (name == "eight").then_some(8));
        assert_eq!(length("ab{eight}{other[0..3]}"), Some(13));
        assert_eq!(length("{other}"), None);
    }
}
