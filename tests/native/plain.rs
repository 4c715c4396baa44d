//! What others say moves no cursor and turns no line around, on a terminal and in the log.

use mcp_edge_auth::plain::{framed, is_plain, json, line, lines};
use serde_json::{Value, json as value};

/// C0, DEL and C1; separators of lines; marks that turn the direction of what follows.
const ODD: [std::ops::RangeInclusive<char>; 6] = [
    '\0'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{61c}'..='\u{61c}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2066}'..='\u{2069}',
];

fn is_odd(character: char) -> bool {
    ODD.iter().any(|range| range.contains(&character))
}

#[test]
fn every_character() {
    for character in '\0'..=char::MAX {
        assert_eq!(is_plain(character), !is_odd(character), "{character:?}");
    }
}

#[test]
fn no_part_is_taken_for_two() {
    assert_eq!(framed(["a", "", "b\u{1}\n"]).as_deref(), Some("a\0\0b\u{1}\n"));
    assert_eq!(framed([""]).as_deref(), Some(""));
    for parts in [["a\0b", "c"], ["a", "\0"], ["\0", "\0"]] {
        assert_eq!(framed(parts), None, "{parts:?}");
    }
}

#[test]
fn lines_stay_lines() {
    assert_eq!(line("a\u{1b}[2J\u{9b}31m\r\nb\u{202e}c\u{2028}\t"), "a?[2J?31m??b?c??");
    assert_eq!(line("caf\u{e9} \u{1f642} \u{200d}\"\\"), "caf\u{e9} \u{1f642} \u{200d}\"\\");
    assert_eq!(lines("a\n\tb\r\nc\u{1b}[A\u{2029}d"), "a\n b\nc?[A?d");
}

#[test]
fn json_says_the_same() {
    let all: String = ODD.iter().cloned().flatten().chain("\"\\ \u{e9}\u{1f642}".chars()).collect();
    let said = value!({ &all: [&all, 1, null] });
    let escaped = json(said.to_string());
    assert!(!escaped.chars().any(is_odd), "{escaped}");
    assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), said);
    let plain = value!({ "a": "\u{e9}" }).to_string();
    assert_eq!(json(plain.clone()), plain);
}
