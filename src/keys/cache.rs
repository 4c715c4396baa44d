//! When a key set is used and when it is fetched: the policy, without I/O.
//!
//! `next` looks at what an isolate holds of one key set and says what to do; the edge does it,
//! writes down what came of it, and asks again. Rules, in order; a set is "fresh" for `CACHE_TTL`
//! or what the issuer's `max-age` shortens that to, and "kept" for 24 h more:
//!
//! | asked for | held | last fetch | next |
//! |---|---|---|---|
//! | any key | fresh | any | use |
//! | any key | fresh, in the last fifth | neither running nor backing off | use, and refresh after answering |
//! | any key | kept | running, or backing off | use as stale |
//! | any key | kept, or nothing | neither | refresh: KV, then the issuer |
//! | any key | nothing | running | wait for it |
//! | any key | nothing | backing off | unavailable until the next try |
//! | an unknown `kid` | a set | running | wait for it: it may bring the key |
//! | an unknown `kid` | a set | backing off | unavailable: the key may be one that could not be fetched |
//! | an unknown `kid` | a set | another unknown `kid`'s, less than 30 s ago | use what is held |
//! | an unknown `kid` | a set | otherwise | refresh from the issuer, past KV, whose copy can be old by design |
//!
//! 1. A failed fetch backs off for 15 s, doubling up to 5 min, with jitter from the second failure
//!    on. It never touches what is held.
//! 2. A fetch that has been running for longer than it may take belonged to an isolate's lost
//!    request: it counts as over.
//! 3. A set never replaces a newer one.
//! 4. Waiting is done on the waiter's own timer, never on the other request's promise, which the
//!    runtime would cancel.
//! 5. An issuer's metadata is read when its `jwks_uri` is not known, and again when an unknown
//!    `kid` is not in the refetched set either, at most once in 10 minutes: the key set may have
//!    moved.

use std::rc::Rc;

use crate::keys::set::KeySet;
use crate::limits::{self, Seconds};

/// What an isolate knows of one key set.
#[derive(Clone, Debug, Default)]
pub struct State {
    held: Option<Held>,
    last_fetch: Option<Fetch>,
    /// Failed fetches since the last good one.
    failures: u32,
    /// The start of the last fetch for an unknown `kid` that brought a set. One that failed or was
    /// lost has answered nobody's question.
    last_kid_fetch: Option<Seconds>,
    last_metadata_reread: Option<Seconds>,
    /// When KV was last known to be written.
    last_kv_write: Option<Seconds>,
}

/// A key set, and how long it is good for.
#[derive(Clone, Debug)]
pub struct Held {
    pub set: Rc<KeySet>,
    /// When the issuer gave it, whichever isolate asked.
    pub fetched_at: Seconds,
    pub fresh_for: Seconds,
}

impl Held {
    fn is_fresh(&self, now: Seconds) -> bool {
        age(now, self.fetched_at) < self.fresh_for
    }

    fn is_kept(&self, now: Seconds) -> bool {
        self.kept_for(now) > 0
    }

    /// Seconds until it is let go, though nothing is there in its place.
    fn kept_for(&self, now: Seconds) -> Seconds {
        (self.fresh_for + limits::STALE).saturating_sub(age(now, self.fetched_at))
    }

    /// The last fifth of its freshness, and whatever comes after.
    fn is_due(&self, now: Seconds) -> bool {
        age(now, self.fetched_at) >= self.fresh_for - self.fresh_for / 5
    }
}

#[derive(Clone, Copy, Debug)]
enum Fetch {
    Running { since: Seconds, need: Need },
    Done,
    Failed { until: Seconds },
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
    UseAndRefresh(Rc<KeySet>),
    /// For so many seconds more, unless a fetch succeeds.
    UseStale(Rc<KeySet>, Seconds),
    /// Fetch now, and ask again.
    Refresh,
    /// Look again in a moment.
    Wait,
    /// Nothing to be had; seconds until the next fetch.
    Unavailable(Seconds),
}

/// The table above.
pub fn next(state: &State, need: Need, now: Seconds) -> Next {
    let held = state.held.as_ref().filter(|held| held.is_kept(now));
    let running = state.is_running(now);
    let backing_off = state.backs_off_for(now);
    let idle = !running && backing_off.is_none();
    match (need, held) {
        (Need::Any, Some(held)) if held.is_fresh(now) => {
            let set = Rc::clone(&held.set);
            if idle && held.is_due(now) { Next::UseAndRefresh(set) } else { Next::Use(set) }
        }
        (Need::Any, Some(held)) if !idle => Next::UseStale(Rc::clone(&held.set), held.kept_for(now)),
        (Need::UnknownKid, Some(held)) if idle && state.kid_cools_down(now) => {
            Next::Use(Rc::clone(&held.set))
        }
        _ if running => Next::Wait,
        _ => backing_off.map_or(Next::Refresh, Next::Unavailable),
    }
}

