//! The one place that knows the Workers runtime: reads a request's head, asks the core what to do, and does it.
//!
//! 1. Nothing is shared between requests but data, borrowed between awaits and never over one. A promise or an I/O object of one request must not be awaited by
//!    another: the runtime cancels it with the request that made it, and the waiter hangs. Local workerd does not show this, so no test can prove such
//!    sharing safe.
//! 2. The way of a permitted request is two promises, the signature check and the origin's answer. What Rust knows of a request waits for them in JavaScript's hands
//!    (`Passage`, then `Exchange`), and goes with the request if the runtime gives it up. Only fetching keys is a Rust future.

mod crypto;
mod isolate;
mod keys;
mod kv;
mod log;
mod passage;
mod proxy;
mod runtime;
mod upstream;

use wasm_bindgen::prelude::*;
use web_sys::Request;

use crate::answer::Answer;
use crate::decide::{Decision, Head, Refused, decide};
use crate::verify::Verification;
use isolate::Isolate;
use log::Line;
use passage::Passage;
use runtime::{Context, Env};

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// One request: settings, path, preflight, `Origin`, credentials, token, then forwarding. Gives a `Response`, or the promise of one.
///
/// `method`, `url`, `origin` and `authorization` are the request's own, read by the entry module.
///
/// # Errors
/// What the runtime throws when it cannot even make a response.
#[wasm_bindgen]
pub fn fetch(
    request: Request,
    env: Env,
    context: Context,
    method: String,
    url: &str,
    origin: Option<String>,
    authorization: Option<String>,
) -> Result<JsValue, JsValue> {
    let isolate = Isolate::get(&env);
    let requested_headers = match method.as_str() {
        "OPTIONS" => request.headers().get("access-control-request-headers")?,
        _ => None,
    };
    let head = Head {
        method: &method,
        url,
        origin: origin.as_deref(),
        authorization: authorization.as_deref(),
        requested_headers: requested_headers.as_deref(),
    };
    let mut line = Line::new(method.clone(), isolate::now_milliseconds());
    let refused = match decide(isolate.config(), &head) {
        Decision::Serve(answer, what) => {
            line.served(what);
            return own(&answer, line);
        }
        Decision::Refuse(refused) => refused,
        Decision::Verify(token, protected) => {
            match Verification::new(protected.resource(), token, isolate::now()) {
                Ok(verification) => {
                    return Passage { isolate, request, env, context, origin, line, protected, verification }
                        .proceed();
                }
                Err(refusal) => Refused::at(protected.resource(), head.origin, refusal),
            }
        }
    };
    refuse(&refused, line)
}

fn refuse(refused: &Refused<'static, '_>, mut line: Line) -> Result<JsValue, JsValue> {
    line.refused(refused);
    own(&refused.answer(), line)
}

/// A response of the Worker's own.
fn own(answer: &Answer, line: Line) -> Result<JsValue, JsValue> {
    let set: Vec<&str> = answer.headers.iter().flat_map(|(name, value)| [*name, value.as_ref()]).collect();
    let response = runtime::answer(answer.status, &set.join("\n"), answer.body.as_deref())?;
    line.write(answer.status, isolate::now_milliseconds());
    Ok(response)
}
