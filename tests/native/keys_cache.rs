//! Every row of the table of key set policy, at the edges of its times.

use std::rc::Rc;

use mcp_edge_auth::keys::cache::{Held, Need, Next, State, next};
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::limits::{
    KID_COOL_DOWN, KV_WRITE, METADATA_REREAD, REFRESH_SECONDS, RETRY, RETRY_MAX, STALE,
};
use proptest::prelude::*;

use crate::support::arbitrary::quick;
use crate::support::es256::{stranger, trusted};
use crate::support::{NOW, for_each_row, same};

const TTL: u64 = 3600;
/// Age from which a set is refreshed ahead.
const DUE: u64 = TTL - TTL / 5;

/// What is next, as text; a set that is used must be the held one.
fn told(state: &State, need: Need, now: u64) -> String {
    let is_held = |set: &Rc<KeySet>| assert_eq!(*set, trusted().key_set());
    match next(state, need, now) {
        Next::Use(set) => {
            is_held(&set);
            "use".to_owned()
        }
        Next::UseAndRefresh(set) => {
            is_held(&set);
            "use and refresh".to_owned()
        }
        Next::UseStale(set, _) => {
            is_held(&set);
            "use as stale".to_owned()
        }
        Next::Refresh => "refresh".to_owned(),
        Next::Wait => "wait".to_owned(),
        Next::Unavailable(seconds) => format!("unavailable for {seconds}"),
    }
}

fn held(set: Rc<KeySet>, fetched_at: u64) -> Held {
    Held { set, fetched_at, fresh_for: TTL }
}

/// The state of an isolate that got its set this many seconds ago.
fn holding(age: u64) -> State {
    let mut state = State::default();
    state.fetched(held(trusted().key_set(), NOW - age));
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
            state.fetch_failed(NOW - ago, 0.5);
        }
    }
    state
}

#[test]
fn any_key() {
    const KEPT: u64 = TTL + STALE;
    use Last::{Failed, Running};
    // Age of what is held, last fetch, what is next.
    let rows: Vec<(Option<u64>, Last, &str)> = vec![
        (None, Last::None, "refresh"),
        (None, Running(0), "wait"),
        (None, Running(REFRESH_SECONDS), "wait"),
        (None, Running(REFRESH_SECONDS + 1), "refresh"),
        (None, Failed(0), "unavailable for 15"),
        (None, Failed(1), "unavailable for 14"),
        (None, Failed(RETRY - 1), "unavailable for 1"),
        (None, Failed(RETRY), "refresh"),
        (None, Failed(RETRY + 1), "refresh"),
        (Some(0), Last::None, "use"),
        (Some(DUE - 1), Last::None, "use"),
        (Some(DUE), Last::None, "use and refresh"),
        (Some(TTL - 1), Last::None, "use and refresh"),
        (Some(TTL), Last::None, "refresh"),
        (Some(DUE), Running(0), "use"),
        (Some(TTL - 1), Running(0), "use"),
        (Some(TTL - 1), Running(REFRESH_SECONDS + 1), "use and refresh"),
        (Some(DUE), Failed(0), "use"),
        (Some(TTL - 1), Failed(RETRY - 1), "use"),
        (Some(TTL - 1), Failed(RETRY), "use and refresh"),
        (Some(TTL), Running(0), "use as stale"),
        (Some(TTL), Running(REFRESH_SECONDS), "use as stale"),
        (Some(TTL), Running(REFRESH_SECONDS + 1), "refresh"),
        (Some(TTL), Failed(0), "use as stale"),
        (Some(TTL), Failed(RETRY - 1), "use as stale"),
        (Some(TTL), Failed(RETRY), "refresh"),
        (Some(KEPT - 1), Failed(0), "use as stale"),
        (Some(KEPT - 1), Running(0), "use as stale"),
        (Some(KEPT), Last::None, "refresh"),
        (Some(KEPT), Running(0), "wait"),
        (Some(KEPT), Failed(0), "unavailable for 15"),
        (Some(KEPT + 1), Failed(14), "unavailable for 1"),
    ];
    for_each_row(rows, |&(age, last, expected)| {
        let name = format!("held {age:?}, last fetch {last:?}");
        same(&name, told(&state(age, last), Need::Any, NOW).as_str(), expected)
    });
}

