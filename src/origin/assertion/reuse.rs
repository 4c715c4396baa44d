//! An assertion serves again for the same token, for a while: signing is most of what one costs
//! (docs/performance.md).
//!
//! 1. The same token is the same text, signature included, at the same resource, accepted for the
//!    same issuer and subject by an entry that finds client and scopes in the same claims. So
//!    nothing that an assertion says can differ but its times and its `jti`.
//! 2. The token is verified on every request all the same; only what is said of it is kept.
//! 3. An assertion serves for half of its own lifetime, so that what arrives has the other half
//!    left. It is counted by the clock that made it.
//! 4. Only so many are kept, of tokens that are not too long. The oldest goes first.

use std::collections::VecDeque;

use crate::limits::{self, Seconds};
use crate::token::identity::ClaimNames;
use crate::token::verify::Verified;

/// The assertions of an isolate.
#[derive(Debug, Default)]
pub struct Reuse {
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    signature: Vec<u8>,
    signing_input: String,
    issuer: String,
    subject: String,
    names: ClaimNames,
    resource: &'static str,
    made_at: Seconds,
    ticket: f64,
    /// What is signed, and the signature too once it is there.
    assertion: String,
    is_signed: bool,
}

impl Kept {
    fn is_for(&self, resource: &str, verified: &Verified) -> bool {
        self.signature == verified.signature()
            && self.signing_input == verified.signing_input()
            && self.issuer == verified.permit().identity().issuer()
            && self.subject == verified.permit().identity().subject()
            && self.names == verified.names()
            && self.resource == resource
    }
}

impl Reuse {
    /// The assertion that was made for this token at this resource, if it still serves.
    pub fn find(&self, resource: &str, verified: &Verified, now: Seconds) -> Option<&str> {
        let serves = |kept: &&Kept| {
            let age = now.checked_sub(kept.made_at);
            kept.is_signed && age.is_some_and(|age| age < limits::ASSERTION_REUSE_SECONDS)
        };
        let newest_first = self.kept.iter().rev();
        newest_first
            .filter(serves)
            .find(|kept| kept.is_for(resource, verified))
            .map(|kept| kept.assertion.as_str())
    }

    /// Remembers what is being signed for a token. `ticket`: as `signed` will say it, and as nobody
    /// else does.
    pub fn signing(
        &mut self,
        resource: &'static str,
        verified: &Verified,
        now: Seconds,
        ticket: f64,
        input: &str,
    ) {
        if verified.signing_input().len() > limits::ASSERTION_REUSE_TOKEN_BYTES {
            return;
        }
        if self.kept.len() >= limits::ASSERTIONS_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept {
            signature: verified.signature().to_vec(),
            signing_input: verified.signing_input().to_owned(),
            issuer: verified.permit().identity().issuer().to_owned(),
            subject: verified.permit().identity().subject().to_owned(),
            names: verified.names(),
            resource,
            made_at: now,
            ticket,
            assertion: input.to_owned(),
            is_signed: false,
        });
    }

    /// The signature, encoded, has come. Were it another's, the assertion would be one that no
    /// origin takes.
    pub fn signed(&mut self, ticket: f64, signature: &str) {
        let waiting = self.kept.iter_mut().rev().find(|kept| kept.ticket == ticket && !kept.is_signed);
        if let Some(kept) = waiting {
            kept.assertion.push('.');
            kept.assertion.push_str(signature);
            kept.is_signed = true;
        }
    }
}
