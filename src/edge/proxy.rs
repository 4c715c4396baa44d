//! Forwards a permitted request and hands back the answer as it comes. No byte of a body passes through wasm.

use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestCache, RequestInit, Response, ResponseInit, WorkerGlobalScope};

use super::upstream::discard;
use crate::cors::{self, Cors};
use crate::forward::{self, Plan};
use crate::refusal::Refusal;

const SWITCHING_PROTOCOLS: u16 = 101;

/// The origin's answer.
pub(super) async fn forward(incoming: &Request, plan: &Plan<'_>, cors: Cors) -> Result<Response, Refusal> {
    let response = send(incoming, plan).await.map_err(|_| Refusal::OriginUnreachable)?;
    match response.status() {
        401 => {
            discard(&response);
            Err(Refusal::OriginUnauthorized)
        }
        // A rebuilt response would lose its WebSocket.
        SWITCHING_PROTOCOLS => Ok(response),
        _ => with_cors(&response, cors).map_err(|_| Refusal::OriginUnreachable),
    }
}

/// `new Request(target, incoming)` keeps method, body stream, signal and manual redirects.
async fn send(incoming: &Request, plan: &Plan<'_>) -> Result<Response, JsValue> {
    let request = Request::new_with_str_and_init(&plan.target, incoming.unchecked_ref::<RequestInit>())?;
    let headers = request.headers();
    for name in names(&headers).iter().filter(|name| forward::is_removed(name)) {
        headers.delete(name)?;
    }
    for (name, value) in plan.headers {
        headers.set(name, value)?;
    }
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = match request.method().as_str() {
        // Without `Authorization`, a shared cache on the way takes one caller's answer for everybody's (RFC 9111 section 3.5).
        "GET" | "HEAD" => {
            let init = RequestInit::new();
            init.set_cache(RequestCache::NoStore);
            scope.fetch_with_request_and_init(&request, &init)
        }
        _ => scope.fetch_with_request(&request),
    };
    Ok(JsFuture::from(answer).await?.unchecked_into())
}

/// `new Response(body, response)` keeps status, headers and the native body, also where there is none (304, HEAD).
fn with_cors(response: &Response, cors: Cors) -> Result<Response, JsValue> {
    let answer = Response::new_with_opt_readable_stream_and_init(
        response.body().as_ref(),
        response.unchecked_ref::<ResponseInit>(),
    )?;
    let headers = answer.headers();
    for name in names(&headers).iter().filter(|name| cors::is_replaced(name)) {
        headers.delete(name)?;
    }
    if let Some(origin) = &cors.allow_origin {
        headers.set(cors::ALLOW_ORIGIN, origin)?;
    }
    if cors.varies {
        headers.append("Vary", "Origin")?;
    }
    headers.set(cors::EXPOSE_HEADERS, cors::EXPOSED)?;
    Ok(answer)
}

/// The names in a header list, read before any is removed.
fn names(headers: &Headers) -> Vec<String> {
    Array::from(&headers.keys()).iter().map(|name| name.unchecked_into::<JsString>().into()).collect()
}
