//! A token: what was expected, what was found, and the very reason that the Worker would log.

use std::rc::Rc;

use mcp_edge_auth::json::Document;
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::claims::{AudienceIn, Rules};
use mcp_edge_auth::token::credential::{Credential, Scheme};
use mcp_edge_auth::token::introspection::{Answer, Told};
use mcp_edge_auth::token::jose::{self, Token};
use mcp_edge_auth::token::replays::Replays;
use mcp_edge_auth::token::trusted_issuer::TrustedIssuer;
use mcp_edge_auth::token::verify::{Step, Verification, Verified};

use super::advice;
use super::facts::{facts, key_of, scopes};
use super::key_sets::KeySets;
use super::report::Report;
use crate::signatures;

/// What this program says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// It is good, and is sent by DPoP with a proof that only its client can make.
    WantsProof,
    /// This program cannot tell.
    Unknown,
}

/// What others say, as far as it is known.
pub(crate) struct Outside<'o> {
    pub(crate) sets: &'o KeySets,
    /// What the authorization server says of the token.
    pub(crate) told: Option<Told>,
}

/// What the Worker's own way comes to.
struct Outcome {
    verdict: Result<Verified, Refusal>,
    /// What could not be looked at, if something could not, and why.
    unread: Option<String>,
    /// What the authorization server says of the token.
    answer: Option<Answer>,
}

/// Looks at a token.
pub(crate) fn check(
    resource: &Resource,
    text: &str,
    now: u64,
    outside: &Outside<'_>,
    report: &mut Report,
) -> Verdict {
    let token = match jose::parse(text) {
        Ok(token) => token,
        Err(refusal) => {
            if let Some(entry) = asked_about(resource).filter(|_| jose::is_opaque(text)) {
                let outcome = verify(resource, text, now, outside);
                return opaque(resource, entry, now, outcome, report);
            }
            let rules = Rules::strict(String::new(), Vec::new());
            report.fail("token.verdict", verdict_of(refusal), advice::on(refusal, &rules));
            return Verdict::Refused;
        }
    };
    let found = token.issuer().unwrap_or("none");
    let candidates: Vec<&TrustedIssuer> = resource
        .entries
        .iter()
        .filter(|e| !e.rules.verify_iss || token.issuer() == Some(&e.rules.issuer))
        .collect();
    let issuers: Vec<&str> = resource.entries.iter().map(|e| e.rules.issuer.as_str()).collect();
    let Some(first) = candidates.first() else {
        let slash = issuers.iter().any(|i| i.trim_end_matches('/') == found.trim_end_matches('/'));
        let slash = if slash { "; they differ in the trailing slash" } else { "" };
        let rules = Rules::strict(found.to_owned(), Vec::new());
        report.fail(
            "token.issuer",
            format!("expected iss {}, found {found}{slash}", issuers.join(" or ")),
            advice::on(Refusal::IssuerUntrusted, &rules),
        );
        report.fail("token.verdict", verdict_of(Refusal::IssuerUntrusted), "");
        return Verdict::Refused;
    };
    report.ok("token.issuer", format!("expected iss {}, found {found}", first.rules.issuer));
    // Of several entries for one issuer: that which accepts, or else the first.
    let accepting =
        candidates.iter().find(|entry| verify(&only(resource, entry), text, now, outside).verdict.is_ok());
    let entry = accepting.unwrap_or(first);
    let outcome = verify(resource, text, now, outside);
    let own = verify(&only(resource, entry), text, now, outside);
    header(entry, &token, outside.sets, &own, report);
    facts(&entry.rules, &token.claims, now, report);
    scopes(resource, &entry.rules, &token.claims, report);
    conclude(outcome, &entry.rules, report)
}

/// The entry whose authorization server is asked about opaque tokens.
fn asked_about(resource: &Resource) -> Option<&TrustedIssuer> {
    resource.entries.iter().find(|entry| entry.introspection.is_some())
}

/// A token that only its authorization server can read.
fn opaque(
    resource: &Resource,
    entry: &TrustedIssuer,
    now: u64,
    outcome: Outcome,
    report: &mut Report,
) -> Verdict {
    let issuer = &entry.rules.issuer;
    report.ok("token.issuer", format!("an opaque token, of which {issuer} is asked"));
    let subject = entry.introspection.as_ref().and_then(|asking| asking.subject.clone());
    let subject = subject.map_or_else(|| entry.rules.subject.clone(), Into::into);
    let mut rules = Rules { subject, ..entry.rules.clone() };
    if !rules.clients.is_empty() {
        rules.audience_in = AudienceIn::AudElseClient;
    }
    if let Some(Answer::Active(said)) = &outcome.answer {
        rules.verify_exp &= said.get("exp").is_some();
        rules.verify_iss &= said.get("iss").is_some();
        facts(&rules, said, now, report);
        scopes(resource, &rules, said, report);
    }
    conclude(outcome, &rules, report)
}

