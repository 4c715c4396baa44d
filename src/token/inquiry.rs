//! One token that an authorization server is asked about, while it is verified: what the server
//! said, and what that makes of the token.
//!
//! 1. A signed answer is believed once its signature is good by a key of the entry's own set. Until
//!    then it is the answer that is checked, and not the token.
//! 2. What is wrong with an answer is never the token's fault: it is as if there were no answer.
//! 3. Of an opaque token the answer says everything. A JWT was judged by its own claims before;
//!    nothing in the answer adds to them.

use std::rc::Rc;

use crate::keys::algorithm::Algorithm;
use crate::limits::{self, Seconds};
use crate::refusal::Refusal;
use crate::token::claims::{self, Judged};
use crate::token::introspection::{self, Answer, Told};
use crate::token::jose::{self, Token};
use crate::token::trusted_issuer::TrustedIssuer;

#[derive(Debug)]
pub(super) struct Inquiry {
    /// The whole token, as it was sent.
    text: String,
    kind: Kind,
    /// A signed answer, whose signature is to be checked.
    signed: Option<Rc<Token>>,
    /// What the server has said just now.
    heard: Option<Answer>,
    /// Why it has said nothing.
    failure: Option<String>,
}

#[derive(Debug)]
enum Kind {
    Opaque,
    /// What it came to by itself; none before it was found good.
    Jwt(Option<Judged>),
}

/// What to do after the server was asked.
pub(super) enum Heard {
    Answer(Answer),
    /// The answer's signature is to be checked.
    Signed(Algorithm),
    Nothing(Refusal),
}

impl Inquiry {
    pub(super) fn about_opaque(text: &str) -> Box<Self> {
        Box::new(Self { text: text.to_owned(), kind: Kind::Opaque, signed: None, heard: None, failure: None })
    }

    pub(super) fn about_jwt(text: &str) -> Box<Self> {
        Box::new(Self { kind: Kind::Jwt(None), ..*Self::about_opaque(text) })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn told(&self) -> Option<&Answer> {
        self.heard.as_ref()
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The signed answer that is being checked.
    pub(super) const fn signed(&self) -> Option<&Rc<Token>> {
        self.signed.as_ref()
    }

    /// The token is a JWT, and good by itself.
    pub(super) fn is_good(&mut self, judged: Judged) {
        self.kind = Kind::Jwt(Some(judged));
    }

    /// What came of asking the entry's server.
    pub(super) fn hear(&mut self, told: Told, entry: &TrustedIssuer) -> Heard {
        let body = match told {
            Told::Remembered(answer) => return Heard::Answer(answer),
            Told::Json(body) => return self.read(introspection::read(body)),
            Told::Nothing(why) => return Heard::Nothing(self.silent(why, limits::INTROSPECTION_RETRY)),
            Told::NotAsked(seconds) => return Heard::Nothing(Refusal::IntrospectionUnavailable(seconds)),
            Told::Signed(body) => String::from_utf8(body),
        };
        let signed = body.map_err(|_| Refusal::TokenEncoding).and_then(|text| jose::parse_answer(&text));
        let allowed = signed.and_then(|signed| match signed.alg {
            Some(alg) if entry.algorithms.contains(&alg) => Ok((signed, alg)),
            _ => Err(Refusal::AlgNotAllowed),
        });
        match allowed {
            Ok((signed, algorithm)) => {
                self.signed = Some(Rc::new(signed));
                Heard::Signed(algorithm)
            }
            Err(refusal) => Heard::Nothing(self.unbelieved(refusal)),
        }
    }

    /// The signature of the answer is good.
    pub(super) fn hear_signed(&mut self, entry: &TrustedIssuer) -> Heard {
        let client = entry.introspection.as_ref().and_then(|asking| asking.client_id.as_deref());
        let said = self.signed.take().ok_or("no signed answer");
        self.read(said.and_then(|said| introspection::read_signed(&said.claims, &entry.rules.issuer, client)))
    }

    /// The signed answer is not to be believed, and this is why.
    pub(super) fn unbelieved(&mut self, refusal: Refusal) -> Refusal {
        let seconds = match refusal {
            Refusal::KeysUnavailable(seconds) => seconds,
            _ => limits::INTROSPECTION_RETRY,
        };
        self.silent(format!("a signed answer: {}", refusal.row().reason), seconds)
    }

    fn read(&mut self, said: Result<Answer, &'static str>) -> Heard {
        match said {
            Ok(answer) => {
                self.heard = Some(answer.clone());
                Heard::Answer(answer)
            }
            Err(why) => Heard::Nothing(self.silent(why.to_owned(), limits::INTROSPECTION_RETRY)),
        }
    }

    fn silent(&mut self, why: String, seconds: Seconds) -> Refusal {
        self.signed = None;
        self.failure = Some(why);
        Refusal::IntrospectionUnavailable(seconds)
    }

    /// What an answer makes of the token, and the token with the claims that it was judged by,
    /// where the answer has them.
    pub(super) fn judge(
        &mut self,
        answer: &Answer,
        entry: &TrustedIssuer,
        now: Seconds,
    ) -> Result<(Judged, Option<Token>), Refusal> {
        let (Answer::Active(said), Some(asking)) = (answer, &entry.introspection) else {
            return Err(Refusal::TokenInactive);
        };
        match &mut self.kind {
            Kind::Opaque => {
                let subject = asking.subject.as_deref().unwrap_or(&entry.rules.subject);
                let judged = claims::validate_answer(said, &entry.rules, subject, now)?;
                Ok((judged, Some(Token::opaque(&self.text).with_answer(said))))
            }
            Kind::Jwt(good) => {
                let judged = good.take().ok_or(Refusal::TokenInactive)?;
                claims::check_active(said, &entry.rules, &judged, now)?;
                Ok((judged, None))
            }
        }
    }
}
