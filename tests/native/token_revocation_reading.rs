//! When the list of revoked tokens is read: the table of the policy, what the log is told, and a
//! model of time, KV and isolates, driven at random.

use std::collections::BTreeMap;

use mcp_edge_auth::limits::{
    REVOCATIONS_BELIEVED as BELIEVED, REVOCATIONS_DUE as DUE, REVOCATIONS_READING as READING,
    REVOCATIONS_RETRY as RETRY, REVOCATIONS_SAID as SAID, Seconds,
};
use mcp_edge_auth::token::revocation::{Entry, Kind, List};
use mcp_edge_auth::token::revocation_reading::{Next, Reading};

use crate::support::{ISSUER, NOW, for_each_row, same};

type Found = Result<Option<String>, String>;

fn document(version: u64) -> String {
    List::document(version, 1, &[])
}

fn some(version: u64) -> Found {
    Ok(Some(document(version)))
}

fn failed() -> Found {
    Err("KV is down".to_owned())
}

/// A step and the version of the list that it gives; 0: none.
fn seen(reading: &Reading, now: Seconds) -> (&'static str, u64) {
    let version = |list: Option<std::rc::Rc<List>>| list.map_or(0, |list| list.version);
    match reading.next(now) {
        Next::Use(list) => ("use", version(list)),
        Next::UseAndRead(list) => ("use and read", version(list)),
        Next::Read => ("read", 0),
        Next::Wait => ("wait", 0),
    }
}

/// Begins a read and ends it at once; gives the results that the log is told.
fn read(reading: &mut Reading, found: Found, now: Seconds) -> Vec<&'static str> {
    reading.started(now);
    reading.ended(found, now, now).into_iter().map(|(result, _)| result).collect()
}

#[test]
fn the_table() {
    let fresh = || {
        let mut reading = Reading::default();
        read(&mut reading, some(7), NOW);
        reading
    };
    let then = |at: Seconds, found: Option<Found>| {
        let mut reading = fresh();
        match found {
            Some(found) => drop(read(&mut reading, found, at)),
            None => reading.started(at),
        }
        reading
    };
    let new = |found: Option<Found>| {
        let mut reading = Reading::default();
        match found {
            Some(found) => drop(read(&mut reading, found, NOW)),
            None => reading.started(NOW),
        }
        reading
    };
    let rows = [
        ("new", Reading::default(), NOW, ("read", 0)),
        ("new, running", new(None), NOW, ("wait", 0)),
        ("new, running for long", new(None), NOW + READING - 1, ("wait", 0)),
        ("new, lost", new(None), NOW + READING, ("read", 0)),
        ("new, failed", new(Some(failed())), NOW, ("use", 0)),
        ("new, failed a while ago", new(Some(failed())), NOW + RETRY - 1, ("use", 0)),
        ("new, failed, due again", new(Some(failed())), NOW + RETRY, ("read", 0)),
        ("new, KV empty", new(Some(Ok(None))), NOW, ("use", 0)),
        ("new, KV empty, due", new(Some(Ok(None))), NOW + DUE, ("use and read", 0)),
        ("new, KV empty, old", new(Some(Ok(None))), NOW + BELIEVED, ("read", 0)),
        ("new, unreadable", new(Some(Ok(Some("{}".to_owned())))), NOW, ("use", 0)),
        ("just read", fresh(), NOW, ("use", 7)),
        ("not due", fresh(), NOW + DUE - 1, ("use", 7)),
        ("due", fresh(), NOW + DUE, ("use and read", 7)),
        ("still believed", fresh(), NOW + BELIEVED - 1, ("use and read", 7)),
        ("no longer believed", fresh(), NOW + BELIEVED, ("read", 0)),
        ("of yesterday", fresh(), NOW + 86_400, ("read", 0)),
        ("due, running", then(NOW + DUE, None), NOW + DUE, ("use", 7)),
        ("due, lost", then(NOW + DUE, None), NOW + DUE + READING, ("use and read", 7)),
        ("due, failed", then(NOW + DUE, Some(failed())), NOW + DUE + RETRY - 1, ("use", 7)),
        ("due, failed, due again", then(NOW + DUE, Some(failed())), NOW + DUE + RETRY, ("read", 0)),
        ("old, running", then(NOW + BELIEVED, None), NOW + BELIEVED, ("wait", 0)),
        ("old, failed", then(NOW + BELIEVED, Some(failed())), NOW + BELIEVED + RETRY - 1, ("use", 7)),
        ("old, failed, due again", then(NOW + BELIEVED, Some(failed())), NOW + BELIEVED + RETRY, ("read", 0)),
        ("read again", then(NOW + DUE, Some(some(8))), NOW + DUE, ("use", 8)),
        ("read again, the same", then(NOW + DUE, Some(some(7))), NOW + DUE, ("use", 7)),
        ("read again, an older one", then(NOW + DUE, Some(some(6))), NOW + DUE, ("use", 7)),
        ("read again, gone", then(NOW + DUE, Some(Ok(None))), NOW + DUE, ("use", 7)),
        ("the clock was set back", fresh(), NOW - 1, ("read", 0)),
        ("the clock was set back, running", then(NOW + DUE, None), NOW - 1, ("read", 0)),
        ("the clock was set back, failed", then(NOW + DUE, Some(failed())), NOW - 1, ("read", 0)),
        ("the clock was set back, read since", then(NOW - 500, Some(some(7))), NOW - 500, ("use", 7)),
    ];
    for_each_row(rows, |(name, reading, now, expected)| same(name, seen(reading, *now), *expected));
}

