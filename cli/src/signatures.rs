//! Signature checks without WebCrypto, by jwt-simple.
//!
//! jwt-simple checks a token's claims after its signature and has no way to check a signature
//! alone. It is made as tolerant as it can be; what it still says other than "the signature is bad"
//! is settled by a copy with a spoilt signature: if that one is refused for its signature, then the
//! signature of the token was looked at, and was good. What it does not have is checked by what it
//! is made of: ES512, and ES256 under headers that it cannot read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::JWTError;
use jwt_simple::prelude::*;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::set::Material;
use mcp_edge_auth::token::dpop::Proof;
use mcp_edge_auth::token::verify::Check;

/// jwt-simple cannot read this header (a `jwk` object, for one), so the signature was not looked
/// at.
#[derive(Clone, Debug)]
pub struct HeaderNotRead(pub String);

/// What is checked: a token's signature, or a proof's.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'s> {
    pub algorithm: Algorithm,
    pub material: &'s Material,
    pub input: &'s str,
    pub signature: &'s [u8],
}

impl<'s> From<&'s Check> for Signed<'s> {
    fn from(check: &'s Check) -> Self {
        let material = &check.key.material;
        let (input, signature) = (check.signing_input(), check.signature());
        Self { algorithm: check.algorithm, material, input, signature }
    }
}

impl<'s> From<&'s Proof> for Signed<'s> {
    fn from(proof: &'s Proof) -> Self {
        let (input, signature) = (proof.signing_input.as_str(), proof.signature.as_slice());
        Self { algorithm: proof.algorithm, material: &proof.material, input, signature }
    }
}

/// One signature check. A key that is no key vouches for nothing.
///
/// # Errors
/// Where jwt-simple did not get as far as the signature.
pub fn is_good<'s>(signed: impl Into<Signed<'s>>) -> Result<bool, HeaderNotRead> {
    let signed = signed.into();
    match signed.algorithm {
        Algorithm::ES512 => return Ok(es512(&signed).is_some()),
        // jwt-simple has another error for these, which is that of a header it cannot read, too.
        Algorithm::EdDSA if signed.signature.len() != 64 => return Ok(false),
        _ => {}
    }
    let Some(verify) = verifier(&signed) else { return Ok(false) };
    match verify(&token(signed.input, signed.signature)) {
        Ok(()) => Ok(true),
        Err(error) if is_bad_signature(&error) => Ok(false),
        Err(error) => {
            let mut spoilt = signed.signature.to_vec();
            if let Some(last) = spoilt.last_mut() {
                *last ^= 1;
            }
            match verify(&token(signed.input, &spoilt)) {
                Err(e) if is_bad_signature(&e) => Ok(true),
                // It gave up at the header, a `jwk` object for one. What checks ES256 beneath it
                // can still be asked.
                _ if signed.algorithm == Algorithm::ES256 => Ok(es256(&signed).is_some()),
                _ => Err(HeaderNotRead(error.to_string())),
            }
        }
    }
}

fn token(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn is_bad_signature(error: &jwt_simple::Error) -> bool {
    matches!(error.downcast_ref(), Some(JWTError::InvalidSignature))
}

type Verifier = Box<dyn Fn(&str) -> Result<(), jwt_simple::Error>>;

/// jwt-simple's verification with this key; `None` if it does not take the key.
fn verifier(signed: &Signed<'_>) -> Option<Verifier> {
    macro_rules! with {
        ($key:expr) => {{
            let key = $key.ok()?;
            Some(Box::new(move |token: &str| {
                key.verify_token::<NoCustomClaims>(token, Some(tolerant())).map(|_| ())
            }))
        }};
    }
    match (signed.algorithm, signed.material) {
        (Algorithm::RS256, Material::Rsa { n, e }) => with!(RS256PublicKey::from_components(n, e)),
        (Algorithm::RS384, Material::Rsa { n, e }) => with!(RS384PublicKey::from_components(n, e)),
        (Algorithm::RS512, Material::Rsa { n, e }) => with!(RS512PublicKey::from_components(n, e)),
        (Algorithm::PS256, Material::Rsa { n, e }) => with!(PS256PublicKey::from_components(n, e)),
        (Algorithm::PS384, Material::Rsa { n, e }) => with!(PS384PublicKey::from_components(n, e)),
        (Algorithm::PS512, Material::Rsa { n, e }) => with!(PS512PublicKey::from_components(n, e)),
        (Algorithm::ES256, Material::Ec { x, y, .. }) => with!(ES256PublicKey::from_bytes(&point(x, y))),
        (Algorithm::ES384, Material::Ec { x, y, .. }) => with!(ES384PublicKey::from_bytes(&point(x, y))),
        (Algorithm::EdDSA, Material::Ed25519 { x }) => with!(Ed25519PublicKey::from_bytes(x)),
        _ => None, // `KeySet::select` gives no other key
    }
}

fn tolerant() -> VerificationOptions {
    VerificationOptions {
        accept_future: true,
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        time_tolerance: Some(Duration::from_days(100_000)),
        max_header_length: Some(1 << 20),
        ..Default::default()
    }
}

/// SEC1's uncompressed form.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn es256(signed: &Signed<'_>) -> Option<()> {
    use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
    let Material::Ec { x, y, .. } = signed.material else { return None };
    let key = VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
    let signature = Signature::from_slice(signed.signature).ok()?;
    key.verify(signed.input.as_bytes(), &signature).ok()
}

/// jwt-simple has no ES512.
fn es512(signed: &Signed<'_>) -> Option<()> {
    use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
    let Material::Ec { x, y, .. } = signed.material else { return None };
    let key = VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
    let signature = Signature::from_slice(signed.signature).ok()?;
    key.verify(signed.input.as_bytes(), &signature).ok()
}
