//! Forwards a permitted request: what is removed, what is set, and what becomes of the answer.

use wasm_bindgen::prelude::*;

use super::admitted::Admitted;
use super::exchange::Exchange;
use super::header_lists::{joined, list, only};
use super::header_patterns::Names;
use super::isolate::{Isolate, names_requests};
use super::pending::RequestId;
use super::plan::Plan;
use super::signer::Asserted;
use super::stop::Stop;
use crate::http::accept;
use crate::http::cors;
use crate::http::header_names;
use crate::origin::request;
use crate::origin::sessions::{self, Sessions};
use crate::policy::mirror::VERSION_HEADER;
use crate::policy::{Authorized, Caller};
use crate::refusal::Refusal;
use crate::token::access;

/// The signature of what was signed with this id, encoded.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_assertion(id: RequestId, signature: &str) {
    if let Some(isolate) = Isolate::held() {
        isolate.reuse.borrow_mut().signed(id, signature);
    }
}

/// A request that may be sent to its origin.
struct Forwarding<'f> {
    exchange: &'f Exchange,
    admitted: &'f Admitted,
    authorized: &'f Authorized,
}

/// Sends a request to its origin; the promise of the answer.
pub(super) fn forward(
    exchange: &Exchange,
    mut admitted: Admitted,
    authorized: &Authorized,
) -> Result<JsValue, JsValue> {
    admitted.line.at(admitted.protected.resource());
    admitted.line.cleared(authorized);
    let planned = Forwarding { exchange, admitted: &admitted, authorized }.plan();
    match planned {
        Ok(plan) => plan.send(exchange),
        Err(Stop::Refused(refusal)) => admitted.refuse(exchange, refusal),
        Err(Stop::Runtime(error)) => Err(error),
    }
}

impl Forwarding<'_> {
    fn plan(&self) -> Result<Plan, Stop> {
        let Self { exchange, admitted, authorized } = *self;
        let (resource, method) = (admitted.resource(), admitted.line.method());
        let Some(patterns) = admitted.isolate.patterns(resource) else {
            return Err(Refusal::Misconfigured.into());
        };
        let names = Names::of(exchange, patterns)?;
        let upgrade = names.value(exchange, "upgrade")?;
        let websocket = request::opens_websocket(method, authorized, upgrade.as_deref())?;
        let bound = self.bound();
        let session = self.session(bound.as_ref(), &names)?;
        let asserted = self.asserted()?;
        let is_nominated = |name: &str| {
            names.connection.as_deref().is_some_and(|connection| request::is_nominated(connection, name))
        };
        let edits_cookies = resource.delivery.removes_access
            && !resource.removes(request::COOKIE)
            && !is_nominated(request::COOKIE);
        let cookies = if edits_cookies { self.cookies(&names)? } else { None };
        let is_removed = |name: &str| {
            let of_websocket = websocket && name == "upgrade";
            (resource.removes(name) && !of_websocket)
                || (authorized.lists && request::asks_for_a_part(name))
                || (bound.is_some() && header_names::same(name, sessions::HEADER))
                || (cookies.is_some() && name == request::COOKIE)
                || (is_nominated(name) && !of_websocket)
        };
        let removed = only(&names.text, is_removed);
        let sent = request::plan(authorized, admitted.protected.target());
        let caller = authorized.lists.then(|| Caller::to_json(authorized.verified()));
        let accept = match resource.compatibility.repairs_accept(method, admitted.protected.is_endpoint()) {
            true => accept::repaired(exchange.header("accept")?.as_deref()),
            false => None,
        };
        let accept = accept.map(|both| ["Accept", both].join("\n"));
        let session = session.map(|id| [sessions::HEADER, &id].join("\n"));
        let set = joined(&[
            sent.headers,
            accept.as_deref().unwrap_or_default(),
            cookies.as_deref().unwrap_or_default(),
            resource.delivery.headers_text(),
            caller.as_ref().map_or("", |_| "Accept-Encoding\nidentity"),
            session.as_deref().unwrap_or_default(),
            asserted.as_ref().map_or("", |asserted| &asserted.start),
        ]);
        let origin = admitted.origin.as_deref();
        let nonce = admitted.nonce.as_deref();
        let cors = (cors::is_wanted(method, origin) || nonce.is_some()).then(|| resource.cors(origin));
        let cors_set = cors.as_ref().map(|cors| {
            let allowed = cors.allow_origin.as_deref().map(|origin| (cors::ALLOW_ORIGIN, origin));
            let nonce = nonce.map(|nonce| (cors::DPOP_NONCE, nonce));
            let exposed = names_requests().then(|| cors::with_request_id(cors.exposed()));
            let exposed = exposed.as_deref().unwrap_or_else(|| cors.exposed());
            list([(cors::EXPOSE_HEADERS, exposed)].into_iter().chain(allowed).chain(nonce))
        });
        let end = admitted.line.forwarded();
        end.note(exchange);
        Ok(Plan {
            resource,
            target: sent.target,
            removed,
            set: set.into_owned(),
            // Without `Authorization`, a shared cache on the way takes one caller's answer for
            // everybody's (RFC 9111 section 3.5).
            bypasses_cache: matches!(method, "GET" | "HEAD"),
            unsigned: asserted.and_then(|asserted| asserted.unsigned),
            cors: cors_set,
            varies: cors.is_some_and(|cors| cors.varies),
            owner: bound.map(|(_, owner)| serde_json::json!(owner).to_string()),
            caller,
            line: end.line,
        })
    }

    /// The cookies that go on, as a header, where some of the request's are Cloudflare Access's;
    /// empty if none is left.
    fn cookies(&self, names: &Names) -> Result<Option<String>, Stop> {
        let sent = names.value(self.exchange, request::COOKIE)?;
        let kept = sent.and_then(|cookie| access::without_cookies(&cookie));
        Ok(kept.map(|kept| if kept.is_empty() { kept } else { ["Cookie\n", &kept].concat() }))
    }

    /// Whose the sessions of this request are, where sessions are bound.
    fn bound(&self) -> Option<(&'static Sessions, String)> {
        let resource = self.admitted.resource();
        let sessions =
            self.admitted.isolate.config()?.sessions.as_ref().filter(|_| resource.binds_sessions)?;
        let caller = sessions::Holder::of(self.authorized.verified());
        Some((sessions, sessions::owner(resource.canonical.as_str(), caller)))
    }

    /// The session id that the origin is to get, where sessions are bound.
    fn session(
        &self,
        bound: Option<&(&'static Sessions, String)>,
        names: &Names,
    ) -> Result<Option<String>, Stop> {
        let Some((sessions, owner)) = bound else { return Ok(None) };
        let Some(attached) = names.value(self.exchange, sessions::HEADER)? else { return Ok(None) };
        let version = self.exchange.header(VERSION_HEADER)?;
        let id = sessions.incoming(owner, &attached, version.as_deref())?;
        Ok(id.map(str::to_owned))
    }

    /// What the origin is told about the caller in a way that it can verify. Nobody has no
    /// assertion.
    fn asserted(&self) -> Result<Option<Asserted>, Refusal> {
        let (isolate, resource) = (self.admitted.isolate, self.admitted.resource());
        let (Some(assertion), Some(verified)) = (&resource.assertion, self.authorized.verified()) else {
            return Ok(None);
        };
        let signer = isolate.signer().ok_or(Refusal::AssertionUnsigned)?;
        let asserted = signer.assert(&isolate.reuse, assertion, resource, verified, self.admitted.id);
        asserted.map(Some).ok_or(Refusal::AssertionUnsigned)
    }
}
