//! `npm run check [-- --env NAME] [--config FILE]`: finds the faults of wrangler.toml's settings before a deploy does.
//!
//! Reads `wrangler.toml` in the current folder, or the file that is named, with the Worker's own code. Prints the summary and exits 0, or every fault and exits 1. What only a
//! deployment knows (a secret, set with `wrangler secret put`) it cannot see: it names the ones that are needed.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use mcp_edge_auth::config::{Config, hints};
use mcp_edge_auth::plain;
use mcp_edge_auth::wrangler::{self, Deployment};

/// Prints a line, in which no name or value of the settings moves the cursor.
macro_rules! say {
    ($($text:tt)*) => {
        print_line(&plain::line(&format!($($text)*)))
    };
}

/// Whoever reads a pipe may have seen enough (`npm run check | head -1`): that is no failure.
fn print_line(text: &str) {
    let _ended = writeln!(stdout(), "{text}");
}

const USAGE: &str = "usage: npm run check -- [--env NAME] [--config FILE]";

/// The line of the summary that is the heading where there are several resources.
const CANONICAL: &str = "Canonical URL";

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help" || argument == "-h") {
        say!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some((environment, file)) = arguments(std::env::args().skip(1)) else { return fail(USAGE) };
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{file} cannot be read: {error}"));
    match text.and_then(|text| wrangler::read(&file, &text, environment.as_deref())) {
        Err(message) => fail(&message),
        Ok(deployment) => report(&deployment, &file),
    }
}

/// The environment, if one is named, and the file.
fn arguments(mut given: impl Iterator<Item = String>) -> Option<(Option<String>, String)> {
    let (mut environment, mut file) = (None, "wrangler.toml".to_owned());
    while let Some(argument) = given.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, value.to_owned()),
            _ => (argument.as_str(), given.next()?),
        };
        match name {
            "--env" | "-e" => environment = Some(value),
            "--config" | "-c" => file = value,
            _ => return None,
        }
    }
    Some((environment, file))
}

fn report(deployment: &Deployment, file: &str) -> ExitCode {
    for name in deployment.variables.secrets() {
        say!(
            "warning: {name} is a secret, and whoever can read {file} has it. Better: npx wrangler secret put {name}"
        );
    }
    for name in &deployment.unread {
        say!("warning: {name}: the Worker reads no such variable. Is it spelled as in README, Settings?");
    }
    match Config::read(&deployment.variables) {
        Err(faults) => {
            say!("Resource Server auth enabled: false");
            for fault in faults {
                say!("- {fault}");
            }
            ExitCode::FAILURE
        }
        Ok(config) => {
            say!("Resource Server auth enabled: true");
            for resource in &config.resources {
                let one = config.resources.len() == 1;
                if !one {
                    let default = if resource.is_default {
                        " (the default: its document is at the root, too)"
                    } else {
                        ""
                    };
                    print_line("");
                    say!("{}{default}", resource.canonical.as_str());
                }
                for (name, values) in config.summary(resource) {
                    if one || name != CANONICAL {
                        say!("{}{name}: {}", if one { "" } else { "  " }, values.join(", "));
                    }
                }
            }
            if config.resources.len() > 1 {
                let host = if config.by_host { "host and path" } else { "path; any host" };
                print_line("");
                say!("Servers are told apart by: {host}");
            }
            for name in &config.unseen_secrets {
                say!("Not seen here, and needed: npx wrangler secret put {name}");
            }
            for warning in config.warnings.iter().chain(&hints(&deployment.variables, &config)) {
                say!("warning: {warning}");
            }
            say!("Key sets: {}", if deployment.kv { "KV binding JWKS_CACHE" } else { "memory only" });
            ExitCode::SUCCESS
        }
    }
}

fn fail(message: &str) -> ExitCode {
    let _ended = writeln!(stderr(), "{}", plain::lines(message));
    ExitCode::FAILURE
}
