//! A request that may come in, if the policy lets it do what it asks for: reads its body where that
//! takes reading, then goes on to limits, or refuses.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::admitted::Admitted;
use super::exchange::{self, Exchange};
use super::pending::{Pending, RequestId};
use super::{header_lists, limiting};
use crate::limits;
use crate::origin::request;
use crate::policy::mirror::StandardHeaders;
use crate::policy::{self, Body, Head, Mode, Policy, PolicyInput};
use crate::token::verify::Verified;

thread_local! {
    /// Requests that wait for their body.
    static AUTHORIZING: RefCell<Pending<Authorizing>> = RefCell::default();
}

pub(super) struct Authorizing {
    pub(super) admitted: Admitted,
    /// `None`: no credential was sent, and some methods need none.
    pub(super) verified: Option<Verified>,
}

/// Goes on after a body was read. `bytes`: none if it is larger than may be read. `headers`: those
/// that the body is compared with, names in lower case and values in turn; and `trace`, if a header
/// names one.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_body(
    exchange: &Exchange,
    id: RequestId,
    bytes: Option<Vec<u8>>,
    headers: &str,
) -> Result<JsValue, JsValue> {
    let mut authorizing =
        take(id).ok_or_else(|| JsError::new("this request was lost while its body was read"))?;
    let header = |name| header_lists::value(headers, name);
    authorizing.admitted.line.is_traced = header("trace").is_some();
    let said = Body {
        bytes: bytes.as_deref(),
        mirror: StandardHeaders {
            version: header("mcp-protocol-version"),
            method: header("mcp-method"),
            name: header("mcp-name"),
        },
        content_type: header("content-type"),
        content_encoding: header("content-encoding"),
    };
    authorizing.decide(exchange, &PolicyInput::Body(said))
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
    AUTHORIZING.with_borrow_mut(|list| list.take(id))
}

impl Authorizing {
    /// To the reading of the body, or to the end.
    pub(super) fn proceed(self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let method = self.admitted.line.method().to_owned();
        let mut head = Head { method: &method, ..Head::default() };
        if let Some(policy) = self.policy() {
            head.websocket = exchange.header("upgrade")?.as_deref().is_some_and(request::names_websocket);
            if !head.websocket && (self.verified.is_none() || policy::reads_body(policy, &method)) {
                let whole = policy.mode == Mode::Report;
                self.wait();
                return exchange::read(exchange, limits::BODY_BYTES as f64, whole);
            }
            head.has_body = policy.reads_bodies() && has_body(&exchange.request())?;
        }
        self.decide(exchange, &PolicyInput::Head(head))
    }

    fn policy(&self) -> Option<&'static Policy> {
        self.admitted.resource().policy.as_ref()
    }

    /// Keeps the request until `on_body`. Those without a credential do not push out those with a
    /// good one.
    fn wait(self) {
        let (id, is_nobody) = (self.admitted.id, self.verified.is_none());
        AUTHORIZING.with_borrow_mut(|list| {
            list.keep(id, self, |other| other.verified.is_none() == is_nobody);
        });
    }

    fn decide(mut self, exchange: &Exchange, asked: &PolicyInput<'_>) -> Result<JsValue, JsValue> {
        let (heard, outcome) = policy::authorize(self.policy(), self.verified.take(), asked);
        let mut admitted = self.admitted;
        admitted.line.heard(heard);
        match outcome {
            Ok(cleared) => limiting::proceed(exchange, admitted, cleared),
            Err(unmet) => admitted.unmet(exchange, unmet),
        }
    }
}
