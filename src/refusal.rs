//! Every way to say no: one enum, one table.
//!
//! What a client reads is generic and never echoes anything from the token (RFC 6750 section 3.1); the log's `reason` is exact. A fault
//! of ours or of an issuer is 502 or 503 and never looks like an authentication failure, which would make clients throw tokens away.

use crate::answer::Answer;
use crate::limits::Seconds;

/// A refusal. Those of a token stand in the order of the checks, so the greatest of several is the most specific one.
///
/// Keys that cannot be had stand between the signature and the claims: without the keys of one entry, another entry's "no" is final only if its
/// own keys had vouched for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The settings have faults: fail closed, whatever was asked.
    Misconfigured,
    /// No path of ours.
    NotFound,
    /// A path of ours that does not take this method; the methods it takes.
    MethodNotAllowed(&'static str),
    /// A browser page from an origin that may not call.
    OriginNotAllowed,

    CredentialsMissing,
    SchemeNotBearer,
    TokenEmpty,
    CredentialsMalformed,

    TokenTooLarge,
    TokenParts,
    TokenEncoding,
    TokenJson,
    HeaderMemberType,
    AlgMissing,
    CritPresent,
    TypNotAllowed,
    IssuerUntrusted,
    AlgNotAllowed,
    KidUnknown,
    KeyUnfit,
    KeyAmbiguous,
    SignatureInvalid,
    /// No key set to be had; seconds until the next try.
    KeysUnavailable(Seconds),
    ExpMissing,
    ExpNotNumber,
    TokenExpired,
    NbfNotNumber,
    TokenNotYetValid,
    IatNotNumber,
    IatInFuture,
    IssMismatch,
    AudMissing,
    AudMalformed,
    AudMismatch,
    SubMissing,
    SubNotString,
    TokenBound,

    /// A session id that the Worker has not given: without a MAC, or not in its form.
    SessionMalformed,
    /// A session id with a MAC that is not this caller's.
    SessionMismatch,
    /// The runtime did not sign what the origin was to be told.
    AssertionUnsigned,
    OriginUnreachable,
    OriginUnauthorized,
    /// The origin gave a session id that cannot be bound.
    SessionUnbindable,
}

const SESSION_NOT_FOUND: &str = "session_not_found";
const UNKNOWN_SESSION: &str =
    r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}"#;

/// What the table says of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub status: u16,
    pub challenge: Challenge,
    /// The `error` member of the body.
    pub error: &'static str,
    /// The log's `reason`.
    pub reason: &'static str,
}

/// The `WWW-Authenticate` line of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    None,
    /// No credential was understood: where to learn more, and no `error` (RFC 6750 section 3.1).
    Entry,
    /// A token was read and refused.
    InvalidToken(Description),
}

/// What a client can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Description {
    Malformed,
    Untrusted,
    Expired,
    Audience,
    Invalid,
}

impl Description {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "The access token is malformed",
            Self::Untrusted => "The access token's issuer is not trusted",
            Self::Expired => "The access token expired",
            Self::Audience => "The access token is not for this resource",
            Self::Invalid => "The access token is invalid",
        }
    }
}

