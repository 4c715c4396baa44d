//! Compact JWS. Nothing here is verified yet.
//!
//! 1. At most 16 KiB; exactly three parts; each canonical unpadded base64url (RFC 7515 sections 2
//!    and 7.1). A JWE has five and is refused.
//! 2. Header and claims are JSON objects without duplicate members.
//! 3. `alg`, `kid` and `typ` are strings. `crit` is refused: we understand no extension (RFC 7515
//!    section 4.1.11).
//! 4. The payload is the claims as they stand: `b64` is absent or `true` (RFC 7797 section 3), and
//!    there is no `zip` and no `enc`, which a JWE has (RFC 7516 section 9). A reader that heeds
//!    them reads something else.
//! 5. `typ` is absent, `JWT` or `at+jwt` (RFC 9068 section 4, RFC 8725 section 3.11), so that no
//!    other kind of JWT passes for an access token.
//! 6. `jku`, `x5u`, `x5c` and `jwk` are never read: a token does not choose its key.

use crate::base64url;
use crate::json::{Document, Node};
use crate::keys::algorithm::Algorithm;
use crate::limits;
use crate::refusal::Refusal;

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

    /// A token that only its authorization server can read.
    pub fn opaque(token: &str) -> Self {
        Self {
            signing_input: token.to_owned(),
            signature: Vec::new(),
            alg: None,
            kid: None,
            at_jwt: false,
            claims: Document::default(),
        }
    }

    /// The same with what the server says of it for claims. It is the same token only as long as
    /// its server says the same of it.
    pub fn with_answer(&self, answer: &Document) -> Self {
        let mut token = Self::opaque(&[&self.signing_input, "\n", answer.json()].concat());
        token.claims = answer.clone();
        token
    }
}

/// Takes an access token apart.
pub fn parse(token: &str) -> Result<Token, Refusal> {
    take_apart(token, limits::TOKEN_BYTES, check_typ)
}

/// Takes a signed introspection answer apart (RFC 9701 section 5). It has a `typ` of its own, so
/// that it passes for no token and no token for it.
pub fn parse_answer(answer: &str) -> Result<Token, Refusal> {
    take_apart(answer, limits::DOCUMENT_BYTES, check_answer_typ)
}

/// Whether a token is no compact JWS, so that only its authorization server can read it: it has not
/// three parts, or the first of them is no JSON object. What looks like a JWS is never opaque,
/// however broken it is: it may be another issuer's.
pub fn is_opaque(token: &str) -> bool {
    let (header, rest) = token.split_once('.').unwrap_or((token, ""));
    let looks_like_json = |text: &str| text.trim().starts_with('{') && text.trim().ends_with('}');
    let is_header = || {
        let text = base64url::decode(header).and_then(|bytes| String::from_utf8(bytes).ok());
        text.is_some_and(|text| looks_like_json(&text))
    };
    rest.split('.').count() != 2 || !is_header()
}

#[inline]
fn take_apart(
    token: &str,
    bytes: usize,
    check_typ: impl Fn(Option<&str>) -> Result<bool, Refusal>,
) -> Result<Token, Refusal> {
    let parts = Parts::of(token, bytes)?;
    let header = Header::of(&parts.header).checked()?;
    let at_jwt = check_typ(header.typ)?;
    Ok(Token {
        signing_input: parts.signing_input.to_owned(),
        signature: parts.signature,
        alg: Algorithm::from_name(header.alg),
        kid: header.kid.map(str::to_owned),
        at_jwt,
        claims: parts.payload,
    })
}

/// What a compact JWS of any kind consists of.
pub(super) struct Parts<'t> {
    pub(super) signing_input: &'t str,
    pub(super) header: Document,
    pub(super) payload: Document,
    pub(super) signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    pub(super) fn of(jws: &'t str, limit: usize) -> Result<Self, Refusal> {
        if jws.len() > limit {
            return Err(Refusal::TokenTooLarge);
        }
        let (signing_input, signature) = jws.rsplit_once('.').ok_or(Refusal::TokenParts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Refusal::TokenParts)?;
        if payload.contains('.') {
            return Err(Refusal::TokenParts);
        }
        let header = decode(header)?;
        let payload = decode(payload)?;
        let signature = decode(signature)?;
        let header = Document::read(header).ok_or(Refusal::TokenJson)?;
        let payload = Document::read(payload).ok_or(Refusal::TokenJson)?;
        Ok(Self { signing_input, header, payload, signature })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    base64url::decode(part).ok_or(Refusal::TokenEncoding)
}

/// The members of a header that are looked at, found in one pass.
#[derive(Default)]
pub(super) struct Header<'h> {
    alg: Option<Node<'h>>,
    kid: Option<Node<'h>>,
    typ: Option<Node<'h>>,
    crit: Option<Node<'h>>,
    b64: Option<Node<'h>>,
    /// `zip` or `enc`, whatever it says.
    is_of_jwe: bool,
}

/// What a header says that asks for no other reading than ours.
pub(super) struct Checked<'h> {
    pub(super) alg: &'h str,
    pub(super) kid: Option<&'h str>,
    pub(super) typ: Option<&'h str>,
}

impl<'h> Header<'h> {
    pub(super) fn of(document: &'h Document) -> Self {
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

    pub(super) fn checked(self) -> Result<Checked<'h>, Refusal> {
        let alg = string(self.alg)?.ok_or(Refusal::AlgMissing)?;
        let kid = string(self.kid)?;
        let typ = string(self.typ)?;
        refuse_crit(self.crit)?;
        refuse_other_payloads(&self)?;
        Ok(Checked { alg, kid, typ })
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

/// RFC 7797 section 6 wants `crit` beside `b64`; some readers heed a `b64` without it, others do
/// not.
const fn refuse_other_payloads(header: &Header<'_>) -> Result<(), Refusal> {
    let is_encoded = matches!(header.b64, None | Some(Node::Bool(true)));
    if is_encoded && !header.is_of_jwe { Ok(()) } else { Err(Refusal::HeaderMemberType) }
}

/// Media types are compared without regard to case, and `application/` may be left out (RFC 7515
/// section 4.1.9). Whether it is `at+jwt`.
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

/// RFC 9701 section 5 makes it a must, spelled as media types are.
fn check_answer_typ(typ: Option<&str>) -> Result<bool, Refusal> {
    let typ = typ.map(str::to_ascii_lowercase).unwrap_or_default();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "token-introspection+jwt" => Ok(false),
        _ => Err(Refusal::TypNotAllowed),
    }
}