#[test]
fn an_unknown_kid() {
    use Last::{Failed, Running};
    let rows: Vec<(Option<u64>, Last, &str)> = vec![
        (Some(0), Last::None, "refresh"),
        (Some(TTL - 1), Last::None, "refresh"),
        (Some(TTL), Last::None, "refresh"),
        (Some(0), Running(0), "wait"),
        (Some(0), Running(REFRESH_SECONDS), "wait"),
        (Some(0), Running(REFRESH_SECONDS + 1), "refresh"),
        (Some(0), Failed(0), "unavailable for 15"),
        (Some(0), Failed(RETRY - 1), "unavailable for 1"),
        (Some(0), Failed(RETRY), "refresh"),
        (None, Last::None, "refresh"),
        (None, Running(0), "wait"),
        (None, Failed(3), "unavailable for 12"),
    ];
    for_each_row(rows, |&(age, last, expected)| {
        let name = format!("held {age:?}, last fetch {last:?}");
        same(&name, told(&state(age, last), Need::UnknownKid, NOW).as_str(), expected)
    });
}

#[test]
fn unknown_kids_refetch_once_per_cool_down() {
    let fetched_for_a_kid = |ago: u64| {
        let mut state = holding(TTL / 2);
        state.fetch_started(Need::UnknownKid, NOW - ago);
        state.fetched(held(trusted().key_set(), NOW - ago));
        state
    };
    let rows = [
        (0, "use"),
        (1, "use"),
        (KID_COOL_DOWN - 1, "use"),
        (KID_COOL_DOWN, "refresh"),
        (KID_COOL_DOWN + 1, "refresh"),
    ];
    for_each_row(rows, |(ago, expected)| {
        let told = told(&fetched_for_a_kid(*ago), Need::UnknownKid, NOW);
        same(&format!("{ago} s ago"), told.as_str(), *expected)
    });
    // A fetch that was not for a `kid`'s sake does not count: a key that was published since has to
    // be found.
    let mut ordinary = State::default();
    ordinary.fetch_started(Need::Any, NOW);
    ordinary.fetched(held(trusted().key_set(), NOW));
    assert_eq!(told(&ordinary, Need::UnknownKid, NOW), "refresh");
    // One that failed or was lost has not looked for the key: the back-off says when to try again,
    // not the cool-down.
    let mut running = holding(0);
    running.fetch_started(Need::UnknownKid, NOW);
    assert_eq!(told(&running, Need::UnknownKid, NOW), "wait");
    assert_eq!(told(&running, Need::UnknownKid, NOW + REFRESH_SECONDS + 1), "refresh");
    running.fetch_failed(NOW, 0.0);
    assert_eq!(told(&running, Need::UnknownKid, NOW), "unavailable for 15");
    assert_eq!(told(&running, Need::UnknownKid, NOW + RETRY), "refresh");
}

#[test]
fn failures_back_off_up_to_five_minutes_and_a_success_starts_over() {
    let mut state = State::default();
    let mut now = NOW;
    for expected in [15, 30, 60, 120, 240, 300, 300, 300, 300, 300, 300] {
        state.fetch_failed(now, 0.0);
        assert_eq!(told(&state, Need::Any, now), format!("unavailable for {expected}"));
        now += expected;
        assert_eq!(told(&state, Need::Any, now), "refresh");
    }
    state.fetched(held(trusted().key_set(), now - TTL - STALE));
    state.fetch_failed(now, 0.0);
    assert_eq!(told(&state, Need::Any, now), "unavailable for 15");
}

#[test]
fn jitter_shortens_by_a_fifth_at_most_and_never_the_first_wait() {
    for (jitter, first, second) in
        [(0.0, 15, 30), (0.5, 15, 27), (1.0, 15, 24), (7.0, 15, 24), (-7.0, 15, 30)]
    {
        let mut state = State::default();
        state.fetch_failed(NOW, jitter);
        assert_eq!(told(&state, Need::Any, NOW), format!("unavailable for {first}"), "jitter {jitter}");
        state.fetch_failed(NOW, jitter);
        assert_eq!(told(&state, Need::Any, NOW), format!("unavailable for {second}"), "jitter {jitter}");
    }
}

#[test]
fn a_failed_refresh_keeps_the_old_set() {
    let mut state = holding(TTL);
    assert_eq!(told(&state, Need::Any, NOW), "refresh");
    state.fetch_started(Need::Any, NOW);
    assert_eq!(told(&state, Need::Any, NOW), "use as stale");
    state.fetch_failed(NOW + 2, 0.0);
    assert_eq!(told(&state, Need::Any, NOW + 2), "use as stale");
    // The time of the failure counts, not that of the start.
    assert_eq!(told(&state, Need::Any, NOW + 16), "use as stale");
    assert_eq!(told(&state, Need::Any, NOW + 17), "refresh");
    state.fetch_started(Need::Any, NOW + 17);
    state.fetched(held(trusted().key_set(), NOW + 18));
    assert_eq!(told(&state, Need::Any, NOW + 18 + DUE - 1), "use");
    assert_eq!(told(&state, Need::Any, NOW + 18 + TTL), "refresh");
}

