//! The fuzz targets. Each is a function from any bytes to nothing that panics where the crate's
//! answer is not the one that an independent reading of the same bytes gives.
//!
//! `npm run fuzz` lets libFuzzer invent the bytes; `npm test` replays those of `fuzz/corpus`.

mod assertion_keys;
mod challenge;
mod claims;
mod jose;
mod json;
mod key_sets;
mod lists;
mod messages;
mod paths;
mod reference;
mod sessions;
mod settings;

use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

/// Looks at any bytes, and panics where the crate's answer is wrong.
type Check = fn(&[u8]);

/// The name of each target, which is that of its folder in `fuzz/corpus`, and what it checks.
pub(crate) const TARGETS: [(&str, Check); 11] = [
    ("assertion_keys", assertion_keys::check),
    ("challenge", challenge::check),
    ("claims", claims::check),
    ("jose", jose::check),
    ("json", json::check),
    ("key_sets", key_sets::check),
    ("lists", lists::check),
    ("messages", messages::check),
    ("paths", paths::check),
    ("sessions", sessions::check),
    ("settings", settings::check),
];

/// Sound settings of one resource, with `changes`.
fn config(changes: &Value) -> Config {
    let mut settings = json!({
        "MCP_SERVER_AUTH_CANONICAL_URL": "https://mcp.example.com/mcp",
        "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [{
            "authorization_server_url": "https://auth.example.com",
            "jwks_uri": "https://auth.example.com/jwks",
        }],
        "ORIGIN_URL": "https://origin.example/srv",
    });
    for (name, value) in changes.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let settings = settings.as_object().unwrap().clone();
    mcp_edge_auth::settings::read(&settings.into_iter().filter(|(_, value)| !value.is_null()).collect())
        .unwrap()
}

/// The input up to its first line end, and what follows that.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|b| *b == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}
