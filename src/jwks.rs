//! When a key set is used, read and fetched: the policy, without I/O.
//!
//! `next` looks at what an isolate holds of one key set and says what to do next; the edge does it, writes down what came of it, and asks again. Rules, in
//! order; "fresh" is younger than `CACHE_TTL`, "kept" is at most 24 h older than that:
//!
//! | asked for | what is held | last fetch | next |
//! |---|---|---|---|
//! | any key | fresh | any | use |
//! | any key | not fresh | running | kept: use it as stale; else wait for that fetch |
//! | any key | not fresh | failed less than 15 s ago | kept: use it as stale; else unavailable |
//! | any key | not fresh | otherwise | read KV, then fetch |
//! | an unknown `kid` | a set | running | wait for that fetch |
//! | an unknown `kid` | a set | failed less than 15 s ago | unavailable: the key may be one that could not be fetched |
//! | an unknown `kid` | a set | another unknown `kid`'s, less than 30 s ago | use what is held |
//! | an unknown `kid` | a set | otherwise | fetch, past KV, whose copy can be old by design |
//!
//! A fetch that has been running for longer than a fetch may take belonged to a request that was cancelled: it counts as over. What is held is only replaced
//! by something fetched later. Waiting is done on the waiter's own timer, never on the other request's promise, which the runtime would cancel.

use std::rc::Rc;

use crate::keys::KeySet;
use crate::limits::{FETCH_SECONDS, KID_COOL_DOWN, RETRY, STALE, Seconds};

/// What an isolate knows of one key set.
#[derive(Clone, Debug, Default)]
pub struct State {
    held: Option<Held>,
    last_fetch: Option<Fetch>,
    last_kid_fetch: Option<Seconds>,
}

/// A key set and where it came from.
#[derive(Clone, Debug)]
pub struct Held {
    pub set: Rc<KeySet>,
    /// When the issuer gave it, whichever isolate asked.
    pub fetched_at: Seconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fetch {
    started: Seconds,
    result: FetchResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FetchResult {
    Running,
    Done,
    Failed,
}

/// What a request asks of a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The set as it is.
    Any,
    /// The token's `kid` is not in the set that was given.
    UnknownKid,
}

/// What to do next.
#[derive(Clone, Debug)]
pub enum Next {
    Use(Rc<KeySet>),
    UseStale(Rc<KeySet>),
    ReadKv,
    Fetch,
    /// Look again in a moment.
    Wait,
    /// Nothing to be had; seconds until the next fetch.
    Unavailable(Seconds),
}

/// The table above. `kv_read`: this request has already looked into KV, or there is none.
pub fn next(state: &State, need: Need, ttl: Seconds, now: Seconds, kv_read: bool) -> Next {
    let held = state.held.as_ref().filter(|held| age(now, held.fetched_at) < ttl + STALE);
    let running = state.runs(now);
    let retry_in = state.retry_in(now);
    match (need, held) {
        (Need::Any, Some(held)) if age(now, held.fetched_at) < ttl => Next::Use(Rc::clone(&held.set)),
        (Need::Any, Some(held)) if running || retry_in.is_some() => Next::UseStale(Rc::clone(&held.set)),
        (Need::UnknownKid, Some(held)) if !running && retry_in.is_none() && state.kid_cools_down(now) => {
            Next::Use(Rc::clone(&held.set))
        }
        _ if running => Next::Wait,
        (Need::Any, _) if !kv_read && retry_in.is_none() => Next::ReadKv,
        _ => retry_in.map_or(Next::Fetch, Next::Unavailable),
    }
}

impl State {
    /// Written down before a fetch, so that concurrent requests do not start another one.
    pub fn fetch_started(&mut self, need: Need, now: Seconds) {
        self.last_fetch = Some(Fetch { started: now, result: FetchResult::Running });
        if need == Need::UnknownKid {
            self.last_kid_fetch = Some(now);
        }
    }

    /// The issuer gave a set.
    pub fn fetched(&mut self, set: Rc<KeySet>, now: Seconds) {
        self.last_fetch = Some(Fetch { started: now, result: FetchResult::Done });
        self.adopt(Held { set, fetched_at: now });
    }

    /// The issuer gave none.
    pub fn fetch_failed(&mut self, now: Seconds) {
        self.last_fetch = Some(Fetch { started: now, result: FetchResult::Failed });
    }

    /// Takes a set, unless a newer one is held. A time in the future is some clock's mistake, and must not keep a set alive.
    pub fn adopt(&mut self, found: Held) {
        if self.held.as_ref().is_none_or(|held| held.fetched_at <= found.fetched_at) {
            self.held = Some(found);
        }
    }

    fn runs(&self, now: Seconds) -> bool {
        self.last_fetch
            .is_some_and(|f| f.result == FetchResult::Running && age(now, f.started) <= FETCH_SECONDS)
    }

    fn retry_in(&self, now: Seconds) -> Option<Seconds> {
        let fetch = self.last_fetch.filter(|f| f.result == FetchResult::Failed)?;
        RETRY.checked_sub(age(now, fetch.started)).filter(|left| *left > 0)
    }

    fn kid_cools_down(&self, now: Seconds) -> bool {
        self.last_kid_fetch.is_some_and(|at| age(now, at) < KID_COOL_DOWN)
    }
}

/// Seconds since then; none if the clock was set back.
fn age(now: Seconds, then: Seconds) -> Seconds {
    now.saturating_sub(then)
}
