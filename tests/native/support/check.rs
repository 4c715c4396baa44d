//! `npm run check` on the text of a wrangler.toml, but for wrangler, which reads it in truth:
//! `tests/e2e/check.test.mjs` has that.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What `scripts/settings.mjs` says of the file, or of one environment of it.
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
    told(&read(wrangler_toml, environment).to_string())
}

/// The same of what it is told.
pub fn told(input: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}
