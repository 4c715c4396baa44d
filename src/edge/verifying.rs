//! A request whose token is being verified: carries out the steps that `verify` asks for, then
//! forwards or refuses.

use std::cell::RefCell;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::admitted::Admitted;
use super::authorizing::Authorizing;
use super::clock::now_milliseconds;
use super::exchange::{self, Exchange};
use super::introspecting::{self, Asking};
use super::key_sets::{self, Keys, Look};
use super::log::{End, FORWARDED};
use super::pending::{Pending, RequestId};
use super::revoking::Revoking;
use super::sources::ServedFrom;
use super::waiting::{self, Awaited, Waiter};
use super::{limiting, measuring, own, webcrypto};
use crate::http::response::LocalResponse;
use crate::token::dpop;
use crate::token::introspection::Told;
use crate::token::trusted_issuer::TrustedIssuer;
use crate::token::verify::{Step, Verification};

thread_local! {
    /// Requests that wait for the runtime to check a signature or to import a key.
    static VERIFYING: RefCell<Pending<Verifying>> = RefCell::default();
}

pub(super) struct Verifying {
    pub(super) admitted: Admitted,
    pub(super) verification: Verification<'static>,
    /// Whether it has begun a fetch of the key set that it waits for.
    pub(super) began: bool,
    /// When an authorization server was asked about the token, in milliseconds.
    pub(super) asked: f64,
}

/// Goes on after a signature check. Only `true` is a yes: an error is a no, since a key that
/// WebCrypto cannot use vouches for nothing.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_signature(exchange: &Exchange, id: RequestId, verdict: &JsValue) -> Result<JsValue, JsValue> {
    let mut verifying = take(id)?;
    verifying.verification.signature(verdict.as_bool() == Some(true));
    verifying.proceed(exchange)
}

/// Goes on after a key was imported. What is no key vouches for nothing.
///
/// # Errors
/// As `on_signature`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_key(exchange: &Exchange, id: RequestId, key: JsValue) -> Result<JsValue, JsValue> {
    let mut verifying = take(id)?;
    if let Step::Signature(check) = verifying.verification.step()
        && webcrypto::keep(&check, key).is_err()
    {
        verifying.verification.signature(false);
    }
    verifying.proceed(exchange)
}

/// Goes on after the signature of a proof was checked. As with a token's, only `true` is a yes.
///
/// # Errors
/// As `on_signature`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_proof(exchange: &Exchange, id: RequestId, verdict: &JsValue) -> Result<JsValue, JsValue> {
    let mut verifying = take(id)?;
    let replays = &verifying.admitted.isolate.replays;
    verifying.verification.proof_signature(verdict.as_bool() == Some(true), &mut replays.borrow_mut());
    verifying.proceed(exchange)
}

fn take(id: RequestId) -> Result<Verifying, JsError> {
    let held = VERIFYING.with_borrow_mut(|list| list.take(id));
    held.ok_or_else(|| JsError::new("this request's verification was lost"))
}

impl Verifying {
    /// To the next promise, or to the end.
    pub(super) fn proceed(mut self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let isolate = self.admitted.isolate;
        loop {
            match self.verification.step() {
                Step::KeySet(id, need) => {
                    let keys = Keys { isolate, exchange };
                    let awaited = Awaited::KeySet(id);
                    match keys.look(id, need, self.verification.kid(), self.began) {
                        Look::Answer(answer) => self.key_set(answer),
                        _ if !waiting::has_place(awaited) => self.key_set(keys.crowded(id)),
                        Look::Wait => return Ok(self.obtain(exchange, awaited, None)),
                        Look::Began(fetch) => return Ok(self.obtain(exchange, awaited, Some(&fetch))),
                    }
                }
                Step::Signature(_) if measuring::UNSIGNED => self.verification.signature(true),
                Step::Signature(check) => match webcrypto::imported(&check) {
                    Some(key) => {
                        let id = self.wait();
                        return key
                            .check(&check, exchange)
                            .or_else(|error| on_signature(exchange, id, &error));
                    }
                    None => {
                        let id = self.wait();
                        return webcrypto::import(&check, exchange)
                            .or_else(|error| on_key(exchange, id, error));
                    }
                },
                Step::Introspection(entry) => match self.asking(entry).look(exchange) {
                    introspecting::Look::Told(told) => self.told(told),
                    introspecting::Look::Ask(text) => return self.ask(exchange, &text),
                    introspecting::Look::Wait(fetch) => {
                        let awaited = Awaited::Endpoint(&entry.rules.issuer);
                        if waiting::has_place(awaited) {
                            return Ok(self.obtain(exchange, awaited, fetch.as_ref()));
                        }
                        self.told(introspecting::crowded(isolate, &entry.rules.issuer));
                    }
                },
                Step::Certificate => {
                    self.verification.certificate(exchange::certificate(exchange).as_deref())
                }
                Step::Proof => {
                    let header = exchange.header(dpop::HEADER)?;
                    let (method, address) =
                        (self.admitted.line.method(), self.admitted.proven_for.as_deref());
                    self.verification.proof(header.as_deref(), method, address.unwrap_or_default());
                }
                Step::ProofSignature(proof) => {
                    let id = self.wait();
                    return webcrypto::prove(&proof, exchange)
                        .or_else(|error| on_proof(exchange, id, &error));
                }
                Step::Done => return self.done(exchange),
            }
        }
    }

