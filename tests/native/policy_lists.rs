//! Lists lose what their reader could not call, and nothing else, byte for byte.

use mcp_edge_auth::limits::LIST_BYTES;
use mcp_edge_auth::policy::lists::{Form, Unreadable, form};
use serde_json::{Value, json};

use crate::support::policy::{LESS, LIST, sift};
use crate::support::{for_each_row, same};

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

#[test]
fn forms() {
    use Form::{Events, Json, Nothing, Receipt};
    let json = Some("application/json");
    let stream = Some("text/event-stream");
    type Row = (u16, Option<&'static str>, Option<&'static str>, Form);
    let rows: Vec<Row> = vec![
        (200, json, None, Json),
        (201, json, None, Json),
        (202, json, None, Json),
        (203, json, None, Json),
        (205, json, None, Json),
        (200, Some("Application/JSON ; Charset=\"UTF-8\""), None, Json),
        (200, Some("application/json;charset=utf8;"), None, Json),
        (200, Some("application/vnd.example+json"), None, Json),
        (200, json, Some("identity"), Json),
        (200, json, Some(""), Json),
        // These the runtime has undone.
        (200, json, Some("gzip"), Json),
        (200, json, Some("br"), Json),
        (200, stream, None, Events),
        (201, stream, None, Events),
        (202, Some("text/event-stream; charset=utf-8"), None, Events),
        (202, None, None, Receipt),
        (202, Some("text/plain"), None, Receipt),
        (202, json, Some("deflate"), Receipt),
        (200, None, None, Nothing),
        (200, Some(""), None, Nothing),
        (200, Some("text/plain"), None, Nothing),
        (200, Some("text/json"), None, Nothing),
        (200, Some("application/json-rpc"), None, Nothing),
        (200, Some("application/json-seq"), None, Nothing),
        (200, Some("application/x-ndjson"), None, Nothing),
        (200, Some("application/json, text/event-stream"), None, Nothing),
        (200, Some("application/json, application/json"), None, Nothing),
        (200, Some("text/plain, application/vnd.example+json"), None, Nothing),
        (200, Some("application/json; charset=utf-8, text/plain"), None, Nothing),
        (200, Some("application/json; charset=utf-16"), None, Nothing),
        (200, Some("text/event-stream; charset=utf-7"), None, Nothing),
        (200, Some("text/event-stream; charset=utf-8; charset=utf-7"), None, Nothing),
        (200, Some("multipart/mixed; boundary=x"), None, Nothing),
        (200, json, Some("deflate"), Nothing),
        (200, json, Some("GZIP"), Nothing),
        (200, stream, Some("gzip, gzip"), Nothing),
        (200, stream, Some("zstd"), Nothing),
        (206, json, None, Nothing),
        (206, stream, None, Nothing),
        (207, json, None, Nothing),
        (226, stream, None, Nothing),
        (299, json, None, Nothing),
    ];
    for_each_row(rows, |(status, content_type, content_encoding, expected)| {
        let name = format!("{status} {content_type:?} {content_encoding:?}");
        same(&name, form(*status, *content_type, *content_encoding), *expected)
    });
}

#[test]
fn whole_answers() {
    let passed = |form, text: &str| {
        let filtered = sift(Some(&json!({})), |sieve| sieve.whole(form, text.into()));
        filtered.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    for form in [Form::Json, Form::Receipt, Form::Nothing, Form::Events] {
        assert_eq!(passed(form, ""), Ok(String::new()), "{form:?}");
    }
    assert_eq!(passed(Form::Json, LIST), Ok(LESS.into()));
    assert_eq!(passed(Form::Json, "Accepted"), Err(Unreadable));
    assert_eq!(sift(None, |sieve| sieve.whole(Form::Json, b"\"\xff\"".into())), Err(Unreadable));
    assert_eq!(passed(Form::Receipt, "Accepted\n"), Ok("Accepted\n".into()));
    for list in [LIST, "see: {}", "\u{feff}{", "\u{e9}"] {
        assert_eq!(passed(Form::Receipt, list), Err(Unreadable), "{list}");
    }
    for form in [Form::Nothing, Form::Events] {
        assert_eq!(passed(form, "Accepted"), Err(Unreadable), "{form:?}");
    }
    assert_eq!([Form::Json, Form::Receipt, Form::Nothing].map(Form::limit), [LIST_BYTES, LIST_BYTES, 0]);
}
