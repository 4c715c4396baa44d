//! A host with other letters than ASCII's, in the ASCII form that it has on the wire (UTS 46). Only
//! faults say it, so that an operator can copy it: no host is looked up or compared by what is read
//! here.
//!
//! The whole of UTS 46 needs tables that are larger than the parser of URLs itself. Here are the
//! letters that most such names are written in, each of which stands for itself or for its lower
//! case. A host with any other character gets no ASCII form, rather than perhaps a wrong one.

use crate::http::url;

/// The host of an authority (without user information; a port is left out).
#[cold]
pub(super) fn in_ascii(authority: &str) -> Option<String> {
    let host = authority.split(':').next().unwrap_or_default();
    let mapped: String = host.chars().filter(|c| !is_ignored(*c)).map(mapped).collect::<Option<_>>()?;
    let labels: Option<Vec<String>> = mapped.split('.').map(label).collect();
    url::parse(&["https://", &labels?.join(".")].concat()).map(|url| url.host)
}

fn label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    idna::punycode::encode_str(label).map(|encoded| ["xn--", &encoded].concat())
}

/// What a browser leaves out of a host, since nobody sees it.
const fn is_ignored(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// What a character stands for. `None`: it is not one of those that are known here.
fn mapped(c: char) -> Option<char> {
    let shifted = |by: u32| char::from_u32(u32::from(c) + by);
    match c {
        _ if c.is_ascii() => Some(c),
        '。' | '．' | '｡' => Some('.'),
        '×' | '÷' => None,
        // Capitals of Latin, Greek and Cyrillic, beside their small letters or a few rows above
        // them.
        'À'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => shifted(0x20),
        'Ѐ'..='Џ' => shifted(0x50),
        'Ā'..='į' | 'Ĵ'..='ķ' | 'Ŋ'..='ŷ' => shifted(u32::from(u32::from(c).is_multiple_of(2))),
        'Ĺ'..='ľ' | 'Ł'..='ň' | 'Ź'..='ž' => shifted(u32::from(!u32::from(c).is_multiple_of(2))),
        'ß'..='ÿ' | 'ά'..='ώ' | 'а'..='џ' => Some(c),
        // Kana, Han and Hangul have no case.
        'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '一'..='鿋' | '가'..='힣' => Some(c),
        _ => None,
    }
}