    /// Keeps the request until `on_signature` or `on_key`.
    fn wait(self) -> RequestId {
        let id = self.admitted.id;
        VERIFYING.with_borrow_mut(|list| list.keep(id, self, |_| true));
        id
    }

    fn key_set(&mut self, answer: key_sets::KeySetAnswer) {
        self.began = false;
        let from = answer.as_ref().ok().map(|(_, from)| *from);
        self.admitted.line.keys = from.map(ServedFrom::name);
        self.admitted.line.stale_for = match from {
            Some(ServedFrom::Stale(seconds)) => Some(seconds),
            _ => None,
        };
        self.verification.key_set(answer.map(|(set, _)| set));
    }

    fn asking(&self, entry: &'static TrustedIssuer) -> Asking<'_> {
        let Admitted { isolate, .. } = self.admitted;
        Asking { isolate, index: self.admitted.resource().index, entry, token: self.verification.text() }
    }

    /// Asks about the token.
    fn ask(mut self, exchange: &Exchange, text: &str) -> Result<JsValue, JsValue> {
        let (id, index) = (self.admitted.id, self.admitted.resource().index);
        self.asked = now_milliseconds();
        let go_on = Box::new(move |exchange: &Exchange, told: Told| {
            self.told(told);
            self.admitted.line.introspection = Some("server");
            self.proceed(exchange)
        });
        introspecting::ask(exchange, id, index, text, go_on)
    }

    fn told(&mut self, told: Told) {
        self.began = false;
        self.admitted.line.introspection = matches!(told, Told::Remembered(_)).then_some("memory");
        self.verification.introspection(told);
    }

    /// Waits for a key set or an endpoint: for a fetch of this request's own, or else for
    /// another's.
    fn obtain(mut self, exchange: &Exchange, awaited: Awaited, fetch: Option<&Promise>) -> JsValue {
        self.began |= fetch.is_some();
        let (id, index) = (self.admitted.id, self.admitted.resource().index);
        let waiter =
            Waiter { awaited, index: Some(index), go_on: Box::new(|exchange| self.proceed(exchange)) };
        waiter.wait(exchange, id, fetch)
    }

    fn done(self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        if self.verification.is_asked_about() {
            let entries = &self.admitted.resource().entries;
            let asking = entries.iter().find(|entry| entry.introspection.is_some());
            asking.into_iter().for_each(|entry| self.asking(entry).done(&self.verification, self.asked));
        }
        let Self { mut admitted, mut verification, .. } = self;
        admitted.nonce = verification.next_nonce();
        let (resource, line) = (admitted.resource(), &mut admitted.line);
        line.token(&verification);
        match verification.verdict() {
            Ok(_) if measuring::ANSWER => {
                line.at(resource);
                let mut answer = LocalResponse::json(200, r#"{"status":"ok"}"#);
                resource.cors(admitted.origin.as_deref()).apply(&mut answer);
                let line = [&line.members(), FORWARDED].concat();
                own::answer(exchange, &answer, &End { line, point: None })
            }
            Ok(verified) => {
                line.verified(&verified);
                let config = admitted.isolate.config();
                line.called(&verified, config.and_then(|config| config.pseudonyms.as_ref()));
                if config.is_some_and(|config| config.log_subject) {
                    line.sub = Some(verified.permit().identity().subject().to_owned());
                }
                if config.is_some_and(|config| config.revocation) {
                    return Revoking { admitted, verified }.proceed(exchange);
                }
                limiting::accepted(&admitted);
                Authorizing { admitted, verified: Some(verified) }.proceed(exchange)
            }
            Err(refusal) => limiting::refuse(exchange, admitted, refusal),
        }
    }
}
