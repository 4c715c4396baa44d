//! `npm run check` on the text of a wrangler.toml, but for wrangler, which reads it in truth:
//! `tests/e2e/check.test.mjs` has that.

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
    told(&read(wrangler_toml, environment).to_string())
}

/// The same of what it is told.
pub fn told(input: &str) -> (bool, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let passed = cli::check::run(input.as_bytes(), &mut output, &mut errors);
    (passed, String::from_utf8([output, errors].concat()).unwrap())
}
