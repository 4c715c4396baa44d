//! What to send to the origin, and how its answer is passed on: one value, which crosses into
//! JavaScript as one text.

use wasm_bindgen::{JsError, JsValue};

use super::exchange::Exchange;
use super::log;
use super::signer::Unsigned;
use crate::limits;
use crate::plain;
use crate::resource::Resource;

/// A list is names, or names and values in turn, joined by newlines.
pub(super) struct Plan {
    pub(super) resource: &'static Resource,
    pub(super) target: String,
    /// The headers that the request loses.
    pub(super) removed: String,
    /// The headers that it gets; what is to be signed comes behind them.
    pub(super) set: String,
    /// Whether a cache may neither answer the request nor keep its answer.
    pub(super) bypasses_cache: bool,
    /// What is still to be signed.
    pub(super) unsigned: Option<Unsigned>,
    /// The CORS headers that the answer gets, and the nonce for the client's next proof. Without
    /// them it is passed on as the origin gave it.
    pub(super) cors: Option<String>,
    /// Whether they depend on the request's `Origin`.
    pub(super) varies: bool,
    /// Whose session a new one will be, as a JSON string, if sessions are bound. A subject may have
    /// any character in it.
    pub(super) owner: Option<String>,
    /// Who asks, if lists in the answer are filtered.
    pub(super) caller: Option<String>,
    /// The members of the log's line.
    pub(super) line: String,
}

/// What is to be done with an answer beside passing it on: which of these parts the plan has.
#[derive(Clone, Copy)]
pub(super) struct Duties {
    pub(super) sets_cors: bool,
    pub(super) binds_sessions: bool,
    pub(super) filters_lists: bool,
}

impl Plan {
    /// Sends the request; the promise of the answer.
    pub(super) fn send(&self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let nobody = JsValue::UNDEFINED;
        let signer = self.unsigned.as_ref().map_or(&nobody, |unsigned| &unsigned.signer.key);
        let [notice, limit] =
            [limits::ORIGIN_NOTICE, self.resource.origin_timeout].map(|seconds| seconds as f64 * 1000.0);
        let text = self.text().ok_or_else(|| JsError::new("a part of the plan has a NUL"))?;
        exchange.forward(&text, signer, self.resource.index as u32, notice, limit)
    }

    /// The parts in the order of `Exchange.forward`. A NUL is between them, which no header, no URL
    /// and no JSON has; were there one, the parts behind it would be taken for others.
    fn text(&self) -> Option<String> {
        plain::framed([
            self.target.as_str(),
            &self.removed,
            &self.set,
            if self.bypasses_cache { "no-store" } else { "" },
            self.resource.binding.as_deref().unwrap_or_default(),
            self.unsigned.as_ref().map_or("", |unsigned| &unsigned.input),
            self.cors.as_deref().unwrap_or_default(),
            if self.varies { "Origin" } else { "" },
            self.owner.as_deref().unwrap_or_default(),
            self.caller.as_deref().unwrap_or_default(),
            &self.line,
            log::FORWARDED,
        ])
    }
}
