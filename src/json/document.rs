//! A JSON object in one piece: its text, and a list of where everything stands in it. A token's
//! header and claims are read this way, once per request, so no name and no value is copied.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON object, with the rules of this module. The default is none, and has no member.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The text, and after it the strings that had escapes in it.
    text: String,
    /// Where those begin.
    json_end: usize,
    /// Depth first; the object itself leads.
    nodes: Vec<Node>,
}

/// A value in a document.
#[derive(Clone, Copy, Debug)]
pub enum Value<'d> {
    Null,
    Bool(bool),
    Number(f64),
    String(&'d str),
    /// The names are empty.
    Array(Members<'d>),
    Object(Members<'d>),
}

impl<'d> Value<'d> {
    pub const fn as_str(self) -> Option<&'d str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub const fn as_f64(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// What an object or an array has in it: names and values.
#[derive(Clone, Copy, Debug)]
pub struct Members<'d> {
    document: &'d Document,
    next: usize,
    end: usize,
}

impl<'d> Members<'d> {
    pub fn values(self) -> impl Iterator<Item = Value<'d>> {
        self.map(|(_, value)| value)
    }
}

impl<'d> Iterator for Members<'d> {
    type Item = (&'d str, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next;
        let node = self.document.nodes.get(at).filter(|_| at < self.end)?;
        self.next = node.end;
        Some((self.document.at(node.name), self.document.value(at, node)))
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    name: Span,
    kind: Kind,
    /// Where the next one begins that is not part of this one.
    end: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    String(Span),
    Array,
    Object,
}

/// A part of the text, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    const fn len(self) -> usize {
        self.end - self.start
    }
}

impl Document {
    /// Reads one JSON object and nothing after it. `None`: not UTF-8, not JSON, not an object, or a
    /// member name occurs twice.
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut text = String::from_utf8(bytes).ok()?;
        let mut reader =
            Reader { text: &text, unescaped: String::new(), nodes: Vec::with_capacity(USUAL_NODES) };
        let mut json = serde_json::Deserializer::from_str(&text);
        Place { reader: &mut reader, name: Span::default() }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        let Reader { unescaped, nodes, .. } = reader;
        if !matches!(nodes.first()?.kind, Kind::Object) {
            return None;
        }
        let json_end = text.len();
        text.push_str(&unescaped);
        Some(Self { text, json_end, nodes })
    }

    /// The text, as it was read.
    pub fn json(&self) -> &str {
        self.text.get(..self.json_end).unwrap_or_default()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        let mut at = 1;
        while let Some(node) = self.nodes.get(at) {
            if node.name.len() == name.len() && self.at(node.name) == name {
                return Some(self.value(at, node));
            }
            at = node.end;
        }
        None
    }

    pub fn members(&self) -> Members<'_> {
        Members { document: self, next: 1, end: self.nodes.len() }
    }

    #[inline]
    fn at(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    #[inline]
    fn value(&self, at: usize, node: &Node) -> Value<'_> {
        let members = Members { document: self, next: at + 1, end: node.end };
        match node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number(value) => Value::Number(value),
            Kind::String(span) => Value::String(self.at(span)),
            Kind::Array => Value::Array(members),
            Kind::Object => Value::Object(members),
        }
    }
}

/// The claims of a usual access token fit without growing.
const USUAL_NODES: usize = 16;

/// Names that are compared one by one; beyond, an ordered set is cheaper, and no token can make it
/// expensive.
const FEW: usize = 16;

struct Reader<'t> {
    text: &'t str,
    unescaped: String,
    nodes: Vec<Node>,
}

impl<'t> Reader<'t> {
    #[inline]
    fn push(&mut self, name: Span, kind: Kind) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { name, kind, end: at + 1 });
        at
    }

    #[inline]
    fn close(&mut self, at: usize) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = end;
        }
    }

    /// Where a part of the text stands.
    #[inline]
    fn borrowed(&self, part: &'t str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span { start, end: start + part.len() }
    }

    fn copied(&mut self, part: &str) -> Span {
        let start = self.text.len() + self.unescaped.len();
        self.unescaped.push_str(part);
        Span { start, end: start + part.len() }
    }

    /// The bytes of a name, wherever it stands.
    #[inline]
    fn bytes(&self, span: Span) -> &[u8] {
        self.text.as_bytes().get(span.start..span.end).unwrap_or_else(|| {
            let from = |at: usize| at.saturating_sub(self.text.len());
            self.unescaped.as_bytes().get(from(span.start)..from(span.end)).unwrap_or_default()
        })
    }

    /// The names in an object, so far.
    #[inline]
    fn names(&self, object: usize) -> impl Iterator<Item = Span> {
        let mut next = object + 1;
        std::iter::from_fn(move || {
            let node = self.nodes.get(next)?;
            next = node.end;
            Some(node.name)
        })
    }
}

/// Reads the value that comes next.
struct Place<'r, 't> {
    reader: &'r mut Reader<'t>,
    name: Span,
}

impl<'t> DeserializeSeed<'t> for Place<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Place<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.reader.push(self.name, Kind::Null);
        Ok(())
    }

    fn visit_bool<E>(self, v: bool) -> Result<(), E> {
        self.reader.push(self.name, Kind::Bool(v));
        Ok(())
    }

    fn visit_u64<E>(self, v: u64) -> Result<(), E> {
        self.reader.push(self.name, Kind::Number(v as f64));
        Ok(())
    }

    fn visit_i64<E>(self, v: i64) -> Result<(), E> {
        self.reader.push(self.name, Kind::Number(v as f64));
        Ok(())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<(), E> {
        if !v.is_finite() {
            return Err(E::custom("not a finite number"));
        }
        self.reader.push(self.name, Kind::Number(v));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, v: &'t str) -> Result<(), E> {
        let span = self.reader.borrowed(v);
        self.reader.push(self.name, Kind::String(span));
        Ok(())
    }

    fn visit_str<E>(self, v: &str) -> Result<(), E> {
        let span = self.reader.copied(v);
        self.reader.push(self.name, Kind::String(span));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { reader, name } = self;
        let array = reader.push(name, Kind::Array);
        while seq.next_element_seed(Place { reader, name: Span::default() })?.is_some() {}
        reader.close(array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reader, name } = self;
        let object = reader.push(name, Kind::Object);
        let mut members = 0;
        let mut many = BTreeSet::new();
        while let Some(name) = map.next_key_seed(Name(reader))? {
            let repeated = if members < FEW {
                let is_same = |n: Span| n.len() == name.len() && reader.bytes(n) == reader.bytes(name);
                reader.names(object).any(is_same)
            } else {
                if members == FEW {
                    many.extend(reader.names(object).map(|n| reader.bytes(n).to_vec()));
                }
                !many.insert(reader.bytes(name).to_vec())
            };
            if repeated {
                return Err(A::Error::custom("duplicate member"));
            }
            members += 1;
            map.next_value_seed(Place { reader, name })?;
        }
        reader.close(object);
        Ok(())
    }
}

/// Reads a member's name.
struct Name<'r, 't>(&'r mut Reader<'t>);

impl<'t> DeserializeSeed<'t> for Name<'_, 't> {
    type Value = Span;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name<'_, 't> {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, v: &'t str) -> Result<Span, E> {
        Ok(self.0.borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Span, E> {
        Ok(self.0.copied(v))
    }
}
