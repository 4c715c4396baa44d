//! `npm run check` on the text of a wrangler.toml, but for wrangler, which reads it in truth:
//! `tests/e2e/check.test.mjs` has that.

use cli::check::{Level, Line, Outcome};
use serde_json::{Value, json};

/// What `cli/wrangler/settings.mjs` says of the file, or of one environment of it.
pub fn read(wrangler_toml: &str, environment: Option<&str>) -> Value {
    let file: toml::Table = wrangler_toml.parse().unwrap();
    let settings = match environment {
        None => serde_json::to_value(&file).unwrap(),
        Some(name) => serde_json::to_value(&file["env"][name]).unwrap(),
    };
    json!({ "file": "wrangler.toml", "settings": settings })
}

/// Whether the check passes, and all that it says.
pub fn check(wrangler_toml: &str, environment: Option<&str>) -> (bool, String) {
    told(&read(wrangler_toml, environment))
}

/// The same of what it is told.
pub fn told(read: &Value) -> (bool, String) {
    match cli::check::run(read) {
        Outcome::Unreadable { ok, error } => (ok, error),
        Outcome::Judged { ok, lines } => (ok, lines.iter().map(line).collect()),
    }
}

/// A line as the command prints it.
fn line(line: &Line) -> String {
    let sign = match line.level {
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Fault => "- ",
    };
    format!("{sign}{}\n", line.says)
}
