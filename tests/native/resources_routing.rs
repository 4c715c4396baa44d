//! Several MCP servers behind one Worker: which of them a URL leads to.

use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::route::{Route, route};
use serde_json::{Value, json};

use crate::support::resources::{at, many};
use crate::support::{ISSUER, config, for_each_row, same, with};

const DOCUMENT: &str = "/.well-known/oauth-protected-resource";

/// Which resource a URL leads to, by its canonical URL, and how.
fn way(config: &Config, url: &str) -> String {
    let of = |resource: &Resource| resource.canonical.as_str().to_owned();
    match route(config, url) {
        Route::Metadata(resource) => format!("metadata {}", of(resource)),
        Route::Copy(issuer) => format!("copy {issuer}"),
        Route::Health => "health".to_owned(),
        Route::SigningKeys => "keys".to_owned(),
        Route::NotFound => "none".to_owned(),
        Route::Protected(p) => format!("{} {}{}", of(p.resource()), p.rest(), p.query()),
    }
}

fn expect(resources: Value, rows: &[(&str, &str)]) {
    let config = config(&many(resources));
    for_each_row(rows, |(url, expected)| same(url, way(&config, url).as_str(), *expected));
}

#[test]
fn servers_of_one_host_are_told_apart_by_path() {
    let resources = json!([
        at("https://mcp.example.com/a"),
        at("https://mcp.example.com/a/b"),
        at("https://mcp.example.com/mcp/"),
    ]);
    let base = |path: &str| format!("https://mcp.example.com{path}");
    let rows = [
        ("/a", "https://mcp.example.com/a "),
        ("/a/", "https://mcp.example.com/a /"),
        ("/a/x", "https://mcp.example.com/a /x"),
        ("/a?q=/a/b", "https://mcp.example.com/a ?q=/a/b"),
        ("/a/b", "https://mcp.example.com/a/b "),
        ("/a/b/", "https://mcp.example.com/a/b /"),
        ("/a/b/x?y", "https://mcp.example.com/a/b /x?y"),
        ("/a/bc", "https://mcp.example.com/a /bc"),
        ("/a//b", "none"),
        ("/a/%62", "none"),
        ("/a/B", "none"),
        ("/a//c", "https://mcp.example.com/a //c"),
        ("/a/%63", "https://mcp.example.com/a /%63"),
        ("/ab", "none"),
        ("/a/../mcp", "none"),
        ("/a/b/../x", "none"),
        ("/a/b/%2e%2e/x", "none"),
        ("/a/..%2fmcp", "none"),
        ("/a/b;/..;/x", "none"),
        ("/mcp", "https://mcp.example.com/mcp/ "),
        ("/mcp/", "https://mcp.example.com/mcp/ "),
        ("/mcp/x", "https://mcp.example.com/mcp/ /x"),
        ("/mcpx", "none"),
        ("/", "none"),
        ("", "none"),
        ("/b", "none"),
        ("/healthz", "health"),
        ("/.well-known/mcp-edge-auth/jwks.json", "keys"),
        // Each its own document, at its own path form and below its endpoint; nobody's at the root.
        ("/.well-known/oauth-protected-resource/a", "metadata https://mcp.example.com/a"),
        ("/.well-known/oauth-protected-resource/a/", "metadata https://mcp.example.com/a"),
        ("/.well-known/oauth-protected-resource/a/b", "metadata https://mcp.example.com/a/b"),
        ("/.well-known/oauth-protected-resource/mcp", "metadata https://mcp.example.com/mcp/"),
        ("/.well-known/oauth-protected-resource/a/b/c", "none"),
        ("/.well-known/oauth-protected-resource", "none"),
        ("/.well-known/oauth-protected-resource/", "none"),
        ("/a/.well-known/oauth-protected-resource", "metadata https://mcp.example.com/a"),
        ("/a/b/.well-known/oauth-protected-resource", "metadata https://mcp.example.com/a/b"),
        ("/mcp/.well-known/oauth-protected-resource", "metadata https://mcp.example.com/mcp/"),
    ];
    let rows: Vec<(String, &str)> = rows.iter().map(|(path, way)| (base(path), *way)).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(url, way)| (url.as_str(), *way)).collect();
    expect(resources.clone(), &rows);
    // Whichever comes first.
    let mut reversed = resources.as_array().unwrap().clone();
    reversed.reverse();
    expect(json!(reversed), &rows);
}

#[test]
fn one_host_is_any_host() {
    // workers.dev beside a domain of one's own, a preview, loopback: as in the single form.
    let resources = json!([at("https://mcp.example.com/a"), at("https://MCP.example.com:443/b")]);
    for host in ["mcp.example.com", "x.workers.dev", "127.0.0.1:8787"] {
        expect(
            resources.clone(),
            &[
                (&format!("http://{host}/a"), "https://mcp.example.com/a "),
                (&format!("https://{host}/b/x"), "https://MCP.example.com:443/b /x"),
            ],
        );
    }
}

