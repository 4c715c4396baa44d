//! Compact JWS, and the table of algorithms. Nothing here is verified yet.
//!
//! 1. At most 16 KiB; exactly three parts; each canonical unpadded base64url (RFC 7515 sections 2 and 7.1). A JWE has five and is refused.
//! 2. Header and claims are JSON objects without duplicate members.
//! 3. `alg`, `kid` and `typ` are strings. `crit` is refused: we understand no extension (RFC 7515 section 4.1.11).
//! 4. The payload is the claims as they stand: `b64` is absent or `true` (RFC 7797 section 3), and there is no
//!    `zip` and no `enc`, which a JWE has (RFC 7516 section 9). A reader that heeds them reads something else.
//! 5. `typ` is absent, `JWT` or `at+jwt` (RFC 9068 section 4, RFC 8725 section 3.11), so that no other kind of JWT passes for an access token.
//! 6. `jku`, `x5u`, `x5c` and `jwk` are never read: a token does not choose its key.

use crate::json::{Document, Node};
use crate::limits;
use crate::refusal::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The algorithms there are here. Symmetric ones and `none` cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    RsaPkcs1,
    RsaPss,
    Ecdsa,
    Ed25519,
}

/// The only place that knows an algorithm's properties (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub scheme: Scheme,
    pub kty: &'static str,
    pub crv: Option<&'static str>,
    /// As WebCrypto names it; Ed25519 brings its own.
    pub hash: Option<&'static str>,
    /// Bytes of a PSS salt, as long as the hash (RFC 7518 section 3.5).
    pub salt: u32,
}

impl Algorithm {
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    pub const fn row(self) -> Row {
        const fn rsa(name: &'static str, scheme: Scheme, hash: &'static str, salt: u32) -> Row {
            Row { name, scheme, kty: "RSA", crv: None, hash: Some(hash), salt }
        }
        const fn ec(name: &'static str, crv: &'static str, hash: &'static str) -> Row {
            Row { name, scheme: Scheme::Ecdsa, kty: "EC", crv: Some(crv), hash: Some(hash), salt: 0 }
        }
        match self {
            Self::RS256 => rsa("RS256", Scheme::RsaPkcs1, "SHA-256", 0),
            Self::RS384 => rsa("RS384", Scheme::RsaPkcs1, "SHA-384", 0),
            Self::RS512 => rsa("RS512", Scheme::RsaPkcs1, "SHA-512", 0),
            Self::PS256 => rsa("PS256", Scheme::RsaPss, "SHA-256", 32),
            Self::PS384 => rsa("PS384", Scheme::RsaPss, "SHA-384", 48),
            Self::PS512 => rsa("PS512", Scheme::RsaPss, "SHA-512", 64),
            Self::ES256 => ec("ES256", "P-256", "SHA-256"),
            Self::ES384 => ec("ES384", "P-384", "SHA-384"),
            Self::ES512 => ec("ES512", "P-521", "SHA-512"),
            Self::EdDSA => Row {
                name: "EdDSA",
                scheme: Scheme::Ed25519,
                kty: "OKP",
                crv: Some("Ed25519"),
                hash: None,
                salt: 0,
            },
        }
    }

    /// Case-sensitive, as RFC 7515 section 4.1.1 says. `Ed25519` (RFC 9864) is `EdDSA` with the one curve there is here.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|a| a.row().name == name)
    }
}

/// A token taken apart. None of it is to be believed before the signature is checked.
#[derive(Debug)]
pub struct Token {
    /// Header and payload as they were sent: what the signature covers.
    pub signing_input: String,
    pub signature: Vec<u8>,
    /// `None`: a name outside the table.
    pub alg: Option<Algorithm>,
    pub kid: Option<String>,
    /// Whether `typ` says that this is an access token (RFC 9068 section 2.1).
    pub at_jwt: bool,
    pub claims: Document,
}

impl Token {
    /// The unverified `iss`, if it is a string.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss")?.as_str()
    }
}

/// Takes a token apart.
pub fn parse(token: &str) -> Result<Token, Refusal> {
    if token.len() > limits::TOKEN_BYTES {
        return Err(Refusal::TokenTooLarge);
    }
    let (signing_input, signature) = token.rsplit_once('.').ok_or(Refusal::TokenParts)?;
    let (header, claims) = signing_input.split_once('.').ok_or(Refusal::TokenParts)?;
    if claims.contains('.') {
        return Err(Refusal::TokenParts);
    }
    let header = decode(header)?;
    let claims = decode(claims)?;
    let signature = decode(signature)?;
    let header = Document::read(header).ok_or(Refusal::TokenJson)?;
    let claims = Document::read(claims).ok_or(Refusal::TokenJson)?;

    let header = Header::of(&header);
    let alg = string(header.alg)?.ok_or(Refusal::AlgMissing)?;
    let kid = string(header.kid)?;
    let typ = string(header.typ)?;
    refuse_crit(header.crit)?;
    refuse_other_payloads(&header)?;
    let at_jwt = check_typ(typ)?;
    Ok(Token {
        signing_input: signing_input.to_owned(),
        signature,
        alg: Algorithm::from_name(alg),
        kid: kid.map(str::to_owned),
        at_jwt,
        claims,
    })
}

/// Canonical unpadded base64url: no padding, no other characters, no bits left over.
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    base64url(part).ok_or(Refusal::TokenEncoding)
}

/// The members of a header that are looked at, found in one pass.
#[derive(Default)]
struct Header<'h> {
    alg: Option<Node<'h>>,
    kid: Option<Node<'h>>,
    typ: Option<Node<'h>>,
    crit: Option<Node<'h>>,
    b64: Option<Node<'h>>,
    /// `zip` or `enc`, whatever it says.
    is_of_jwe: bool,
}

impl<'h> Header<'h> {
    fn of(document: &'h Document) -> Self {
        let mut header = Self::default();
        for (name, value) in document.members() {
            match name {
                "alg" => header.alg = Some(value),
                "kid" => header.kid = Some(value),
                "typ" => header.typ = Some(value),
                "crit" => header.crit = Some(value),
                "b64" => header.b64 = Some(value),
                "zip" | "enc" => header.is_of_jwe = true,
                _ => {}
            }
        }
        header
    }
}

/// A header member that is a string if it is there at all; `null` is of the wrong type.
const fn string(member: Option<Node<'_>>) -> Result<Option<&str>, Refusal> {
    match member {
        None => Ok(None),
        Some(Node::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::HeaderMemberType),
    }
}

const fn refuse_crit(crit: Option<Node<'_>>) -> Result<(), Refusal> {
    match crit {
        None => Ok(()),
        Some(Node::Array(_)) => Err(Refusal::CritPresent),
        Some(_) => Err(Refusal::HeaderMemberType),
    }
}

/// RFC 7797 section 6 wants `crit` beside `b64`; some readers heed a `b64` without it, others do not.
const fn refuse_other_payloads(header: &Header<'_>) -> Result<(), Refusal> {
    let is_encoded = matches!(header.b64, None | Some(Node::Bool(true)));
    if is_encoded && !header.is_of_jwe { Ok(()) } else { Err(Refusal::HeaderMemberType) }
}

/// Media types are compared without regard to case, and `application/` may be left out (RFC 7515 section 4.1.9). Whether it is `at+jwt`.
fn check_typ(typ: Option<&str>) -> Result<bool, Refusal> {
    let Some(typ) = typ.map(str::to_ascii_lowercase) else {
        return Ok(false);
    };
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" => Ok(false),
        "at+jwt" => Ok(true),
        _ => Err(Refusal::TypNotAllowed),
    }
}
