//! Streams are filtered event by event, however they are cut into chunks, and all clients read the
//! same.

use mcp_edge_auth::limits::LIST_BYTES;
use mcp_edge_auth::policy::events::Place;
use mcp_edge_auth::policy::lists::{ListFilter, Unreadable};
use serde_json::{Value, json};

use crate::support::policy::{LESS, LIST, sift};
use crate::support::{for_each_row, same};

/// A stream's text, filtered as it comes in chunks: what went out, and whether it came to its end.
fn sent(sieve: &ListFilter<'_>, chunks: &[&[u8]]) -> (Vec<u8>, Result<(), Unreadable>) {
    let (mut held, mut out, mut place) = (Vec::new(), Vec::new(), Place::default());
    let mut filter = || {
        for chunk in chunks {
            let (whole, next) = place.read(chunk, held.len())?;
            place = next;
            if whole > 0 {
                held.extend_from_slice(&chunk[..whole]);
                out.extend(sieve.events(&held)?);
                held.clear();
            }
            held.extend_from_slice(&chunk[whole..]);
        }
        out.extend(sieve.events(&held)?);
        Ok(())
    };
    let end = filter();
    (out, end)
}

fn streamed(sieve: &ListFilter<'_>, chunks: &[&[u8]]) -> Result<Vec<u8>, Unreadable> {
    let (out, end) = sent(sieve, chunks);
    end.map(|()| out)
}

#[test]
fn streams() {
    let two_lines = LIST.replace(",\"result\"", ",\ndata: \"result\"");
    let two_lines_less = LESS.replace(",\"result\"", ",\ndata: \"result\"");
    let rows: Vec<(&str, String, String)> = vec![
        ("an event", format!("data: {LIST}\n\n"), format!("data: {LESS}\n\n")),
        ("without a space", format!("data:{LIST}\n\n"), format!("data: {LESS}\n\n")),
        (
            "with more fields",
            format!("event: message\nid: 7\ndata: {LIST}\nretry: 5\n\n"),
            format!("event: message\nid: 7\ndata: {LESS}\nretry: 5\n\n"),
        ),
        ("over lines", format!("data: {two_lines}\n\n"), format!("data: {two_lines_less}\n\n")),
        ("in CR LF", format!("id: 1\r\ndata: {LIST}\r\n\r\n"), format!("id: 1\r\ndata: {LESS}\n\r\n")),
        ("in CR", format!("id: 1\rdata: {LIST}\r\r: x\r\r"), format!("id: 1\rdata: {LESS}\n\r: x\r\r")),
        ("a byte order mark", format!("\u{feff}data: {LIST}\n\n"), format!("data: {LESS}\n\n")),
        (
            "a mark before another field",
            format!("\u{feff}id: 1\ndata: {LIST}\n\n"),
            format!("id: 1\ndata: {LESS}\n\n"),
        ),
        (
            "a mark before a later event",
            format!(": c\n\n\u{feff}data: {LIST}\r\n\r\n"),
            format!(": c\n\ndata: {LESS}\n\r\n"),
        ),
        (
            "a mark before what is no list",
            format!("\u{feff}data: x\ndata: {LESS}\n\n"),
            format!("data: x\ndata: {LESS}\n\n"),
        ),
        (
            "marks, and one that was encoded twice",
            format!("\u{feff}\u{feff}\u{ef}\u{bb}\u{bf}data: {LIST}\n\n"),
            format!("data: {LESS}\n\n"),
        ),
        ("nothing but a mark", "\u{feff}".into(), String::new()),
        (
            "many small events",
            format!("data: {LIST}\n\n:\r\r\n\r\n\r").repeat(5),
            format!("data: {LESS}\n\n:\r\r\n\r\n\r").repeat(5),
        ),
        (
            "several",
            format!(": c\n\ndata: {{\"method\":\"x\"}}\n\ndata: {LIST}\n\ndata: end\n\n"),
            format!(": c\n\ndata: {{\"method\":\"x\"}}\n\ndata: {LESS}\n\ndata: end\n\n"),
        ),
        ("one that never ends", format!("data: {LIST}"), format!("data: {LESS}\n")),
        ("nothing to remove", format!("data:{LESS}\r\n\r\n"), format!("data:{LESS}\r\n\r\n")),
        (
            "an endpoint",
            "event: endpoint\ndata: /messages?s=1\n\n".into(),
            "event: endpoint\ndata: /messages?s=1\n\n".into(),
        ),
        (
            "words",
            "data: see {x}\n\ndata: \u{43f}\u{440}\n\n".into(),
            "data: see {x}\n\ndata: \u{43f}\u{440}\n\n".into(),
        ),
        ("no data", "\n\n: x\ndata\n\n".into(), "\n\n: x\ndata\n\n".into()),
        ("nothing", String::new(), String::new()),
    ];
    let text_of = |sieve: &ListFilter<'_>, chunks: &[&[u8]]| {
        streamed(sieve, chunks).map(|out| String::from_utf8(out).unwrap())
    };
    sift(Some(&json!({})), |sieve| {
        for_each_row(rows, |(name, text, expected)| {
            let (text, expected) = (text.as_bytes(), Ok(expected.clone()));
            same(name, text_of(sieve, &[text]), expected.clone())?;
            // Cut anywhere, it comes to the same.
            for at in 0..text.len() {
                let (first, second) = text.split_at(at);
                same(&format!("{name} cut at {at}"), text_of(sieve, &[first, second]), expected.clone())?;
            }
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            same(&format!("{name} byte by byte"), text_of(sieve, &bytes), expected)
        });
        for unreadable in [
            "data: {\"result\":{},\"result\":{}}\n\n",
            "data: {\n\n",
            "data:  [1,]\n\n",
            // Readers of JSON that skip what is before a text.
            &format!("data: \u{feff}{LIST}\n\n"),
            &format!("data: \u{a0}{LIST}\n\n"),
            &format!("data: \u{b}{LIST}\n\n"),
            &format!("data: \0{LIST}\n\n"),
            // No mark, and no field either.
            "\u{e9}data: 1\n\n",
            "data: 1\n\u{a0}: 2\n\n",
        ] {
            assert_eq!(streamed(sieve, &[unreadable.as_bytes()]), Err(Unreadable), "{unreadable}");
        }
        assert_eq!(streamed(sieve, &[b"data: {\"x\":\"\xff\"}\n\n"]), Err(Unreadable));
        assert_eq!(streamed(sieve, &[b": first\n\nda"]).unwrap(), b": first\n\nda");
    });
}

