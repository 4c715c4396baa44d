//! Forwards a permitted request and hands back the answer as it comes. No byte of a body passes through wasm.

use std::borrow::Cow;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit, Response};

use super::isolate::Isolate;
use super::log::{self, Line};
use super::runtime::{self, Exchange};
use super::signer::{Asserted, Unsigned};
use super::upstream::discard;
use super::{list, respond};
use crate::challenge;
use crate::config::{Config, Resource};
use crate::cors::{self, Cors};
use crate::decide::Refused;
use crate::delivery::same_variable;
use crate::forward::{self, Plan};
use crate::refusal::Refusal;
use crate::route::{Route, route};
use crate::sessions::{self, Sessions};

const CHALLENGE: &str = "WWW-Authenticate";

thread_local! {
    static REPLACED: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

const UNAUTHORIZED: u16 = 401;
const FORBIDDEN: u16 = 403;
const SWITCHING_PROTOCOLS: u16 = 101;

/// A request that is to be sent to its origin.
pub(super) struct Sending<'s> {
    pub(super) request: &'s Request,
    /// What sends it; undefined: the runtime itself.
    pub(super) fetcher: JsValue,
    pub(super) plan: Plan<'s>,
    pub(super) resource: &'static Resource,
    /// The request's `Origin`.
    pub(super) origin: Option<&'s str>,
    /// Whose sessions they are, where they are bound.
    pub(super) bound: Option<(&'static Sessions, String)>,
    pub(super) asserted: Option<Asserted>,
}

/// Sends a request; the promise of the answer.
pub(super) fn forward(sending: &Sending<'_>, line: Line) -> Result<JsValue, JsValue> {
    let Sending { request, plan, resource, .. } = sending;
    let line = line.forwarded(resource);
    let names = runtime::names(request);
    let session = match sending.session(&names)? {
        Ok(session) => session,
        Err(refusal) => return super::refuse(&Refused::at(resource, sending.origin, refusal), line),
    };
    let is_session = |name: &str| sending.bound.is_some() && same_variable(name, sessions::HEADER);
    let deleted = only(&names, |name| forward::is_removed(resource, name) || is_session(name));
    let init = match line.method() {
        // Without `Authorization`, a shared cache on the way takes one caller's answer for everybody's (RFC 9111 section 3.5).
        "GET" | "HEAD" => {
            let init = RequestInit::new();
            init.set_cache(RequestCache::NoStore);
            init.into()
        }
        _ => JsValue::UNDEFINED,
    };
    let cors = Cors::new(&resource.allowed_origins, sending.origin);
    let allowed = cors.allow_origin.as_deref().map(|origin| (cors::ALLOW_ORIGIN, origin));
    let cors_set = list([(cors::EXPOSE_HEADERS, cors::EXPOSED)].into_iter().chain(allowed));
    let vary = cors.varies.then_some("Origin");
    let set = sending.set(session.as_deref());
    let (target, text, started) = (plan.target.as_str(), line.text(), line.started);
    let (fetcher, owner) = (&sending.fetcher, sending.bound.as_ref().map(|(_, owner)| owner.as_str()));
    let unsigned = sending.asserted.as_ref().and_then(|asserted| asserted.unsigned.as_ref());
    let sent = match unsigned {
        None => runtime::send(
            request, target, &deleted, &set, &init, &cors_set, vary, &text, started, fetcher, owner,
        ),
        Some(Unsigned { signer, input, ticket }) => runtime::sign_and_send(
            &signer.parameters,
            &signer.key,
            input,
            *ticket,
            request,
            target,
            &deleted,
            &set,
            &init,
            &cors_set,
            vary,
            &text,
            started,
            fetcher,
            owner,
        ),
    };
    sent.or_else(|_| {
        let refusal = match unsigned {
            Some(_) => Refusal::AssertionUnsigned,
            None => Refusal::OriginUnreachable,
        };
        super::refuse(&Refused::at(resource, sending.origin, refusal), line)
    })
}

impl Sending<'_> {
    /// The session id that the origin is to get, where sessions are bound. `names`: the request's headers.
    fn session(&self, names: &str) -> Result<Result<Option<String>, Refusal>, JsValue> {
        let Some((sessions, owner)) = &self.bound else { return Ok(Ok(None)) };
        if !names.split('\n').any(|name| name.eq_ignore_ascii_case(sessions::HEADER)) {
            return Ok(Ok(None));
        }
        let headers = self.request.headers();
        let attached = headers.get(sessions::HEADER)?.unwrap_or_default();
        let version = headers.get(sessions::VERSION_HEADER)?;
        let id = sessions.incoming(owner, &attached, version.as_deref());
        Ok(id.map(|id| id.map(str::to_owned)))
    }

    /// The headers that are set, as `glue.mjs` takes them; last the assertion, or where it begins.
    fn set(&self, session: Option<&str>) -> Cow<'_, str> {
        let own = self.resource.delivery.headers_text();
        let start = self.asserted.as_ref().map(|asserted| asserted.start.as_str());
        if own.is_empty() && session.is_none() && start.is_none() {
            return Cow::Borrowed(self.plan.headers);
        }
        let mut set = self.plan.headers.to_owned();
        let mut add = |parts: &[&str]| {
            for part in parts {
                if !set.is_empty() {
                    set.push('\n');
                }
                set.push_str(part);
            }
        };
        if !own.is_empty() {
            add(&[own]);
        }
        if let Some(session) = session {
            add(&[sessions::HEADER, session]);
        }
        if let Some(start) = start {
            add(&[start]);
        }
        Cow::Owned(set)
    }
}

