//! Forwards a permitted request and hands back the answer as it comes. No byte of an answer passes through wasm, but where lists are filtered.

use std::borrow::Cow;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit, Response};

use super::isolate::Isolate;
use super::log::{self, Line};
use super::runtime::{self, Exchange};
use super::signer::{Asserted, Unsigned};
use super::upstream::discard;
use super::{list, lists, redirects, respond};
use crate::admission::Refused;
use crate::http::accept;
use crate::http::cors::{self, Cors};
use crate::http::header_names;
use crate::limits;
use crate::origin::challenge;
use crate::origin::request;
use crate::origin::sessions::{self, Sessions};
use crate::policy::mirror::VERSION_HEADER;
use crate::policy::{Authorized, Caller};
use crate::refusal::Refusal;
use crate::resource::Config;
use crate::resource::Resource;
use crate::route::{Protected, Route, route};

const CHALLENGE: &str = "WWW-Authenticate";

thread_local! {
    static REPLACED: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

const UNAUTHORIZED: u16 = 401;
const FORBIDDEN: u16 = 403;
const SWITCHING_PROTOCOLS: u16 = 101;

/// A request that may be sent to its origin.
pub(super) struct Sending<'s> {
    pub(super) isolate: &'static Isolate,
    pub(super) ticket: f64,
    pub(super) request: &'s Request,
    pub(super) clearance: &'s Authorized,
    pub(super) protected: &'s Protected<'static>,
    /// The request's `Origin`.
    pub(super) origin: Option<&'s str>,
    /// In place of the request's own, if that was touched.
    pub(super) body: &'s JsValue,
}

/// Sends a request to its origin; the promise of the answer.
pub(super) fn forward(sending: &Sending<'_>, line: Line) -> Result<JsValue, JsValue> {
    let Sending { request, clearance, protected, origin, .. } = *sending;
    let resource = protected.resource();
    let line = line.forwarded(resource);
    let plan = request::plan(clearance, protected.target());
    let names = runtime::names(request);
    let upgrade = sent_header(request, &names, "upgrade")?;
    let websocket = request::opens_websocket(line.method(), clearance, upgrade.as_deref());
    let bound = sending.bound();
    let session = sending.session(bound.as_ref(), &names)?;
    let (websocket, session, asserted) =
        match websocket.and_then(|websocket| Ok((websocket, session?, sending.asserted()?))) {
            Ok(all) => all,
            Err(refusal) => return super::refuse(&Refused::at(resource, origin, refusal), line),
        };
    // A body that was read is framed anew: what was said of its length may be another's.
    let connection = sent_header(request, &names, "connection")?;
    let is_removed = |name: &str| {
        let of_websocket = websocket && name == "upgrade";
        (resource.removes(name) && !of_websocket)
            || (clearance.lists && request::asks_for_a_part(name))
            || (bound.is_some() && header_names::same(name, sessions::HEADER))
            || (!sending.body.is_undefined() && matches!(name, "content-length" | "transfer-encoding"))
            || connection.as_deref().is_some_and(|c| request::is_nominated(c, name) && !of_websocket)
    };
    let deleted = only(&names, is_removed);
    let sieve = clearance.lists.then(|| Caller::to_json(clearance.verified()));
    let unencoded = sieve.as_ref().map(|_| "Accept-Encoding\nidentity");
    let accept = match resource.compatibility.repairs_accept(line.method(), protected.is_endpoint()) {
        true => accept::repaired(request.headers().get("accept")?.as_deref()),
        false => None,
    };
    let accept = accept.map(|both| ["Accept", both].join("\n"));
    let session = session.map(|id| [sessions::HEADER, &id].join("\n"));
    let assertion = asserted.as_ref().map(|asserted| asserted.start.as_str());
    let set = joined(&[
        plan.headers,
        accept.as_deref().unwrap_or_default(),
        resource.delivery.headers_text(),
        unencoded.unwrap_or_default(),
        session.as_deref().unwrap_or_default(),
        assertion.unwrap_or_default(),
    ]);
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
    let (body, fetcher) = (sending.body, &sending.isolate.fetcher(resource));
    let owner = bound.as_ref().map(|(_, owner)| owner.as_str());
    let [notice, limit] =
        [limits::ORIGIN_NOTICE, resource.origin_timeout].map(|seconds| seconds as f64 * 1000.0);
    let unsigned = asserted.as_ref().and_then(|asserted| asserted.unsigned.as_ref());
    let sent = match unsigned {
        None => runtime::send(
            request,
            target,
            &deleted,
            &set,
            &init,
            &cors_set,
            vary,
            &text,
            started,
            body,
            sieve.as_deref(),
            fetcher,
            owner,
            notice,
            limit,
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
            body,
            sieve.as_deref(),
            fetcher,
            owner,
            notice,
            limit,
        ),
    };
    sent.or_else(|error| {
        let refusal = match unsigned {
            Some(_) => Refusal::AssertionUnsigned,
            None => Refusal::OriginUnreachable,
        };
        let text = log::refused_after_all(&text, refusal, Some(("detail", &said(&error))));
        respond(&Refused::at(resource, origin, refusal).answer(), &text, started)
    })
}

