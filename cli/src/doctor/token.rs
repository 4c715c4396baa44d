//! A token: what was expected, what was found, and the very reason that the Worker would log.

use std::rc::Rc;

use mcp_edge_auth::json::{Document, Node};
use mcp_edge_auth::refusal::{Detail, Refusal};
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::binding::Use;
use mcp_edge_auth::token::claims::{self, AudienceIn, Demand, Rules};
use mcp_edge_auth::token::credential::{Credential, Scheme};
use mcp_edge_auth::token::jose::{self, Token};
use mcp_edge_auth::token::replays::Replays;
use mcp_edge_auth::token::trusted_issuer::TrustedIssuer;
use mcp_edge_auth::token::verify::{Step, Verification, Verified};

use super::key_sets::KeySets;
use super::report::Report;
use super::{advice, challenge};
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

/// Looks at a token.
pub(crate) fn check(
    resource: &Resource,
    text: &str,
    now: u64,
    sets: &KeySets,
    report: &mut Report,
) -> Verdict {
    let token = match jose::parse(text) {
        Ok(token) => token,
        Err(refusal) => {
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
    let accepting = candidates.iter().find(|entry| verify(&only(resource, entry), text, now, sets).0.is_ok());
    let entry = accepting.unwrap_or(first);
    let (verdict, unread) = verify(resource, text, now, sets);
    let own = verify(&only(resource, entry), text, now, sets);
    header(entry, &token, sets, &own, report);
    facts(&entry.rules, &token.claims, now, report);
    scopes(resource, &entry.rules, &token.claims, report);
    if let (Some(why), Err(Refusal::SignatureInvalid)) = (unread, &verdict) {
        report.warn(
            "token.signature",
            format!("the signature was not looked at: {why}"),
            "the Worker can: ask it with --url",
        );
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
                advice::on(Refusal::CertificateMissing, &entry.rules),
            );
            Verdict::Unknown
        }
        Err(refusal) => {
            report.fail("token.verdict", verdict_of(refusal), advice::on(refusal, &entry.rules));
            match refusal {
                Refusal::KeysUnavailable(_) => Verdict::Unknown,
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

/// The Worker's own way to a verdict; and why a signature could not be looked at, if one could not.
fn verify(
    resource: &Resource,
    text: &str,
    now: u64,
    sets: &KeySets,
) -> (Result<Verified, Refusal>, Option<String>) {
    let mut unread = None;
    // Who sends a token that is bound to a key sends it by DPoP, if the server takes that.
    let is_of_key = jose::parse(text).is_ok_and(|token| key_of(&token.claims).is_some());
    let scheme = if is_of_key && resource.challenges.offer_dpop() { Scheme::Dpop } else { Scheme::Bearer };
    let credential = Credential { scheme, token: text };
    let mut verification = match Verification::new(&resource.entries, credential, now) {
        Ok(verification) => verification,
        Err(refusal) => return (Err(refusal), None),
    };
    loop {
        match verification.step() {
            Step::KeySet(id, _) => {
                let set = sets.get(id.index()).and_then(Option::as_ref);
                verification.key_set(set.map(Rc::clone).ok_or(mcp_edge_auth::limits::RETRY));
            }
            Step::Signature(check) => {
                let good = signatures::is_good(&check).unwrap_or_else(|signatures::HeaderNotRead(why)| {
                    unread = Some(why);
                    false
                });
                verification.signature(good);
            }
            Step::Certificate => verification.certificate(None),
            Step::Proof => verification.proof(None, "", ""),
            Step::ProofSignature(_) => verification.proof_signature(false, &mut Replays::default()),
            Step::Done => return (verification.verdict(), unread),
        }
    }
}

/// What the header says, and the key.
fn header(
    entry: &TrustedIssuer,
    token: &Token,
    sets: &KeySets,
    (verdict, unread): &(Result<Verified, Refusal>, Option<String>),
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

/// The claims, each against the rules: whatever is wrong, not only the first of it.
fn facts(rules: &Rules, claims: &Document, now: u64, report: &mut Report) {
    let refusals = refusals(rules, claims, now);
    let mut tell = |check: &str, says: String, of: &[Refusal]| {
        let refusal = refusals.iter().copied().find(|r| of.contains(r));
        report.check(
            refusal.is_none(),
            check,
            says,
            refusal.map(|r| advice::on(r, rules)).unwrap_or_default(),
        );
    };
    use Refusal::*;
    let times = ["exp", "nbf", "iat"].map(|name| format!("{name} {}", relative(claims.get(name), now)));
    let says = format!("expected times within {} s of now, found {}", rules.leeway, times.join(", "));
    tell(
        "token.times",
        says,
        &[ExpMissing, ExpNotNumber, TokenExpired, NbfNotNumber, TokenNotYetValid, IatNotNumber, IatInFuture],
    );
    let or = |values: &[String]| values.join(" or ");
    let absent = if rules.audience_in == AudienceIn::AudElseClient { " or none" } else { "" };
    let says = format!(
        "expected aud {}{absent}, found {}{}",
        or(&rules.audiences),
        shown(claims.get("aud")),
        spelled(&rules.audiences, &strings(claims.get("aud")))
    );
    tell("token.audience", says, &[AudMissing, AudMalformed, AudMismatch]);
    if !rules.clients.is_empty() {
        let found = rules.names.client(claims).unwrap_or("none");
        tell(
            "token.client",
            format!("expected {} {}, found {found}", rules.names.client.join(" or "), or(&rules.clients)),
            &[ClientMissing, ClientMismatch],
        );
    }
    for demand in &rules.demands {
        let says = match demand {
            Demand::Is(name, value) => format!("expected {name} {value}, found {}", shown(claims.get(name))),
            Demand::AnyOf(names) => {
                let found: Vec<&str> =
                    names.iter().copied().filter(|name| claims.get(name).is_some()).collect();
                format!(
                    "expected one of {}, found {}",
                    names.join(" "),
                    if found.is_empty() { "none".to_owned() } else { found.join(" ") }
                )
            }
        };
        tell("token.claims", says, &[ClaimMismatch]);
    }
    tell(
        "token.subject",
        format!("expected a {}, found {}", rules.subject, shown(claims.get(&rules.subject))),
        &[SubMissing, SubNotString],
    );
    let is_bound = claims.get("cnf").is_some();
    if is_bound || [rules.mtls, rules.dpop].contains(&Use::Require) {
        let found = if is_bound { "found cnf" } else { "found none" };
        let bindings = [(rules.mtls, "the client's certificate"), (rules.dpop, "the client's key (DPoP)")];
        let used = bindings.iter().filter(|(used, _)| *used != Use::Off).map(|(_, name)| *name);
        let expected = match used.collect::<Vec<_>>().as_slice() {
            [] => "a plain Bearer token".to_owned(),
            names => format!("a cnf with {}", names.join(" or ")),
        };
        tell(
            "token.bound",
            format!("expected {expected}, {found}"),
            &[TokenBound, CertificateUnbound, KeyUnbound],
        );
    }
}

/// The key that a token is bound to.
fn key_of(claims: &Document) -> Option<&str> {
    let Some(Node::Object(mut members)) = claims.get("cnf") else { return None };
    members.find(|(name, _)| *name == "jkt")?.1.as_str()
}

/// Every refusal that the claims earn: each one found is forgiven, and the rest judged again.
fn refusals(rules: &Rules, claims: &Document, now: u64) -> Vec<Refusal> {
    use Refusal::*;
    let mut rules = rules.clone();
    let mut found = Vec::new();
    while let Err(refusal) = claims::validate(claims, &rules, now) {
        found.push(refusal);
        match refusal {
            ExpMissing | ExpNotNumber | TokenExpired => rules.verify_exp = false,
            NbfNotNumber | TokenNotYetValid => rules.verify_nbf = false,
            IatNotNumber | IatInFuture => rules.verify_iat = false,
            IssMismatch => rules.verify_iss = false,
            AudMismatch if !strings(claims.get("aud")).is_empty() => {
                rules.audiences = strings(claims.get("aud"))
            }
            ClientMissing | ClientMismatch if claims.get("aud").is_some() => rules.clients = Vec::new(),
            ClaimMismatch => rules.demands = Vec::new(),
            _ => break, // what comes after cannot be judged without it
        }
    }
    found
}

/// The scopes that the settings speak of, against those that the token has.
fn scopes(resource: &Resource, rules: &Rules, claims: &Document, report: &mut Report) {
    let answer = Refusal::CredentialsMissing.answer(Some(&resource.challenges), &Detail::default());
    let line = answer.header("WWW-Authenticate").unwrap_or_default().to_owned();
    let challenged =
        challenge::parse(&line).ok().and_then(|all| all.into_iter().find(|(name, _)| *name == "scope"));
    let expected: Vec<&str> = challenged.map(|(_, scopes)| scopes.split(' ').collect()).unwrap_or_default();
    let found: Vec<&str> = rules.names.scopes(claims).collect();
    let missing: Vec<&str> = expected.iter().copied().filter(|scope| !found.contains(scope)).collect();
    let said = if found.is_empty() { "none".to_owned() } else { found.join(" ") };
    if missing.is_empty() {
        report.ok("token.scopes", format!("found scopes: {said}"));
    } else {
        report.warn(
            "token.scopes",
            format!("expected scopes {}, found {said}", expected.join(" ")),
            format!(
                "the challenge asks clients for these: does the authorization server know {}, and grant it?",
                missing.join(" ")
            ),
        );
    }
    let Some(policy) = &resource.policy else { return };
    let lacking: Vec<&str> = policy
        .required_scopes
        .iter()
        .filter(|demand| !demand.satisfied_by.iter().any(|s| found.contains(&s.as_str())))
        .map(|demand| demand.scope.as_str())
        .collect();
    if !lacking.is_empty() {
        report.fail(
            "token.scopes",
            format!("the policy demands {} of every request, found {said}", lacking.join(" ")),
            "grant it, or take it out of MCP_SERVER_AUTH_POLICY.required_scopes",
        );
    }
}

/// Said of audiences that are the same URL and not the same text: case of the host, a default port,
/// a trailing slash.
fn spelled(expected: &[String], found: &[String]) -> &'static str {
    let same = |(a, b): (&String, &String)| a != b && normal(a).is_some_and(|a| normal(b) == Some(a));
    let pairs = expected.iter().flat_map(|a| found.iter().map(move |b| (a, b)));
    let is_taken = expected.iter().any(|a| found.contains(a));
    if !is_taken && pairs.into_iter().any(same) { "; they differ only in how the URL is written" } else { "" }
}

fn normal(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(url::Url::has_host)?;
    let query = url.query().unwrap_or_default();
    Some(format!("{}{}?{query}", url.origin().ascii_serialization(), url.path().trim_end_matches('/')))
}

fn strings(claim: Option<Node<'_>>) -> Vec<String> {
    match claim {
        Some(Node::String(text)) => vec![text.to_owned()],
        Some(Node::Array(items)) => items.values().filter_map(Node::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A claim for a reader, on one line.
fn shown(claim: Option<Node<'_>>) -> String {
    match claim {
        None => "none".to_owned(),
        Some(Node::String(text)) => text.escape_debug().to_string(),
        Some(Node::Array(items)) => {
            let items: Vec<String> = items.values().map(|item| shown(Some(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Some(Node::Number(number)) => number.to_string(),
        Some(Node::Bool(value)) => value.to_string(),
        Some(Node::Null) => "null".to_owned(),
        Some(Node::Object(_)) => "an object".to_owned(),
    }
}

fn relative(claim: Option<Node<'_>>, now: u64) -> String {
    let Some(Node::Number(time)) = claim else { return shown(claim) };
    let seconds = time - now as f64;
    if seconds < 0.0 { format!("{} s ago", -seconds) } else { format!("in {seconds} s") }
}
