//! How a request is delivered to its origin, beside who is calling: headers of the operator's own, and what becomes of the client's token.
//!
//! 1. The operator's headers are set after all that the client could have sent in their place was removed, `_` for `-` included.
//! 2. They are no header of the protocol's, of the connection's or of ours, so that they cannot undo what was decided here.
//! 3. The client's token is removed, unless the settings say twice that it is to be passed on.

use crate::assertion::{Assertion, Carrier};
use crate::identity;
use crate::secret::Secret;

/// The specification's words (MCP 2025-06-18 and later, Authorization, Access Token Privilege Restriction).
pub const PASSTHROUGH: &str =
    "The MCP server MUST NOT pass through the token it received from the MCP client.";

pub const AUTHORIZATION: &str = "Authorization";

/// Headers that belong to a connection or to the message's framing (RFC 9110 sections 6.4.1, 7.2 and 7.6.1).
const FRAMING: [&str; 10] = [
    "Connection",
    "Content-Length",
    "Host",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Expect",
];

/// What a resource's origin gets beside the identity.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// `ORIGIN_HEADERS`: names and values in turn, each but the first after a newline.
    headers: Secret<String>,
    names: Vec<String>,
    /// `ORIGIN_AUTHORIZATION = "forward"`.
    pub forwards_token: bool,
}

impl Delivery {
    /// The names and values must have been found good by [`is_name`] and [`is_value`].
    pub fn new(headers: &[(String, String)], forwards_token: bool) -> Self {
        let parts: Vec<&str> = headers.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        let names = headers.iter().map(|(name, _)| name.clone()).collect();
        Self { headers: Secret::new(parts.join("\n")), names, forwards_token }
    }

    /// The operator's headers in one text, each part but the first after a newline; empty if there are none.
    pub fn headers_text(&self) -> &str {
        self.headers.reveal()
    }

    /// Whether an incoming header is kept from the origin.
    pub fn removes(&self, name: &str) -> bool {
        (name.eq_ignore_ascii_case(AUTHORIZATION) && !self.forwards_token)
            || self.names.iter().any(|own| same_variable(own, name))
    }

    /// What the origin was shown as the Worker's credential, for the log.
    pub fn credential(&self, assertion: Option<&Assertion>) -> String {
        let shown = [
            (self.forwards_token, "forward"),
            (assertion.is_some(), "assertion"),
            (!self.names.is_empty(), "headers"),
        ];
        let shown: Vec<&str> = shown.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join(" ") }
    }
}

impl Default for Secret<String> {
    fn default() -> Self {
        Self::new(String::new())
    }
}

/// Whether two names are one to a server that hands headers on as variables (RFC 3875 section 4.1.18).
pub fn same_variable(one: &str, other: &str) -> bool {
    let fold = |b: u8| if b == b'_' { b'-' } else { b.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// Whether the operator may set a header of this name.
pub fn is_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let protocol = name.get(..4).is_some_and(|start| same_variable(start, "mcp-"));
    !name.is_empty()
        && name.bytes().all(token)
        && !protocol
        && !identity::is_reserved(name)
        && !FRAMING.iter().any(|framing| same_variable(framing, name))
}

/// Visible ASCII and spaces within.
pub fn is_value(value: &str) -> bool {
    !value.is_empty() && value.trim() == value && value.bytes().all(|b| matches!(b, 0x20..=0x7e))
}

/// Whether two things want to be `Authorization`.
pub fn is_contested(sets_authorization: bool, forwards_token: bool, assertion: Option<&Assertion>) -> bool {
    let bearer = assertion.is_some_and(|assertion| assertion.carrier == Carrier::Bearer);
    [sets_authorization, forwards_token, bearer].into_iter().filter(|is| *is).count() > 1
}
