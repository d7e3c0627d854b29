//! JSON of our own making: operations, outcomes, documents, provider documents.
//!
//! `serde_json` can read every type from text, but brings for each of them code to parse text, to accept structs
//! written as arrays and to word what is wrong with them. There are a hundred types and nobody reads the words, so
//! here a type is read from a tree, structs are objects, and an error is just that: a tenth of the Worker. A struct
//! asks for its fields in their order, since whoever meets members in any order must know every name twice. It may
//! have no `alias`, and nothing is said about members that it does not know.
//!
//! The tree is lent, not given: who reads takes out what he needs, texts without copying them, and leaves nothing in
//! its place. So nobody has a rest to drop, and what is left was unknown.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::fault::Fault;

mod tree;
mod writer;

use tree::{NOTE, Tree};
use writer::Writer;

/// Reads a value from JSON; `None` for anything else.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    from_value(serde_json::from_slice(json).ok()?)
}

/// Reads a value from a tree; `None` for anything else.
pub fn from_value<T: DeserializeOwned>(mut tree: Value) -> Option<T> {
    T::deserialize(Tree(Some(&mut tree))).ok()
}

/// Reads a value that people wrote, whose every member means something to its type.
///
/// # Errors
/// What is wrong and where.
pub fn read_all<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    let mut tree: Value = serde_json::from_slice(json.as_bytes())
        .map_err(|error| format!("it is no JSON at line {}, column {}", error.line(), error.column()))?;
    let Ok(value) = T::deserialize(Tree(Some(&mut tree))) else {
        return Err(match noted(&tree) {
            Some(name) => format!("\"{name}\" is missing or not as it must be"),
            None => "it is of another type".to_owned(),
        });
    };
    match unread(&tree, "") {
        Some(name) => Err(format!("\"{name}\" is unknown")),
        None => Ok(value),
    }
}

/// The innermost member that was not as it must be.
fn noted(value: &Value) -> Option<&str> {
    match value {
        Value::Array(items) => items.iter().find_map(noted),
        Value::Object(members) => {
            members.values().find_map(noted).or_else(|| members.get(NOTE).and_then(Value::as_str))
        }
        _ => None,
    }
}

