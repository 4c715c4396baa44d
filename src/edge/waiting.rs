//! Requests that wait for an issuer to answer: a bounded list.
//!
//! 1. A request never waits for a promise of another request (see `edge`). It looks again every few
//!    milliseconds, on its own timer; the one that asked the issuer looks when its own fetch has
//!    ended. Between two looks the request is in this list, and JavaScript holds the timer.
//! 2. A request that the runtime gives up, because its client left, does not look again. It leaves
//!    its place in the list and nothing else, and the place is another's once it is overdue.
//! 3. Each issuer has places of its own: while one issuer is slow, requests for another find a
//!    place.
//! 4. A request that finds no place is answered 503, as if the issuer could not be reached.
//!    Requests whose keys are at hand never come here.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::copies::{self, Copying};
use super::isolate::{Isolate, now_milliseconds, resource};
use super::log::Line;
use super::pending::RequestId;
use super::refuse;
use super::runtime::{self, Context, Env};
use super::verifying::{Event, Verifying};
use crate::admission::Refused;
use crate::keys::source::SourceId;
use crate::limits;
use crate::refusal::Refusal;

/// A request that waits.
pub(super) enum Waiter {
    ForKeys(Box<Verifying>),
    ForCopy(Box<Copying>),
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    KeySet(SourceId),
    /// The metadata of this issuer.
    Copy(&'static str),
}

struct Place {
    id: RequestId,
    awaited: Awaited,
    /// When the request should have looked again, in milliseconds.
    until: f64,
    waiter: Waiter,
}

/// The list.
#[derive(Default)]
pub(super) struct Waiting(Vec<Place>);

impl Waiting {
    /// Whether another request may wait for this. Before it may not, overdue places are given up.
    fn has_place(&mut self, awaited: Awaited, now: f64) -> bool {
        let has_place = |places: &[Place]| {
            places.iter().filter(|place| place.awaited == awaited).count() < limits::WAITERS
        };
        if !has_place(&self.0) {
            self.0.retain(|place| place.until >= now);
        }
        has_place(&self.0)
    }

    fn take(&mut self, id: RequestId) -> Option<Waiter> {
        let at = self.0.iter().position(|place| place.id == id)?;
        Some(self.0.swap_remove(at).waiter)
    }
}

/// Whether another request may wait for this.
pub(super) fn has_place(isolate: &Isolate, awaited: Awaited) -> bool {
    isolate.waiting.borrow_mut().has_place(awaited, now_milliseconds())
}

/// Lets a request wait for which there is a place: until its own fetch has ended, or else for a
/// moment. Gives the promise of its answer.
pub(super) fn wait(
    isolate: &Isolate,
    (id, waiter): (RequestId, Waiter),
    awaited: Awaited,
    fetch: Option<&Promise>,
    event: Event<'_>,
) -> JsValue {
    let longest = if fetch.is_some() { limits::REFRESH_SECONDS * 1000 } else { 0 };
    let until = now_milliseconds() + (longest + limits::WAITER_LOST_MILLISECONDS) as f64;
    isolate.waiting.borrow_mut().0.push(Place { id, awaited, until, waiter });
    let Event { request, env, context } = event;
    let end = fetch.map_or_else(|| runtime::promised_pause(limits::POLL_MILLISECONDS), Promise::clone);
    runtime::wait(&end, id, request, env, context)
}

/// A request that waits looks again.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_wait(id: RequestId, request: &Request, env: &Env, context: &Context) -> Result<JsValue, JsValue> {
    let isolate = Isolate::get(env);
    let waiter = isolate.waiting.borrow_mut().take(id);
    let event = Event { request, env, context };
    match waiter {
        Some(Waiter::ForKeys(verifying)) => verifying.proceed(event),
        Some(Waiter::ForCopy(copying)) => copying.proceed(event),
        None => lost(request),
    }
}

/// The request came too late to look, and its place was another's; or it was known to an instance
/// of the wasm module that has panicked.
fn lost(request: &Request) -> Result<JsValue, JsValue> {
    let origin = request.headers().get("origin")?;
    let (line, seconds) = (Line::new(&request.method(), now_milliseconds()), limits::WAITERS_RETRY);
    match resource(request) {
        Some(resource) => {
            let refusal = Refusal::KeysUnavailable(seconds);
            refuse(&Refused::at(resource, origin.as_deref(), refusal), line)
        }
        None => copies::unavailable(seconds, line),
    }
}
