//! A token's way to a `Permit`, without I/O.
//!
//! 1. The unverified `iss` picks the entries that may answer for the token; entries with
//!    `verify_iss` off are tried as well. Issuer and key set belong together: a key is only ever
//!    looked up in the set of such an entry (RFC 8725 section 3.8, RFC 9068 section 4).
//! 2. The entry allows the token's `typ` and `alg`. 3. A key of its set fits. 4. The signature is
//!    good. 5. The claims are. 6. Where the entry wants it, its authorization server says that the
//!    token is still active. 7. What the token is bound to is shown.
//! 8. The first entry that accepts wins. If none does, the most specific refusal is told.
//!
//! An opaque token has no issuer, key and signature. Only the one entry that has its tokens asked
//! about can answer for it, and what that server says takes the place of the claims.
//!
//! Where the outside world is needed, `step` says for what; `key_set`, `signature`,
//! `introspection`, `certificate`, `proof` and `proof_signature` take the answer.

mod asking;
mod proving;

use std::mem;
use std::rc::Rc;

use crate::json::Document;
use crate::keys::algorithm::Algorithm;
use crate::keys::cache::Need;
use crate::keys::set::{Key, KeySet};
use crate::keys::source::SourceId;
use crate::limits::Seconds;
use crate::refusal::Refusal;
use crate::token::claims::{self, Judged, Permit};
use crate::token::credential::{Credential, Scheme};
use crate::token::dpop::{self, Proof};
use crate::token::identity::ClaimNames;
use crate::token::inquiry::Inquiry;
use crate::token::jose::{self, Token};
use crate::token::trusted_issuer::TrustedIssuer;

/// One token at one resource.
#[derive(Debug)]
pub struct Verification<'c> {
    token: Rc<Token>,
    now: Seconds,
    /// Entries that have not been asked yet.
    entries: Vec<&'c TrustedIssuer>,
    stage: Stage<'c>,
    refusal: Refusal,
    /// The entry that was asked last, for the log.
    asked: Option<&'c TrustedIssuer>,
    /// The hash of a token that was sent by DPoP, for its proof.
    ath: Option<String>,
    /// The nonce that the next proof is to have in it, if that of this one is none or old.
    next_nonce: Option<String>,
    /// None: no authorization server is asked about the token.
    inquiry: Option<Box<Inquiry>>,
}

