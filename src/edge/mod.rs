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
//!    JavaScript (`exchange`), so that a request which the runtime gives up leaves nothing behind.
//!    A request that waits for keys is kept in wasm, too (`waiting`). Only fetching is a Rust
//!    future, and it belongs to the isolate: one that belongs to a request is never dropped if the
//!    runtime gives that request up.
//!
//! The stages of a request are `verifying`, `revoking` (where tokens can be revoked),
//! `authorizing`, `limiting`, `deciding`, `forwarding` and `responding`; `admitted` goes from one
//! to the next, and `exchange` is the request as JavaScript holds it. What they need: `key_sets`
//! (with `sources`, `kv`, `fetch`, `metadata` and `waiting`) gets keys, `webcrypto` imports them
//! and checks signatures, `introspecting` asks about tokens, `issuers` has what is known of
//! metadata, `signer` signs assertions, `header_patterns` finds headers, `plan` says what is sent,
//! `answer`, `list_filter` and `redirects` make of the origin's answer what the client gets, `own`
//! makes the Worker's own, `pending` and `isolate` keep what waits and what is shared, `log` writes
//! a request's line, and `events` all others.

mod admitted;
mod answer;
mod authorizing;
mod clock;
mod copies;
mod deciding;
mod events;
mod exchange;
mod fetch;
mod forwarding;
mod header_lists;
mod header_patterns;
mod introspecting;
mod isolate;
mod issuers;
mod key_sets;
mod kv;
mod limiting;
mod list_filter;
mod log;
mod measuring;
mod metadata;
mod own;
mod pending;
mod plan;
mod redirects;
mod responding;
mod revoking;
mod signer;
#[cfg(feature = "bench-signing")]
mod signing;
mod sources;
mod stop;
mod verifying;
mod waiting;
mod webcrypto;

use wasm_bindgen::prelude::*;
use worker::Env;

use crate::admission::{Decision, Head, decide};
use crate::token::access;
use crate::token::credential::Scheme;
use crate::token::identity;
use crate::token::verify::Verification;
use admitted::Admitted;
use authorizing::Authorizing;
use copies::Copying;
use exchange::{Exchange, promise};
use isolate::Isolate;
use log::Line;
use pending::RequestId;
use verifying::Verifying;

#[worker::event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Reads the settings while the isolate starts, so that its first request need not wait for it.
#[wasm_bindgen]
pub fn prepare(env: &Env) {
    Isolate::make(env);
}

/// One request: settings, path, preflight, `Origin`, credentials, token, then forwarding. Gives a
/// `Response`, or the promise of one.
///
/// `method`, `url`, `origin` and `authorization` are the request's own; `id` is the exchange's.
///
/// # Errors What the runtime throws where not even a response can be made.
#[wasm_bindgen]
pub fn fetch(
    exchange: &Exchange,
    id: RequestId,
    method: &str,
    url: &str,
    origin: Option<String>,
    authorization: Option<String>,
) -> Result<JsValue, JsValue> {
    let isolate = Isolate::of(exchange);
    isolate.announce();
    if isolate.is_to_be_judged() {
        let (exchange, method, url) = (exchange.clone(), method.to_owned(), url.to_owned());
        return Ok(promise(async move {
            isolate.judge().await;
            fetch(&exchange, id, &method, &url, origin, authorization)
        })
        .into());
    }
    if isolate.config().is_some_and(|config| config.request_ids) {
        exchange.identify(identity::REQUEST_ID)?;
    }
    let requested_headers = match method {
        "OPTIONS" => exchange.header("access-control-request-headers")?,
        _ => None,
    };
    let (access_assertion, fetch_site) = match isolate.config() {
        Some(config) if config.behind_access => {
            (exchange.header(access::HEADER)?, exchange.header(access::FETCH_SITE)?)
        }
        _ => (None, None),
    };
    let head = Head {
        method,
        url,
        origin: origin.as_deref(),
        authorization: authorization.as_deref(),
        access_assertion: access_assertion.as_deref(),
        fetch_site: fetch_site.as_deref(),
        requested_headers: requested_headers.as_deref(),
    };
    let line = Line::new(method, isolate::logging(), isolate::audits());
    match decide(isolate.config(), &head) {
        Decision::Serve(answer, what) => own::answer(exchange, &answer, &line.served(what)),
        Decision::Refuse(refused) => own::refuse(exchange, &refused, line),
        Decision::Visit(visit) => {
            let accept = exchange.header("accept")?;
            own::answer(exchange, &visit.answer(accept.as_deref()), &line.refused(visit.refused()))
        }
        Decision::Copy(issuer) => Copying { isolate, id, issuer, line }.proceed(exchange),
        Decision::Verify(credential, protected) => {
            let resource = protected.resource();
            let bearer = limiting::bearer(exchange, resource, credential.token)?;
            let verification = Verification::new(&resource.entries, credential, clock::now());
            let proven_for = (credential.scheme == Scheme::Dpop).then(|| protected.address(url));
            let admitted = Admitted { isolate, id, origin, line, protected, proven_for, nonce: None, bearer };
            match (limiting::stops(&admitted), verification) {
                (Some(flood), _) => admitted.unmet(exchange, flood),
                (None, Ok(verification)) => {
                    Verifying { admitted, verification, began: false, asked: 0.0 }.proceed(exchange)
                }
                (None, Err(refusal)) => limiting::refuse(exchange, admitted, refusal),
            }
        }
        Decision::Anonymous(protected) => {
            let (proven_for, nonce, bearer) = (None, None, None);
            let admitted = Admitted { isolate, id, origin, line, protected, proven_for, nonce, bearer };
            Authorizing { admitted, verified: None }.proceed(exchange)
        }
    }
}
