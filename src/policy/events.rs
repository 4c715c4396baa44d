//! The events of a stream, filtered (HTML standard, section 9.2.6).
//!
//! 1. However a stream is cut into chunks, each byte is looked at once for the end of an event, and
//!    an event is read once, when it is whole.
//! 2. Every client reads the same lines in what goes out. A byte order mark before the first line
//!    of an event is taken away: some clients skip it, to others it makes another field of the
//!    line. Before any other line it makes the event unreadable.

use std::borrow::Cow;

use super::lists::{ListFilter, Unreadable};
use crate::limits;

/// Where a stream stands, after what was read of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line that the last byte is of, or ended, has text in it.
    pub in_text: bool,
    /// The last byte was a CR: an LF that comes next belongs to it.
    pub after_cr: bool,
}

impl Place {
    /// How many bytes of a chunk belong to events that are whole with it, and where the stream
    /// stands after it. `held`: how many bytes of an event came before it.
    ///
    /// # Errors An event is larger than is filtered.
    pub fn read(mut self, chunk: &[u8], held: usize) -> Result<(usize, Self), Unreadable> {
        let (mut whole, mut length) = (0, held);
        for (at, byte) in chunk.iter().enumerate() {
            length += 1;
            let is_end = match byte {
                // The other half of a CR LF that ended an event is an event of nothing: it does not
                // wait for the next event, as a client may wait for it.
                b'\n' => !self.in_text,
                b'\r' => self.after_cr || !self.in_text,
                _ => false,
            };
            self = match byte {
                b'\n' => Self::default(),
                b'\r' => Self { in_text: !is_end, after_cr: true },
                _ => Self { in_text: true, after_cr: false },
            };
            if length > limits::LIST_BYTES {
                return Err(Unreadable);
            }
            if is_end {
                (whole, length) = (at + 1, 0);
            }
        }
        Ok((whole, self))
    }
}

impl ListFilter<'_> {
    /// Whole events, filtered. What follows the last end, at the end of a stream, counts as one.
    ///
    /// # Errors
    /// An event cannot be read.
    pub fn events(&self, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((event, after)) = rest.split_at_checked(event_length(rest))
            && !event.is_empty()
        {
            out.extend(self.event(event)?.iter());
            rest = after;
        }
        Ok(out)
    }

    fn event<'e>(&self, event: &'e [u8]) -> Result<Cow<'e, [u8]>, Unreadable> {
        let event = unmarked(event);
        if lines(event).any(|line| is_marked(line.text)) {
            return Err(Unreadable);
        }
        let data: Vec<&[u8]> = lines(event).filter_map(|line| data(line.text)).collect();
        let data = data.join(&b'\n');
        let is_json = match data.trim_ascii_start().first() {
            Some(b'{' | b'[') => true,
            // Some readers skip what cannot be seen, and a byte order mark.
            Some(byte) => !byte.is_ascii_graphic() && data.contains(&b'{'),
            None => false,
        };
        if !is_json {
            return Ok(Cow::Borrowed(event));
        }
        let data = str::from_utf8(&data).map_err(|_| Unreadable)?;
        let Cow::Owned(filtered) = self.json(data)? else { return Ok(Cow::Borrowed(event)) };
        let mut out = Vec::with_capacity(event.len());
        let mut written = false;
        for line in lines(event) {
            if data_line(line.text) {
                if !written {
                    filtered
                        .split('\n')
                        .for_each(|text| out.extend([b"data: ", text.as_bytes(), b"\n"].concat()));
                }
                written = true;
            } else {
                out.extend(line.text);
                out.extend(line.end);
            }
        }
        Ok(Cow::Owned(out))
    }
}

/// A byte order mark, and one that was taken for Latin-1 and encoded again, which the parser of the
/// TypeScript SDKs skips at the start of a stream.
const MARKS: [&[u8]; 2] = ["\u{feff}".as_bytes(), "\u{ef}\u{bb}\u{bf}".as_bytes()];

fn unmarked(mut event: &[u8]) -> &[u8] {
    while let Some(rest) = MARKS.iter().find_map(|mark| event.strip_prefix(*mark)) {
        event = rest;
    }
    event
}

/// Whether a line begins with a mark, whole or not. The name of a field begins with ASCII.
fn is_marked(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| !byte.is_ascii())
}

/// A line of a stream, and what ends it: LF, CR, or both.
struct Line<'b> {
    text: &'b [u8],
    end: &'b [u8],
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let (text, after) = rest.split_at_checked(at)?;
        let length = if after.starts_with(b"\r\n") { 2 } else { after.len().min(1) };
        let (end, after) = after.split_at_checked(length)?;
        rest = after;
        Some(Line { text, end })
    })
}

/// The length of the first event, the empty line that ends it included.
fn event_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    for line in lines(bytes) {
        length += line.text.len() + line.end.len();
        if line.text.is_empty() {
            break;
        }
    }
    length
}

fn data_line(line: &[u8]) -> bool {
    data(line).is_some()
}

/// The value of a line of data.
fn data(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => value.is_empty().then_some(value),
    }
}
