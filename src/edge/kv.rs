//! Key sets in KV, shared by every isolate. KV failing in any way, slowness included, is the same
//! as KV empty, and said in the log. The list of revoked tokens is read in the same way; what its
//! reader makes of a failure is `token::revocation_reading`'s.

use futures_util::future::{Either, select};
use js_sys::{Error, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, KvError, KvStore};

use super::clock::{now, pause};
use super::{events, webcrypto};
use crate::keys::cache::Held;
use crate::keys::source::KeySource;
use crate::keys::stored;
use crate::limits::{self, Seconds};

const BINDING: &str = "JWKS_CACHE";

pub(super) fn is_bound(env: &Env) -> bool {
    Reflect::has(env, &BINDING.into()).unwrap_or(false)
}

/// What is said where something else is bound.
pub(super) const NO_NAMESPACE: &str = "the binding JWKS_CACHE is no KV namespace";

pub(super) fn namespace(env: &Env) -> Option<KvStore> {
    env.kv(BINDING).ok()
}

/// The text under a key, as KV may give it for a minute, or why it cannot be had.
pub(super) async fn text(kv: &KvStore, key: &str) -> Result<Option<String>, String> {
    let get = kv.get(key).cache_ttl(limits::KV_READ_TTL);
    match select(Box::pin(get.text()), pause(limits::KV_MILLISECONDS)).await {
        Either::Left((Ok(value), _)) => Ok(value),
        Either::Left((Err(error), _)) => Err(said(&error)),
        Either::Right(_) => Err("no answer within 1 s".to_owned()),
    }
}

/// What the issuer gave, for KV.
pub(super) struct Fetched {
    pub(super) text: String,
    pub(super) at: Seconds,
    pub(super) fresh_for: Seconds,
}

/// The KV namespace, and the source whose key set it is to keep.
pub(super) struct Store {
    kv: KvStore,
    source: &'static KeySource,
}

impl Store {
    /// `None`: there is no such binding, or it is none of KV, which the log says of this source.
    pub(super) fn open(env: &Env, source: &'static KeySource) -> Option<Self> {
        let store = namespace(env).map(|kv| Self { kv, source });
        if store.is_none() && is_bound(env) {
            events::keys(source, "kv_failed", NO_NAMESPACE);
        }
        store
    }

    /// The set that KV holds for a source.
    pub(super) async fn read(&self, cache_ttl: Seconds) -> Option<Held> {
        let (source, key) = (self.source, key(self.source).await?);
        let value = match text(&self.kv, &key).await {
            Ok(value) => value?,
            Err(reason) => {
                events::keys(source, "kv_failed", &reason);
                return None;
            }
        };
        let held = stored::decode(&value, source, cache_ttl, now());
        if held.is_none() {
            events::keys(source, "kv_unreadable", "not a key set of this format and source");
        }
        held
    }

    /// Puts a set that the issuer has just given.
    pub(super) async fn write(&self, fetched: &Fetched) {
        let source = self.source;
        let Some(key) = key(source).await else { return };
        let Some(value) = stored::encode(source, &fetched.text, fetched.at, fetched.fresh_for) else {
            return;
        };
        let expiration = fetched.fresh_for + limits::STALE;
        if let Err(error) = self.put(&key, &value, expiration).await {
            events::keys(source, "kv_failed", &said(&error));
        }
    }

    async fn put(&self, key: &str, value: &str, expiration: Seconds) -> Result<(), KvError> {
        self.kv.put(key, value)?.expiration_ttl(expiration).execute().await
    }
}

/// What an error says: the runtime's own words where they are the runtime's.
fn said(error: &KvError) -> String {
    match error {
        KvError::JavaScript(error) => {
            error.dyn_ref::<Error>().map_or_else(String::new, |e| e.message().into())
        }
        error => error.to_string(),
    }
}

/// `jwks:` and the SHA-256 of the source's name, in hex.
async fn key(source: &KeySource) -> Option<String> {
    let name = Uint8Array::from(stored::name(source).as_bytes());
    let digest = webcrypto::subtle().ok()?.digest_with_str_and_js_u8_array("SHA-256", &name).ok()?;
    let digest = Uint8Array::new(&JsFuture::from(digest).await.ok()?).to_vec();
    Some(digest.iter().fold(String::from("jwks:"), |key, byte| format!("{key}{byte:02x}")))
}
