//! A request that may come in, if the policy lets it do what it asks for: reads its body where that
//! takes reading, then forwards or refuses.

use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::forwarding::{self, Forwarding};
use super::isolate::Isolate;
use super::log::Line;
use super::pending::RequestId;
use super::{refuse, runtime};
use crate::admission::Refused;
use crate::limits;
use crate::origin::request;
use crate::policy::mirror::StandardHeaders;
use crate::policy::{self, Authorized, Body, Denial, Head, Mode, Policy, PolicyInput, RpcSummary};
use crate::resource::Resource;
use crate::route::Protected;
use crate::token::verify::Verified;

pub(super) struct Authorizing {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    /// `None`: no credential was sent, and some methods need none.
    pub(super) verified: Option<Verified>,
}

/// Goes on after a body was read. `bytes`: none if it is larger than may be read. `body`: what to
/// send in place of the request's own, if that was touched.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
#[expect(clippy::too_many_arguments, reason = "each is one crossing less")]
pub fn on_body(
    id: RequestId,
    request: &Request,
    bytes: Option<Vec<u8>>,
    body: &JsValue,
    version: Option<String>,
    method: Option<String>,
    name: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
) -> Result<JsValue, JsValue> {
    let authorizing =
        take(id).ok_or_else(|| JsError::new("this request was lost while its body was read"))?;
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
    authorizing.decide(request, &PolicyInput::Body(said), body)
}

/// A body could not be read: its client has left.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn forget(id: RequestId) {
    drop(take(id));
}

/// Whether a request brings a body. Some clients say of one without that its length is 0.
fn has_body(request: &Request) -> Result<bool, JsValue> {
    let headers = request.headers();
    Ok(request.body().is_some()
        && (headers.get("content-length")?.as_deref() != Some("0") || headers.has("transfer-encoding")?))
}

fn take(id: RequestId) -> Option<Authorizing> {
    Isolate::held()?.authorizing.borrow_mut().take(id)
}

impl Authorizing {
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
        self.decide(request, &PolicyInput::Head(head), &JsValue::UNDEFINED)
    }

    fn resource(&self) -> &'static Resource {
        self.protected.resource()
    }

    fn policy(&self) -> Option<&'static Policy> {
        self.resource().policy.as_ref()
    }

    /// Keeps the request until `on_body`. Those without a credential do not push out those with a
    /// good one.
    fn wait(self) -> RequestId {
        let (isolate, id, is_nobody) = (self.isolate, self.id, self.verified.is_none());
        isolate.authorizing.borrow_mut().keep(id, self, |other| other.verified.is_none() == is_nobody);
        id
    }

    fn decide(
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
                let Self { isolate, id, protected, .. } = self;
                let forwarding = Forwarding {
                    isolate,
                    id,
                    request,
                    clearance: &clearance,
                    protected: &protected,
                    origin: self.origin.as_deref(),
                    body,
                };
                forwarding::forward(&forwarding, self.line)
            }
            Err(unmet) => {
                self.line.rule = unmet.rule;
                refuse(&Refused::unmet(self.resource(), self.origin.as_deref(), unmet), self.line)
            }
        }
    }
}