#[test]
fn a_read_counts_from_its_beginning() {
    let mut reading = Reading::default();
    reading.started(NOW);
    assert_eq!(reading.ended(some(7), NOW, NOW + 2), []);
    assert_eq!(seen(&reading, NOW + BELIEVED - 1), ("use and read", 7));
    assert_eq!(seen(&reading, NOW + BELIEVED), ("read", 0));
}

#[test]
fn a_read_that_was_given_up_ends_nothing_but_its_own() {
    let mut reading = Reading::default();
    reading.started(NOW);
    reading.started(NOW + READING);
    // The first one ends while the second one runs.
    reading.ended(failed(), NOW, NOW + READING);
    assert_eq!(seen(&reading, NOW + READING), ("wait", 0));
    reading.ended(some(8), NOW + READING, NOW + READING);
    reading.ended(some(7), NOW, NOW + READING);
    assert_eq!(seen(&reading, NOW + READING + DUE - 1), ("use", 8), "neither older nor from longer ago");
    // What it has found counts all the same, from when it was begun, and nobody waits any longer.
    let mut reading = Reading::default();
    reading.started(NOW);
    reading.started(NOW + READING);
    reading.ended(some(7), NOW, NOW + READING);
    assert_eq!(seen(&reading, NOW + READING), ("use", 7));
    assert_eq!(seen(&reading, NOW + BELIEVED), ("read", 0));
}

/// Two operators who write in the same millisecond give their lists one version. KV keeps the one
/// that came last.
#[test]
fn of_two_lists_of_one_version_the_last_that_was_read_is_in_force() {
    let of = |value: &str| {
        let (issuer, value) = (ISSUER.to_owned(), value.to_owned());
        let entry = Entry { number: 1, issuer, kind: Kind::Subject, value, before: NOW, until: NOW + 1000 };
        Ok(Some(List::document(7, 2, &[entry])))
    };
    let mut reading = Reading::default();
    read(&mut reading, of("a"), NOW);
    read(&mut reading, of("b"), NOW + DUE);
    let Next::Use(Some(list)) = reading.next(NOW + DUE) else { panic!("nothing to use") };
    assert_eq!((list.version, list.entries[0].value.as_str()), (7, "b"));
}

