//! An object in the settings while it is read: its members, and where a fault of one is.

use serde_json::Value;

use super::setting::Setting;
use super::spelling;
use super::table;
use super::variables::one_or_more;
use super::written::{self, Shape};
use crate::fault::Faults;
use crate::json::Object;

pub(super) struct ObjectReader<'r> {
    variable: &'r str,
    /// Where in the variable the object is, such as `[0]`; empty: it is all of it.
    place: String,
    object: &'r Object,
    faults: &'r mut Faults,
}

impl<'r> ObjectReader<'r> {
    pub(super) const fn new(
        variable: &'r str,
        place: String,
        object: &'r Object,
        faults: &'r mut Faults,
    ) -> Self {
        Self { variable, place, object, faults }
    }

    /// Opens a value that should be an object with these members. `None`: a fault, it is none.
    #[inline(never)]
    pub(super) fn open(
        variable: &'r str,
        place: String,
        value: &'r Value,
        members: &[Setting],
        faults: &'r mut Faults,
    ) -> Option<Self> {
        let Some(object) = value.as_object() else {
            let expected = format!("an object with {}", table::names(members).join(", "));
            faults.add_hinted(variable, &place, expected, written::found(value, Shape::Object));
            return None;
        };
        Some(Self { variable, place, object, faults })
    }

    /// The object that a value in this one is. `field`: where in this one, such as `.rules[0]`.
    #[inline(never)]
    pub(super) fn inner(
        &mut self,
        field: &str,
        value: &'r Value,
        members: &[Setting],
    ) -> Option<ObjectReader<'_>> {
        let place = [&self.place, field].concat();
        let mut inner = ObjectReader::open(self.variable, place, value, members, self.faults)?;
        inner.check_names(&table::names(members));
        Some(inner)
    }

    /// The same of an object whose names mean something by themselves.
    pub(super) fn map(&mut self, name: &str, object: &'r Object) -> ObjectReader<'_> {
        ObjectReader::new(self.variable, self.place_of(name), object, self.faults)
    }

    /// A name that is not known is a fault: it may be a misspelt one that was meant to demand
    /// something.
    #[inline(never)]
    pub(super) fn check_names(&mut self, known: &[&str]) {
        for name in unknown(self.object, known) {
            let expected = format!("no such field; there are {}", known.join(", "));
            self.fault_hinted(name, expected, spelling::did_you_mean(name, known));
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'r Value> {
        get(self.object, name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    #[cold]
    pub(super) fn fault(&mut self, name: &str, expected: impl Into<String>) {
        self.fault_hinted(name, expected, String::new());
    }

    #[cold]
    pub(super) fn fault_hinted(&mut self, name: &str, expected: impl Into<String>, hint: String) {
        self.faults.add_hinted(self.variable, &self.place_of(name), expected, hint);
    }

    /// A fault of the object as a whole.
    #[cold]
    pub(super) fn fault_here(&mut self, expected: &str) {
        self.faults.add(self.variable, &self.place, expected);
    }

    /// A fault of a member's shape, with what was found instead.
    #[cold]
    pub(super) fn misshapen(&mut self, name: &str, expected: &str, shape: Shape) {
        let hint = self.get(name).map(|value| written::found(value, shape)).unwrap_or_default();
        self.fault_hinted(name, expected, hint);
    }

    pub(super) fn warn(&mut self, name: &str, text: &str) {
        self.faults.warn(self.variable, &self.place_of(name), text);
    }

    pub(super) fn count(&self) -> usize {
        self.faults.count()
    }

    /// True or false, if it is there and sound.
    #[inline(never)]
    pub(super) fn switch(&mut self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        if !value.is_boolean() {
            self.fault_hinted(name, "true or false", format!("found {}", written::kind(value)));
        }
        value.as_bool()
    }

    /// A text or several, if they are there and sound.
    #[inline(never)]
    pub(super) fn one_or_more(&mut self, name: &str, expected: &str) -> Option<Vec<String>> {
        let texts = one_or_more(self.get(name)?);
        if texts.is_none() {
            self.misshapen(name, expected, Shape::Texts);
        }
        texts
    }

    /// An array of texts, if it is there and sound.
    #[inline(never)]
    pub(super) fn array(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.get(name)?;
        let texts = value.as_array().and_then(|_| one_or_more(value));
        if texts.is_none() {
            self.misshapen(name, "an array of one or more non-empty strings", Shape::Array);
        }
        texts
    }
}

/// A member of an object.
#[inline(never)]
pub(super) fn get<'o>(object: &'o Object, name: &str) -> Option<&'o Value> {
    object.get(name)
}

/// The names in an object that are not known.
#[inline(never)]
pub(super) fn unknown<'o>(object: &'o Object, known: &[&str]) -> Vec<&'o String> {
    let mut unknown: Vec<&String> = object.keys().collect();
    unknown.retain(|name| !known.contains(&name.as_str()));
    unknown
}
