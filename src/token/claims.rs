//! The claims of a token whose signature was found good → `Judged`, or why not. From that a
//! `Permit` comes, once all that the token is bound to was shown.
//!
//! RFC 9068 section 4 and RFC 7519 section 4.1, in this order: `exp`, `nbf`, `iat`, `iss`, `aud`,
//! client, what else the entry demands, the subject, `cnf`. A claim of the wrong type is refused,
//! never treated as absent (CVE-2026-25537 is what happens otherwise). `now` comes from the caller.

use std::borrow::Cow;

use crate::json::{Document, Node};
use crate::limits::{self, Seconds};
use crate::refusal::Refusal;
use crate::token::binding::{Binding, Use};
use crate::token::identity::{ClaimNames, Identity};

/// What an entry demands of a token's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The exact `iss`.
    pub issuer: String,
    /// Accepted `aud` values; never empty.
    pub audiences: Vec<String>,
    /// Where a token says for whom it is.
    pub audience_in: AudienceIn,
    /// Accepted clients; empty: any.
    pub clients: Vec<String>,
    /// What else a token must say, or it is not an access token of ours.
    pub demands: Vec<Demand>,
    /// Which claim says whose the token is.
    pub subject: Cow<'static, str>,
    /// Where client and scopes stand.
    pub names: ClaimNames,
    /// Whether tokens may or must be bound to a client's certificate.
    pub mtls: Use,
    /// Whether tokens may or must be bound to a client's key, and be sent by DPoP.
    pub dpop: Use,
    pub verify_exp: bool,
    pub verify_iat: bool,
    pub verify_nbf: bool,
    pub verify_iss: bool,
    pub leeway: Seconds,
}

/// Where a token says for whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceIn {
    Aud,
    /// In `aud`, where there is one, and else by its client: Cognito's access tokens have no `aud`.
    /// Without a list of clients it is `Aud`.
    AudElseClient,
}

/// A claim that an access token of this issuer has and its other tokens do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// This claim is this string.
    Is(&'static str, String),
    /// One of these claims is there and has something in it.
    AnyOf(&'static [&'static str]),
}

impl Rules {
    /// Every check on, with the default leeway.
    pub const fn strict(issuer: String, audiences: Vec<String>) -> Self {
        Self {
            issuer,
            audiences,
            audience_in: AudienceIn::Aud,
            clients: Vec::new(),
            demands: Vec::new(),
            subject: Cow::Borrowed("sub"),
            names: ClaimNames::USUAL,
            mtls: Use::Off,
            dpop: Use::Off,
            verify_exp: true,
            verify_iat: true,
            verify_nbf: true,
            verify_iss: true,
            leeway: limits::LEEWAY_DEFAULT,
        }
    }
}

/// Good claims, and what the token's holder has yet to show. Only [`validate`] makes one.
#[derive(Debug)]
pub struct Judged {
    identity: Identity,
    pub(super) binding: Binding,
}

impl Judged {
    /// The permit.
    ///
    /// # Errors
    /// Something has not been shown.
    pub fn permit(self) -> Result<Permit, Refusal> {
        if self.binding.is_shown() {
            Ok(Permit { identity: self.identity })
        } else {
            Err(Refusal::TokenBound)
        }
    }
}

/// The right to be forwarded, and as whom. Only [`Judged::permit`] makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    identity: Identity,
}

