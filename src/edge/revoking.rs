//! A request whose token is good, at a Worker that heeds the list of revoked tokens: reads the list
//! where `revocation_reading` says so, then goes on or refuses.
//!
//! A read belongs to the isolate, not to the request that began it: it runs on under `waitUntil` if
//! that client leaves. A request that waits for another's looks again on its own timer.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::admitted::Admitted;
use super::authorizing::Authorizing;
use super::clock::now;
use super::exchange::{Exchange, promise};
use super::waiting::{self, Awaited, Waiter};
use super::{events, kv, limiting};
use crate::limits;
use crate::refusal::Refusal;
use crate::token::revocation::{self, List, Presented};
use crate::token::revocation_reading::Next;
use crate::token::verify::Verified;

pub(super) struct Revoking {
    pub(super) admitted: Admitted,
    pub(super) verified: Verified,
}

impl Revoking {
    /// To the next promise, or to the end.
    pub(super) fn proceed(self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let isolate = self.admitted.isolate;
        let next = isolate.revocations.borrow().next(now());
        match next {
            Next::Use(list) => self.decide(exchange, list.as_deref()),
            Next::UseAndRead(list) => {
                let _runs_on = self.read(exchange);
                self.decide(exchange, list.as_deref())
            }
            // What is held is too old to let anybody in by it.
            _ if !waiting::has_place(Awaited::Revocations) => {
                self.admitted.refuse(exchange, Refusal::RevocationsUnavailable(limits::WAITERS_RETRY))
            }
            Next::Read => {
                let read = self.read(exchange);
                Ok(self.wait(exchange, Some(&read)))
            }
            Next::Wait => Ok(self.wait(exchange, None)),
        }
    }

    /// Waits for a read of this request's own, or else for another's.
    fn wait(self, exchange: &Exchange, read: Option<&Promise>) -> JsValue {
        let (id, index) = (self.admitted.id, self.admitted.resource().index);
        let go_on = Box::new(|exchange: &Exchange| self.proceed(exchange));
        Waiter { awaited: Awaited::Revocations, index: Some(index), go_on }.wait(exchange, id, read)
    }

    /// Starts a read that outlives this request. Its promise is settled when it has ended.
    fn read(&self, exchange: &Exchange) -> Promise {
        let (isolate, started) = (self.admitted.isolate, now());
        isolate.revocations.borrow_mut().started(started);
        let kv = kv::namespace(&exchange.env());
        let read = promise(async move {
            let found = match kv {
                Some(kv) => kv::text(&kv, revocation::KEY).await,
                None => Err(kv::NO_NAMESPACE.to_owned()),
            };
            let said = isolate.revocations.borrow_mut().ended(found, started, now());
            for (result, detail) in said {
                events::revocations(result, &detail);
            }
            Ok(JsValue::UNDEFINED)
        });
        // Where the runtime does not take it, the read ends with the request that began it.
        let _taken = exchange.context().wait_until(&read);
        read
    }

    fn decide(self, exchange: &Exchange, list: Option<&List>) -> Result<JsValue, JsValue> {
        let Self { admitted, verified } = self;
        if list.is_some_and(|list| list.look(&Presented::of(&verified), now()).revoked) {
            return limiting::refuse(exchange, admitted, Refusal::TokenRevoked);
        }
        limiting::accepted(&admitted);
        Authorizing { admitted, verified: Some(verified) }.proceed(exchange)
    }
}
