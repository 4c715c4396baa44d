//! Proofs that were accepted, so that none is accepted twice by one isolate (RFC 9449 section
//! 11.1).
//!
//! 1. A proof is known by its `jti` and the thumbprint of its key, hashed into one length, and for
//!    as long as its `iat` would be accepted.
//! 2. The list is bounded. What comes beyond pushes out the proof that came first: holders of good
//!    tokens, and nobody else, can then make an isolate forget a proof before its time. Refusing
//!    instead would let one of them shut out all others.

use std::collections::{BTreeSet, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::limits::{DPOP_PROOFS_KEPT, Seconds};

/// What a proof is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofId([u8; 16]);

impl ProofId {
    /// `thumbprint`: its key's.
    pub fn new(thumbprint: &[u8; 32], jti: &str) -> Self {
        let hash: [u8; 32] = Sha256::new().chain_update(thumbprint).chain_update(jti).finalize().into();
        let mut id = [0; 16];
        for (byte, hashed) in id.iter_mut().zip(hash) {
            *byte = hashed;
        }
        Self(id)
    }
}

/// The proofs that one isolate has accepted.
#[derive(Debug, Default)]
pub struct Replays {
    known: BTreeSet<ProofId>,
    /// In the order in which they came, and the last second in which each would be accepted.
    order: VecDeque<(ProofId, Seconds)>,
}

impl Replays {
    /// Remembers a proof. Whether it is the first with this id.
    pub fn is_first(&mut self, id: ProofId, until: Seconds, now: Seconds) -> bool {
        while self.order.front().is_some_and(|(_, until)| *until < now) {
            self.forget();
        }
        if self.known.contains(&id) {
            return false;
        }
        if self.order.len() >= DPOP_PROOFS_KEPT {
            self.forget();
        }
        self.known.insert(id);
        self.order.push_back((id, until));
        true
    }

    fn forget(&mut self) {
        if let Some((id, _)) = self.order.pop_front() {
            self.known.remove(&id);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
