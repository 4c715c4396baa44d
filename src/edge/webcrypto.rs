//! One signature check by the runtime's WebCrypto. Imported keys are kept per isolate; verdicts
//! never.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};

use super::exchange::{self, Exchange};
use crate::keys::algorithm::{Algorithm, Scheme};
use crate::keys::set::{Key, Material};
use crate::limits;
use crate::token::dpop::Proof;
use crate::token::verify::Check;

thread_local! {
    static KEYS: RefCell<Vec<Rc<Imported>>> = const { RefCell::new(Vec::new()) };
}

/// A key that WebCrypto has taken, and how it is to be used.
pub(super) struct Imported {
    of: Rc<Key>,
    algorithm: Algorithm,
    key: CryptoKey,
    parameters: Object,
}

impl Imported {
    /// Starts a check; `on_signature` goes on with what it comes to.
    pub(super) fn check(&self, check: &Check, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let (signature, input) = (check.signature(), check.signing_input().as_bytes());
        exchange.verify(&self.parameters, &self.key, signature, input)
    }
}

/// The key of a check, if it has been imported. Keys are distinguished by identity: a new key set
/// brings new ones.
pub(super) fn imported(check: &Check) -> Option<Rc<Imported>> {
    let is_of = |key: &&Rc<Imported>| Rc::ptr_eq(&key.of, &check.key) && key.algorithm == check.algorithm;
    KEYS.with_borrow(|keys| keys.iter().find(is_of).map(Rc::clone))
}

/// Starts to import the key of a check; `on_key` goes on with what it comes to.
///
/// # Errors
/// WebCrypto does not take it: a point off its curve, for one.
pub(super) fn import(check: &Check, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let jwk = jwk(&check.key.material)?;
    let (import, _) = parameters(check.algorithm)?;
    exchange::import_key(exchange, &jwk, &import)
}

/// Keeps the imported key of a check, unless a request that imported it at the same time was first.
///
/// # Errors
/// It is no key.
pub(super) fn keep(check: &Check, key: JsValue) -> Result<(), JsValue> {
    let key = key.dyn_into()?;
    if imported(check).is_some() {
        return Ok(());
    }
    let (_, parameters) = parameters(check.algorithm)?;
    let of = Rc::clone(&check.key);
    KEYS.with_borrow_mut(|keys| {
        if keys.len() >= limits::CRYPTO_KEYS {
            keys.clear();
        }
        keys.push(Rc::new(Imported { of, algorithm: check.algorithm, key, parameters }));
    });
    Ok(())
}

/// Starts to check the signature of a proof; `on_proof` goes on with what it comes to. Its key is
/// the sender's, so it is not kept: a flood of keys would push out those of the issuers.
///
/// # Errors
/// WebCrypto does not take the key.
pub(super) fn prove(proof: &Proof, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let (import, check) = parameters(proof.algorithm)?;
    let parameters = Array::of2(&import, &check);
    let (signature, input) = (proof.signature.clone(), proof.signing_input.clone().into_bytes());
    exchange::prove(exchange, &jwk(&proof.material)?, &parameters, signature, input)
}

/// What WebCrypto wants to know of an algorithm to import a key, and to check a signature.
fn parameters(algorithm: Algorithm) -> Result<(Object, Object), JsValue> {
    let row = algorithm.row();
    let hash = row.hash.unwrap_or_default();
    let salt = JsValue::from(row.salt);
    Ok(match row.scheme {
        Scheme::RsaPkcs1 => {
            let name = ("name", "RSASSA-PKCS1-v1_5".into());
            (object(&[name.clone(), ("hash", hash.into())])?, object(&[name])?)
        }
        Scheme::RsaPss => {
            let name = ("name", "RSA-PSS".into());
            (object(&[name.clone(), ("hash", hash.into())])?, object(&[name, ("saltLength", salt)])?)
        }
        Scheme::Ecdsa => {
            let name = ("name", "ECDSA".into());
            let curve = row.crv.unwrap_or_default();
            (object(&[name.clone(), ("namedCurve", curve.into())])?, object(&[name, ("hash", hash.into())])?)
        }
        Scheme::Ed25519 => {
            let name = ("name", "Ed25519".into());
            (object(std::slice::from_ref(&name))?, object(&[name])?)
        }
    })
}

/// The public values and nothing else: what the issuer says of a key's use was judged in `keys`.
fn jwk(material: &Material) -> Result<Object, JsValue> {
    let text = |bytes: &[u8]| JsValue::from(URL_SAFE_NO_PAD.encode(bytes));
    match material {
        Material::Rsa { n, e } => object(&[("kty", "RSA".into()), ("n", text(n)), ("e", text(e))]),
        Material::Ec { crv, x, y } => {
            object(&[("kty", "EC".into()), ("crv", (*crv).into()), ("x", text(x)), ("y", text(y))])
        }
        Material::Ed25519 { x } => {
            object(&[("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", text(x))])
        }
    }
}

pub(super) fn object(members: &[(&str, JsValue)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from(*name), value)?;
    }
    Ok(object)
}

pub(super) fn subtle() -> Result<SubtleCrypto, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    Ok(scope.crypto()?.subtle())
}
