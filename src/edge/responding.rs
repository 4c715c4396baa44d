//! The origin's answer on its way to the client. No byte of it passes through wasm, but where lists
//! are filtered.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::fetch::discard;
use super::header_lists::joined;
use super::isolate::{config, resource};
use super::passing::{self, pass, refuse, unreachable};
use super::runtime::{self, Exchange, said};
use super::{list_filter, log, redirects};
use crate::origin::challenge;
use crate::origin::sessions;
use crate::refusal::Refusal;

const CHALLENGE: &str = "WWW-Authenticate";

const UNAUTHORIZED: u16 = 401;
const FORBIDDEN: u16 = 403;
const SWITCHING_PROTOCOLS: u16 = 101;

/// The origin's answer, as the client gets it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_response(response: &Response, status: u16, exchange: &Exchange) -> Result<JsValue, JsValue> {
    if status == UNAUTHORIZED {
        discard(response);
        return refuse(exchange, Refusal::OriginUnauthorized);
    }
    let session = match session(response, exchange)? {
        // A rebuilt response would lose its WebSocket, and so its session id cannot be bound.
        Ok(Some(_)) if status == SWITCHING_PROTOCOLS => Err(Refusal::SessionUnbindable),
        session => session,
    };
    let session = match session {
        Ok(session) => session.map(|id| [sessions::HEADER, &id].join("\n")),
        Err(refusal) => {
            discard(response);
            return refuse(exchange, refusal);
        }
    };
    if let Some(session) = &session {
        exchange.set_added(session);
    }
    match status {
        SWITCHING_PROTOCOLS => {
            runtime::log(&exchange.line(), status, exchange.started());
            Ok(response.into())
        }
        200..=299 if exchange.sieve().is_some() => list_filter::filter(response, exchange),
        FORBIDDEN => match response.headers().get(CHALLENGE)? {
            Some(header) => challenged(response, exchange, &header, session.as_deref()),
            None => pass(response, exchange),
        },
        // `100 Continue` and the like: the runtime takes one for the answer, and drops what
        // follows.
        100..=199 => unreachable(exchange, &format!("the runtime gave an interim answer, {status}")),
        300..=399 => redirects::passed(response, exchange, session.as_deref()),
        _ => pass(response, exchange),
    }
}

/// An answer with a challenge of the origin's own.
fn challenged(
    response: &Response,
    exchange: &Exchange,
    header: &str,
    session: Option<&str>,
) -> Result<JsValue, JsValue> {
    let resource = resource(&exchange.request());
    let metadata = resource.and_then(|resource| resource.challenges.resource_metadata());
    let line = challenge::rewritten(header, metadata).map(|line| [CHALLENGE, &line].join("\n"));
    exchange.set_added(&joined(&[session.unwrap_or_default(), line.as_deref().unwrap_or_default()]));
    let passed = passing::REPLACED.with(|names| {
        let names = names.concat(&Array::of1(&CHALLENGE.into()));
        runtime::pass(response, &names, exchange)
    });
    passed.or_else(|error| unreachable(exchange, &said(&error)))
}

/// The session id of an answer, bound to the caller; `None`: there is none, or sessions are not
/// bound.
fn session(response: &Response, exchange: &Exchange) -> Result<Result<Option<String>, Refusal>, JsValue> {
    let Some(owner) = exchange.owner() else { return Ok(Ok(None)) };
    let Some(id) = response.headers().get(sessions::HEADER)? else { return Ok(Ok(None)) };
    // The request says whether sessions are bound: a fresh instance, whose settings are not judged
    // yet, has no keys to bind with.
    let sessions = config().and_then(|config| config.sessions.as_ref());
    let attached = sessions.map(|sessions| sessions.attach(&owner, &id));
    Ok(attached.unwrap_or(Err(Refusal::SessionUnbindable)).map(Some))
}

/// There is no answer to pass on. `kind`: `late`, or `unsigned` where the runtime did not sign the
/// assertion, or `unreachable`. `said`: what the runtime says of it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_failure(exchange: &Exchange, kind: &str, said: &str) -> Result<JsValue, JsValue> {
    match kind {
        "late" => refuse(exchange, Refusal::OriginTimeout),
        "unsigned" => refuse(exchange, Refusal::AssertionUnsigned),
        _ => unreachable(exchange, said),
    }
}

/// There is no answer yet.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_slow(exchange: &Exchange) {
    log::waiting(&exchange.line());
}
