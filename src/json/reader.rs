//! Reads of a JSON text only what is wanted, and refuses it all the same where a member name occurs
//! twice anywhere.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Takes one value. What it does not ask for is read past.
pub(crate) trait Read<'t>: Sized {
    type Value;

    /// A value of a type that is not wanted.
    fn other(self) -> Self::Value;

    fn null(self) -> Self::Value {
        self.other()
    }

    fn text(self, _: Cow<'t, str>) -> Self::Value {
        self.other()
    }

    /// # Errors
    /// Not JSON, or a member name occurs twice.
    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        while array.next_element_seed(Seed(Skip))?.is_some() {}
        Ok(self.other())
    }

    /// # Errors
    /// Not JSON, or a member name occurs twice.
    fn object<A: MapAccess<'t>>(self, object: A) -> Result<Self::Value, A::Error> {
        members(object, |_, object| object.next_value_seed(Seed(Skip)))?;
        Ok(self.other())
    }
}

/// Reads past a value.
pub(crate) struct Skip;

impl Read<'_> for Skip {
    type Value = ();

    fn other(self) {}
}

/// A string; `None`: something else.
pub(crate) struct Text;

impl<'t> Read<'t> for Text {
    type Value = Option<Cow<'t, str>>;

    fn other(self) -> Self::Value {
        None
    }

    fn text(self, text: Cow<'t, str>) -> Self::Value {
        Some(text)
    }
}

/// Gives each member of an object to `take`, which has to read its value.
///
/// # Errors
/// Not JSON, or a member name occurs twice.
pub(crate) fn members<'t, A: MapAccess<'t>>(
    mut object: A,
    mut take: impl FnMut(&str, &mut A) -> Result<(), A::Error>,
) -> Result<(), A::Error> {
    let mut names = Names::default();
    while let Some(name) = object.next_key_seed(Seed(Text))? {
        let name = name.ok_or_else(|| A::Error::custom("a member name is a string"))?;
        take(&name, &mut object)?;
        names.add(name)?;
    }
    Ok(())
}

/// The names in one object, so far.
#[derive(Default)]
struct Names<'t> {
    few: Vec<Cow<'t, str>>,
    many: BTreeSet<Cow<'t, str>>,
}

/// Names that are compared one by one; beyond, an ordered set is cheaper, and no text can make it
/// expensive.
const FEW: usize = 16;

impl<'t> Names<'t> {
    fn add<E: Error>(&mut self, name: Cow<'t, str>) -> Result<(), E> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return Err(E::custom("duplicate member"));
        }
        if self.few.len() < FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        Ok(())
    }
}

/// A reader, as serde takes it.
pub(crate) struct Seed<R>(pub(crate) R);

impl<'t, R: Read<'t>> DeserializeSeed<'t> for Seed<R> {
    type Value = R::Value;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<R::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t, R: Read<'t>> Visitor<'t> for Seed<R> {
    type Value = R::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<R::Value, E> {
        Ok(self.0.null())
    }

    fn visit_bool<E>(self, _: bool) -> Result<R::Value, E> {
        Ok(self.0.other())
    }

    fn visit_u64<E>(self, _: u64) -> Result<R::Value, E> {
        Ok(self.0.other())
    }

    fn visit_i64<E>(self, _: i64) -> Result<R::Value, E> {
        Ok(self.0.other())
    }

    fn visit_f64<E>(self, _: f64) -> Result<R::Value, E> {
        Ok(self.0.other())
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<R::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<R::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, array: A) -> Result<R::Value, A::Error> {
        self.0.array(array)
    }

    fn visit_map<A: MapAccess<'t>>(self, object: A) -> Result<R::Value, A::Error> {
        self.0.object(object)
    }
}
