//! What a deployment will find in its environment, as wrangler reads its own configuration file:
//! `cli/wrangler/settings.mjs` has asked it, and the native commands read the answer here.
//!
//! 1. The file that is judged is the one that is deployed. Where several lie side by side, wrangler
//!    takes one and ignores the others without a word: that is a fault.
//! 2. What only a deployment knows, a variable set with `wrangler secret put`, is not here. Where
//!    this machine's variables were asked for, they have the secrets of `.dev.vars`.

use mcp_edge_auth::fault::{Fault, Warning};
use mcp_edge_auth::json::Object;
use mcp_edge_auth::resource::{Config, Resource};
use mcp_edge_auth::settings::{self, Variables, is_ours};
use mcp_edge_auth::token::trusted_issuer::TrustedIssuer;
use serde_json::Value;

use crate::platform::Platform;

/// Kinds of bindings that hold data and answer no requests.
const STORES: [&str; 5] = ["kv_namespaces", "r2_buckets", "d1_databases", "hyperdrive", "vectorize"];
/// Kinds of bindings that an origin can be reached by, and that serve nothing else here.
const SERVERS: [&str; 3] = ["services", "mtls_certificates", "vpc_services"];

/// The Worker's KV binding.
const KV: &str = "JWKS_CACHE";
/// The Analytics Engine binding that it reports to.
const AUDIT: &str = "AUDIT";
/// The binding that tells it its version.
const VERSION: &str = "VERSION";

/// What a deployment gets.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The file that was read.
    pub file: String,
    pub variables: Variables,
    /// The secrets that stand in the file itself.
    pub secrets: Vec<String>,
    /// Variables of the file that the Worker does not read, and what may have been meant.
    pub unread: Vec<(String, Option<String>)>,
    /// Whether the KV binding `JWKS_CACHE` is there.
    pub kv: bool,
    /// Whether the Analytics Engine binding `AUDIT` is there.
    pub audit: bool,
    /// The files that lie beside the one that wrangler takes.
    pub side_by_side: Vec<Fault>,
    /// Bindings by their kind and name, as far as they may be meant for the Worker.
    bindings: Vec<(&'static str, String)>,
    /// Rate limiters, and the seconds of their periods.
    limiters: Vec<(String, Option<u64>)>,
    /// What decides whether a deploy succeeds, and where the Worker is then reached.
    platform: Platform,
    /// Whether the variables are this machine's, which no route leads to.
    is_local: bool,
}

impl Deployment {
    /// Reads what `cli/wrangler/settings.mjs` says of a file: `file`, `settings` as wrangler has
    /// them, `taken` and `ignored` where several files lie side by side, `variables` where this
    /// machine's were asked for, or the `error` of wrangler's.
    ///
    /// # Errors Why there are no settings.
    pub fn read(said: &Value) -> Result<Self, String> {
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let file = text("file").unwrap_or("the configuration file").to_owned();
        if let Some(error) = text("error") {
            return Err(format!("{file} cannot be read: {error}"));
        }
        let settings = said.get("settings").and_then(Value::as_object);
        let settings = settings.ok_or_else(|| format!("{file} cannot be read"))?;
        let with_bindings = |all: Option<&Object>| {
            let all = all.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
            let limiters = limiters(settings).into_iter().map(|(name, _)| name);
            all.collect::<Variables>().with_bindings(all_bindings(settings)).with_limiters(limiters)
        };
        let in_file = settings.get("vars").and_then(Value::as_object);
        let local = said.get("variables").and_then(Value::as_object);
        let deployed = with_bindings(in_file);
        let is_read = |name: &str| is_ours(name) || deployed.is_named(name);
        let unread = in_file.into_iter().flatten().map(|(name, _)| name).filter(|name| !is_read(name));
        let unread = unread.map(|name| (name.clone(), settings::meant_variable(name))).collect();
        Ok(Self {
            secrets: deployed.secrets().map(str::to_owned).collect(),
            variables: match local {
                Some(_) => with_bindings(local),
                None => deployed.without_secrets(),
            },
            is_local: local.is_some(),
            unread,
            kv: bound(settings, "kv_namespaces").any(|name| name == KV),
            audit: bound(settings, "analytics_engine_datasets").any(|name| name == AUDIT),
            side_by_side: side_by_side(said),
            bindings: ["kv_namespaces", "analytics_engine_datasets"]
                .into_iter()
                .chain(SERVERS)
                .flat_map(|kind| bound(settings, kind).map(move |name| (kind, name)))
                .chain(version(settings).map(|name| ("version_metadata", name)))
                .collect(),
            limiters: limiters(settings),
            platform: Platform::read(settings),
            file,
        })
    }

    /// The settings, if a Worker could work with them, and all that an operator should know.
    ///
    /// # Errors
    /// All faults: of the files, and of what is in the one that was read.
    pub fn config(&self) -> Result<(Config, Vec<Warning>), Vec<Fault>> {
        let faults = self.side_by_side.iter().cloned();
        match settings::read(&self.variables) {
            Ok(config) if config.revocation && !self.kv => {
                Err(faults.chain(settings::unstored(&config)).collect())
            }
            Ok(config) if self.side_by_side.is_empty() => {
                let mut warnings = config.warnings.clone();
                warnings.extend(settings::hints(&self.variables, &config));
                warnings.extend(self.idle(&config));
                warnings.extend(self.limits(&config));
                warnings.extend(self.platform.warnings(&config, self.is_local));
                Ok((config, warnings))
            }
            Ok(_) => Err(faults.collect()),
            Err(others) => Err(faults.chain(others).collect()),
        }
    }

