//! Several MCP servers behind one Worker: what each gets of what stands beside them, and what is
//! warned of.

use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::resource::Resource;
use serde_json::{Value, json};

use crate::support::resources::{RESOURCES, at, many};
use crate::support::{self, ISSUER, config, entry, settings, variables, with};

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
        ("ORIGIN_TIMEOUT_SECONDS", "origin_timeout_seconds"),
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
            "ORIGIN_TIMEOUT_SECONDS": 5,
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
        let member =
            names.iter().find(|(of, _)| name.strip_prefix("MCP_SERVER_AUTH_").unwrap_or(name) == *of);
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
            with(at("https://mcp.example.com/c"), json!({ "scopes_supported": "" })),
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
    let config = mcp_edge_auth::settings::read(&bound(&settings, &["FILES", "ISSUES", "OTHER"])).unwrap();
    let bindings: Vec<Option<&str>> = config.resources.iter().map(|r| r.binding.as_deref()).collect();
    assert_eq!(bindings, [Some("FILES"), Some("ISSUES"), None]);
    assert_eq!(
        config.resources[0].origin_url, "https://mcp.example.com/a",
        "without another, what was asked for"
    );
    let headers: Vec<&str> = config.resources.iter().map(|r| r.delivery.headers_text()).collect();
    assert_eq!(headers, ["", "X-Secret\ns", ""]);
    let faults = |settings: &Value, names: &[&str]| -> Vec<String> {
        let faults = mcp_edge_auth::settings::read(&bound(settings, names)).err().unwrap_or_default();
        faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
    };
    assert_eq!(faults(&settings, &["ISSUES"]), ["MCP_SERVER_AUTH_RESOURCES[0].binding"]);
    // One that nobody is said to be reached by: whose is it?
    assert_eq!(faults(&settings, &["FILES", "ISSUES", "ORIGIN"]), ["ORIGIN"]);
    let plain = support::settings();
    let single = mcp_edge_auth::settings::read(&bound(&plain, &["ORIGIN"])).unwrap();
    assert_eq!(single.resources[0].binding.as_deref(), Some("ORIGIN"));
    assert_eq!(mcp_edge_auth::settings::read(&bound(&plain, &["OTHER"])).unwrap().resources[0].binding, None);
    let of_one = many(json!([with(at("https://mcp.example.com/a"), json!({ "binding": "ORIGIN" }))]));
    assert_eq!(
        mcp_edge_auth::settings::read(&bound(&of_one, &["ORIGIN"])).unwrap().resources[0].binding.as_deref(),
        Some("ORIGIN")
    );
    // A secret that is not here is asked for where it cannot be seen, and missed where it can.
    let without = many(named);
    assert_eq!(faults(&without, &["FILES", "ISSUES"]), ["MCP_SERVER_AUTH_RESOURCES[1].origin_headers"]);
    let seen =
        mcp_edge_auth::settings::read(&bound(&without, &["FILES", "ISSUES"]).without_secrets()).unwrap();
    assert_eq!(seen.unseen_secrets, ["ORIGIN_HEADERS_ISSUES"]);
    let secrets: Vec<String> = variables(&settings).secrets().map(str::to_owned).collect();
    assert_eq!(secrets, ["ORIGIN_HEADERS_ISSUES"]);
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

#[test]
fn headers_are_those_of_whom_names_them() {
    let named = with(at("https://mcp.example.com/b"), json!({ "origin_headers": "ORIGIN_HEADERS" }));
    let resources = json!([at("https://mcp.example.com/a"), named]);
    let config = config(&with(many(resources), json!({ "ORIGIN_HEADERS": { "X-Secret": "s" } })));
    let headers: Vec<&str> = config.resources.iter().map(|r| r.delivery.headers_text()).collect();
    assert_eq!(headers, ["", "X-Secret\ns"]);
}

#[test]
fn keys_are_there_if_any_of_them_wants_them() {
    let off = json!({ "bind_sessions": false, "assertion": "off" });
    let beside = json!({
        "MCP_SERVER_AUTH_ASSERTION": "header",
        "MCP_SERVER_AUTH_ASSERTION_KEY": support::es256::trusted().private_jwk(),
        "MCP_SERVER_AUTH_SESSION_KEY": "0123456789abcdef0123456789abcdef",
    });
    let (a, b) = (at("https://mcp.example.com/a"), at("https://mcp.example.com/b"));
    let both_off = json!([with(a.clone(), off.clone()), with(b.clone(), off.clone())]);
    let none = config(&with(many(both_off), beside.clone()));
    assert!(none.sessions.is_none() && none.signing.is_none());
    for resources in [json!([with(a.clone(), off.clone()), b]), json!([a, with(b.clone(), off)])] {
        let one = config(&with(many(resources), beside.clone()));
        assert!(one.sessions.is_some() && one.signing.is_some());
        let on: Vec<bool> = one.resources.iter().map(|r| r.binds_sessions && r.assertion.is_some()).collect();
        assert_eq!(on.iter().filter(|on| **on).count(), 1);
    }
}
