//! Several MCP servers behind one Worker: which of them a URL leads to, what each gets of what stands beside them, and every fault between them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use mcp_edge_auth::config::{Config, Fault, KeySource, Resource};
use mcp_edge_auth::route::{Route, route};
use serde_json::{Value, json};
use support::{ISSUER, SERVERS, entry, for_each_row, read, same, settings, variables, with};

const RESOURCES: &str = "MCP_SERVER_AUTH_RESOURCES";

/// These resources, and one authorization server for all of them.
fn many(resources: Value) -> Value {
    json!({ SERVERS: [entry()], RESOURCES: resources })
}

/// A resource whose origin tells it from others.
fn at(canonical: &str) -> Value {
    let origin = canonical.split('?').next().unwrap().replace("https://", "http://origin.internal.example/");
    json!({ "canonical_url": canonical, "origin_url": origin })
}

fn config(settings: &Value) -> Config {
    support::config(settings)
}

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

fn places(settings: &Value) -> Vec<String> {
    let faults: Vec<Fault> = read(settings).err().unwrap_or_default();
    faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
}

fn refused(rows: Vec<(&str, Value, &[&str])>) {
    for_each_row(rows, |(name, settings, expected)| {
        same(name, places(settings), expected.iter().map(|place| (*place).to_owned()).collect())
    });
}

const DOCUMENT: &str = "/.well-known/oauth-protected-resource";

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
        ("/a//b", "https://mcp.example.com/a //b"),
        ("/a/%62", "https://mcp.example.com/a /%62"),
        ("/a/B", "https://mcp.example.com/a /B"),
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

#[test]
fn the_single_form_is_the_array_of_one() {
    let names = [
        ("CANONICAL_URL", "canonical_url"),
        ("AUTHORIZATION_SERVERS", "authorization_servers"),
        ("SCOPES_SUPPORTED", "scopes_supported"),
        ("DEFAULT_CHALLENGE_SCOPES", "default_challenge_scopes"),
        ("ALLOWED_ORIGINS", "allowed_origins"),
        ("POLICY", "policy"),
        ("ASSERTION", "assertion"),
        ("ASSERTION_CLAIMS", "assertion_claims"),
        ("ASSERTION_ISSUER", "assertion_issuer"),
        ("ASSERTION_AUDIENCE", "assertion_audience"),
        ("BIND_SESSIONS", "bind_sessions"),
        ("RESOURCE_NAME", "resource_name"),
        ("RESOURCE_DOCUMENTATION", "resource_documentation"),
        ("RESOURCE_POLICY_URI", "resource_policy_uri"),
        ("RESOURCE_TOS_URI", "resource_tos_uri"),
        ("LANDING_PAGE", "landing_page"),
        ("COMPATIBILITY", "compatibility"),
    ];
    let single = with(
        settings(),
        json!({
            "MCP_SERVER_AUTH_SCOPES_SUPPORTED": ["a", "b"],
            "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES": "a",
            "MCP_SERVER_AUTH_ALLOWED_ORIGINS": "",
            "MCP_SERVER_AUTH_POLICY": { "required_scopes": ["a"] },
            "MCP_SERVER_AUTH_ASSERTION": "header",
            "MCP_SERVER_AUTH_ASSERTION_CLAIMS": ["groups"],
            "MCP_SERVER_AUTH_ASSERTION_ISSUER": "issuer",
            "MCP_SERVER_AUTH_ASSERTION_AUDIENCE": ["origin"],
            "MCP_SERVER_AUTH_BIND_SESSIONS": true,
            "MCP_SERVER_AUTH_RESOURCE_NAME": "Files",
            "MCP_SERVER_AUTH_RESOURCE_DOCUMENTATION": "https://docs.example.com",
            "MCP_SERVER_AUTH_RESOURCE_POLICY_URI": "https://docs.example.com/policy",
            "MCP_SERVER_AUTH_RESOURCE_TOS_URI": "https://docs.example.com/tos",
            "MCP_SERVER_AUTH_LANDING_PAGE": false,
            "MCP_SERVER_AUTH_COMPATIBILITY": "authorization-server-metadata",
            "MCP_SERVER_AUTH_CACHE_TTL": 120,
            "MCP_SERVER_AUTH_SESSION_KEY": "0123456789abcdef0123456789abcdef",
            "ORIGIN_AUTHORIZATION": "forward",
            "allow_token_passthrough": true,
            "ORIGIN_HEADERS": { "X-A": "b" },
        }),
    );
    let single = with(single, json!({ "MCP_SERVER_AUTH_ALLOWED_ORIGINS": ["https://a.example"] }));
    let mut element = json!({
        "origin_url": single["ORIGIN_URL"],
        "origin_authorization": "forward",
        "allow_token_passthrough": true,
        "origin_headers": "ORIGIN_HEADERS",
    });
    let mut beside = json!({});
    for (name, value) in single.as_object().unwrap() {
        let member = names.iter().find(|(of, _)| name.strip_prefix("MCP_SERVER_AUTH_") == Some(of));
        match member {
            Some((_, member)) => element[*member] = value.clone(),
            None if element.get(name.to_lowercase()).is_some() && name != "ORIGIN_HEADERS" => {}
            None => beside[name] = value.clone(),
        }
    }
    assert_eq!(element.as_object().unwrap().len(), names.len() + 4, "every member");
    let key = json!({ "MCP_SERVER_AUTH_ASSERTION_KEY": support::es256::trusted().private_jwk() });
    let meaning = |settings: Value| format!("{:#?}", config(&with(settings, key.clone())));
    let expected = meaning(single);
    assert!(meaning(with(beside.clone(), json!({ RESOURCES: [element] }))) == expected);
    assert!(meaning(with(beside.clone(), json!({ RESOURCES: json!([element]).to_string() }))) == expected);
    assert!(meaning(with(beside, json!({ "MCP_RESOURCE_SERVER_RESOURCES": [element] }))) == expected);
}

