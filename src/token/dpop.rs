//! A DPoP proof: that who sends a token holds the key that it is bound to (RFC 9449).
//!
//! The checks of section 4.3, as this Worker makes them:
//!
//! 1. There is one `DPoP` header. Two reach us joined by a comma, which no compact JWS has.
//! 2. It is a compact JWS, with the rules of `jose`: no duplicate members, no `crit`, no other
//!    payload. It has all claims, each of its type.
//! 3. `typ` is `dpop+jwt`.
//! 4. `alg` is one that the entry allows. There is no symmetric one.
//! 5. The public key in `jwk` is usable, with the rules of `keys::set`: no private member, nothing
//!    that says that it is for something else. It fits the `alg`.
//! 6. Its signature is good. WebCrypto says that; the key is the sender's, and is never kept.
//! 7. `htm` is the request's method, and 8. `htu` is its address: scheme and host of the canonical
//!    URL, and the request's own path. No header has a say in it.
//! 9. The nonce is one of ours, where nonces are asked for.
//! 10. `iat` is at most so many seconds from now, before or after.
//! 11. `ath` is the hash of the access token, and 12. the token is bound to this key (`binding`).
//!
//! Beyond them, a proof is accepted once (`replays`). What needs no runtime is checked first, then
//! the signature, then the binding, and the list of those that were seen comes last: a proof that
//! is not good does not get into it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::http::address;
use crate::json::{self, Document};
use crate::keys::algorithm::Algorithm;
use crate::keys::set::{self, Key, Material};
use crate::keys::thumbprint::thumbprint;
use crate::limits::{self, Seconds};
use crate::refusal::Refusal;
use crate::token::jose::{Header, Parts};
use crate::token::nonce::{Age, Nonces};
use crate::token::replays::ProofId;

/// The request header that a proof is in.
pub const HEADER: &str = "DPoP";

/// What an entry demands of proofs.
#[derive(Clone, Debug)]
pub struct Terms {
    pub algorithms: Vec<Algorithm>,
    /// What nonces are made with, if they are asked for.
    pub nonces: Option<Nonces>,
    /// How far from now a proof's `iat` may be.
    pub max_age: Seconds,
}

impl Default for Terms {
    fn default() -> Self {
        Self { algorithms: PREFERRED.to_vec(), nonces: None, max_age: limits::DPOP_MAX_AGE_DEFAULT }
    }
}

/// All algorithms, in the order in which clients are told of them: those first that cost a client
/// least.
const PREFERRED: [Algorithm; 10] = [
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES384,
    Algorithm::RS384,
    Algorithm::PS384,
    Algorithm::ES512,
    Algorithm::RS512,
    Algorithm::PS512,
];

impl Terms {
    /// Whether they demand the same as others.
    pub fn are(&self, other: &Self) -> bool {
        self.algorithms == other.algorithms
            && self.max_age == other.max_age
            && self.nonces.is_some() == other.nonces.is_some()
    }
}

/// The request that a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    pub method: &'r str,
    /// Its public address; query and fragment do not count.
    pub address: &'r str,
    /// `ath` of its access token ([`hash`]).
    pub ath: &'r str,
}

/// A proof that is good but for its signature.
#[derive(Debug)]
pub struct Proof {
    pub algorithm: Algorithm,
    pub material: Material,
    pub signing_input: String,
    pub signature: Vec<u8>,
    /// Its key's.
    pub thumbprint: [u8; 32],
    pub id: ProofId,
    /// Until then it is remembered, and would be accepted by no entry any more.
    pub until: Seconds,
    /// Whether its nonce will soon not be accepted any more.
    pub has_old_nonce: bool,
}

impl Proof {
    /// Checks all but the signature and the binding. `header`: the value of `DPoP`.
    pub fn check(
        header: Option<&str>,
        request: &Request<'_>,
        terms: &Terms,
        now: Seconds,
    ) -> Result<Self, Refusal> {
        let jws = header.filter(|header| !header.is_empty()).ok_or(Refusal::ProofMissing)?;
        let parts = Parts::of(jws, limits::PROOF_BYTES).map_err(malformed)?;
        let checked = Header::of(&parts.header).checked().map_err(malformed)?;
        if checked.typ != Some("dpop+jwt") {
            return Err(Refusal::ProofTyp);
        }
        let algorithm = Algorithm::from_name(checked.alg).filter(|alg| terms.algorithms.contains(alg));
        let algorithm = algorithm.ok_or(Refusal::ProofAlg)?;
        let key = key(&parts.header).filter(|key| key.fits(algorithm)).ok_or(Refusal::ProofKey)?;
        let claims = Claims::of(&parts.payload)?;
        let iat = check_claims(&claims, request, terms, now)?;
        let has_old_nonce = match &terms.nonces {
            None => false,
            Some(nonces) => check_nonce(claims.nonce, nonces, now)? == Age::Old,
        };
        let thumbprint = thumbprint(&key.material);
        Ok(Self {
            algorithm,
            signing_input: parts.signing_input.to_owned(),
            signature: parts.signature,
            id: ProofId::new(&thumbprint, claims.jti),
            thumbprint,
            material: key.material,
            until: iat.ceil() as Seconds + limits::DPOP_REMEMBERED,
            has_old_nonce,
        })
    }
}

/// A token's `ath`.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// What makes a token malformed does the same to a proof, which is another refusal.
const fn malformed(_: Refusal) -> Refusal {
    Refusal::ProofMalformed
}

/// The key in a header.
fn key(header: &Document) -> Option<Key> {
    let header = json::object(header.json().as_bytes())?;
    set::key(header.get("jwk")?.as_object()?)
}

/// The claims of a proof, each of its type.
struct Claims<'p> {
    jti: &'p str,
    htm: &'p str,
    htu: &'p str,
    iat: f64,
    ath: &'p str,
    nonce: Option<&'p str>,
}

impl<'p> Claims<'p> {
    fn of(payload: &'p Document) -> Result<Self, Refusal> {
        let text = |name: &str, refusal| payload.get(name).and_then(json::Node::as_str).ok_or(refusal);
        let iat = payload.get("iat").and_then(json::Node::as_f64).ok_or(Refusal::ProofTime)?;
        let nonce = match payload.get("nonce") {
            None => None,
            Some(_) => Some(text("nonce", Refusal::ProofMalformed)?),
        };
        Ok(Self {
            jti: text("jti", Refusal::ProofJti)?,
            htm: text("htm", Refusal::ProofMethod)?,
            htu: text("htu", Refusal::ProofAddress)?,
            iat,
            ath: text("ath", Refusal::ProofToken)?,
            nonce,
        })
    }
}

/// Gives the `iat`.
fn check_claims(
    claims: &Claims<'_>,
    request: &Request<'_>,
    terms: &Terms,
    now: Seconds,
) -> Result<f64, Refusal> {
    if claims.jti.is_empty() || claims.jti.chars().count() > limits::PROOF_JTI_CHARS {
        return Err(Refusal::ProofJti);
    }
    if claims.htm != request.method {
        return Err(Refusal::ProofMethod);
    }
    if !address::same(claims.htu, request.address) {
        return Err(Refusal::ProofAddress);
    }
    if (claims.iat - now as f64).abs() > terms.max_age as f64 {
        return Err(Refusal::ProofTime);
    }
    if claims.ath != request.ath {
        return Err(Refusal::ProofToken);
    }
    Ok(claims.iat)
}

fn check_nonce(nonce: Option<&str>, nonces: &Nonces, now: Seconds) -> Result<Age, Refusal> {
    nonce.and_then(|nonce| nonces.age(nonce, now)).ok_or(Refusal::ProofNonce)
}
