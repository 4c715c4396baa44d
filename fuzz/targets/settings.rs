//! `Config::read` on settings of any kind: the input is their JSON. `"sound": true` adds what sound
//! settings need, `"bind": true` two bindings, `"elsewhere": true` hides the secrets.
//!
//! 1. No fault says a value. Wherever the word `zinnia7` stands in a value, it is in no fault;
//!    names of variables and of members outside secrets are said, so there the word is taken out
//!    first.
//! 2. Where it stands in secrets only, neither the settings' `Debug` nor a warning says it.
//! 3. Settings that are accepted are complete: each resource has its entries, each entry its
//!    algorithms, audiences and key set, and its own URL is a path of the Worker.

use mcp_edge_auth::resource::Config;
use mcp_edge_auth::route::{Route, route};
use mcp_edge_auth::settings::Variables;
use serde_json::{Map, Value, json};

const WORD: &str = "zinnia7";

pub(super) fn check(data: &[u8]) {
    let Ok(Value::Object(mut settings)) = serde_json::from_slice(data) else { return };
    let mut switch = |name: &str| settings.remove(name) == Some(Value::Bool(true));
    let (sound, bind, elsewhere) = (switch("sound"), switch("bind"), switch("elsewhere"));
    let mut settings: Map<String, Value> = settings
        .into_iter()
        .map(
            |(name, value)| {
                if is_secret(&name) { (name, value) } else { (unmarked(&name), of_public(value)) }
            },
        )
        .map(|(name, value)| (unmarked(&name), value))
        .collect();
    if sound {
        let needed = json!({
            "MCP_SERVER_AUTH_CANONICAL_URL": "https://mcp.example.com/mcp",
            "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [{ "authorization_server_url": "https://auth.example.com" }],
            "ORIGIN_URL": "https://origin.example/srv",
        });
        for (name, value) in needed.as_object().unwrap() {
            settings.entry(name).or_insert(value.clone());
        }
    }
    let mut variables: Variables = settings.clone().into_iter().collect();
    if bind {
        variables = variables.with_bindings(["ORIGIN".to_owned(), "B".to_owned()]);
    }
    if elsewhere {
        variables = variables.without_secrets();
    }
    match mcp_edge_auth::settings::read(&variables) {
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(!format!("{fault} {fault:?}").contains(WORD), "{fault}");
            }
        }
        Ok(config) => {
            let hidden = |(name, value): (&String, &Value)| {
                if is_secret(name) { !has_public_part(value) } else { !could_make_it(value) }
            };
            if settings.iter().all(hidden) {
                assert!(!format!("{config:?}").contains(WORD), "{config:?}");
            }
            check_completeness(&config);
        }
    }
}

fn check_completeness(config: &Config) {
    assert!(!config.resources.is_empty());
    for resource in &config.resources {
        assert!(!resource.entries.is_empty());
        for entry in &resource.entries {
            assert!(!entry.algorithms.is_empty() && !entry.rules.audiences.is_empty());
            assert!(entry.source.index() < config.sources.len());
        }
        let url = resource.canonical.as_str();
        let Route::Protected(protected) = route(config, url) else { panic!("{url} leads nowhere") };
        assert!(protected.is_endpoint() && protected.resource().canonical.as_str() == url, "{url}");
    }
}

fn is_secret(name: &str) -> bool {
    let prefixes = ["MCP_SERVER_AUTH_", "MCP_RESOURCE_SERVER_"];
    let bare = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    ["ASSERTION_KEY", "SESSION_KEY"].contains(&bare)
        || name == "ORIGIN_HEADERS"
        || name.starts_with("ORIGIN_HEADERS_")
}

fn unmarked(text: &str) -> String {
    text.replace(WORD, "")
}

/// Whether the word could come of a public value: names for clients are made of it, in lower case
/// and without what is no letter or digit.
fn could_make_it(value: &Value) -> bool {
    let text = value.to_string().to_lowercase();
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().contains(WORD)
}

/// Of a secret, names of headers and a key's `kid` are published or logged.
fn has_public_part(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains(WORD) || name == "kid" || has_public_part(value))
        }
        Value::Array(items) => items.iter().any(has_public_part),
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text).ok().filter(|inner| !inner.is_string());
            text.contains("kid") || inner.is_some_and(|inner| has_public_part(&inner))
        }
        _ => false,
    }
}

/// A setting that is no secret: the word only in its values, not in the names of its members.
fn of_public(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                // The name of a variable that holds headers.
                let value = if name == "origin_headers" { without_word(&value) } else { of_public(value) };
                (unmarked(&name), value)
            };
            members.into_iter().map(member).collect()
        }
        Value::Array(items) => items.into_iter().map(of_public).collect(),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            let inner = serde_json::from_str(&text).map(|inner| of_public(inner).to_string());
            inner.unwrap_or(text).into()
        }
        other => other,
    }
}

fn without_word(value: &Value) -> Value {
    serde_json::from_str(&unmarked(&value.to_string())).unwrap_or_default()
}
