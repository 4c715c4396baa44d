//! How others may read a path.
//!
//! An origin, or a proxy before it, may decode a path more than once, fold its case, collapse its
//! slashes, take other characters for a dot or a slash, and leave out what it does not know. Here a
//! path is read as the most lenient of them would read it. Only judgements are made of that; what
//! is forwarded is the path as it came. What is not read is named in
//! docs/decisions/0018-how-a-path-is-read.md.

use std::collections::BTreeSet;

const SLASHES: [char; 2] = ['/', '\\'];

/// Where some readers cut a segment off: parameters, a query, a fragment.
const CUTS: [char; 3] = [';', '?', '#'];

/// Whether some reader could see a dot segment in a path, or could read it as nobody can foresee.
pub(crate) fn leads_elsewhere(path: &str) -> bool {
    // Without one of these bytes there are no dots, in any spelling.
    let is_plain = |b: u8| matches!(b, 0x21..=0x7e) && !b"%.\\".contains(&b);
    if path.bytes().all(is_plain) {
        return false;
    }
    read(path).is_none_or(|text| segments(&text).any(is_dots))
}

/// Whether some reader who takes a text for a path could see a dot segment in it, or the end of it
/// before its end. Blanks and control characters are no paths' own: here they are in texts of every
/// kind, and the text is read as if it had none.
pub(crate) fn may_step_up(text: &str) -> bool {
    if !text.bytes().any(|b| matches!(b, b'.' | b'%' | b'\0') || !b.is_ascii()) {
        return false;
    }
    let decoded = decode_fully(text.as_bytes());
    decoded.contains(&0)
        || decoded.windows(2).any(is_overlong)
        || likeness(&decoded).is_none_or(|text| segments(&text).any(is_dots))
}

/// What a lenient reader could take the segments of a path for: two paths that may be one and the
/// same to some reader have the same names here, blanks within a segment aside.
pub(crate) fn names(path: &str) -> Vec<String> {
    segments(&read(path).unwrap_or_default())
        .map(|segment| name(up_to_blank(segment)))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Whether some reader could take the start of a path for these names. Readers differ in what a
/// slash is to them, so a segment that is cut off may end at any slash that follows. A blank in a
/// segment cuts it off for one reader, and is left out by another.
pub(crate) fn may_start_with(path: &str, start: &[String]) -> bool {
    // How many of the names readers may have found: those for whom a segment begins here, and those
    // who are in one that was cut off.
    let (mut beginning, mut cut_off) = (BTreeSet::new(), BTreeSet::new());
    beginning.insert(0);
    for segment in read(path).unwrap_or_default().split(SLASHES) {
        let (kept, is_cut) = match segment.split_once(CUTS) {
            Some((kept, _)) => (kept, true),
            None => (segment, false),
        };
        beginning.extend(&cut_off);
        let after = |name: String| -> BTreeSet<usize> {
            let is_next = |found: &usize| start.get(*found) == Some(&name);
            if name.is_empty() {
                return beginning.clone();
            }
            // Not `collect`, which brings a sort of its own into the wasm.
            let mut after = BTreeSet::new();
            after.extend(beginning.iter().filter(|found| is_next(found)).map(|found| found + 1));
            after
        };
        let whole = after(name(&kept.replace(' ', "")));
        cut_off.extend(after(name(up_to_blank(kept))).into_iter().filter(|_| kept.contains(' ')));
        if is_cut {
            cut_off.extend(&whole);
        }
        if cut_off.contains(&start.len()) || whole.contains(&start.len()) {
            return true;
        }
        beginning = if is_cut { BTreeSet::new() } else { whole };
    }
    false
}

/// The path as ASCII, as far as there is a likeness in it. `None`: it has control characters or
/// bare spaces, which URL parsers drop; or it is encoded in a way of which no one reading is sure.
fn read(path: &str) -> Option<String> {
    let decoded = decode_fully(path.as_bytes());
    let is_unsure =
        path.contains(' ') || decoded.iter().any(u8::is_ascii_control) || decoded.windows(2).any(is_overlong);
    if is_unsure {
        return None;
    }
    likeness(&decoded)
}

/// A decoded text as ASCII, as far as there is a likeness in it. `None`: it is encoded again.
fn likeness(decoded: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(decoded.len());
    String::from_utf8_lossy(decoded).chars().for_each(|c| push_likeness(c, &mut text));
    // The likenesses of a percent sign and of digits may be an encoding again.
    let is_final = decode_fully(text.as_bytes()) == text.as_bytes()
        && !text.as_bytes().windows(6).any(is_unicode_escape);
    is_final.then_some(text)
}

/// Percent-decoding until there is nothing left to decode, in one pass: what a decoded byte
/// completes is decoded at once.
fn decode_fully(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    for byte in text {
        decoded.push(*byte);
        while let [start @ .., b'%', high, low] = decoded.as_slice()
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            let length = start.len();
            decoded.truncate(length);
            decoded.push((high * 16 + low) as u8);
        }
    }
    decoded
}

