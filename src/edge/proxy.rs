//! Forwards a permitted request and hands back the answer as it comes. No byte of an answer passes through wasm, but where lists are filtered.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit, Response};

use super::isolate::Isolate;
use super::log::{self, Line};
use super::runtime::{self, Exchange};
use super::upstream::discard;
use super::{list, lists, respond};
use crate::cors::{self, Cors};
use crate::decide::Refused;
use crate::forward;
use crate::policy::{Caller, Clearance, Policy};
use crate::refusal::Refusal;
use crate::route::{Protected, Route, route};

thread_local! {
    static REPLACED: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

const OK: u16 = 200;
const UNAUTHORIZED: u16 = 401;
const SWITCHING_PROTOCOLS: u16 = 101;

/// Sends a request to its origin; the promise of the answer.
pub(super) fn forward(
    request: &Request,
    clearance: &Clearance,
    protected: &Protected<'static>,
    origin: Option<&str>,
    line: Line,
    body: &JsValue,
) -> Result<JsValue, JsValue> {
    let resource = protected.resource();
    let line = line.forwarded(resource);
    let plan = forward::plan(clearance, protected);
    let has_rules = resource.policy.as_ref().is_some_and(Policy::has_rules);
    let is_removed = |name: &str| forward::is_removed(name) || (has_rules && forward::is_override(name));
    let deleted = only(&runtime::names(request), is_removed);
    let sieve = clearance.lists.then(|| Caller::keep(clearance.verified()));
    let unencoded = sieve.as_ref().map(|_| [plan.headers, "Accept-Encoding", "identity"].join("\n"));
    let init = match line.method() {
        // Without `Authorization`, a shared cache on the way takes one caller's answer for everybody's (RFC 9111 section 3.5).
        "GET" | "HEAD" => {
            let init = RequestInit::new();
            init.set_cache(RequestCache::NoStore);
            init.into()
        }
        _ => JsValue::UNDEFINED,
    };
    let cors = Cors::new(&resource.allowed_origins, origin);
    let allowed = cors.allow_origin.as_deref().map(|origin| (cors::ALLOW_ORIGIN, origin));
    let cors_set = list([(cors::EXPOSE_HEADERS, cors::EXPOSED)].into_iter().chain(allowed));
    let vary = cors.varies.then_some("Origin");
    let sent = runtime::send(
        request,
        &plan.target,
        &deleted,
        unencoded.as_deref().map_or(plan.headers, |headers| headers.trim_start_matches('\n')),
        &init,
        &cors_set,
        vary,
        &line.text(),
        line.started,
        body,
        sieve.as_deref(),
    );
    sent.or_else(|_| super::refuse(&Refused::at(resource, origin, Refusal::OriginUnreachable), line))
}

/// The origin's answer, as the client gets it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn answered(response: &Response, status: u16, exchange: &Exchange) -> Result<JsValue, JsValue> {
    match status {
        UNAUTHORIZED => {
            discard(response);
            refuse(exchange, Refusal::OriginUnauthorized)
        }
        // A rebuilt response would lose its WebSocket.
        SWITCHING_PROTOCOLS => {
            runtime::log(&exchange.line(), status, exchange.started());
            Ok(response.into())
        }
        OK if exchange.sieve().is_some() => lists::filter(response, exchange),
        _ => pass(response, exchange),
    }
}

/// An answer as it came, but for CORS.
pub(super) fn pass(response: &Response, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let passed = REPLACED.with(|names| runtime::pass(response, names, exchange));
    passed.or_else(|_| refuse(exchange, Refusal::OriginUnreachable))
}

/// There was no answer.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn unreachable(exchange: &Exchange) -> Result<JsValue, JsValue> {
    refuse(exchange, Refusal::OriginUnreachable)
}

pub(super) fn refuse(exchange: &Exchange, refusal: Refusal) -> Result<JsValue, JsValue> {
    let request = exchange.request();
    let origin = request.headers().get("origin")?;
    let config = Isolate::held().and_then(Isolate::config);
    let refused = match config.map(|config| route(config, &request.url())) {
        Some(Route::Protected(protected)) => Refused::at(protected.resource(), origin.as_deref(), refusal),
        _ => Refused::elsewhere(refusal),
    };
    respond(&refused.answer(), &log::refused_after_all(&exchange.line(), refusal), exchange.started())
}

/// Those of a list of names.
fn only(names: &str, wanted: impl Fn(&str) -> bool) -> String {
    names.split('\n').filter(|name| wanted(name)).collect::<Vec<_>>().join("\n")
}
