//! Copies of authorization servers' metadata: carries out what `compatibility::copy` decides, and
//! writes down what came of it.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::isolate::{Isolate, now};
use super::log::{self, Line};
use super::metadata;
use super::pending::RequestId;
use super::runtime::Context;
use super::verifying::Event;
use super::waiting::{self, Awaited, Waiter};
use super::{fetch, own};
use crate::documents::copy::{self, Kept, Next};
use crate::json;
use crate::keys::discovery;
use crate::limits::{self, Seconds};
use crate::refusal::Refusal;

/// A request for a copy.
pub(super) struct Copying {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    pub(super) issuer: &'static str,
    pub(super) line: Line,
}

impl Copying {
    /// The answer, or the promise of it.
    pub(super) fn proceed(self, event: Event<'_>) -> Result<JsValue, JsValue> {
        let awaited = Awaited::Copy(self.issuer);
        let next = with(self.isolate, self.issuer, |kept| kept.next(now()));
        let fetch = matches!(next, Next::Fetch).then(|| self.start(event.context));
        match next {
            Next::Serve(document) => {
                own(&copy::answer(Ok(&document)), &self.line.served("authorization_server_metadata"))
            }
            Next::Unavailable(seconds) => unavailable(seconds, self.line),
            _ if !waiting::has_place(self.isolate, awaited) => unavailable(limits::WAITERS_RETRY, self.line),
            Next::Wait | Next::Fetch => {
                let (isolate, id) = (self.isolate, self.id);
                Ok(waiting::wait(
                    isolate,
                    (id, Waiter::ForCopy(Box::new(self))),
                    awaited,
                    fetch.as_ref(),
                    event,
                ))
            }
        }
    }

    /// Starts a fetch that belongs to the isolate, not to the client that asked first. Its promise
    /// is settled when it has ended.
    fn start(&self, context: &Context) -> Promise {
        let (isolate, issuer) = (self.isolate, self.issuer);
        with(isolate, issuer, |kept| kept.fetch_started(now()));
        let fetched = future_to_promise(async move {
            let document = read_metadata(issuer).await;
            with(isolate, issuer, |kept| kept.fetched(document, now()));
            Ok(JsValue::UNDEFINED)
        });
        // Where the runtime does not take it, the fetch ends with the request that began it.
        let _taken = context.wait_until(&fetched);
        fetched
    }
}

/// The answer where there is no copy: seconds until it is worth asking again.
pub(super) fn unavailable(seconds: Seconds, line: Line) -> Result<JsValue, JsValue> {
    own(&copy::answer(Err(seconds)), &line.unavailable(Refusal::MetadataUnavailable(seconds)))
}

/// The issuer's metadata, from where its keys would be discovered.
async fn read_metadata(issuer: &str) -> Option<String> {
    let read = |document: &str| {
        discovery::metadata(document, issuer).map(|_| json::without_mark(document).to_owned())
    };
    let found = metadata::find(issuer, &fetch::deadline(), read).await;
    found.inspect_err(|misses| log::copy_failed(issuer, misses)).ok()
}

/// Looks at or changes what is known of an issuer's metadata; never over an await.
fn with<T>(isolate: &'static Isolate, issuer: &'static str, f: impl FnOnce(&mut Kept) -> T) -> T {
    let mut copies = isolate.copies.borrow_mut();
    if let Some((_, kept)) = copies.iter_mut().find(|(of, _)| *of == issuer) {
        return f(kept);
    }
    let mut kept = Kept::default();
    let result = f(&mut kept);
    copies.push((issuer, kept));
    result
}
