//! JSON in which a member name occurs once.
//!
//! RFC 7519 section 4 and RFC 7515 section 4: member names are unique, or the token is refused. RFC
//! 8725 section 2.4 tells why: two parsers that pick different ones of a pair disagree about what
//! was signed. It holds at every depth here. What nests deeper than serde_json's limit of 128 is
//! refused, as are numbers outside `f64`, invalid UTF-8 and trailing bytes.

mod document;
pub(crate) mod reader;

pub use document::{Document, Members, Value as Node};

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The members of a JSON object.
pub type Object = Map<String, Value>;

/// Reads one JSON object and nothing after it. `None`: not JSON, not an object, or a member name
/// occurs twice.
pub fn object(bytes: &[u8]) -> Option<Object> {
    match value(bytes)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// A document without the byte order mark that some servers put before it: one, as
/// `Response.json()` skips one. JSON itself has no room for it (RFC 8259 section 8.1).
pub fn without_mark(document: &str) -> &str {
    document.strip_prefix('\u{feff}').unwrap_or(document)
}

/// Whether a text that is JSON is an object. serde's derived readers take an array of the members'
/// values as well.
pub fn is_object(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{')
}

/// Reads one JSON value and nothing after it, with the same rules.
pub fn value(bytes: &[u8]) -> Option<Value> {
    parse(bytes).ok()
}

/// The same, for who wants to say what is wrong.
///
/// # Errors
/// Where the text stops being JSON. It says a line and a column, and may quote the text.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Unique.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Unique)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some(name) = map.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("duplicate member"));
            }
            let value = map.next_value_seed(Unique)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
