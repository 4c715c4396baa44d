//! Every row of the table of key set policy, at the edges of its times.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use std::rc::Rc;

use mcp_edge_auth::jwks::{Held, Need, Next, State, next};
use mcp_edge_auth::keys::KeySet;
use mcp_edge_auth::limits::{FETCH_SECONDS, KID_COOL_DOWN, RETRY, STALE};
use proptest::prelude::*;
use support::arbitrary::quick;
use support::es256::{stranger, trusted};
use support::{NOW, for_each_row, same};

const TTL: u64 = 3600;

/// What is next, as text; a set that is used must be the held one.
fn told(state: &State, need: Need, now: u64, kv_read: bool) -> String {
    let is_held = |set: &Rc<KeySet>| assert_eq!(*set, trusted().key_set());
    match next(state, need, TTL, now, kv_read) {
        Next::Use(set) => {
            is_held(&set);
            "use".to_owned()
        }
        Next::UseStale(set) => {
            is_held(&set);
            "use as stale".to_owned()
        }
        Next::ReadKv => "read KV".to_owned(),
        Next::Fetch => "fetch".to_owned(),
        Next::Wait => "wait".to_owned(),
        Next::Unavailable(seconds) => format!("unavailable for {seconds}"),
    }
}

/// The state of an isolate that adopted a set this many seconds ago, from KV.
fn holding(age: u64) -> State {
    let mut state = State::default();
    state.adopt(Held { set: trusted().key_set(), fetched_at: NOW - age });
    state
}

#[derive(Clone, Copy, Debug)]
enum Last {
    None,
    /// Started so many seconds ago.
    Running(u64),
    Failed(u64),
}

fn state(age: Option<u64>, last: Last) -> State {
    let mut state = age.map_or_else(State::default, holding);
    match last {
        Last::None => {}
        Last::Running(ago) => state.fetch_started(Need::Any, NOW - ago),
        Last::Failed(ago) => {
            state.fetch_started(Need::Any, NOW - ago);
            state.fetch_failed(NOW - ago);
        }
    }
    state
}

#[test]
fn any_key() {
    const KEPT: u64 = TTL + STALE;
    use Last::{Failed, Running};
    // Age of what is held, last fetch, what is next before KV was read, and after.
    let rows: Vec<(Option<u64>, Last, &str, &str)> = vec![
        (None, Last::None, "read KV", "fetch"),
        (None, Running(0), "wait", "wait"),
        (None, Running(FETCH_SECONDS), "wait", "wait"),
        (None, Running(FETCH_SECONDS + 1), "read KV", "fetch"),
        (None, Failed(0), "unavailable for 15", "unavailable for 15"),
        (None, Failed(1), "unavailable for 14", "unavailable for 14"),
        (None, Failed(RETRY - 1), "unavailable for 1", "unavailable for 1"),
        (None, Failed(RETRY), "read KV", "fetch"),
        (None, Failed(RETRY + 1), "read KV", "fetch"),
        (Some(0), Last::None, "use", "use"),
        (Some(TTL - 1), Last::None, "use", "use"),
        (Some(TTL), Last::None, "read KV", "fetch"),
        (Some(TTL - 1), Running(0), "use", "use"),
        (Some(TTL - 1), Failed(0), "use", "use"),
        (Some(TTL), Running(0), "use as stale", "use as stale"),
        (Some(TTL), Running(FETCH_SECONDS), "use as stale", "use as stale"),
        (Some(TTL), Running(FETCH_SECONDS + 1), "read KV", "fetch"),
        (Some(TTL), Failed(0), "use as stale", "use as stale"),
        (Some(TTL), Failed(RETRY - 1), "use as stale", "use as stale"),
        (Some(TTL), Failed(RETRY), "read KV", "fetch"),
        (Some(KEPT - 1), Failed(0), "use as stale", "use as stale"),
        (Some(KEPT - 1), Running(0), "use as stale", "use as stale"),
        (Some(KEPT), Last::None, "read KV", "fetch"),
        (Some(KEPT), Running(0), "wait", "wait"),
        (Some(KEPT), Failed(0), "unavailable for 15", "unavailable for 15"),
        (Some(KEPT + 1), Failed(14), "unavailable for 1", "unavailable for 1"),
    ];
    for_each_row(rows, |&(age, last, before_kv, after_kv)| {
        let state = state(age, last);
        let name = format!("held {age:?}, last fetch {last:?}");
        same(&name, told(&state, Need::Any, NOW, false).as_str(), before_kv)?;
        same(&name, told(&state, Need::Any, NOW, true).as_str(), after_kv)
    });
}

