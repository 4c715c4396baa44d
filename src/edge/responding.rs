//! The origin's answer on its way to the client. No byte of it passes through wasm, but where lists
//! are filtered.

use wasm_bindgen::prelude::*;

use super::answer::Answer;
use super::exchange::Exchange;
use super::fetch::discard;
use super::header_lists::joined;
use super::isolate::{config, resource};
use super::plan::Duties;
use super::stop::Stop;
use super::{list_filter, log, redirects};
use crate::origin::challenge;
use crate::origin::sessions;
use crate::refusal::Refusal;

const CHALLENGE: &str = "WWW-Authenticate";

const UNAUTHORIZED: u16 = 401;
const FORBIDDEN: u16 = 403;
const SWITCHING_PROTOCOLS: u16 = 101;

/// The origin's answer, as the client gets it. `index`: the resource's. The rest: `Duties`.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_response(
    exchange: &Exchange,
    status: u16,
    index: u32,
    sets_cors: bool,
    binds_sessions: bool,
    filters_lists: bool,
) -> Result<JsValue, JsValue> {
    let duties = Duties { sets_cors, binds_sessions, filters_lists };
    let answer = Answer { exchange, resource: resource(index), duties };
    passed(&answer, status).or_else(|stop| {
        if let Stop::Refused(_) = stop {
            discard(&exchange.response());
        }
        answer.stopped(stop)
    })
}

fn passed(answer: &Answer<'_>, status: u16) -> Result<JsValue, Stop> {
    if status == UNAUTHORIZED {
        return Err(Refusal::OriginUnauthorized.into());
    }
    let session = match answer.duties.binds_sessions {
        true => session(answer.exchange)?,
        false => None,
    };
    // A rebuilt response would lose its WebSocket, and so its session id cannot be bound.
    if session.is_some() && status == SWITCHING_PROTOCOLS {
        return Err(Refusal::SessionUnbindable.into());
    }
    let session = session.as_deref().unwrap_or_default();
    match status {
        SWITCHING_PROTOCOLS => Ok(answer.exchange.hand_back()?),
        200..=299 if answer.duties.filters_lists => list_filter::filter(answer, session),
        FORBIDDEN => challenged(answer, session),
        // `100 Continue` and the like: the runtime takes one for the answer, and drops what
        // follows.
        100..=199 => Ok(answer.unreachable(&format!("the runtime gave an interim answer, {status}"))?),
        300..=399 => {
            let location = answer.resource.and_then(|r| redirects::relocated(answer.exchange, r));
            answer.pass(&joined(&[session, location.as_deref().unwrap_or_default()]))
        }
        _ => answer.pass(session),
    }
}

/// An answer that may have a challenge of the origin's own.
fn challenged(answer: &Answer<'_>, session: &str) -> Result<JsValue, Stop> {
    let response = answer.exchange.response();
    let Some(header) = response.headers().get(CHALLENGE)? else { return answer.pass(session) };
    let metadata = answer.resource.and_then(|resource| resource.challenges.resource_metadata());
    let line = challenge::rewritten(&header, metadata).map(|line| [CHALLENGE, &line].join("\n"));
    answer.rebuild(&response, &[CHALLENGE], &joined(&[session, line.as_deref().unwrap_or_default()]))
}

/// The header with the answer's session id, bound to the caller, if there is one.
fn session(exchange: &Exchange) -> Result<Option<String>, Stop> {
    let Some(id) = exchange.response().headers().get(sessions::HEADER)? else { return Ok(None) };
    // A fresh instance, whose settings are not judged yet, has no keys to bind with.
    let sessions = config().and_then(|config| config.sessions.as_ref());
    let owner: Option<String> = serde_json::from_str(&exchange.owner()).ok();
    let attached = sessions.zip(owner).map(|(sessions, owner)| sessions.attach(&owner, &id));
    let attached = attached.unwrap_or(Err(Refusal::SessionUnbindable))?;
    Ok(Some([sessions::HEADER, &attached].join("\n")))
}

/// There is no answer to pass on. `kind`: `late`, or `unsigned` where the runtime did not sign the
/// assertion, or `unreachable`. `said`: what the runtime says of it.
///
/// # Errors
/// As `fetch`.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_failure(exchange: &Exchange, kind: &str, said: &str) -> Result<JsValue, JsValue> {
    let answer = Answer::of(exchange);
    match kind {
        "late" => answer.refuse(Refusal::OriginTimeout),
        "unsigned" => answer.refuse(Refusal::AssertionUnsigned),
        _ => answer.unreachable(said),
    }
}

/// There is no answer yet.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]
pub fn on_slow(exchange: &Exchange) {
    log::waiting(&log::members_of(exchange, Answer::of(exchange).resource));
}