#[test]
fn several_hosts_must_be_met() {
    let resources = json!([
        at("https://One.example.com/mcp"),
        at("https://two.example.com/mcp"),
        with(at("https://two.example.com:8443/mcp"), json!({ "default": true })),
        with(at("https://two.example.com/other"), json!({ "default": true })),
        at("https://three.example.com"),
    ]);
    expect(
        resources,
        &[
            ("https://one.example.com/mcp", "https://One.example.com/mcp "),
            ("https://ONE.example.com/mcp/x", "https://One.example.com/mcp /x"),
            ("https://one.example.com:443/mcp", "https://One.example.com/mcp "),
            // TLS may end before the Worker.
            ("http://one.example.com/mcp", "https://One.example.com/mcp "),
            ("http://one.example.com:80/mcp", "https://One.example.com/mcp "),
            ("https://two.example.com/mcp", "https://two.example.com/mcp "),
            ("https://two.example.com:8443/mcp", "https://two.example.com:8443/mcp "),
            ("https://two.example.com:9443/mcp", "none"),
            ("https://two.example.com/other", "https://two.example.com/other "),
            ("https://one.example.com/other", "none"),
            ("https://two.example.com:8443/other", "none"),
            ("https://three.example.com/mcp", "https://three.example.com /mcp"),
            ("https://three.example.com", "https://three.example.com "),
            // No such host, and every way to write another.
            ("https://example.com/mcp", "none"),
            ("https://xone.example.com/mcp", "none"),
            ("https://one.example.com.evil.example/mcp", "none"),
            ("https://one.example.com./mcp", "none"),
            ("https://one.example.com@two.example.org/mcp", "none"),
            ("https://evil@one.example.com/mcp", "none"),
            ("https://one.example.com:8443/mcp", "none"),
            ("https://one.example.com:/mcp", "none"),
            ("https://one.example.com:443:443/mcp", "none"),
            ("https://one.example.com\\/mcp", "none"),
            ("https://x.workers.dev/mcp", "none"),
            ("http://127.0.0.1:8787/mcp", "none"),
            ("https:///mcp", "none"),
            ("/mcp", "none"),
            ("//one.example.com/mcp", "none"),
            // Not what follows it.
            ("https://x.example/one.example.com/mcp", "none"),
            ("https://x.example/mcp?https://one.example.com/mcp", "none"),
            ("https://x.example#@one.example.com/mcp", "none"),
            // The documents are the host's.
            (
                "https://one.example.com/.well-known/oauth-protected-resource/mcp",
                "metadata https://One.example.com/mcp",
            ),
            (
                "https://two.example.com/.well-known/oauth-protected-resource/mcp",
                "metadata https://two.example.com/mcp",
            ),
            ("https://one.example.com/.well-known/oauth-protected-resource/other", "none"),
            ("https://one.example.com/.well-known/oauth-protected-resource", "none"),
            (
                "https://two.example.com/.well-known/oauth-protected-resource",
                "metadata https://two.example.com/other",
            ),
            (
                "https://two.example.com:8443/.well-known/oauth-protected-resource",
                "metadata https://two.example.com:8443/mcp",
            ),
            (
                "https://three.example.com/.well-known/oauth-protected-resource",
                "metadata https://three.example.com",
            ),
            ("https://x.workers.dev/.well-known/oauth-protected-resource/mcp", "none"),
            // The Worker's own are everywhere.
            ("https://x.workers.dev/healthz", "health"),
            ("https://one.example.com/healthz", "health"),
            ("https://x.workers.dev/.well-known/mcp-edge-auth/jwks.json", "keys"),
        ],
    );
}

#[test]
fn a_server_without_path_has_what_no_other_has() {
    expect(
        json!([at("https://mcp.example.com/"), at("https://mcp.example.com/mcp")]),
        &[
            ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp "),
            ("https://mcp.example.com/mcp/x", "https://mcp.example.com/mcp /x"),
            ("https://mcp.example.com/mcpx", "https://mcp.example.com/ /mcpx"),
            ("https://mcp.example.com/", "https://mcp.example.com/ "),
            ("https://mcp.example.com/x/mcp", "https://mcp.example.com/ /x/mcp"),
            ("https://mcp.example.com/healthz", "health"),
            (
                "https://mcp.example.com/.well-known/oauth-protected-resource",
                "metadata https://mcp.example.com/",
            ),
            (
                "https://mcp.example.com/.well-known/oauth-protected-resource/",
                "metadata https://mcp.example.com/",
            ),
            (
                "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
                "metadata https://mcp.example.com/mcp",
            ),
            ("https://mcp.example.com/mcp/../x", "none"),
        ],
    );
}

#[test]
fn the_root_document_is_the_defaults() {
    let one = at("https://mcp.example.com/a");
    let other = at("https://mcp.example.com/b");
    let root = format!("https://mcp.example.com{DOCUMENT}");
    let copy = "https://mcp.example.com/.well-known/oauth-authorization-server";
    let default = |resource: &Value, value: Value| with(resource.clone(), json!({ "default": value }));
    let rows = [
        ("nobody's", json!([one, other]), "none"),
        ("the second's", json!([one, default(&other, json!(true))]), "metadata https://mcp.example.com/b"),
        ("as text", json!([default(&one, json!("true")), other]), "metadata https://mcp.example.com/a"),
        ("of one", json!([one]), "metadata https://mcp.example.com/a"),
        ("of one that is not", json!([default(&one, json!(false))]), "none"),
        (
            "of one with an empty text",
            json!([default(&one, json!(""))]),
            "metadata https://mcp.example.com/a",
        ),
    ];
    for_each_row(rows, |(name, resources, expected)| {
        let compatible = json!({ "MCP_SERVER_AUTH_COMPATIBILITY": "authorization-server-metadata" });
        let config = config(&with(many(resources.clone()), compatible));
        same(name, way(&config, &root).as_str(), *expected)?;
        let expected = if *expected == "none" { "none".to_owned() } else { format!("copy {ISSUER}") };
        same(name, way(&config, copy), expected)
    });
}
