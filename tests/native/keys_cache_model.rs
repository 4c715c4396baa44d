//! A model of time, issuer, KV and isolates, driven at random against the cache policy: 200 000
//! steps, and what must hold in each of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use mcp_edge_auth::keys::cache::{Held, Need, Next, State, fresh_for, next};
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::limits::{CACHE_TTL, KID_COOL_DOWN, REFRESH_SECONDS, RETRY, STALE, Seconds};

/// Deterministic, so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A set with these kids; the key values do not matter to the policy.
fn set(kids: &[u64]) -> KeySet {
    let x = "A".repeat(42) + "E";
    let keys: Vec<String> = kids
        .iter()
        .map(|kid| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}"}}"#))
        .collect();
    KeySet::parse(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).expect("a usable set")
}

fn has(set: &KeySet, kid: u64) -> bool {
    set.kids().any(|k| k == kid.to_string())
}

struct Running {
    need: Need,
    started: Seconds,
    ends: Seconds,
    /// The isolate lost the request that ran it: it never ends.
    lost: bool,
}

struct World {
    dice: Dice,
    now: Seconds,
    ttl: Seconds,
    issuer_up: bool,
    /// kid → when it was published; withdrawn kids are gone.
    published: BTreeMap<u64, Seconds>,
    newest: u64,
    kv: Option<Held>,
    state: State,
    running: Option<Running>,
    /// What the invariants need to remember of this isolate.
    /// The start of the last fetch for an unknown kid that brought a set.
    last_kid_fetch: Option<Seconds>,
    last_failure: Option<Seconds>,
    counts: BTreeMap<&'static str, u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let ttl = 60 + dice.roll(4000);
        Self {
            dice,
            now: 1_000_000,
            ttl,
            issuer_up: true,
            published: BTreeMap::from([(0, 0)]),
            newest: 0,
            kv: None,
            state: State::default(),
            running: None,
            last_kid_fetch: None,
            last_failure: None,
            counts: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        match self.dice.roll(20) {
            0 => self.issuer_up = !self.issuer_up,
            1 => self.rotate(),
            2 => self.restart(),
            3 => self.pass(3600),
            4 => self.pass(40_000),
            5..=9 => self.pass(20),
            _ => self.request(),
        }
    }

    fn pass(&mut self, most: u64) {
        self.now += self.dice.roll(most);
        if self.running.as_ref().is_some_and(|r| !r.lost && r.ends <= self.now) {
            self.end_fetch();
        }
    }

    fn rotate(&mut self) {
        self.newest += 1;
        self.published.insert(self.newest, self.now);
        while self.published.len() > 3 {
            self.published.pop_first();
        }
    }

    fn restart(&mut self) {
        self.state = State::default();
        self.running = None;
        self.last_kid_fetch = None;
        self.last_failure = None;
    }

    /// A request with a current, an old or a made-up kid.
    fn request(&mut self) {
        let kid = match self.dice.roll(4) {
            0 => 1_000_000 + self.dice.roll(1000),
            1 => self.newest.saturating_sub(self.dice.roll(4)),
            _ => self.newest,
        };
        let mut need = Need::Any;
        for _ in 0..200 {
            match next(&self.state, need, self.now) {
                Next::Use(set) | Next::UseStale(set, _) if need == Need::Any && !has(&set, kid) => {
                    self.check_age();
                    need = Need::UnknownKid;
                }
                Next::UseAndRefresh(set) => {
                    self.check_age();
                    self.start_fetch(Need::Any);
                    if has(&set, kid) {
                        return self.count("used");
                    }
                    need = Need::UnknownKid;
                }
                Next::Use(set) | Next::UseStale(set, _) => {
                    self.check_age();
                    if has(&set, kid) {
                        return self.count("used");
                    }
                    return self.unauthorized(kid);
                }
                Next::Refresh => self.start_fetch(need),
                Next::Wait => self.pass(2),
                Next::Unavailable(seconds) => {
                    assert!((1..=300).contains(&seconds), "Retry-After {seconds}");
                    assert!(self.last_failure.is_some(), "unavailable without a failure");
                    return self.count("unavailable");
                }
            }
        }
        panic!("a request went in circles");
    }

    /// 401 `kid_unknown`: only for a key that was not published, or so lately that the cool-down
    /// stands before it.
    fn unauthorized(&mut self, kid: u64) {
        let published = self.published.get(&kid);
        assert!(
            published.is_none_or(|at| self.now - at < KID_COOL_DOWN),
            "401 for a key that was published {} s ago",
            self.now - published.unwrap()
        );
        self.count("unauthorized");
    }

