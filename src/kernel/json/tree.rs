//! A tree of JSON, out of which serde reads types.

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

/// The JSON is not of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mismatch;

/// The member in which an object that is not of its type notes which of its members was asked for last.
pub(super) const NOTE: &str = "\0";

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
pub(super) struct Tree<'t>(pub(super) Option<&'t mut Value>);

impl<'t> Tree<'t> {
    fn take(self) -> Value {
        self.0.map(std::mem::take).unwrap_or_default()
    }

    /// The members of an object; `None` when there are none.
    fn members(self) -> Result<Option<&'t mut Map<String, Value>>, Mismatch> {
        let object = self.0.filter(|value| value.is_object()).ok_or(Mismatch)?;
        if object.as_object().is_some_and(Map::is_empty) {
            *object = Value::Null;
        }
        Ok(object.as_object_mut())
    }

    fn items(self) -> Result<Items<'t>, Mismatch> {
        let array = self.0.filter(|value| value.is_array()).ok_or(Mismatch)?;
        if array.as_array().is_some_and(Vec::is_empty) {
            *array = Value::Null;
        }
        Ok(Items(array.as_array_mut().map(|items| items.iter_mut()).unwrap_or_default()))
    }
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Array(_)) => self.deserialize_seq(visitor),
            Some(Value::Object(_)) => self.deserialize_map(visitor),
            Some(value) => match Scalar::of(value)? {
                Scalar::Bool(value) => visitor.visit_bool(value),
                Scalar::Text(text) => visitor.visit_string(text),
                Scalar::Unsigned(number) => visitor.visit_u64(number),
                Scalar::Signed(number) => visitor.visit_i64(number),
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
        let mut members = Fields { name: None, names: fields.iter(), members: self.members()? };
        let read = visitor.visit_seq(&mut members);
        if read.is_err() {
            members.note();
        }
        read
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
        visitor.visit_enum(Tagged(self.0.ok_or(Mismatch)?))
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

enum Scalar {
    Bool(bool),
    Text(String),
    Unsigned(u64),
    Signed(i64),
}

impl Scalar {
    fn of(value: &mut Value) -> Result<Self, Mismatch> {
        match std::mem::take(value) {
            Value::Bool(value) => Ok(Self::Bool(value)),
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) => {
                number.as_u64().map(Self::Unsigned).or(number.as_i64().map(Self::Signed)).ok_or(Mismatch)
            }
            _ => Err(Mismatch),
        }
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
    /// Asked for last.
    name: Option<&'static &'static str>,
    names: std::slice::Iter<'static, &'static str>,
    members: Option<&'t mut Map<String, Value>>,
}

impl Fields<'_> {
    fn next(&mut self) -> Option<Option<&mut Value>> {
        self.name = self.names.next();
        self.name.map(|name| self.members.as_mut()?.get_mut(*name))
    }

    fn note(&mut self) {
        if let Some((name, members)) = self.name.zip(self.members.as_mut()) {
            members.insert(NOTE.to_owned(), Value::from(*name));
        }
    }
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(member) = self.next() else { return Ok(None) };
        let is_there = member.is_some();
        match seed.deserialize(Tree(member)) {
            // An option may be absent; a field with a default takes it; any other is missed.
            Err(_) if !is_there => Ok(None),
            read => read.map(Some),
        }
    }
}

struct Members<'t> {
    rest: Option<map::IterMut<'t>>,
    value: Option<&'t mut Value>,
}

impl<'t> Members<'t> {
    fn of(members: Option<&'t mut Map<String, Value>>) -> Self {
        Self { rest: members.map(Map::iter_mut), value: None }
    }

    fn next(&mut self) -> Option<&'t str> {
        let (name, value) = self.rest.as_mut()?.next()?;
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
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct identifier option
        seq tuple tuple_struct map struct ignored_any
    }
}

impl<'de> EnumAccess<'de> for Name<'_> {
    type Error = Mismatch;
    type Variant = Tree<'static>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Tree<'static>), Mismatch> {
        Ok((seed.deserialize(self)?, Tree(None)))
    }
}

struct Tagged<'t>(&'t mut Value);

impl<'t> Tagged<'t> {
    fn name(&self) -> Result<&str, Mismatch> {
        match &self.0 {
            Value::String(name) => Ok(name),
            Value::Object(members) => members.keys().next().map(String::as_str).ok_or(Mismatch),
            _ => Err(Mismatch),
        }
    }

    fn content(self) -> Tree<'t> {
        match self.0 {
            Value::Object(members) => Tree(members.values_mut().next()),
            name => {
                *name = Value::Null;
                Tree(None)
            }
        }
    }
}

impl<'de, 't> EnumAccess<'de> for Tagged<'t> {
    type Error = Mismatch;
    type Variant = Tree<'t>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Tree<'t>), Mismatch> {
        let variant = seed.deserialize(Name(self.name()?))?;
        Ok((variant, self.content()))
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