/// The origin's answer, as the client gets it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn answered(response: &Response, status: u16, exchange: &Exchange) -> Result<JsValue, JsValue> {
    if status == UNAUTHORIZED {
        discard(response);
        return refuse(exchange, Refusal::OriginUnauthorized);
    }
    let session = match session(response, exchange)? {
        Ok(session) => session,
        Err(refusal) => {
            discard(response);
            return refuse(exchange, refusal);
        }
    };
    match (status, session) {
        // A rebuilt response would lose its WebSocket, and so its session id cannot be bound.
        (SWITCHING_PROTOCOLS, Some(_)) => refuse(exchange, Refusal::SessionUnbindable),
        (SWITCHING_PROTOCOLS, None) => {
            runtime::log(&exchange.line(), status, exchange.started());
            Ok(response.into())
        }
        (_, session) => {
            let session = session.map(|id| [sessions::HEADER, &id].join("\n")).unwrap_or_default();
            let challenge = match status {
                FORBIDDEN => response.headers().get(CHALLENGE)?,
                _ => None,
            };
            let passed = REPLACED.with(|names| match challenge {
                None => runtime::pass(response, names, &session, exchange),
                Some(header) => {
                    let line = challenge_line(&header, exchange);
                    let line = line.map(|line| [CHALLENGE, &line].join("\n"));
                    let set: Vec<String> =
                        line.into_iter().chain([session]).filter(|s| !s.is_empty()).collect();
                    let names = names.concat(&Array::of1(&CHALLENGE.into()));
                    runtime::pass(response, &names, &set.join("\n"), exchange)
                }
            });
            passed.or_else(|_| refuse(exchange, Refusal::OriginUnreachable))
        }
    }
}

/// The session id of an answer, bound to the caller; `None`: there is none, or sessions are not bound.
fn session(response: &Response, exchange: &Exchange) -> Result<Result<Option<String>, Refusal>, JsValue> {
    let Some(sessions) = config().and_then(|config| config.sessions.as_ref()) else { return Ok(Ok(None)) };
    let Some(id) = response.headers().get(sessions::HEADER)? else { return Ok(Ok(None)) };
    let Some(owner) = exchange.owner() else { return Ok(Err(Refusal::SessionUnbindable)) };
    Ok(sessions.attach(&owner, &id).map(Some))
}

/// The client's challenge for one of the origin's.
fn challenge_line(header: &str, exchange: &Exchange) -> Option<String> {
    let resource = resource(&exchange.request());
    challenge::rewritten(header, resource.and_then(|resource| resource.challenges.resource_metadata()))
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
    let resource = resource(&request);
    let refused = match resource {
        Some(resource) => Refused::at(resource, origin.as_deref(), refusal),
        None => Refused::elsewhere(refusal),
    };
    let credential = resource
        .filter(|_| refusal == Refusal::OriginUnauthorized)
        .map(|resource| resource.delivery.credential(resource.assertion.as_ref()));
    let line = log::refused_after_all(&exchange.line(), refusal, credential.as_deref());
    respond(&refused.answer(), &line, exchange.started())
}

fn config() -> Option<&'static Config> {
    Isolate::held().and_then(Isolate::config)
}

/// The resource that a forwarded request was for.
fn resource(request: &Request) -> Option<&'static Resource> {
    match route(config()?, &request.url()) {
        Route::Protected(protected) => Some(protected.resource()),
        _ => None,
    }
}

/// Those of a list of names.
fn only(names: &str, wanted: impl Fn(&str) -> bool) -> String {
    names.split('\n').filter(|name| wanted(name)).collect::<Vec<_>>().join("\n")
}