#[test]
fn what_the_log_is_told() {
    let mut reading = Reading::default();
    let none: [&str; 0] = [];
    assert_eq!(read(&mut reading, failed(), NOW), ["kv_failed", "never_read"]);
    assert_eq!(read(&mut reading, failed(), NOW + RETRY), none);
    assert_eq!(read(&mut reading, failed(), NOW + SAID - 1), none);
    assert_eq!(read(&mut reading, Ok(Some("[]".to_owned())), NOW + SAID), ["kv_unreadable"]);
    assert_eq!(read(&mut reading, some(1), NOW + 2 * SAID), none);
    assert_eq!(read(&mut reading, Ok(None), NOW + 3 * SAID), ["kv_missing"]);
    assert_eq!(read(&mut reading, Ok(None), NOW + 4 * SAID - 1), none);
    assert_eq!(read(&mut reading, failed(), NOW + 4 * SAID), ["kv_failed"]);
    let mut empty = Reading::default();
    assert_eq!(read(&mut empty, Ok(None), NOW), none, "nobody has revoked anything yet");
    assert_eq!(read(&mut empty, failed(), NOW + 1), ["kv_failed"], "KV was read");
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What KV says from now on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kv {
    Well,
    Down,
    Garbage,
    Emptied,
    /// What it said a while ago.
    Behind,
}

struct World {
    dice: Dice,
    now: Seconds,
    kv: Kv,
    /// The versions that were written, and when.
    written: Vec<(u64, Seconds)>,
    reading: Reading,
    /// A read that runs: when it began, when it ends, and what it will have found.
    running: Option<(Seconds, Seconds, Found)>,
    /// The greatest version that this isolate was given.
    given: u64,
    /// When the last read ended well, and whether any was begun and failed since.
    well_at: Option<Seconds>,
    failed_at: Option<Seconds>,
    counts: BTreeMap<&'static str, u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed),
            now: NOW,
            kv: Kv::Well,
            written: Vec::new(),
            reading: Reading::default(),
            running: None,
            given: 0,
            well_at: None,
            failed_at: None,
            counts: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        match self.dice.roll(12) {
            0 => {
                let states = [Kv::Well, Kv::Well, Kv::Down, Kv::Garbage, Kv::Emptied, Kv::Behind];
                self.kv = states[self.dice.roll(6) as usize];
            }
            1 => self.written.push((self.written.len() as u64 + 1, self.now)),
            2 => {
                let (dice, written) = (Dice(self.dice.roll(u64::MAX) | 1), std::mem::take(&mut self.written));
                let counts = std::mem::take(&mut self.counts);
                *self = Self { now: self.now, kv: self.kv, written, counts, ..Self::new(dice.0) };
            }
            3 => self.pass(100),
            4 | 5 => self.pass(12),
            _ => self.request(),
        }
    }

    fn pass(&mut self, most: u64) {
        self.now += self.dice.roll(most);
        if self.running.as_ref().is_some_and(|(_, ends, _)| *ends <= self.now) {
            self.end();
        }
    }

    fn found(&mut self) -> Found {
        let before = |seconds: u64| self.written.iter().rev().find(|(_, at)| at + seconds <= self.now);
        match self.kv {
            Kv::Down => failed(),
            Kv::Garbage => Ok(Some("{".to_owned())),
            Kv::Emptied => Ok(None),
            Kv::Well => Ok(before(0).map(|(version, _)| document(*version))),
            Kv::Behind => Ok(before(60).map(|(version, _)| document(*version))),
        }
    }

    fn start(&mut self) {
        assert!(
            self.running.as_ref().is_none_or(|(began, ..)| self.now - began >= READING),
            "two reads at once"
        );
        assert!(self.failed_at.is_none_or(|at| self.now - at >= RETRY), "a read soon after a failed one");
        assert!(self.well_at.is_none_or(|at| self.now - at >= DUE), "a read before it is due");
        self.reading.started(self.now);
        let takes = self.dice.roll(3);
        let found = self.found();
        self.running = Some((self.now, self.now + takes, found));
        self.count("reads");
        if takes == 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        let Some((began, _, found)) = self.running.take() else { return };
        let is_well = match &found {
            Ok(Some(text)) => text != "{",
            Ok(None) => true,
            Err(_) => false,
        };
        (self.well_at, self.failed_at) =
            if is_well { (Some(began), None) } else { (self.well_at, Some(self.now)) };
        self.count(if is_well { "read well" } else { "failures" });
        let newest = self.written.len() as u64;
        let is_newest = self.kv == Kv::Well && found == Ok(Some(document(newest)));
        self.reading.ended(found, began, self.now);
        if is_newest {
            assert_eq!(seen(&self.reading, began).1, newest, "a list that was read is not in force");
        }
    }

    fn request(&mut self) {
        for _ in 0..100 {
            match seen(&self.reading, self.now) {
                ("read", _) => self.start(),
                ("wait", _) => self.pass(2),
                (what, version) => {
                    if what == "use and read" {
                        self.start();
                    }
                    return self.used(what, version);
                }
            }
        }
        panic!("a request went in circles");
    }

    fn used(&mut self, what: &'static str, version: u64) {
        assert!(version >= self.given, "an older list replaced {}: {version}", self.given);
        self.given = version;
        let is_lately = |at: Option<Seconds>, seconds| at.is_some_and(|at| self.now - at < seconds);
        let may_use = is_lately(self.well_at, BELIEVED) || is_lately(self.failed_at, RETRY);
        assert!(may_use, "a list of {:?} was used at {}", self.well_at, self.now);
        self.count(what);
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
    for what in ["use", "use and read", "reads", "read well", "failures"] {
        assert!(counts.get(what).is_some_and(|n| *n > 1000), "{what}: {counts:?}");
    }
}

/// KV gives what was written within 60 s. With at most 30 s of belief that is 90 s, and what an
/// isolate uses is never older.
#[test]
fn everywhere_within_90_s() {
    let revoked = Entry {
        number: 1,
        issuer: ISSUER.to_owned(),
        kind: Kind::All,
        value: String::new(),
        before: NOW,
        until: NOW + 1000,
    };
    let text = List::document(2, 2, &[revoked]);
    for first in 0..60 {
        for every in 1..40 {
            // An isolate that has read just before the write was seen, and is asked now and then.
            let mut reading = Reading::default();
            read(&mut reading, some(1), NOW + first);
            let mut now = NOW + first;
            while now < NOW + 90 {
                now += every;
                let found = if now >= NOW + 60 { Ok(Some(text.clone())) } else { some(1) };
                match reading.next(now) {
                    Next::Read | Next::UseAndRead(_) => drop(read(&mut reading, found, now)),
                    Next::Use(_) | Next::Wait => {}
                }
            }
            let Next::Use(Some(list)) = reading.next(now) else { panic!("not read at {}", now - NOW) };
            assert_eq!(list.version, 2, "asked every {every} s, {} s after the write", now - NOW);
        }
    }
}
