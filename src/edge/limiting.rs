//! A request that the rules permit, where limits are set: rate limiters are asked, then it goes on
//! or is refused. And one whose token was refused, where senders of bad tokens are counted.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;

use super::admitted::Admitted;
use super::exchange::{self, Exchange};
use super::header_lists::list;
use super::pending::{Pending, RequestId};
use super::{clock, deciding, events, forwarding};
use crate::limits::{self, Seconds};
use crate::policy::floods::Bearer;
use crate::policy::limits::{Answer, Count, Limit, Sender, count_floods, exceeded, flood_counts, unanswered};
use crate::policy::{Cleared, Denial, Mode};
use crate::refusal::{Challenge, Refusal};
use crate::resource::Resource;

/// Where Cloudflare says who has sent a request; nobody else can say it there.
const ADDRESS: &str = "CF-Connecting-IP";

thread_local! {
    /// Requests that wait for rate limiters.
    static LIMITING: RefCell<Pending<Limiting>> = RefCell::default();
    /// When the log has said last that one gives no answer.
    static TOLD: Cell<Seconds> = const { Cell::new(0) };
}

struct Limiting {
    admitted: Admitted,
    counts: Vec<Count>,
    then: Then,
    /// When the answer should be there, in milliseconds.
    until: f64,
}

/// What becomes of a request that is within its limits.
enum Then {
    GoOn(Box<Cleared>),
    /// It is refused all the same: its token is not good.
    Refuse(Refusal),
}

impl Limiting {
    fn new(admitted: Admitted, counts: Vec<Count>, then: Then) -> Self {
        let longest = limits::LIMITER_MILLISECONDS + limits::WAITER_LOST_MILLISECONDS;
        Self { admitted, counts, then, until: clock::now_milliseconds() + longest as f64 }
    }

    /// Requests of one kind do not take the places of another.
    const fn kind(&self) -> (bool, bool) {
        match &self.then {
            Then::GoOn(cleared) => (true, cleared.verified().is_some()),
            Then::Refuse(_) => (false, false),
        }
    }

    /// Asks the rate limiters; `on_counted` goes on.
    fn ask(self, exchange: &Exchange) -> Result<JsValue, JsValue> {
        let (kind, now) = (self.kind(), clock::now_milliseconds());
        let has_place = |pending: &mut Pending<Self>| {
            pending.has_place(limits::PENDING, |other| other.kind() == kind, |other| other.until < now)
        };
        if !LIMITING.with_borrow_mut(has_place) {
            return self.go_on(exchange, &[]);
        }
        let pairs = self
            .counts
            .iter()
            .flat_map(|count| std::iter::repeat_n((count.binding.as_str(), count.key.as_str()), count.times));
        let (asked, id) = (list(pairs), self.admitted.id);
        LIMITING.with_borrow_mut(|pending| pending.keep_in_place(id, self));
        exchange::count(exchange, &asked, limits::LIMITER_MILLISECONDS as f64)
    }

    /// Goes on with what they say, or with nothing, where too many requests wait for them.
    fn go_on(self, exchange: &Exchange, answers: &[Answer]) -> Result<JsValue, JsValue> {
        let Self { mut admitted, counts, then, .. } = self;
        if let Some(binding) = unanswered(&counts, answers) {
            tell(binding);
        }
        match then {
            Then::GoOn(cleared) => match cleared.counted(&counts, answers) {
                Ok(cleared) => proceed(exchange, admitted, cleared),
                Err(unmet) => admitted.unmet(exchange, unmet),
            },
            Then::Refuse(refusal) => match exceeded(&counts, answers) {
                Some(flood) if enforces(&admitted) => {
                    if let Some(bearer) = &admitted.bearer {
                        admitted.isolate.floods.borrow_mut().exceeded(bearer, &flood, clock::now());
                    }
                    admitted.unmet(exchange, flood)
                }
                flood => {
                    if let Some(flood) = flood {
                        admitted.line.would_refuse(&flood);
                    }
                    admitted.refuse(exchange, refusal)
                }
            },
        }
    }
}

