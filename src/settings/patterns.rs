//! What rules and limits are about: patterns of methods and of names.

use super::object_reader::ObjectReader;
use super::written::Shape;
use crate::policy::{MethodPattern, NamePattern};

const METHODS: &str = "one or more JSON-RPC methods such as tools/call, or tools/* for all that begin so";
pub(super) const STRINGS: &str = "one or more non-empty strings";

/// `None`: every method.
pub(super) fn methods(members: &mut ObjectReader<'_>) -> Option<Vec<MethodPattern>> {
    list(members, "methods", METHODS, MethodPattern::new)
}

/// `None`: the member is not there.
pub(super) fn names(members: &mut ObjectReader<'_>, name: &str) -> Option<Vec<NamePattern>> {
    list(members, name, STRINGS, NamePattern::new)
}

/// Texts, each of which `read` takes; `None` if the member is not there.
pub(super) fn list<T>(
    members: &mut ObjectReader<'_>,
    name: &str,
    expected: &str,
    read: fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let texts = members.one_or_more(name, expected)?;
    let mut all = Vec::new();
    for text in &texts {
        let Some(one) = read(text) else {
            members.misshapen(name, expected, Shape::Texts);
            return None;
        };
        all.push(one);
    }
    Some(all)
}
