//! The one place that knows the Workers runtime: reads a request's head, asks the core what to do,
//! and does it.
//!
//! 1. Nothing is shared between requests but data, borrowed between awaits and never over one. A
//!    promise or an I/O object of one request must not be awaited by another: the runtime cancels
//!    it with the request that made it, and the waiter hangs. Local workerd does not show this, so
//!    no test can prove such sharing safe.
//! 2. The way of a permitted request is two promises, the signature check and the origin's answer,
//!    and JavaScript waits for both: a Rust future costs more than all else that Rust does. What
//!    was verified waits in wasm (`pending`); what is to be done with the origin's answer waits in
//!    JavaScript (`glue.mjs`), so that a request which the runtime gives up leaves nothing behind.
//!    A request that waits for keys is kept in wasm, too (`waiting`). Only fetching is a Rust
//!    future, and it belongs to the isolate: one that belongs to a request is never dropped if the
//!    runtime gives that request up.
//!
//! The stages of a request: `verifying`, `authorizing`, `forwarding`, `responding`. What they need:
//! `key_sets` (with `kv`, `fetch`, `metadata`, `waiting`) gets keys, `webcrypto` imports them and
//! checks signatures, `signer` signs assertions, `list_filter`, `redirects` and `passing` make the
//! answer, `pending` and `isolate` keep what waits and what is shared, `log` writes lines, and
//! `runtime` names what JavaScript offers.

mod authorizing;
mod copies;
mod fetch;
mod forwarding;
mod header_lists;
mod isolate;
mod key_sets;
mod kv;
mod list_filter;
mod log;
mod measuring;
mod metadata;
mod passing;
mod pending;
mod redirects;
mod responding;
mod runtime;
mod signer;
#[cfg(feature = "bench-signing")]
mod signing;
mod verifying;
mod waiting;
mod webcrypto;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Request;

use crate::admission::{Decision, Head, Refused, decide};
use crate::http::response::LocalResponse;
use crate::token::verify::Verification;
use authorizing::Authorizing;
use copies::Copying;
use isolate::Isolate;
use log::Line;
use runtime::{Context, Env};
use verifying::{Event, Verifying};

#[worker::event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Reads the settings while the isolate starts, so that its first request need not wait for it.
#[wasm_bindgen]
pub fn prepare(env: &Env) {
    Isolate::get(env);
}

/// One request: settings, path, preflight, `Origin`, credentials, token, then forwarding. Gives a
/// `Response`, or the promise of one.
///
/// `method`, `url`, `origin` and `authorization` are the request's own; `id` is a number that no
/// other request of the isolate has.
///
/// # Errors What the runtime throws where not even a response can be made.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "each is one crossing less")]
pub fn fetch(
    request: &Request,
    env: &Env,
    context: &Context,
    id: f64,
    method: &str,
    url: &str,
    origin: Option<String>,
    authorization: Option<String>,
) -> Result<JsValue, JsValue> {
    let isolate = Isolate::get(env);
    isolate.announce();
    if isolate.is_to_be_judged() {
        let kept = Event { request, env, context }.keep();
        let (method, url) = (method.to_owned(), url.to_owned());
        return Ok(future_to_promise(async move {
            isolate.judge().await;
            let Event { request, env, context } = kept.event();
            fetch(request, env, context, id, &method, &url, origin, authorization)
        })
        .into());
    }
    let requested_headers = match method {
        "OPTIONS" => request.headers().get("access-control-request-headers")?,
        _ => None,
    };
    let head = Head {
        method,
        url,
        origin: origin.as_deref(),
        authorization: authorization.as_deref(),
        requested_headers: requested_headers.as_deref(),
    };
    let started = isolate::now_milliseconds();
    let line = Line::new(method, started);
    match decide(isolate.config(), &head) {
        Decision::Serve(answer, what) => own(&answer, &line.served(what)),
        Decision::Refuse(refused) => refuse(&refused, line),
        Decision::Visit(visit) => {
            let accept = request.headers().get("accept")?;
            own(&visit.answer(accept.as_deref()), &line.refused(visit.refused()))
        }
        Decision::Copy(issuer) => {
            Copying { isolate, id, issuer, line }.proceed(Event { request, env, context })
        }
        Decision::Verify(token, protected) => {
            match Verification::new(&protected.resource().entries, token, isolate::seconds(started)) {
                Ok(verification) => {
                    let began = false;
                    let verifying = Verifying { isolate, id, origin, line, protected, verification, began };
                    verifying.proceed(Event { request, env, context })
                }
                Err(refusal) => refuse(&Refused::at(protected.resource(), head.origin, refusal), line),
            }
        }
        Decision::Anonymous(protected) => {
            Authorizing { isolate, id, origin, line, protected, verified: None }.proceed(request)
        }
    }
}

fn refuse(refused: &Refused<'static, '_>, line: Line) -> Result<JsValue, JsValue> {
    own(&refused.answer(), &line.refused(refused))
}

fn own(answer: &LocalResponse, line: &Line) -> Result<JsValue, JsValue> {
    respond(answer, &line.text(), line.started)
}

/// A response of the Worker's own, and its line.
fn respond(answer: &LocalResponse, line: &str, started: f64) -> Result<JsValue, JsValue> {
    let headers = answer.headers.iter().map(|(name, value)| (*name, value.as_ref()));
    runtime::answer(answer.status, &header_lists::list(headers), answer.body.as_deref(), line, started)
}
