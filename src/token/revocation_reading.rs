//! When the list of revoked tokens is read, and what is believed of it: the policy, without I/O.
//!
//! `next` says what a request whose token is good does; the edge does it, and writes down what came
//! of it. A read counts from the moment when it was begun. Rules, in order:
//!
//! | the last read that ended well | the last read of all | next |
//! |---|---|---|
//! | less than 20 s ago | any | use |
//! | less than 30 s ago | neither running, nor failed within 10 s | use, and read after answering |
//! | less than 30 s ago | running, or failed within 10 s | use |
//! | 30 s ago or more, or never | running | wait for it |
//! | 30 s ago or more, or never | failed within 10 s | use |
//! | 30 s ago or more, or never | otherwise | read, and wait for it |
//!
//! 1. What is used is the last list that was read. Where none ever was, no token is revoked.
//! 2. A list never replaces a newer one. A document that cannot be read replaces none, and is tried
//!    again as if KV had failed. KV says of a document that it has lost the same as of one that was
//!    never written; where a list is held, that replaces none either.
//! 3. A read that has been running for longer than it may take belonged to a request that the
//!    runtime has given up: it counts as over.
//! 4. A moment that lies ahead, because the clock was set back, counts as long ago.

use std::rc::Rc;

use crate::limits::{self, Seconds};
use crate::token::revocation::List;

/// What an isolate knows of the list.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    held: Option<Rc<List>>,
    /// When the last read began that ended well.
    read_at: Option<Seconds>,
    last: Last,
    /// When the log was last told that something is wrong.
    said_at: Option<Seconds>,
    /// Whether the log was told that no list was ever read.
    said_never: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Done,
    Running(Seconds),
    Failed(Seconds),
}

/// What to do next.
#[derive(Clone, Debug)]
pub enum Next {
    /// `None`: no token is revoked.
    Use(Option<Rc<List>>),
    UseAndRead(Option<Rc<List>>),
    /// Read now, and ask again.
    Read,
    /// Look again in a moment.
    Wait,
}

/// A line for the log: its `result`, and its `detail`.
pub type Said = (&'static str, String);

const MISSING: &str = "KV has none any more; what was read before is in force";
const UNREADABLE: &str = "not a list of this format; what was read before is in force";
const NEVER: &str = "none was read since this isolate started: no token is refused by it";

impl Reading {
    /// The table above.
    pub fn next(&self, now: Seconds) -> Next {
        let is_running =
            matches!(self.last, Last::Running(since) if is_within(limits::REVOCATIONS_READING, since, now));
        let holds_off =
            matches!(self.last, Last::Failed(at) if is_within(limits::REVOCATIONS_RETRY, at, now));
        let was_read = |seconds| self.read_at.is_some_and(|at| is_within(seconds, at, now));
        let is_idle = !is_running && !holds_off;
        let held = || self.held.clone();
        match was_read(limits::REVOCATIONS_BELIEVED) {
            true if is_idle && !was_read(limits::REVOCATIONS_DUE) => Next::UseAndRead(held()),
            true => Next::Use(held()),
            false if is_running => Next::Wait,
            false if holds_off => Next::Use(held()),
            false => Next::Read,
        }
    }

    /// Written down before a read, so that concurrent requests do not begin another one.
    pub fn started(&mut self, now: Seconds) {
        self.last = Last::Running(now);
    }

    /// The read that was begun then has ended: with a document, with KV's word that there is none,
    /// or with what went wrong. Gives what the log is to say.
    pub fn ended(
        &mut self,
        found: Result<Option<String>, String>,
        started: Seconds,
        now: Seconds,
    ) -> Vec<Said> {
        let trouble = self.take(found);
        let is_well = trouble.as_ref().is_none_or(|(result, _)| *result == "kv_missing");
        if is_well {
            // Unless a later one has ended before.
            self.read_at = Some(self.read_at.filter(|at| (started..=now).contains(at)).unwrap_or(started));
        }
        // One that was given up may end after the next one has begun.
        if self.last == Last::Running(started) {
            self.last = if is_well { Last::Done } else { Last::Failed(now) };
        }
        let mut said = Vec::new();
        let Some(trouble) = trouble else { return said };
        if self.said_at.is_none_or(|at| !is_within(limits::REVOCATIONS_SAID, at, now)) {
            self.said_at = Some(now);
            said.push(trouble);
        }
        if self.read_at.is_none() && !self.said_never {
            self.said_never = true;
            said.push(("never_read", NEVER.to_owned()));
        }
        said
    }

    /// Takes what was found; gives what is wrong with it.
    fn take(&mut self, found: Result<Option<String>, String>) -> Option<Said> {
        match found {
            Err(reason) => Some(("kv_failed", reason)),
            Ok(None) => self.held.as_ref().map(|_| ("kv_missing", MISSING.to_owned())),
            Ok(Some(text)) if self.held.as_ref().is_some_and(|held| held.is(&text)) => None,
            Ok(Some(text)) => {
                let Some(list) = List::read(&text) else {
                    return Some(("kv_unreadable", UNREADABLE.to_owned()));
                };
                if self.held.as_ref().is_none_or(|held| held.version <= list.version) {
                    self.held = Some(Rc::new(list));
                }
                None
            }
        }
    }
}

/// Whether something was less than so many seconds ago.
fn is_within(seconds: Seconds, then: Seconds, now: Seconds) -> bool {
    now.checked_sub(then).is_some_and(|age| age < seconds)
}
