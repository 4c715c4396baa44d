//! A request that may come in, if the policy lets it do what it asks for: reads its body where that takes reading, then forwards or refuses.

use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::isolate::Isolate;
use super::log::Line;
use super::proxy::Sending;
use super::{proxy, refuse, runtime};
use crate::admission::Refused;
use crate::limits;
use crate::origin::request;
use crate::policy::mirror::StandardHeaders;
use crate::policy::{self, Authorized, Body, Denial, Head, Mode, Policy, PolicyInput, RpcSummary};
use crate::resource::Resource;
use crate::route::Protected;
use crate::token::verify::Verified;

pub(super) struct Asking {
    pub(super) isolate: &'static Isolate,
    /// As in a `Passage`.
    pub(super) ticket: f64,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    /// `None`: no credential was sent, and some methods need none.
    pub(super) verified: Option<Verified>,
}

/// Goes on after a body was read. `bytes`: none if it is larger than may be read. `body`: what to send in place of the request's own, if that was touched.
///
/// # Errors
/// As `fetch`; and if there is no such request, because the instance that knew it has panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
#[expect(clippy::too_many_arguments, reason = "each is one crossing less")]
pub fn heard(
    ticket: f64,
    request: &Request,
    bytes: Option<Vec<u8>>,
    body: &JsValue,
    version: Option<String>,
    method: Option<String>,
    name: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
) -> Result<JsValue, JsValue> {
    let asking = take(ticket).ok_or_else(|| JsError::new("this request was lost while its body was read"))?;
    let said = Body {
        bytes: bytes.as_deref(),
        mirror: StandardHeaders {
            version: version.as_deref(),
            method: method.as_deref(),
            name: name.as_deref(),
        },
        content_type: content_type.as_deref(),
        content_encoding: content_encoding.as_deref(),
    };
    asking.clear(request, &PolicyInput::Body(said), body)
}

/// A body could not be read: its client has left.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn forget(ticket: f64) {
    drop(take(ticket));
}

/// Whether a request brings a body. Some clients say of one without that its length is 0.
fn has_body(request: &Request) -> Result<bool, JsValue> {
    let headers = request.headers();
    Ok(request.body().is_some()
        && (headers.get("content-length")?.as_deref() != Some("0") || headers.has("transfer-encoding")?))
}

fn take(ticket: f64) -> Option<Asking> {
    let isolate = Isolate::held()?;
    let mut waiting = isolate.askings.borrow_mut();
    let at = waiting.iter().rposition(|asking| asking.ticket == ticket)?;
    Some(waiting.remove(at))
}

impl Asking {
    /// To the reading of the body, or to the end.
    pub(super) fn proceed(self, request: &Request) -> Result<JsValue, JsValue> {
        let method = self.line.method().to_owned();
        let mut head = Head { method: &method, ..Head::default() };
        if let Some(policy) = self.policy() {
            let headers = request.headers();
            head.websocket = headers.get("upgrade")?.as_deref().is_some_and(request::names_websocket);
            if !head.websocket && (self.verified.is_none() || policy::reads_body(policy, &method)) {
                let whole = policy.mode == Mode::Report;
                return runtime::read(request, limits::BODY_BYTES as f64, whole, self.wait());
            }
            head.has_body = policy.has_rules() && has_body(request)?;
        }
        self.clear(request, &PolicyInput::Head(head), &JsValue::UNDEFINED)
    }

    fn resource(&self) -> &'static Resource {
        self.protected.resource()
    }

    fn policy(&self) -> Option<&'static Policy> {
        self.resource().policy.as_ref()
    }

    /// Keeps the request until `heard`. Those without a credential are not let to push out those with a good one.
    fn wait(self) -> f64 {
        let ticket = self.ticket;
        let is_nobody = |asking: &Self| asking.verified.is_none();
        let mut waiting = self.isolate.askings.borrow_mut();
        let mut same = waiting.iter().enumerate().filter(|(_, other)| is_nobody(other) == is_nobody(&self));
        let oldest = same.next().map(|(at, _)| at);
        if let Some(oldest) = oldest.filter(|_| same.count() + 1 >= limits::PASSAGES) {
            waiting.remove(oldest);
        }
        waiting.push(self);
        ticket
    }

    fn clear(
        mut self,
        request: &Request,
        asked: &PolicyInput<'_>,
        body: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let policy = self.policy();
        let (heard, outcome) = policy::authorize(policy, self.verified.take(), asked);
        self.end(request, heard, outcome, body)
    }

    fn end(
        mut self,
        request: &Request,
        heard: RpcSummary,
        outcome: Result<Authorized, Denial>,
        body: &JsValue,
    ) -> Result<JsValue, JsValue> {
        self.line.heard(heard);
        match outcome {
            Ok(clearance) => {
                self.line.cleared(&clearance);
                let Self { isolate, ticket, protected, .. } = self;
                let sending = Sending {
                    isolate,
                    ticket,
                    request,
                    clearance: &clearance,
                    protected: &protected,
                    origin: self.origin.as_deref(),
                    body,
                };
                proxy::forward(&sending, self.line)
            }
            Err(unmet) => {
                self.line.rule = unmet.rule;
                refuse(&Refused::unmet(self.resource(), self.origin.as_deref(), unmet), self.line)
            }
        }
    }
}
