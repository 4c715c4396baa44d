//! The readers of a whole JSON text (`json::value`, `json::object`, `Document`), against a reader
//! by hand, serde_json and tinyjson.
//!
//! 1. What is no JSON is taken by none of them.
//! 2. What is JSON is taken, unless a member name is repeated, it nests too deep, or a number is
//!    too large; and every reader finds the same in it.
//! 3. A document keeps its text, and its members in their order.

use mcp_edge_auth::json::{self, Document, Node};
use serde_json::Value;
use tinyjson::JsonValue;

use super::reference::{self, DEEPEST, Json, close, same};

pub(super) fn check(data: &[u8]) {
    let by_hand = reference::read(data);
    let value = json::value(data);
    let theirs: Option<Value> = serde_json::from_slice(data).ok();
    match &by_hand {
        None => assert!(value.is_none() && theirs.is_none(), "this is no JSON"),
        Some((expected, facts)) => {
            if let Some(acceptable) = facts.acceptable() {
                assert_eq!(value.is_some(), acceptable, "{facts:?}");
            }
            if !facts.near_the_end {
                assert_eq!(theirs.is_some(), facts.depth <= DEEPEST && !facts.infinite, "{facts:?}");
            }
            if let Some(value) = &value {
                assert!(!facts.repeated, "a name is repeated in {value}");
                assert!(same(expected, value), "{expected:?} {value:?}");
                assert_eq!(Some(value), theirs.as_ref());
                let tiny: JsonValue = std::str::from_utf8(data).unwrap().parse().unwrap();
                assert!(same_as_tinyjson(expected, &tiny), "{expected:?} {tiny:?}");
            }
            let is_object = json::is_object(std::str::from_utf8(data).unwrap());
            assert_eq!(is_object, matches!(expected, Json::Object(_)));
        }
    }
    let object = json::object(data);
    assert_eq!(object.is_some(), value.as_ref().is_some_and(Value::is_object));
    let document = Document::read(data.to_vec());
    assert_eq!(document.is_some(), object.is_some());
    if let (Some(document), Some(object), Some((Json::Object(expected), _))) = (document, object, by_hand) {
        assert_eq!(document.json().as_bytes(), data);
        assert_eq!(document.members().count(), expected.len());
        for ((name, node), (expected_name, expected)) in document.members().zip(&expected) {
            assert_eq!(name, expected_name);
            assert!(same_as_node(expected, node));
            assert!(same_as_node(expected, document.get(name).unwrap()));
            assert!(same_numbers(&object[name], node));
        }
        assert_eq!(document.get("absent").is_some(), object.contains_key("absent"));
    }
}

fn same_as_node(expected: &Json, node: Node<'_>) -> bool {
    match (expected, node) {
        (Json::Null, Node::Null) => true,
        (Json::Bool(a), Node::Bool(b)) => *a == b,
        (Json::Number(a), Node::Number(b)) => close(*a, b),
        (Json::String(a), Node::String(b)) => a == b,
        (Json::Array(a), Node::Array(b)) => {
            a.len() == b.values().count() && a.iter().zip(b.values()).all(|(a, b)| same_as_node(a, b))
        }
        (Json::Object(a), Node::Object(b)) => {
            let same = |((name, a), (other, b)): (&(String, Json), _)| name == other && same_as_node(a, b);
            a.len() == b.count() && a.iter().zip(b).all(same)
        }
        _ => false,
    }
}

/// The crate's own two readers agree about numbers to the last bit.
fn same_numbers(value: &Value, node: Node<'_>) -> bool {
    match (value, node) {
        (Value::Number(a), Node::Number(b)) => a.as_f64().unwrap().to_bits() == b.to_bits(),
        (Value::Array(a), Node::Array(b)) => a.iter().zip(b.values()).all(|(a, b)| same_numbers(a, b)),
        (Value::Object(a), Node::Object(mut b)) => b.all(|(name, b)| same_numbers(&a[name], b)),
        _ => true,
    }
}

fn same_as_tinyjson(expected: &Json, theirs: &JsonValue) -> bool {
    match (expected, theirs) {
        (Json::Null, JsonValue::Null) => true,
        (Json::Bool(a), JsonValue::Boolean(b)) => a == b,
        (Json::Number(a), JsonValue::Number(b)) => close(*a, *b),
        (Json::String(a), JsonValue::String(b)) => a == b,
        (Json::Array(a), JsonValue::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_as_tinyjson(a, b))
        }
        (Json::Object(a), JsonValue::Object(b)) => {
            let same = |(name, a): &(String, Json)| b.get(name).is_some_and(|b| same_as_tinyjson(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => false,
    }
}
