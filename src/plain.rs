//! Text of others on a terminal: kids, header values, names in settings, messages of servers. None
//! of it may move the cursor, begin a line of its own, or turn the direction in which a line is
//! read.
//!
//! `cli/plain.mjs` is the same for the commands in JavaScript.

/// Whether a character shows as itself: no control character (C0, DEL, C1), no separator of lines,
/// no mark that turns the direction of what follows.
pub fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// One line.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { '?' }).collect()
}

/// Texts as one, each but the first after a NUL; `None` if one of them has a NUL of its own, which
/// would make it two.
pub fn framed<const PARTS: usize>(parts: [&str; PARTS]) -> Option<String> {
    let framed = parts.join("\0");
    (framed.bytes().filter(|byte| *byte == 0).count() + 1 == PARTS).then_some(framed)
}

/// Several lines, such as a parser's message with the place that it is about.
pub fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|text| line(&text.replace('\t', " "))).collect();
    lines.join("\n")
}

/// The same JSON on one line, with such characters escaped. `json` is what a serializer wrote, so
/// they stand in strings only.
pub fn json(json: String) -> String {
    if json.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_plain(character) {
            escaped.push(character);
        } else {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    escaped
}

/// What others say, as far as the log takes it.
pub fn printable(text: &str, characters: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(characters).collect()
}
