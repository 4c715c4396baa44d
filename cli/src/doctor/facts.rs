//! What a token says of itself, or its authorization server of it: what was expected, and what was
//! found.

use mcp_edge_auth::json::{Document, Node};
use mcp_edge_auth::refusal::{Detail, Refusal};
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::binding::Use;
use mcp_edge_auth::token::claims::{self, AudienceIn, Demand, Rules};

use super::report::Report;
use super::{advice, challenge};

/// The claims, each against the rules: whatever is wrong, not only the first of it.
pub(crate) fn facts(rules: &Rules, claims: &Document, now: u64, report: &mut Report) {
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
pub(crate) fn key_of(claims: &Document) -> Option<&str> {
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
pub(crate) fn scopes(resource: &Resource, rules: &Rules, claims: &Document, report: &mut Report) {
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