#[test]
fn an_unknown_kid() {
    use Last::{Failed, Running};
    let rows: Vec<(Option<u64>, Last, &str)> = vec![
        (Some(0), Last::None, "fetch"),
        (Some(TTL - 1), Last::None, "fetch"),
        (Some(TTL), Last::None, "fetch"),
        (Some(0), Running(0), "wait"),
        (Some(0), Running(FETCH_SECONDS), "wait"),
        (Some(0), Running(FETCH_SECONDS + 1), "fetch"),
        (Some(0), Failed(0), "unavailable for 15"),
        (Some(0), Failed(RETRY - 1), "unavailable for 1"),
        (Some(0), Failed(RETRY), "fetch"),
        (None, Last::None, "fetch"),
        (None, Running(0), "wait"),
        (None, Failed(3), "unavailable for 12"),
    ];
    for_each_row(rows, |&(age, last, expected)| {
        // KV's copy can be old by design: it is not asked, whether it was read or not.
        let name = format!("held {age:?}, last fetch {last:?}");
        same(&name, told(&state(age, last), Need::UnknownKid, NOW, false).as_str(), expected)?;
        same(&name, told(&state(age, last), Need::UnknownKid, NOW, true).as_str(), expected)
    });
}

#[test]
fn unknown_kids_refetch_once_per_cool_down() {
    let fetched_for_a_kid = |ago: u64| {
        let mut state = holding(TTL / 2);
        state.fetch_started(Need::UnknownKid, NOW - ago);
        state.fetched(trusted().key_set(), NOW - ago);
        state
    };
    let rows = [
        (0, "use"),
        (1, "use"),
        (KID_COOL_DOWN - 1, "use"),
        (KID_COOL_DOWN, "fetch"),
        (KID_COOL_DOWN + 1, "fetch"),
    ];
    for_each_row(rows, |(ago, expected)| {
        same(
            &format!("{ago} s ago"),
            told(&fetched_for_a_kid(*ago), Need::UnknownKid, NOW, true).as_str(),
            *expected,
        )
    });
    // A fetch that was not for a `kid`'s sake does not count: a key that was published since has to be found.
    let mut ordinary = State::default();
    ordinary.fetch_started(Need::Any, NOW);
    ordinary.fetched(trusted().key_set(), NOW);
    assert_eq!(told(&ordinary, Need::UnknownKid, NOW, true), "fetch");
    // While it runs or after it failed, the others are told so, cool-down or not.
    let mut running = holding(0);
    running.fetch_started(Need::UnknownKid, NOW);
    assert_eq!(told(&running, Need::UnknownKid, NOW, true), "wait");
    running.fetch_failed(NOW);
    assert_eq!(told(&running, Need::UnknownKid, NOW, true), "unavailable for 15");
    assert_eq!(told(&running, Need::UnknownKid, NOW + RETRY, true), "use");
    assert_eq!(told(&running, Need::UnknownKid, NOW + KID_COOL_DOWN, true), "fetch");
}

#[test]
fn a_failed_refresh_keeps_the_old_set() {
    let mut state = holding(TTL);
    assert_eq!(told(&state, Need::Any, NOW, true), "fetch");
    state.fetch_started(Need::Any, NOW);
    assert_eq!(told(&state, Need::Any, NOW, true), "use as stale");
    state.fetch_failed(NOW + 2);
    assert_eq!(told(&state, Need::Any, NOW + 2, false), "use as stale");
    // The time of the failure counts, not that of the start.
    assert_eq!(told(&state, Need::Any, NOW + 16, false), "use as stale");
    assert_eq!(told(&state, Need::Any, NOW + 17, true), "fetch");
    state.fetch_started(Need::Any, NOW + 17);
    state.fetched(trusted().key_set(), NOW + 18);
    assert_eq!(told(&state, Need::Any, NOW + 18 + TTL - 1, false), "use");
    assert_eq!(told(&state, Need::Any, NOW + 18 + TTL, false), "read KV");
}

