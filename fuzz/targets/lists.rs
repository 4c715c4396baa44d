//! `ListFilter`: lists without what the caller may not call, here whatever begins with `x`. The
//! first line of the input says where the stream is cut, the rest is the stream.
//!
//! 1. A whole answer comes out as the same JSON without the forbidden items, or not at all.
//! 2. A stream comes out the same however it is cut, each event as soon as it is whole, and is
//!    broken off only where an event cannot be read alike by all.
//! 3. What a client reads of the result (HTML standard, section 9.2.6), wherever it passes over
//!    byte order marks, has no forbidden item in it, and is what it would have read before, without
//!    those.

use std::cell::OnceCell;

use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::Caller;
use mcp_edge_auth::policy::events::Place;
use mcp_edge_auth::policy::lists::ListFilter;
use mcp_edge_auth::resource::Config;
use serde_json::json;

use super::reference::{self, Json};
use super::{config, first_line};

const MARK: &[u8] = "\u{feff}".as_bytes();
/// A mark that was taken for Latin-1 and encoded again.
const MARK_AGAIN: &[u8] = "\u{ef}\u{bb}\u{bf}".as_bytes();

/// What nests deeper may be refused: items are read one by one, which counts their depth anew.
const DEEP: usize = 120;
/// At so many places of a stream it is looked at what has gone out.
const PLACES: usize = 8;

thread_local! {
    static CONFIG: OnceCell<Config> = const { OnceCell::new() };
}

