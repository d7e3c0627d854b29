//! How fields become a body or a query.

use serde_json::{Map, Value};

/// `name=value&...` percent-encoded as RFC 3986 wants it: all but letters, digits and `-._~`.
pub(super) fn query(fields: &[(String, String)]) -> String {
    pairs(fields, percent)
}

/// The body of `application/x-www-form-urlencoded` (WHATWG URL standard, section 5.2).
pub(super) fn form(fields: &[(String, String)]) -> String {
    pairs(fields, |text| percent(text).replace("%20", "+").replace('~', "%7E").replace("%2A", "*"))
}

/// A JSON object of strings; dots in names nest.
pub(super) fn json(fields: &[(String, String)]) -> String {
    let mut root = Map::new();
    for (name, value) in fields {
        let (path, last) =
            name.rsplit_once('.').map_or((None, name.as_str()), |(path, last)| (Some(path), last));
        let mut object = &mut root;
        for part in path.into_iter().flat_map(|path| path.split('.')) {
            let slot = object.entry(part).or_insert_with(|| Value::Object(Map::new()));
            // A document whose field is both a value and an object does not pass its checks.
            let Value::Object(inner) = slot else { return String::new() };
            object = inner;
        }
        object.insert(last.to_owned(), Value::String(value.clone()));
    }
    Value::Object(root).to_string()
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
        let text = json(&fields(&[("body.token", "\"t\""), ("header.appId", "1"), ("plain", "2")]));
        let expected =
            serde_json::json!({"header": {"appId": "1"}, "body": {"token": "\"t\""}, "plain": "2"});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }
}
