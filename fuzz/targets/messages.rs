//! `policy::message::read`, against readings of the same body by hand and by serde_json.
//!
//! 1. A body that is taken is JSON without repeated names, and every message of it is sound:
//!    method, name, URI, task, version and id are what the other readers find.
//! 2. A body that is refused has a reason: repeated names, depth, a number out of range, a batch
//!    that is empty or too long, or a message that another reader could take for another.

use mcp_edge_auth::policy::message::{self, NameParam, Unreadable};

use super::reference::{self, Json};

/// At most so many messages are in a batch.
const BATCH: usize = 100;

pub(super) fn check(data: &[u8]) {
    let by_hand = reference::read(data);
    match (message::read(data), &by_hand) {
        (Ok(read), Some((json, facts))) => {
            assert!(facts.acceptable() != Some(false), "{facts:?}");
            if let Ok(value) = serde_json::from_slice(data) {
                assert!(reference::same(json, &value));
            }
            let expected = match json {
                Json::Array(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            assert_eq!(read.batch, matches!(json, Json::Array(_)));
            assert_eq!(read.all.len(), expected.len());
            assert!((1..=BATCH).contains(&expected.len()));
            for (message, expected) in read.all.iter().zip(expected) {
                check_message(message, expected);
            }
        }
        (Ok(_), None) => panic!("this is no JSON"),
        (Err(Unreadable::Json), Some((json, facts))) => {
            assert!(facts.acceptable() != Some(true), "refused: {json:?}");
        }
        (Err(_), None) => {}
        (Err(Unreadable::Message(_)), Some((json, _))) => {
            let sound = match json {
                Json::Array(all) => (1..=BATCH).contains(&all.len()) && all.iter().all(is_sound),
                one => is_sound(one),
            };
            assert!(!sound, "refused: {json:?}");
        }
    }
}

fn check_message(message: &message::Message<'_>, expected: &Json) {
    assert!(is_sound(expected), "{expected:?}");
    let params = expected.get("params");
    let param = |name: &str| params.and_then(|params| params.text(name));
    let version = "io.modelcontextprotocol/protocolVersion";
    assert_eq!(message.method.as_deref(), expected.text("method"));
    assert_eq!(message.member(NameParam::Name), param("name"));
    assert_eq!(message.member(NameParam::Uri), param("uri"));
    assert_eq!(message.member(NameParam::TaskId), param("taskId"));
    assert_eq!(message.version.as_deref(), params.and_then(|p| p.get("_meta")?.text(version)));
    assert_eq!(message.has_id, expected.get("id").is_some_and(|id| *id != Json::Null));
    if let Some(id) = message.id {
        assert_eq!(reference::read(id.as_bytes()).map(|(id, _)| id).as_ref(), expected.get("id"));
    }
}

/// Whether a reader that folds case, in any language, could take one name for the other.
fn is_like(name: &str, known: &str) -> bool {
    let like = |(a, b): (char, char)| {
        a == b || a.to_lowercase().next() == b.to_lowercase().next() || a.to_uppercase().eq(b.to_uppercase())
    };
    name != known
        && name.chars().count() == known.chars().count()
        && name.chars().zip(known.chars()).all(like)
}

/// Whether every reader takes it for the same message of MCP.
fn is_sound(json: &Json) -> bool {
    let alike = |json: &Json, known: &[&str]| match json {
        Json::Object(members) => {
            members.iter().all(|(name, _)| !known.iter().any(|known| is_like(name, known)))
        }
        _ => false,
    };
    let params = match json.get("params") {
        None | Some(Json::Null) => None,
        Some(params) => Some(params),
    };
    let param = |name: &str| params.is_some_and(|params| params.text(name).is_some());
    let complete = match json.get("method") {
        None => json.get("result").is_some() || json.get("error").is_some(),
        Some(Json::String(method)) => match method.as_str() {
            "tools/call" | "prompts/get" => param("name"),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => param("uri"),
            _ => true,
        },
        Some(_) => false,
    };
    alike(json, &["jsonrpc", "id", "method", "params", "result", "error"])
        && params.is_none_or(|params| alike(params, &["name", "uri", "taskId", "_meta"]))
        && matches!(json.get("id"), None | Some(Json::Null | Json::Number(_) | Json::String(_)))
        && complete
}
