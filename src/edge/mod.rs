//! The one place that knows the Workers runtime: reads a request's head, asks the core what to do, and does it.
//!
//! Nothing is shared between requests but data, borrowed between awaits and never over one. A promise or an I/O object of one request must not be awaited by
//! another: the runtime cancels it with the request that made it, and the waiter hangs. Local workerd does not show this, so no test can prove such
//! sharing safe.

mod crypto;
mod isolate;
mod keys;
mod kv;
mod log;
mod proxy;
mod upstream;

use wasm_bindgen::prelude::*;
use worker::{Context, Env, event};

use crate::answer::Answer;
use crate::claims::Permit;
use crate::config::Config;
use crate::cors::Cors;
use crate::decide::{Decision, Head, Refused, decide};
use crate::forward;
use crate::refusal::Refusal;
use crate::route::Protected;
use crate::verify::{Step, Verification};
use isolate::Isolate;
use keys::Keys;
use log::Line;

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let isolate = Isolate::get(&env);
    let mut line = Line::new(&request.method(), isolate::now_milliseconds());
    let response = respond(isolate, &request, &env, &context, &mut line).await?;
    line.status = response.status();
    line.write(isolate::now_milliseconds());
    Ok(response)
}

/// Settings, path, preflight, `Origin`, credentials, token, then forwarding.
async fn respond(
    isolate: &'static Isolate,
    request: &web_sys::Request,
    env: &Env,
    context: &Context,
    line: &mut Line,
) -> Result<web_sys::Response, JsValue> {
    let headers = request.headers();
    let (method, url) = (request.method(), request.url());
    let origin = headers.get("origin")?;
    let authorization = headers.get("authorization")?;
    let requested = match method.as_str() {
        "OPTIONS" => headers.get("access-control-request-headers")?,
        _ => None,
    };
    let head = Head {
        method: &method,
        url: &url,
        origin: origin.as_deref(),
        authorization: authorization.as_deref(),
        requested_headers: requested.as_deref(),
    };
    let refused = match decide(isolate.config(), &head) {
        Decision::Serve(answer, what) => {
            line.served(what);
            return own(&answer);
        }
        Decision::Refuse(refused) => refused,
        Decision::Verify(token, protected) => {
            let resource = protected.resource();
            let config = isolate.config();
            let verdict = authenticate(isolate, config, env, context, token, &protected, line).await;
            let outcome = match verdict {
                Ok(permit) => {
                    let plan = forward::plan(&permit, &protected);
                    let cors = Cors::new(&resource.allowed_origins, head.origin);
                    proxy::forward(request, &plan, cors).await
                }
                Err(refusal) => Err(refusal),
            };
            match outcome {
                Ok(response) => {
                    line.forwarded(resource);
                    return Ok(response);
                }
                Err(refusal) => Refused::at(resource, &head, refusal),
            }
        }
    };
    line.refused(&refused);
    own(&refused.answer())
}

/// The token's way to a permit; what it meets goes into the log line.
async fn authenticate(
    isolate: &'static Isolate,
    config: Option<&'static Config>,
    env: &Env,
    context: &Context,
    token: &str,
    protected: &Protected<'static, '_>,
    line: &mut Line,
) -> Result<Permit, Refusal> {
    let config = config.ok_or(Refusal::Misconfigured)?;
    let keys = Keys { isolate, config, env, context };
    let mut verification = Verification::new(protected.resource(), token, isolate::now())?;
    let verdict = loop {
        match verification.step() {
            Step::KeySet(id, need) => {
                let answer = keys.obtain(id, need, verification.kid()).await;
                line.keys = answer.as_ref().ok().map(|(_, from)| from.name());
                verification.key_set(answer.map(|(set, _)| set));
            }
            Step::Signature(check) => {
                let good = crypto::verify(isolate, &check).await;
                verification.signature(good);
            }
            Step::Done(verdict) => break verdict,
        }
    };
    line.token(&verification);
    if let (true, Ok(permit)) = (config.log_subject, &verdict) {
        line.subject = Some(permit.identity().subject().to_owned());
    }
    verdict
}

/// A response of the Worker's own.
fn own(answer: &Answer) -> Result<web_sys::Response, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    web_sys::Response::new_with_opt_str_and_init(answer.body.as_deref(), &init)
}
