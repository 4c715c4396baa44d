//! `npm run doctor [-- --env NAME] [--config FILE] [--url URL] [--resource URL] [--token FILE]`:
//! every check that a client would make, in order, with the Worker's own code.
//!
//! It decides and does not do: what it wants to know from the network, and what it has found, are
//! JSON lines on stdout; the answers come on stdin. `cli/commands/doctor.mjs` is at the other end.
//! So there is one HTTP client in this repository's commands, Node's, and every proxy and
//! certificate setting of it holds here, too.
//!
//! stdin: first `{"token": TEXT or null, "deployment": …}`, what wrangler has read, then an answer
//! to each request. stdout: `{"fetch": …}` asks, `{"line": …}` tells. Exit code 1: something
//! failed.

mod acceptance;
mod advice;
mod authorization_server;
pub mod challenge;
mod deployment;
mod exchange;
mod key_sets;
mod origin;
mod report;
mod token;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use mcp_edge_auth::resource::{Config, Resource};
use serde_json::Value;

use crate::deployment::Deployment;
use exchange::Network;
use key_sets::KeySets;
use report::Report;

/// What the command line says; neither the token nor the settings are in it.
struct Arguments {
    url: Option<String>,
    /// The canonical URL of the only server to look at.
    resource: Option<String>,
}

/// Examines a deployment. `given`: the command line, without the program's name.
pub fn run(given: impl Iterator<Item = String>) -> ExitCode {
    let mut network = Network::new();
    let (Some(arguments), Some((token, deployment))) = (arguments(given), network.given()) else {
        eprintln!("This is the inside of `npm run doctor`.");
        return ExitCode::FAILURE;
    };
    let mut report = Report::default();
    if let Some(config) = settings(&deployment, &mut report) {
        let resources = chosen(&config, &arguments, token.is_some(), &mut report);
        authorization_server::check(&config, &resources, &mut network, &mut report);
        let sets = key_sets::check(&config, &resources, &mut network, &mut report);
        let given = Given { config: &config, url: arguments.url.as_deref(), token: token.as_deref(), sets };
        for resource in resources {
            if config.resources.len() > 1 {
                report.ok("resource", resource.canonical.as_str());
            }
            examine(resource, &given, &mut network, &mut report);
        }
    }
    report.exit_code()
}

fn arguments(mut given: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments { url: None, resource: None };
    while let Some(name) = given.next() {
        match name.as_str() {
            "--url" => arguments.url = Some(given.next()?),
            "--resource" => arguments.resource = Some(given.next()?),
            _ => return None,
        }
    }
    Some(arguments)
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
fn chosen<'c>(
    config: &'c Config,
    arguments: &Arguments,
    has_token: bool,
    report: &mut Report,
) -> Vec<&'c Resource> {
    const CHECK: &str = "resource";
    let all = || config.resources.iter();
    let urls = || all().map(|resource| resource.canonical.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(url) = &arguments.resource {
        let found: Vec<&Resource> = all().filter(|resource| resource.canonical.as_str() == url).collect();
        if found.is_empty() {
            report.fail(CHECK, format!("{url} is no canonical URL of these settings"), urls());
        }
        return found;
    }
    let question = match config.resources.len() {
        1 => None,
        _ if has_token => Some("which server is the token for?"),
        _ if config.by_host && arguments.url.is_some() => {
            Some("the servers have several hosts, and --url one")
        }
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

/// What all resources are examined with.
struct Given<'g> {
    config: &'g Config,
    /// Of the deployment.
    url: Option<&'g str>,
    token: Option<&'g str>,
    sets: KeySets,
}

fn examine(resource: &Resource, given: &Given<'_>, network: &mut Network, report: &mut Report) {
    let deployment = given.url.and_then(|url| deployment::check(resource, url, network, report));
    origin::check(given.config, resource, network, report);
    if let Some(token) = given.token {
        let accepted = token::check(resource, token, now(), &given.sets, report);
        if let Some(deployment) = deployment {
            acceptance::check(&deployment, token, accepted, network, report);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
