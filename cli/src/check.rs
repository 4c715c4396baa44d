//! `check`: finds the faults of a deployment's settings before the deploy does.
//!
//! What wrangler has read of them is judged with the Worker's own code. All faults are told, or a
//! summary of the settings. What only a deployment knows (a secret, set with `wrangler secret put`)
//! is not seen here: those that are needed are named.

use mcp_edge_auth::plain;
use serde::Serialize;
use serde_json::Value;

use crate::deployment::Deployment;

/// What was found.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    Judged {
        ok: bool,
        lines: Vec<Line>,
    },
    /// There are no settings, and this is why.
    Unreadable {
        ok: bool,
        error: String,
    },
}

/// A line of it, in which no name or value of the settings moves the cursor.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub level: Level,
    pub says: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What the settings come to.
    Info,
    /// What a Worker could work with, and an operator should know.
    Warning,
    /// What a Worker could not work with.
    Fault,
}

/// The line of the summary that is the heading where there are several resources.
const CANONICAL: &str = "Canonical URL";

/// Judges what `readSettings` says of a deployment.
pub fn run(read: &Value) -> Outcome {
    match Deployment::read(read) {
        Err(error) => Outcome::Unreadable { ok: false, error: plain::lines(&error) },
        Ok(deployment) => {
            let mut lines = Vec::new();
            let ok =
                report(&deployment, &mut |level, says| lines.push(Line { level, says: plain::line(&says) }));
            Outcome::Judged { ok, lines }
        }
    }
}

/// Whether a Worker could work with these settings.
fn report(deployment: &Deployment, tell: &mut impl FnMut(Level, String)) -> bool {
    for name in &deployment.secrets {
        let file = &deployment.file;
        tell(
            Level::Warning,
            format!(
                "{name} is a secret, and whoever can read {file} has it. Better: npx wrangler secret put {name}"
            ),
        );
    }
    for (name, meant) in &deployment.unread {
        let question = match meant {
            Some(meant) => format!("Did you mean {meant}?"),
            None => "Is it spelled as in docs/settings.md?".to_owned(),
        };
        tell(Level::Warning, format!("{name}: the Worker reads no such variable. {question}"));
    }
    let (config, warnings) = match deployment.config() {
        Ok(read) => read,
        Err(faults) => {
            tell(Level::Info, "Resource Server auth enabled: false".to_owned());
            faults.into_iter().for_each(|fault| tell(Level::Fault, fault.to_string()));
            return false;
        }
    };
    tell(Level::Info, "Resource Server auth enabled: true".to_owned());
    let is_one = config.resources.len() == 1;
    let indent = if is_one { "" } else { "  " };
    for resource in &config.resources {
        if !is_one {
            let default = match resource.is_default {
                true => " (the default: its document is at the root, too)",
                false => "",
            };
            tell(Level::Info, String::new());
            tell(Level::Info, format!("{}{default}", resource.canonical.as_str()));
        }
        for (name, values) in mcp_edge_auth::settings::summary(&config, resource) {
            if is_one || name != CANONICAL {
                tell(Level::Info, format!("{indent}{name}: {}", values.join(", ")));
            }
        }
    }
    if !is_one {
        let host = if config.by_host { "host and path" } else { "path; any host" };
        tell(Level::Info, String::new());
        tell(Level::Info, format!("Servers are told apart by: {host}"));
    }
    for name in &config.unseen_secrets {
        tell(Level::Info, format!("Not seen here, and needed: npx wrangler secret put {name}"));
    }
    warnings.into_iter().for_each(|warning| tell(Level::Warning, warning.to_string()));
    let kept = if deployment.kv { "KV binding JWKS_CACHE" } else { "memory only" };
    tell(Level::Info, format!("Key sets: {kept}"));
    if config.revocation {
        tell(Level::Info, "Revoked tokens: by the list in KV".to_owned());
    }
    if deployment.audit {
        let callers = match config.pseudonyms {
            Some(_) => "callers hashed",
            None => "with callers, hashed, once there is a secret MCP_SERVER_AUTH_AUDIT_KEY",
        };
        tell(Level::Info, format!("Audit: binding AUDIT, {callers}"));
    }
    true
}