    /// Whatever `next` hands out is within its time.
    fn check_age(&self) {
        let held = self.state.held().expect("a set was handed out");
        assert!(self.now - held.fetched_at < held.fresh_for + STALE, "a key was used past its time");
        assert!(held.fresh_for <= self.ttl);
    }

    fn start_fetch(&mut self, need: Need) {
        if need == Need::UnknownKid
            && let Some(at) = self.last_kid_fetch
        {
            assert!(self.now - at >= KID_COOL_DOWN, "a refetch for a kid inside the cool-down");
        }
        if let Some(at) = self.last_failure {
            assert!(self.now - at >= RETRY, "a fetch {} s after a failed one", self.now - at);
        }
        if let Some(running) = &self.running {
            let overdue = self.now.saturating_sub(running.ends) > 0 && running.lost;
            assert!(overdue, "two fetches at once");
        }
        self.count("fetches");
        self.state.fetch_started(need, self.now);
        let lost = self.dice.roll(30) == 0;
        let takes = if lost { REFRESH_SECONDS } else { self.dice.roll(6) };
        self.running = Some(Running { need, started: self.now, ends: self.now + takes, lost });
        if takes == 0 {
            self.end_fetch();
        }
    }

    fn end_fetch(&mut self) {
        let Some(Running { need, started, .. }) = self.running.take() else { return };
        let before = self.state.held().map(|held| held.fetched_at);
        if let (Need::Any, Some(kv)) = (need, self.kv.clone())
            && self.state.found_in_kv(kv, self.now)
        {
            self.last_failure = None;
            return self.count("from KV");
        }
        if !self.issuer_up {
            self.state.fetch_failed(self.now, self.dice.roll(100) as f64 / 100.0);
            self.last_failure = Some(self.now);
            let after = self.state.held().map(|held| held.fetched_at);
            assert!(after >= before, "a failure lost a good set");
            return self.count("failures");
        }
        let kids: Vec<u64> = self.published.keys().copied().collect();
        let max_age = format!("public, max-age={}", self.dice.roll(5000));
        let fresh_for = fresh_for(Some(&max_age), self.ttl);
        let held = Held { set: Rc::new(set(&kids)), fetched_at: self.now, fresh_for };
        self.state.fetched(held.clone());
        self.last_failure = None;
        if need == Need::UnknownKid {
            self.last_kid_fetch = Some(started);
        }
        if self.state.may_write_kv(self.now) {
            self.kv = Some(held);
        }
        assert_eq!(
            self.state.held().map(|held| held.fetched_at),
            Some(self.now),
            "a newer set was not taken"
        );
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

#[test]
fn the_policy_holds_in_a_random_world() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 1..=100_u64 {
        let mut world = World::new(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        for _ in 0..2000 {
            world.step();
        }
        for (what, count) in world.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    // Every kind of ending was met, or the model proves nothing.
    for what in ["used", "unauthorized", "unavailable", "fetches", "failures", "from KV"] {
        assert!(counts.get(what).is_some_and(|n| *n > 100), "{what}: {counts:?}");
    }
}

#[test]
fn an_issuers_max_age_shortens_freshness_and_never_lengthens_it() {
    let rows = [
        (None, 3600, 3600),
        (Some(""), 3600, 3600),
        (Some("max-age=600"), 3600, 600),
        (Some("public, Max-Age=600"), 3600, 600),
        (Some("max-age=\"600\""), 3600, 600),
        (Some("max-age=86400"), 3600, 3600),
        (Some("max-age=10"), 3600, 60),
        (Some("max-age=0"), 60, 60),
        (Some("no-store"), 3600, 60),
        (Some("no-cache"), 3600, 60),
        (Some("no-store, no-cache, max-age=0, must-revalidate"), 3600, 60),
        (Some("NO-STORE, max-age=7200"), 3600, 60),
        (Some("private, must-revalidate"), 3600, 3600),
        (Some("s-maxage=10"), 3600, 3600),
        (Some("max-age=soon"), 3600, 3600),
        (Some("max-age=-1"), 3600, 3600),
        (Some("max-age=99999999999999999999999"), 3600, 3600),
    ];
    for (header, ttl, expected) in rows {
        assert!(CACHE_TTL.contains(&ttl));
        assert_eq!(fresh_for(header, ttl), expected, "{header:?}");
    }
}
