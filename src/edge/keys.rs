//! Memory, then KV, then the issuer: carries out what `jwks` decides, and writes down what came of it.

use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env};

use super::isolate::{Isolate, Source, now};
use super::upstream::{deadline, document};
use super::{kv, log};
use crate::config::{Config, KeySource, SourceId};
use crate::discovery;
use crate::jwks::{self, Need, Next};
use crate::keys::KeySet;
use crate::limits::{self, Seconds};

/// Where the key set of a request came from.
#[derive(Clone, Copy)]
pub(super) enum From {
    Memory,
    Kv,
    Issuer,
    Stale,
}

impl From {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Kv => "kv",
            Self::Issuer => "issuer",
            Self::Stale => "stale",
        }
    }
}

/// A key set, or seconds until it is worth asking again.
pub(super) async fn obtain(
    isolate: &'static Isolate,
    config: &'static Config,
    env: &Env,
    context: &Context,
    id: SourceId,
    need: Need,
) -> Result<(Rc<KeySet>, From), Seconds> {
    let Some(source) = config.sources.get(id.index()) else { return Err(limits::RETRY) };
    let mut from = From::Memory;
    let mut kv_read = false;
    loop {
        match with(isolate, id, |held| jwks::next(&held.state, need, config.cache_ttl, now(), kv_read)) {
            None => return Err(limits::RETRY),
            Some(Next::Use(set)) => return Ok((set, from)),
            Some(Next::UseStale(set)) => return Ok((set, From::Stale)),
            Some(Next::Unavailable(seconds)) => return Err(seconds),
            Some(Next::Wait) => pause().await,
            Some(Next::ReadKv) => {
                kv_read = true;
                if let Some(found) = kv::read(isolate, env, id, source).await {
                    from = From::Kv;
                    with(isolate, id, |held| held.state.adopt(found));
                }
            }
            Some(Next::Fetch) => {
                with(isolate, id, |held| held.state.fetch_started(need, now()));
                match fetch(isolate, id, source).await {
                    Ok((set, text)) => {
                        log::keys(source, "fetched", &set.kids().collect::<Vec<_>>().join(" "));
                        from = From::Issuer;
                        with(isolate, id, |held| held.state.fetched(Rc::new(set), now()));
                        kv::write(isolate, config, env, context, id, &text);
                    }
                    Err(reason) => {
                        log::keys(source, "fetch_failed", &reason);
                        with(isolate, id, |held| {
                            held.state.fetch_failed(now());
                            held.discovered = None; // the key set may have moved
                        });
                    }
                }
            }
        }
    }
}

/// Looks at or changes what is known of a source; never over an await.
fn with<T>(isolate: &Isolate, id: SourceId, f: impl FnOnce(&mut Source) -> T) -> Option<T> {
    isolate.sources.borrow_mut().get_mut(id.index()).map(f)
}

/// A set from the issuer, and its text.
async fn fetch(isolate: &Isolate, id: SourceId, source: &KeySource) -> Result<(KeySet, String), String> {
    let deadline = deadline();
    let jwks_uri = match source {
        KeySource::JwksUri(uri) => uri.clone(),
        KeySource::Discovery(issuer) => discover(isolate, id, issuer, &deadline).await?,
    };
    let text = document(&jwks_uri, &deadline).await.map_err(|f| format!("key set: {}", f.reason()))?;
    let set = KeySet::parse(&text).map_err(|u| format!("key set: {}", u.reason()))?;
    Ok((set, text))
}

/// The issuer's `jwks_uri`: what was found lately, else what its metadata says now.
async fn discover(
    isolate: &Isolate,
    id: SourceId,
    issuer: &str,
    deadline: &web_sys::AbortSignal,
) -> Result<String, String> {
    let known = with(isolate, id, |source| source.discovered.clone()).flatten();
    if let Some((uri, at)) = known
        && now().saturating_sub(at) < limits::METADATA_AGE
    {
        return Ok(uri);
    }
    let mut reason = String::new();
    for url in discovery::metadata_urls(issuer) {
        match document(&url, deadline).await {
            Ok(text) => {
                let uri = discovery::jwks_uri(&text, issuer).map_err(|u| u.reason().to_owned())?;
                with(isolate, id, |source| source.discovered = Some((uri.clone(), now())));
                return Ok(uri);
            }
            Err(failure) => reason = format!("issuer metadata: {}", failure.reason()),
        }
    }
    Err(reason)
}

/// A moment on this request's own timer.
async fn pause() {
    let mut executor = |resolve: Function, _reject: Function| {
        let set_timeout: Option<Function> =
            Reflect::get(&js_sys::global(), &"setTimeout".into()).ok().and_then(|f| f.dyn_into().ok());
        let delay = JsValue::from(limits::POLL_MILLISECONDS);
        if set_timeout.and_then(|f| f.call2(&JsValue::UNDEFINED, &resolve, &delay).ok()).is_none() {
            let _resolved = resolve.call0(&JsValue::UNDEFINED);
        }
    };
    let _elapsed = JsFuture::from(Promise::new(&mut executor)).await;
}
