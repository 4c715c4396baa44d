//! The protected resource metadata document, byte for byte, at each of its paths, by each method.

use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::{self, assert_golden, config, for_each_row, head, resource, same, settings, with};

const INSERTED: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
const PATHS: [&str; 3] = [
    INSERTED,
    "https://mcp.example.com/.well-known/oauth-protected-resource",
    "https://mcp.example.com/mcp/.well-known/oauth-protected-resource",
];

fn rich() -> Config {
    let server = |url: &str| json!({ "authorization_server_url": url, "issuer": support::ISSUER });
    config(&with(
        settings(),
        json!({
            // As written: a slash at the end, capitals, a port. Once each, in the order of their
            // first mention.
            support::SERVERS: [
                server("https://eu.example.com/"), server("https://US.example.com"), server("https://eu.example.com/"),
                server("https://eu.example.com"), server("https://as.example.com:443/tenant"),
            ],
            support::SCOPES_SUPPORTED: "tools:read tools:write",
        }),
    ))
}

fn plain() -> Config {
    config(&settings())
}

#[test]
fn golden() {
    assert_golden("metadata-plain.json", resource(&plain()).metadata.as_deref().unwrap());
    assert_golden("metadata-rich.json", resource(&rich()).metadata.as_deref().unwrap());
}

#[test]
fn resource_is_the_canonical_url_exactly_as_set() {
    let rows = [
        "https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp/",
        "https://mcp.example.com",
        "https://mcp.example.com/",
        "HTTPS://MCP.example.com:443/Mcp",
        "https://mcp.example.com/mcp?tenant=1",
        "http://127.0.0.1:8787/mcp",
    ];
    for_each_row(rows, |url| {
        let config = config(&with(settings(), json!({ support::CANONICAL_URL: url })));
        let document: Value = serde_json::from_str(resource(&config).metadata.as_deref().unwrap()).unwrap();
        same(url, document["resource"].as_str(), Some(url))
    });
}

#[test]
fn nothing_is_null_and_no_array_is_empty() {
    for config in [plain(), rich(), config(&with(settings(), json!({ support::SCOPES_SUPPORTED: [] })))] {
        let document: Value = serde_json::from_str(resource(&config).metadata.as_deref().unwrap()).unwrap();
        for (name, value) in document.as_object().unwrap() {
            assert!(!value.is_null(), "{name}");
            assert!(value.as_array().is_none_or(|items| !items.is_empty()), "{name}");
        }
    }
}

#[test]
fn every_path_has_the_same_document() {
    let config = rich();
    for_each_row(PATHS, |url| {
        for method in ["GET", "HEAD"] {
            let decided = support::decided(&config, &head(method, url));
            let answer = decided.answer();
            let row = format!("{method} {url}");
            same(
                &row,
                (answer.status, answer.body.as_deref()),
                (200, resource(&config).metadata.as_deref()),
            )?;
            let mut headers: Vec<(&str, &str)> =
                answer.headers.iter().map(|(n, v)| (*n, v.as_ref())).collect();
            headers.sort_unstable();
            let expected = vec![
                ("Access-Control-Allow-Origin", "*"),
                ("Cache-Control", "public, max-age=3600"),
                ("Content-Type", "application/json"),
            ];
            same(&row, headers, expected)?;
        }
        Ok(())
    });
}

#[test]
fn other_methods() {
    let config = plain();
    for_each_row(PATHS, |url| {
        let preflight = support::decided(&config, &head("OPTIONS", url));
        let answer = preflight.answer();
        same(url, (answer.status, answer.body.as_deref()), (204, None))?;
        same(url, answer.header("Access-Control-Allow-Origin"), Some("*"))?;
        same(url, answer.header("Access-Control-Allow-Methods"), Some("GET, HEAD, OPTIONS"))?;
        same(url, answer.header("Cache-Control"), Some("no-store"))?;
        for method in ["POST", "PUT", "DELETE", "PATCH", "get", "TRACE", ""] {
            let decided = support::decided(&config, &head(method, url));
            let answer = decided.answer();
            let row = format!("{method} {url}");
            same(&row, (answer.status, answer.header("Allow")), (405, Some("GET, HEAD, OPTIONS")))?;
            same(&row, answer.body.as_deref(), Some(r#"{"error":"method_not_allowed"}"#))?;
            same(&row, answer.header("WWW-Authenticate"), None)?;
        }
        Ok(())
    });
}

#[test]
fn the_challenge_points_to_the_document() {
    let rows = [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"),
        ("https://mcp.example.com/mcp/", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp/"),
        ("https://mcp.example.com/a/b", "https://mcp.example.com/.well-known/oauth-protected-resource/a/b"),
        ("https://mcp.example.com", "https://mcp.example.com/.well-known/oauth-protected-resource"),
        ("https://mcp.example.com/", "https://mcp.example.com/.well-known/oauth-protected-resource"),
        (
            "https://mcp.example.com/mcp?t=1",
            "https://mcp.example.com/.well-known/oauth-protected-resource/mcp?t=1",
        ),
        ("https://mcp.example.com/?t=1", "https://mcp.example.com/.well-known/oauth-protected-resource?t=1"),
        ("https://mcp.example.com?t=1", "https://mcp.example.com/.well-known/oauth-protected-resource?t=1"),
        ("http://[::1]:8787/mcp", "http://[::1]:8787/.well-known/oauth-protected-resource/mcp"),
    ];
    for_each_row(rows, |(canonical, expected)| {
        let config = config(&with(settings(), json!({ support::CANONICAL_URL: canonical })));
        same(canonical, resource(&config).canonical.metadata_url().as_str(), *expected)?;
        // And it is served there: clients must find what the challenge names.
        same(canonical, support::decided(&config, &head("GET", expected)).answer().status, 200)
    });
}
