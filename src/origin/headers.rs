//! How a request is delivered to its origin, beside who is calling: headers of the operator's own,
//! and what becomes of the client's token.
//!
//! 1. The operator's headers are set after all that the client could have sent in their place was
//!    removed, however it is spelled (`header_names`).
//! 2. They are no header of the protocol's, of the connection's or of ours, so that they cannot
//!    undo what was decided here.
//! 3. The client's token is removed, unless the settings say twice that it is to be passed on.

use crate::http::header_names;
use crate::origin::assertion::{Assertion, Carrier};
use crate::secret::Secret;
use crate::token::{access, identity};

/// The specification's words (MCP 2025-06-18 and later, Authorization, Access Token Privilege
/// Restriction).
pub const PASSTHROUGH: &str =
    "The MCP server MUST NOT pass through the token it received from the MCP client.";

pub const AUTHORIZATION: &str = "Authorization";

/// Headers that are meant for the next hop only (RFC 9110 sections 7.6.1, 10.1.1 and 11.7; RFC 9113
/// section 8.2.2; RFC 7540 section 3.2.1). The runtime makes its own.
pub const OF_CONNECTION: [&str; 10] = [
    "Connection",
    "Expect",
    "HTTP2-Settings",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Upgrade",
];

/// Headers that say where a message goes and where it ends (RFC 9112 sections 3.2 and 6). The
/// runtime reads and writes them.
pub const FRAMING: [&str; 3] = ["Content-Length", "Host", "Transfer-Encoding"];

/// Whether a header belongs to the connection that it came by, and not to the request.
pub fn is_of_connection(name: &str) -> bool {
    OF_CONNECTION.iter().any(|own| header_names::same(own, name))
}

/// What a resource's origin gets beside the identity.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// `ORIGIN_HEADERS`: names and values in turn, each but the first after a newline.
    headers: Secret<String>,
    names: Vec<String>,
    /// `ORIGIN_AUTHORIZATION = "forward"`.
    pub forwards_token: bool,
    /// Whether the credential is Cloudflare Access's.
    pub behind_access: bool,
    /// Whether Access's headers and cookies are removed: at every server of a Worker as soon as one
    /// is behind Access, where they would be good.
    pub removes_access: bool,
}

impl Delivery {
    /// The names and values must have been found good by [`is_name`] and [`is_value`].
    pub fn new(headers: &[(String, String)], forwards_token: bool) -> Self {
        let parts: Vec<&str> = headers.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        let names = headers.iter().map(|(name, _)| name.clone()).collect();
        let headers = Secret::new(parts.join("\n"));
        Self { headers, names, forwards_token, ..Self::default() }
    }

    /// The operator's headers in one text, each part but the first after a newline; empty if there
    /// are none.
    pub fn headers_text(&self) -> &str {
        self.headers.expose()
    }

    /// Whether an incoming header is kept from the origin.
    pub fn removes(&self, name: &str) -> bool {
        (name.eq_ignore_ascii_case(AUTHORIZATION) && !self.forwards_token)
            || (self.removes_access && access::is_header(name))
            || self.names.iter().any(|own| header_names::same(own, name))
    }

    /// The names of the operator's headers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
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

/// Whether the operator may set a header of this name.
pub fn is_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty()
        && name.bytes().all(token)
        && !header_names::begins_with(name, "mcp-")
        && !identity::is_reserved(name)
        && !is_of_connection(name)
        && !FRAMING.iter().any(|framing| header_names::same(framing, name))
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
