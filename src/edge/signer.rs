//! The keys that assertions are signed with, as the runtime's WebCrypto holds them. It also judges
//! them: it alone can say what a private key's public one is.

use std::cell::RefCell;

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::CryptoKey;

use super::clock::now;
use super::exchange::unique_name;
use super::pending::RequestId;
use super::webcrypto::{object, subtle};
use crate::base64url;
use crate::fault::Fault;
use crate::keys::algorithm::Algorithm;
use crate::keys::set::Material;
use crate::origin::assertion::Assertion;
use crate::origin::assertion::keys::{ListedKey, SigningKeys};
use crate::origin::assertion::reuse::Reuse;
use crate::resource::Resource;
use crate::token::verify::Verified;

/// The key that signs. It cannot be taken out again.
pub(super) struct Signer {
    /// `parameters` and `key`, as `sign.mjs` takes them.
    pub(super) key: JsValue,
    /// The encoded header of what it signs.
    header: String,
}

/// What a request is to carry.
pub(super) struct Asserted {
    /// The header that carries it, and the start of its value; all of it, if it was signed before.
    pub(super) start: String,
    pub(super) unsigned: Option<Unsigned>,
}

/// What is still to be signed.
pub(super) struct Unsigned {
    pub(super) signer: &'static Signer,
    pub(super) input: String,
}

impl Signer {
    /// Publishes the keys and imports the first.
    pub(super) async fn judge(keys: &SigningKeys) -> Result<Self, Vec<Fault>> {
        let mut public = Vec::new();
        for key in keys.keys() {
            public.push(match key.pkcs8() {
                Some(pkcs8) => public_of(key, &pkcs8).await.ok(),
                None => key.public().cloned(),
            });
        }
        keys.publish(&public)?;
        let signer = match keys.keys().first() {
            Some(first) => imported(first, keys.header().unwrap_or_default()).await.ok(),
            None => None,
        };
        signer.ok_or_else(|| vec![keys.unusable()])
    }

    /// An assertion about a caller; `None` if the runtime has no random number for it.
    pub(super) fn assert(
        &'static self,
        reuse: &RefCell<Reuse>,
        assertion: &Assertion,
        resource: &'static Resource,
        verified: &Verified,
        id: RequestId,
    ) -> Option<Asserted> {
        let (start, now) = (assertion.carrier.start(), now());
        let resource = resource.canonical.as_str();
        if let Some(kept) = reuse.borrow().find(resource, verified, now) {
            return Some(Asserted { start: [start, kept].concat(), unsigned: None });
        }
        let jti = unique_name().ok()?;
        let input = assertion.signing_input(&self.header, verified, now, &jti);
        reuse.borrow_mut().signing(resource, verified, now, id, &input);
        Some(Asserted { start: start.to_owned(), unsigned: Some(Unsigned { signer: self, input }) })
    }
}

async fn imported(key: &ListedKey, header: &str) -> Result<Signer, JsValue> {
    let parameters = match key.algorithm() {
        Algorithm::EdDSA => object(&[("name", "Ed25519".into())])?,
        _ => object(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())])?,
    };
    let pkcs8 = key.pkcs8().ok_or(JsValue::UNDEFINED)?;
    let imported = import(key, &pkcs8, false).await?;
    let key = object(&[("parameters", parameters.into()), ("key", imported.into())])?;
    Ok(Signer { key: key.into(), header: header.to_owned() })
}

async fn import(key: &ListedKey, pkcs8: &[u8], extractable: bool) -> Result<CryptoKey, JsValue> {
    let algorithm = match key.algorithm() {
        Algorithm::EdDSA => object(&[("name", "Ed25519".into())])?,
        _ => object(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())])?,
    };
    let data = Uint8Array::from(pkcs8);
    let usages = Array::of1(&"sign".into());
    let promise = subtle()?.import_key_with_object("pkcs8", &data, &algorithm, extractable, &usages)?;
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

/// The public key of a private one.
async fn public_of(key: &ListedKey, pkcs8: &[u8]) -> Result<Material, JsValue> {
    let imported = import(key, pkcs8, true).await?;
    let jwk = JsFuture::from(subtle()?.export_key("jwk", &imported)?).await?;
    let member = |name: &str| -> Result<Vec<u8>, JsValue> {
        let text = Reflect::get(&jwk, &name.into())?.as_string();
        text.as_deref().and_then(base64url::decode).ok_or(JsValue::UNDEFINED)
    };
    let x = member("x")?;
    Ok(match key.algorithm() {
        Algorithm::EdDSA => Material::Ed25519 { x },
        _ => Material::Ec { crv: "P-256", x, y: member("y")? },
    })
}
