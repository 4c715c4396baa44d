//! `MCP_SERVER_AUTH_BIND_SESSIONS` and `MCP_SERVER_AUTH_SESSION_KEY`.

use super::variables::{Variables, one_or_more};
use super::written::{self, Shape};
use crate::fault::Faults;
use crate::limits;
use crate::origin::sessions::Sessions;

/// The secret.
pub(super) const KEY: &str = "MCP_SERVER_AUTH_SESSION_KEY";

/// What binds sessions, and whether they are to be bound.
pub(super) fn read(variables: &Variables, faults: &mut Faults) -> (Option<Sessions>, bool) {
    let keys = keys(variables, faults);
    let wanted = variables.get("BIND_SESSIONS", faults).and_then(|found| {
        let wanted = found.switch();
        if wanted.is_none() {
            faults.add(found.name, "", "true or false");
        }
        wanted
    });
    let there_is_none = variables.get("SESSION_KEY", faults).is_none();
    if wanted == Some(true) && there_is_none && !variables.secrets_are_elsewhere() {
        faults.add(KEY, "", "the secret that sessions are bound with: npx mcp-edge-auth keygen --session");
    }
    let wanted = wanted.unwrap_or(keys.is_some());
    (keys.filter(|_| wanted), wanted)
}

fn keys(variables: &Variables, faults: &mut Faults) -> Option<Sessions> {
    let keys = texts(variables, "SESSION_KEY", limits::SESSION_KEY_BYTES, faults)?;
    Sessions::new(&keys)
}

/// The texts of a secret, each of at least so many bytes.
pub(super) fn texts(
    variables: &Variables,
    name: &str,
    bytes: usize,
    faults: &mut Faults,
) -> Option<Vec<String>> {
    let found = variables.get(name, faults)?;
    let expected =
        "a secret of at least 32 random bytes, or an array of them: npx mcp-edge-auth keygen --session";
    if found.value.as_str().is_some_and(written::looks_like_texts) {
        found.fault(expected, Shape::Texts, faults);
        return None;
    }
    let keys: Option<Vec<String>> =
        one_or_more(&found.value).map(|keys| keys.iter().map(|key| key.trim().to_owned()).collect());
    let keys = keys.filter(|keys| keys.iter().all(|key| key.len() >= bytes));
    if keys.is_none() {
        faults.add(found.name, "", expected);
    }
    keys
}
