//! Lists of headers, and of their names, as `exchange.mjs` takes them: one text, joined by
//! newlines, which no header's name or value can have.

use std::borrow::Cow;

/// Names and values in turn.
pub(super) fn list<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> String {
    headers.flat_map(|(name, value)| [name, value]).collect::<Vec<_>>().join("\n")
}

/// Lists of headers as one. What comes last may be a header without its value.
pub(super) fn joined<'l>(lists: &[&'l str]) -> Cow<'l, str> {
    let mut joined = Cow::Borrowed("");
    for list in lists.iter().filter(|list| !list.is_empty()) {
        if joined.is_empty() {
            joined = Cow::Borrowed(list);
        } else {
            let joined = joined.to_mut();
            joined.push('\n');
            joined.push_str(list);
        }
    }
    joined
}

/// The value of a header in a list of names and values.
pub(super) fn value<'l>(list: &'l str, name: &str) -> Option<&'l str> {
    let mut parts = list.split('\n');
    while let Some(found) = parts.next() {
        let value = parts.next();
        if found == name {
            return value;
        }
    }
    None
}

/// Those of a list of names.
pub(super) fn only(names: &str, wanted: impl Fn(&str) -> bool) -> String {
    names.split('\n').filter(|name| !name.is_empty() && wanted(name)).collect::<Vec<_>>().join("\n")
}
