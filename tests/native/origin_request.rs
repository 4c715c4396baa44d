//! Where a permitted request goes, to the byte, and which of its headers do not go with it.

use mcp_edge_auth::origin::request::{names_websocket, opens_websocket, plan, relocated};
use mcp_edge_auth::policy::{self, Authorized, Policy, PolicyInput};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::route::{Route, route};
use serde_json::json;

use crate::support::engine::cleared;
use crate::support::es256::trusted;
use crate::support::policy::{POLICY, at_once, posted};
use crate::support::{self, config, for_each_row, resource, same, settings, with};

fn clearance() -> Authorized {
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
        Route::Protected(protected) => plan(&clearance(), protected.target()).target,
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
fn redirects_of_the_origin() {
    const MCP: &str = "https://mcp.example.com/mcp";
    // Canonical URL, ORIGIN_URL, where the origin redirects to, where the client is sent.
    let rows = [
        (MCP, "https://o.example/srv", "https://o.example/srv", Some("https://mcp.example.com/mcp")),
        (MCP, "https://o.example/srv", "https://o.example/srv/", Some("https://mcp.example.com/mcp/")),
        (MCP, "https://o.example/srv/", "https://o.example/srv/", Some("https://mcp.example.com/mcp")),
        (MCP, "https://o.example/srv/", "https://o.example/srv", Some("https://mcp.example.com/mcp")),
        (
            MCP,
            "https://o.example/srv",
            "https://o.example/srv/a?b#c",
            Some("https://mcp.example.com/mcp/a?b#c"),
        ),
        (MCP, "https://o.example/srv", "https://o.example/srv?b", Some("https://mcp.example.com/mcp?b")),
        (MCP, "https://o.example/", "https://o.example/a", Some("https://mcp.example.com/mcp/a")),
        (MCP, "http://10.0.0.5:3000/srv", "http://10.0.0.5:3000/srv/", Some("https://mcp.example.com/mcp/")),
        // TLS ends before the origin, which says http.
        (MCP, "https://o.example/srv", "http://o.example/srv/", Some("https://mcp.example.com/mcp/")),
        (
            "https://mcp.example.com",
            "https://o.example/srv",
            "https://o.example/srv/x",
            Some("https://mcp.example.com/x"),
        ),
        (
            "https://mcp.example.com/mcp/",
            "https://o.example/srv",
            "https://o.example/srv",
            Some("https://mcp.example.com/mcp/"),
        ),
        // Elsewhere.
        (MCP, "https://o.example/srv", "https://o.example/srvx", None),
        (MCP, "https://o.example/srv", "https://o.example/", None),
        (MCP, "https://o.example/srv", "https://o.example:8443/srv", None),
        (MCP, "https://o.example/srv", "https://other.example/srv", None),
        (MCP, "https://o.example/srv", "https://o.example.evil.example/srv", None),
        (MCP, "https://o.example/srv", "https://user@o.example/srv", None),
        (MCP, "https://o.example/srv", "ftp://o.example/srv", None),
        (MCP, "https://o.example/srv", "data:text/plain,https://o.example/srv", None),
        (MCP, "https://o.example/srv", "", None),
    ];
    for_each_row(rows, |&(canonical, origin, location, expected)| {
        let audiences = json!([{ "authorization_server_url": support::ISSUER }]);
        let changes = json!({ support::CANONICAL_URL: canonical, support::SERVERS: audiences });
        let config = config(&with(settings(), changes));
        let public = relocated(resource(&config).canonical.public(), origin, location);
        same(&format!("{location} of {origin} at {canonical}"), public.as_deref(), expected)
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
    assert_eq!(plan(&clearance, protected.target()).headers, permit.identity().headers_text());
}

#[test]
fn upgrades() {
    let rows = [
        ("websocket", true),
        ("WebSocket", true),
        ("websocket ", true),
        ("\twebsocket", true),
        ("websocket/13", true),
        ("h2c, websocket", true),
        ("websocket,h2c", true),
        ("h2c, , WEBSOCKET / 13", true),
        ("h2c", false),
        ("websockets", false),
        ("x-websocket", false),
        ("TLS/1.0, HTTP/1.1", false),
        ("", false),
    ];
    for_each_row(rows, |(upgrade, expected)| same(upgrade, names_websocket(upgrade), *expected));
}

#[test]
fn a_websocket_is_opened_by_a_get_of_somebody() {
    let nobody = policy::authorize(
        Some(&anonymous_policy()),
        None,
        &PolicyInput::Body(posted(Some(br#"{"id":1,"method":"ping"}"#))),
    );
    let (user, nobody) = (clearance(), at_once(nobody.1.unwrap()));
    let refused = Err(Refusal::UpgradeNotAllowed);
    for (method, clearance, upgrade, expected) in [
        ("GET", &user, Some("websocket"), Ok(true)),
        ("GET", &user, Some("WebSocket"), Ok(true)),
        // Not what the runtime takes for one: it goes out as a plain request.
        ("GET", &user, Some("h2c, websocket"), Ok(false)),
        ("GET", &user, Some("websocket "), Ok(false)),
        ("GET", &nobody, Some("websocket"), refused),
        ("GET", &nobody, Some("h2c, websocket"), refused),
        ("GET", &user, Some("h2c"), Ok(false)),
        ("GET", &user, None, Ok(false)),
        ("POST", &user, None, Ok(false)),
        ("POST", &user, Some("h2c"), Ok(false)),
        ("POST", &nobody, Some("h2c"), Ok(false)),
        ("POST", &user, Some("websocket"), refused),
        ("POST", &user, Some("h2c, websocket"), refused),
        ("POST", &nobody, Some("websocket"), refused),
        ("HEAD", &user, Some("websocket"), refused),
        ("DELETE", &user, Some("websocket"), refused),
        ("get", &user, Some("websocket"), refused),
    ] {
        assert_eq!(opens_websocket(method, clearance, upgrade), expected, "{method} {upgrade:?}");
    }
}

fn anonymous_policy() -> Policy {
    let config = config(&with(settings(), json!({ POLICY: { "anonymous_methods": ["ping"] } })));
    resource(&config).policy.clone().unwrap()
}