/// The last line.
fn conclude(outcome: Outcome, rules: &Rules, report: &mut Report) -> Verdict {
    use Refusal::{IntrospectionUnavailable, KeysUnavailable, SignatureInvalid};
    let Outcome { verdict, unread, .. } = outcome;
    if let (Some(why), Err(SignatureInvalid | IntrospectionUnavailable(_))) = (unread, &verdict) {
        let is_signature = matches!(verdict, Err(SignatureInvalid));
        let check = if is_signature { "token.signature" } else { "token.introspection" };
        report.warn(check, why, "the Worker can: ask it with --url");
        return Verdict::Unknown;
    }
    match verdict {
        Ok(verified) => {
            let headers: Vec<String> = verified
                .permit()
                .identity()
                .headers()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            report.ok("token.verdict", format!("accepted; your server gets {}", headers.join(", ")));
            Verdict::Accepted
        }
        Err(Refusal::ProofMissing) => {
            report.ok("token.verdict", "accepted, if its client sends it by DPoP, with a proof by its key");
            Verdict::WantsProof
        }
        // Only this is missing, since everything else comes before it.
        Err(Refusal::CertificateMissing) => {
            report.warn(
                "token.verdict",
                "accepted, if the client shows that certificate",
                advice::on(Refusal::CertificateMissing, rules),
            );
            Verdict::Unknown
        }
        Err(refusal) => {
            report.fail("token.verdict", verdict_of(refusal), advice::on(refusal, rules));
            match refusal {
                KeysUnavailable(_) | IntrospectionUnavailable(_) => Verdict::Unknown,
                _ => Verdict::Refused,
            }
        }
    }
}

fn verdict_of(refusal: Refusal) -> String {
    format!("the Worker refuses it and logs `{}`", refusal.row().reason)
}

/// The resource with one entry.
fn only(resource: &Resource, entry: &TrustedIssuer) -> Resource {
    Resource { entries: vec![entry.clone()], ..resource.clone() }
}

/// The Worker's own way to a verdict.
fn verify(resource: &Resource, text: &str, now: u64, outside: &Outside<'_>) -> Outcome {
    let mut unread = None;
    // Who sends a token that is bound to a key sends it by DPoP, if the server takes that.
    let is_of_key = match (jose::parse(text), &outside.told) {
        (Ok(token), _) => key_of(&token.claims).is_some(),
        (Err(_), Some(Told::Json(body))) => {
            Document::read(body.clone()).is_some_and(|said| key_of(&said).is_some())
        }
        _ => false,
    };
    let scheme = if is_of_key && resource.challenges.offer_dpop() { Scheme::Dpop } else { Scheme::Bearer };
    let credential = Credential { scheme, token: text };
    let mut verification = match Verification::new(&resource.entries, credential, now) {
        Ok(verification) => verification,
        Err(refusal) => return Outcome { verdict: Err(refusal), unread: None, answer: None },
    };
    loop {
        match verification.step() {
            Step::KeySet(id, _) => {
                let set = outside.sets.get(id.index()).and_then(Option::as_ref);
                verification.key_set(set.map(Rc::clone).ok_or(mcp_edge_auth::limits::RETRY));
            }
            Step::Signature(check) => {
                let good = signatures::is_good(&check).unwrap_or_else(|signatures::HeaderNotRead(why)| {
                    unread = Some(format!("the signature was not looked at: {why}"));
                    false
                });
                verification.signature(good);
            }
            Step::Introspection(_) => {
                if outside.told.is_none() {
                    unread = Some("the authorization server was not asked about it".to_owned());
                }
                verification.introspection(outside.told.clone().unwrap_or(Told::NotAsked(0)));
            }
            Step::Certificate => verification.certificate(None),
            Step::Proof => verification.proof(None, "", ""),
            Step::ProofSignature(_) => verification.proof_signature(false, &mut Replays::default()),
            Step::Done => {
                let answer = verification.told().cloned();
                return Outcome { verdict: verification.verdict(), unread, answer };
            }
        }
    }
}

/// What the header says, and the key.
fn header(
    entry: &TrustedIssuer,
    token: &Token,
    sets: &KeySets,
    Outcome { verdict, unread, .. }: &Outcome,
    report: &mut Report,
) {
    let refusal = verdict.as_ref().err().copied();
    let is = |refusals: &[Refusal]| refusal.is_some_and(|r| refusals.contains(&r));
    let advise = |refusal: Option<Refusal>| refusal.map(|r| advice::on(r, &entry.rules)).unwrap_or_default();
    if entry.only_at_jwt {
        let typ = if token.at_jwt { "at+jwt" } else { "another" };
        report.check(
            token.at_jwt,
            "token.type",
            format!("expected typ at+jwt, found {typ}"),
            advise(Some(Refusal::TypNotAllowed)),
        );
    }
    let allowed: Vec<&str> = entry.algorithms.iter().map(|a| a.row().name).collect();
    let found = token.alg.map_or("one that is not known here", |a| a.row().name);
    let fits = token.alg.is_some_and(|alg| entry.algorithms.contains(&alg));
    report.check(
        fits,
        "token.algorithm",
        format!("expected alg {}, found {found}", allowed.join(" or ")),
        advise(Some(Refusal::AlgNotAllowed)),
    );
    let set = sets.get(entry.source.index()).and_then(Option::as_ref);
    let (Some(set), true) = (set, fits) else { return };
    let kids: Vec<&str> = set.kids().collect();
    let kid = token.kid.as_deref().unwrap_or("none");
    let says = format!("expected kid {}, found {kid}", kids.join(" or "));
    let keys = [Refusal::KidUnknown, Refusal::KeyUnfit, Refusal::KeyAmbiguous];
    report.check(!is(&keys), "token.key", says, advise(refusal));
    if !is(&keys) && !is(&[Refusal::TypNotAllowed]) && unread.is_none() {
        let good = !is(&[Refusal::SignatureInvalid]);
        let says = if good { "the signature is that key's" } else { "the signature is not that key's" };
        report.check(good, "token.signature", says, advise(refusal));
    }
}
