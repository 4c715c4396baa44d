//! Lists lose what their reader could not call, and nothing else: byte for byte in JSON, event by event in streams, however they are cut into chunks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::Caller;
use mcp_edge_auth::policy::lists::{Sieve, Unreadable};
use serde_json::{Value, json};
use support::policy::{POLICY, verified};
use support::{config, for_each_row, resource, same, settings, with};

/// A sieve as the edge makes it when the answer comes: of a caller that was kept as text.
fn sift<T>(claims: Option<&Value>, filter: impl FnOnce(&Sieve<'_>) -> T) -> T {
    let policy = json!({ "filter_lists": true, "required_scopes": ["mcp"], "clients": ["c"], "rules": [
        { "methods": ["tools/call"], "names": ["x*"], "scopes": ["x"] },
        { "methods": ["tools/call"], "names": ["t*"], "claims": { "a.b": "c" } },
        { "methods": ["prompts/get", "resources/read"], "names": ["no", "file:///no"], "deny": true },
    ] });
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let verified =
        claims.map(|claims| verified(&with(json!({ "client_id": "c", "scope": "mcp" }), claims.clone())));
    let kept = Document::read(Caller::keep(verified.as_ref()).into_bytes()).unwrap();
    filter(&Sieve { policy: resource(&config).policy.as_ref().unwrap(), caller: &Caller::kept(&kept) })
}

fn filtered(text: &str) -> Result<String, Unreadable> {
    sift(Some(&json!({})), |sieve| sieve.json(text).map(|text| text.into_owned()))
}

#[test]
fn answers() {
    let list = |items: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{ "tools" : [{items}] , "nextCursor":"\u0041","n":1.50}}}}"#
        )
    };
    let rows: Vec<(&str, String, Result<String, Unreadable>)> = vec![
        ("nothing to remove", list(r#"{"name":"a"} , {"name":"b"}"#), Ok(list(r#"{"name":"a"} , {"name":"b"}"#))),
        ("the first", list(r#" {"name":"x1","d":[1]} , {"name":"b"} "#), Ok(list(r#" {"name":"b"} "#))),
        ("the last", list(r#"{"name":"b","t":"\u00e9"},{"name":"x1"}"#), Ok(list(r#"{"name":"b","t":"\u00e9"}"#))),
        ("from the middle", list(r#"{"name":"a"},{"name":"x1"},{"name":"b"}"#), Ok(list(r#"{"name":"a"},{"name":"b"}"#))),
        ("all", list(r#"{"name":"x1"},{"name":"x2"}"#), Ok(list(""))),
        ("by a name in escapes", list(r#"{"n\u0061me":"\u0078y"},{"name":"a"}"#), Ok(list(r#"{"name":"a"}"#))),
        ("by a claim", list(r#"{"name":"t"},{"name":"a"}"#), Ok(list(r#"{"name":"a"}"#))),
        ("what has no name", list(r#"{"title":"x"},7,{"name":3},{"name":"a"}"#), Ok(list(r#"{"name":"a"}"#))),
        ("empty", list(""), Ok(list(""))),
        ("no list", r#"{"result":{"tools":{"name":"x"}}}"#.into(), Ok(r#"{"result":{"tools":{"name":"x"}}}"#.into())),
        ("an error", r#"{"id":1,"error":{"tools":[{"name":"x"}]}}"#.into(), Ok(r#"{"id":1,"error":{"tools":[{"name":"x"}]}}"#.into())),
        ("deeper", r#"{"result":{"content":[{"tools":[{"name":"x"}]}]}}"#.into(), Ok(r#"{"result":{"content":[{"tools":[{"name":"x"}]}]}}"#.into())),
        ("prompts", r#"{"result":{"prompts":[{"name":"no"},{"name":"a"}]}}"#.into(), Ok(r#"{"result":{"prompts":[{"name":"a"}]}}"#.into())),
        ("resources", r#"{"result":{"resources":[{"uri":"file:///no","name":"a"},{"uri":"u","name":"no"}]}}"#.into(), Ok(r#"{"result":{"resources":[{"uri":"u","name":"no"}]}}"#.into())),
        ("several lists", r#"[{"result":{"tools":[{"name":"x"}]}},{"result":{"prompts":[{"name":"no"}],"tools":[{"name":"a"},{"name":"x"}]}}]"#.into(),
            Ok(r#"[{"result":{"tools":[]}},{"result":{"prompts":[],"tools":[{"name":"a"}]}}]"#.into())),
        ("a list twice", r#"{"result":{"tools":[],"tools":[{"name":"x"}]}}"#.into(), Err(Unreadable)),
        ("a name twice", list(r#"{"name":"a","name":"x"}"#), Err(Unreadable)),
        ("a result twice", r#"{"result":{},"result":{"tools":[{"name":"x"}]}}"#.into(), Err(Unreadable)),
        ("no JSON", "tools".into(), Err(Unreadable)),
        ("more after it", "{} {}".into(), Err(Unreadable)),
    ];
    for_each_row(rows, |(name, text, expected)| same(name, filtered(text), expected.clone()));
}

#[test]
fn what_callers_see() {
    let text = r#"{"result":{"tools":[{"name":"a"},{"name":"x"},{"name":"t"}]}}"#;
    let names = |claims: Option<Value>| {
        let seen = sift(claims.as_ref(), |sieve| sieve.json(text).unwrap().into_owned());
        let seen: Value = serde_json::from_str(&seen).unwrap();
        seen["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["name"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(names(Some(json!({}))), "a");
    assert_eq!(names(Some(json!({ "scope": "mcp x" }))), "ax");
    assert_eq!(names(Some(json!({ "scope": ["mcp", "x"], "a": { "b": ["c"] } }))), "axt");
    assert_eq!(names(Some(json!({ "a": { "b": "\u{e9}\"c" } }))), "a");
    assert_eq!(names(Some(json!({ "client_id": "<absent>", "azp": "c" }))), "a");
    // Somebody without a token may see what needs no more than a login.
    assert_eq!(names(None), "a");
}

/// A stream's text, filtered as it comes in chunks.
fn streamed(sieve: &Sieve<'_>, chunks: &[&[u8]]) -> Result<Vec<u8>, Unreadable> {
    let (mut rest, mut out) = (Vec::new(), Vec::new());
    for (n, chunk) in chunks.iter().enumerate() {
        rest.extend_from_slice(chunk);
        let (filtered, length) = sieve.events(&rest, n + 1 == chunks.len())?;
        out.extend(filtered);
        rest.drain(..length);
    }
    assert!(rest.is_empty(), "nothing is left over");
    Ok(out)
}

const LIST: &str = r#"{"id":1,"result":{"tools":[{"name":"x"},{"name":"a"}]}}"#;
const LESS: &str = r#"{"id":1,"result":{"tools":[{"name":"a"}]}}"#;

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
        ("no data", "\n\n: x\ndata\n\n".into(), "\n\n: x\ndata\n\n".into()),
        ("nothing", String::new(), String::new()),
    ];
    let text_of = |sieve: &Sieve<'_>, chunks: &[&[u8]]| {
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
            let bytes: Vec<&[u8]> = text.chunks(1).chain([b"".as_slice()]).collect();
            same(&format!("{name} byte by byte"), text_of(sieve, &bytes), expected)
        });
        for unreadable in ["data: {\"result\":{},\"result\":{}}\n\n", "data: {\n\n", "data:  [1,]\n\n"] {
            assert_eq!(streamed(sieve, &[unreadable.as_bytes()]), Err(Unreadable), "{unreadable}");
        }
        assert_eq!(streamed(sieve, &[b"data: {\"x\":\"\xff\"}\n\n"]), Err(Unreadable));
        assert_eq!(streamed(sieve, &[b": first\n\nda"]).unwrap(), b": first\n\nda");
    });
}
