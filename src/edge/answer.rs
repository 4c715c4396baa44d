//! What every answer to a forwarded request comes to: the origin's, as it came or with other
//! headers, or a refusal after all.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::exchange::{Exchange, said};
use super::isolate::{audits, logging, names_requests, resource};
use super::log::End;
use super::plan::Duties;
use super::stop::Stop;
use super::{log, own};
use crate::admission::Refused;
use crate::http::cors;
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::resource::logging::Lines;

thread_local! {
    /// The headers of an answer that are the Worker's own.
    static OWN: Array = cors::RESPONSE_HEADERS.iter().map(|name| JsValue::from(*name)).collect();
}

/// An answer to a request that was sent on.
pub(super) struct Answer<'e> {
    pub(super) exchange: &'e Exchange,
    /// None: the settings of a fresh instance are not judged yet.
    pub(super) resource: Option<&'static Resource>,
    pub(super) duties: Duties,
}

impl<'e> Answer<'e> {
    /// What the exchange says of it.
    pub(super) fn of(exchange: &'e Exchange) -> Self {
        let duties = Duties {
            sets_cors: !exchange.cors().is_empty(),
            binds_sessions: !exchange.owner().is_empty(),
            filters_lists: !exchange.caller().is_empty(),
        };
        Self { exchange, resource: exchange.resource().and_then(resource), duties }
    }

    /// The origin's, but for CORS, with these headers.
    pub(super) fn pass(&self, added: &str) -> Result<JsValue, Stop> {
        if !self.duties.sets_cors && added.is_empty() && !names_requests() {
            return Ok(self.exchange.hand_back()?);
        }
        self.rebuild(&self.exchange.response(), &[], added)
    }

    /// A response without the headers that are the Worker's own, and without these, and with
    /// others.
    pub(super) fn rebuild(
        &self,
        response: &Response,
        replaced: &[&str],
        added: &str,
    ) -> Result<JsValue, Stop> {
        let replaced: Array = replaced.iter().map(|name| JsValue::from(*name)).collect();
        let removed = if self.duties.sets_cors { OWN.with(|own| own.concat(&replaced)) } else { replaced };
        Ok(self.exchange.rebuild(response, &removed, added)?)
    }

    /// The answer to a request that went no further.
    pub(super) fn stopped(&self, stop: Stop) -> Result<JsValue, JsValue> {
        match stop {
            Stop::Refused(refusal) => self.refuse(refusal),
            Stop::Runtime(error) => self.unreachable(&said(&error)),
        }
    }

    pub(super) fn refuse(&self, refusal: Refusal) -> Result<JsValue, JsValue> {
        let credential = self
            .resource
            .filter(|_| refusal == Refusal::OriginUnauthorized)
            .map(|resource| resource.delivery.credential(resource.assertion.as_ref()));
        self.refuse_saying(refusal, credential.as_deref().map(|shown| ("credential", shown)))
    }

    /// `said`: what the runtime says of it.
    pub(super) fn unreachable(&self, said: &str) -> Result<JsValue, JsValue> {
        self.refuse_saying(Refusal::OriginUnreachable, Some(("detail", said)))
    }

    /// Refuses after all. `said`: a member of the log's line that says more.
    fn refuse_saying(&self, refusal: Refusal, said: Option<(&str, &str)>) -> Result<JsValue, JsValue> {
        let origin = self.exchange.header("origin")?;
        let refused = match self.resource {
            Some(resource) => Refused::at(resource, origin.as_deref(), refusal),
            None => Refused::elsewhere(refusal),
        };
        let line = match logging().lines {
            Lines::None => String::new(),
            _ => log::refused(&log::members_of(self.exchange, self.resource), refusal, said),
        };
        let end = End::after_all(line, audits(), refusal);
        own::answer(self.exchange, &refused.answer(), &end)
    }
}
