//! Every way to say no: one enum, one table.
//!
//! What a client reads is generic and never echoes anything from the token (RFC 6750 section 3.1);
//! the log's `reason` is exact. A fault of ours or of an issuer is 502 or 503 and never looks like
//! an authentication failure, which would make clients throw tokens away.

mod challenges;
mod rpc;

use crate::http::cors::DPOP_NONCE;
use crate::http::response::LocalResponse;
use crate::limits::Seconds;

pub use challenges::{Challenge, Challenges, Description, Detail, DpopOffer};
pub use rpc::Rpc;

/// A refusal. Those of a token stand in the order of the checks, so the greatest of several is the
/// most specific one.
///
/// Keys that cannot be had stand between the signature and the claims: without the keys of one
/// entry, another entry's "no" is final only if its own keys had vouched for the token.
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
    /// Cloudflare Access was not on the way.
    AccessAssertionMissing,
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
    IssuerUntrusted,
    /// Sent by DPoP, which is off.
    DpopNotAccepted,
    /// Sent as Bearer, where tokens have to be sent by DPoP.
    DpopRequired,
    TypNotAllowed,
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
    ClientMissing,
    ClientMismatch,
    ClaimMismatch,
    SubMissing,
    SubNotString,
    /// The authorization server did not say whether it is active; seconds until the next try.
    IntrospectionUnavailable(Seconds),
    TokenInactive,
    TokenTypeNotAllowed,
    /// To something that the entry does not have shown, or that is not understood here.
    TokenBound,
    /// To no certificate, where the entry demands it.
    CertificateUnbound,
    CertificateMissing,
    /// Presented, and found bad by the runtime.
    CertificateUnverified,
    CertificateMismatch,
    /// Sent by DPoP, and bound to no key.
    KeyUnbound,
    ProofMissing,
    ProofMalformed,
    ProofTyp,
    ProofAlg,
    ProofKey,
    ProofJti,
    ProofMethod,
    ProofAddress,
    ProofTime,
    ProofToken,
    ProofNonce,
    ProofSignature,
    /// Good, and of another key than the token is bound to.
    ProofMismatch,
    ProofReplayed,

    /// It was good, until somebody revoked it.
    TokenRevoked,
    /// The list of revoked tokens is being read, and too many wait for it; seconds until the next
    /// try.
    RevocationsUnavailable(Seconds),

    /// More than the policy may read.
    BodyTooLarge,
    /// Of another type than `application/json`, which some reader may read differently.
    BodyNotJson,
    /// In a character set or a compression that readers may undo differently.
    BodyEncoded,
    /// With a method whose body no rule would see.
    BodyNotAllowed,
    BodyMalformed,
    MessageInvalid,
    MirrorMissing,
    MirrorMismatch,
    /// To a protocol whose messages no rule would see.
    UpgradeNotAllowed,
    ClientNotAllowed,
    RuleDenies,
    ClaimNotMet,
    ArgumentNotMet,
    ScopeInsufficient,
    /// More often than a limit permits; its period.
    RateLimited(Seconds),
    /// A policy decision point has said no.
    DecisionDenied,
    /// It has said nothing.
    DecisionUnavailable,

    /// A session id that the Worker has not given: without a MAC, or not in its form.
    SessionMalformed,
    /// A session id with a MAC that is not this caller's.
    SessionMismatch,
    /// The runtime did not sign what the origin was to be told.
    AssertionUnsigned,
    OriginUnreachable,
    /// The origin has not begun to answer in time.
    OriginTimeout,
    OriginUnauthorized,
    /// The origin gave a session id that cannot be bound.
    SessionUnbindable,
    /// The authorization server's metadata, of which a copy was asked for, cannot be had; seconds
    /// until the next try.
    MetadataUnavailable(Seconds),
    /// A list that should have been filtered, and cannot be read.
    ListUnreadable,
}

/// What the table says of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub status: u16,
    pub challenge: Challenge,
    /// The `error` member of the body.
    pub error: &'static str,
    /// The log's `reason`.
    pub reason: &'static str,
    /// What is refused as the MCP server would refuse it is answered with a JSON-RPC error.
    pub rpc: Option<Rpc>,
}

