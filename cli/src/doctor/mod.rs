//! `doctor`: every check that a client would make, in order, with the Worker's own code.
//!
//! It decides and does not do: what it wants to know from the network it asks `Network` for, and
//! what it has found it tells `Report`. `cli/core.mjs` is at the other end of both. So there is one
//! HTTP client in the commands, Node's, and every proxy and certificate setting of it holds here,
//! too.

mod acceptance;
mod access;
mod advice;
mod authorization_server;
pub mod challenge;
mod deployment;
mod exchange;
mod facts;
mod introspection;
mod key_sets;
mod origin;
mod report;
mod token;

use mcp_edge_auth::resource::{Config, Resource};
use serde::Deserialize;
use serde_json::Value;

use crate::deployment::Deployment;
pub use exchange::{Answering, Network};
pub use report::{Line, Report};

/// What the doctor is given.
#[derive(Deserialize)]
pub struct Given {
    /// What `readSettings` has read of the deployment.
    deployment: Value,
    /// Where it runs.
    url: Option<String>,
    /// The canonical URL of the only server to look at.
    resource: Option<String>,
    token: Option<String>,
    /// The time, in seconds since 1970.
    now: u64,
}

/// Examines a deployment.
pub async fn run(given: &Given, network: &Network, report: &mut Report) {
    let Some(config) = settings(&given.deployment, report) else { return };
    let resources = chosen(&config, given, report);
    authorization_server::check(&config, &resources, network, report).await;
    let sets = key_sets::check(&config, &resources, network, report).await;
    for resource in resources {
        if config.resources.len() > 1 {
            report.ok("resource", resource.canonical.as_str());
        }
        let deployment = match &given.url {
            Some(url) => deployment::check(resource, url, network, report).await,
            None => None,
        };
        origin::check(&config, resource, network, report).await;
        if let Some(token) = &given.token {
            let told = introspection::ask(resource, token, network, report).await;
            let outside = token::Outside { sets: &sets, told };
            let verdict = token::check(resource, token, given.now, &outside, report);
            if let Some(deployment) = deployment {
                acceptance::check(&deployment, token, verdict, network, report).await;
            }
        }
    }
}

/// The settings, if a Worker could work with them.
fn settings(said: &Value, report: &mut Report) -> Option<Config> {
    const CHECK: &str = "settings";
    let deployment = match Deployment::read(said) {
        Ok(deployment) => deployment,
        Err(message) => {
            report.fail(CHECK, message, "name another file with --config, or an environment with --env");
            return None;
        }
    };
    for (name, meant) in &deployment.unread {
        let todo = match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => "is it spelled as in docs/settings.md?".to_owned(),
        };
        report.warn(CHECK, format!("{name}: the Worker reads no such variable"), todo);
    }
    let (config, warnings) = match deployment.config() {
        Ok(read) => read,
        Err(faults) => {
            for fault in faults {
                let todo = match deployment.side_by_side.contains(&fault) {
                    true => "keep one of the two",
                    false => "fix it; until then the Worker answers 503 to everything",
                };
                report.fail(CHECK, fault.to_string(), todo);
            }
            return None;
        }
    };
    report.ok(CHECK, "the settings have no fault");
    for warning in warnings {
        report.warn(CHECK, warning.to_string(), "");
    }
    if !deployment.kv {
        report.warn(
            CHECK,
            "there is no KV binding JWKS_CACHE",
            "each isolate fetches the key sets by itself; README shows the binding",
        );
    }
    Some(config)
}

/// The servers to look at. A token is for one of them, and the address of a deployment is that of
/// one host.
fn chosen<'c>(config: &'c Config, given: &Given, report: &mut Report) -> Vec<&'c Resource> {
    const CHECK: &str = "resource";
    let all = || config.resources.iter();
    let urls = || all().map(|resource| resource.canonical.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(url) = &given.resource {
        let found: Vec<&Resource> = all().filter(|resource| resource.canonical.as_str() == url).collect();
        if found.is_empty() {
            report.fail(CHECK, format!("{url} is no canonical URL of these settings"), urls());
        }
        return found;
    }
    let question = match config.resources.len() {
        1 => None,
        _ if given.token.is_some() => Some("which server is the token for?"),
        _ if config.by_host && given.url.is_some() => Some("the servers have several hosts, and --url one"),
        _ => None,
    };
    match question {
        None => all().collect(),
        Some(question) => {
            report.fail(CHECK, question, format!("say it with --resource: {}", urls()));
            Vec::new()
        }
    }
}