impl Refusal {
    /// The table.
    pub const fn row(self) -> Row {
        use Challenge::{Entry, InvalidToken};
        use Description::{Audience, Expired, Invalid, Malformed, Untrusted};
        const fn plain(status: u16, error: &'static str, reason: &'static str) -> Row {
            Row { status, challenge: Challenge::None, error, reason }
        }
        const fn entry(reason: &'static str) -> Row {
            Row { status: 401, challenge: Entry, error: "unauthorized", reason }
        }
        const fn token(description: Description, reason: &'static str) -> Row {
            Row { status: 401, challenge: InvalidToken(description), error: "invalid_token", reason }
        }
        match self {
            Self::Misconfigured => plain(503, "server_misconfigured", "server_misconfigured"),
            Self::NotFound => plain(404, "not_found", "not_found"),
            Self::MethodNotAllowed(_) => plain(405, "method_not_allowed", "method_not_allowed"),
            Self::OriginNotAllowed => plain(403, "origin_not_allowed", "origin_not_allowed"),

            Self::CredentialsMissing => entry("credentials_missing"),
            Self::SchemeNotBearer => entry("scheme_not_bearer"),
            Self::TokenEmpty => entry("token_empty"),
            Self::CredentialsMalformed => entry("credentials_malformed"),

            Self::TokenTooLarge => token(Malformed, "token_too_large"),
            Self::TokenParts => token(Malformed, "token_parts"),
            Self::TokenEncoding => token(Malformed, "token_encoding"),
            Self::TokenJson => token(Malformed, "token_json"),
            Self::HeaderMemberType => token(Malformed, "header_member_type"),
            Self::AlgMissing => token(Malformed, "alg_missing"),
            Self::CritPresent => token(Invalid, "crit_present"),
            Self::TypNotAllowed => token(Invalid, "typ_not_allowed"),
            Self::IssuerUntrusted => token(Untrusted, "issuer_untrusted"),
            Self::AlgNotAllowed => token(Invalid, "alg_not_allowed"),
            Self::KidUnknown => token(Invalid, "kid_unknown"),
            Self::KeyUnfit => token(Invalid, "key_unfit"),
            Self::KeyAmbiguous => token(Invalid, "key_ambiguous"),
            Self::SignatureInvalid => token(Invalid, "signature_invalid"),
            Self::KeysUnavailable(_) => plain(503, "temporarily_unavailable", "keys_unavailable"),
            Self::ExpMissing => token(Invalid, "exp_missing"),
            Self::ExpNotNumber => token(Invalid, "exp_not_number"),
            Self::TokenExpired => token(Expired, "token_expired"),
            Self::NbfNotNumber => token(Invalid, "nbf_not_number"),
            Self::TokenNotYetValid => token(Invalid, "token_not_yet_valid"),
            Self::IatNotNumber => token(Invalid, "iat_not_number"),
            Self::IatInFuture => token(Invalid, "iat_in_future"),
            Self::IssMismatch => token(Untrusted, "iss_mismatch"),
            Self::AudMissing => token(Audience, "aud_missing"),
            Self::AudMalformed => token(Audience, "aud_malformed"),
            Self::AudMismatch => token(Audience, "aud_mismatch"),
            Self::SubMissing => token(Invalid, "sub_missing"),
            Self::SubNotString => token(Invalid, "sub_not_string"),
            Self::TokenBound => token(Invalid, "token_bound"),

            Self::SessionMalformed => plain(404, SESSION_NOT_FOUND, "session_malformed"),
            Self::SessionMismatch => plain(404, SESSION_NOT_FOUND, "session_mismatch"),
            Self::AssertionUnsigned => plain(503, "temporarily_unavailable", "assertion_unsigned"),
            Self::OriginUnreachable => plain(502, "bad_gateway", "origin_unreachable"),
            Self::OriginUnauthorized => plain(502, "bad_gateway", "origin_unauthorized"),
            Self::SessionUnbindable => plain(502, "bad_gateway", "session_unbindable"),
        }
    }

    /// The answer to the client, without CORS.
    pub fn answer(self, challenges: Option<&Challenges>) -> Answer {
        let row = self.row();
        let description = match row.challenge {
            Challenge::InvalidToken(description) => Some(description),
            _ => None,
        };
        let body = match description {
            // What the SDKs' servers say of an unknown session, so that clients take it for that.
            None if row.error == SESSION_NOT_FOUND => UNKNOWN_SESSION.to_owned(),
            Some(d) => format!(r#"{{"error":"{}","error_description":"{}"}}"#, row.error, d.text()),
            None => format!(r#"{{"error":"{}"}}"#, row.error),
        };
        let mut answer = Answer::json(row.status, body);
        if let Some(line) = challenges.and_then(|c| c.line(row.challenge)) {
            answer.set("WWW-Authenticate", line);
        }
        match self {
            Self::MethodNotAllowed(allow) => answer.set("Allow", allow),
            Self::KeysUnavailable(seconds) => answer.set("Retry-After", seconds.max(1).to_string()),
            _ => {}
        }
        answer
    }
}

/// The parts of a resource's challenges that are the same for every request.
#[derive(Clone, Debug)]
pub struct Challenges {
    resource_metadata: Option<String>,
    scope: Option<String>,
}

impl Challenges {
    /// Both values are checked settings: printable ASCII without `"` and `\`.
    pub fn new(resource_metadata: Option<String>, scopes: &[String]) -> Self {
        let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
        Self { resource_metadata, scope }
    }

    /// Where the document is, if there is one.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.resource_metadata.as_deref()
    }

    /// One line that every client's parser takes: scheme `Bearer`, each parameter once and quoted, `error_description` last.
    fn line(&self, challenge: Challenge) -> Option<String> {
        let description = match challenge {
            Challenge::None => return None,
            Challenge::Entry => None,
            Challenge::InvalidToken(description) => Some(description.text()),
        };
        let error = description.map(|_| "invalid_token");
        let parameters: Vec<String> = [
            ("resource_metadata", self.resource_metadata.as_deref()),
            ("error", error),
            ("scope", self.scope.as_deref()),
            ("error_description", description),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|v| format!("{name}=\"{v}\"")))
        .collect();
        Some(if parameters.is_empty() {
            "Bearer".to_owned()
        } else {
            format!("Bearer {}", parameters.join(", "))
        })
    }
}
