//! What was written where something else was expected: the other half of a fault.
//!
//! 1. A character is told by its code point and its place, a shape by its name. A value is not
//!    told.
//! 2. Of a secret, only the place is told and nothing that stands there.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::error::Category;

use crate::json;

/// What a setting has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Array,
    Object,
    /// An array or an object.
    Structured,
    /// A text, or an array of texts.
    Texts,
}

/// What a variable was found to be instead. Its text may be JSON.
#[cold]
pub(super) fn variable(value: &Value, expected: Shape, is_secret: bool) -> String {
    let text = value.as_str().filter(|text| expected != Shape::Texts || looks_structured(text));
    match text.filter(|text| !text.trim().is_empty()).and_then(|text| not_json(text, is_secret)) {
        Some(what) => format!("found text that is not JSON: {what}"),
        None => found(value, expected),
    }
}

/// What a value was found to be instead. Empty where the shape is right and the fault lies deeper.
#[cold]
pub(super) fn found(value: &Value, expected: Shape) -> String {
    match (value, expected) {
        (Value::String(text), _) if text.trim().is_empty() => "found an empty text".to_owned(),
        (Value::String(_), Shape::Texts) => String::new(),
        (Value::Object(_), Shape::Array) => {
            "found one object and no array: as a TOML table it has two brackets on each side, [[…]]"
                .to_owned()
        }
        (Value::Array(_), Shape::Object) => {
            "found an array and no object: as a TOML table it has one bracket on each side, […]".to_owned()
        }
        (Value::Array(_), Shape::Array | Shape::Structured | Shape::Texts)
        | (Value::Object(_), Shape::Object | Shape::Structured) => String::new(),
        _ => format!("found {}", kind(value)),
    }
}

/// Whether a text was meant to be an array or an object.
pub(super) fn looks_structured(text: &str) -> bool {
    matches!(seen(text).next(), Some('[' | '{'))
}

/// The same of a text that may be anything, a random secret too: a list that begins with a quote.
pub(super) fn looks_like_texts(text: &str) -> bool {
    let mut seen = seen(text);
    seen.next() == Some('[') && seen.next().is_some_and(|c| matches!(c, '"' | '\'' | '`') || is_smart(c))
}

fn seen(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c))
}

pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Where a text stops being JSON, and what stands there. `None`: it is JSON.
#[cold]
pub(super) fn not_json(text: &str, is_secret: bool) -> Option<String> {
    let error = json::parse(text.as_bytes()).err()?;
    let at = offset(text, error.line(), error.column());
    let (at, what) = match error.classify() {
        Category::Data => (at, "a member name that the object has already".into()),
        category => at_fault(text, at, category == Category::Eof),
    };
    let (mut line, mut column) = (1, 1);
    for c in text.get(..at).unwrap_or(text).chars() {
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    let (colon, what) = if is_secret { ("", "") } else { (": ", what.as_ref()) };
    Some(format!("line {line}, column {column}{colon}{what}"))
}

/// The byte of a line and a column that serde_json counts. A column 0 is the end of the line
/// before.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let breaks = line.checked_sub(2).and_then(|before| text.match_indices('\n').nth(before));
    let start = breaks.map_or(0, |(at, _)| at + 1);
    let mut at = (start + column).saturating_sub(1).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What stands at a place where JSON ends, and where exactly.
fn at_fault(text: &str, at: usize, is_end: bool) -> (usize, Cow<'static, str>) {
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let before = before.trim_end();
    let next = rest.chars().next().filter(|_| !is_end);
    if let (Some(']' | '}'), Some(list)) = (next, before.strip_suffix(',')) {
        return (list.len(), "a comma with nothing after it (a trailing comma)".into());
    }
    let what = match next {
        Some('\'') => "a single quote (U+0027); JSON has double quotes",
        Some('/' | '#') => "a comment; JSON has none",
        Some(_) if before.is_empty() && is_url(rest) => "a plain URL",
        Some(next) if is_smart(next) || is_invisible(next) => return (at, character(next).into()),
        _ => {
            // A text that such a quote should have closed goes on to the next straight one, far
            // behind.
            let searched = if is_end { text } else { before };
            if let Some((at, quote)) = searched.char_indices().find(|(_, c)| is_smart(*c)) {
                return (at, character(quote).into());
            }
            match next {
                None => "the end of the text, where more was to come",
                Some(next) if next.is_ascii_alphabetic() && before.ends_with(['{', '[', ',', ':']) => {
                    "a name or a text without double quotes"
                }
                Some(next) => return (at, character(next).into()),
            }
        }
    };
    (if next.is_none() { text.len() } else { at }, what.into())
}

fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A character by its code point, and as itself where one can see what it is.
#[cold]
pub(super) fn character(c: char) -> String {
    let mut itself = [0; 4];
    let what = match c {
        '\u{feff}' => "a byte order mark",
        ' ' => "a space",
        _ if is_invisible(c) => "an invisible character",
        _ if is_smart(c) => "a typographic (smart) quote",
        _ if c.is_control() => "a control character",
        _ if c.is_whitespace() => "a space of another kind",
        _ => c.encode_utf8(&mut itself),
    };
    format!("{what} (U+{:04X})", u32::from(c))
}

/// Quotes that word processors put in the place of straight ones.
pub(super) const fn is_smart(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '\u{2032}'..='\u{2037}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}'
        | '\u{b4}' | '\u{300c}'..='\u{300f}' | '\u{301d}'..='\u{301f}' | '\u{ff02}' | '\u{ff07}')
}

/// Characters that take no room, or fill it with nothing: nobody sees them in a file, and they make
/// a name another one.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
