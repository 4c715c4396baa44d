//! What every answer to a forwarded request comes to: the origin's with CORS of ours, or a refusal
//! after all.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::isolate::resource;
use super::runtime::{self, Exchange, said};
use super::{log, respond};
use crate::admission::Refused;
use crate::http::cors;
use crate::refusal::Refusal;

thread_local! {
    /// The headers of an answer that are the Worker's own.
    pub(super) static REPLACED: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

/// An answer as it came, but for CORS.
pub(super) fn pass(response: &Response, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let passed = REPLACED.with(|names| runtime::pass(response, names, exchange));
    passed.or_else(|error| unreachable(exchange, &said(&error)))
}

pub(super) fn unreachable(exchange: &Exchange, said: &str) -> Result<JsValue, JsValue> {
    refuse_saying(exchange, Refusal::OriginUnreachable, Some(("detail", said)))
}

pub(super) fn refuse(exchange: &Exchange, refusal: Refusal) -> Result<JsValue, JsValue> {
    refuse_saying(exchange, refusal, None)
}

/// Refuses after all. `said`: a member of the log's line that says more.
fn refuse_saying(
    exchange: &Exchange,
    refusal: Refusal,
    said: Option<(&str, &str)>,
) -> Result<JsValue, JsValue> {
    let request = exchange.request();
    let origin = request.headers().get("origin")?;
    let resource = resource(&request);
    let refused = match resource {
        Some(resource) => Refused::at(resource, origin.as_deref(), refusal),
        None => Refused::elsewhere(refusal),
    };
    let credential = resource
        .filter(|_| refusal == Refusal::OriginUnauthorized)
        .map(|resource| resource.delivery.credential(resource.assertion.as_ref()));
    let said = credential.as_deref().map(|shown| ("credential", shown)).or(said);
    let line = log::refused_after_all(&exchange.line(), refusal, said);
    respond(&refused.answer(), &line, exchange.started())
}
