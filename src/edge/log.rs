//! One JSON line per request, through `console.log`. Never a token, a secret, or a claim; `sub` only where the settings ask for it.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use web_sys::console;

use crate::config::{Config, Fault, KeySource, Resource};
use crate::decide::Refused;
use crate::jose::Algorithm;
use crate::limits;
use crate::verify::Verification;

/// A request's line.
pub(super) struct Line {
    method: String,
    started: f64,
    outcome: &'static str,
    reason: &'static str,
    pub(super) status: u16,
    resource: Option<String>,
    issuer: Option<&'static str>,
    alg: Option<Algorithm>,
    kid: Option<String>,
    /// Where the key set came from.
    pub(super) keys: Option<&'static str>,
    pub(super) subject: Option<String>,
}

impl Line {
    pub(super) fn new(method: &str, started: f64) -> Self {
        Self {
            method: method.to_owned(),
            started,
            outcome: "failed",
            reason: "failed",
            status: 500,
            resource: None,
            issuer: None,
            alg: None,
            kid: None,
            keys: None,
            subject: None,
        }
    }

    pub(super) const fn served(&mut self, what: &'static str) {
        self.outcome = "served";
        self.reason = what;
    }

    pub(super) fn forwarded(&mut self, resource: &Resource) {
        self.outcome = "forwarded";
        self.reason = "ok";
        self.resource = Some(resource.canonical.as_str().to_owned());
    }

    pub(super) fn refused(&mut self, refused: &Refused<'_, '_>) {
        self.outcome = "refused";
        self.reason = refused.refusal.row().reason;
        self.resource = refused.resource().map(|r| r.canonical.as_str().to_owned());
    }

    /// What a token said of itself, as far as that is safe to print: a known algorithm, a bounded `kid`.
    pub(super) fn token(&mut self, verification: &Verification<'static, '_>) {
        self.issuer = verification.issuer();
        self.alg = verification.algorithm();
        self.kid = verification.kid().map(|kid| kid.chars().take(limits::LOGGED_KID_CHARS).collect());
    }

    pub(super) fn write(self, now: f64) {
        let members = [
            ("event", Some(json!("request"))),
            ("outcome", Some(json!(self.outcome))),
            ("reason", Some(json!(self.reason))),
            ("status", Some(json!(self.status))),
            ("method", Some(json!(self.method))),
            ("resource", self.resource.map(Value::from)),
            ("issuer", self.issuer.map(Value::from)),
            ("alg", self.alg.map(|alg| Value::from(alg.row().name))),
            ("kid", self.kid.map(Value::from)),
            ("keys", self.keys.map(Value::from)),
            ("sub", self.subject.map(Value::from)),
            ("ms", Some(json!((now - self.started).max(0.0) as u64))),
        ];
        print(members.into_iter().filter_map(|(name, value)| value.map(|v| (name, v))).collect());
    }
}

/// At an isolate's first request: the summary of the settings.
pub(super) fn started(config: &Config, kv: bool) {
    let mut members = vec![("event", json!("start")), ("Resource Server auth enabled", json!(true))];
    members.extend(config.summary().into_iter().map(|(name, values)| (name, json!(values))));
    let store = if kv { "KV binding JWKS_CACHE" } else { "memory only: there is no KV binding JWKS_CACHE" };
    members.push(("Key sets", json!(store)));
    print(members);
}

/// At an isolate's first request, where the settings have faults: all of them.
pub(super) fn misconfigured(faults: &[Fault]) {
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    print(vec![
        ("event", json!("misconfigured")),
        ("Resource Server auth enabled", json!(false)),
        ("faults", json!(faults)),
    ]);
}

/// Something happened to a key set. The query of its URL, which may hold a key, stays out.
pub(super) fn keys(source: &KeySource, result: &str, detail: &str) {
    print(vec![
        ("event", json!("keys")),
        ("source", json!(source.url().split('?').next())),
        ("result", json!(result)),
        ("detail", json!(detail)),
    ]);
}

/// Members in the order of a reader's interest.
struct Members(Vec<(&'static str, Value)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn print(members: Vec<(&'static str, Value)>) {
    let line = serde_json::to_string(&Members(members)).unwrap_or_default();
    console::log_1(&line.into());
}
