//! `npm run check [-- --env NAME]`: finds the faults of wrangler.toml's settings before a deploy does.
//!
//! Reads `wrangler.toml` in the current folder with the Worker's own code. Prints the summary and exits 0, or every fault and exits 1. What only a
//! deployment knows (a secret, set with `wrangler secret put`) it cannot see: it names the ones that are needed.

#![allow(clippy::print_stdout, reason = "a command talks to its user")]

use std::process::ExitCode;

use mcp_edge_auth::config::{Config, Variables};
use toml::{Table, Value};

const FILE: &str = "wrangler.toml";
const ORIGIN: &str = "ORIGIN";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let environment = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => None,
        ["--env" | "-e", name] => Some((*name).to_owned()),
        [argument] if argument.starts_with("--env=") => {
            argument.split_once('=').map(|(_, name)| name.to_owned())
        }
        _ => return fail("usage: npm run check [-- --env NAME]"),
    };
    match settings(environment.as_deref()) {
        Err(message) => fail(&message),
        Ok(settings) => report(&settings),
    }
}

/// The part of the file that a deployment of this environment gets: variables and KV namespaces are not inherited.
fn settings(environment: Option<&str>) -> Result<Table, String> {
    let text = std::fs::read_to_string(FILE).map_err(|error| format!("{FILE} cannot be read: {error}"))?;
    let file: Table = text.parse().map_err(|error| format!("{FILE} is not TOML: {error}"))?;
    let Some(name) = environment else { return Ok(file) };
    let found = file.get("env").and_then(|env| env.get(name)).and_then(Value::as_table);
    found.cloned().ok_or_else(|| format!("{FILE} has no environment [env.{name}]"))
}

fn report(settings: &Table) -> ExitCode {
    let variables: Variables = settings
        .get("vars")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), serde_json::to_value(value).ok()?)))
        .collect();
    for name in variables.secrets() {
        println!(
            "warning: {name} is a secret, and whoever can read {FILE} has it. Better: npx wrangler secret put {name}"
        );
    }
    match Config::read(&variables.without_secrets()) {
        Err(faults) => {
            println!("Resource Server auth enabled: false");
            for fault in faults {
                println!("- {fault}");
            }
            ExitCode::FAILURE
        }
        Ok(config) => {
            println!("Resource Server auth enabled: true");
            for (name, values) in config.summary() {
                println!("{name}: {}", values.join(", "));
            }
            if has_origin(settings) {
                println!("Origin reached by: the binding {ORIGIN}");
            }
            for name in &config.unseen_secrets {
                println!("Not seen here, and needed: npx wrangler secret put {name}");
            }
            for warning in &config.warnings {
                println!("warning: {warning}");
            }
            println!("Key sets: {}", if has_kv(settings) { "KV binding JWKS_CACHE" } else { "memory only" });
            ExitCode::SUCCESS
        }
    }
}

/// Whether a binding of any kind (services, mtls_certificates, vpc_services …) has this name.
fn has_origin(settings: &Table) -> bool {
    let bindings = settings.values().filter_map(Value::as_array).flatten();
    bindings.filter_map(|binding| binding.get("binding")).any(|name| name.as_str() == Some(ORIGIN))
}

fn has_kv(settings: &Table) -> bool {
    let namespaces = settings.get("kv_namespaces").and_then(Value::as_array);
    namespaces
        .is_some_and(|all| all.iter().any(|n| n.get("binding").and_then(Value::as_str) == Some("JWKS_CACHE")))
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
