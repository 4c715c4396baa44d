//! A refusal as the MCP server would say it: a JSON-RPC error, with the request's id.

use serde_json::Value;

use super::challenges::Detail;

/// The code and the message of a JSON-RPC error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rpc {
    pub code: i32,
    pub message: &'static str,
}

/// JSON-RPC 2.0, section 5.1; MCP 2026-07-28, basic, Error Codes. Codes of our own are HTTP's: they
/// are to lie outside what JSON-RPC reserves.
impl Rpc {
    pub(super) const PARSE_ERROR: Self = Self { code: -32700, message: "Parse error" };
    pub(super) const INVALID_REQUEST: Self = Self { code: -32600, message: "Invalid Request" };
    pub(super) const MIRROR_MISSING: Self =
        Self { code: -32020, message: "Header mismatch: a required header is missing" };
    pub(super) const MIRROR_MISMATCH: Self =
        Self { code: -32020, message: "Header mismatch: a header does not match the request body" };
    pub(super) const UNDECIDED: Self = Self { code: 503, message: "Temporarily unavailable" };
    pub(super) const FORBIDDEN: Self = Self { code: 403, message: "Forbidden" };
    pub(super) const ARGUMENT: Self = Self { code: 403, message: "An argument is not accepted" };
    pub(super) const RATE_LIMITED: Self = Self { code: 429, message: "Too many requests" };
    pub(super) const INSUFFICIENT_SCOPE: Self = Self { code: 403, message: "Insufficient scope" };
    /// As the SDKs' servers answer an unknown session.
    pub(super) const NO_SESSION: Self = Self { code: -32001, message: "Session not found" };
    pub(super) const BODY_NOT_ALLOWED: Self = Self { code: -32600, message: "Only a POST may have a body" };
    pub(super) const NOT_JSON: Self = Self { code: 415, message: "Content-Type must be application/json" };
    pub(super) const TOO_LARGE: Self = Self { code: 413, message: "Request body too large" };
    pub(super) const ENCODED: Self =
        Self { code: 415, message: "Request body must be UTF-8 without Content-Encoding" };
}

impl Rpc {
    /// Ids and scopes are JSON already: an id as it was sent, and what is a scope needs no escape.
    pub(super) fn body(self, error: &str, detail: &Detail) -> String {
        let Self { code, message } = self;
        // No version of MCP takes `null` for an id.
        let id = detail.id.as_deref().map(|id| format!(r#","id":{id}"#)).unwrap_or_default();
        let scopes = match detail.scopes.as_slice() {
            [] => String::new(),
            scopes => format!(r#","required_scopes":["{}"]"#, scopes.join("\",\"")),
        };
        let argument = detail.argument.as_deref().map(|path| format!(r#","argument":{}"#, Value::from(path)));
        let argument = argument.unwrap_or_default();
        format!(
            r#"{{"jsonrpc":"2.0"{id},"error":{{"code":{code},"message":"{message}","data":{{"error":"{error}"{scopes}{argument}}}}}}}"#
        )
    }
}
