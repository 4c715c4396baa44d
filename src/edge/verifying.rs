//! A request whose token is being verified: carries out the steps that `verify` asks for, then
//! forwards or refuses.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::authorizing::Authorizing;
use super::isolate::Isolate;
use super::key_sets::{self, Keys, Look};
use super::log::Line;
use super::pending::RequestId;
use super::runtime::{Context, Env};
use super::waiting::{self, Awaited, Waiter};
use super::{measuring, own, refuse, webcrypto};
use crate::admission::Refused;
use crate::http::cors::Cors;
use crate::http::response::LocalResponse;
use crate::route::Protected;
use crate::token::verify::{Step, Verification};

pub(super) struct Verifying {
    pub(super) isolate: &'static Isolate,
    pub(super) id: RequestId,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    pub(super) line: Line,
    pub(super) protected: Protected<'static>,
    pub(super) verification: Verification<'static>,
    /// Whether it has begun a fetch of the key set that it waits for.
    pub(super) began: bool,
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
        KeptEvent(Clone::clone(self.request), self.env.clone(), JsValue::from(self.context).into())
    }
}

impl KeptEvent {
    pub(super) const fn event(&self) -> Event<'_> {
        Event { request: &self.0, env: &self.1, context: &self.2 }
    }
}

/// Goes on after a signature check. Only `true` is a yes: an error is a no, since a key that
/// WebCrypto cannot use vouches for nothing.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_signature(
    id: RequestId,
    verdict: &JsValue,
    request: &Request,
    env: &Env,
    context: &Context,
) -> Result<JsValue, JsValue> {
    resume(id, verdict, Event { request, env, context })
}

/// Goes on after a key was imported. What is no key vouches for nothing.
///
/// # Errors
/// As `on_signature`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_key(
    id: RequestId,
    key: JsValue,
    request: &Request,
    env: &Env,
    context: &Context,
) -> Result<JsValue, JsValue> {
    let held = Isolate::held().and_then(|isolate| isolate.verifying.borrow_mut().take(id));
    let mut verifying = held.ok_or_else(lost)?;
    if let Step::Signature(check) = verifying.verification.step()
        && webcrypto::keep(verifying.isolate, &check, key).is_err()
    {
        verifying.verification.signature(false);
    }
    verifying.proceed(Event { request, env, context })
}

fn lost() -> JsError {
    JsError::new("this request's verification was lost")
}

fn resume(id: RequestId, verdict: &JsValue, event: Event<'_>) -> Result<JsValue, JsValue> {
    let held = Isolate::held().and_then(|isolate| isolate.verifying.borrow_mut().take(id));
    let mut verifying = held.ok_or_else(lost)?;
    verifying.verification.signature(verdict.as_bool() == Some(true));
    verifying.proceed(event)
}

impl Verifying {
    /// To the next promise, or to the end.
    pub(super) fn proceed(mut self, event: Event<'_>) -> Result<JsValue, JsValue> {
        loop {
            match self.verification.step() {
                Step::KeySet(id, need) => {
                    let look = self.keys(event).look(id, need, self.verification.kid(), self.began);
                    let awaited = Awaited::KeySet(id);
                    match look {
                        Look::Answer(answer) => self.key_set(answer),
                        _ if !waiting::has_place(self.isolate, awaited) => {
                            let answer = self.keys(event).crowded(id);
                            self.key_set(answer);
                        }
                        Look::Wait => return Ok(self.obtain(awaited, None, event)),
                        Look::Began(fetch) => return Ok(self.obtain(awaited, Some(&fetch), event)),
                    }
                }
                Step::Signature(_) if measuring::UNSIGNED => self.verification.signature(true),
                Step::Signature(check) => match webcrypto::imported(self.isolate, &check) {
                    Some(key) => {
                        let id = self.wait();
                        return key.check(&check, id, event).or_else(|error| resume(id, &error, event));
                    }
                    None => {
                        let id = self.wait();
                        return webcrypto::import(&check, id, event)
                            .or_else(|error| on_key(id, error, event.request, event.env, event.context));
                    }
                },
                Step::Done => return self.done(event.request),
            }
        }
    }

    const fn keys<'e>(&self, event: Event<'e>) -> Keys<'e> {
        Keys { isolate: self.isolate, env: event.env, context: event.context }
    }

    /// Keeps the request until `on_signature` or `on_key`.
    fn wait(self) -> RequestId {
        let (isolate, id) = (self.isolate, self.id);
        isolate.verifying.borrow_mut().keep(id, self, |_| true);
        id
    }

    fn key_set(&mut self, answer: key_sets::KeySetAnswer) {
        self.began = false;
        let from = answer.as_ref().ok().map(|(_, from)| *from);
        self.line.keys = from.map(key_sets::ServedFrom::name);
        self.line.stale_for = match from {
            Some(key_sets::ServedFrom::Stale(seconds)) => Some(seconds),
            _ => None,
        };
        self.verification.key_set(answer.map(|(set, _)| set));
    }

    /// Waits for a key set: for a fetch of this request's own, or else for another's.
    fn obtain(mut self, awaited: Awaited, fetch: Option<&Promise>, event: Event<'_>) -> JsValue {
        self.began |= fetch.is_some();
        waiting::wait(self.isolate, (self.id, Waiter::ForKeys(Box::new(self))), awaited, fetch, event)
    }

    fn done(mut self, request: &Request) -> Result<JsValue, JsValue> {
        self.line.token(&self.verification);
        let resource = self.protected.resource();
        match self.verification.verdict() {
            Ok(_) if measuring::ANSWER => {
                let mut answer = LocalResponse::json(200, r#"{"status":"ok"}"#);
                Cors::new(&resource.allowed_origins, self.origin.as_deref()).apply(&mut answer);
                own(&answer, &self.line.forwarded(resource))
            }
            Ok(verified) => {
                self.line.verified(&verified);
                if self.isolate.config().is_some_and(|config| config.log_subject) {
                    self.line.sub = Some(verified.permit().identity().subject().to_owned());
                }
                let Self { isolate, id, origin, line, protected, .. } = self;
                Authorizing { isolate, id, origin, line, protected, verified: Some(verified) }
                    .proceed(request)
            }
            Err(refusal) => refuse(&Refused::at(resource, self.origin.as_deref(), refusal), self.line),
        }
    }
}
