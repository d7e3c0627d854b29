//! Reading JSON of our own making: operations, outcomes, documents, provider documents.
//!
//! `serde_json` can read every type from text, but brings for each of them code to parse text, to accept structs
//! written as arrays and to word what is wrong with them. There are a hundred types and nobody reads the words, so
//! here a type is read from a tree, structs are objects, and an error is just that: a tenth of the Worker. A struct
//! asks for its fields in their order, since whoever meets members in any order must know every name twice. It may
//! have no `alias`, and nothing is said about members that it does not know.
//!
//! The tree is lent, not given: who reads takes out what he needs, texts without copying them, and nobody has a rest
//! to drop.

use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

use super::fault::Fault;

/// Reads a value from JSON; `None` for anything else.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let mut tree = serde_json::from_slice(json).ok()?;
    T::deserialize(Tree(Some(&mut tree))).ok()
}

/// Writes a value as JSON.
///
/// # Errors
/// [`Fault`]: a map in it has keys that are no texts.
pub fn write(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::new("value_does_not_serialise"))
}

/// The JSON is not of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mismatch;

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the JSON is of another type")
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A value, or that there is none.
struct Tree<'t>(Option<&'t mut Value>);

impl<'t> Tree<'t> {
    fn take(self) -> Value {
        self.0.map(std::mem::take).unwrap_or_default()
    }

    fn members(self) -> Result<&'t mut Map<String, Value>, Mismatch> {
        self.0.and_then(Value::as_object_mut).ok_or(Mismatch)
    }

    fn items(self) -> Result<Items<'t>, Mismatch> {
        self.0.and_then(Value::as_array_mut).map(|items| Items(items.iter_mut())).ok_or(Mismatch)
    }

    fn tagged(self) -> Result<Tagged<'t>, Mismatch> {
        match self.0 {
            Some(Value::String(name)) => Ok(Tagged { name, content: Tree(None) }),
            Some(Value::Object(members)) => {
                let (name, content) = members.iter_mut().next().ok_or(Mismatch)?;
                Ok(Tagged { name, content: Tree(Some(content)) })
            }
            _ => Err(Mismatch),
        }
    }
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::String(text)) => visitor.visit_string(std::mem::take(text)),
            Some(Value::Array(items)) => visitor.visit_seq(Items(items.iter_mut())),
            Some(Value::Object(members)) => visitor.visit_map(Members::of(members)),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => Err(Mismatch),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_none(),
            value => visitor.visit_some(Self(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(Fields { names: fields.iter(), members: self.members()? })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Members::of(self.members()?))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    /// Externally tagged: `"name"` or `{"name": content}`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_enum(self.tagged()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    // Who asks for a text gets a text or nothing: `deserialize_any` would bring the code of the other kinds along.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.take() {
            Value::String(text) => visitor.visit_string(text),
            _ => Err(Mismatch),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct identifier
    }
}

struct Items<'t>(std::slice::IterMut<'t, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        match self.0.next() {
            Some(value) => seed.deserialize(Tree(Some(value))).map(Some),
            None => Ok(None),
        }
    }
}

/// The members of an object in the order in which its struct names them.
struct Fields<'t> {
    names: std::slice::Iter<'static, &'static str>,
    members: &'t mut Map<String, Value>,
}

impl Fields<'_> {
    fn next(&mut self) -> Option<Option<&mut Value>> {
        self.names.next().map(|name| self.members.get_mut(*name))
    }
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(member) = self.next() else { return Ok(None) };
        let is_there = member.is_some();
        match seed.deserialize(Tree(member)) {
            // An option may be absent; a field with a default takes it; any other is missed.
            Err(Mismatch) if !is_there => Ok(None),
            read => read.map(Some),
        }
    }
}

struct Members<'t> {
    rest: map::IterMut<'t>,
    value: Option<&'t mut Value>,
}

impl<'t> Members<'t> {
    fn of(members: &'t mut Map<String, Value>) -> Self {
        Self { rest: members.iter_mut(), value: None }
    }

    fn next(&mut self) -> Option<&'t str> {
        let (name, value) = self.rest.next()?;
        self.value = Some(value);
        Some(name)
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        match self.next() {
            Some(name) => seed.deserialize(Name(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(Tree(self.value.take()))
    }
}

/// The name of a member or of a variant.
struct Name<'t>(&'t str);

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_enum(Tagged { name: self.0, content: Tree(None) })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct identifier option
        seq tuple tuple_struct map struct ignored_any
    }
}

struct Tagged<'t> {
    name: &'t str,
    content: Tree<'t>,
}

impl<'de, 't> EnumAccess<'de> for Tagged<'t> {
    type Error = Mismatch;
    type Variant = Tree<'t>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Tree<'t>), Mismatch> {
        Ok((seed.deserialize(Name(self.name))?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Tree<'_> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Mismatch),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
}
