//! A request whose token is being verified: carries out the steps that `verify` asks for, then forwards or refuses.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Request;

use super::isolate::Isolate;
use super::keys::{Answer, Keys};
use super::log::Line;
use super::runtime::{Context, Env};
use super::{crypto, proxy, refuse};
use crate::claims::Permit;
use crate::config::SourceId;
use crate::decide::Refused;
use crate::forward;
use crate::jwks::Need;
use crate::refusal::Refusal;
use crate::route::Protected;
use crate::verify::{Check, Step, Verification};

#[wasm_bindgen]
pub struct Passage {
    pub(super) isolate: &'static Isolate,
    pub(super) request: Request,
    pub(super) env: Env,
    pub(super) context: Context,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    pub(super) verification: Verification<'static>,
}

#[wasm_bindgen]
impl Passage {
    /// Goes on after a signature check. Only `true` is a yes; an error is a no: a key that WebCrypto cannot use vouches for nothing.
    ///
    /// # Errors
    /// As `fetch`.
    pub fn checked(mut self, verdict: &JsValue) -> Result<JsValue, JsValue> {
        self.verification.signature(verdict.as_bool() == Some(true));
        self.proceed()
    }
}

impl Passage {
    /// To the next promise, or to the end.
    pub(super) fn proceed(mut self) -> Result<JsValue, JsValue> {
        loop {
            match self.verification.step() {
                Step::KeySet(id, need) => match self.keys().at_hand(id, need, self.verification.kid()) {
                    Some(answer) => self.key_set(answer),
                    None => return Ok(future_to_promise(self.fetch_keys(id, need)).into()),
                },
                Step::Signature(check) => match crypto::imported(self.isolate, &check) {
                    Some(key) => return key.check(&check, self),
                    None => return Ok(future_to_promise(self.import_key(check)).into()),
                },
                Step::Done(verdict) => return self.done(verdict),
            }
        }
    }

    const fn keys(&self) -> Keys<'_> {
        Keys { isolate: self.isolate, env: &self.env, context: &self.context }
    }

    fn key_set(&mut self, answer: Answer) {
        self.line.keys = answer.as_ref().ok().map(|(_, from)| from.name());
        self.verification.key_set(answer.map(|(set, _)| set));
    }

    async fn fetch_keys(mut self, id: SourceId, need: Need) -> Result<JsValue, JsValue> {
        let answer = self.keys().obtain(id, need, self.verification.kid()).await;
        self.key_set(answer);
        self.proceed()
    }

    async fn import_key(mut self, check: Check) -> Result<JsValue, JsValue> {
        match crypto::import(self.isolate, &check).await {
            Ok(key) => key.check(&check, self),
            Err(_) => {
                self.verification.signature(false);
                self.proceed()
            }
        }
    }

    fn done(mut self, verdict: Result<Permit, Refusal>) -> Result<JsValue, JsValue> {
        self.line.token(&self.verification);
        let resource = self.protected.resource();
        match verdict {
            Ok(permit) => {
                if self.isolate.config().is_some_and(|config| config.log_subject) {
                    self.line.sub = Some(permit.identity().subject().to_owned());
                }
                let plan = forward::plan(&permit, &self.protected);
                let exchange = proxy::Exchange { resource, origin: self.origin, line: self.line };
                exchange.begin(&self.request, &plan)
            }
            Err(refusal) => refuse(&Refused::at(resource, self.origin.as_deref(), refusal), self.line),
        }
    }
}
