//! Forwards a permitted request and hands back the answer as it comes. No byte of a body passes through wasm.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit, Response};

use super::isolate::Isolate;
use super::log::{self, Line};
use super::runtime::{self, Exchange};
use super::signer::Unsigned;
use super::upstream::discard;
use super::{list, respond};
use crate::config::Resource;
use crate::cors::{self, Cors};
use crate::decide::Refused;
use crate::forward::{self, Plan};
use crate::refusal::Refusal;
use crate::route::{Route, route};

thread_local! {
    static REPLACED: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

const UNAUTHORIZED: u16 = 401;
const SWITCHING_PROTOCOLS: u16 = 101;

/// Sends a request to its origin; the promise of the answer.
pub(super) fn forward(
    request: &Request,
    plan: &Plan<'_>,
    resource: &'static Resource,
    origin: Option<&str>,
    unsigned: Option<&Unsigned>,
    line: Line,
) -> Result<JsValue, JsValue> {
    let line = line.forwarded(resource);
    let deleted = only(&runtime::names(request), forward::is_removed);
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
    let (target, text, started) = (plan.target.as_str(), line.text(), line.started);
    let sent = match unsigned {
        None => {
            runtime::send(request, target, &deleted, plan.headers, &init, &cors_set, vary, &text, started)
        }
        Some(Unsigned { signer, start, input }) => runtime::sign_and_send(
            &signer.parameters,
            &signer.key,
            input,
            request,
            target,
            &deleted,
            &[plan.headers, "\n", start].concat(),
            &init,
            &cors_set,
            vary,
            &text,
            started,
        ),
    };
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
        _ => {
            let passed = REPLACED.with(|names| runtime::pass(response, names, exchange));
            passed.or_else(|_| refuse(exchange, Refusal::OriginUnreachable))
        }
    }
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

/// The runtime did not sign the assertion.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn unsigned(exchange: &Exchange) -> Result<JsValue, JsValue> {
    refuse(exchange, Refusal::AssertionUnsigned)
}

fn refuse(exchange: &Exchange, refusal: Refusal) -> Result<JsValue, JsValue> {
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
