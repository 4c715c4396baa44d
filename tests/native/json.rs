//! The two readers of JSON (`json::object` for settings and key sets, `json::Document` for tokens)
//! hold the same rules and read the same values.

use mcp_edge_auth::json::{self, Document, Node};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::arbitrary::{any_json, quick};
use crate::support::{for_each_row, same};

/// What a document says, as `serde_json` has it.
fn value(node: Node<'_>) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => value.into(),
        Node::Number(value) => value.into(),
        Node::String(value) => value.into(),
        Node::Array(items) => items.values().map(value).collect(),
        Node::Object(members) => members.map(|(name, node)| (name.to_owned(), value(node))).collect(),
    }
}

fn read(text: &str) -> Option<Value> {
    let document = Document::read(text.as_bytes().to_vec())?;
    Some(document.members().map(|(name, node)| (name.to_owned(), value(node))).collect())
}

/// Numbers as `f64`, which is what a document keeps.
fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(as_floats).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, as_floats(value))).collect(),
        other => other,
    }
}

fn nested(depth: usize) -> String {
    format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

fn members(count: usize, again: Option<usize>) -> String {
    let names = (0..count).chain(again).map(|n| format!(r#""n{n}":{n}"#));
    format!("{{{}}}", names.collect::<Vec<_>>().join(","))
}

#[test]
fn what_is_an_object() {
    let rows = [
        ("empty", "{}".to_owned(), true),
        ("spaces around", " \t\r\n{ \"a\" : 1 } \n".to_owned(), true),
        ("text after it", "{} x".to_owned(), false),
        ("another after it", "{}{}".to_owned(), false),
        ("a comma at the end", r#"{"a":1,}"#.to_owned(), false),
        ("an array", "[]".to_owned(), false),
        ("a string", r#""a""#.to_owned(), false),
        ("nothing", String::new(), false),
        ("cut short", r#"{"a":"b"#.to_owned(), false),
        ("a control character", "{\"a\":\"\u{1}\"}".to_owned(), false),
        ("half a surrogate pair", r#"{"a":"\ud800"}"#.to_owned(), false),
        ("a number too large", r#"{"a":1e999}"#.to_owned(), false),
        ("a duplicate", r#"{"a":1,"a":1}"#.to_owned(), false),
        ("a duplicate by escape", r#"{"a":1,"\u0061":1}"#.to_owned(), false),
        ("a duplicate of an escaped one", r#"{"\u0061":1,"a":1}"#.to_owned(), false),
        ("a duplicate of two escaped ones", r#"{"\u0061":1,"\u0061":1}"#.to_owned(), false),
        ("a duplicate empty name", r#"{"":1,"":1}"#.to_owned(), false),
        (
            "a duplicate after an object with that name in it",
            r#"{"a":{"b":1},"b":1,"a":2}"#.to_owned(),
            false,
        ),
        ("one name at two depths", r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#.to_owned(), true),
        ("a duplicate in an object in an array", r#"{"a":[1,{"b":1,"c":2,"b":1}]}"#.to_owned(), false),
        ("names that begin alike", r#"{"a":1,"aa":1,"A":1,"":1}"#.to_owned(), true),
        ("as deep as may be", nested(126), true),
        ("too deep", nested(127), false),
    ];
    for_each_row(rows, |(name, text, expected)| {
        same(&format!("object: {name}"), json::object(text.as_bytes()).is_some(), *expected)?;
        same(&format!("document: {name}"), read(text).is_some(), *expected)
    });
    assert!(Document::read(b"{\"a\":\"\xff\"}".to_vec()).is_none(), "not UTF-8");
}

/// Few names are compared one by one, many are not: the edge between the two must not show.
#[test]
fn duplicates_among_many_names() {
    for count in [1, 2, 15, 16, 17, 18, 40, 1000] {
        assert!(read(&members(count, None)).is_some(), "{count}");
        for again in [0, count / 2, count - 1] {
            assert!(read(&members(count, Some(again))).is_none(), "{again} of {count}");
        }
    }
}

#[test]
fn values_are_those_of_the_text() {
    let text = r#"{"a\n":"b\"c\u00e9","é":"ü","n":[-1,0,1.5,18446744073709551615,1e3],"t":[true,false,null,[],{}],"o":{"x":{"y":"z\t"}},"last":"é"}"#;
    let expected = json!({ "a\n": "b\"cé", "é": "ü", "n": [-1.0, 0.0, 1.5, 1.844_674_407_370_955_2e19, 1000.0], "t": [true, false, null, [], {}], "o": { "x": { "y": "z\t" } }, "last": "é" });
    assert_eq!(read(text), Some(expected));
    let document = Document::read(text.as_bytes().to_vec()).unwrap();
    assert_eq!(document.get("last").and_then(Node::as_str), Some("é"));
    assert!(document.get("x").is_none() && document.get("y").is_none() && document.get("").is_none());
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn both_readers_agree(value in any_json(), text in any::<Vec<u8>>(), cut in any::<prop::sample::Index>(), name in any::<String>()) {
        let whole = json!({ name: value }).to_string();
        prop_assert_eq!(read(&whole), json::object(whole.as_bytes()).map(|object| as_floats(object.into())));
        // And about what is no JSON, or not whole.
        let mut bytes = whole.into_bytes();
        bytes.truncate(cut.index(bytes.len() + 1));
        for bytes in [bytes, text] {
            prop_assert_eq!(Document::read(bytes.clone()).is_some(), json::object(&bytes).is_some());
        }
    }
}