    /// Bindings that the Worker does not use, though it has a use for one of their kind.
    fn idle(&self, config: &Config) -> Vec<Warning> {
        let asked_by = |entry: &TrustedIssuer, name: &str| {
            entry.introspection.as_ref().is_some_and(|asking| asking.binding.as_deref() == Some(name))
        };
        let decides = |r: &Resource, name: &str| {
            let decide = r.policy.as_ref().and_then(|policy| policy.decide.as_ref());
            decide.is_some_and(|decide| decide.binding.as_deref() == Some(name))
        };
        let is_of = |r: &Resource, name: &str| {
            r.binding.as_deref() == Some(name)
                || decides(r, name)
                || r.entries.iter().any(|e| asked_by(e, name))
        };
        let used = |name: &str| config.resources.iter().any(|r| is_of(r, name));
        let idle = self.bindings.iter().filter_map(|(kind, name)| {
            let text = match *kind {
                "kv_namespaces" if self.kv => return None,
                "kv_namespaces" => {
                    format!("the Worker reads no KV namespace of this name; that of key sets is {KV}")
                }
                "analytics_engine_datasets" if self.audit => return None,
                "analytics_engine_datasets" => {
                    format!("the Worker reports to no dataset of this name; that of its audit is {AUDIT}")
                }
                "version_metadata" if name == VERSION => return None,
                "version_metadata" => {
                    format!("the Worker reads no version of this name; that of its log is {VERSION}")
                }
                _ if used(name) => return None,
                _ => "no server is reached by this binding: the one server's is ORIGIN, and one of several names its own"
                    .to_owned(),
            };
            Some(Warning { variable: (*kind).to_owned(), field: format!(".{name}"), text })
        });
        let mut idle: Vec<Warning> = idle.collect();
        if config.pseudonyms.is_some() && !self.audit {
            let text = format!("has no effect: there is no Analytics Engine binding {AUDIT}");
            let variable = "MCP_SERVER_AUTH_AUDIT_KEY".to_owned();
            idle.push(Warning { variable, field: String::new(), text });
        }
        idle
    }

    /// Rate limiters that count nothing, and limits that say another period than theirs.
    fn limits(&self, config: &Config) -> Vec<Warning> {
        let limits = || config.resources.iter().filter_map(|r| r.policy.as_ref()).flat_map(|p| &p.limits);
        let mut warnings = Vec::new();
        let mut warn = |name: &str, text: String| {
            warnings.push(Warning { variable: "ratelimits".to_owned(), field: format!(".{name}"), text });
        };
        for (name, period) in &self.limiters {
            let mut of_it = limits().filter(|limit| limit.binding == *name).peekable();
            if of_it.peek().is_none() {
                warn(name, "no limit of a policy names this rate limiter".to_owned());
            }
            if let Some(other) = of_it.find(|limit| period.is_some_and(|period| period != limit.period)) {
                let text = format!(
                    "its period is not that of the limit that names it, {} s: clients are told to come back at the wrong time",
                    other.period
                );
                warn(name, text);
            }
        }
        warnings
    }
}

/// A fault for each file that wrangler ignores.
fn side_by_side(said: &Value) -> Vec<Fault> {
    let Some(taken) = said.get("taken").and_then(Value::as_str) else { return Vec::new() };
    let expected = format!("no such file: wrangler takes {taken}, and ignores this one beside it");
    let ignored = said.get("ignored").and_then(Value::as_array).into_iter().flatten();
    ignored.filter_map(Value::as_str).map(|file| Fault::new(file, "", expected.as_str())).collect()
}

/// The rate limiters, and the seconds of their periods. They have names in place of bindings;
/// before they had a table of their own, they stood among what wrangler does not know.
fn limiters(settings: &Object) -> Vec<(String, Option<u64>)> {
    let others = settings.get("unsafe").and_then(|settings| settings.get("bindings"));
    let others = others.and_then(Value::as_array).into_iter().flatten();
    let is_limiter = |one: &&Value| one.get("type").and_then(Value::as_str) == Some("ratelimit");
    let all = settings.get("ratelimits").and_then(Value::as_array).into_iter().flatten();
    let all = all.chain(others.filter(is_limiter));
    let read = |one: &Value| {
        let period = one.get("simple").and_then(|simple| simple.get("period")).and_then(Value::as_u64);
        Some((one.get("name")?.as_str()?.to_owned(), period))
    };
    all.filter_map(read).collect()
}

/// Bindings of any kind that may answer requests: services, mTLS certificates, VPC services and
/// what is yet to come, but no stores.
fn all_bindings(settings: &Object) -> Vec<String> {
    let kinds = settings.keys().filter(|kind| !STORES.contains(&kind.as_str()));
    kinds.flat_map(|kind| bound(settings, kind)).collect()
}

/// The names of the bindings of a kind.
fn bound<'s>(settings: &'s Object, kind: &str) -> impl Iterator<Item = String> + use<'s> {
    let all = settings.get(kind).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|binding| Some(binding.get("binding")?.as_str()?.to_owned()))
}

/// The name of the binding that tells a Worker its version: of that kind there is one at most.
fn version(settings: &Object) -> Option<String> {
    Some(settings.get("version_metadata")?.get("binding")?.as_str()?.to_owned())
}
