//! One signature check by the runtime's WebCrypto. Imported keys are kept per isolate; verdicts never.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};

use super::isolate::Isolate;
use crate::jose::{Algorithm, Scheme};
use crate::keys::Material;
use crate::limits;
use crate::verify::Check;

/// A key that WebCrypto has taken, and how it is to be used.
#[derive(Clone)]
pub(super) struct Imported {
    key: CryptoKey,
    parameters: Object,
}

/// Whether the signature is good. A key that WebCrypto does not take (a point off its curve) vouches for nothing.
pub(super) async fn verify(isolate: &Isolate, check: &Check<'_>) -> bool {
    let held = isolate.crypto_keys.borrow().get(&(check.algorithm, check.key.material.clone())).cloned();
    let imported = match held {
        Some(imported) => imported,
        None => match import(check.algorithm, &check.key.material).await {
            Ok(imported) => {
                keep(isolate, check, imported.clone());
                imported
            }
            Err(_) => return false,
        },
    };
    verified(&imported, check).await.is_ok_and(|verdict| verdict.as_bool() == Some(true))
}

fn keep(isolate: &Isolate, check: &Check<'_>, imported: Imported) {
    let mut keys = isolate.crypto_keys.borrow_mut();
    if keys.len() >= limits::CRYPTO_KEYS {
        keys.clear();
    }
    keys.insert((check.algorithm, check.key.material.clone()), imported);
}

async fn verified(imported: &Imported, check: &Check<'_>) -> Result<JsValue, JsValue> {
    let promise = subtle()?.verify_with_object_and_js_u8_array_and_js_u8_array(
        &imported.parameters,
        &imported.key,
        &Uint8Array::from(check.signature),
        &Uint8Array::from(check.signing_input.as_bytes()),
    )?;
    JsFuture::from(promise).await
}

async fn import(algorithm: Algorithm, material: &Material) -> Result<Imported, JsValue> {
    let row = algorithm.row();
    let hash = row.hash.unwrap_or_default();
    let salt = JsValue::from(row.salt);
    let (import, parameters) = match row.scheme {
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
    };
    let usages = Array::of1(&"verify".into());
    let promise = subtle()?.import_key_with_object("jwk", &jwk(material)?, &import, false, &usages)?;
    Ok(Imported { key: JsFuture::from(promise).await?.unchecked_into(), parameters })
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

fn object(members: &[(&str, JsValue)]) -> Result<Object, JsValue> {
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
