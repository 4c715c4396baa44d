//! A JWK Set (RFC 7517), read with bounds, and the choice of a key for a token. A byte order mark
//! before it is skipped.
//!
//! 1. Every key is judged by itself: one that is unusable is passed over and never spoils the
//!    others.
//! 2. A key is usable if its `kty` and `crv` belong to an algorithm of the table, its values decode
//!    and have the right size, `use` (if there) is `sig`, `key_ops` (if there) has `verify`, `alg`
//!    (if there) is in the table, and no member of its private half is published with it. A member
//!    that is `null` has the wrong type.
//! 3. A key fits an algorithm if `kty` and `crv` are that algorithm's and `alg`, if there, is that
//!    algorithm (RFC 8725 section 3.1). A `kid` that only an unusable key has is known all the
//!    same: fetching the set again would not help.
//! 4. A token with `kid` is tried with the fitting keys of that `kid`, at most four. A token
//!    without one needs exactly one fitting key in the set.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base64url;
use crate::json::{self, Object};
use crate::keys::algorithm::Algorithm;
use crate::limits;
use crate::refusal::Refusal;

/// The usable keys of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// The `kid`s of keys that were passed over.
    passed_over: Vec<String>,
}

/// A usable public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    kid: Option<String>,
    alg: Option<Algorithm>,
    pub material: Material,
}

/// Public key values, big-endian; RSA's without leading zeros, the others of their curve's length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { crv: &'static str, x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

impl Material {
    const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
        }
    }

    const fn crv(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } => None,
            Self::Ec { crv, .. } => Some(crv),
            Self::Ed25519 { .. } => Some("Ed25519"),
        }
    }
}

impl Key {
    /// Whether signatures of this algorithm may be checked with it.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let row = algorithm.row();
        self.material.kty() == row.kty
            && self.material.crv() == row.crv
            && self.alg.is_none_or(|alg| alg == algorithm)
    }
}

/// Why a document is not a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    TooLarge,
    NotAKeySet,
    NoUsableKey,
}

impl Unusable {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "larger than 64 KiB",
            Self::NotAKeySet => "not a JWK Set",
            Self::NoUsableKey => "no usable key",
        }
    }
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

impl KeySet {
    /// Reads a key set document.
    pub fn parse(document: &str) -> Result<Self, Unusable> {
        if document.len() > limits::DOCUMENT_BYTES {
            return Err(Unusable::TooLarge);
        }
        let document = json::without_mark(document);
        if !json::is_object(document) {
            return Err(Unusable::NotAKeySet);
        }
        let document: Document<'_> = serde_json::from_str(document).map_err(|_| Unusable::NotAKeySet)?;
        let mut set = Self { keys: Vec::new(), passed_over: Vec::new() };
        for jwk in document.keys.iter().take(limits::KEYS_IN_SET) {
            let Some(jwk) = json::object(jwk.get().as_bytes()) else { continue };
            match key(&jwk) {
                Some(key) => set.keys.push(Rc::new(key)),
                None => set.passed_over.extend(string(&jwk, "kid").map(str::to_owned)),
            }
        }
        if set.keys.is_empty() { Err(Unusable::NoUsableKey) } else { Ok(set) }
    }

    /// The keys to try for a token of this algorithm and `kid`; never empty.
    pub fn select(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<Vec<Rc<Key>>, Refusal> {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
            return match (fitting.next(), fitting.next()) {
                (None, _) => Err(Refusal::KeyUnfit),
                (Some(key), None) => Ok(vec![Rc::clone(key)]),
                (Some(_), Some(_)) => Err(Refusal::KeyAmbiguous),
            };
        };
        let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).peekable();
        if named.peek().is_none() {
            let known = self.passed_over.iter().any(|k| k == kid);
            return Err(if known { Refusal::KeyUnfit } else { Refusal::KidUnknown });
        }
        let fitting: Vec<Rc<Key>> =
            named.filter(|key| key.fits(algorithm)).take(limits::KEYS_TRIED).map(Rc::clone).collect();
        if fitting.is_empty() { Err(Refusal::KeyUnfit) } else { Ok(fitting) }
    }

    /// The `kid`s of the usable keys, for the log.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.kid.as_deref())
    }
}

/// A usable key, or `None`.
pub fn key(jwk: &Object) -> Option<Key> {
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().any(|m| jwk.contains_key(*m)) {
        return None; // whoever can read the set can sign with it
    }
    if jwk.get("use").is_some_and(|u| u.as_str() != Some("sig")) {
        return None;
    }
    if jwk.get("key_ops").is_some_and(|ops| !may_verify(ops)) {
        return None;
    }
    let kid = optional_string(jwk, "kid")?.map(str::to_owned);
    let alg = match optional_string(jwk, "alg")? {
        None => None,
        Some(name) => Some(Algorithm::from_name(name)?),
    };
    let material = match string(jwk, "kty")? {
        "RSA" => rsa(jwk)?,
        "EC" => ec(jwk)?,
        "OKP" => ed25519(jwk)?,
        _ => return None,
    };
    Some(Key { kid, alg, material })
}

fn may_verify(ops: &Value) -> bool {
    ops.as_array().is_some_and(|ops| {
        ops.iter().all(Value::is_string) && ops.iter().any(|op| op.as_str() == Some("verify"))
    })
}

fn rsa(jwk: &Object) -> Option<Material> {
    let n = unsigned(jwk, "n")?;
    let e = unsigned(jwk, "e")?;
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let odd = e.last()? & 1 == 1;
    let more_than_one = e.as_slice() != [1];
    (limits::RSA_BITS.contains(&bits) && e.len() <= limits::RSA_EXPONENT_BYTES && odd && more_than_one)
        .then_some(Material::Rsa { n, e })
}

fn ec(jwk: &Object) -> Option<Material> {
    let (crv, length) = match string(jwk, "crv")? {
        "P-256" => ("P-256", 32),
        "P-384" => ("P-384", 48),
        "P-521" => ("P-521", 66),
        _ => return None,
    };
    let x = base64url::decode(string(jwk, "x")?)?;
    let y = base64url::decode(string(jwk, "y")?)?;
    (x.len() == length && y.len() == length).then_some(Material::Ec { crv, x, y })
}

fn ed25519(jwk: &Object) -> Option<Material> {
    let x = base64url::decode(string(jwk, "x")?)?;
    (string(jwk, "crv")? == "Ed25519" && x.len() == 32).then_some(Material::Ed25519 { x })
}

/// A big-endian number; leading zeros, which some issuers send, do not count.
fn unsigned(jwk: &Object, name: &str) -> Option<Vec<u8>> {
    let bytes = base64url::decode(string(jwk, name)?)?;
    let start = bytes.iter().position(|b| *b != 0)?;
    bytes.get(start..).map(<[u8]>::to_vec)
}

fn string<'j>(jwk: &'j Object, name: &str) -> Option<&'j str> {
    jwk.get(name)?.as_str()
}

/// `None`: there, and not a string.
fn optional_string<'j>(jwk: &'j Object, name: &str) -> Option<Option<&'j str>> {
    match jwk.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    }
}
