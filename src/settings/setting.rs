//! One setting: its name, where it may stand, and what is special about it.
//!
//! What it has to be, its default and the sentence about it are for the schema, which only the
//! commands have: the Worker is compiled without.

use std::ops::RangeInclusive;

use super::names::PREFIX;
use crate::limits::Seconds;

/// A variable of ours, or a member of an object in one.
#[derive(Debug)]
pub(super) struct Setting {
    /// Without prefix.
    pub(super) name: &'static str,
    pub(super) spelling: Spelling,
    pub(super) place: Place,
    /// Whoever reads the settings must not know it.
    pub(super) is_secret: bool,
    /// Whether an empty text is the same as no value: the default of none of these opens what a
    /// value would have closed. Any other's empty text reaches its reader, which takes it for a
    /// fault, so that protection is never switched off without a word.
    pub(super) may_be_empty: bool,
    #[cfg(feature = "commands")]
    pub(super) form: Form,
    /// The default as JSON, where it is always the same.
    #[cfg(feature = "commands")]
    pub(super) default: Option<&'static str>,
    #[cfg(feature = "commands")]
    pub(super) about: &'static str,
}

/// How the name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A variable with one of the two prefixes.
    Prefixed,
    /// A variable without prefix.
    Bare,
    /// A binding, which is not found among the variables.
    Binding,
    /// A member of an object.
    Member,
}

/// Where a setting of one server may stand if there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Beside the array `RESOURCES`: it is the whole Worker's.
    Beside,
    /// In an element of it, or beside it for all elements that do not set it.
    Shared,
    /// In an element only.
    Element,
}

impl Setting {
    pub(super) const fn new(name: &'static str, spelling: Spelling, form: Form, about: &'static str) -> Self {
        #[cfg(not(feature = "commands"))]
        let _ = (form, about);
        Self {
            name,
            spelling,
            place: Place::Beside,
            is_secret: false,
            may_be_empty: false,
            #[cfg(feature = "commands")]
            form,
            #[cfg(feature = "commands")]
            default: None,
            #[cfg(feature = "commands")]
            about,
        }
    }

    pub(super) const fn shared(self) -> Self {
        Self { place: Place::Shared, ..self }
    }

    pub(super) const fn in_element(self) -> Self {
        Self { place: Place::Element, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(super) const fn or_empty(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    /// `json`: its default.
    pub(super) const fn or(self, json: &'static str) -> Self {
        #[cfg(not(feature = "commands"))]
        let _ = json;
        Self {
            #[cfg(feature = "commands")]
            default: Some(json),
            ..self
        }
    }

    /// The name of the member that it is in an element of `RESOURCES`.
    #[inline(never)]
    pub(super) fn member(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The name of the variable; none for what is a member only.
    pub(super) fn variable(&self) -> Option<String> {
        match self.spelling {
            Spelling::Prefixed => Some([PREFIX, self.name].concat()),
            Spelling::Bare | Spelling::Binding => Some(self.name.to_owned()),
            Spelling::Member => None,
        }
    }
}

pub(super) const fn variable(name: &'static str, form: Form, about: &'static str) -> Setting {
    Setting::new(name, Spelling::Prefixed, form, about)
}

pub(super) const fn bare_variable(name: &'static str, form: Form, about: &'static str) -> Setting {
    Setting::new(name, Spelling::Bare, form, about)
}

pub(super) const fn member(name: &'static str, form: Form, about: &'static str) -> Setting {
    Setting::new(name, Spelling::Member, form, about)
}

/// What a setting has to be, for the schema. The readers know it in their own way; the test
/// `tests/e2e/schema.test.mjs` compares the two.
#[cfg_attr(not(feature = "commands"), allow(dead_code, reason = "the Worker has no schema"))]
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A text that is not empty.
    Text,
    /// A text of so many characters at most.
    Line(usize),
    Url(Url),
    /// True or false, as such or as text.
    Switch,
    /// True or false, as such.
    Bool,
    /// Seconds in a range, as a number or as text, and their default.
    Seconds(RangeInclusive<Seconds>, Seconds),
    /// The same as a number.
    Whole(RangeInclusive<Seconds>, Seconds),
    /// One of these numbers.
    Numbers(&'static [Seconds]),
    /// The name of a binding, as JavaScript has names.
    Identifier,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Some of these words, in a text with spaces or in an array.
    Words(&'static [&'static str]),
    /// One or more signature algorithms.
    Algorithms,
    /// The name of a provider.
    Provider,
    /// A text, or an array with one.
    One,
    /// A text, or an array of at least one.
    OneOrMore,
    /// An array of at least one text.
    Array,
    /// A text with several words, or an array of texts.
    Texts,
    /// Scopes, in a text with spaces or in an array.
    Scopes,
    /// The same, and at least one.
    SomeScopes,
    /// An object with these members, which the schema defines by this name.
    Object(&'static str, &'static [Setting]),
    /// An array of such objects, and how many there are at least.
    Items(&'static str, &'static [Setting], usize),
    /// The array `RESOURCES`.
    Servers,
    /// An object of scopes and scopes.
    Hierarchy,
    /// An object of paths, and of each the values that are accepted, or a condition that the schema
    /// defines by this name, with these members.
    Demands(&'static str, &'static [Setting]),
    /// A number from 0 to 1, as such or as text.
    Part,
    /// A number between the greatest that are exact.
    Number,
    /// The same, or a time of RFC 3339.
    NumberOrTime,
    /// A number of characters, so many at most.
    Length(usize),
    /// Names of claims, or an object of names and new names.
    Claims,
    /// An object of names and values of headers.
    Headers,
    /// The name of a secret that holds headers.
    HeadersName,
    /// The name of a variable that holds a secret.
    SecretName,
    /// A private key, or a list of them.
    Key,
}

/// What a URL may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Url {
    /// A query, and no fragment.
    Public,
    /// Both.
    Page,
    /// Neither.
    Origin,
}