#[test]
fn what_stands_beside_is_for_all_that_do_not_say_otherwise() {
    let config = config(&with(
        many(json!([
            at("https://mcp.example.com/a"),
            with(
                at("https://mcp.example.com/b"),
                json!({ "scopes_supported": "own", "policy": {}, "bind_sessions": false, "allowed_origins": "https://b.example" })
            ),
            with(at("https://mcp.example.com/c"), json!({ "scopes_supported": "", "policy": " " })),
        ])),
        json!({
            "MCP_RESOURCE_SERVER_SCOPES_SUPPORTED": "shared",
            "MCP_SERVER_AUTH_POLICY": { "required_scopes": ["shared"] },
            "MCP_SERVER_AUTH_SESSION_KEY": "0123456789abcdef0123456789abcdef",
        }),
    ));
    let [a, b, c] = config.resources.as_slice() else { panic!("three") };
    for (resource, scope) in [(a, "shared"), (b, "own"), (c, "shared")] {
        let scopes = format!(r#""scopes_supported":["{scope}"]"#);
        assert!(resource.metadata.as_deref().unwrap().contains(&scopes), "{resource:?}");
    }
    let demands = |resource: &Resource| resource.policy.as_ref().map_or(0, |p| p.required_scopes.len());
    assert_eq!((demands(a), demands(b), demands(c)), (1, 0, 1));
    assert_eq!((a.binds_sessions, b.binds_sessions, c.binds_sessions), (true, false, true));
    assert!(config.sessions.is_some());
    assert!(!b.allowed_origins.allows("https://c.example") && a.allowed_origins.allows("https://c.example"));
    // The audience is each one's own, and the key set is one.
    assert_eq!(a.entries[0].rules.audiences, ["https://mcp.example.com/a"]);
    assert_eq!(b.entries[0].rules.audiences, ["https://mcp.example.com/b"]);
    assert_eq!(config.sources, [KeySource::JwksUri(support::JWKS_URI.to_owned())]);
    assert!(config.resources.iter().all(|resource| resource.entries[0].source.index() == 0));
}

#[test]
fn each_may_have_authorization_servers_in_a_form_of_its_own() {
    let own = json!([{ "authorization_server_url": "https://own.example", "jwks_uri": support::JWKS_URI }]);
    let single =
        json!({ "jwks_uri": "https://x.example/jwks", "issuer": "https://x.example", "audience": "c" });
    let config = config(&many(json!([
        at("https://mcp.example.com/a"),
        with(at("https://mcp.example.com/b"), json!({ "authorization_servers": own })),
        with(at("https://mcp.example.com/c"), single),
    ])));
    let issuers: Vec<&str> = config.resources.iter().map(|r| r.entries[0].rules.issuer.as_str()).collect();
    assert_eq!(issuers, [ISSUER, "https://own.example", "https://x.example"]);
    assert_eq!(config.sources.len(), 2, "one key set for one jwks_uri, whoever asks for it");
    assert!(config.resources[2].metadata.is_none() && config.resources[1].metadata.is_some());
    // The single-issuer form beside them, and an audience for each.
    let beside = json!({ "MCP_SERVER_AUTH_JWKS_URI": "https://x.example/jwks", "MCP_SERVER_AUTH_ISSUER": "https://x.example" });
    let resources = json!([
        with(at("https://mcp.example.com/a"), json!({ "audience": "a" })),
        with(at("https://mcp.example.com/b"), json!({ "audience": ["b"] })),
        with(at("https://mcp.example.com/c"), json!({ "authorization_servers": [entry()] })),
    ]);
    let config = support::config(&with(beside, json!({ RESOURCES: resources })));
    let audiences: Vec<&str> =
        config.resources.iter().map(|r| r.entries[0].rules.audiences[0].as_str()).collect();
    assert_eq!(audiences, ["a", "b", "https://mcp.example.com/c"]);
}

#[test]
fn bindings_and_headers_are_named() {
    let named = json!([
        json!({ "canonical_url": "https://mcp.example.com/a?x=1", "binding": "FILES" }),
        with(
            at("https://mcp.example.com/b"),
            json!({ "binding": "ISSUES", "origin_headers": "ORIGIN_HEADERS_ISSUES" })
        ),
        at("https://mcp.example.com/c"),
    ]);
    let secret = json!({ "ORIGIN_HEADERS_ISSUES": { "X-Secret": "s" } });
    let bound = |settings: &Value, names: &[&str]| {
        variables(settings).with_bindings(names.iter().map(|name| (*name).to_owned()))
    };
    let settings = with(many(named.clone()), secret);
    let config = Config::read(&bound(&settings, &["FILES", "ISSUES", "OTHER"])).unwrap();
    let bindings: Vec<Option<&str>> = config.resources.iter().map(|r| r.binding.as_deref()).collect();
    assert_eq!(bindings, [Some("FILES"), Some("ISSUES"), None]);
    assert_eq!(
        config.resources[0].origin_url, "https://mcp.example.com/a",
        "without another, what was asked for"
    );
    let headers: Vec<&str> = config.resources.iter().map(|r| r.delivery.headers_text()).collect();
    assert_eq!(headers, ["", "X-Secret\ns", ""]);
    let faults = |settings: &Value, names: &[&str]| -> Vec<String> {
        let faults = Config::read(&bound(settings, names)).err().unwrap_or_default();
        faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
    };
    assert_eq!(faults(&settings, &["ISSUES"]), ["MCP_SERVER_AUTH_RESOURCES[0].binding"]);
    // One that nobody is said to be reached by: whose is it?
    assert_eq!(faults(&settings, &["FILES", "ISSUES", "ORIGIN"]), ["ORIGIN"]);
    let plain = support::settings();
    let single = Config::read(&bound(&plain, &["ORIGIN"])).unwrap();
    assert_eq!(single.resources[0].binding.as_deref(), Some("ORIGIN"));
    assert_eq!(Config::read(&bound(&plain, &["OTHER"])).unwrap().resources[0].binding, None);
    let of_one = many(json!([with(at("https://mcp.example.com/a"), json!({ "binding": "ORIGIN" }))]));
    assert_eq!(
        Config::read(&bound(&of_one, &["ORIGIN"])).unwrap().resources[0].binding.as_deref(),
        Some("ORIGIN")
    );
    // A secret that is not here is asked for where it cannot be seen, and missed where it can.
    let without = many(named);
    assert_eq!(faults(&without, &["FILES", "ISSUES"]), ["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"]);
    let seen = Config::read(&bound(&without, &["FILES", "ISSUES"]).without_secrets()).unwrap();
    assert_eq!(seen.unseen_secrets, ["ORIGIN_HEADERS_ISSUES"]);
    let secrets: Vec<String> = variables(&settings).secrets().map(str::to_owned).collect();
    assert_eq!(secrets, ["ORIGIN_HEADERS_ISSUES"]);
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
            beside(json!({ "MCP_SERVER_AUTH_CANONICAL_URL": "", "ORIGIN_URL": " ", "ORIGIN_HEADERS": "" })),
            &[],
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
        ("case of the path", two(at("https://a.example/mcp"), at("https://a.example/MCP")), &[]),
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

#[test]
fn a_token_that_opens_two_servers_is_warned_of() {
    let warnings = |settings: Value| -> Vec<String> {
        config(&settings).warnings.iter().map(ToString::to_string).collect()
    };
    let (a, b) = (at("https://mcp.example.com/a"), at("https://mcp.example.com/b"));
    assert_eq!(warnings(many(json!([a, b]))), Vec::<String>::new());
    let entry_for = |audience: &str| json!({ "authorization_servers": [with(entry(), json!({ "expected_audiences": [audience] }))] });
    let own = |audience: &str| many(json!([a, with(b.clone(), entry_for(audience))]));
    let expected = format!(
        "MCP_SERVER_AUTH_RESOURCES[1]: takes tokens of {ISSUER} for https://mcp.example.com/a/, as https://mcp.example.com/a does: whoever gets one for the one server can use it at the other"
    );
    assert_eq!(warnings(own("https://mcp.example.com/a/")), [expected]);
    assert_eq!(warnings(own("https://mcp.example.com/c")), Vec::<String>::new());
    // Another issuer with the same audience has other tokens.
    let other = json!({ "authorization_servers": [{ "authorization_server_url": "https://other.example", "expected_audiences": ["https://mcp.example.com/a"] }] });
    assert_eq!(warnings(many(json!([a, with(b.clone(), other)]))), Vec::<String>::new());
    // The same for assertions, whose audience is the origin unless set.
    let key = json!({ "MCP_SERVER_AUTH_ASSERTION": "header", "MCP_SERVER_AUTH_ASSERTION_KEY": support::es256::trusted().private_jwk() });
    assert_eq!(warnings(with(many(json!([a, b])), key.clone())), Vec::<String>::new());
    let shared = with(key, json!({ "MCP_SERVER_AUTH_ASSERTION_AUDIENCE": "all" }));
    assert!(
        warnings(with(many(json!([a, b])), shared))[0].contains("the one origin can show them to the other")
    );
}

#[test]
fn warnings_say_where() {
    let settings = many(json!([
        at("https://mcp.example.com/a"),
        with(
            at("https://mcp.example.com/b"),
            json!({ "policy": { "required_scopes": ["x"] }, "scopes_supported": "offline_access" })
        ),
    ]));
    let warnings = config(&settings).warnings;
    let places: Vec<String> = warnings.iter().map(|w| format!("{}{}", w.variable, w.field)).collect();
    assert_eq!(
        places,
        [
            "MCP_SERVER_AUTH_RESOURCES[1].scopes_supported",
            "MCP_SERVER_AUTH_RESOURCES[1].default_challenge_scopes"
        ]
    );
}
