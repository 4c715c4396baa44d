//! Answers whose lists are filtered on the way to the client: whole ones, and streams event by
//! event.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::isolate::resource;
use super::passing;
use super::runtime::{self, Exchange};
use crate::http::cors;
use crate::json::Document;
use crate::policy::Caller;
use crate::policy::events::Place;
use crate::policy::lists::{self, Form, ListFilter};
use crate::refusal::Refusal;

thread_local! {
    /// What was filtered has another length, and goes out as it was read.
    static REPLACED: Array =
        cors::RESPONSE_HEADERS.iter().chain(&["Content-Length", "Content-Encoding"]).map(|name| JsValue::from(*name)).collect();
}

/// A successful answer, which may have a list in it.
pub(super) fn filter(response: &Response, exchange: &Exchange) -> Result<JsValue, JsValue> {
    if response.body().is_none() {
        return passing::pass(response, exchange);
    }
    match form(response)? {
        Form::Events => REPLACED.with(|names| runtime::pass_events(response, names, exchange)),
        form => runtime::pass_list(response, form.limit() as f64, exchange),
    }
}

fn form(response: &Response) -> Result<Form, JsValue> {
    let (headers, status) = (response.headers(), response.status());
    let content_type = headers.get("content-type")?;
    let content_encoding = headers.get("content-encoding")?;
    Ok(lists::form(status, content_type.as_deref(), content_encoding.as_deref()))
}

/// Goes on after an answer was read. `bytes`: none if it is larger than it may be.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_list(response: &Response, bytes: Option<Vec<u8>>, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let form = form(response)?;
    match bytes.and_then(|bytes| sieve(exchange, |sieve| sieve.whole(form, bytes))) {
        Some(Ok(filtered)) => {
            let body = Uint8Array::from(filtered.as_slice());
            let response = runtime::with_body(&body.into(), response)?;
            REPLACED.with(|names| runtime::pass(&response, names, exchange))
        }
        _ => passing::refuse(exchange, Refusal::ListUnreadable),
    }
}

/// How many bytes of a stream's chunk belong to events that are whole with it, and then the last
/// two arguments for the next chunk, which are the members of a `Place`.
///
/// # Errors An event is too large, so the stream has to end.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn whole_events(chunk: &[u8], held: usize, in_text: bool, after_cr: bool) -> Result<Array, JsError> {
    let read = Place { in_text, after_cr }.read(chunk, held);
    let (whole, place) = read.map_err(|_| unreadable())?;
    Ok(Array::of3(&JsValue::from_f64(whole as f64), &place.in_text.into(), &place.after_cr.into()))
}

/// Whole events, filtered.
///
/// # Errors
/// An event cannot be read, so the stream has to end.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn events(exchange: &Exchange, bytes: &[u8]) -> Result<Vec<u8>, JsError> {
    let filtered = sieve(exchange, |sieve| sieve.events(bytes).ok()).flatten();
    filtered.ok_or_else(unreadable)
}

/// What the runtime's log says of a stream that was cut.
fn unreadable() -> JsError {
    JsError::new("list_unreadable: an event cannot be filtered, and its stream was ended")
}

/// Whoever asked, and what of a list is theirs.
fn sieve<T>(exchange: &Exchange, filter: impl FnOnce(&ListFilter<'_>) -> T) -> Option<T> {
    let resource = resource(&exchange.request())?;
    let kept = Document::read(exchange.sieve()?.into_bytes())?;
    let policy = resource.policy.as_ref()?;
    Some(filter(&ListFilter { policy, caller: &Caller::from_json(&kept) }))
}
