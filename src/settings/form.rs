//! What a setting has to be, for the schema. The readers know it in their own way; the test
//! `tests/e2e/schema.test.mjs` compares the two.

use std::ops::RangeInclusive;

use super::setting::Setting;
use crate::limits::Seconds;

#[cfg_attr(target_arch = "wasm32", allow(dead_code, reason = "the Worker has no schema"))]
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
    /// An object of paths of claims and accepted values.
    Demands,
    /// Names of claims, or an object of names and new names.
    Claims,
    /// An object of names and values of headers.
    Headers,
    /// The name of a secret that holds headers.
    HeadersName,
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
