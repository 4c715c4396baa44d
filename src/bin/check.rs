//! `npm run check [-- --env NAME] [--config FILE]`: finds the faults of a deployment's settings before the deploy does.
//!
//! On stdin is what `scripts/check.mjs` had wrangler read; it is judged with the Worker's own code. Prints the summary and exits 0, or every fault and exits 1. What only a
//! deployment knows (a secret, set with `wrangler secret put`) it cannot see: it names the ones that are needed.

use std::io::{Write as _, stderr, stdin, stdout};
use std::process::ExitCode;

use mcp_edge_auth::deployment::Deployment;
use mcp_edge_auth::plain;

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

/// The line of the summary that is the heading where there are several resources.
const CANONICAL: &str = "Canonical URL";

fn main() -> ExitCode {
    let said =
        serde_json::from_reader(stdin()).map_err(|_| "This is the inside of `npm run check`.".to_owned());
    match said.and_then(|said| Deployment::read(&said)) {
        Err(message) => fail(&message),
        Ok(deployment) => report(&deployment),
    }
}

fn report(deployment: &Deployment) -> ExitCode {
    for name in deployment.variables.secrets() {
        say!(
            "warning: {name} is a secret, and whoever can read {} has it. Better: npx wrangler secret put {name}",
            deployment.file
        );
    }
    for (name, meant) in &deployment.unread {
        let question = match meant {
            Some(meant) => format!("Did you mean {meant}?"),
            None => "Is it spelled as in docs/settings.md?".to_owned(),
        };
        say!("warning: {name}: the Worker reads no such variable. {question}");
    }
    match deployment.config() {
        Err(faults) => {
            say!("Resource Server auth enabled: false");
            for fault in faults {
                say!("- {fault}");
            }
            ExitCode::FAILURE
        }
        Ok((config, warnings)) => {
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
                for (name, values) in mcp_edge_auth::settings::summary(&config, resource) {
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
            for warning in warnings {
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
