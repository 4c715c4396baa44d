//! A request that admission let on: what each stage hands to the next.

use wasm_bindgen::JsValue;

use super::exchange::Exchange;
use super::isolate::Isolate;
use super::log::Line;
use super::own;
use super::pending::RequestId;
use crate::admission::Refused;
use crate::policy::Denial;
use crate::policy::floods::Bearer;
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::route::Protected;

pub(super) struct Admitted {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    /// The request's public address, if its token was sent by DPoP.
    pub(super) proven_for: Option<String>,
    /// The nonce that the client's next proof is to have in it, if the client has to be told.
    pub(super) nonce: Option<String>,
    /// Where senders of bad tokens are counted: this one.
    pub(super) bearer: Option<Bearer>,
}

impl Admitted {
    pub(super) const fn resource(&self) -> &'static Resource {
        self.protected.resource()
    }

    pub(super) fn refuse(self, exchange: &Exchange, refusal: Refusal) -> Result<JsValue, JsValue> {
        let refused = Refused::at(self.protected.resource(), self.origin.as_deref(), refusal)
            .of_scheme(self.proven_for.is_some(), self.nonce);
        own::refuse(exchange, &refused, self.line)
    }

    /// Refuses as the policy says.
    pub(super) fn unmet(mut self, exchange: &Exchange, unmet: Denial) -> Result<JsValue, JsValue> {
        self.line.unmet(&unmet);
        let refused = Refused::unmet(self.protected.resource(), self.origin.as_deref(), unmet)
            .of_scheme(self.proven_for.is_some(), self.nonce);
        own::refuse(exchange, &refused, self.line)
    }
}
