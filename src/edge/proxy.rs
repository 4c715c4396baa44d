//! Forwards a permitted request and hands back the answer as it comes. No byte of a body passes through wasm.

use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestCache, RequestInit, Response};

use super::log::Line;
use super::upstream::discard;
use super::{isolate, refuse, runtime};
use crate::config::Resource;
use crate::cors::{self, Cors};
use crate::decide::Refused;
use crate::forward::{self, Plan};
use crate::refusal::Refusal;

const UNAUTHORIZED: u16 = 401;
const SWITCHING_PROTOCOLS: u16 = 101;

/// A forwarded request that waits for its answer.
#[wasm_bindgen]
pub struct Exchange {
    pub(super) resource: &'static Resource,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
}

#[wasm_bindgen]
impl Exchange {
    /// The origin's answer.
    ///
    /// # Errors
    /// As `fetch`.
    pub fn answered(self, response: Response, status: u16) -> Result<JsValue, JsValue> {
        let answer = match status {
            UNAUTHORIZED => {
                discard(&response);
                return self.refuse(Refusal::OriginUnauthorized);
            }
            // A rebuilt response would lose its WebSocket.
            SWITCHING_PROTOCOLS => response.into(),
            _ => match self.with_cors(&response) {
                Ok(answer) => answer,
                Err(_) => return self.refuse(Refusal::OriginUnreachable),
            },
        };
        self.line.forwarded(self.resource).write(status, isolate::now_milliseconds());
        Ok(answer)
    }

    /// There is no answer.
    ///
    /// # Errors
    /// As `fetch`.
    pub fn unreachable(self) -> Result<JsValue, JsValue> {
        self.refuse(Refusal::OriginUnreachable)
    }
}

impl Exchange {
    /// Sends the request; the promise of its answer.
    pub(super) fn begin(self, request: &Request, plan: &Plan<'_>) -> Result<JsValue, JsValue> {
        let names = runtime::names(request);
        let deleted = only(&names, forward::is_removed);
        let set: Vec<&str> = plan.headers.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
        let init = match self.line.method() {
            // Without `Authorization`, a shared cache on the way takes one caller's answer for everybody's (RFC 9111 section 3.5).
            "GET" | "HEAD" => {
                let init = RequestInit::new();
                init.set_cache(RequestCache::NoStore);
                init.into()
            }
            _ => JsValue::UNDEFINED,
        };
        runtime::send(request, &plan.target, &deleted, &set.join("\n"), &init, self)
    }

    fn with_cors(&self, response: &Response) -> Result<JsValue, JsValue> {
        let cors = Cors::new(&self.resource.allowed_origins, self.origin.as_deref());
        let names = runtime::names(response);
        let deleted = only(&names, cors::is_replaced);
        let mut set = vec![cors::EXPOSE_HEADERS, cors::EXPOSED];
        if let Some(origin) = &cors.allow_origin {
            set.extend([cors::ALLOW_ORIGIN, origin]);
        }
        runtime::pass(response, &deleted, &set.join("\n"), cors.varies.then_some("Origin"))
    }

    fn refuse(self, refusal: Refusal) -> Result<JsValue, JsValue> {
        refuse(&Refused::at(self.resource, self.origin.as_deref(), refusal), self.line)
    }
}

/// Those of a list of names.
fn only(names: &str, wanted: impl Fn(&str) -> bool) -> String {
    names.split('\n').filter(|name| wanted(name)).collect::<Vec<_>>().join("\n")
}
