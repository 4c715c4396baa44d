//! Asks an authorization server about a request's token: memory first, then the server.
//!
//! 1. An introspection belongs to the request whose token it is about. No other request waits for
//!    it, not even one with the same token: what was told is data, and each request judges it.
//! 2. Each has a place while it runs, and there are few. Where the client has left, the runtime may
//!    give the request up or carry it out to its end, to the origin, too. One that was given up
//!    never ends; its place is another's once it is overdue.
//! 3. Where the endpoint is, the issuer's metadata says if the settings do not. That is fetched
//!    once for all, as the copies of metadata are.

use std::cell::RefCell;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::clock::{now, now_milliseconds};
use super::exchange::{self, Exchange};
use super::isolate::Isolate;
use super::pending::{Pending, RequestId};
use super::{events, fetch, issuers, metadata, waiting};
use crate::documents::copy::Next;
use crate::keys::discovery;
use crate::limits;
use crate::plain;
use crate::token::introspected::Key;
use crate::token::introspection::{ACCEPT, FORM, Introspection, Told};
use crate::token::trusted_issuer::TrustedIssuer;
use crate::token::verify::Verification;

thread_local! {
    /// Requests whose token an authorization server is asked about.
    static ASKING: RefCell<Pending<Place>> = RefCell::default();
}

struct Place {
    /// When the answer should be there, in milliseconds.
    until: f64,
    go_on: GoOn,
}

/// What a request does with the answer.
pub(super) type GoOn = Box<dyn FnOnce(&Exchange, Told) -> Result<JsValue, JsValue>>;

/// A token at a resource, and who is asked about it.
pub(super) struct Asking<'t> {
    pub(super) isolate: &'static Isolate,
    /// The resource's.
    pub(super) index: usize,
    pub(super) entry: &'static TrustedIssuer,
    pub(super) token: &'t str,
}

/// What a look at the isolate's memory comes to.
pub(super) enum Look {
    Told(Told),
    /// The endpoint is looked for: by this request, if there is a promise.
    Wait(Option<Promise>),
    /// Ask, in these words.
    Ask(String),
}

impl Asking<'_> {
    /// What is known of the token, or what to do about it.
    pub(super) fn look(&self, exchange: &Exchange) -> Look {
        let Self { isolate, index, entry, token } = *self;
        let known = isolate.introspected.borrow().find(&Key::new(index, token), now_milliseconds());
        let (Some(asking), None) = (entry.introspection.as_deref(), &known) else {
            return Look::Told(known.map_or(Told::NotAsked(0), Told::Remembered));
        };
        let issuer = &entry.rules.issuer;
        let url = match &asking.url {
            Some(url) => url.as_str().into(),
            None => match issuers::with(&isolate.endpoints, issuer, |kept| kept.next(now())) {
                Next::Serve(url) => url,
                Next::Unavailable(seconds) => return Look::Told(Told::NotAsked(seconds)),
                Next::Wait => return Look::Wait(None),
                Next::Fetch => return Look::Wait(Some(discover(isolate, issuer, exchange))),
            },
        };
        if !may_begin(isolate) {
            return Look::Told(crowded(isolate, issuer));
        }
        let text = text(asking, &url, token);
        text.map_or_else(
            || Look::Told(Told::Nothing("a part of the request has a NUL".to_owned())),
            Look::Ask,
        )
    }

    /// Writes down what the server has said of the token, which it was asked at that time, or why
    /// it has said nothing.
    pub(super) fn done(&self, verification: &Verification<'_>, asked: f64) {
        if let Some(answer) = verification.told() {
            let cache_seconds = self.entry.introspection.as_ref().map_or(0, |asking| asking.cache_seconds);
            let mut introspected = self.isolate.introspected.borrow_mut();
            let key = Key::new(self.index, self.token);
            introspected.told(key, answer, cache_seconds, asked, now_milliseconds());
        }
        if let Some(why) = verification.failure() {
            events::introspection(&self.entry.rules.issuer, "failed", why);
        }
    }
}

/// The answer to a request for which there is no place.
pub(super) fn crowded(isolate: &Isolate, issuer: &str) -> Told {
    if isolate.introspected.borrow_mut().says_crowded(now_milliseconds()) {
        let detail = format!(
            "{} run already, or {} began in this second",
            limits::INTROSPECTIONS,
            limits::INTROSPECTIONS_PER_SECOND
        );
        events::introspection(issuer, "crowded", &detail);
    }
    Told::NotAsked(limits::INTROSPECTION_CROWDED_RETRY)
}

/// Asks. Gives the promise of the request's answer. `index`: of its resource.
pub(super) fn ask(
    exchange: &Exchange,
    id: RequestId,
    index: usize,
    text: &str,
    go_on: GoOn,
) -> Result<JsValue, JsValue> {
    let milliseconds = limits::FETCH_SECONDS * 1000;
    let until = now_milliseconds() + (milliseconds + limits::WAITER_LOST_MILLISECONDS) as f64;
    ASKING.with_borrow_mut(|list| list.keep_in_place(id, Place { until, go_on }));
    let limit = limits::DOCUMENT_BYTES as f64;
    exchange::introspect(exchange, text, index as u32, milliseconds as f64, limit)
        .or_else(|_| on_introspection(exchange, id, 0, "", None))
}

/// Goes on after an authorization server was asked. `status`: 0 if there is no answer. `bytes`:
/// none if there are more than are read.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_introspection(
    exchange: &Exchange,
    id: RequestId,
    status: u16,
    content_type: &str,
    bytes: Option<Vec<u8>>,
) -> Result<JsValue, JsValue> {
    // A fresh instance has to read the settings first.
    Isolate::of(exchange);
    let Some(place) = ASKING.with_borrow_mut(|list| list.take(id)) else { return waiting::lost(exchange) };
    (place.go_on)(exchange, Told::of(status, content_type, bytes))
}

/// Whether there is a place, and this second has one, too.
fn may_begin(isolate: &Isolate) -> bool {
    let now = now_milliseconds();
    let has_place = ASKING
        .with_borrow_mut(|list| list.has_place(limits::INTROSPECTIONS, |_| true, |place| place.until < now));
    has_place && isolate.introspected.borrow_mut().begin(now)
}

/// The parts of a request in the order of `introspect.mjs`. A NUL is between them, which no URL, no
/// form and no header has.
fn text(asking: &Introspection, url: &str, token: &str) -> Option<String> {
    let request = asking.request(token);
    plain::framed([
        url,
        request.body.expose(),
        request.authorization.as_ref().map_or("", |value| value.expose()),
        asking.binding.as_deref().unwrap_or_default(),
        ACCEPT,
        FORM,
        fetch::USER_AGENT,
    ])
}

/// Looks for the endpoint in the issuer's metadata. That belongs to the isolate, not to the client
/// that came first. The promise is settled when it has ended.
fn discover(isolate: &'static Isolate, issuer: &'static str, exchange: &Exchange) -> Promise {
    issuers::with(&isolate.endpoints, issuer, |kept| kept.fetch_started(now()));
    let found = exchange::promise(async move {
        let read = |document: &str| discovery::introspection_endpoint(document, issuer);
        let found = metadata::find(issuer, &fetch::deadline(), &read).await;
        let found = found.inspect_err(|misses| events::introspection(issuer, "no_endpoint", misses));
        issuers::with(&isolate.endpoints, issuer, |kept| kept.fetched(found.ok(), now()));
        Ok(JsValue::UNDEFINED)
    });
    // Where the runtime does not take it, the fetch ends with the request that began it.
    let _taken = exchange.context().wait_until(&found);
    found
}