impl State {
    /// What is held, whatever its age.
    pub const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Written down before a fetch, so that concurrent requests do not start another one.
    pub fn fetch_started(&mut self, need: Need, now: Seconds) {
        self.last_fetch = Some(Fetch::Running { since: now, need });
    }

    /// The fetch ended with a set.
    pub fn fetched(&mut self, found: Held) {
        if let Some(Fetch::Running { since, need: Need::UnknownKid }) = self.last_fetch {
            self.last_kid_fetch = Some(since);
        }
        self.last_fetch = Some(Fetch::Done);
        self.failures = 0;
        self.adopt(found);
    }

    /// The fetch ended without one. `jitter`, from 0 to 1, spreads the isolates that an outage has
    /// brought into step.
    pub fn fetch_failed(&mut self, now: Seconds, jitter: f64) {
        let doubled = limits::RETRY << self.failures.min(8);
        let spread = if self.failures == 0 { 1.0 } else { 1.0 - jitter.clamp(0.0, 1.0) / 5.0 };
        let delay = (doubled.min(limits::RETRY_MAX) as f64 * spread) as Seconds;
        self.failures += 1;
        self.last_fetch = Some(Fetch::Failed { until: now + delay });
    }

    /// Takes a set, unless a newer one is held.
    fn adopt(&mut self, found: Held) {
        if self.held.as_ref().is_none_or(|held| held.fetched_at <= found.fetched_at) {
            self.held = Some(found);
        }
    }

    /// KV's copy: taken if it is newer than what is held. Whether it ends the fetch, too: it does
    /// if it is not due itself.
    pub fn found_in_kv(&mut self, found: Held, now: Seconds) -> bool {
        self.last_kv_write = self.last_kv_write.max(Some(found.fetched_at));
        let newer = self.held.as_ref().is_none_or(|held| held.fetched_at < found.fetched_at);
        let serves = newer && !found.is_due(now);
        if serves {
            self.fetched(found);
        } else {
            self.adopt(found);
        }
        serves
    }

    /// Whether to look into the issuer's metadata again, since an unknown `kid` is not in the
    /// refetched set either; written down at once.
    pub fn may_reread_metadata(&mut self, now: Seconds) -> bool {
        let lately = self.last_metadata_reread.is_some_and(|at| age(now, at) < limits::METADATA_REREAD);
        if !lately {
            self.last_metadata_reread = Some(now);
        }
        !lately
    }

    /// Whether KV may be written: at most once a minute, whoever wrote it; written down at once.
    pub fn may_write_kv(&mut self, now: Seconds) -> bool {
        let lately = self.last_kv_write.is_some_and(|at| age(now, at) < limits::KV_WRITE);
        if !lately {
            self.last_kv_write = Some(now);
        }
        !lately
    }

    fn is_running(&self, now: Seconds) -> bool {
        matches!(self.last_fetch, Some(Fetch::Running { since, .. }) if age(now, since) <= limits::REFRESH_SECONDS)
    }

    fn backs_off_for(&self, now: Seconds) -> Option<Seconds> {
        match self.last_fetch {
            Some(Fetch::Failed { until }) => {
                until.checked_sub(now).filter(|left| (1..=limits::RETRY_MAX).contains(left))
            }
            _ => None,
        }
    }

    fn kid_cools_down(&self, now: Seconds) -> bool {
        self.last_kid_fetch.is_some_and(|at| age(now, at) < limits::KID_COOL_DOWN)
    }
}

/// Seconds that a set is fresh: `ttl`, which the issuer's `Cache-Control` shortens and never
/// lengthens, and never below a minute.
pub fn fresh_for(cache_control: Option<&str>, ttl: Seconds) -> Seconds {
    let directives = cache_control.unwrap_or_default().split(',').map(|d| d.trim().to_ascii_lowercase());
    let shortest = directives.filter_map(|directive| match directive.split_once('=') {
        Some(("max-age", seconds)) => seconds.trim_matches('"').parse().ok(),
        None if directive == "no-store" || directive == "no-cache" => Some(0),
        _ => None,
    });
    shortest.min().unwrap_or(ttl).max(limits::FRESH_MIN).min(ttl)
}

/// Seconds since then; none if the clock was set back.
fn age(now: Seconds, then: Seconds) -> Seconds {
    now.saturating_sub(then)
}
