//! The `Authorization` header: one Bearer credential, or a refusal (RFC 6750 section 2.1, RFC 9110 section 11.6.2).
//!
//! 1. The scheme is matched without regard to case.
//! 2. What follows is one token68. Two headers reach us joined by a comma, which token68 does not have.
//! 3. Nothing else is a credential: not the query, not the body, not a cookie.

use crate::refusal::Refusal;

/// The token in an `Authorization` header's value.
pub fn token(authorization: Option<&str>) -> Result<&str, Refusal> {
    let value = authorization.ok_or(Refusal::CredentialsMissing)?.trim_matches(|c| c == ' ' || c == '\t');
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Refusal::SchemeNotBearer);
    }
    let token = rest.trim_start_matches(' ');
    if token.is_empty() {
        return Err(Refusal::TokenEmpty);
    }
    if !is_token68(token) {
        return Err(Refusal::CredentialsMalformed);
    }
    Ok(token)
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_token68(value: &str) -> bool {
    let characters = value.trim_end_matches('=');
    let is_one =
        |b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    !characters.is_empty() && characters.bytes().all(is_one)
}
