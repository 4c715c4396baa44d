//! A request that the rules and the limits permit, where somebody else decides: a policy decision
//! point is asked, then it is forwarded or refused.

use std::cell::{Cell, RefCell};

use js_sys::Uint8Array;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

use super::admitted::Admitted;
use super::exchange::{self, Exchange};
use super::pending::{Pending, RequestId};
use super::{clock, events, forwarding};
use crate::limits::{self, Seconds};
use crate::policy::Cleared;
use crate::policy::decision::{Decide, Verdict, outcome};
use crate::refusal::Refusal;

thread_local! {
    /// Requests that wait for a decision.
    static DECIDING: RefCell<Pending<Deciding>> = RefCell::default();
    /// When the log has said last that there is none.
    static TOLD: Cell<Seconds> = const { Cell::new(0) };
}

struct Deciding {
    admitted: Admitted,
    cleared: Box<Cleared>,
    /// When the answer should be there, in milliseconds.
    until: f64,
}

/// Asks; `on_decided` goes on.
pub(super) fn ask(
    exchange: &Exchange,
    admitted: Admitted,
    mut cleared: Box<Cleared>,
) -> Result<JsValue, JsValue> {
    let resource = admitted.resource();
    let Some(decide) = decide(&admitted) else { return admitted.refuse(exchange, Refusal::Misconfigured) };
    let questions = cleared.evaluations(resource.canonical.as_str()).join("\0");
    let (id, is_nobody) = (admitted.id, cleared.verified().is_none());
    let now = clock::now_milliseconds();
    // Those without a credential do not take the places of those with a good one.
    let is_alike = |other: &Deciding| other.cleared.verified().is_none() == is_nobody;
    let has_place =
        |list: &mut Pending<Deciding>| list.has_place(limits::PENDING, is_alike, |other| other.until < now);
    if !DECIDING.with_borrow_mut(has_place) {
        let nothing = Verdict::Unknown(format!("{} requests wait for it already", limits::PENDING));
        let verdicts = vec![nothing; cleared.asked()];
        return go_on(exchange, admitted, *cleared, decide, &verdicts);
    }
    let until = now + (decide.milliseconds + limits::WAITER_LOST_MILLISECONDS) as f64;
    DECIDING.with_borrow_mut(|list| list.keep_in_place(id, Deciding { admitted, cleared, until }));
    let (binding, milliseconds) = (decide.binding.as_deref().unwrap_or_default(), decide.milliseconds as f64);
    let limit = limits::DOCUMENT_BYTES as f64;
    exchange::decide(exchange, binding, &decide.url, &questions, milliseconds, limit)
}

/// Goes on with what a policy decision point says: statuses and bodies in turn. Where it has said
/// nothing, there is no status, and the body is why.
///
/// # Errors As `fetch`; and if there is no such request, because the instance that knew it has
/// panicked.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_decided(exchange: &Exchange, id: RequestId, answers: Vec<JsValue>) -> Result<JsValue, JsValue> {
    let held = DECIDING.with_borrow_mut(|list| list.take(id));
    let deciding = held.ok_or_else(|| JsError::new("this request was lost while it was decided on"))?;
    let Deciding { admitted, cleared, .. } = deciding;
    let Some(decide) = decide(&admitted) else { return admitted.refuse(exchange, Refusal::Misconfigured) };
    let verdicts: Vec<Verdict> = answers.chunks(2).map(verdict).collect();
    go_on(exchange, admitted, *cleared, decide, &verdicts)
}

/// Forwards a request, or refuses it.
fn go_on(
    exchange: &Exchange,
    mut admitted: Admitted,
    cleared: Cleared,
    decide: &Decide,
    verdicts: &[Verdict],
) -> Result<JsValue, JsValue> {
    let (refusal, said) = outcome(verdicts, cleared.asked(), decide.lets_through);
    admitted.line.decided(said);
    if refusal != Some(Refusal::DecisionDenied)
        && let Some(said) = said
    {
        tell(decide, said);
    }
    match cleared.decided(refusal) {
        Ok(authorized) => forwarding::forward(exchange, admitted, &authorized),
        Err(unmet) => admitted.unmet(exchange, unmet),
    }
}

fn decide(admitted: &Admitted) -> Option<&'static Decide> {
    admitted.resource().policy.as_ref()?.decide.as_ref()
}

fn verdict(answer: &[JsValue]) -> Verdict {
    let [status, body] = answer else { return Verdict::Unknown(String::new()) };
    match status.as_f64() {
        Some(status) => Verdict::read(status as u16, body.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)),
        None => Verdict::Unknown(body.as_string().unwrap_or_default()),
    }
}

/// Says in the log that there is no decision, once in a while.
fn tell(decide: &Decide, why: &str) {
    let now = clock::now();
    if TOLD.get() + limits::LIMITER_NOTICE <= now {
        TOLD.set(now);
        events::undecided(decide.binding.as_deref().unwrap_or(&decide.url), why);
    }
}
