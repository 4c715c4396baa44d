//! `ORIGIN_HEADERS`, `ORIGIN_AUTHORIZATION` and `allow_token_passthrough`. `ORIGIN` is a binding
//! and no variable.

use super::names::{BINDING, ORIGIN_HEADERS, ORIGIN_MODE, ORIGIN_TIMEOUT, PASSTHROUGH_PERMISSION};
use super::variables::{Variables, seconds};
use super::written::Shape;
use crate::fault::Faults;
use crate::http::header_names::same;
use crate::limits::{self, Seconds};
use crate::origin::assertion::Assertion;
use crate::origin::headers::{AUTHORIZATION, Delivery, PASSTHROUGH, is_contested, is_name, is_value};

/// How long an origin may take to begin its answer.
pub(super) fn timeout(variables: &Variables, faults: &mut Faults) -> Seconds {
    let found = variables.named(ORIGIN_TIMEOUT);
    seconds(found, limits::ORIGIN_TIMEOUT, limits::ORIGIN_TIMEOUT_DEFAULT, faults)
}

pub(super) fn read(variables: &Variables, assertion: Option<&Assertion>, faults: &mut Faults) -> Delivery {
    if variables.named(BINDING).is_some() {
        faults.add(BINDING, "", "a binding that can fetch (a service, a VPC service, an mTLS certificate); the URL goes into ORIGIN_URL");
    }
    let headers = headers(variables, faults);
    let forwards_token = forwards_token(variables, faults);
    let sets_authorization = headers.iter().any(|(name, _)| same(name, AUTHORIZATION));
    if is_contested(sets_authorization, forwards_token, assertion) {
        faults.add(
            if forwards_token { ORIGIN_MODE } else { ORIGIN_HEADERS },
            "",
            "one thing only as Authorization: the client's token, a bearer assertion, or a header of yours",
        );
    }
    Delivery::new(&headers, forwards_token)
}

fn headers(variables: &Variables, faults: &mut Faults) -> Vec<(String, String)> {
    let Some(found) = variables.named(ORIGIN_HEADERS) else { return Vec::new() };
    let Some(members) = found.value.as_object() else {
        found.fault("a JSON object of header names and values", Shape::Object, faults);
        return Vec::new();
    };
    if members.is_empty() {
        faults.warn(ORIGIN_HEADERS, "", "sets no header: an origin that is locked by one is open");
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (n, (name, value)) in members.iter().enumerate() {
        // Not by its name: where somebody has mixed up names and values, it is a secret.
        let mut fault =
            |expected: &str| faults.add(ORIGIN_HEADERS, &format!(" (header {})", n + 1), expected);
        if !is_name(name) {
            fault(
                "a header name that is not the connection's, the protocol's (Mcp-*) or the Worker's (X-MCP-Auth-*)",
            );
        }
        if headers.iter().any(|(other, _)| same(other, name)) {
            fault("a name that no other header has");
        }
        match value.as_str().filter(|value| is_value(value)) {
            Some(value) => headers.push((name.clone(), value.to_owned())),
            None => fault("a value of visible ASCII"),
        }
    }
    headers
}

/// Two variables must say so, since the specification forbids it.
fn forwards_token(variables: &Variables, faults: &mut Faults) -> bool {
    let permitted = variables.named(PASSTHROUGH_PERMISSION).is_some_and(|found| {
        found.switch().unwrap_or_else(|| {
            faults.add(PASSTHROUGH_PERMISSION, "", "true or false");
            false
        })
    });
    let Some(found) = variables.named(ORIGIN_MODE) else { return false };
    match found.value.as_str() {
        Some("remove") => false,
        Some("forward") => {
            if !permitted {
                let expected = format!(
                    "remove. The specification forbids forward: \"{PASSTHROUGH}\" If your origin is part of this MCP server and cannot do without the client's token, set {PASSTHROUGH_PERMISSION} = true beside it"
                );
                faults.add(ORIGIN_MODE, "", expected);
            }
            true
        }
        _ => {
            faults.add(ORIGIN_MODE, "", "remove or forward");
            false
        }
    }
}
