//! What a token is bound to (`cnf`, RFC 7800), and what its holder has to show for it.
//!
//! 1. `cnf` is absent, or an object with `x5t#S256` (RFC 8705 section 3.1), `jkt` (RFC 9449 section
//!    6.1) or both, each of them the base64url of a SHA-256. Any other `cnf` demands something that
//!    is not understood here, and the token is refused.
//! 2. All that a token is bound to has to be shown. Where its entry does not have it shown, the
//!    token is refused: it is never taken for a plain one.
//! 3. A certificate counts if the runtime says that it was presented, that it is good and that it
//!    is not revoked: of one that it found bad, nobody promises that its private key was there.

use crate::base64url;
use crate::json::{Document, Node};
use crate::refusal::Refusal;

/// Whether an entry takes tokens that are bound in some way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Use {
    /// A token that is bound so is refused.
    #[default]
    Off,
    /// A token may be bound so, and then it has to be shown.
    Accept,
    /// A token that is not bound so is refused.
    Require,
}

/// A SHA-256.
type Thumbprint = Box<[u8; 32]>;

/// What the holder of a token has yet to show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The certificate that the token is bound to.
    certificate: Option<Thumbprint>,
    /// The key that it is bound to.
    key: Option<Thumbprint>,
}

impl Binding {
    /// What the claims bind a token to, at an entry that has certificates and keys shown or not.
    pub(super) fn of(claims: &Document, mtls: Use, dpop: Use) -> Result<Self, Refusal> {
        let (certificate, key) = confirmation(claims)?;
        let certificate = wanted(certificate, mtls, Refusal::CertificateUnbound)?;
        let key = wanted(key, dpop, Refusal::KeyUnbound)?;
        Ok(Self { certificate, key })
    }

    /// Whether the certificate of the connection has to be shown.
    pub const fn wants_certificate(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whether a proof by a key has to be shown.
    pub const fn wants_key(&self) -> bool {
        self.key.is_some()
    }

    /// The thumbprint of a key by which a good proof was made.
    pub(super) fn key(&mut self, shown: &[u8]) -> Result<(), Refusal> {
        if self.key.as_deref().is_none_or(|key| key.as_slice() != shown) {
            return Err(Refusal::ProofMismatch);
        }
        self.key = None;
        Ok(())
    }

    /// The certificate of the connection. `told`: what the runtime says of it, as JSON
    /// (`request.cf.tlsClientAuth`); none where it says nothing.
    pub(super) fn certificate(&mut self, told: Option<&str>) -> Result<(), Refusal> {
        let shown = shown(told)?;
        if self.certificate.as_ref() != Some(&shown) {
            return Err(Refusal::CertificateMismatch);
        }
        self.certificate = None;
        Ok(())
    }

    /// Whether nothing is left to be shown.
    pub const fn is_shown(&self) -> bool {
        self.certificate.is_none() && self.key.is_none()
    }
}

/// What has to be shown of something that a token may be bound to. `unbound`: the refusal of a
/// token that should be bound to it.
fn wanted(bound: Option<Thumbprint>, used: Use, unbound: Refusal) -> Result<Option<Thumbprint>, Refusal> {
    match (&bound, used) {
        (Some(_), Use::Off) => Err(Refusal::TokenBound),
        (None, Use::Require) => Err(unbound),
        _ => Ok(bound),
    }
}

/// The certificate and the key that a token is bound to.
fn confirmation(claims: &Document) -> Result<(Option<Thumbprint>, Option<Thumbprint>), Refusal> {
    let Some(cnf) = claims.get("cnf") else { return Ok((None, None)) };
    let Node::Object(members) = cnf else { return Err(Refusal::TokenBound) };
    let (mut certificate, mut key) = (None, None);
    for (name, value) in members {
        let member = match name {
            "x5t#S256" => &mut certificate,
            "jkt" => &mut key,
            _ => return Err(Refusal::TokenBound),
        };
        let thumbprint = value.as_str().and_then(base64url::decode);
        *member = Some(thumbprint.and_then(|hash| hash.try_into().ok()).ok_or(Refusal::TokenBound)?);
    }
    if certificate.is_none() && key.is_none() { Err(Refusal::TokenBound) } else { Ok((certificate, key)) }
}

/// The SHA-256 of a certificate that counts.
fn shown(told: Option<&str>) -> Result<Thumbprint, Refusal> {
    let told = told.and_then(|told| Document::read(told.into())).ok_or(Refusal::CertificateMissing)?;
    let says = |name: &str| told.get(name).and_then(Node::as_str).unwrap_or_default();
    if says("certPresented") != "1" {
        return Err(Refusal::CertificateMissing);
    }
    if says("certVerified") != "SUCCESS" || says("certRevoked") != "0" {
        return Err(Refusal::CertificateUnverified);
    }
    unhex(says("certFingerprintSHA256"))
        .and_then(|hash| hash.try_into().ok())
        .ok_or(Refusal::CertificateMissing)
}

/// The bytes that a text of hexadecimal digits stands for.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
