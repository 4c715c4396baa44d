//! Answers whose lists are filtered on the way to the client: whole ones, and streams event by
//! event.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::answer::Answer;
use super::exchange::{self, Exchange};
use super::stop::Stop;
use crate::json::Document;
use crate::policy::events::Place;
use crate::policy::lists::{self, Form, ListFilter};
use crate::policy::{Caller, Policy};
use crate::refusal::Refusal;

/// What was filtered has another length, and goes out as it was read.
const REPLACED: [&str; 2] = ["Content-Length", "Content-Encoding"];

/// A successful answer, which may have a list in it. `added`: headers that it gets.
pub(super) fn filter(answer: &Answer<'_>, added: &str) -> Result<JsValue, Stop> {
    let response = answer.exchange.response();
    if response.body().is_none() {
        return answer.pass(added);
    }
    match form(&response)? {
        Form::Events => {
            let filtered = exchange::through_filter(answer.exchange)?;
            answer.rebuild(&filtered, &REPLACED, added)
        }
        form => Ok(exchange::read_list(answer.exchange, form.limit() as f64, added)?),
    }
}

fn form(response: &Response) -> Result<Form, JsValue> {
    let (headers, status) = (response.headers(), response.status());
    let content_type = headers.get("content-type")?;
    let content_encoding = headers.get("content-encoding")?;
    Ok(lists::form(status, content_type.as_deref(), content_encoding.as_deref()))
}

/// The policy, and the caller as it was kept with the request.
fn asked(answer: &Answer<'_>) -> Option<(&'static Policy, Document)> {
    let policy = answer.resource?.policy.as_ref()?;
    Some((policy, Document::read(answer.exchange.caller().into_bytes())?))
}

/// Goes on after an answer was read. `bytes`: none if it is larger than it may be. `added`: headers
/// that it gets.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_list(exchange: &Exchange, bytes: Option<Vec<u8>>, added: &str) -> Result<JsValue, JsValue> {
    let answer = Answer::of(exchange);
    whole(&answer, bytes, added).or_else(|stop| answer.stopped(stop))
}

fn whole(answer: &Answer<'_>, bytes: Option<Vec<u8>>, added: &str) -> Result<JsValue, Stop> {
    let response = answer.exchange.response();
    let form = form(&response)?;
    let (policy, caller) = asked(answer).ok_or(Refusal::ListUnreadable)?;
    let filter = ListFilter { policy, caller: &Caller::from_json(&caller) };
    let filtered = bytes.and_then(|bytes| filter.whole(form, bytes).ok()).ok_or(Refusal::ListUnreadable)?;
    let body = Uint8Array::from(filtered.as_slice());
    let response = exchange::with_body(&body.into(), &response)?;
    answer.rebuild(&response, &REPLACED, added)
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

/// Whole events, filtered. What a stream is filtered by stays with its exchange: wasm would keep
/// memory for a stream whose client has left, and JavaScript would not know of it.
///
/// # Errors
/// An event cannot be read, so the stream has to end.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn events(exchange: &Exchange, bytes: &[u8]) -> Result<Vec<u8>, JsError> {
    let (policy, caller) = asked(&Answer::of(exchange)).ok_or_else(unreadable)?;
    let filter = ListFilter { policy, caller: &Caller::from_json(&caller) };
    filter.events(bytes).map_err(|_| unreadable())
}

/// What the runtime's log says of a stream that was cut.
fn unreadable() -> JsError {
    JsError::new("list_unreadable: an event cannot be filtered, and its stream was ended")
}
