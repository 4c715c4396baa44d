//! What an isolate remembers of introspections, and how many it may begin, without I/O.
//!
//! | the token was told | when | next |
//! |---|---|---|
//! | inactive | less than 10 s ago | refuse it |
//! | active | less than `cache_seconds` ago, and before its `exp` | judge the same answer again |
//! | anything else | | ask, if 50 were not begun in this second |
//!
//! 1. A token is known by the whole SHA-256 of its text, and by the resource that it was sent to:
//!    another one may ask another server, or as another client.
//! 2. Only answers are remembered. Whether one opens the resource is judged again each time.
//! 3. Of each kind so many are kept. Where there are more, the oldest goes first, so that made-up
//!    tokens do not push out what is known of good ones.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use crate::json::Node;
use crate::limits::{self, Seconds};
use crate::token::introspection::Answer;

/// A token at a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    resource: usize,
    token: [u8; 32],
}

impl Key {
    /// `resource`: its place in the settings.
    pub fn new(resource: usize, token: &str) -> Self {
        Self { resource, token: Sha256::digest(token.as_bytes()).into() }
    }
}

/// The answers of an isolate. Times are in milliseconds.
#[derive(Debug)]
pub struct Introspected {
    inactive: VecDeque<Kept>,
    active: VecDeque<Kept>,
    /// Introspections that may begin at once, as of a time.
    allowance: (f64, f64),
    /// When it was last said that too many wanted to begin.
    crowded: Option<f64>,
}

#[derive(Debug)]
struct Kept {
    key: Key,
    answer: Answer,
    /// From when it was told, and until when it serves.
    serves: (f64, f64),
}

const PER_SECOND: f64 = limits::INTROSPECTIONS_PER_SECOND as f64;

impl Default for Introspected {
    fn default() -> Self {
        Self {
            inactive: VecDeque::new(),
            active: VecDeque::new(),
            allowance: (PER_SECOND, 0.0),
            crowded: None,
        }
    }
}

impl Introspected {
    /// What was told of a token, if that still serves.
    pub fn find(&self, key: &Key, now: f64) -> Option<Answer> {
        let serves = |kept: &&Kept| kept.key == *key && kept.serves.0 <= now && now < kept.serves.1;
        let found = self.inactive.iter().rev().find(serves);
        found.or_else(|| self.active.iter().rev().find(serves)).map(|kept| kept.answer.clone())
    }

    /// Whether one more may begin now. It is counted.
    pub fn begin(&mut self, now: f64) -> bool {
        let (left, since) = self.allowance;
        let gained = (now - since).max(0.0) / 1000.0 * PER_SECOND;
        let left = (left + gained).min(PER_SECOND);
        let may_begin = left >= 1.0;
        self.allowance = (if may_begin { left - 1.0 } else { left }, now);
        may_begin
    }

    /// Whether it is worth a line in the log that too many wanted to begin.
    pub fn says_crowded(&mut self, now: f64) -> bool {
        let silent = (limits::CROWDED_SAID_SECONDS * 1000) as f64;
        let is_new = self.crowded.is_none_or(|said| !(said..said + silent).contains(&now));
        if is_new {
            self.crowded = Some(now);
        }
        is_new
    }

    /// What a server has told of a token, and when it was asked: what became of the token since
    /// then, the answer does not say.
    pub fn told(&mut self, key: Key, answer: &Answer, cache_seconds: Seconds, asked: f64, now: f64) {
        let is_other = |kept: &Kept| now < kept.serves.1 && kept.key != key;
        let (list, limit, until) = match answer {
            Answer::Inactive => {
                self.active.retain(is_other);
                let until = now + (limits::INACTIVE_SECONDS * 1000) as f64;
                (&mut self.inactive, limits::INACTIVE_KEPT, until)
            }
            Answer::Active(claims) => {
                let overtaken = |kept: &Kept| kept.key == key && kept.serves.0 >= asked;
                let is_kept =
                    claims.json().len() <= limits::ANSWER_KEPT_BYTES && !self.inactive.iter().any(overtaken);
                let exp = claims.get("exp").and_then(Node::as_f64).map_or(f64::INFINITY, |exp| exp * 1000.0);
                let until = (asked + (cache_seconds * 1000) as f64).min(exp);
                (&mut self.active, limits::ANSWERS_KEPT, if is_kept { until } else { now })
            }
        };
        list.retain(is_other);
        if until <= now {
            return;
        }
        if list.len() >= limit {
            list.pop_front();
        }
        list.push_back(Kept { key, answer: answer.clone(), serves: (now, until) });
    }
}
