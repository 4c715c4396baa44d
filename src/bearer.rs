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
    !characters.is_empty() && characters.bytes().all(|b| SET.has(b))
}

/// A set of ASCII characters, one bit each: a token is 800 of them, and every request has one.
struct Ascii(u64, u64);

const SET: Ascii =
    Ascii::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/", Ascii(0, 0));

impl Ascii {
    const fn of(characters: &[u8], Self(low, high): Self) -> Self {
        match characters {
            [] => Self(low, high),
            [c @ 0..64, rest @ ..] => Self::of(rest, Self(low | 1 << *c, high)),
            [c, rest @ ..] => Self::of(rest, Self(low, high | 1 << (*c - 64))),
        }
    }

    const fn has(&self, byte: u8) -> bool {
        let half = if byte < 64 { self.0 } else { self.1 };
        byte < 128 && half >> (byte & 63) & 1 == 1
    }
}
