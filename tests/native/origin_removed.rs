//! Which headers of a request do not go to the origin, and that all of them are looked at.

use mcp_edge_auth::origin::request::{asks_for_a_part, is_nominated, nominates};
use serde_json::json;

use crate::support::policy::POLICY;
use crate::support::{SERVERS, config, for_each_row, resource, same, settings, with};

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
        ("x.mcp.auth.user.id", true),
        ("X~MCP!Auth|User+Id", true),
        ("connection", true),
        ("Keep-Alive", true),
        ("keep_alive", true),
        ("te", true),
        ("trailer", true),
        ("Transfer_Encoding", true),
        ("transfer-encoding", false),
        ("Content_Length", true),
        ("h.ost", false),
        ("upgrade", true),
        ("http2-settings", true),
        ("proxy-connection", true),
        ("proxy-authorization", true),
        ("proxy-authenticate", true),
        ("expect", true),
        ("content-length", false),
        ("x-http-method-override", false),
        ("mcp_name", false),
        ("cookie", false),
        ("content-type", false),
        ("mcp-session-id", false),
        ("x-forwarded-for", false),
        ("", false),
    ];
    let config = config(&settings());
    for_each_row(rows, |(name, expected)| same(name, resource(&config).removes(name), *expected));
}

#[test]
fn headers_that_would_get_around_a_policy() {
    let rows = [
        ("X-HTTP-Method-Override", true),
        ("X_HTTP_Method_Override", true),
        ("x.http.method", true),
        ("x-http-method", true),
        ("X-Method_Override", true),
        ("x-http-methods", false),
        ("method", false),
        ("Mcp_Name", true),
        ("mcp.method", true),
        ("MCP_Protocol-Version", true),
        ("Content_Type", true),
        ("content.encoding", true),
        // What was judged itself goes on.
        ("Mcp-Name", false),
        ("mcp-method", false),
        ("MCP-Protocol-Version", false),
        ("content-type", false),
        ("Content-Encoding", false),
        ("content-length", false),
        ("mcp-param-region", false),
    ];
    let config = config(&with(settings(), json!({ POLICY: { "required_scopes": ["mcp"] } })));
    for_each_row(rows, |(name, expected)| same(name, resource(&config).removes(name), *expected));
}

/// Whether a pattern of `looked_at` finds a name.
fn finds(pattern: &str, name: &str) -> bool {
    let (starts, names) = pattern.strip_prefix("[^a-z0-9-]|^").unwrap().split_once("|^(?:").unwrap();
    let mut starts = starts.split("|^");
    let plain = |text: &str| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let mut names = names.strip_suffix(")$").unwrap().split('|');
    assert!(starts.clone().all(plain) && names.clone().all(plain), "{pattern} is of another form");
    !plain(name) || starts.any(|start| name.starts_with(start)) || names.any(|known| known == name)
}

/// All that may be removed is looked at, in every spelling.
#[test]
fn what_is_looked_at() {
    let own = json!({ "ORIGIN_HEADERS": { "X_Api.Key": "a", "Cookie": "b" } });
    let policy = json!({ POLICY: { "required_scopes": ["mcp"] } });
    let sessions =
        json!({ "MCP_SERVER_AUTH_BIND_SESSIONS": true, "MCP_SERVER_AUTH_SESSION_KEY": "k".repeat(43) });
    let known = [
        "authorization",
        "cf-access-",
        "cf-access-jwt-assertion",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "http2-settings",
        "if-range",
        "keep-alive",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "request-range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
        "x-http-method",
        "x-http-method-override",
        "x-mcp-auth-",
        "x-mcp-auth-user-id",
        "x-method-override",
    ];
    let access = json!({ SERVERS: [{
        "provider": "cloudflare-access", "team": "example", "expected_audiences": ["a"], "token_from": "cf-access",
    }] });
    let mut removed = 0;
    for changes in [json!({}), own, policy, sessions, access] {
        let config = config(&with(settings(), changes));
        let (resource, pattern) = (resource(&config), resource(&config).looked_at());
        let mut check = |name: &str| {
            let may_go = resource.removes(name) || asks_for_a_part(name);
            removed += usize::from(may_go);
            assert!(!may_go || finds(&pattern, name), "{name} is not found by {pattern}");
        };
        for name in known {
            check(name);
            for at in 0..name.len() {
                let (start, end) = (&name[..at], &name[at + 1..]);
                for other in ["", "-", "_", ".", " ", "X", "x", "~", "|", "1"] {
                    check(&[start, other, end].concat());
                    check(&[start, other, &name[at..]].concat());
                }
                check(&[start, &name[at..].to_uppercase()].concat());
            }
            check(&[name, "-"].concat());
        }
        for name in ["authorization", "connection", "upgrade"] {
            assert!(finds(&pattern, name), "{name}");
        }
        for name in
            ["accept", "accept-encoding", "content-type", "content-length", "host", "user-agent", "mcp-name"]
        {
            assert!(!finds(&pattern, name), "{name}");
        }
        assert_eq!(finds(&pattern, "mcp-session-id"), resource.binds_sessions);
        assert!(!resource.is_behind_access() || finds(&pattern, "cookie"));
    }
    assert!(removed > 1000, "{removed}");
}

#[test]
fn what_connection_names_beside_its_own() {
    let rows = [
        ("", false),
        ("close", false),
        ("Keep-Alive", false),
        ("keep_alive,\tUPGRADE", false),
        ("close, x-secret", true),
        ("x-secret", true),
        (" , ,x", true),
    ];
    for_each_row(rows, |(connection, expected)| same(connection, nominates(connection), *expected));
}

#[test]
fn what_connection_names() {
    let rows = [
        ("close", "close", true),
        ("keep-alive, X-Secret", "x-secret", true),
        ("X-Secret\t,keep-alive", "x-secret", true),
        ("x_secret", "x-secret", true),
        ("x-secrets", "x-secret", false),
        ("x secret", "secret", false),
        ("", "x-secret", false),
        ("content-length, transfer-encoding", "content-length", false),
        ("content-length, transfer-encoding", "transfer-encoding", false),
        ("content-type, mcp-method", "content-type", false),
        ("content-type, mcp-method", "Mcp-Method", false),
        ("mcp_method", "mcp_method", true),
    ];
    for_each_row(rows, |(connection, name, expected)| {
        same(connection, is_nominated(connection, name), *expected)
    });
}
