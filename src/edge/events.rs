//! Lines of the log that are not of one request: what the settings came to, and what happened to
//! that which an isolate keeps.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use worker::console_log;

use crate::fault::{Fault, Warning};
use crate::keys::source::KeySource;
use crate::limits;
use crate::plain;
use crate::resource::Config;

/// At an isolate's first request: the summary of the settings; each of several resources has a line
/// of its own.
pub(super) fn started(config: &Config, kv: bool, audits: bool) {
    let mut members = vec![("event", json!("start")), ("Resource Server auth enabled", json!(true))];
    let summary = |resource| {
        crate::settings::summary(config, resource).into_iter().map(|(name, values)| (name, json!(values)))
    };
    if let [resource] = config.resources.as_slice() {
        members.extend(summary(resource));
    }
    let store = if kv { "KV binding JWKS_CACHE" } else { "memory only: there is no KV binding JWKS_CACHE" };
    members.push(("Key sets", json!(store)));
    if config.revocation {
        members.push(("Revoked tokens", json!("by the list in KV")));
    }
    if audits {
        let callers = match &config.pseudonyms {
            Some(_) => "binding AUDIT, callers hashed",
            None => "binding AUDIT, without callers: there is no secret MCP_SERVER_AUTH_AUDIT_KEY",
        };
        members.push(("Audit", json!(callers)));
    }
    if !config.warnings.is_empty() {
        let warnings: Vec<String> = config.warnings.iter().map(Warning::to_string).collect();
        members.push(("warnings", json!(warnings)));
    }
    print(&Members(members));
    for resource in config.resources.iter().filter(|_| config.resources.len() > 1) {
        print(&Members([("event", json!("resource"))].into_iter().chain(summary(resource)).collect()));
    }
}

/// At an isolate's first request, where the settings have faults: all of them.
pub(super) fn misconfigured(faults: &[Fault]) {
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    print(&Members(vec![
        ("event", json!("misconfigured")),
        ("Resource Server auth enabled", json!(false)),
        ("faults", json!(faults)),
    ]));
}

/// Something happened to a key set. The query of its URL, which may hold a key, stays out.
pub(super) fn keys(source: &KeySource, result: &str, detail: &str) {
    print(&Members(vec![
        ("event", json!("keys")),
        ("source", json!(source.url().split('?').next())),
        ("result", json!(result)),
        ("detail", json!(detail)),
    ]));
}

/// Something is wrong with the list of revoked tokens.
pub(super) fn revocations(result: &str, detail: &str) {
    print(&Members(vec![
        ("event", json!("revocations")),
        ("result", json!(result)),
        ("detail", json!(detail)),
    ]));
}

/// An authorization server was not asked about a token, or gave no answer that serves. The query of
/// its URL, which may hold a key, stays out.
pub(super) fn introspection(issuer: &str, result: &str, detail: &str) {
    print(&Members(vec![
        ("event", json!("introspection")),
        ("source", json!(issuer.split('?').next())),
        ("result", json!(result)),
        ("detail", json!(detail)),
    ]));
}

/// An origin redirects clients to a place that is not below its own URL.
pub(super) fn redirect(resource: &str, to: &str) {
    print(&Members(vec![("event", json!("redirect")), ("resource", json!(resource)), ("to", json!(to))]));
}

/// A rate limiter gives no answer, and requests are let through without.
pub(super) fn limiter_failed(binding: &str) {
    print(&Members(vec![
        ("event", json!("limit")),
        ("binding", json!(binding)),
        ("result", json!("no_answer")),
        (
            "detail",
            json!("the rate limiter failed, was slow or said nothing of use: requests are let through"),
        ),
    ]));
}

/// A policy decision point gives no answer. The query of its URL, which may hold a key, stays out.
pub(super) fn undecided(asked: &str, why: &str) {
    print(&Members(vec![
        ("event", json!("decision")),
        ("source", json!(asked.split('?').next())),
        ("result", json!("no_answer")),
        ("detail", json!(plain::printable(why, limits::LOGGED_DETAIL_CHARS))),
    ]));
}

/// An authorization server's metadata cannot be copied. The query of its URL, which may hold a key,
/// stays out.
pub(super) fn copy_failed(issuer: &str, detail: &str) {
    print(&Members(vec![
        ("event", json!("copy")),
        ("source", json!(issuer.split('?').next())),
        ("result", json!("fetch_failed")),
        ("detail", json!(detail)),
    ]));
}

/// Members in the order of a reader's interest.
struct Members(Vec<(&'static str, Value)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn print(line: &impl Serialize) {
    let line = plain::json(serde_json::to_string(line).unwrap_or_default());
    console_log!("{line}");
}
