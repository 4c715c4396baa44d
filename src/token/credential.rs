//! The `Authorization` header: one credential, or a refusal (RFC 6750 section 2.1, RFC 9449 section
//! 7.1, RFC 9110 section 11.6.2).
//!
//! 1. The scheme is Bearer or DPoP, matched without regard to case. Whether a token may be sent by
//!    it is for the entry to say that answers for the token.
//! 2. What follows is one token68. Two headers reach us joined by a comma, which token68 does not
//!    have.
//! 3. Nothing else is a credential: not the query, not the body, not a cookie.

use crate::refusal::Refusal;

/// A token, and how it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential<'r> {
    pub scheme: Scheme,
    pub token: &'r str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Bearer,
    /// With a proof that its sender holds the key that it is bound to.
    Dpop,
}

impl<'r> Credential<'r> {
    /// A token by itself.
    pub const fn bearer(token: &'r str) -> Self {
        Self { scheme: Scheme::Bearer, token }
    }
}

/// The credential in an `Authorization` header's value.
pub fn read(authorization: Option<&str>) -> Result<Credential<'_>, Refusal> {
    let value = authorization.ok_or(Refusal::CredentialsMissing)?.trim_matches(|c| c == ' ' || c == '\t');
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = if scheme.eq_ignore_ascii_case("Bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("DPoP") {
        Scheme::Dpop
    } else {
        return Err(Refusal::SchemeNotBearer);
    };
    let token = rest.trim_start_matches(' ');
    if token.is_empty() {
        return Err(Refusal::TokenEmpty);
    }
    if !is_token68(token) {
        return Err(Refusal::CredentialsMalformed);
    }
    Ok(Credential { scheme, token })
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
pub(super) fn is_token68(value: &str) -> bool {
    let characters = value.trim_end_matches('=');
    // Every request has 800 of them, nearly all good ones: looking at each, without asking whether
    // to stop, is three times faster.
    let all = characters.bytes().fold(true, |all, b| all & TOKEN68.get(usize::from(b)).is_some_and(|is| *is));
    !characters.is_empty() && all
}

#[expect(clippy::indexing_slicing, reason = "at compile time")]
const TOKEN68: [bool; 256] = {
    let mut table = [false; 256];
    let mut characters: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    while let [first, rest @ ..] = characters {
        table[*first as usize] = true;
        characters = rest;
    }
    table
};
