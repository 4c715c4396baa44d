//! The assertion: a JWT of our own that tells the origin who is calling, for origins that verify
//! rather than trust the network.
//!
//! 1. It is made for a permitted request only, from claims that were verified in that request. The
//!    client's token is no part of it.
//! 2. `typ` is `at+jwt` and the claims are those of RFC 9068 section 2.2, so that a stock verifier
//!    takes it: `iss` (us), `aud` (the origin), `sub`, `exp` (60 s), `iat`, `jti`, `client_id`,
//!    `scope`; and `idp`, the issuer that vouched for the caller. A user is the pair of `idp` and
//!    `sub`.
//! 3. Claims of the token are passed on by name, under their own name or another one; none of ours
//!    can be overwritten.
//! 4. The first key signs. All keys are published, so that one that has signed until now is still
//!    believed (`keys`).

pub mod der;
pub mod keys;
pub mod reuse;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::json;
use crate::limits::{self, Seconds};
use crate::token::verify::Verified;
use keys::encoded;

/// The header that carries an assertion, unless it is `Authorization`.
pub const HEADER: &str = "X-MCP-Auth-Assertion";

/// What only we may say.
pub const RESERVED: [&str; 11] =
    ["iss", "aud", "sub", "exp", "iat", "jti", "client_id", "scope", "idp", "nbf", "cnf"];

/// How an assertion reaches the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In `X-MCP-Auth-Assertion`.
    Header,
    /// As `Authorization: Bearer`, in place of the client's token.
    Bearer,
}

impl Carrier {
    /// The header's name and the start of its value, as a list of headers is written.
    pub const fn start(self) -> &'static str {
        match self {
            Self::Header => "X-MCP-Auth-Assertion\n",
            Self::Bearer => "Authorization\nBearer ",
        }
    }
}

/// What a resource's assertions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub carrier: Carrier,
    /// `iss`.
    pub issuer: String,
    /// `aud`; never empty.
    pub audiences: Vec<String>,
    /// Claims of the token that are passed on, and the names that they get.
    pub claims: Vec<(String, String)>,
}

impl Assertion {
    /// What is signed, for a caller whose token was accepted. `header`: of the key, encoded. `jti`:
    /// said of no other assertion.
    pub fn signing_input(&self, header: &str, verified: &Verified, now: Seconds, jti: &str) -> String {
        // Into memory: it cannot fail.
        let claims = serde_json::to_vec(&self.said(verified, now, jti)).unwrap_or_default();
        [header, ".", &encoded(claims)].concat()
    }

    /// For an operator.
    pub fn summary(&self) -> String {
        let carrier = match self.carrier {
            Carrier::Header => HEADER,
            Carrier::Bearer => "Authorization",
        };
        format!("in {carrier}, issuer {}, audience {}", self.issuer, self.audiences.join(" "))
    }

    fn said(&self, verified: &Verified, now: Seconds, jti: &str) -> Members {
        let text = |text: &str| Value::String(text.to_owned());
        let identity = verified.permit().identity();
        let audience = match self.audiences.as_slice() {
            [one] => text(one),
            all => all.iter().map(|one| text(one)).collect(),
        };
        let mut members = Members(Vec::with_capacity(RESERVED.len() + self.claims.len()));
        members.add("iss", text(&self.issuer));
        members.add("aud", audience);
        members.add("sub", text(identity.subject()));
        members.add("exp", (now + limits::ASSERTION_SECONDS).into());
        members.add("iat", now.into());
        members.add("jti", text(jti));
        if let Some(client_id) = verified.client_id() {
            members.add("client_id", text(client_id));
        }
        let scopes: Vec<&str> = verified.scopes().collect();
        if !scopes.is_empty() {
            members.add("scope", text(&scopes.join(" ")));
        }
        members.add("idp", text(identity.issuer()));
        if !self.claims.is_empty() {
            // Read again, since what was judged holds numbers as floats only.
            let claims = json::object(verified.claims().json().as_bytes()).unwrap_or_default();
            for (name, renamed) in &self.claims {
                if let Some(value) = claims.get(name) {
                    members.add(renamed, value.clone());
                }
            }
        }
        members
    }
}

/// Members in the order in which they are added.
struct Members(Vec<(String, Value)>);

impl Members {
    fn add(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