impl Sending<'_> {
    /// Whose the sessions of this request are, where sessions are bound.
    fn bound(&self) -> Option<(&'static Sessions, String)> {
        let resource = self.protected.resource();
        let sessions = self.isolate.config()?.sessions.as_ref().filter(|_| resource.binds_sessions)?;
        let caller = sessions::Holder::of(self.clearance.verified());
        Some((sessions, sessions::owner(resource.canonical.as_str(), caller)))
    }

    /// The session id that the origin is to get, where sessions are bound. `names`: the request's headers.
    fn session(
        &self,
        bound: Option<&(&'static Sessions, String)>,
        names: &str,
    ) -> Result<Result<Option<String>, Refusal>, JsValue> {
        let Some((sessions, owner)) = bound else { return Ok(Ok(None)) };
        let Some(attached) = sent_header(self.request, names, sessions::HEADER)? else {
            return Ok(Ok(None));
        };
        let version = self.request.headers().get(VERSION_HEADER)?;
        let id = sessions.incoming(owner, &attached, version.as_deref());
        Ok(id.map(|id| id.map(str::to_owned)))
    }

    /// What the origin is told about the caller in a way that it can verify. Nobody has no assertion.
    fn asserted(&self) -> Result<Option<Asserted>, Refusal> {
        let resource = self.protected.resource();
        let (Some(assertion), Some(verified)) = (&resource.assertion, self.clearance.verified()) else {
            return Ok(None);
        };
        let signer = self.isolate.signer().ok_or(Refusal::AssertionUnsigned)?;
        let asserted = signer.assert(&self.isolate.reuse, resource, assertion, verified, self.ticket);
        asserted.map(Some).ok_or(Refusal::AssertionUnsigned)
    }
}

/// Lists of headers as one. What comes last may be a header without its value.
pub(super) fn joined<'l>(lists: &[&'l str]) -> Cow<'l, str> {
    let mut joined = Cow::Borrowed("");
    for list in lists.iter().filter(|list| !list.is_empty()) {
        if joined.is_empty() {
            joined = Cow::Borrowed(list);
        } else {
            let joined = joined.to_mut();
            joined.push('\n');
            joined.push_str(list);
        }
    }
    joined
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
        200..=299 if exchange.sieve().is_some() => lists::filter(response, exchange),
        FORBIDDEN => match response.headers().get(CHALLENGE)? {
            Some(header) => challenged(response, exchange, &header, session.as_deref()),
            None => pass(response, exchange),
        },
        // `100 Continue` and its kin: the runtime takes one for the answer, and drops what follows.
        100..=199 => unreachable(exchange, &format!("the runtime gave an interim answer, {status}")),
        300..=399 => redirects::passed(response, exchange, session.as_deref()),
        _ => pass(response, exchange),
    }
}

/// An answer as it came, but for CORS.
pub(super) fn pass(response: &Response, exchange: &Exchange) -> Result<JsValue, JsValue> {
    let passed = REPLACED.with(|names| runtime::pass(response, names, exchange));
    passed.or_else(|error| unreachable(exchange, &said(&error)))
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
    let passed = REPLACED.with(|names| {
        let names = names.concat(&Array::of1(&CHALLENGE.into()));
        runtime::pass(response, &names, exchange)
    });
    passed.or_else(|error| unreachable(exchange, &said(&error)))
}

/// The session id of an answer, bound to the caller; `None`: there is none, or sessions are not bound.
fn session(response: &Response, exchange: &Exchange) -> Result<Result<Option<String>, Refusal>, JsValue> {
    let Some(owner) = exchange.owner() else { return Ok(Ok(None)) };
    let Some(id) = response.headers().get(sessions::HEADER)? else { return Ok(Ok(None)) };
    // The request says whether sessions are bound: a fresh instance, whose settings are not judged yet,
    // has no keys to bind with.
    let sessions = config().and_then(|config| config.sessions.as_ref());
    let attached = sessions.map(|sessions| sessions.attach(&owner, &id));
    Ok(attached.unwrap_or(Err(Refusal::SessionUnbindable)).map(Some))
}

/// There was no answer. `said`: what the runtime says of it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn unreachable(exchange: &Exchange, said: &str) -> Result<JsValue, JsValue> {
    refuse_saying(exchange, Refusal::OriginUnreachable, Some(("detail", said)))
}

/// There is no answer yet.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn waiting(exchange: &Exchange) {
    log::waiting(&exchange.line());
}

/// There was no answer in time.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn late(exchange: &Exchange) -> Result<JsValue, JsValue> {
    refuse(exchange, Refusal::OriginTimeout)
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

fn config() -> Option<&'static Config> {
    Isolate::held().and_then(Isolate::config)
}

/// The resource that a request is for.
pub(super) fn resource(request: &Request) -> Option<&'static Resource> {
    protected(request).map(|protected| protected.resource())
}

/// The place that a request is for.
pub(super) fn protected(request: &Request) -> Option<Protected<'static>> {
    match route(config()?, &request.url()) {
        Route::Protected(protected) => Some(protected),
        _ => None,
    }
}

/// What the runtime says of an error.
fn said(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| String::from(error.to_string()))
}

/// A header of the request, which is asked for only if `names`, those of all of its headers, has it.
fn sent_header(request: &Request, names: &str, name: &str) -> Result<Option<String>, JsValue> {
    match names.split('\n').any(|sent| sent.eq_ignore_ascii_case(name)) {
        true => request.headers().get(name),
        false => Ok(None),
    }
}

/// Those of a list of names.
fn only(names: &str, wanted: impl Fn(&str) -> bool) -> String {
    names.split('\n').filter(|name| wanted(name)).collect::<Vec<_>>().join("\n")
}
