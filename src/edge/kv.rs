//! Key sets in KV, shared by every isolate. KV failing in any way is the same as KV empty, and said in the log.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env, KvStore};

use super::isolate::{Isolate, now};
use super::{crypto, log};
use crate::config::{Config, KeySource, SourceId};
use crate::jwks::Held;
use crate::limits;
use crate::stored;

const BINDING: &str = "JWKS_CACHE";

pub(super) fn is_bound(env: &Env) -> bool {
    js_sys::Reflect::has(env.unchecked_ref::<JsValue>(), &BINDING.into()).unwrap_or(false)
}

/// The set that KV holds for a source.
pub(super) async fn read(isolate: &Isolate, env: &Env, id: SourceId, source: &KeySource) -> Option<Held> {
    let store = store(env)?;
    let key = key(isolate, id, source).await?;
    match store.get(&key).cache_ttl(limits::KV_READ_TTL).text().await {
        Ok(Some(value)) => {
            let held = stored::decode(&value, source, now());
            if held.is_none() {
                log::keys(source, "kv_unreadable", "not a key set of this format and source");
            }
            held
        }
        Ok(None) => None,
        Err(error) => {
            log::keys(source, "kv_failed", &error.to_string());
            None
        }
    }
}

/// Puts a set that the issuer has just given, after the answer to the client.
pub(super) fn write(
    isolate: &'static Isolate,
    config: &'static Config,
    env: &Env,
    context: &Context,
    id: SourceId,
    jwks: &str,
) {
    let (Some(store), Some(source)) = (store(env), config.sources.get(id.index())) else { return };
    let Some(value) = stored::encode(source, jwks, now()) else { return };
    let expiration = config.cache_ttl + limits::STALE;
    context.wait_until(async move {
        let Some(key) = key(isolate, id, source).await else { return };
        let put = async { store.put(&key, value)?.expiration_ttl(expiration).execute().await };
        if let Err(error) = put.await {
            log::keys(source, "kv_failed", &error.to_string());
        }
    });
}

fn store(env: &Env) -> Option<KvStore> {
    is_bound(env).then(|| env.kv(BINDING).ok())?
}

/// `jwks:` and the SHA-256 of the source's name, in hex.
async fn key(isolate: &Isolate, id: SourceId, source: &KeySource) -> Option<String> {
    let known = isolate.sources.borrow().get(id.index()).and_then(|s| s.kv_key.clone());
    if known.is_some() {
        return known;
    }
    let name = Uint8Array::from(stored::name(source).as_bytes());
    let digest = crypto::subtle().ok()?.digest_with_str_and_js_u8_array("SHA-256", &name).ok()?;
    let digest = Uint8Array::new(&JsFuture::from(digest).await.ok()?).to_vec();
    let key = digest.iter().fold(String::from("jwks:"), |key, byte| format!("{key}{byte:02x}"));
    if let Some(source) = isolate.sources.borrow_mut().get_mut(id.index()) {
        source.kv_key = Some(key.clone());
    }
    Some(key)
}
