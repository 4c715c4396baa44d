//! Floods of bad tokens: who sends one is refused before a signature is checked, for a while.
//!
//! 1. Tokens that are refused are counted by the address that they come from (`limits`), apart from
//!    what good ones do. So nobody's bad tokens use up what the users of the same address may do.
//! 2. An address whose count is exceeded is refused for the limit's period: 429 in place of a
//!    signature check. Only this isolate knows; another one counts with its own first bad token.
//! 3. Who shares an address with such a sender, behind one NAT, goes on with a token that this
//!    isolate has found good before. It is verified again as always: that a token is known here
//!    permits nothing but the check.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

use super::denial::Denial;
use super::limits::Count;
use crate::limits::{self, Seconds};

/// What an isolate knows of floods.
#[derive(Debug, Default)]
pub struct Floods {
    /// The keys of counts that are exceeded, and until when; the oldest first.
    exceeded: VecDeque<(String, Seconds)>,
    /// Tokens that were good, that first which is longest ago.
    known: VecDeque<Known>,
}

type Known = [u8; 32];

/// Who sends a token that is not verified yet.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// What counts the token if it is refused.
    pub counts: Vec<Count>,
    token: Known,
}

impl Bearer {
    pub fn new(counts: Vec<Count>, token: &str) -> Self {
        Self { counts, token: Sha256::digest(token.as_bytes()).into() }
    }
}

impl Floods {
    /// Why a token is refused unread, if it is.
    pub fn refuses(&self, bearer: &Bearer, now: Seconds) -> Option<Denial> {
        let is_over =
            |count: &&Count| self.exceeded.iter().any(|(key, until)| *key == count.key && now < *until);
        let exceeded = bearer.counts.iter().find(is_over)?;
        if self.known.contains(&bearer.token) { None } else { Some(exceeded.denial()) }
    }

    /// The count of this denial is exceeded.
    pub fn exceeded(&mut self, bearer: &Bearer, denial: &Denial, now: Seconds) {
        let of_it = |count: &&Count| denial.limit == Some(count.limit);
        let Some(count) = bearer.counts.iter().find(of_it) else { return };
        self.exceeded.retain(|(key, until)| *key != count.key && now < *until);
        if self.exceeded.len() >= limits::FLOODS {
            self.exceeded.pop_front();
        }
        self.exceeded.push_back((count.key.clone(), now + count.period));
    }

    /// The token was found good.
    pub fn accepted(&mut self, bearer: &Bearer) {
        // What is in use stays longest.
        self.known.retain(|token| *token != bearer.token);
        if self.known.len() >= limits::TOKENS_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(bearer.token);
    }
}
