//! The identity headers: what an origin is told about the caller, and which incoming headers could pass for it.
//!
//! 1. An incoming header is removed if its name, with `_` read as `-`, starts with `x-mcp-auth-`: servers that map both to one variable must not be
//!    fooled (CVE-2025-64484).
//! 2. Every byte of a value outside 0x21 to 0x7E, and `%`, is percent-encoded; in scopes the separating spaces stay.
//! 3. A claim that is there with the wrong type counts as said and useless: nothing else is consulted in its place.

use serde_json::Value;

use crate::json::Object;

pub const PREFIX: &str = "x-mcp-auth-";

/// Who is calling, encoded as header values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    subject: String,
    headers: Vec<(&'static str, String)>,
}

impl Identity {
    /// Only `claims::judge` has verified claims to make one from.
    pub(crate) fn new(subject: &str, issuer: &str, claims: &Object) -> Self {
        let mut headers =
            vec![("X-MCP-Auth-User-Id", encode(subject)), ("X-MCP-Auth-Issuer", encode(issuer))];
        let optional = [
            ("X-MCP-Auth-Client-Id", client_id(claims).map(encode)),
            ("X-MCP-Auth-Email", claims.get("email").and_then(Value::as_str).map(encode)),
            ("X-MCP-Auth-Scopes", Some(scopes(claims).into_iter().map(encode).collect::<Vec<_>>().join(" "))),
        ];
        headers.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| value.filter(|v| !v.is_empty()).map(|v| (name, v))),
        );
        Self { subject: subject.to_owned(), headers }
    }

    /// `sub`, as it stands in the token.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Names and encoded values.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }
}

/// Whether an incoming header could pass for one of ours.
pub fn is_reserved(name: &str) -> bool {
    let name = name.as_bytes();
    name.len() >= PREFIX.len()
        && name.iter().zip(PREFIX.bytes()).all(|(b, expected)| {
            if *b == b'_' { expected == b'-' } else { b.to_ascii_lowercase() == expected }
        })
}

/// `client_id` (RFC 9068), else `azp` (OpenID Connect), else `cid` (Okta).
fn client_id(claims: &Object) -> Option<&str> {
    ["client_id", "azp", "cid"].iter().find_map(|name| claims.get(*name))?.as_str()
}

/// The granted scopes that RFC 6749 section 3.3 allows: from `scope` (RFC 9068 section 2.2.3), else `scp` (Entra, Okta); string or array.
fn scopes(claims: &Object) -> Vec<&str> {
    let granted: Vec<&str> = match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    granted.into_iter().filter(|scope| is_scope(scope)).collect()
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
pub(crate) fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn encode(value: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if matches!(byte, 0x21..=0x7e) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    encoded
}
