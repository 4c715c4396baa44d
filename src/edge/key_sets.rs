//! Memory, then KV, then the issuer: carries out what `keys::cache` decides, and writes down what
//! came of it.
//!
//! A refresh belongs to the isolate, not to the request that started it: it runs on under
//! `waitUntil` if that client leaves.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::clock::now;
use super::events;
use super::exchange::{Exchange, promise};
use super::fetch::{self, Document, deadline};
use super::isolate::Isolate;
use super::kv::{Fetched, Store};
use super::metadata;
use super::sources::{ServedFrom, Source};
use crate::keys::cache::{self, Held, Need, Next};
use crate::keys::discovery;
use crate::keys::set::KeySet;
use crate::keys::source::KeySource;
use crate::keys::source::SourceId;
use crate::limits::{self, Seconds};
use crate::resource::Config;

/// A key set and where it came from, or seconds until it is worth asking again.
pub(super) type KeySetAnswer = Result<(Rc<KeySet>, ServedFrom), Seconds>;

/// The key sets, as one request sees them.
pub(super) struct Keys<'r> {
    pub(super) isolate: &'static Isolate,
    pub(super) exchange: &'r Exchange,
}

/// What a look at the isolate's memory comes to.
pub(super) enum Look {
    Answer(KeySetAnswer),
    /// Another request fetches: look again in a moment.
    Wait,
    /// This request has begun to fetch: look again when the promise is settled.
    Began(Promise),
}

impl Keys<'_> {
    /// What memory has; what it lacks is fetched. `kid`: the token's. `began`: whether this request
    /// has waited for a fetch of its own.
    pub(super) fn look(&self, id: SourceId, need: Need, kid: Option<&str>, began: bool) -> Look {
        let isolate = self.isolate;
        let Some(config) = isolate.config() else { return Look::Answer(Err(limits::RETRY)) };
        let Some(source) = config.sources.get(id.index()) else { return Look::Answer(Err(limits::RETRY)) };
        let refresh = Refresh { isolate, config, source, id, need };
        let next = refresh.with(|source| cache::next(&source.state, need, now()));
        match next.unwrap_or(Next::Unavailable(limits::RETRY)) {
            Next::Use(set) => {
                let fetched = refresh.with(|source| source.fetched_from).flatten().filter(|_| began);
                Look::Answer(Ok((set, fetched.unwrap_or(ServedFrom::Memory))))
            }
            Next::UseStale(set, seconds) => Look::Answer(Ok((set, ServedFrom::Stale(seconds)))),
            Next::UseAndRefresh(set) => {
                let _runs_on = self.start(refresh, kid);
                Look::Answer(Ok((set, ServedFrom::Memory)))
            }
            Next::Unavailable(seconds) => Look::Answer(Err(seconds)),
            Next::Wait => Look::Wait,
            Next::Refresh => Look::Began(self.start(refresh, kid)),
        }
    }

    /// The answer to a request that would have to wait, and for which there is no place any more.
    pub(super) fn crowded(&self, id: SourceId) -> KeySetAnswer {
        let mut sources = self.isolate.sources.borrow_mut();
        let source =
            sources.get_mut(id.index()).zip(self.isolate.config().and_then(|c| c.sources.get(id.index())));
        if let Some((state, source)) = source.filter(|(state, _)| !state.crowded) {
            state.crowded = true;
            events::keys(source, "crowded", &format!("{} requests wait already", limits::WAITERS));
        }
        Err(limits::WAITERS_RETRY)
    }

    /// Starts a refresh that outlives this request. Its promise is settled when the set is there or
    /// cannot be had; KV is written after that.
    fn start(&self, refresh: Refresh, kid: Option<&str>) -> Promise {
        refresh.with(|source| source.state.fetch_started(refresh.need, now()));
        let store = Store::open(&self.exchange.env(), refresh.source);
        let kid = kid.map(str::to_owned);
        let mut settle = None;
        let ended = Promise::new(&mut |resolve, _reject| settle = Some(resolve));
        let runs_on = promise(async move {
            let outcome = refresh.run(store.as_ref(), kid.as_deref()).await;
            refresh.with(|source| {
                source.fetched_from = outcome.from;
                source.crowded = false;
            });
            if let Some(settle) = settle {
                let _settled = settle.call0(&JsValue::UNDEFINED);
            }
            if let (Some(store), Some(fetched)) = (store, outcome.to_store) {
                store.write(&fetched).await;
            }
            Ok(JsValue::UNDEFINED)
        });
        // Where the runtime does not take it, the refresh ends with the request that began it.
        let _taken = self.exchange.context().wait_until(&runs_on);
        ended
    }
}