pub(super) fn check(data: &[u8]) {
    let (cuts, stream) = first_line(data);
    CONFIG.with(|config| {
        let config = config.get_or_init(settings);
        let kept = Document::read(br#"{"scopes":[],"client":"c","claims":{"sub":"s"}}"#.to_vec()).unwrap();
        let caller = Caller::from_json(&kept);
        let sieve = ListFilter { policy: config.resources[0].policy.as_ref().unwrap(), caller: &caller };
        if let Ok(text) = std::str::from_utf8(stream) {
            check_answer(&sieve, text);
        }
        let whole = sieve.events(stream);
        let cut = streamed(&sieve, stream, cuts);
        match (whole, cut) {
            (Ok(whole), (cut, progress, true)) => {
                assert_eq!(whole, cut, "it depends on where the stream is cut");
                check_stream(stream, &whole);
                if !has_marks(stream) {
                    check_progress(stream, &whole, &progress);
                }
            }
            (Err(_), (before, _, false)) => {
                check_stream(stream, &before);
                assert!(is_refusable(stream), "broken off without a reason");
            }
            outcome => panic!("it depends on where the stream is cut: {outcome:?}"),
        }
    });
}

fn settings() -> Config {
    let methods = ["tools/call", "prompts/get", "resources/read"];
    config(&json!({ "MCP_SERVER_AUTH_POLICY": {
        "filter_lists": true,
        "rules": [{ "methods": methods, "names": ["x*"], "deny": true }],
    } }))
}

fn check_answer(sieve: &ListFilter<'_>, text: &str) {
    let read = reference::read(text.as_bytes());
    match (sieve.json(text), read) {
        (Ok(filtered), Some((json, facts))) => {
            assert!(!facts.repeated, "a name is repeated, and it was let through");
            let (filtered, _) = reference::read(filtered.as_bytes()).unwrap();
            assert_eq!(filtered, allowed(&json));
        }
        (Ok(_), None) => panic!("this is no JSON, and it was let through"),
        (Err(_), Some((json, facts))) => {
            assert!(facts.acceptable() != Some(true) || facts.depth > DEEP, "refused: {json:?}");
        }
        (Err(_), None) => {}
    }
}

/// The stream as it comes in pieces: what goes out, how much of it each time that so much had come,
/// and whether it comes to its end.
fn streamed(sieve: &ListFilter<'_>, stream: &[u8], cuts: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>, bool) {
    let mut lengths = cuts.iter().map(|b| usize::from(b % 37) + 1).cycle();
    let (mut held, mut out, mut place, mut at) = (Vec::new(), Vec::new(), Place::default(), 0);
    let mut progress = Vec::new();
    while at < stream.len() {
        let end = (at + lengths.next().unwrap_or(1)).min(stream.len());
        let chunk = &stream[at..end];
        at = end;
        let Ok((whole, next)) = place.read(chunk, held.len()) else { return (out, progress, false) };
        place = next;
        if whole > 0 {
            held.extend_from_slice(&chunk[..whole]);
            let Ok(filtered) = sieve.events(&held) else { return (out, progress, false) };
            out.extend(filtered);
            held.clear();
        }
        held.extend_from_slice(&chunk[whole..]);
        progress.push((at, out.len()));
    }
    let Ok(filtered) = sieve.events(&held) else { return (out, progress, false) };
    out.extend(filtered);
    (out, progress, true)
}

/// The answer without the items that begin with `x`, and those that have no name.
fn allowed(json: &Json) -> Json {
    match json {
        Json::Array(messages) => Json::Array(messages.iter().map(allowed).collect()),
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| match name.as_str() {
                "result" => (name.clone(), allowed_result(value)),
                _ => (name.clone(), value.clone()),
            };
            Json::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn allowed_result(result: &Json) -> Json {
    let Json::Object(members) = result else { return result.clone() };
    let member = |(name, value): &(String, Json)| {
        let key = match name.as_str() {
            "tools" | "prompts" => "name",
            "resources" => "uri",
            _ => return (name.clone(), value.clone()),
        };
        let Json::Array(items) = value else { return (name.clone(), value.clone()) };
        let is_allowed = |item: &&Json| item.text(key).is_some_and(|name| !name.starts_with('x'));
        (name.clone(), Json::Array(items.iter().filter(is_allowed).cloned().collect()))
    };
    Json::Object(members.iter().map(member).collect())
}

/// Where a reader passes over a byte order mark. The HTML standard does so at the stream's start.
#[derive(Clone, Copy, PartialEq)]
enum Marks {
    Nowhere,
    AtTheStart,
    BeforeEachEvent,
    BeforeEachLine,
}

const READERS: [Marks; 4] =
    [Marks::AtTheStart, Marks::Nowhere, Marks::BeforeEachEvent, Marks::BeforeEachLine];

/// The data of the events of a stream. `ended`: it ends here, and some clients take what follows
/// its last empty line for an event, too.
fn dispatched(stream: &[u8], marks: Marks, ended: bool) -> Vec<Vec<u8>> {
    let mut text = Vec::new();
    for (at, byte) in stream.iter().enumerate() {
        match byte {
            b'\r' => text.push(b'\n'),
            b'\n' if at > 0 && stream[at - 1] == b'\r' => {}
            byte => text.push(*byte),
        }
    }
    let mut lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let rest = lines.pop().unwrap_or_default();
    if ended {
        lines.extend([rest, b""]);
    }
    let (mut events, mut data, mut first) = (Vec::new(), Vec::<u8>::new(), true);
    for (n, line) in lines.into_iter().enumerate() {
        let passes_over = match marks {
            Marks::Nowhere => false,
            Marks::AtTheStart => n == 0,
            Marks::BeforeEachEvent => first,
            Marks::BeforeEachLine => true,
        };
        let line = if passes_over { unmarked(line) } else { line };
        first = line.is_empty();
        if line.is_empty() {
            if data.pop().is_some() {
                events.push(std::mem::take(&mut data));
            }
            continue;
        }
        let at = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        if &line[..at] == b"data" {
            let value = line.get(at + 1..).unwrap_or_default();
            data.extend(value.strip_prefix(b" ").unwrap_or(value));
            data.push(b'\n');
        }
    }
    events
}

fn unmarked(line: &[u8]) -> &[u8] {
    line.strip_prefix(MARK).or_else(|| line.strip_prefix(MARK_AGAIN)).unwrap_or(line)
}

fn has_marks(stream: &[u8]) -> bool {
    [MARK, MARK_AGAIN].iter().any(|mark| stream.windows(mark.len()).any(|window| window == *mark))
}

/// What a client takes an event's data for, who decodes UTF-8 with replacement, as browsers do.
fn as_client(event: &[u8]) -> Option<Json> {
    reference::read(String::from_utf8_lossy(event).as_bytes()).map(|(json, _)| json)
}

fn check_stream(before: &[u8], after: &[u8]) {
    for marks in READERS {
        for event in dispatched(after, marks, true) {
            if let Some(json) = as_client(&event) {
                assert_eq!(allowed(&json), json, "seen: {}", String::from_utf8_lossy(&event));
            }
        }
    }
    // Marks before events are taken away, and readers who pass over none see more afterwards.
    if has_marks(before) {
        return;
    }
    let [before, after] = [before, after].map(|stream| dispatched(stream, Marks::Nowhere, true));
    assert!(after.len() <= before.len(), "an event that there was not");
    for (was, is) in before.iter().zip(&after) {
        match (as_client(was), as_client(is)) {
            (Some(was), Some(is)) => assert_eq!(allowed(&was), is),
            _ => assert_eq!(was, is),
        }
    }
}

/// Every event that had come in whole had gone out, each time that something had come.
fn check_progress(stream: &[u8], out: &[u8], progress: &[(usize, usize)]) {
    for (came, went) in progress.iter().step_by(progress.len() / PLACES + 1) {
        let [came, went] =
            [&stream[..*came], &out[..*went]].map(|part| dispatched(part, Marks::Nowhere, false).len());
        assert_eq!(came, went, "an event was held back");
    }
}

/// A stream is broken off for a reason: an event that is JSON for nobody or not for everybody, or a
/// line that begins with something that is no field's name.
fn is_refusable(stream: &[u8]) -> bool {
    let is_unsound = |event: &Vec<u8>| {
        let read = reference::read(event);
        read.is_none_or(|(_, facts)| facts.acceptable() != Some(true) || facts.depth > DEEP)
            && event.iter().any(|b| b"{[".contains(b))
    };
    stream.split(|b| b"\r\n".contains(b)).any(|line| line.first().is_some_and(|b| !b.is_ascii()))
        || dispatched(stream, Marks::Nowhere, true).iter().any(is_unsound)
}
