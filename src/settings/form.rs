//! What a setting has to be. The readers know it in their own way; this is what the schema says of
//! it, and a test holds the two together.

#![allow(dead_code, reason = "for the schema")]

use std::ops::RangeInclusive;

use super::setting::Setting;
use crate::limits::Seconds;

#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A text that is not empty.
    Text,
    /// One line with so many characters at most.
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
    /// An object with these members.
    Object(&'static [Setting]),
    /// An array of at least one such object.
    Items(&'static [Setting]),
    /// The array of servers.
    Resources,
    Rules,
    Hierarchy,
    Demands,
    Claims,
    Headers,
    HeadersName,
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
