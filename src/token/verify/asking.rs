//! The part of a token's way that only those go that an authorization server is asked about (RFC
//! 7662).

use std::rc::Rc;

use super::{Stage, Verification};
use crate::keys::cache::Need;
use crate::limits::Seconds;
use crate::refusal::Refusal;
use crate::token::inquiry::{Heard, Inquiry};
use crate::token::introspection::{Answer, Told};
use crate::token::jose::{self, Token};
use crate::token::trusted_issuer::TrustedIssuer;

impl<'c> Verification<'c> {
    /// What is no JWT may be an opaque token. `refusal`: of what it is otherwise. `ath`: its hash,
    /// if it was sent by DPoP.
    #[cold]
    pub(super) fn of_opaque(
        trusted: &'c [TrustedIssuer],
        text: &str,
        now: Seconds,
        refusal: Refusal,
        ath: Option<String>,
    ) -> Result<Self, Refusal> {
        // There is one such entry at most.
        let entry = trusted.iter().find(|entry| entry.introspection.is_some());
        let is_opaque = || refusal != Refusal::TokenTooLarge && jose::is_opaque(text);
        let entry = entry.filter(|_| is_opaque()).ok_or(refusal)?;
        // Nobody is asked about a token that is refused whatever the answer.
        let (stage, refusal) = match Self::scheme_refusal(entry, ath.is_some()) {
            Some(refusal) => (Stage::NextEntry, refusal),
            None => (Stage::Introspection(entry), refusal),
        };
        Ok(Self {
            token: Rc::new(Token::opaque(text)),
            now,
            entries: Vec::new(),
            stage,
            refusal,
            asked: Some(entry),
            ath,
            next_nonce: None,
            inquiry: Some(Inquiry::about_opaque(text)),
        })
    }

    /// What came of asking the authorization server.
    pub fn introspection(&mut self, told: Told) {
        let (Stage::Introspection(entry), Some(inquiry)) = (&self.stage, &mut self.inquiry) else { return };
        let entry = *entry;
        let heard = inquiry.hear(told, entry);
        self.heard(entry, heard);
    }

    /// Whether an authorization server may be asked about the token.
    pub const fn is_asked_about(&self) -> bool {
        self.inquiry.is_some()
    }

    /// The whole token, for its authorization server and nobody else.
    pub fn text(&self) -> &str {
        self.inquiry.as_ref().map_or("", |inquiry| inquiry.text())
    }

    /// What the authorization server has said just now.
    pub fn told(&self) -> Option<&Answer> {
        self.inquiry.as_ref()?.told()
    }

    /// Why it has said nothing.
    pub fn failure(&self) -> Option<&str> {
        self.inquiry.as_ref()?.failure()
    }

    #[cold]
    pub(super) fn heard(&mut self, entry: &'c TrustedIssuer, heard: Heard) {
        let answer = match heard {
            Heard::Answer(answer) => answer,
            Heard::Signed(algorithm) => {
                self.stage = Stage::KeySet(entry, algorithm, Need::Any);
                return;
            }
            Heard::Nothing(refusal) => return self.refuse(refusal),
        };
        let Some(inquiry) = &mut self.inquiry else { return };
        match inquiry.judge(&answer, entry, self.now) {
            Ok((judged, token)) => {
                if let Some(token) = token {
                    self.token = Rc::new(token);
                }
                match self.is_unbound(&judged) {
                    true => self.refuse(Refusal::KeyUnbound),
                    false => self.judged(entry, judged),
                }
            }
            Err(refusal) => self.refuse(refusal),
        }
    }
}
