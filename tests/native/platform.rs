//! What the check says of the part of the file that is Cloudflare's: the day of the runtime, and
//! whether an address that clients are given leads to the Worker.

use serde_json::{Value, json};

use crate::support::check::told;
use crate::support::for_each_row;

const DATE: &str = "2026-04-26";

/// Sound settings for these canonical URLs, with more in the file; the warnings of the check about
/// it.
fn warnings(urls: &[&str], more: &Value) -> Vec<String> {
    let entry = json!([{ "authorization_server_url": "https://login.acme.test" }]);
    let server = |url: &&str| json!({ "canonical_url": url, "origin_url": format!("https://o.acme.test/{}", url.len()) });
    let mut settings = json!({
        "kv_namespaces": [{ "binding": "JWKS_CACHE" }],
        "vars": {
            "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES": "mcp",
            "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": entry,
            "MCP_SERVER_AUTH_RESOURCES": urls.iter().map(server).collect::<Vec<_>>(),
        },
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let (passed, said) = told(&json!({ "file": "wrangler.jsonc", "settings": settings }));
    assert!(passed, "a Worker could work with these settings: {said}");
    said.lines().filter_map(|line| line.strip_prefix("warning: ")).map(str::to_owned).collect()
}

#[test]
fn a_host_that_no_route_leads_to() {
    const URL: &str = "https://mcp.acme.test:8443/mcp";
    const DEV: &str = "https://mcp.acme.workers.dev/mcp";
    let rows: Vec<(&str, &[&str], Value, &[&str])> = vec![
        ("no routes", &[URL], json!({}), &["routes: none leads to mcp.acme.test,"]),
        ("an empty list", &[URL], json!({ "routes": [] }), &["routes: none leads to mcp.acme.test,"]),
        (
            "another host",
            &[URL],
            json!({ "routes": ["acme.test/*"] }),
            &["routes: none leads to mcp.acme.test,"],
        ),
        (
            "a longer host",
            &[URL],
            json!({ "route": "x.mcp.acme.test/*" }),
            &["routes: none leads to mcp.acme.test,"],
        ),
        (
            "another zone",
            &[URL],
            json!({ "routes": ["*.acme.example/*"] }),
            &["routes: none leads to mcp.acme.test,"],
        ),
        (
            "a custom domain",
            &[URL],
            json!({ "routes": [{ "pattern": "mcp.acme.test", "custom_domain": true }] }),
            &[],
        ),
        (
            "a route of a zone",
            &[URL],
            json!({ "routes": ["x.test", { "pattern": "Mcp.acme.test/*", "zone_name": "acme.test" }] }),
            &[],
        ),
        ("one route", &[URL], json!({ "route": "mcp.acme.test/*" }), &[]),
        ("with a scheme", &[URL], json!({ "route": "https://mcp.acme.test/*" }), &[]),
        ("all of a zone", &[URL], json!({ "route": { "pattern": "*.acme.test/*" } }), &[]),
        ("a zone and all of it", &[URL], json!({ "route": "*acme.test/*" }), &[]),
        ("on this machine", &["http://127.0.0.1:8787/mcp"], json!({}), &[]),
        ("workers.dev", &[DEV], json!({}), &[]),
        ("workers.dev, switched off", &[DEV], json!({ "workers_dev": false }), &["workers_dev: "]),
        ("workers.dev beside a route", &[DEV], json!({ "route": "mcp.acme.test/*" }), &["workers_dev: "]),
        ("both", &[DEV], json!({ "route": "mcp.acme.test/*", "workers_dev": true }), &[]),
        (
            "several hosts, each once",
            &[
                "https://a.acme.test/1",
                "https://a.acme.test/22",
                "https://b.acme.test/333",
                "https://c.acme.test/4444",
            ],
            json!({ "routes": ["b.acme.test"] }),
            &["routes: none leads to a.acme.test,", "routes: none leads to c.acme.test,"],
        ),
    ];
    for_each_row(rows, |(name, urls, more, expected)| {
        let mut more = more.clone();
        more["compatibility_date"] = json!(DATE);
        let found = warnings(urls, &more);
        let is_expected = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected));
        if is_expected { Ok(()) } else { Err(format!("{name}: expected {expected:?}, found {found:?}")) }
    });
}

#[test]
fn a_file_without_a_compatibility_date() {
    let dated = json!({ "route": "a.test/*", "compatibility_date": DATE });
    assert_eq!(warnings(&["https://a.test/mcp"], &dated), Vec::<String>::new());
    let found = warnings(&["https://a.test/mcp"], &json!({ "route": "a.test/*" }));
    let says = format!(
        "compatibility_date: there is none, and without it wrangler deploys nothing: add compatibility_date = \"{DATE}\""
    );
    assert_eq!(found, [says]);
}
