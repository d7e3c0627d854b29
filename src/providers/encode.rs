//! How fields become a body or a query, and how a query or form becomes fields.

use serde_json::{Map, Value};

use crate::kernel::json;

/// `name=value&...` percent-encoded as RFC 3986 wants it: all but letters, digits and `-._~`.
pub(super) fn query(fields: &[(String, String)]) -> String {
    pairs(fields, percent)
}

/// The body of `application/x-www-form-urlencoded` (WHATWG URL standard, section 5.2).
pub(super) fn form(fields: &[(String, String)]) -> String {
    pairs(fields, |text| percent(text).replace("%20", "+").replace('~', "%7E").replace("%2A", "*"))
}

/// A JSON object of strings; dots in names nest, parts that count from 0 make arrays. The text of a `raw` field
/// is JSON already.
pub(super) fn json(fields: &[(String, String)], raw: &[String]) -> String {
    let mut root = Map::new();
    for (name, text) in fields {
        let (path, last) =
            name.rsplit_once('.').map_or((None, name.as_str()), |(path, last)| (Some(path), last));
        let mut object = &mut root;
        for part in path.into_iter().flat_map(|path| path.split('.')) {
            let slot = object.entry(part).or_insert_with(|| Value::Object(Map::new()));
            // A document whose field is both a value and an object does not pass its checks.
            let Value::Object(inner) = slot else { return String::new() };
            object = inner;
        }
        let parsed = raw.contains(name).then(|| serde_json::from_slice(text.as_bytes()).ok()).flatten();
        object.insert(last.to_owned(), parsed.unwrap_or_else(|| Value::String(text.clone())));
    }
    let mut root = Value::Object(root);
    make_arrays(&mut root);
    json::text(&root)
}

fn make_arrays(value: &mut Value) {
    let Value::Object(object) = value else { return };
    object.values_mut().for_each(make_arrays);
    let counts = !object.is_empty() && (0..object.len()).all(|at| object.contains_key(&at.to_string()));
    if counts {
        let items = (0..object.len()).filter_map(|at| object.remove(&at.to_string())).collect();
        *value = Value::Array(items);
    }
}

/// The names and values of a query or of a body in `application/x-www-form-urlencoded`. What is not well
/// encoded stays as it is.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, tail @ ..] if *first == b'%' => from_hex_digits(*high, *low).map(|byte| (byte, tail)),
            _ => None,
        };
        let plain = if *first == b'+' { b' ' } else { *first };
        let (byte, tail) = escaped.unwrap_or((plain, tail));
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn from_hex_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

/// Names and values one after the other, without separators.
pub(super) fn key_value(fields: &[(String, String)]) -> String {
    fields.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect()
}

/// RFC 3986 percent-encoding of everything but unreserved characters.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn pairs(fields: &[(String, String)], encode: impl Fn(&str) -> String) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    // Python 3: urllib.parse.quote(text, safe="-_.~") and urllib.parse.quote_plus(text, safe="*") with ~ encoded.
    #[test]
    fn percent_encodings() {
        let fields = fields(&[("a b", "测+/=&*~")]);
        assert_eq!(query(&fields), "a%20b=%E6%B5%8B%2B%2F%3D%26%2A~");
        assert_eq!(form(&fields), "a+b=%E6%B5%8B%2B%2F%3D%26*%7E");
    }

    #[test]
    fn json_nests_at_dots() {
        let text = json(&fields(&[("body.token", "\"t\""), ("header.appId", "1"), ("plain", "2")]), &[]);
        let expected =
            serde_json::json!({"header": {"appId": "1"}, "body": {"token": "\"t\""}, "plain": "2"});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn json_knows_arrays_and_json_inside() {
        let raw = ["set", "broken"].map(str::to_owned);
        let text = json(
            &fields(&[("a.0", "x"), ("a.1", "y"), ("b.1", "z"), ("set", "[\"1\"]"), ("broken", "[")]),
            &raw,
        );
        let expected = serde_json::json!({"a": ["x", "y"], "b": {"1": "z"}, "set": ["1"], "broken": "["});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn forms_are_read_as_the_standard_wants_it() {
        for text in ["", "&", "a=1&b=%E6%B5%8B+%2B&c&=d", "a=%&b=%4&c=%zz", "a=b=c&%41=1", "x=%FF"] {
            let expected: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