impl Permit {
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// Judges claims whose signature was found good with a key of the rules' own issuer.
pub fn validate(claims: &Document, rules: &Rules, now: Seconds) -> Result<Judged, Refusal> {
    if rules.verify_exp {
        check_exp(claims, rules.leeway, now)?;
    }
    if rules.verify_nbf {
        check_nbf(claims, rules.leeway, now)?;
    }
    if rules.verify_iat {
        check_iat(claims, rules.leeway, now)?;
    }
    if rules.verify_iss {
        check_iss(claims, &rules.issuer)?;
    }
    check_audience(claims, rules)?;
    check_client(claims, rules)?;
    check_demands(claims, &rules.demands)?;
    let subject = check_subject(claims, &rules.subject)?;
    let binding = Binding::of(claims, rules.mtls, rules.dpop)?;
    Ok(Judged { identity: Identity::new(subject, &rules.issuer, claims, rules.names), binding })
}

/// Judges what the rules' own issuer says of a token that is active there (RFC 7662 section 2.2).
/// Its `active` takes the place of signature, `exp` and `iss`, which it need not name. `subject`:
/// the member that does name the subject.
pub fn validate_answer(
    answer: &Document,
    rules: &Rules,
    subject: &str,
    now: Seconds,
) -> Result<Judged, Refusal> {
    check_answer(answer, rules, now)?;
    // Where the server names no audience, the client stands for it.
    if answer.get("aud").is_none() && rules.clients.is_empty() {
        return Err(Refusal::AudMissing);
    }
    check_client(answer, rules)?;
    check_demands(answer, &rules.demands)?;
    let subject = check_subject(answer, subject)?;
    let binding = Binding::of(answer, rules.mtls, rules.dpop)?;
    check_dpop_type(answer, &binding)?;
    Ok(Judged { identity: Identity::new(subject, &rules.issuer, answer, rules.names), binding })
}

/// The same of a JWT that was found good here: its own claims stand, and the answer must not speak
/// against them.
pub fn check_active(answer: &Document, rules: &Rules, jwt: &Judged, now: Seconds) -> Result<(), Refusal> {
    check_answer(answer, rules, now)?;
    let binding = || Binding::of(answer, rules.mtls, rules.dpop);
    if answer.get("cnf").is_some() && binding()? != jwt.binding {
        return Err(Refusal::TokenBound);
    }
    check_dpop_type(answer, &jwt.binding)
}

/// What an answer says has to be true, and of the right type.
fn check_answer(answer: &Document, rules: &Rules, now: Seconds) -> Result<(), Refusal> {
    let has = |name| answer.get(name).is_some();
    check_token_type(answer)?;
    if rules.verify_exp && has("exp") {
        check_exp(answer, rules.leeway, now)?;
    }
    if rules.verify_nbf {
        check_nbf(answer, rules.leeway, now)?;
    }
    if rules.verify_iat {
        check_iat(answer, rules.leeway, now)?;
    }
    if rules.verify_iss && has("iss") {
        check_iss(answer, &rules.issuer)?;
    }
    if has("aud") { check_aud(answer, &rules.audiences) } else { Ok(()) }
}

/// RFC 9449 section 6.2: a token of this type is bound to a key.
fn check_dpop_type(answer: &Document, binding: &Binding) -> Result<(), Refusal> {
    let said = answer.get("token_type").and_then(Node::as_str);
    let is_dpop = said.is_some_and(|said| said.eq_ignore_ascii_case("DPoP"));
    if is_dpop && !binding.wants_key() { Err(Refusal::TokenTypeNotAllowed) } else { Ok(()) }
}

/// RFC 7662 section 2.2: the token is used as Bearer, or by DPoP. `token_use` is Ory's and
/// Cognito's word: a server may be asked about refresh tokens, too, and calls them active.
fn check_token_type(answer: &Document) -> Result<(), Refusal> {
    let is_one_of = |name: &str, accepted: &[&str]| match answer.get(name) {
        None => true,
        Some(Node::String(said)) => accepted.iter().any(|word| said.eq_ignore_ascii_case(word)),
        Some(_) => false,
    };
    if is_one_of("token_type", &["Bearer", "DPoP"]) && is_one_of("token_use", &["access_token", "access"]) {
        Ok(())
    } else {
        Err(Refusal::TokenTypeNotAllowed)
    }
}

/// RFC 7519 section 4.1.4: "on or after which the JWT MUST NOT be accepted"; RFC 9068 section 2.2
/// makes it required.
fn check_exp(claims: &Document, leeway: Seconds, now: Seconds) -> Result<(), Refusal> {
    let exp = claims.get("exp").ok_or(Refusal::ExpMissing)?;
    let exp = exp.as_f64().ok_or(Refusal::ExpNotNumber)?;
    if now as f64 >= exp + leeway as f64 { Err(Refusal::TokenExpired) } else { Ok(()) }
}

/// RFC 7519 section 4.1.5.
fn check_nbf(claims: &Document, leeway: Seconds, now: Seconds) -> Result<(), Refusal> {
    let Some(nbf) = claims.get("nbf") else { return Ok(()) };
    let nbf = nbf.as_f64().ok_or(Refusal::NbfNotNumber)?;
    if nbf > (now + leeway) as f64 { Err(Refusal::TokenNotYetValid) } else { Ok(()) }
}

/// RFC 7519 section 4.1.6. A token from the future is a clock gone wrong, or a lie.
fn check_iat(claims: &Document, leeway: Seconds, now: Seconds) -> Result<(), Refusal> {
    let Some(iat) = claims.get("iat") else { return Ok(()) };
    let iat = iat.as_f64().ok_or(Refusal::IatNotNumber)?;
    if iat > (now + leeway) as f64 { Err(Refusal::IatInFuture) } else { Ok(()) }
}

/// RFC 9068 section 4: the issuer identifier "MUST exactly match".
fn check_iss(claims: &Document, issuer: &str) -> Result<(), Refusal> {
    match claims.get("iss") {
        Some(Node::String(iss)) if iss == issuer => Ok(()),
        _ => Err(Refusal::IssMismatch),
    }
}

/// RFC 9068 section 4 and RFC 8707 section 2: the token names this resource. One trailing slash,
/// which clients add and drop, is no difference.
fn check_aud(claims: &Document, expected: &[String]) -> Result<(), Refusal> {
    let is_expected = |aud: &str| expected.iter().any(|e| without_slash(e) == without_slash(aud));
    let accepted = match claims.get("aud") {
        None => return Err(Refusal::AudMissing),
        Some(Node::String(aud)) => is_expected(aud),
        Some(Node::Array(auds)) => {
            let auds: Option<Vec<&str>> = auds.values().map(Node::as_str).collect();
            auds.ok_or(Refusal::AudMalformed)?.into_iter().any(is_expected)
        }
        Some(_) => return Err(Refusal::AudMalformed),
    };
    if accepted { Ok(()) } else { Err(Refusal::AudMismatch) }
}

fn without_slash(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}

/// `aud`; where it may be absent, the client stands for it.
fn check_audience(claims: &Document, rules: &Rules) -> Result<(), Refusal> {
    let by_client = rules.audience_in == AudienceIn::AudElseClient && !rules.clients.is_empty();
    if by_client && claims.get("aud").is_none() {
        return Ok(()); // `check_client` is next
    }
    check_aud(claims, &rules.audiences)
}

/// The client, if the entry lists its clients: exact, and a string.
fn check_client(claims: &Document, rules: &Rules) -> Result<(), Refusal> {
    if rules.clients.is_empty() {
        return Ok(());
    }
    let client = rules.names.client(claims).ok_or(Refusal::ClientMissing)?;
    if rules.clients.iter().any(|c| c == client) { Ok(()) } else { Err(Refusal::ClientMismatch) }
}

fn check_demands(claims: &Document, demands: &[Demand]) -> Result<(), Refusal> {
    let is_met = |demand: &Demand| match demand {
        Demand::Is(name, value) => claims.get(name).and_then(Node::as_str) == Some(value),
        Demand::AnyOf(names) => names.iter().any(|name| claims.get(name).is_some_and(says_something)),
    };
    if demands.iter().all(is_met) { Ok(()) } else { Err(Refusal::ClaimMismatch) }
}

fn says_something(claim: Node<'_>) -> bool {
    match claim {
        Node::String(text) => !text.is_empty(),
        Node::Array(members) | Node::Object(members) => members.values().next().is_some(),
        Node::Null | Node::Bool(_) | Node::Number(_) => false,
    }
}

/// Without a subject there is nobody to forward as. `name`: the claim that says it.
fn check_subject<'c>(claims: &'c Document, name: &str) -> Result<&'c str, Refusal> {
    match claims.get(name) {
        None => Err(Refusal::SubMissing),
        Some(Node::String("")) => Err(Refusal::SubMissing),
        Some(Node::String(subject)) => Ok(subject),
        Some(_) => Err(Refusal::SubNotString),
    }
}
