//! The identity headers: what an origin is told about the caller, and which incoming headers could
//! pass for it.
//!
//! 1. An incoming header is removed if some server could read its name as one that starts with
//!    `x-mcp-auth-` (`header_names`).
//! 2. Every byte of a value outside 0x21 to 0x7E, and `%`, is percent-encoded; in scopes the
//!    separating spaces stay.
//! 3. A claim that is there with the wrong type counts as said and useless: nothing else is
//!    consulted in its place.

use crate::http::header_names;
use crate::json::{Document, Node};

pub const PREFIX: &str = "x-mcp-auth-";

/// What names a request.
pub const REQUEST_ID: &str = "X-MCP-Auth-Request-Id";

/// Who is calling, encoded as header values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer, and after it the subject.
    who: String,
    /// Where the subject begins.
    subject: usize,
    /// Names and encoded values in turn, each but the first after a newline, which neither can
    /// have.
    headers: String,
}

impl Identity {
    /// Only `claims::validate` has verified claims to make one from.
    pub(crate) fn new(subject: &str, issuer: &str, claims: &Document, names: ClaimNames) -> Self {
        let mut headers = Headers(String::with_capacity(USUAL_BYTES));
        headers.add("X-MCP-Auth-User-Id", [subject]);
        headers.add("X-MCP-Auth-Issuer", [issuer]);
        headers.add("X-MCP-Auth-Client-Id", names.client(claims));
        headers.add("X-MCP-Auth-Email", claims.get("email").and_then(Node::as_str));
        headers.add("X-MCP-Auth-Scopes", names.scopes(claims));
        Self { who: [issuer, subject].concat(), subject: issuer.len(), headers: headers.0 }
    }

    /// `sub`, as it stands in the token.
    pub fn subject(&self) -> &str {
        self.who.get(self.subject..).unwrap_or_default()
    }

    /// The issuer of the entry that accepted the token, as it was set.
    pub fn issuer(&self) -> &str {
        self.who.get(..self.subject).unwrap_or_default()
    }

    /// Names and encoded values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.headers.split('\n');
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// The same in one text, each but the first after a newline.
    pub fn headers_text(&self) -> &str {
        &self.headers
    }
}

/// The identity headers of a usual access token fit without growing.
const USUAL_BYTES: usize = 512;

struct Headers(String);

impl Headers {
    /// A header of the values, with spaces between them; none if they are all empty.
    fn add<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v str>) {
        let mut values = values.into_iter().filter(|value| !value.is_empty());
        let Some(first) = values.next() else { return };
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(name);
        self.0.push('\n');
        encode(first, &mut self.0);
        for value in values {
            self.0.push(' ');
            encode(value, &mut self.0);
        }
    }
}

/// Whether an incoming header could pass for one of ours.
pub fn is_reserved(name: &str) -> bool {
    header_names::begins_with(name, PREFIX)
}

/// Which claims say who the client is, and what was granted. Of each list the first that is there
/// counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    pub client: &'static [&'static str],
    /// Scopes: a string of them, or an array.
    pub scopes: &'static [&'static str],
    /// What stands for scopes in a token that has none: a string, an array, or an object, whose
    /// member names they are.
    pub roles: &'static [&'static str],
}

impl ClaimNames {
    /// `client_id` (RFC 9068), else `azp` (OpenID Connect), else `cid` (Okta); `scope` (RFC 9068
    /// section 2.2.3), else `scp` (Entra, Okta).
    pub const USUAL: Self =
        Self { client: &["client_id", "azp", "cid"], scopes: &["scope", "scp"], roles: &[] };

    pub fn client(self, claims: &Document) -> Option<&str> {
        first(claims, self.client)?.as_str().filter(|client| !client.is_empty())
    }

    /// The granted scopes that RFC 6749 section 3.3 allows.
    pub fn scopes(self, claims: &Document) -> impl Iterator<Item = &str> {
        let scopes = first(claims, self.scopes);
        let roles = if scopes.is_none() { first(claims, self.roles) } else { None };
        let (text, items, members) = match (scopes, roles) {
            (Some(Node::String(text)), _) | (_, Some(Node::String(text))) => (Some(text), None, None),
            (Some(Node::Array(items)), _) | (_, Some(Node::Array(items))) => (None, Some(items), None),
            (_, Some(Node::Object(members))) => (None, None, Some(members)),
            _ => (None, None, None),
        };
        let from_text = text.into_iter().flat_map(|text| text.split(' '));
        let from_items = items.into_iter().flatten().filter_map(|(_, item)| item.as_str());
        let from_members = members.into_iter().flatten().map(|(name, _)| name);
        from_text.chain(from_items).chain(from_members).filter(|scope| is_scope(scope))
    }
}

/// The first of these claims that is there.
fn first<'d>(claims: &'d Document, names: &[&str]) -> Option<Node<'d>> {
    names.iter().find_map(|name| claims.get(name))
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
pub(crate) fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn encode(value: &str, into: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'%';
    if value.bytes().all(is_plain) {
        return into.push_str(value);
    }
    for byte in value.bytes() {
        if is_plain(byte) {
            into.push(char::from(byte));
        } else {
            into.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}
