//! Forwards a permitted request: what is removed, what is set, and what becomes of the answer, in
//! one crossing.

use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit};

use super::header_lists::{joined, list, only};
use super::isolate::Isolate;
use super::log::{self, Line};
use super::pending::RequestId;
use super::respond;
use super::runtime::{self, said};
use super::signer::{Asserted, Unsigned};
use crate::admission::Refused;
use crate::http::accept;
use crate::http::cors::{self, Cors};
use crate::http::header_names;
use crate::limits;
use crate::origin::request;
use crate::origin::sessions::{self, Sessions};
use crate::policy::mirror::VERSION_HEADER;
use crate::policy::{Authorized, Caller};
use crate::refusal::Refusal;
use crate::route::Protected;

/// A request that may be sent to its origin.
pub(super) struct Forwarding<'s> {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    pub(super) request: &'s Request,
    pub(super) clearance: &'s Authorized,
    pub(super) protected: &'s Protected<'static>,
    /// The request's `Origin`.
    pub(super) origin: Option<&'s str>,
    /// In place of the request's own, if that was touched.
    pub(super) body: &'s JsValue,
}

/// Sends a request to its origin; the promise of the answer.
pub(super) fn forward(forwarding: &Forwarding<'_>, line: Line) -> Result<JsValue, JsValue> {
    let Forwarding { request, clearance, protected, origin, .. } = *forwarding;
    let resource = protected.resource();
    let line = line.forwarded(resource);
    let plan = request::plan(clearance, protected.target());
    let names = runtime::names(request);
    let upgrade = sent_header(request, &names, "upgrade")?;
    let websocket = request::opens_websocket(line.method(), clearance, upgrade.as_deref());
    let bound = forwarding.bound();
    let session = forwarding.session(bound.as_ref(), &names)?;
    let (websocket, session, asserted) =
        match websocket.and_then(|websocket| Ok((websocket, session?, forwarding.asserted()?))) {
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
            || (!forwarding.body.is_undefined() && matches!(name, "content-length" | "transfer-encoding"))
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
        // Without `Authorization`, a shared cache on the way takes one caller's answer for
        // everybody's (RFC 9111 section 3.5).
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
    let (body, fetcher) = (forwarding.body, &forwarding.isolate.fetcher(resource));
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
        Some(Unsigned { signer, input, id }) => runtime::sign_and_send(
            &signer.parameters,
            &signer.key,
            input,
            *id,
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

impl Forwarding<'_> {
    /// Whose the sessions of this request are, where sessions are bound.
    fn bound(&self) -> Option<(&'static Sessions, String)> {
        let resource = self.protected.resource();
        let sessions = self.isolate.config()?.sessions.as_ref().filter(|_| resource.binds_sessions)?;
        let caller = sessions::Holder::of(self.clearance.verified());
        Some((sessions, sessions::owner(resource.canonical.as_str(), caller)))
    }

    /// The session id that the origin is to get, where sessions are bound. `names`: the request's
    /// headers.
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

    /// What the origin is told about the caller in a way that it can verify. Nobody has no
    /// assertion.
    fn asserted(&self) -> Result<Option<Asserted>, Refusal> {
        let resource = self.protected.resource();
        let (Some(assertion), Some(verified)) = (&resource.assertion, self.clearance.verified()) else {
            return Ok(None);
        };
        let signer = self.isolate.signer().ok_or(Refusal::AssertionUnsigned)?;
        let asserted = signer.assert(&self.isolate.reuse, resource, assertion, verified, self.id);
        asserted.map(Some).ok_or(Refusal::AssertionUnsigned)
    }
}

/// A header of the request, which is asked for only if `names`, those of all of its headers, has
/// it.
fn sent_header(request: &Request, names: &str, name: &str) -> Result<Option<String>, JsValue> {
    match names.split('\n').any(|sent| sent.eq_ignore_ascii_case(name)) {
        true => request.headers().get(name),
        false => Ok(None),
    }
}
