//! Which URLs the settings take: https, or http on loopback, and nothing that two readers could
//! read as two things.

use serde_json::{Value, json};

use crate::support::{
    CANONICAL_URL, SERVERS, entry, for_each_row, read, same, settings, single_issuer_settings, with,
    with_entries,
};

/// Where the faults are: variable and field.
fn places(settings: &Value) -> Vec<String> {
    match read(settings) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
    }
}

/// The sound settings with one variable changed.
fn set(name: &str, value: Value) -> Value {
    with(settings(), json!({ name: value }))
}

fn in_entry(changes: Value) -> Value {
    with_entries(json!([with(entry(), changes)]))
}

/// What is no URL that clients and issuers may see.
const NOT_PUBLIC: [&str; 34] = [
    "s3cret",
    "/mcp",
    "//mcp.example.com/mcp",
    "mcp.example.com",
    "https:/mcp.example.com/mcp",
    "https:mcp.example.com",
    "https://",
    "https:///mcp",
    "http://mcp.example.com/mcp",
    "http://localhost.evil/mcp",
    "http://localhostx/mcp",
    "http://127.0.0.1.evil/mcp",
    "http://128.0.0.1/mcp",
    "http://126.255.255.255/mcp",
    "http://0.0.0.0/mcp",
    "http://10.0.0.1/mcp",
    "http://[::2]/mcp",
    "http://[::ffff:10.0.0.1]/mcp",
    "ftp://localhost/mcp",
    "ws://localhost/mcp",
    "file:///etc/passwd",
    "javascript://localhost/mcp",
    "https://user@mcp.example.com/mcp",
    "https://user:s3cret@mcp.example.com/mcp",
    "http://localhost@evil.example/mcp",
    "https://mcp.example.com/mcp#fragment",
    "https://mcp.example.com/mcp#",
    " https://mcp.example.com/mcp",
    "https://mcp.example.com/mcp\n",
    "https://mcp.example.com/a b",
    "https://mcp.example.com/a\tb",
    "https://mcp.example.com/\"s3cret\"",
    "https://mcp.example.com/ü",
    "https://mcp.example.com\\@evil.example/mcp",
];

#[test]
fn urls() {
    for_each_row(NOT_PUBLIC, |url| {
        let one = |place: &str| vec![place.to_owned()];
        same(url, places(&set(CANONICAL_URL, json!(url))), one(CANONICAL_URL))?;
        for field in ["authorization_server_url", "jwks_uri"] {
            let place = format!("{SERVERS}[0].{field}");
            same(&format!("{field} {url}"), places(&in_entry(json!({ field: url }))), one(&place))?;
        }
        // Metadata is looked for at an issuer only where the entry has no key set of its own.
        let place = format!("{SERVERS}[0].issuer");
        let discovered = json!({ "issuer": url, "jwks_uri": "<absent>" });
        same(&format!("issuer {url}"), places(&in_entry(discovered)), one(&place))?;
        let settings = with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_JWKS_URI": url }));
        same(&format!("MCP_SERVER_AUTH_JWKS_URI {url}"), places(&settings), one("MCP_SERVER_AUTH_JWKS_URI"))
    });
}

#[test]
fn paths_that_a_parser_rewrites() {
    // A path that a parser rewrites is not served byte for byte, so it is none.
    let rewritten = [
        "https://mcp.example.com/a/../mcp",
        "https://mcp.example.com/./mcp",
        "https://mcp.example.com/%2e%2e/mcp",
        "https://mcp.example.com/mcp/..",
        "https://mcp.example.com/mcp/.",
    ];
    for_each_row(rewritten, |url| {
        same(url, places(&set(CANONICAL_URL, json!(url))), vec![CANONICAL_URL.to_owned()])?;
        same(url, places(&set("ORIGIN_URL", json!(url))), vec!["ORIGIN_URL".to_owned()])
    });
}

#[test]
fn canonical_paths_that_no_request_would_reach() {
    // Every request to one of these is refused as a dot segment in disguise, so the settings are at
    // fault.
    let unreachable = [
        "https://mcp.example.com/a/..;/mcp",
        "https://mcp.example.com/a%2F..%2Fmcp",
        "https://mcp.example.com/%252e%252e/mcp",
    ];
    for_each_row(unreachable, |url| {
        same(url, places(&set(CANONICAL_URL, json!(url))), vec![CANONICAL_URL.to_owned()])
    });
}

#[test]
fn paths_of_the_workers_own() {
    let own = [
        "https://a.example/healthz",
        "https://a.example/healthz/",
        "https://a.example/.well-known/oauth-protected-resource",
        "https://a.example/.well-known/oauth-protected-resource/mcp",
    ];
    for_each_row(own, |url| {
        same(url, places(&set(CANONICAL_URL, json!(url))), vec![CANONICAL_URL.to_owned()])
    });
}

#[test]
fn origin_urls() {
    let not_origins = [
        "s3cret",
        "o.example",
        "/srv",
        "//o.example",
        "https://",
        "ftp://o.example",
        "ws://o.example",
        "https://u:s3cret@o.example",
        "https://o.example/#f",
        "https://o.example/srv?x=1",
        "https://o.example?",
        " https://o.example",
        "https://o.example/a b",
        "https://o.example/ü",
        "https://o.example/\\x",
        "https://o.example/..%2fx",
        "https://o.example/a/%252e%252e/x",
        "https://o.example/a/..;x",
        "https://o.example/a/%c0%ae%c0%ae/x",
        "https://o.example/a/..%20",
    ];
    for_each_row(not_origins, |url| {
        same(url, places(&set("ORIGIN_URL", json!(url))), vec!["ORIGIN_URL".to_owned()])
    });
}
