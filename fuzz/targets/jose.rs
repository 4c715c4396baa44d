//! `jose::parse`, against a reading of RFC 7515 by hand. The input is a token as it stands, or,
//! after a `=`, three lines (header, claims, signature) that are encoded here.
//!
//! 1. A token is taken if and only if the reading by hand takes it: three parts of canonical
//!    base64url, two objects that all readers read alike, members of the right type, nothing that
//!    gives the payload another meaning, and a `typ` of an access token.
//! 2. What was parsed, written again, is the token that was sent.
//! 3. `alg`, `kid` and `iss` are those of the header and of the claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_edge_auth::token::{credential, jose};

use super::first_line;
use super::reference::{self, Json};

pub(super) fn check(data: &[u8]) {
    let token = match data.split_first() {
        Some((b'=', lines)) => {
            let (header, lines) = first_line(lines);
            let (claims, signature) = first_line(lines);
            [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
        }
        _ => String::from_utf8_lossy(data).into_owned(),
    };
    check_credential(&token);
    let parsed = jose::parse(&token);
    if let Some(acceptable) = acceptable(&token) {
        assert_eq!(parsed.is_ok(), acceptable, "{token} {parsed:?}");
    }
    let Ok(parsed) = parsed else { return };
    assert_eq!(format!("{}.{}", parsed.signing_input, URL_SAFE_NO_PAD.encode(&parsed.signature)), token);
    let (header, claims) = parsed.signing_input.split_once('.').unwrap();
    assert_eq!(parsed.claims.json().as_bytes(), decode(claims).unwrap());
    let (header, _) = reference::read(&decode(header).unwrap()).unwrap();
    let (claims, _) = reference::read(parsed.claims.json().as_bytes()).unwrap();
    assert_eq!(parsed.kid.as_deref(), header.text("kid"));
    assert_eq!(parsed.issuer(), claims.text("iss"));
    assert_eq!(parsed.alg.map(|alg| alg.row().name), known(header.text("alg").unwrap()));
}

/// A credential that is taken from a header stands in it as it is.
fn check_credential(text: &str) {
    for header in [text.to_owned(), format!("Bearer {text}"), format!("DPoP {text}")] {
        if let Ok(token) = credential::read(Some(&header)).map(|credential| credential.token) {
            assert!(header.trim_matches([' ', '\t']).ends_with(token));
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)), "{token}");
        }
    }
}

fn known(alg: &str) -> Option<&str> {
    let all =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
    all.contains(&alg).then_some(if alg == "Ed25519" { "EdDSA" } else { alg })
}

/// Whether the token is to be taken. `None`: the rounding of a number decides.
fn acceptable(token: &str) -> Option<bool> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Some(false) };
    let (Some(header), Some(claims), Some(_)) = (decode(header), decode(claims), decode(signature)) else {
        return Some(false);
    };
    let (Some((header, first)), Some((claims, second))) =
        (reference::read(&header), reference::read(&claims))
    else {
        return Some(false);
    };
    let text_or_absent = |name: &str| header.get(name).is_none_or(|value| value.string().is_some());
    let typ = header.text("typ").map(str::to_ascii_lowercase);
    let access_token = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];
    let sound = token.len() <= 16 * 1024
        && matches!((&header, &claims), (Json::Object(_), Json::Object(_)))
        && header.text("alg").is_some()
        && text_or_absent("kid")
        && text_or_absent("typ")
        && ["crit", "zip", "enc"].iter().all(|name| header.get(name).is_none())
        && header.get("b64").is_none_or(|b64| *b64 == Json::Bool(true))
        && typ.is_none_or(|typ| access_token.contains(&typ.as_str()));
    match (first.acceptable(), second.acceptable()) {
        (Some(true), Some(true)) => Some(sound),
        (Some(false), _) | (_, Some(false)) => Some(false),
        _ if !sound => Some(false),
        _ => None,
    }
}

/// Base64url without padding, with no bits left over.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut pending, mut bits, mut bytes) = (0_u32, 0, Vec::new());
    for character in text.bytes() {
        pending = pending << 6 | ALPHABET.iter().position(|a| *a == character)? as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
            pending &= (1 << bits) - 1;
        }
    }
    (bits < 6 && pending == 0).then_some(bytes)
}