/// The start of a character in more bytes than it takes in UTF-8, such as `C0 AE` for a dot:
/// lenient decoders take it, and some of them any byte in place of a continuation byte, of which
/// they use six bits.
fn is_overlong(pair: &[u8]) -> bool {
    let &[first, second] = pair else { return false };
    let bits = second & 0x3f;
    match first {
        0xc0 | 0xc1 => true,
        0xe0 => bits < 0x20,
        0xf0 => bits < 0x10,
        0xf8 => bits < 0x08,
        0xfc => bits < 0x04,
        _ => false,
    }
}

/// `%u002e`, which IIS and the `unescape` of JavaScript decode.
fn is_unicode_escape(six: &[u8]) -> bool {
    matches!(six, [b'%', b'u' | b'U', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit))
}

/// Adds the ASCII that a character is taken for by readers who fold width or case, or fit it into a
/// code page that has no such character; a space for a blank; nothing for what shows nothing; and
/// any other as it is.
fn push_likeness(c: char, text: &mut String) {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.push_str(match c {
        '\u{2024}' | '\u{3002}' | '\u{fe12}' | '\u{fe52}' | '\u{ff61}' => ".",
        '\u{2025}' | '\u{fe30}' => "..",
        '\u{2026}' | '\u{fe19}' => "...",
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => "/",
        // The yen and the won stand where the backslash is in the code pages of Japan and Korea.
        '\u{a5}' | '\u{20a9}' | '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' => "\\",
        '\u{37e}' | '\u{fe14}' | '\u{fe54}' => ";",
        '\u{fe16}' | '\u{fe56}' => "?",
        '\u{fe5f}' => "#",
        '\u{66a}' | '\u{fe6a}' => "%",
        'ſ' => "s",
        '\u{212a}' => "k",
        'ı' | 'İ' => "i",
        'ß' | 'ẞ' => "ss",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        // A form has a plus sign for a space.
        '+' => " ",
        c if c.is_whitespace() => " ",
        c if c.is_control() || is_ignorable(c) => "",
        c => return text.push(c),
    });
}

/// `Default_Ignorable_Code_Point` of Unicode, which has no shape of its own, and what stands for a
/// byte that is no UTF-8.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | char::REPLACEMENT_CHARACTER | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The segments of a path that was read, each up to where a reader may cut it off.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(SLASHES).map(|segment| segment.split(CUTS).next().unwrap_or_default())
}

/// One or two dots; or any number where there are blanks among them.
fn is_dots(segment: &str) -> bool {
    let is_all_dots = segment.contains('.') && segment.bytes().all(|b| matches!(b, b'.' | b' '));
    matches!(up_to_blank(segment), "." | "..") || (is_all_dots && segment.contains(' '))
}

/// Blanks may be left out, and what follows one may be cut off: a decoded path that is written into
/// a request line ends there.
fn up_to_blank(segment: &str) -> &str {
    segment.trim_start_matches(' ').split(' ').next().unwrap_or_default()
}

/// Some file systems drop the dots at the end of a name. What is not ASCII has one name for all,
/// since none of the tables by which others fold it is here.
fn name(segment: &str) -> String {
    let name = segment.trim_end_matches('.').to_ascii_lowercase();
    if name.is_ascii() { name } else { char::REPLACEMENT_CHARACTER.to_string() }
}
