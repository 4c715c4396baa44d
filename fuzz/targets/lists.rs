//! `Sieve`: lists without what the caller may not call, here whatever begins with `x`. The first
//! line of the input says where the stream is cut, the rest is the stream.
//!
//! 1. A whole answer comes out as the same JSON without the forbidden items, or not at all.
//! 2. A stream comes out the same however it is cut.
//! 3. What a client reads of the result (HTML standard, section 9.2.6), also one that passes over a
//!    byte order mark before each event, has no forbidden item in it, and is what it would have
//!    read before, without those.

use std::cell::OnceCell;

use mcp_edge_auth::config::Config;
use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::Caller;
use mcp_edge_auth::policy::events::Place;
use mcp_edge_auth::policy::lists::Sieve;
use serde_json::json;

use super::reference::{self, Json};
use super::{config, first_line};

const MARK: &[u8] = "\u{feff}".as_bytes();
/// A mark that was taken for Latin-1 and encoded again.
const MARK_AGAIN: &[u8] = "\u{ef}\u{bb}\u{bf}".as_bytes();

thread_local! {
    static CONFIG: OnceCell<Config> = const { OnceCell::new() };
}

pub(super) fn check(data: &[u8]) {
    let (cuts, stream) = first_line(data);
    CONFIG.with(|config| {
        let config = config.get_or_init(settings);
        let kept = Document::read(br#"{"scopes":[],"client":"c","claims":{"sub":"s"}}"#.to_vec()).unwrap();
        let caller = Caller::kept(&kept);
        let sieve = Sieve { policy: config.resources[0].policy.as_ref().unwrap(), caller: &caller };
        if let Ok(text) = std::str::from_utf8(stream) {
            check_answer(&sieve, text);
        }
        let whole = sieve.events(stream);
        let cut = streamed(&sieve, stream, cuts);
        match (whole, cut) {
            (Ok(whole), Ok(cut)) => {
                assert_eq!(whole, cut, "it depends on where the stream is cut");
                check_stream(stream, &whole);
            }
            // What went out before the stream was broken off.
            (Err(_), Err(before)) => check_stream(stream, &before),
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

fn check_answer(sieve: &Sieve<'_>, text: &str) {
    let read = reference::read(text.as_bytes());
    match (sieve.json(text), read) {
        (Ok(filtered), Some((json, facts))) => {
            assert!(!facts.repeated, "a name is repeated, and it was let through");
            let (filtered, _) = reference::read(filtered.as_bytes()).unwrap();
            assert_eq!(filtered, allowed(&json));
        }
        (Ok(_), None) => panic!("this is no JSON, and it was let through"),
        (Err(_), Some((json, facts))) => {
            // Items are read one by one, which counts their depth anew.
            assert!(facts.acceptable() != Some(true) || facts.depth > 120, "refused: {json:?}");
        }
        (Err(_), None) => {}
    }
}

/// The stream as it comes in pieces; `Err`: what had gone out before it was broken off.
fn streamed(sieve: &Sieve<'_>, stream: &[u8], cuts: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let mut lengths = cuts.iter().map(|b| usize::from(b % 37) + 1).cycle();
    let (mut held, mut out, mut place, mut at) = (Vec::new(), Vec::new(), Place::default(), 0);
    while at < stream.len() {
        let end = (at + lengths.next().unwrap_or(1)).min(stream.len());
        let chunk = &stream[at..end];
        at = end;
        let Ok((whole, next)) = place.read(chunk, held.len()) else { return Err(out) };
        place = next;
        if whole > 0 {
            held.extend_from_slice(&chunk[..whole]);
            let Ok(filtered) = sieve.events(&held) else { return Err(out) };
            out.extend(filtered);
            held.clear();
        }
        held.extend_from_slice(&chunk[whole..]);
    }
    let Ok(filtered) = sieve.events(&held) else { return Err(out) };
    out.extend(filtered);
    Ok(out)
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

/// The data of the events of a stream, also of one that its end cuts off. `lenient`: a mark before
/// the first line of an event is passed over, where the standard does so at the stream's start
/// only.
fn dispatched(stream: &[u8], lenient: bool) -> Vec<Vec<u8>> {
    let mut text = Vec::new();
    for (at, byte) in stream.iter().enumerate() {
        match byte {
            b'\r' => text.push(b'\n'),
            b'\n' if at > 0 && stream[at - 1] == b'\r' => {}
            byte => text.push(*byte),
        }
    }
    let (mut events, mut data, mut first) = (Vec::new(), Vec::<u8>::new(), true);
    for (n, line) in text.split(|b| *b == b'\n').chain([b"".as_slice()]).enumerate() {
        let skips_mark = n == 0 || (lenient && first);
        let line = line.strip_prefix(MARK).filter(|_| skips_mark).unwrap_or(line);
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

/// What a client takes an event's data for, who decodes UTF-8 with replacement, as browsers do.
fn as_client(event: &[u8]) -> Option<Json> {
    reference::read(String::from_utf8_lossy(event).as_bytes()).map(|(json, _)| json)
}

fn check_stream(before: &[u8], after: &[u8]) {
    let marked = before.windows(MARK.len()).skip(1).any(|window| window == MARK)
        || before.windows(MARK_AGAIN.len()).any(|window| window == MARK_AGAIN);
    for lenient in [false, true] {
        let (before, after) = (dispatched(before, lenient), dispatched(after, lenient));
        for event in &after {
            if let Some(json) = as_client(event) {
                assert_eq!(allowed(&json), json, "seen: {}", String::from_utf8_lossy(event));
            }
        }
        // The filter takes a mark before an event away, so that this reader may see an event that it
        // did not see before.
        if marked {
            continue;
        }
        assert!(after.len() <= before.len(), "an event that there was not");
        for (was, is) in before.iter().zip(&after) {
            match (as_client(was), as_client(is)) {
                (Some(was), Some(is)) => assert_eq!(allowed(&was), is),
                _ => assert_eq!(was, is),
            }
        }
    }
}
