//! What an operator wants to see of sound settings.

use super::sessions;
use crate::origin::assertion::Assertion;
use crate::plain;
use crate::policy::{Mode, Policy};
use crate::resource::Config;
use crate::resource::Resource;
use crate::token::trusted_issuer::TrustedIssuer;

/// Of one of the resources: names and values, in order.
pub fn summary(config: &Config, resource: &Resource) -> Vec<(&'static str, Vec<String>)> {
    let entries = || resource.entries.iter();
    let accepted =
        |e: &TrustedIssuer| e.authorization_server_url.clone().unwrap_or_else(|| e.rules.issuer.clone());
    let mut algorithms = entries().flat_map(|e| &e.algorithms).map(|a| a.row().name.to_owned());
    let mut summary = vec![
        ("Accepted authorization server(s)", distinct(&mut entries().map(accepted))),
        ("Issuers", distinct(&mut entries().map(|e| e.rules.issuer.clone()))),
        ("Audiences", distinct(&mut entries().flat_map(|e| e.rules.audiences.clone()))),
        ("Algorithms", distinct(&mut algorithms)),
        ("Canonical URL", vec![resource.canonical.as_str().to_owned()]),
        ("Origin", vec![resource.origin_url.clone()]),
    ];
    let introspection = distinct(&mut entries().filter_map(introspection));
    if !introspection.is_empty() {
        summary.push(("Introspection", introspection));
    }
    if let Some(binding) = &resource.binding {
        summary.push(("Origin reached by", vec![format!("the binding {binding}")]));
    }
    if resource.delivery.forwards_token {
        summary.push(("The client's token", vec!["passed on to the origin".to_owned()]));
    }
    if let Some(assertion) = resource.assertion.as_ref().map(Assertion::summary) {
        summary.push(("Assertions", vec![assertion]));
    }
    let has_key = config.sessions.is_some() || config.unseen_secrets.iter().any(|name| name == sessions::KEY);
    if resource.binds_sessions && has_key {
        summary.push(("Sessions", vec!["bound to their caller".to_owned()]));
    }
    let compatibility = distinct(&mut resource.compatibility.names());
    if !compatibility.is_empty() {
        summary.push(("Compatibility", compatibility));
    }
    if let Some(policy) = resource.policy.as_ref().map(described) {
        summary.push(("Policy", vec![policy]));
    }
    if let Some(decide) = resource.policy.as_ref().and_then(|policy| policy.decide.as_ref()) {
        let by = decide.binding.as_ref().map(|binding| format!("by the binding {binding}"));
        let no_answer =
            if decide.lets_through { "without an answer: let through" } else { "without an answer: 503" };
        let url = decide.url.split('?').next().unwrap_or_default().to_owned();
        summary.push(("Decided by", [url].into_iter().chain(by).chain([no_answer.to_owned()]).collect()));
    }
    let limits = resource.policy.iter().flat_map(|policy| &policy.limits);
    let limiters = distinct(&mut limits.map(|limit| limit.binding.clone()));
    if !limiters.is_empty() {
        let counted = "counted for each Cloudflare location; under serve, for each process";
        summary.push(("Limits", vec![limiters.join(", "), counted.to_owned()]));
    }
    summary
}

fn distinct(values: &mut dyn Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for value in values {
        // An issuer may be any text.
        let value = plain::line(&value);
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

fn described(policy: &Policy) -> String {
    let mode = match policy.mode {
        Mode::Enforce => "enforced",
        Mode::Report => "reported, not enforced",
    };
    format!("{mode}: {} rule(s)", policy.rules.all().len())
}

/// Who is asked about tokens, and where.
fn introspection(entry: &TrustedIssuer) -> Option<String> {
    let asking = entry.introspection.as_deref()?;
    let which = if asking.jwts { "opaque tokens and JWTs" } else { "opaque tokens" };
    // A query may hold a key.
    let place = asking.url.as_deref().and_then(|url| url.split('?').next());
    let place = place.map_or_else(|| "where its metadata says".to_owned(), |url| format!("at {url}"));
    let cached = match asking.cache_seconds {
        0 => String::new(),
        seconds => format!(", answers kept for {seconds} s"),
    };
    Some(format!("{which}, by {} {place}{cached}", entry.rules.issuer))
}
