//! The part of a token's way that only those go that are sent by DPoP (RFC 9449).

use std::mem;
use std::rc::Rc;

use super::{Stage, Verification};
use crate::refusal::Refusal;
use crate::token::binding::Use;
use crate::token::claims::Judged;
use crate::token::dpop::{Proof, Request};
use crate::token::replays::Replays;
use crate::token::trusted_issuer::TrustedIssuer;

impl<'c> Verification<'c> {
    /// A proof of possession. `header`: what is in `DPoP`. `address`: the request's public one.
    pub fn proof(&mut self, header: Option<&str>, method: &str, address: &str) {
        let (Stage::Proof(..), Some(ath)) = (&self.stage, &self.ath) else { return };
        let request = Request { method, address, ath };
        let Stage::Proof(entry, judged) = mem::replace(&mut self.stage, Stage::NextEntry) else { return };
        let proof = Proof::check(header, &request, &entry.dpop, self.now);
        if proof.as_ref().map_or_else(|no| *no == Refusal::ProofNonce, |proof| proof.has_old_nonce) {
            self.next_nonce = entry.dpop.nonces.as_ref().and_then(|nonces| nonces.current(self.now));
        }
        match proof {
            Ok(proof) => self.stage = Stage::ProofSignature(entry, judged, Rc::new(proof)),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Whether the proof's signature is good. `replays`: the proofs that were seen before.
    pub fn proof_signature(&mut self, good: bool, replays: &mut Replays) {
        if !matches!(self.stage, Stage::ProofSignature(..)) {
            return;
        }
        let stage = mem::replace(&mut self.stage, Stage::NextEntry);
        let Stage::ProofSignature(entry, mut judged, proof) = stage else { return };
        if !good {
            return self.refuse(Refusal::ProofSignature);
        }
        if let Err(refusal) = judged.binding.key(&proof.thumbprint) {
            return self.refuse(refusal);
        }
        if !replays.is_first(proof.id, proof.until, self.now) {
            return self.refuse(Refusal::ProofReplayed);
        }
        self.judged(entry, judged);
    }

    /// Whether the token was sent by DPoP.
    pub const fn is_by_dpop(&self) -> bool {
        self.ath.is_some()
    }

    /// The nonce that the next proof is to have in it, where the client has to be told.
    pub const fn next_nonce(&mut self) -> Option<String> {
        self.next_nonce.take()
    }

    /// A token that is bound to a key. Without a proof it is a stolen one (RFC 9449 section 7.2).
    pub(super) fn has_to_be_proven(&mut self, entry: &'c TrustedIssuer, judged: Judged) {
        match self.ath.is_some() {
            true => self.stage = Stage::Proof(entry, judged),
            false => self.refuse(Refusal::TokenBound),
        }
    }

    /// Why an entry does not take a token that was sent like this.
    pub(super) const fn scheme_refusal(entry: &TrustedIssuer, is_by_dpop: bool) -> Option<Refusal> {
        match (entry.rules.dpop, is_by_dpop) {
            (Use::Off, true) => Some(Refusal::DpopNotAccepted),
            (Use::Require, false) => Some(Refusal::DpopRequired),
            _ => None,
        }
    }
}