#[derive(Debug)]
enum Stage<'c> {
    NextEntry,
    KeySet(&'c TrustedIssuer, Algorithm, Need),
    Signature(&'c TrustedIssuer, Algorithm, Vec<Rc<Key>>),
    Introspection(&'c TrustedIssuer),
    Certificate(&'c TrustedIssuer, Judged),
    Proof(&'c TrustedIssuer, Judged),
    ProofSignature(&'c TrustedIssuer, Judged, Rc<Proof>),
    Accepted(&'c TrustedIssuer, Permit),
}

/// What a verification needs next.
#[derive(Debug)]
pub enum Step<'c> {
    /// A key set; answer with `key_set`.
    KeySet(SourceId, Need),
    /// A signature check; answer with `signature`.
    Signature(Check),
    /// What this entry's authorization server says of the token (`text`); answer with
    /// `introspection`.
    Introspection(&'c TrustedIssuer),
    /// What the runtime says of the client's certificate; answer with `certificate`.
    Certificate,
    /// The proof of possession, and the request that it has to be for; answer with `proof`.
    Proof,
    /// A check of its signature; answer with `proof_signature`.
    ProofSignature(Rc<Proof>),
    /// Nothing: `verdict` has it.
    Done,
}

/// A token that was accepted: the permit, and the claims that it was given for. Only a
/// `Verification` makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    permit: Permit,
    /// Where the token says what its client and scopes are.
    names: ClaimNames,
    token: Rc<Token>,
}

impl Verified {
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    pub fn claims(&self) -> &Document {
        &self.token.claims
    }

    /// Where the entry that accepted the token looks for its client and scopes.
    pub(crate) const fn names(&self) -> ClaimNames {
        self.names
    }

    /// The granted scopes, as they stand in the token.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.names.scopes(self.claims())
    }

    /// The client that the token was given to.
    pub fn client_id(&self) -> Option<&str> {
        self.names.client(self.claims())
    }

    /// The token's own name (RFC 7519 section 4.1.7), if it has one. Some servers name an opaque
    /// token by itself, which is for no log.
    pub fn token_id(&self) -> Option<&str> {
        let opaque = self.token.alg.is_none().then(|| self.signing_input().split('\n').next()).flatten();
        let is_name = |jti: &&str| !jti.is_empty() && !opaque.is_some_and(|token| token.contains(jti));
        self.claims().get("jti")?.as_str().filter(is_name)
    }

    /// The token but for its signature, as it was sent. Of an opaque one, all of it, and what its
    /// server says.
    pub(crate) fn signing_input(&self) -> &str {
        &self.token.signing_input
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.token.signature
    }
}

/// One signature check, whole.
#[derive(Debug)]
pub struct Check {
    pub algorithm: Algorithm,
    pub key: Rc<Key>,
    token: Rc<Token>,
}

impl Check {
    /// What was signed.
    pub fn signing_input(&self) -> &str {
        &self.token.signing_input
    }

    pub fn signature(&self) -> &[u8] {
        &self.token.signature
    }
}

impl<'c> Verification<'c> {
    pub fn new(
        trusted: &'c [TrustedIssuer],
        credential: Credential<'_>,
        now: Seconds,
    ) -> Result<Self, Refusal> {
        let ath = (credential.scheme == Scheme::Dpop).then(|| dpop::hash(credential.token));
        let token = match jose::parse(credential.token) {
            Ok(token) => token,
            Err(refusal) => return Self::of_opaque(trusted, credential.token, now, refusal, ath),
        };
        let issuer = token.issuer();
        let entries: Vec<&TrustedIssuer> = trusted
            .iter()
            .rev()
            .filter(|entry| !entry.rules.verify_iss || issuer == Some(entry.rules.issuer.as_str()))
            .collect();
        let is_asked_about = entries.iter().any(|entry| entry.asks_about_jwts());
        let inquiry = is_asked_about.then(|| Inquiry::about_jwt(credential.token));
        Ok(Self {
            token: Rc::new(token),
            now,
            entries,
            stage: Stage::NextEntry,
            refusal: Refusal::IssuerUntrusted,
            asked: None,
            ath,
            next_nonce: None,
            inquiry,
        })
    }

    /// What is needed next. Asked twice without an answer, it says the same.
    pub fn step(&mut self) -> Step<'c> {
        if matches!(self.stage, Stage::NextEntry) {
            self.next_entry();
        }
        match &self.stage {
            Stage::NextEntry | Stage::Accepted(..) => Step::Done,
            Stage::KeySet(entry, _, need) => Step::KeySet(entry.source, *need),
            Stage::Signature(_, algorithm, keys) => match keys.last() {
                Some(key) => Step::Signature(Check {
                    algorithm: *algorithm,
                    key: Rc::clone(key),
                    token: Rc::clone(self.checked()),
                }),
                None => Step::Done,
            },
            Stage::Introspection(entry) => Step::Introspection(entry),
            Stage::Certificate(..) => Step::Certificate,
            Stage::Proof(..) => Step::Proof,
            Stage::ProofSignature(.., proof) => Step::ProofSignature(Rc::clone(proof)),
        }
    }

    /// The key set that was asked for, or seconds until it can be asked for again.
    pub fn key_set(&mut self, answer: Result<Rc<KeySet>, Seconds>) {
        let Stage::KeySet(entry, algorithm, need) = self.stage else { return };
        let selected = match answer {
            Ok(set) => set.select(algorithm, self.kid()),
            Err(retry_after) => Err(Refusal::KeysUnavailable(retry_after)),
        };
        match selected {
            Ok(mut keys) => {
                keys.reverse();
                self.stage = Stage::Signature(entry, algorithm, keys);
            }
            Err(Refusal::KidUnknown) if need == Need::Any => {
                self.stage = Stage::KeySet(entry, algorithm, Need::UnknownKid);
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Whether the signature that was asked about is good.
    pub fn signature(&mut self, good: bool) {
        let Stage::Signature(entry, _, keys) = &mut self.stage else { return };
        let entry = *entry;
        if !good {
            keys.pop();
            if keys.is_empty() {
                self.refuse(Refusal::SignatureInvalid);
            }
            return;
        }
        if let Some(inquiry) = self.inquiry.as_mut().filter(|inquiry| inquiry.signed().is_some()) {
            let heard = inquiry.hear_signed(entry);
            return self.heard(entry, heard);
        }
        match claims::validate(&self.token.claims, &entry.rules, self.now) {
            Ok(judged) if self.is_unbound(&judged) => self.refuse(Refusal::KeyUnbound),
            Ok(judged) if entry.asks_about_jwts() => {
                if let Some(inquiry) = &mut self.inquiry {
                    inquiry.is_good(judged);
                    self.stage = Stage::Introspection(entry);
                }
            }
            Ok(judged) => self.judged(entry, judged),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// What the runtime says of the client's certificate, as JSON; none where it says nothing.
    pub fn certificate(&mut self, told: Option<&str>) {
        if !matches!(self.stage, Stage::Certificate(..)) {
            return;
        }
        if let Stage::Certificate(entry, mut judged) = mem::replace(&mut self.stage, Stage::NextEntry) {
            match judged.binding.certificate(told) {
                Ok(()) => self.judged(entry, judged),
                Err(refusal) => self.refuse(refusal),
            }
        }
    }

    /// The outcome, once nothing is needed any more. Before that, it is a no.
    pub fn verdict(self) -> Result<Verified, Refusal> {
        match self.stage {
            Stage::Accepted(entry, permit) => {
                Ok(Verified { permit, names: entry.rules.names, token: self.token })
            }
            _ => Err(self.refusal),
        }
    }

    /// The token's `alg`, if the table has it.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.token.alg
    }

    /// The `kid` of what is checked: the token, or a signed answer about it.
    pub fn kid(&self) -> Option<&str> {
        self.checked().kid.as_deref()
    }

    /// What the token calls its issuer, if no entry's name is that. It is the sender's choice.
    pub fn untrusted_issuer(&self) -> Option<&str> {
        let is_untrusted =
            self.refusal == Refusal::IssuerUntrusted && !matches!(self.stage, Stage::Accepted(..));
        if is_untrusted { self.token.issuer() } else { None }
    }

    /// The issuer of the entry that was asked last.
    pub fn issuer(&self) -> Option<&'c str> {
        self.asked.map(|entry| entry.rules.issuer.as_str())
    }

    fn next_entry(&mut self) {
        while let Some(entry) = self.entries.pop() {
            self.asked = Some(entry);
            if let Some(refusal) = Self::scheme_refusal(entry, self.is_by_dpop()) {
                self.refusal = self.refusal.max(refusal);
                continue;
            }
            if entry.only_at_jwt && !self.token.at_jwt {
                self.refusal = self.refusal.max(Refusal::TypNotAllowed);
                continue;
            }
            match self.token.alg.filter(|alg| entry.algorithms.contains(alg)) {
                Some(algorithm) => {
                    self.stage = Stage::KeySet(entry, algorithm, Need::Any);
                    return;
                }
                None => self.refusal = self.refusal.max(Refusal::AlgNotAllowed),
            }
        }
    }

    /// Whether a token that was sent by DPoP is bound to no key.
    const fn is_unbound(&self, judged: &Judged) -> bool {
        self.ath.is_some() && !judged.binding.wants_key()
    }

    /// The token, or a signed answer about it.
    fn checked(&self) -> &Rc<Token> {
        self.inquiry.as_ref().and_then(|inquiry| inquiry.signed()).unwrap_or(&self.token)
    }

    /// On to what has yet to be shown, or to the end.
    fn judged(&mut self, entry: &'c TrustedIssuer, judged: Judged) {
        if judged.binding.wants_certificate() {
            self.stage = Stage::Certificate(entry, judged);
            return;
        }
        if judged.binding.wants_key() {
            return self.has_to_be_proven(entry, judged);
        }
        match judged.permit() {
            Ok(permit) => self.stage = Stage::Accepted(entry, permit),
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        let inquiry = self.inquiry.as_mut().filter(|inquiry| inquiry.signed().is_some());
        let refusal = inquiry.map_or(refusal, |inquiry| inquiry.unbelieved(refusal));
        self.refusal = self.refusal.max(refusal);
        self.stage = Stage::NextEntry;
    }
}
