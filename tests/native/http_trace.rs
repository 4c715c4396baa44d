//! `traceparent`, as a message carries it. `tests/golden/traceparents.json` has what is valid and
//! what is not; `tests/e2e/log-members.test.mjs` holds the header to the same.

use mcp_edge_auth::http::trace::trace_id;
use mcp_edge_auth::policy::message::read;
use serde_json::{Value, json};

use crate::support::{for_each_row, same};

const ROWS: &str = include_str!("../golden/traceparents.json");

#[test]
fn only_a_valid_one_names_a_trace() {
    let rows: Vec<(String, Option<String>)> = serde_json::from_str(ROWS).unwrap();
    assert!(rows.iter().filter(|(_, id)| id.is_some()).count() > 5);
    for_each_row(rows, |(text, id)| same(text, trace_id(text), id.as_deref()));
}

/// What a message names, if it can be read.
fn named(meta: &Value) -> Option<String> {
    let body = json!({ "method": "ping", "params": { "_meta": meta } }).to_string();
    let messages = read(body.as_bytes()).unwrap();
    messages.all.first()?.trace.as_deref().map(str::to_owned)
}

#[test]
fn a_message_names_it_in_meta() {
    let rows = [
        (json!({ "traceparent": "00-a" }), Some("00-a")),
        (json!({ "x": {}, "traceparent": "a", "io.modelcontextprotocol/protocolVersion": "v" }), Some("a")),
        (json!({ "Traceparent": "a" }), None),
        (json!({ "traceparent": 7 }), None),
        (json!({ "traceparent": null }), None),
        (json!({ "traceparent": ["a"] }), None),
        (json!({}), None),
        (json!([]), None),
        (json!(null), None),
    ];
    for_each_row(rows, |(meta, id)| same(&meta.to_string(), named(meta).as_deref(), *id));
    let twice = br#"{"method":"ping","params":{"_meta":{"traceparent":"a","traceparent":"b"}}}"#;
    assert!(read(twice).is_err());
}
