//! A request whose token is being verified: carries out the steps that `verify` asks for, then forwards or refuses.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Request;

use super::isolate::Isolate;
use super::keys::{self, Keys};
use super::log::Line;
use super::proxy::Sending;
use super::runtime::{Context, Env};
use super::{crypto, measuring, own, proxy, refuse};
use crate::answer::Answer;
use crate::config::SourceId;
use crate::cors::Cors;
use crate::decide::Refused;
use crate::forward;
use crate::jwks::Need;
use crate::limits;
use crate::refusal::Refusal;
use crate::route::Protected;
use crate::sessions;
use crate::verify::{Check, Step, Verification};

pub(super) struct Passage {
    pub(super) isolate: &'static Isolate,
    /// No other request of the isolate has it, not even one of an instance before this one: a verdict must never meet another's token.
    pub(super) ticket: f64,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    pub(super) verification: Verification<'static>,
}

/// What the runtime gave with a request.
#[derive(Clone, Copy)]
pub(super) struct Event<'e> {
    pub(super) request: &'e Request,
    pub(super) env: &'e Env,
    pub(super) context: &'e Context,
}

/// The same, for a future.
pub(super) struct KeptEvent(Request, Env, Context);

impl Event<'_> {
    pub(super) fn keep(self) -> KeptEvent {
        // Not `request.clone()`, which is the runtime's own and divides the body.
        KeptEvent(Clone::clone(self.request), self.env.clone(), self.context.clone())
    }
}

impl KeptEvent {
    pub(super) const fn event(&self) -> Event<'_> {
        Event { request: &self.0, env: &self.1, context: &self.2 }
    }
}

/// Goes on after a signature check. Only `true` is a yes: an error is a no, since a key that WebCrypto cannot use vouches for nothing.
///
/// # Errors
/// As `fetch`; and if there is no such passage, because the instance that knew it has panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn checked(
    ticket: f64,
    verdict: &JsValue,
    request: &Request,
    env: &Env,
    context: &Context,
) -> Result<JsValue, JsValue> {
    resume(ticket, verdict, Event { request, env, context })
}

fn resume(ticket: f64, verdict: &JsValue, event: Event<'_>) -> Result<JsValue, JsValue> {
    let held = Isolate::held().and_then(|isolate| Passage::held(isolate, ticket));
    let mut passage = held.ok_or_else(|| JsError::new("this request's verification was lost"))?;
    passage.verification.signature(verdict.as_bool() == Some(true));
    passage.proceed(event)
}

impl Passage {
    /// To the next promise, or to the end.
    pub(super) fn proceed(mut self, event: Event<'_>) -> Result<JsValue, JsValue> {
        loop {
            match self.verification.step() {
                Step::KeySet(id, need) => match self.keys(event).at_hand(id, need, self.verification.kid()) {
                    Some(answer) => self.key_set(answer),
                    None => return Ok(future_to_promise(self.obtain(id, need, event.keep())).into()),
                },
                Step::Signature(_) if measuring::UNSIGNED => self.verification.signature(true),
                Step::Signature(check) => match crypto::imported(self.isolate, &check) {
                    Some(key) => {
                        let ticket = self.wait();
                        return key
                            .check(&check, ticket, event)
                            .or_else(|error| resume(ticket, &error, event));
                    }
                    None => return Ok(future_to_promise(self.import(check, event.keep())).into()),
                },
                Step::Done => return self.done(event),
            }
        }
    }

    const fn keys<'e>(&self, event: Event<'e>) -> Keys<'e> {
        Keys { isolate: self.isolate, env: event.env, context: event.context }
    }

    /// Keeps the passage until `checked`.
    fn wait(self) -> f64 {
        let ticket = self.ticket;
        let mut passages = self.isolate.passages.borrow_mut();
        if passages.len() >= limits::PASSAGES {
            passages.remove(0);
        }
        passages.push(self);
        ticket
    }

    /// The passage that waits with this ticket, no longer kept.
    fn held(isolate: &Isolate, ticket: f64) -> Option<Self> {
        let mut passages = isolate.passages.borrow_mut();
        let at = passages.iter().rposition(|passage| passage.ticket == ticket)?;
        Some(passages.remove(at))
    }

    fn key_set(&mut self, answer: keys::Answer) {
        self.line.keys = answer.as_ref().ok().map(|(_, from)| from.name());
        self.verification.key_set(answer.map(|(set, _)| set));
    }

    async fn obtain(mut self, id: SourceId, need: Need, kept: KeptEvent) -> Result<JsValue, JsValue> {
        let answer = self.keys(kept.event()).obtain(id, need, self.verification.kid()).await;
        self.key_set(answer);
        self.proceed(kept.event())
    }

    async fn import(mut self, check: Check, kept: KeptEvent) -> Result<JsValue, JsValue> {
        if crypto::import(self.isolate, &check).await.is_err() {
            self.verification.signature(false);
        }
        self.proceed(kept.event())
    }

    fn done(self, event: Event<'_>) -> Result<JsValue, JsValue> {
        let Self { isolate, ticket, origin, mut line, protected, verification } = self;
        line.token(&verification);
        let resource = protected.resource();
        let refused = |refusal| Refused::at(resource, origin.as_deref(), refusal);
        let verified = match verification.verdict() {
            Ok(_) if measuring::ANSWER => {
                let mut answer = Answer::json(200, r#"{"status":"ok"}"#);
                Cors::new(&resource.allowed_origins, origin.as_deref()).apply(&mut answer);
                return own(&answer, &line.forwarded(resource));
            }
            Ok(verified) => verified,
            Err(refusal) => return refuse(&refused(refusal), line),
        };
        let permit = verified.permit();
        let config = isolate.config();
        if config.is_some_and(|config| config.log_subject) {
            line.sub = Some(permit.identity().subject().to_owned());
        }
        let asserted = match &resource.assertion {
            None => None,
            Some(assertion) => {
                let signer = isolate.signer();
                let asserted = signer
                    .and_then(|signer| signer.assert(&isolate.reuse, resource, assertion, &verified, ticket));
                match asserted {
                    Some(asserted) => Some(asserted),
                    None => return refuse(&refused(Refusal::AssertionUnsigned), line),
                }
            }
        };
        let owner = || sessions::owner(resource.canonical.as_str(), verified.caller());
        let sending = Sending {
            request: event.request,
            fetcher: if isolate.has_origin { event.env.origin() } else { JsValue::UNDEFINED },
            plan: forward::plan(permit, &protected),
            resource,
            origin: origin.as_deref(),
            bound: config.and_then(|config| config.sessions.as_ref()).map(|sessions| (sessions, owner())),
            asserted,
        };
        proxy::forward(&sending, line)
    }
}
