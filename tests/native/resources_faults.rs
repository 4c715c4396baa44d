//! Several MCP servers behind one Worker: every fault in them, and between them, named by its
//! place.

use mcp_edge_auth::fault::Fault;
use serde_json::{Value, json};

use crate::support::resources::{RESOURCES, at, many};
use crate::support::{entry, for_each_row, read, same, settings, with};

fn places(settings: &Value) -> Vec<String> {
    let faults: Vec<Fault> = read(settings).err().unwrap_or_default();
    faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
}

fn refused(rows: Vec<(&str, Value, &[&str])>) {
    for_each_row(rows, |(name, settings, expected)| {
        same(name, places(settings), expected.iter().map(|place| (*place).to_owned()).collect())
    });
}

#[test]
fn faults_of_the_array() {
    let a = || at("https://mcp.example.com/a");
    let b = || at("https://mcp.example.com/b");
    let set = |changes: Value| many(json!([a(), with(b(), changes)]));
    let beside = |changes: Value| with(many(json!([a(), b()])), changes);
    refused(vec![
        ("sound", many(json!([a(), b()])), &[]),
        ("no array", many(json!("a")), &[RESOURCES]),
        ("an object", many(a()), &[RESOURCES]),
        ("an empty array", many(json!([])), &[RESOURCES]),
        (
            "JSON with a member twice",
            many(json!(r#"[{"canonical_url":"https://a.example","canonical_url":"https://b.example"}]"#)),
            &[RESOURCES],
        ),
        (
            "no objects",
            many(json!([a(), "x", 1, null])),
            &["MCP_SERVER_AUTH_RESOURCES[1]", "MCP_SERVER_AUTH_RESOURCES[2]", "MCP_SERVER_AUTH_RESOURCES[3]"],
        ),
        (
            "nothing in it",
            many(json!([{}])),
            &["MCP_SERVER_AUTH_RESOURCES[0].canonical_url", "MCP_SERVER_AUTH_RESOURCES[0].origin_url"],
        ),
        (
            "no authorization server",
            json!({ RESOURCES: [a(), with(b(), json!({ "authorization_servers": [entry()] }))] }),
            &["MCP_SERVER_AUTH_RESOURCES[0].authorization_servers"],
        ),
        ("an unknown member", set(json!({ "polcy": {} })), &["MCP_SERVER_AUTH_RESOURCES[1].polcy"]),
        (
            "a name with its prefix",
            set(json!({ "MCP_SERVER_AUTH_POLICY": {} })),
            &["MCP_SERVER_AUTH_RESOURCES[1].MCP_SERVER_AUTH_POLICY"],
        ),
        ("an array in it", set(json!({ "resources": [] })), &["MCP_SERVER_AUTH_RESOURCES[1].resources"]),
        ("the whole Worker's", set(json!({ "cache_ttl": 60 })), &["MCP_SERVER_AUTH_RESOURCES[1].cache_ttl"]),
        ("the log's", set(json!({ "log_subject": true })), &["MCP_SERVER_AUTH_RESOURCES[1].log_subject"]),
        ("which lines it has", set(json!({ "log": "none" })), &["MCP_SERVER_AUTH_RESOURCES[1].log"]),
        ("names", set(json!({ "request_id": true })), &["MCP_SERVER_AUTH_RESOURCES[1].request_id"]),
        ("a secret", set(json!({ "session_key": "k" })), &["MCP_SERVER_AUTH_RESOURCES[1].session_key"]),
        ("another", set(json!({ "assertion_key": "k" })), &["MCP_SERVER_AUTH_RESOURCES[1].assertion_key"]),
        (
            "no canonical URL",
            set(json!({ "canonical_url": "<absent>" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].canonical_url"],
        ),
        (
            "none of that kind",
            set(json!({ "canonical_url": "http://mcp.example.com/b" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].canonical_url"],
        ),
        (
            "the Worker's own",
            set(json!({ "canonical_url": "https://mcp.example.com/healthz" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].canonical_url"],
        ),
        ("no origin", set(json!({ "origin_url": "" })), &["MCP_SERVER_AUTH_RESOURCES[1].origin_url"]),
        (
            "a query in it",
            set(json!({ "origin_url": "https://o.example?x" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_url"],
        ),
        (
            "an entry",
            set(json!({ "authorization_servers": [{ "issuer": 1 }] })),
            &[
                "MCP_SERVER_AUTH_RESOURCES[1].authorization_servers[0].authorization_server_url",
                "MCP_SERVER_AUTH_RESOURCES[1].authorization_servers[0].issuer",
            ],
        ),
        (
            "both forms",
            set(json!({ "authorization_servers": [entry()], "jwks_uri": "https://x.example/jwks" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].jwks_uri"],
        ),
        ("a piece of one", set(json!({ "audience": "x" })), &["MCP_SERVER_AUTH_RESOURCES[1].audience"]),
        (
            "a policy",
            set(json!({ "policy": { "rules": 1 } })),
            &["MCP_SERVER_AUTH_RESOURCES[1].policy.rules"],
        ),
        ("null", set(json!({ "policy": null })), &["MCP_SERVER_AUTH_RESOURCES[1].policy"]),
        ("no key", set(json!({ "assertion": "header" })), &["MCP_SERVER_AUTH_ASSERTION_KEY"]),
        ("no session key", set(json!({ "bind_sessions": true })), &["MCP_SERVER_AUTH_SESSION_KEY"]),
        (
            "forward said once",
            set(json!({ "origin_authorization": "forward" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_authorization"],
        ),
        (
            "no timeout",
            set(json!({ "origin_timeout_seconds": 0 })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_timeout_seconds"],
        ),
        ("no switch", set(json!({ "default": "yes" })), &["MCP_SERVER_AUTH_RESOURCES[1].default"]),
        ("no name", set(json!({ "binding": 1 })), &["MCP_SERVER_AUTH_RESOURCES[1].binding"]),
        ("no such binding", set(json!({ "binding": "X" })), &["MCP_SERVER_AUTH_RESOURCES[1].binding"]),
        (
            "no such binding and no URL",
            set(json!({ "binding": "X", "origin_url": "<absent>" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].binding"],
        ),
        (
            "no URL at all",
            set(json!({ "binding": "X", "origin_url": "<absent>", "canonical_url": "x" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].binding", "MCP_SERVER_AUTH_RESOURCES[1].canonical_url"],
        ),
        (
            "headers themselves",
            set(json!({ "origin_headers": { "X-A": "b" } })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"],
        ),
        (
            "any variable",
            set(json!({ "origin_headers": "MCP_SERVER_AUTH_SESSION_KEY" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"],
        ),
        (
            "no such secret",
            set(json!({ "origin_headers": "ORIGIN_HEADERS_B" })),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"],
        ),
        (
            "a canonical URL beside",
            beside(json!({ "MCP_SERVER_AUTH_CANONICAL_URL": "https://mcp.example.com" })),
            &["MCP_SERVER_AUTH_CANONICAL_URL"],
        ),
        (
            "in the other spelling",
            beside(json!({ "MCP_RESOURCE_SERVER_CANONICAL_URL": "https://mcp.example.com" })),
            &["MCP_RESOURCE_SERVER_CANONICAL_URL"],
        ),
        ("an origin beside", beside(json!({ "ORIGIN_URL": "https://o.example" })), &["ORIGIN_URL"]),
        (
            "an origin beside is nobody's",
            with(
                many(json!([with(a(), json!({ "origin_url": "<absent>" })), b()])),
                json!({ "ORIGIN_URL": "https://o.example" }),
            ),
            &["ORIGIN_URL", "MCP_SERVER_AUTH_RESOURCES[0].origin_url"],
        ),
        (
            "any variable as headers, though it is there",
            with(
                set(json!({ "origin_headers": "MCP_SERVER_AUTH_RESOURCE_NAME" })),
                json!({ "MCP_SERVER_AUTH_RESOURCE_NAME": "Files" }),
            ),
            &["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"],
        ),
        (
            "passing tokens on beside",
            beside(json!({ "ORIGIN_AUTHORIZATION": "remove", "allow_token_passthrough": true })),
            &["ORIGIN_AUTHORIZATION", "allow_token_passthrough"],
        ),
        (
            "headers that nobody names",
            beside(json!({ "ORIGIN_HEADERS": { "X-A": "b" } })),
            &["ORIGIN_HEADERS"],
        ),
        ("a variable named ORIGIN", beside(json!({ "ORIGIN": "https://o.example" })), &["ORIGIN"]),
        ("a slip beside", beside(json!({ "MCP_SERVER_AUTH_POLCY": "x" })), &["MCP_SERVER_AUTH_POLCY"]),
        (
            "what is shared and wrong, once",
            beside(json!({ "MCP_SERVER_AUTH_POLICY": 1, "MCP_SERVER_AUTH_CACHE_TTL": 1 })),
            &["MCP_SERVER_AUTH_CACHE_TTL", "MCP_SERVER_AUTH_POLICY"],
        ),
        (
            "empty ones beside are not set",
            beside(json!({ "MCP_SERVER_AUTH_CANONICAL_URL": "", "ORIGIN_URL": " " })),
            &[],
        ),
        ("empty headers beside", beside(json!({ "ORIGIN_HEADERS": "" })), &["ORIGIN_HEADERS"]),
        (
            "an empty policy beside, once",
            beside(json!({ "MCP_SERVER_AUTH_POLICY": " " })),
            &["MCP_SERVER_AUTH_POLICY"],
        ),
        (
            "named headers in the single form",
            with(settings(), json!({ "ORIGIN_HEADERS_B": "{}" })),
            &["ORIGIN_HEADERS_B"],
        ),
    ]);
}

#[test]
fn faults_of_the_headers_have_their_own_name() {
    let resource = with(at("https://mcp.example.com/a"), json!({ "origin_headers": "ORIGIN_HEADERS_A" }));
    let settings = with(many(json!([resource])), json!({ "ORIGIN_HEADERS_A": { "Host": "x" } }));
    assert_eq!(places(&settings), ["ORIGIN_HEADERS_A (header 1)"]);
}

#[test]
fn faults_between_resources() {
    let default = |canonical: &str| with(at(canonical), json!({ "default": true }));
    let two = |one: Value, other: Value| many(json!([one, other]));
    let same_place: &[&str] = &["MCP_SERVER_AUTH_RESOURCES[1].canonical_url"];
    let two_defaults: &[&str] = &["MCP_SERVER_AUTH_RESOURCES[1].default"];
    refused(vec![
        ("the same", two(at("https://a.example/mcp"), at("https://a.example/mcp")), same_place),
        ("a slash", two(at("https://a.example/mcp"), at("https://a.example/mcp/")), same_place),
        ("the root", two(at("https://a.example/"), at("https://a.example")), same_place),
        ("case of the host", two(at("https://a.example/mcp"), at("https://A.Example/mcp")), same_place),
        ("the default port", two(at("https://a.example/mcp"), at("https://a.example:443/mcp")), same_place),
        ("another scheme", two(at("http://127.0.0.1/mcp"), at("https://127.0.0.1/mcp")), same_place),
        (
            "an address in another notation",
            two(at("https://127.0.0.1/mcp"), at("https://0x7f.1/mcp")),
            same_place,
        ),
        ("a query", two(at("https://a.example/mcp"), at("https://a.example/mcp?x")), same_place),
        (
            "case of the path",
            two(
                at("https://a.example/mcp"),
                with(at("https://a.example/MCP"), json!({ "origin_url": "https://o.example" })),
            ),
            &[],
        ),
        ("another port", two(at("https://a.example/mcp"), at("https://a.example:8443/mcp")), &[]),
        ("another host", two(at("https://a.example/mcp"), at("https://b.example/mcp")), &[]),
        ("nested", two(at("https://a.example/mcp"), at("https://a.example/mcp/x")), &[]),
        (
            "another's document",
            two(
                at("https://a.example/mcp"),
                at("https://a.example/mcp/.well-known/oauth-protected-resource"),
            ),
            same_place,
        ),
        (
            "another's document, which comes later",
            two(
                at("https://a.example/mcp/.well-known/oauth-protected-resource"),
                at("https://a.example/mcp"),
            ),
            &["MCP_SERVER_AUTH_RESOURCES[0].canonical_url"],
        ),
        (
            "below another's document",
            two(
                at("https://a.example/mcp"),
                at("https://a.example/mcp/.well-known/oauth-protected-resource/x"),
            ),
            &[],
        ),
        (
            "another host's document",
            two(
                at("https://a.example/mcp"),
                at("https://b.example/mcp/.well-known/oauth-protected-resource"),
            ),
            &[],
        ),
        ("two defaults", two(default("https://a.example/1"), default("https://a.example/2")), two_defaults),
        ("two hosts, two defaults", two(default("https://a.example/1"), default("https://b.example/1")), &[]),
        (
            "a default beside the root",
            two(at("https://a.example/"), default("https://a.example/2")),
            two_defaults,
        ),
        (
            "the other way round",
            two(default("https://a.example/2"), at("https://a.example/")),
            &["MCP_SERVER_AUTH_RESOURCES[0].default"],
        ),
        ("both", two(default("https://a.example"), default("https://a.example/2")), two_defaults),
        ("the root is the default", two(at("https://a.example/2"), default("https://a.example")), &[]),
    ]);
    // A copy of the authorization server's metadata has paths, too.
    let copying = json!({ "MCP_SERVER_AUTH_COMPATIBILITY": "authorization-server-metadata" });
    let collides =
        two(at("https://a.example/mcp"), at("https://a.example/.well-known/oauth-authorization-server/mcp"));
    assert_eq!(places(&with(collides, copying)), same_place);
}
