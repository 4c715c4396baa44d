//! Lists lose what their reader could not call, and nothing else, byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use mcp_edge_auth::policy::lists::Unreadable;
use serde_json::{Value, json};
use support::policy::sift;
use support::{for_each_row, same};

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
