//! Copies of authorization servers' metadata: carries out what `compatibility::copy` decides, and
//! writes down what came of it.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::clock::now;
use super::events;
use super::exchange::{Exchange, promise};
use super::isolate::Isolate;
use super::issuers::with;
use super::log::Line;
use super::metadata;
use super::pending::RequestId;
use super::waiting::{self, Awaited, Waiter};
use super::{fetch, own};
use crate::documents::copy::{self, Next};
use crate::json;
use crate::keys::discovery;
use crate::limits;

/// A request for a copy.
pub(super) struct Copying {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    pub(super) issuer: &'static str,
    pub(super) line: Line,
}

impl Copying {
    /// The answer, or the promise of it.
    pub(super) fn proceed(self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let awaited = Awaited::Copy(self.issuer);
        let next = with(&self.isolate.copies, self.issuer, |kept| kept.next(now()));
        let fetch = matches!(next, Next::Fetch).then(|| self.start(exchange));
        match next {
            Next::Serve(document) => {
                let line = self.line.served("authorization_server_metadata");
                own::answer(exchange, &copy::answer(Ok(&document)), &line)
            }
            Next::Unavailable(seconds) => own::no_copy(exchange, seconds, self.line),
            _ if !waiting::has_place(awaited) => own::no_copy(exchange, limits::WAITERS_RETRY, self.line),
            Next::Wait | Next::Fetch => {
                let id = self.id;
                let go_on = Box::new(|exchange: &Exchange| self.proceed(exchange));
                Ok(Waiter { awaited, index: None, go_on }.wait(exchange, id, fetch.as_ref()))
            }
        }
    }

    /// Starts a fetch that belongs to the isolate, not to the client that asked first. Its promise
    /// is settled when it has ended.
    fn start(&self, exchange: &Exchange) -> Promise {
        let (isolate, issuer) = (self.isolate, self.issuer);
        with(&isolate.copies, issuer, |kept| kept.fetch_started(now()));
        let fetched = promise(async move {
            let document = read_metadata(issuer).await;
            with(&isolate.copies, issuer, |kept| kept.fetched(document, now()));
            Ok(JsValue::UNDEFINED)
        });
        // Where the runtime does not take it, the fetch ends with the request that began it.
        let _taken = exchange.context().wait_until(&fetched);
        fetched
    }
}

/// The issuer's metadata, from where its keys would be discovered.
async fn read_metadata(issuer: &str) -> Option<String> {
    let read = |document: &str| {
        discovery::metadata(document, issuer).map(|_| json::without_mark(document).to_owned())
    };
    let found = metadata::find(issuer, &fetch::deadline(), &read).await;
    found.inspect_err(|misses| events::copy_failed(issuer, misses)).ok()
}