/// The name of the first member that nobody took; `name` is that of the value itself.
fn unread<'t>(value: &'t Value, name: &'t str) -> Option<&'t str> {
    match value {
        Value::Null => None,
        Value::Array(items) if !items.is_empty() => items.iter().find_map(|item| unread(item, name)),
        Value::Object(members) if !members.is_empty() => {
            members.iter().find_map(|(name, value)| unread(value, name))
        }
        _ => Some(name),
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// [`Fault`]: it has fractions, or a map whose keys are no texts.
pub fn write(value: &impl Serialize) -> Result<String, Fault> {
    let mut writer = Writer::default();
    value.serialize(&mut writer).map_err(|_| Fault::new("value_does_not_serialise"))?;
    Ok(writer.text)
}

/// A tree as JSON.
pub fn text(tree: &Value) -> String {
    serde_json::to_string(tree).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Nothing,
        One(i64),
        Pair(u8, String),
        Named { a: Option<bool>, b: Vec<Self> },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(String);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Whole {
        wrapped: Wrapped,
        shapes: Vec<Shape>,
        map: BTreeMap<String, (i32, u64)>,
        #[serde(default)]
        absent: Option<u8>,
    }

    fn whole() -> Whole {
        let named = Shape::Named { a: Some(true), b: vec![Shape::Nothing, Shape::One(-7)] };
        Whole {
            wrapped: Wrapped("一 \" \\ \u{0}".to_owned()),
            shapes: vec![named, Shape::Pair(255, String::new())],
            map: BTreeMap::from([("x".to_owned(), (-1, u64::MAX))]),
            absent: None,
        }
    }

    // serde_json is the other implementation.
    #[test]
    fn what_serde_json_writes_is_read_as_serde_json_reads_it() {
        let json = serde_json::to_vec(&whole()).unwrap();
        assert_eq!(read::<Whole>(&json), Some(whole()));
        assert_eq!(read::<Whole>(&json), serde_json::from_slice(&json).ok());
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_serde_json_writes(
            text in any::<String>(),
            numbers in any::<(i64, u64, i32, u8)>(),
            flag in any::<Option<bool>>(),
            pairs in prop::collection::btree_map("[ -~\\u{0}-\\u{20}一]{0,3}", any::<(i32, u64)>(), 0..4),
        ) {
            let (signed, unsigned, small, byte) = numbers;
            let named = Shape::Named { a: flag, b: vec![Shape::Nothing, Shape::One(signed), Shape::Pair(byte, text.clone())] };
            let shapes = vec![named, Shape::Named { a: None, b: Vec::new() }];
            let whole = Whole { wrapped: Wrapped(text), shapes, map: pairs, absent: Some(byte) };
            prop_assert_eq!(write(&whole).unwrap(), serde_json::to_string(&whole).unwrap());
            let others = ((), 'x', [small], Some((unsigned,)), None::<u8>);
            prop_assert_eq!(write(&others).unwrap(), serde_json::to_string(&others).unwrap());
            let empty = (BTreeMap::<String, u8>::new(), BTreeMap::from([("x", Vec::<u8>::new())]));
            prop_assert_eq!(write(&empty).unwrap(), serde_json::to_string(&empty).unwrap());
        }
    }

    #[test]
    fn what_no_type_of_ours_has_is_not_written() {
        assert!(write(&1.5).is_err());
        assert!(write(&BTreeMap::from([(1, 1)])).is_err());
    }

    #[test]
    fn what_is_not_of_the_type_is_none() {
        for json in [
            "",
            "{",
            "null",
            "[1]",
            "{}",
            r#"{"wrapped":1,"shapes":[],"map":{}}"#,
            r#"{"wrapped":"","shapes":["one"],"map":{}}"#,
            r#"{"wrapped":"","shapes":[{"nothing":1}],"map":{}}"#,
            r#"{"wrapped":"","shapes":[{}],"map":{}}"#,
            r#"{"wrapped":"","shapes":["other"],"map":{}}"#,
            r#"{"wrapped":"","shapes":[],"map":{"x":[1]}}"#,
            r#"{"wrapped":"","shapes":[],"map":{"x":[1,-1]}}"#,
            r#"{"wrapped":"","shapes":[],"map":{},"absent":256}"#,
            r#"{"wrapped":"","shapes":[],"map":{"x":[1,1.5]}}"#,
        ] {
            assert_eq!(read::<Whole>(json.as_bytes()), None, "{json}");
            assert!(serde_json::from_slice::<Whole>(json.as_bytes()).is_err(), "{json}");
        }
        // Unknown members are left alone, as documents of a newer build may have them.
        assert!(read::<Whole>(br#"{"wrapped":"","shapes":[],"map":{},"more":{"a":[1.5]}}"#).is_some());
    }

    #[test]
    fn what_people_wrote_is_read_to_the_last_member() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Outer {
            inner: Option<Inner>,
            #[serde(default)]
            map: BTreeMap<String, Vec<Shape>>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Inner {
            text: String,
            flag: Option<bool>,
        }
        for json in [
            "{}",
            r#"{"inner":{"text":""},"map":{}}"#,
            r#"{"inner":{"text":"x","flag":false},"map":{"a":[],"b":["nothing",{"one":0},{"pair":[1,""]}]}}"#,
            r#"{"map":{"":[{"named":{"b":[]}}]}}"#,
        ] {
            assert_eq!(read_all::<Outer>(json).unwrap(), serde_json::from_str::<Outer>(json).unwrap());
        }
        for (json, named) in [
            (r#"{"inner":{"text":"x","flg":false}}"#, "\"flg\" is unknown"),
            (r#"{"innr":{}}"#, "\"innr\" is unknown"),
            (r#"{"more":[]}"#, "\"more\" is unknown"),
            (r#"{"more":""}"#, "\"more\" is unknown"),
            (r#"{"inner":{"flag":true}}"#, "\"text\""),
            (r#"{"inner":{"text":"x","flag":1}}"#, "\"flag\""),
            (r#"{"map":{"a":["other"]}}"#, "\"map\""),
            ("[]", "type"),
            ("{", "line 1"),
        ] {
            let problem = read_all::<Outer>(json).unwrap_err();
            assert!(problem.contains(named), "{json}: {problem}");
            assert!(serde_json::from_str::<Outer>(json).is_err(), "{json}");
        }
    }
}