/// One refresh of one key set.
#[derive(Clone, Copy)]
struct Refresh {
    isolate: &'static Isolate,
    config: &'static Config,
    source: &'static KeySource,
    id: SourceId,
    need: Need,
}

/// What a refresh came to.
#[derive(Default)]
struct Outcome {
    /// Where the set is from; `None`: there is none.
    from: Option<ServedFrom>,
    to_store: Option<Fetched>,
}

impl Refresh {
    /// KV, then the issuer; only the issuer for an unknown `kid`.
    async fn run(self, store: Option<&Store>, kid: Option<&str>) -> Outcome {
        if let (Need::Any, Some(store)) = (self.need, store)
            && let Some(found) = store.read(self.config.cache_ttl).await
            && self.with(|held| held.state.found_in_kv(found, now())) == Some(true)
        {
            return Outcome { from: Some(ServedFrom::Kv), to_store: None };
        }
        match self.fetch(kid).await {
            Ok((set, document)) => {
                events::keys(self.source, "fetched", &set.kids().collect::<Vec<_>>().join(" "));
                let at = now();
                let fresh_for = cache::fresh_for(document.cache_control.as_deref(), self.config.cache_ttl);
                let may_store = self.with(|held| {
                    held.state.fetched(Held { set: Rc::new(set), fetched_at: at, fresh_for });
                    held.state.may_write_kv(at)
                });
                let fetched = Fetched { text: document.text, at, fresh_for };
                let to_store = (may_store == Some(true)).then_some(fetched);
                Outcome { from: Some(ServedFrom::Issuer), to_store }
            }
            Err(reason) => {
                events::keys(self.source, "fetch_failed", &reason);
                self.with(|held| {
                    held.state.fetch_failed(now(), js_sys::Math::random());
                    held.jwks_uri = None; // the key set may have moved
                });
                Outcome::default()
            }
        }
    }

    /// A set from the issuer, and its document.
    async fn fetch(self, kid: Option<&str>) -> Result<(KeySet, Document), String> {
        let deadline = deadline();
        let issuer = match self.source {
            KeySource::JwksUri(uri) => return set_at(uri, &deadline).await,
            KeySource::Discovery(issuer) => issuer,
        };
        let known = self.with(|source| source.jwks_uri.clone()).flatten();
        let Some(known) = known else {
            let uri = self.discover(issuer, &deadline).await?;
            return set_at(&uri, &deadline).await;
        };
        let found = set_at(&known, &deadline).await?;
        let missing =
            self.need == Need::UnknownKid && kid.is_some_and(|kid| !found.0.kids().any(|k| k == kid));
        if !missing || self.with(|source| source.state.may_reread_metadata(now())) != Some(true) {
            return Ok(found);
        }
        match self.discover(issuer, &deadline).await {
            Ok(uri) if uri != known => set_at(&uri, &deadline).await,
            _ => Ok(found),
        }
    }

    /// The `jwks_uri` in the issuer's metadata.
    async fn discover(self, issuer: &str, deadline: &web_sys::AbortSignal) -> Result<String, String> {
        let read = |document: &str| discovery::jwks_uri(document, issuer);
        let uri = metadata::find(issuer, deadline, &read)
            .await
            .map_err(|misses| format!("issuer metadata: {misses}"))?;
        self.with(|source| source.jwks_uri = Some(uri.clone()));
        Ok(uri)
    }

    /// Looks at or changes what is known of the source; never over an await.
    fn with<T>(self, f: impl FnOnce(&mut Source) -> T) -> Option<T> {
        self.isolate.sources.borrow_mut().get_mut(self.id.index()).map(f)
    }
}

async fn set_at(uri: &str, deadline: &web_sys::AbortSignal) -> Result<(KeySet, Document), String> {
    let document = fetch::document(uri, deadline).await.map_err(|f| format!("key set: {}", f.reason()))?;
    let set = KeySet::parse(&document.text).map_err(|u| format!("key set: {}", u.reason()))?;
    Ok((set, document))
}
