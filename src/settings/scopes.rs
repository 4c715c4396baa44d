//! Lists of scopes (RFC 6749 section 3.3), wherever a setting has one.

use serde_json::Value;

use super::variables::{Variables, words};
use super::written::{self, Shape};
use crate::fault::Faults;
use crate::token::identity::is_scope;

pub(super) const EXPECTED: &str = "scopes, as an array of strings or a space-separated string";

/// The scopes of a variable; none if it is not set.
pub(super) fn read(variables: &Variables, name: &str, faults: &mut Faults) -> Vec<String> {
    let Some(found) = variables.get(name, faults) else { return Vec::new() };
    list(&found.value).unwrap_or_else(|hint| {
        faults.add_hinted(found.name, "", EXPECTED, hint);
        Vec::new()
    })
}

/// The scopes in a value.
///
/// # Errors
/// What was found instead.
pub(super) fn list(value: &Value) -> Result<Vec<String>, String> {
    let Some(scopes) = words(value) else { return Err(written::found(value, Shape::Texts)) };
    for scope in &scopes {
        if is_scope(scope) && !(value.is_string() && scope.contains(is_separator)) {
            continue;
        }
        let is_odd = |c: char| is_separator(c) || !is_scope(c.encode_utf8(&mut [0; 4]));
        return Err(match scope.chars().find(|c| is_odd(*c)) {
            _ if value.as_str().is_some_and(written::looks_structured) => {
                written::variable(value, Shape::Texts, false)
            }
            Some(odd) => format!("found {}", written::character(odd)),
            None => "found an empty text".to_owned(),
        });
    }
    Ok(scopes)
}

/// Characters that a scope may have and that none has: in a text they are meant to separate scopes,
/// and a scope with one would never be granted.
pub(super) const fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '[' | ']' | '{' | '}' | '\'' | '`')
}
