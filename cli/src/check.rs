//! `npm run check [-- --env NAME] [--config FILE]`: finds the faults of a deployment's settings
//! before the deploy does.
//!
//! On stdin is what `cli/commands/check.mjs` had wrangler read; it is judged with the Worker's own
//! code. Prints the summary and exits 0, or every fault and exits 1. What only a deployment knows
//! (a secret, set with `wrangler secret put`) it cannot see: it names the ones that are needed.

use std::io::{Read, Write};

use mcp_edge_auth::plain;

use crate::deployment::Deployment;

/// Whoever reads a pipe may have seen enough (`npm run check | head -1`): that is no failure.
fn print_line(output: &mut impl Write, text: &str) {
    let _ended = writeln!(output, "{text}");
}

/// The line of the summary that is the heading where there are several resources.
const CANONICAL: &str = "Canonical URL";

/// Whether a deployment would work. Why, or what it would do, is printed to `output`; what keeps
/// the check from judging goes to `errors`.
pub fn run(input: impl Read, output: &mut impl Write, errors: &mut impl Write) -> bool {
    let said =
        serde_json::from_reader(input).map_err(|_| "This is the inside of `npm run check`.".to_owned());
    match said.and_then(|said| Deployment::read(&said)) {
        Ok(deployment) => report(&deployment, output),
        Err(message) => {
            print_line(errors, &plain::lines(&message));
            false
        }
    }
}

fn report(deployment: &Deployment, output: &mut impl Write) -> bool {
    /// Prints a line, in which no name or value of the settings moves the cursor.
    macro_rules! say {
        ($($text:tt)*) => {
            print_line(output, &plain::line(&format!($($text)*)))
        };
    }

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
            false
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
                    print_line(output, "");
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
                print_line(output, "");
                say!("Servers are told apart by: {host}");
            }
            for name in &config.unseen_secrets {
                say!("Not seen here, and needed: npx wrangler secret put {name}");
            }
            for warning in warnings {
                say!("warning: {warning}");
            }
            say!("Key sets: {}", if deployment.kv { "KV binding JWKS_CACHE" } else { "memory only" });
            true
        }
    }
}