/// On to the limits that are to be counted, to whoever else decides, or to the origin.
pub(super) fn proceed(exchange: &Exchange, admitted: Admitted, cleared: Cleared) -> Result<JsValue, JsValue> {
    let resource = admitted.resource();
    let mut cleared = match cleared.authorized() {
        Ok(authorized) => return forwarding::forward(exchange, admitted, &authorized),
        Err(cleared) if cleared.is_to_be_counted() => cleared,
        Err(cleared) => return deciding::ask(exchange, admitted, cleared),
    };
    let address = address(exchange)?;
    let sender =
        Sender { resource: resource.canonical.as_str(), verified: cleared.verified(), address: &address };
    let counts = cleared.counts(limits_of(resource), &sender);
    cleared.forget_names();
    Limiting::new(admitted, counts, Then::GoOn(cleared)).ask(exchange)
}

/// Refuses a token. Where senders of bad ones are counted, this one is.
pub(super) fn refuse(exchange: &Exchange, admitted: Admitted, refusal: Refusal) -> Result<JsValue, JsValue> {
    let is_bad = matches!(refusal.row().challenge, Challenge::InvalidToken(_) | Challenge::InvalidProof(_));
    match admitted.bearer.as_ref().filter(|_| is_bad) {
        Some(bearer) => {
            let counts = bearer.counts.clone();
            Limiting::new(admitted, counts, Then::Refuse(refusal)).ask(exchange)
        }
        None => admitted.refuse(exchange, refusal),
    }
}

/// Who sends this token, where that matters.
pub(super) fn bearer(
    exchange: &Exchange,
    resource: &Resource,
    token: &str,
) -> Result<Option<Bearer>, JsValue> {
    let limits = limits_of(resource);
    if !count_floods(limits) {
        return Ok(None);
    }
    let counts = flood_counts(limits, resource.canonical.as_str(), &address(exchange)?);
    Ok(Some(Bearer::new(counts, token)))
}

/// Why a token is refused unread: its sender has sent too many bad ones.
pub(super) fn stops(admitted: &Admitted) -> Option<Denial> {
    admitted.isolate.floods.borrow().refuses(admitted.bearer.as_ref()?, clock::now())
}

/// A token was found good.
pub(super) fn accepted(admitted: &Admitted) {
    if let Some(bearer) = &admitted.bearer {
        admitted.isolate.floods.borrow_mut().accepted(bearer);
    }
}

/// Goes on with what the rate limiters say. What is neither `true` nor `false` is no answer.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_counted(exchange: &Exchange, id: RequestId, answers: Vec<JsValue>) -> Result<JsValue, JsValue> {
    let held = LIMITING.with_borrow_mut(|list| list.take(id));
    let limiting = held.ok_or_else(|| JsError::new("this request was lost while it was counted"))?;
    let answers: Vec<Answer> = answers.iter().map(JsValue::as_bool).collect();
    limiting.go_on(exchange, &answers)
}

fn limits_of(resource: &Resource) -> &[Limit] {
    resource.policy.as_ref().map_or(&[], |policy| &policy.limits)
}

fn enforces(admitted: &Admitted) -> bool {
    admitted.resource().policy.as_ref().is_some_and(|policy| policy.mode == Mode::Enforce)
}

/// Where a request comes from. Outside Cloudflare the header is the client's to choose, and workerd
/// says whose socket it is.
fn address(exchange: &Exchange) -> Result<String, JsValue> {
    match exchange::socket(exchange) {
        Some(address) => Ok(address),
        None => Ok(exchange.header(ADDRESS)?.unwrap_or_default()),
    }
}

/// Says in the log that a rate limiter gives no answer, once in a while.
fn tell(binding: &str) {
    let now = clock::now();
    if TOLD.get() + limits::LIMITER_NOTICE <= now {
        TOLD.set(now);
        events::limiter_failed(binding);
    }
}
