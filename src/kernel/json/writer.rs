//! Types as JSON, in the form that `serde_json` gives them.
//!
//! Its writer is made for every kind of sink; ours is a text, so that most of what a type brings are names.

use std::fmt::{self, Write as _};

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A text being written.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) text: String,
    /// Whether what comes next is the first in its list or object.
    is_first: bool,
}

/// What JSON cannot say, or no type of ours: keys that are no texts, and fractions.
#[derive(Debug)]
pub(super) struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is none for JSON")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), Unwritable>;

impl Writer {
    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                c if c < ' ' => self.format(format_args!("\\u{:04x}", u32::from(c))),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    // A text takes everything.
    fn format(&mut self, what: fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(what);
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.text.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.next();
        self.string(name);
        self.text.push(':');
    }

    fn open(&mut self, open: char, close: &'static str) -> Open<'_> {
        self.text.push(open);
        self.is_first = true;
        Open { writer: self, close }
    }

    fn variant(&mut self, name: &str) {
        self.text.push('{');
        self.string(name);
        self.text.push(':');
    }
}

/// A list or an object that is not closed yet.
pub(super) struct Open<'w> {
    writer: &'w mut Writer,
    close: &'static str,
}

impl Open<'_> {
    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Written {
        self.writer.next();
        value.serialize(&mut *self.writer)
    }

    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Written {
        self.writer.name(name);
        value.serialize(&mut *self.writer)
    }

    #[allow(clippy::unnecessary_wraps, reason = "what serde wants")]
    fn close(self) -> Written {
        self.writer.text.push_str(self.close);
        self.writer.is_first = false;
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $number:ty as $wide:ty;)*) => {$(
        fn $method(self, value: $number) -> Written {
            self.format(format_args!("{}", <$wide>::from(value)));
            Ok(())
        }
    )*};
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Open<'w>;
    type SerializeTuple = Open<'w>;
    type SerializeTupleStruct = Open<'w>;
    type SerializeTupleVariant = Open<'w>;
    type SerializeMap = Open<'w>;
    type SerializeStruct = Open<'w>;
    type SerializeStructVariant = Open<'w>;

    numbers! {
        serialize_i8 i8 as i64;
        serialize_i16 i16 as i64;
        serialize_i32 i32 as i64;
        serialize_i64 i64 as i64;
        serialize_u8 u8 as u64;
        serialize_u16 u16 as u64;
        serialize_u32 u32 as u64;
        serialize_u64 u64 as u64;
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(Unwritable)
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(Unwritable)
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Written {
        self.string(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.text.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Written {
        self.variant(name);
        value.serialize(&mut *self)?;
        self.text.push('}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'w>, Unwritable> {
        Ok(self.open('[', "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'w>, Unwritable> {
        Ok(self.open('[', "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Unwritable> {
        Ok(self.open('[', "]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Open<'w>, Unwritable> {
        self.variant(name);
        Ok(self.open('[', "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'w>, Unwritable> {
        Ok(self.open('{', "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Unwritable> {
        Ok(self.open('{', "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Open<'w>, Unwritable> {
        self.variant(name);
        Ok(self.open('{', "}}"))
    }
}

macro_rules! lists {
    ($($kind:ident $method:ident;)*) => {$(
        impl $kind for Open<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.item(value)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! objects {
    ($($kind:ident;)*) => {$(
        impl $kind for Open<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.member(name, value)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

objects! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.writer.next();
        let start = self.writer.text.len();
        key.serialize(&mut *self.writer)?;
        match self.writer.text.get(start..) {
            Some(key) if key.starts_with('"') => Ok(()),
            _ => Err(Unwritable),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.writer.text.push(':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close()
    }
}