#[test]
fn an_event_goes_out_with_its_last_byte() {
    sift(Some(&json!({})), |sieve| {
        let event = format!("data: {LIST}");
        let less = format!("data: {LESS}\n");
        for (chunks, expected) in [
            (vec!["\n", "\n"], less.clone() + "\n"),
            (vec!["\r", "\n", "\r"], less.clone() + "\r"),
            // The LF of the last CR LF does not wait for the next event, on which a client may
            // wait.
            (vec!["\r\n\r", "\n"], less.clone() + "\r\n"),
            (vec!["\r\r", "data: 1"], less.clone() + "\r"),
            (vec!["\r", "\r", "\n"], less.clone() + "\r\n"),
            (vec!["\r", "\n"], String::new()),
            (vec!["\r", "x\r"], String::new()),
        ] {
            let (mut held, mut out, mut place) = (event.clone().into_bytes(), Vec::new(), Place::default());
            (_, place) = place.read(&held, 0).unwrap();
            for chunk in &chunks {
                let (whole, next) = place.read(chunk.as_bytes(), held.len()).unwrap();
                place = next;
                held.extend_from_slice(chunk.as_bytes());
                let rest = held.split_off(if whole > 0 { held.len() - chunk.len() + whole } else { 0 });
                out.extend(sieve.events(&held).unwrap());
                held = rest;
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{chunks:?}");
        }
    });
}

#[test]
fn an_event_has_a_greatest_size() {
    let size = |length: usize, chunk: usize| {
        let event = [b"data: ".as_slice(), &vec![b'x'; length - 8], b"\n\n"].concat();
        assert_eq!(event.len(), length);
        let two = [b": first\n\n".as_slice(), &event, b": last\n\n"].concat();
        sift(None, |sieve| {
            let (out, end) = sent(sieve, &two.chunks(chunk).collect::<Vec<_>>());
            (out == two, end)
        })
    };
    for chunk in [65_537, LIST_BYTES + 100] {
        assert_eq!(size(LIST_BYTES, chunk), (true, Ok(())), "{chunk}");
        assert_eq!(size(LIST_BYTES + 1, chunk), (false, Err(Unreadable)), "{chunk}");
    }
    // Nor is more held of one that never ends.
    assert_eq!(Place::default().read(b"x", LIST_BYTES), Err(Unreadable));
    assert!(Place::default().read(b"x", LIST_BYTES - 1).is_ok());
}

/// What a client reads of a stream: the data of each event, an unfinished one included.
fn read(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split("\n\n")
        .map(|event| {
            let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
            data.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
        })
        .collect()
}

type Reader = (&'static str, fn(&str) -> String);

/// How clients prepare a stream for reading: they skip a mark nowhere, or at its start, or before
/// any line. The TypeScript SDKs skip one at its start, and then one that was encoded twice.
const READERS: [Reader; 4] = [
    ("nowhere", str::to_owned),
    ("at the start", |text| text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
    ("encoded twice", |text| {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        text.strip_prefix("\u{ef}\u{bb}\u{bf}").unwrap_or(text).to_owned()
    }),
    ("before any line", |text| {
        text.split('\n').map(|line| line.trim_start_matches('\u{feff}')).collect::<Vec<_>>().join("\n")
    }),
];

#[test]
fn no_reading_of_a_mark_shows_more() {
    let list = format!("data: {LIST}");
    let marked = format!("\u{feff}data: {LIST}");
    let twice = format!("\u{ef}\u{bb}\u{bf}data: {LIST}");
    let lines = [
        "",
        ":",
        "\u{feff}",
        "data: x",
        "data: {\"y\":",
        "data: }",
        "\u{feff}data: x",
        "\u{feff}data: {\"y\":",
        "\u{feff}data: }",
        &list,
        &marked,
        &twice,
    ];
    let names = |data: &str| {
        let json: Option<Value> = serde_json::from_str(data).ok();
        json.map(|json| json["result"]["tools"].to_string()).unwrap_or_default()
    };
    let mut streams = vec![String::new()];
    let mut lists = 0;
    sift(Some(&json!({})), |sieve| {
        // Every stream of up to four of these lines.
        for _ in 0..4 {
            streams = streams.iter().flat_map(|s| lines.map(|line| format!("{s}{line}\n"))).collect();
            for stream in &streams {
                let (out, _) = sent(sieve, &stream.as_bytes().chunks(7).collect::<Vec<_>>());
                let out = String::from_utf8(out).unwrap();
                for (reader, prepared) in READERS {
                    for names in read(&prepared(&out)).iter().map(|data| names(data)) {
                        assert!(!names.contains("\"x\""), "{reader}: {stream:?} came out as {out:?}");
                        lists += usize::from(names.contains("\"a\""));
                    }
                }
            }
        }
    });
    assert!(lists > 1000, "{lists} lists were read");
}