impl Refusal {
    /// The table.
    pub const fn row(self) -> Row {
        use Challenge::{Entry, InvalidToken};
        use Description::{Audience, DpopWanted, Expired, Invalid, Malformed, Untrusted};
        use Description::{ProofElsewhere, ProofInvalid};
        const AGAIN: &str = "temporarily_unavailable";
        const fn plain(status: u16, error: &'static str, reason: &'static str) -> Row {
            Row { status, challenge: Challenge::None, error, reason, rpc: None }
        }
        const fn entry(reason: &'static str) -> Row {
            Row { status: 401, challenge: Entry, error: "unauthorized", reason, rpc: None }
        }
        const fn token(description: Description, reason: &'static str) -> Row {
            Row { challenge: InvalidToken(description), error: "invalid_token", ..entry(reason) }
        }
        const fn proof(description: Description, reason: &'static str) -> Row {
            let challenge = Challenge::InvalidProof(description);
            Row { status: 401, challenge, error: "invalid_dpop_proof", reason, rpc: None }
        }
        const fn rpc(status: u16, rpc: Rpc, error: &'static str, reason: &'static str) -> Row {
            Row { status, challenge: Challenge::None, error, reason, rpc: Some(rpc) }
        }
        match self {
            Self::Misconfigured => plain(503, "server_misconfigured", "server_misconfigured"),
            Self::NotFound => plain(404, "not_found", "not_found"),
            Self::MethodNotAllowed(_) => plain(405, "method_not_allowed", "method_not_allowed"),
            Self::OriginNotAllowed => plain(403, "origin_not_allowed", "origin_not_allowed"),

            Self::CredentialsMissing => entry("credentials_missing"),
            Self::AccessAssertionMissing => entry("access_assertion_missing"),
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
            Self::IssuerUntrusted => token(Untrusted, "issuer_untrusted"),
            Self::DpopNotAccepted => entry("dpop_not_accepted"),
            Self::DpopRequired => token(DpopWanted, "dpop_required"),
            Self::TypNotAllowed => token(Invalid, "typ_not_allowed"),
            Self::AlgNotAllowed => token(Invalid, "alg_not_allowed"),
            Self::KidUnknown => token(Invalid, "kid_unknown"),
            Self::KeyUnfit => token(Invalid, "key_unfit"),
            Self::KeyAmbiguous => token(Invalid, "key_ambiguous"),
            Self::SignatureInvalid => token(Invalid, "signature_invalid"),
            Self::KeysUnavailable(_) => plain(503, AGAIN, "keys_unavailable"),
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
            Self::ClientMissing => token(Audience, "client_missing"),
            Self::ClientMismatch => token(Audience, "client_mismatch"),
            Self::ClaimMismatch => token(Invalid, "claim_mismatch"),
            Self::SubMissing => token(Invalid, "sub_missing"),
            Self::SubNotString => token(Invalid, "sub_not_string"),
            Self::IntrospectionUnavailable(_) => plain(503, AGAIN, "introspection_unavailable"),
            Self::TokenInactive => token(Invalid, "token_inactive"),
            Self::TokenTypeNotAllowed => token(Invalid, "token_type_not_allowed"),
            Self::TokenBound => token(Invalid, "token_bound"),
            Self::CertificateUnbound => token(Invalid, "certificate_unbound"),
            Self::CertificateMissing => token(Invalid, "certificate_missing"),
            Self::CertificateUnverified => token(Invalid, "certificate_unverified"),
            Self::CertificateMismatch => token(Invalid, "certificate_mismatch"),
            Self::KeyUnbound => token(DpopWanted, "key_unbound"),
            Self::ProofMissing => proof(Description::ProofMissing, "proof_missing"),
            Self::ProofMalformed => proof(ProofInvalid, "proof_malformed"),
            Self::ProofTyp => proof(ProofInvalid, "proof_typ"),
            Self::ProofAlg => proof(ProofInvalid, "proof_alg"),
            Self::ProofKey => proof(ProofInvalid, "proof_key"),
            Self::ProofJti => proof(ProofInvalid, "proof_jti"),
            Self::ProofMethod => proof(ProofElsewhere, "proof_htm"),
            Self::ProofAddress => proof(ProofElsewhere, "proof_htu"),
            Self::ProofTime => proof(Description::ProofTime, "proof_iat"),
            Self::ProofToken => proof(ProofElsewhere, "proof_ath"),
            Self::ProofNonce => Row {
                status: 401,
                challenge: Challenge::UseNonce,
                error: "use_dpop_nonce",
                reason: "proof_nonce",
                rpc: None,
            },
            Self::ProofSignature => proof(ProofInvalid, "proof_signature"),
            Self::ProofMismatch => token(DpopWanted, "proof_mismatch"),
            Self::ProofReplayed => proof(Description::ProofReplayed, "proof_replayed"),
            Self::TokenRevoked => token(Invalid, "token_revoked"),
            Self::RevocationsUnavailable(_) => {
                plain(503, "temporarily_unavailable", "revocations_unavailable")
            }

            Self::BodyTooLarge => rpc(413, Rpc::TOO_LARGE, "payload_too_large", "body_too_large"),
            Self::BodyNotJson => rpc(415, Rpc::NOT_JSON, "unsupported_media_type", "body_not_json"),
            Self::BodyEncoded => rpc(415, Rpc::ENCODED, "unsupported_media_type", "body_encoded"),
            Self::BodyNotAllowed => rpc(400, Rpc::BODY_NOT_ALLOWED, "invalid_request", "body_not_allowed"),
            Self::BodyMalformed => rpc(400, Rpc::PARSE_ERROR, "parse_error", "body_malformed"),
            Self::MessageInvalid => rpc(400, Rpc::INVALID_REQUEST, "invalid_request", "message_invalid"),
            Self::MirrorMissing => rpc(400, Rpc::MIRROR_MISSING, "header_mismatch", "mirror_missing"),
            Self::MirrorMismatch => rpc(400, Rpc::MIRROR_MISMATCH, "header_mismatch", "mirror_mismatch"),
            Self::UpgradeNotAllowed => rpc(403, Rpc::FORBIDDEN, "forbidden", "upgrade_not_allowed"),
            Self::ClientNotAllowed => rpc(403, Rpc::FORBIDDEN, "forbidden", "client_not_allowed"),
            Self::RuleDenies => rpc(403, Rpc::FORBIDDEN, "forbidden", "rule_denies"),
            Self::ClaimNotMet => rpc(403, Rpc::FORBIDDEN, "forbidden", "claim_not_met"),
            Self::ArgumentNotMet => rpc(403, Rpc::ARGUMENT, "argument_not_met", "argument_not_met"),
            Self::ScopeInsufficient => Row {
                challenge: Challenge::InsufficientScope,
                ..rpc(403, Rpc::INSUFFICIENT_SCOPE, "insufficient_scope", "scope_insufficient")
            },
            Self::DecisionDenied => rpc(403, Rpc::FORBIDDEN, "decision_denied", "decision_denied"),
            Self::DecisionUnavailable => {
                rpc(503, Rpc::UNDECIDED, "temporarily_unavailable", "decision_unavailable")
            }
            Self::RateLimited(_) => rpc(429, Rpc::RATE_LIMITED, "rate_limited", "rate_limited"),

            Self::SessionMalformed => rpc(404, Rpc::NO_SESSION, "session_not_found", "session_malformed"),
            Self::SessionMismatch => rpc(404, Rpc::NO_SESSION, "session_not_found", "session_mismatch"),
            Self::AssertionUnsigned => plain(503, "temporarily_unavailable", "assertion_unsigned"),
            Self::SessionUnbindable => plain(502, "bad_gateway", "session_unbindable"),
            Self::MetadataUnavailable(_) => plain(503, "temporarily_unavailable", "metadata_unavailable"),
            Self::ListUnreadable => plain(502, "bad_gateway", "list_unreadable"),
            Self::OriginUnreachable => plain(502, "bad_gateway", "origin_unreachable"),
            Self::OriginTimeout => plain(504, "gateway_timeout", "origin_timeout"),
            Self::OriginUnauthorized => plain(502, "bad_gateway", "origin_unauthorized"),
        }
    }

