//! What to do about a refusal.

use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::token::claims::Rules;

pub(crate) fn on(refusal: Refusal, rules: &Rules) -> String {
    let keycloak = rules.issuer.contains("/realms/");
    let text = match refusal {
        Refusal::TokenTooLarge => "have the authorization server put less into it: 16 KiB are read",
        Refusal::TokenParts => {
            "this is no JWT: opaque, or encrypted. Have the authorization server issue JWT access tokens; some do once `resource` or `audience` names this server. Or have it asked about them: `introspection` of the entry"
        }
        Refusal::TokenEncoding | Refusal::TokenJson | Refusal::AlgMissing => {
            "is this the whole access token, and nothing but it?"
        }
        Refusal::HeaderMemberType => {
            "a member of its header is of the wrong type, or says that the claims are not to be read as they stand (`b64`, `zip`, `enc`): have the authorization server issue plain JWTs"
        }
        Refusal::CritPresent => "it demands an extension that is not understood here",
        Refusal::TypNotAllowed => {
            "this is another kind of token (an ID token, a session): take the access token"
        }
        Refusal::IssuerUntrusted | Refusal::IssMismatch => {
            "if this is your authorization server, set `issuer` to exactly what the token says: scheme, host, path and trailing slash count"
        }
        Refusal::AlgNotAllowed => "set `algorithm` to what the authorization server signs with",
        Refusal::KidUnknown => {
            "the issuer signs with a key that its key set does not have: is `jwks_uri` the right one, and the token of this server?"
        }
        Refusal::KeyUnfit | Refusal::KeyAmbiguous => {
            "the key's kty, crv, use or alg is not for this algorithm; or the token has no kid and several keys would do"
        }
        Refusal::SignatureInvalid => {
            "the token was changed, or signed by another server that uses the same kid: is `jwks_uri` the right one?"
        }
        Refusal::KeysUnavailable(_) => "see the line of its key set, above",
        Refusal::ExpMissing => {
            "have the authorization server set `exp`; a token that never expires is not accepted"
        }
        Refusal::TokenExpired => "get a new one; if it is new, compare the clocks",
        Refusal::TokenNotYetValid | Refusal::IatInFuture => {
            "the authorization server's clock is ahead: set it right, or raise `leeway`"
        }
        Refusal::ExpNotNumber | Refusal::NbfNotNumber | Refusal::IatNotNumber => {
            "times are numbers (RFC 7519); this is not one"
        }
        Refusal::AudMissing | Refusal::AudMismatch if keycloak => {
            return format!(
                "in Keycloak, add an audience mapper (client scope, Mappers, Audience) whose included custom audience is {}, and make the scope a default of the client; then get a new token",
                rules.audiences.join(" or ")
            );
        }
        Refusal::AudMissing | Refusal::AudMismatch => {
            "have the authorization server put the expected audience into `aud` (resource indicator, API identifier, audience mapper), or list what it puts there in `expected_audiences`, if it is for this server alone"
        }
        Refusal::AudMalformed => "`aud` is a string or an array of strings (RFC 7519)",
        Refusal::ClientMissing | Refusal::ClientMismatch => {
            "list the client in `expected_clients`, if it may call"
        }
        Refusal::ClaimMismatch => {
            "this is another kind of token of that provider: docs/providers.md says what its access tokens have"
        }
        Refusal::SubMissing if keycloak => {
            "in Keycloak, `sub` comes with the client scope `basic`: make it a default of the client"
        }
        Refusal::SubMissing | Refusal::SubNotString => {
            "have the authorization server put it into access tokens, or name the claim that says whose a token is in `subject`"
        }
        Refusal::IntrospectionUnavailable(_) => "see the line about its introspection, above",
        Refusal::TokenInactive => {
            "the authorization server does not know it, or not any more: get a new one. May the client of the entry ask about tokens of other clients there?"
        }
        Refusal::TokenTypeNotAllowed => {
            "this is no Bearer access token: a refresh token, or one bound to a key"
        }
        Refusal::TokenBound => {
            "have the authorization server issue plain Bearer tokens for this resource, or have the entry take bound ones (`dpop` for a `jkt`, `mtls` for an `x5t#S256`)"
        }
        Refusal::DpopNotAccepted => "set `dpop` to accept, or have the client send it as Bearer",
        Refusal::DpopRequired | Refusal::KeyUnbound => {
            "have the client get its token with a DPoP proof, so that it is bound to its key, or set `dpop` to accept: docs/dpop.md"
        }
        Refusal::ProofNonce => {
            "nothing, if its client sends the request again with the nonce of the answer (RFC 9449 section 9): docs/dpop.md"
        }
        Refusal::ProofTime => "set the client's clock right, or raise `dpop_max_age`: docs/dpop.md",
        Refusal::ProofAddress => {
            "the proof has to be for the canonical URL and what follows it: does the client use another address? docs/dpop.md"
        }
        Refusal::ProofAlg => "have the client sign with one of `dpop_algorithms`: docs/dpop.md",
        Refusal::ProofReplayed => {
            "have the client make a proof for each request, each try included: docs/dpop.md"
        }
        Refusal::ProofMissing
        | Refusal::ProofMalformed
        | Refusal::ProofTyp
        | Refusal::ProofKey
        | Refusal::ProofJti
        | Refusal::ProofMethod
        | Refusal::ProofToken
        | Refusal::ProofSignature
        | Refusal::ProofMismatch => "what a client has to prove is in docs/dpop.md",
        Refusal::CertificateUnbound => {
            "have the client get its token with its certificate, or set `mtls` to accept"
        }
        Refusal::CertificateMissing | Refusal::CertificateUnverified | Refusal::CertificateMismatch => {
            "the Worker compares it with the certificate of the client's connection, which only Cloudflare sees: docs/mtls.md"
        }
        _ => "see docs/reasons.md",
    };
    text.to_owned()
}