#[test]
fn what_is_held_is_only_replaced_by_something_fetched_later() {
    let mut state = holding(10);
    state.fetched(held(stranger().key_set(), NOW - 11));
    assert_eq!(told(&state, Need::Any, NOW), "use"); // and it is the trusted issuer's
    state.fetched(held(stranger().key_set(), NOW - 10));
    assert!(matches!(next(&state, Need::Any, NOW), Next::Use(set) if set == stranger().key_set()));
}

#[test]
fn a_copy_in_kv_ends_the_fetch_if_it_is_newer_and_not_due_itself() {
    // Age of what is held, age of KV's copy, whether that ends the fetch, what is next then.
    let rows: Vec<(Option<u64>, u64, bool, &str)> = vec![
        (None, 0, true, "use"),
        (None, DUE - 1, true, "use"),
        (None, DUE, false, "use"),
        (None, TTL, false, "use as stale"),
        (None, TTL + STALE, false, "wait"),
        (Some(TTL), TTL - DUE, true, "use"),
        (Some(TTL), TTL, false, "use as stale"),
        (Some(TTL), TTL + 1, false, "use as stale"),
        (Some(DUE), 0, true, "use"),
    ];
    for_each_row(rows, |&(age, kv_age, ends, expected)| {
        let mut state = age.map_or_else(State::default, holding);
        state.fetch_started(Need::Any, NOW);
        let name = format!("held {age:?}, KV's {kv_age} s old");
        same(&name, state.found_in_kv(held(trusted().key_set(), NOW - kv_age), NOW), ends)?;
        same(&name, told(&state, Need::Any, NOW).as_str(), expected)
    });
}

#[test]
fn kv_is_written_at_most_once_a_minute_whoever_wrote_it() {
    let mut state = State::default();
    assert!(state.may_write_kv(NOW));
    assert!(!state.may_write_kv(NOW + KV_WRITE - 1));
    assert!(state.may_write_kv(NOW + KV_WRITE));
    let mut other = State::default();
    other.found_in_kv(held(trusted().key_set(), NOW), NOW);
    assert!(!other.may_write_kv(NOW + KV_WRITE - 1));
    assert!(other.may_write_kv(NOW + KV_WRITE));
}

#[test]
fn metadata_is_read_again_at_most_once_in_ten_minutes() {
    let mut state = State::default();
    assert!(state.may_reread_metadata(NOW));
    assert!(!state.may_reread_metadata(NOW + METADATA_REREAD - 1));
    assert!(state.may_reread_metadata(NOW + METADATA_REREAD));
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_older() {
    let mut state = State::default();
    state.fetched(held(trusted().key_set(), NOW + 50));
    assert_eq!(told(&state, Need::Any, NOW), "use");
    // And no wait longer than there is.
    let mut failed = State::default();
    failed.fetch_failed(NOW + RETRY_MAX, 0.0);
    assert_eq!(told(&failed, Need::Any, NOW), "refresh");
}

/// What may happen between two looks at the policy.
#[derive(Clone, Debug)]
enum Event {
    /// So many seconds pass.
    Pass(u64),
    /// A request comes, and acts on what it is told; its fetch ends when the event after next says
    /// so, or never.
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
                Event::Request(need) => match next(&state, need, now) {
                    // A set that is used for an unknown `kid`'s sake need not be fresh: it is the
                    // one that was just looked into.
                    Next::Use(_) | Next::UseAndRefresh(_) => {
                        let limit = if need == Need::Any { TTL } else { TTL + STALE };
                        prop_assert!(fetched.is_some_and(|at| now - at < limit));
                    }
                    Next::UseStale(_, left) => prop_assert!(fetched.is_some_and(|at| now - at >= TTL && left > 0 && now - at + left == TTL + STALE)),
                    Next::Refresh => {
                        prop_assert!(started.is_none_or(|at| now - at > REFRESH_SECONDS), "two fetches at once");
                        prop_assert!(failed.is_none_or(|at| now - at >= RETRY), "too soon after a failure");
                        state.fetch_started(need, now);
                        (started, failed) = (Some(now), None);
                    }
                    Next::Unavailable(seconds) => prop_assert!((1..=RETRY_MAX).contains(&seconds)),
                    Next::Wait => prop_assert!(started.is_some_and(|at| now - at <= REFRESH_SECONDS)),
                },
                Event::End(_) if started.is_none() => {}
                Event::End(true) => {
                    state.fetched(held(Rc::clone(&set), now));
                    (fetched, started, failed) = (Some(now), None, None);
                }
                Event::End(false) => {
                    state.fetch_failed(now, 0.3);
                    (started, failed) = (None, Some(now));
                }
            }
        }
    }
}