    /// The answer to the client, without CORS.
    pub fn answer(self, challenges: Option<&Challenges>, detail: &Detail) -> LocalResponse {
        let row = self.row();
        let body = match (row.rpc, row.challenge) {
            (Some(rpc), _) => rpc.body(row.error, detail),
            (None, Challenge::InvalidToken(d) | Challenge::InvalidProof(d)) => {
                format!(r#"{{"error":"{}","error_description":"{}"}}"#, row.error, d.text())
            }
            (None, _) => format!(r#"{{"error":"{}"}}"#, row.error),
        };
        let mut answer = LocalResponse::json(row.status, body);
        if let Some(line) = challenges.and_then(|c| c.line(row.challenge, detail)) {
            answer.set("WWW-Authenticate", line);
        }
        if let Some(nonce) = &detail.nonce {
            answer.set(DPOP_NONCE, nonce.clone());
        }
        match self {
            Self::MethodNotAllowed(allow) => answer.set("Allow", allow),
            Self::KeysUnavailable(seconds)
            | Self::IntrospectionUnavailable(seconds)
            | Self::RevocationsUnavailable(seconds)
            | Self::MetadataUnavailable(seconds)
            | Self::RateLimited(seconds) => answer.set("Retry-After", seconds.max(1).to_string()),
            _ => {}
        }
        answer
    }
}
