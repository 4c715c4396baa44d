//! Where a permitted request goes, to the byte, and which of its headers do not go with it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use mcp_edge_auth::forward::{is_override, is_removed, plan};
use mcp_edge_auth::policy::Clearance;
use mcp_edge_auth::route::{Route, route};
use serde_json::json;
use support::engine::cleared;
use support::es256::trusted;
use support::{config, for_each_row, resource, same, settings, with};

fn clearance() -> Clearance {
    let config = config(&settings());
    cleared(resource(&config), &trusted().good(), &trusted().key_set())
}

/// The target of a request.
fn target(canonical: &str, origin: &str, request: &str) -> String {
    let audiences = json!([{ "authorization_server_url": support::ISSUER }]);
    let changes =
        json!({ support::CANONICAL_URL: canonical, support::SERVERS: audiences, "ORIGIN_URL": origin });
    let config = config(&with(settings(), changes));
    match route(&config, request) {
        Route::Protected(protected) => plan(&clearance(), &protected).target,
        other => panic!("{request} is not forwarded: {other:?}"),
    }
}

#[test]
fn targets() {
    const MCP: &str = "https://mcp.example/mcp";
    const ROOT: &str = "https://mcp.example";
    // Canonical URL, ORIGIN_URL, request, target.
    let rows = [
        // The canonical path is replaced by the origin's.
        (MCP, "https://o.example/srv", "https://mcp.example/mcp", "https://o.example/srv"),
        (MCP, "https://o.example/mcp", "https://mcp.example/mcp", "https://o.example/mcp"),
        (MCP, "https://o.example/a/b", "https://mcp.example/mcp", "https://o.example/a/b"),
        (MCP, "https://o.example", "https://mcp.example/mcp", "https://o.example"),
        (MCP, "https://o.example/", "https://mcp.example/mcp", "https://o.example/"),
        (MCP, "http://10.0.0.5:3000/srv", "https://mcp.example/mcp", "http://10.0.0.5:3000/srv"),
        (MCP, "http://[fd00::1]:3000/srv", "https://mcp.example/mcp/x", "http://[fd00::1]:3000/srv/x"),
        // What follows it stays, a trailing slash too.
        (MCP, "https://o.example/srv", "https://mcp.example/mcp/", "https://o.example/srv/"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp/x", "https://o.example/srv/x"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp/x/", "https://o.example/srv/x/"),
        (MCP, "https://o.example/srv/", "https://mcp.example/mcp", "https://o.example/srv/"),
        (MCP, "https://o.example/srv/", "https://mcp.example/mcp/", "https://o.example/srv/"),
        (MCP, "https://o.example/srv/", "https://mcp.example/mcp/x", "https://o.example/srv/x"),
        (MCP, "https://o.example", "https://mcp.example/mcp/", "https://o.example/"),
        (MCP, "https://o.example", "https://mcp.example/mcp/x", "https://o.example/x"),
        (MCP, "https://o.example/", "https://mcp.example/mcp/x", "https://o.example/x"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp//x", "https://o.example/srv//x"),
        (
            MCP,
            "https://o.example",
            "https://mcp.example/mcp//evil.example/x",
            "https://o.example//evil.example/x",
        ),
        (
            MCP,
            "https://o.example/",
            "https://mcp.example/mcp//evil.example/x",
            "https://o.example//evil.example/x",
        ),
        (
            MCP,
            "https://o.example",
            "https://mcp.example/mcp/@evil.example",
            "https://o.example/@evil.example",
        ),
        (MCP, "https://o.example", "https://mcp.example/mcp/:80/x", "https://o.example/:80/x"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp/mcp", "https://o.example/srv/mcp"),
        (
            MCP,
            "https://o.example/srv",
            "https://mcp.example/mcp/a%20b%2Fc",
            "https://o.example/srv/a%20b%2Fc",
        ),
        // The query stays as it is, and decides nothing.
        (
            MCP,
            "https://o.example/srv",
            "https://mcp.example/mcp?a=1&b=%20",
            "https://o.example/srv?a=1&b=%20",
        ),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp/?a=1", "https://o.example/srv/?a=1"),
        (
            MCP,
            "https://o.example/srv",
            "https://mcp.example/mcp/x?a=/../y",
            "https://o.example/srv/x?a=/../y",
        ),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp?", "https://o.example/srv?"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp?a?b", "https://o.example/srv?a?b"),
        (MCP, "https://o.example", "https://mcp.example/mcp?a=1", "https://o.example?a=1"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp?a=1#f", "https://o.example/srv?a=1"),
        (MCP, "https://o.example/srv", "https://mcp.example/mcp#f", "https://o.example/srv"),
        (
            MCP,
            "https://o.example/srv",
            "https://mcp.example/mcp?access_token=t",
            "https://o.example/srv?access_token=t",
        ),
        // The host is not ours to judge: the platform routed the request here.
        (MCP, "https://o.example/srv", "https://preview.workers.example/mcp/x", "https://o.example/srv/x"),
        // A canonical URL without path: all is below it.
        (ROOT, "https://o.example/srv", "https://mcp.example/", "https://o.example/srv"),
        (ROOT, "https://o.example/srv", "https://mcp.example", "https://o.example/srv"),
        (ROOT, "https://o.example/srv", "https://mcp.example/x", "https://o.example/srv/x"),
        (ROOT, "https://o.example", "https://mcp.example/", "https://o.example"),
        (ROOT, "https://o.example", "https://mcp.example/x?y", "https://o.example/x?y"),
        (ROOT, "https://o.example", "https://mcp.example//x", "https://o.example//x"),
        ("https://mcp.example/", "https://o.example/srv", "https://mcp.example/", "https://o.example/srv"),
        ("https://mcp.example/", "https://o.example/srv", "https://mcp.example/x", "https://o.example/srv/x"),
        // A canonical URL that ends in a slash, and a deep one.
        (
            "https://mcp.example/mcp/",
            "https://o.example/srv",
            "https://mcp.example/mcp/",
            "https://o.example/srv",
        ),
        (
            "https://mcp.example/mcp/",
            "https://o.example/srv",
            "https://mcp.example/mcp",
            "https://o.example/srv",
        ),
        (
            "https://mcp.example/mcp/",
            "https://o.example/srv",
            "https://mcp.example/mcp/x",
            "https://o.example/srv/x",
        ),
        (
            "https://mcp.example/a/b",
            "https://o.example/srv",
            "https://mcp.example/a/b/c",
            "https://o.example/srv/c",
        ),
        (
            "https://mcp.example/v1.2/mcp",
            "https://o.example/srv",
            "https://mcp.example/v1.2/mcp/x",
            "https://o.example/srv/x",
        ),
    ];
    for_each_row(rows, |&(canonical, origin, request, expected)| {
        same(
            &format!("{request} of {canonical} at {origin}"),
            target(canonical, origin, request).as_str(),
            expected,
        )
    });
}

#[test]
fn a_plan_carries_the_identity() {
    let config = config(&settings());
    let clearance = clearance();
    let Route::Protected(protected) = route(&config, support::CANONICAL) else {
        panic!("the canonical URL is protected")
    };
    let permit = clearance.verified().unwrap().permit();
    assert_eq!(plan(&clearance, &protected).headers, permit.identity().headers_text());
}

#[test]
fn removed_headers() {
    let rows = [
        ("authorization", true),
        ("Authorization", true),
        ("AUTHORIZATION", true),
        ("x-mcp-auth-user-id", true),
        ("X-MCP-Auth-Anything", true),
        ("x_mcp_auth_user_id", true),
        ("authorization-x", false),
        ("x-authorization", false),
        ("proxy-authorization", false),
        ("cookie", false),
        ("content-type", false),
        ("mcp-session-id", false),
        ("x-forwarded-for", false),
        ("", false),
    ];
    let config = config(&settings());
    for_each_row(rows, |(name, expected)| same(name, is_removed(resource(&config), name), *expected));
}

#[test]
fn headers_that_name_another_method() {
    let rows = [
        ("X-HTTP-Method-Override", true),
        ("x-http-method", true),
        ("X-Method-Override", true),
        ("x-http-methods", false),
        ("method", false),
    ];
    for_each_row(rows, |(name, expected)| same(name, is_override(name), *expected));
}
