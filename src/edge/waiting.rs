//! Requests that wait for an issuer, or for KV, to answer.
//!
//! 1. A request never waits for a promise of another request (see `edge`). It looks again every few
//!    milliseconds, on its own timer; the one that asked the issuer looks when its own fetch has
//!    ended. Between two looks the request is in a list, and JavaScript holds the timer.
//! 2. Where the client has left, the runtime may carry the request out all the same, or give it up.
//!    One that was given up does not look again. It leaves its place in the list and nothing else,
//!    and the place is another's once it is overdue.
//! 3. Each issuer has places of its own: while one issuer is slow, requests for another find a
//!    place.
//! 4. A request that finds no place is answered 503, as if the issuer could not be reached.
//!    Requests whose keys are at hand never come here.

use std::cell::RefCell;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::clock::now_milliseconds;
use super::exchange::{self, Exchange};
use super::isolate::{Isolate, audits, logging, resource};
use super::log::Line;
use super::own;
use super::pending::{Pending, RequestId};
use crate::admission::Refused;
use crate::keys::source::SourceId;
use crate::limits;
use crate::refusal::Refusal;

thread_local! {
    static WAITING: RefCell<Pending<Place>> = RefCell::default();
}

/// A request that waits.
pub(super) struct Waiter {
    pub(super) awaited: Awaited,
    /// The resource's, if the request is for one.
    pub(super) index: Option<usize>,
    pub(super) go_on: GoOn,
}

/// What it does when it looks again.
pub(super) type GoOn = Box<dyn FnOnce(&Exchange) -> Result<JsValue, JsValue>>;

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    KeySet(SourceId),
    /// The metadata of this issuer.
    Copy(&'static str),
    /// Where this issuer is asked about tokens.
    Endpoint(&'static str),
    /// The list of revoked tokens.
    Revocations,
}

struct Place {
    awaited: Awaited,
    /// When the request should have looked again, in milliseconds.
    until: f64,
    go_on: GoOn,
}

/// Whether another request may wait for this. Before it may not, overdue places are given up.
pub(super) fn has_place(awaited: Awaited) -> bool {
    let now = now_milliseconds();
    WAITING.with_borrow_mut(|list| {
        list.has_place(limits::WAITERS, |place| place.awaited == awaited, |place| place.until < now)
    })
}

impl Waiter {
    /// Lets a request wait for which there is a place: until its own fetch has ended, or else for a
    /// moment. Gives the promise of its answer.
    pub(super) fn wait(self, exchange: &Exchange, id: RequestId, fetch: Option<&Promise>) -> JsValue {
        let Self { awaited, index, go_on } = self;
        let longest = if fetch.is_some() { limits::REFRESH_SECONDS * 1000 } else { 0 };
        let until = now_milliseconds() + (longest + limits::WAITER_LOST_MILLISECONDS) as f64;
        WAITING.with_borrow_mut(|list| list.keep_in_place(id, Place { awaited, until, go_on }));
        let end = fetch.map_or_else(|| exchange::promised_pause(limits::POLL_MILLISECONDS), Promise::clone);
        exchange::wait(exchange, &end, index.map(|index| index as u32))
    }
}

/// A request that waits looks again.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_wait(exchange: &Exchange, id: RequestId) -> Result<JsValue, JsValue> {
    // A fresh instance has to read the settings first.
    Isolate::of(exchange);
    let place = WAITING.with_borrow_mut(|list| list.take(id));
    place.map_or_else(|| lost(exchange), |place| (place.go_on)(exchange))
}

/// The request came too late to look, and its place was another's; or it was known to an instance
/// of the wasm module that has panicked.
pub(super) fn lost(exchange: &Exchange) -> Result<JsValue, JsValue> {
    let line = Line::new(&exchange.request().method(), logging(), audits());
    let seconds = limits::WAITERS_RETRY;
    match exchange.resource().and_then(resource) {
        Some(resource) => {
            let origin = exchange.header("origin")?;
            let refusal = Refusal::KeysUnavailable(seconds);
            own::refuse(exchange, &Refused::at(resource, origin.as_deref(), refusal), line)
        }
        None => own::no_copy(exchange, seconds, line),
    }
}