#[test]
fn what_is_held_is_only_replaced_by_something_fetched_later() {
    let older = Held { set: stranger().key_set(), fetched_at: NOW - 11 };
    let mut state = holding(10);
    state.adopt(older.clone());
    assert_eq!(told(&state, Need::Any, NOW, true), "use"); // and it is the trusted issuer's
    let mut state = State::default();
    state.adopt(older);
    state.adopt(Held { set: trusted().key_set(), fetched_at: NOW - 10 });
    assert_eq!(told(&state, Need::Any, NOW, true), "use");
    state.adopt(Held { set: stranger().key_set(), fetched_at: NOW - 10 });
    assert!(matches!(next(&state, Need::Any, TTL, NOW, true), Next::Use(set) if set == stranger().key_set()));
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_older() {
    let mut state = State::default();
    state.adopt(Held { set: trusted().key_set(), fetched_at: NOW + 50 });
    assert_eq!(told(&state, Need::Any, NOW, true), "use");
    let mut failed = State::default();
    failed.fetch_started(Need::Any, NOW + 50);
    failed.fetch_failed(NOW + 50);
    assert_eq!(told(&failed, Need::Any, NOW, true), "unavailable for 15");
}

/// What may happen between two looks at the policy.
#[derive(Clone, Debug)]
enum Event {
    /// So many seconds pass.
    Pass(u64),
    /// A request comes, and acts on what it is told; its fetch ends when the event after next says so, or never.
    Request(Need),
    /// The fetch that was started last ends.
    End(bool),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        prop_oneof![0..20_u64, 0..4000_u64, 0..90_000_u64].prop_map(Event::Pass),
        any::<bool>().prop_map(|any| Event::Request(if any { Need::Any } else { Need::UnknownKid })),
        any::<bool>().prop_map(Event::End),
    ]
}

proptest! {
    #![proptest_config(quick(128))]

    #[test]
    fn whatever_happens_fetches_keep_their_distance_and_sets_their_age(events in prop::collection::vec(any_event(), 0..60)) {
        let set = trusted().key_set();
        let mut state = State::default();
        let mut now = NOW;
        let (mut fetched, mut started, mut failed): (Option<u64>, Option<u64>, Option<u64>) = (None, None, None);
        for event in events {
            match event {
                Event::Pass(seconds) => now += seconds,
                Event::Request(need) => match next(&state, need, TTL, now, true) {
                    // A set that is used for an unknown `kid`'s sake need not be fresh: it is the one that was just looked into.
                    Next::Use(_) => {
                        let limit = if need == Need::Any { TTL } else { TTL + STALE };
                        prop_assert!(fetched.is_some_and(|at| now - at < limit));
                    }
                    Next::UseStale(_) => prop_assert!(fetched.is_some_and(|at| now - at < TTL + STALE && now - at >= TTL)),
                    Next::Fetch => {
                        prop_assert!(started.is_none_or(|at| now - at > FETCH_SECONDS), "two fetches at once");
                        prop_assert!(failed.is_none_or(|at| now - at >= RETRY), "too soon after a failure");
                        state.fetch_started(need, now);
                        (started, failed) = (Some(now), None);
                    }
                    Next::Unavailable(seconds) => prop_assert!((1..=RETRY).contains(&seconds)),
                    Next::Wait => prop_assert!(started.is_some_and(|at| now - at <= FETCH_SECONDS)),
                    Next::ReadKv => prop_assert!(false, "KV was read"),
                },
                Event::End(_) if started.is_none() => {}
                Event::End(true) => {
                    state.fetched(Rc::clone(&set), now);
                    (fetched, started, failed) = (Some(now), None, None);
                }
                Event::End(false) => {
                    state.fetch_failed(now);
                    (started, failed) = (None, Some(now));
                }
            }
        }
    }
}
