//! One JSON line per request, through `console.log`. Never a token, a secret, or a claim; `sub` only where the settings ask for it.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use web_sys::console;

use crate::config::{Config, Fault, KeySource, Resource};
use crate::decide::Refused;
use crate::limits;
use crate::verify::Verification;

/// A request's line.
#[derive(Serialize)]
pub(super) struct Line {
    event: &'static str,
    outcome: &'static str,
    reason: &'static str,
    status: u16,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// Where the key set came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    ms: u64,
    #[serde(skip)]
    started: f64,
}

impl Line {
    pub(super) const fn new(method: String, started: f64) -> Self {
        Self {
            event: "request",
            outcome: "failed",
            reason: "failed",
            status: 500,
            method,
            resource: None,
            issuer: None,
            alg: None,
            kid: None,
            keys: None,
            sub: None,
            ms: 0,
            started,
        }
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) const fn served(&mut self, what: &'static str) {
        self.outcome = "served";
        self.reason = what;
    }

    pub(super) fn forwarded(mut self, resource: &'static Resource) -> Self {
        self.outcome = "forwarded";
        self.reason = "ok";
        self.resource = Some(resource.canonical.as_str());
        self
    }

    pub(super) fn refused(&mut self, refused: &Refused<'static, '_>) {
        self.outcome = "refused";
        self.reason = refused.refusal.row().reason;
        self.resource = refused.resource().map(|r| r.canonical.as_str());
    }

    /// What a token said of itself, as far as that is safe to print: a known algorithm, a bounded `kid`.
    pub(super) fn token(&mut self, verification: &Verification<'static>) {
        self.issuer = verification.issuer();
        self.alg = verification.algorithm().map(|alg| alg.row().name);
        self.kid = verification.kid().map(|kid| kid.chars().take(limits::LOGGED_KID_CHARS).collect());
    }

    pub(super) fn write(mut self, status: u16, now: f64) {
        self.status = status;
        self.ms = (now - self.started).max(0.0) as u64;
        print(&self);
    }
}

/// At an isolate's first request: the summary of the settings.
pub(super) fn started(config: &Config, kv: bool) {
    let mut members = vec![("event", json!("start")), ("Resource Server auth enabled", json!(true))];
    members.extend(config.summary().into_iter().map(|(name, values)| (name, json!(values))));
    let store = if kv { "KV binding JWKS_CACHE" } else { "memory only: there is no KV binding JWKS_CACHE" };
    members.push(("Key sets", json!(store)));
    print(&Members(members));
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

/// Members in the order of a reader's interest.
struct Members(Vec<(&'static str, Value)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn print(line: &impl Serialize) {
    let line = serde_json::to_string(line).unwrap_or_default();
    console::log_1(&line.into());
}
