//! Settings that are JSON.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::json;

/// Reads a setting that is no secret.
///
/// # Errors
/// What is wrong and where, to stand after the setting's name. The sentence may quote the setting, so secrets
/// have readers of their own.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    json::read_all(text).map_err(|error| format!("cannot be read: {error}"))
}

/// The members of an object, each a list of texts.
pub type Members = Vec<(String, Vec<String>)>;

/// Reads an array of objects, which may hold secrets. `None` for anything else.
pub fn objects(text: &str) -> Option<Vec<Map<String, Value>>> {
    let Ok(Value::Array(items)) = serde_json::from_slice(text.as_bytes()) else { return None };
    let object = |item| match item {
        Value::Object(members) => Some(members),
        _ => None,
    };
    items.into_iter().map(object).collect()
}

/// Reads a setting that may hold secrets: an array of objects whose members are texts or lists of texts. A text is a
/// list of one. `None` for anything else.
pub fn entries(text: &str) -> Option<Vec<Members>> {
    let list = objects(text)?;
    let mut entries = Vec::new();
    for members in list {
        let mut entry = Members::new();
        for (name, value) in members {
            let values = if let Value::Array(values) = value { values } else { vec![value] };
            let mut texts = Vec::new();
            for value in values {
                let Value::String(text) = value else { return None };
                texts.push(text);
            }
            entry.push((name, texts));
        }
        entries.push(entry);
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_error_says_what_and_where() {
        let read = from_json::<BTreeMap<String, u8>>;
        assert_eq!(read(r#"{"a":1}"#).unwrap()["a"], 1);
        let problem = read("{\"a\":1,\n\"b\":}").unwrap_err();
        assert!(problem.contains("line 2"), "{problem}");
    }

    #[test]
    fn entries_are_texts_and_lists_of_texts() {
        let read = entries(r#"[{"a":"1","b":["2","3"]},{}]"#).unwrap();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let expected = vec![("a".to_owned(), texts(&["1"])), ("b".to_owned(), texts(&["2", "3"]))];
        assert_eq!(read, [expected, Vec::new()]);
        for text in ["", "{}", "[1]", r#"[{"a":1}]"#, r#"[{"a":["1",2]}]"#, r#"[{"a":{}}]"#] {
            assert!(entries(text).is_none(), "{text}");
        }
    }
}
