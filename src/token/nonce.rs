//! Nonces that proofs of possession have to have in them (RFC 9449 sections 8 and 9), so that none
//! can be made long before it is sent.
//!
//! 1. A nonce is the HMAC-SHA-256 of a window of time. Nothing is kept anywhere, and all isolates
//!    agree.
//! 2. That of the window before is still good, so that a nonce lives for one to two windows; so is
//!    that of the next, since the clock of another isolate may be a moment ahead.
//! 3. It says nothing of the resource: clients keep one nonce for each host (RFC 9449 section 8.2).

use crate::limits::{DPOP_NONCE_SECONDS, Seconds};
use crate::secret::MacKeys;

/// What a MAC of this kind begins with, so that a key's other uses cannot be played off against it.
const LABEL: &str = "mcp-edge-auth dpop nonce 1";

/// What nonces are made with: the first key makes them, all are accepted.
#[derive(Clone, Debug, Default)]
pub struct Nonces(MacKeys);

/// A nonce of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Fresh,
    /// Good, and soon it is not any more.
    Old,
}

impl Nonces {
    pub const fn new(keys: MacKeys) -> Self {
        Self(keys)
    }

    /// Where the secret cannot be seen. No nonce is good there.
    pub const fn is_unseen(&self) -> bool {
        self.0.is_empty()
    }

    /// The nonce of this moment.
    pub fn current(&self, now: Seconds) -> Option<String> {
        self.0.tag(&[LABEL, &window(now).to_string()])
    }

    /// `None`: it is none of ours, or of another time.
    pub fn age(&self, nonce: &str, now: Seconds) -> Option<Age> {
        let current = window(now);
        let is_of = |window: u64| self.0.is_tag(nonce, &[LABEL, &window.to_string()]) == Some(true);
        if is_of(current) || is_of(current + 1) {
            Some(Age::Fresh)
        } else if is_of(current.saturating_sub(1)) {
            Some(Age::Old)
        } else {
            None
        }
    }
}

const fn window(now: Seconds) -> u64 {
    now / DPOP_NONCE_SECONDS
}
