//! Sound settings in every form: both spellings, JSON values and JSON text, defaults, shared key
//! sources, the summary.

use mcp_edge_auth::http::cors::AllowedOrigins;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::logging::Logging;
use mcp_edge_auth::settings::is_ours;
use serde_json::{Value, json};

use crate::support::{
    self, CANONICAL, ISSUER, JWKS_URI, ORIGIN, config, entry, for_each_row, head, read, resource, same,
    settings, single_issuer_settings, with, with_entries,
};

/// The settings without what is not required.
fn least() -> Value {
    with_entries(json!([{ "authorization_server_url": ISSUER }]))
}

#[test]
fn defaults() {
    let config = config(&least());
    let resource = resource(&config);
    let entry = &resource.entries[0];
    assert_eq!(config.sources, [KeySource::Discovery(ISSUER.to_owned())]);
    assert_eq!((config.cache_ttl, config.log_subject, config.resources.len()), (3600, false, 1));
    assert_eq!((config.logging, config.request_ids), (Logging::ALL, false));
    assert_eq!(resource.canonical.as_str(), CANONICAL);
    assert_eq!(resource.origin_url, ORIGIN);
    assert_eq!(resource.allowed_origins, AllowedOrigins::Any { null: false });
    assert_eq!(entry.authorization_server_url.as_deref(), Some(ISSUER));
    assert_eq!(entry.source.index(), 0);
    assert_eq!(entry.algorithms, [Algorithm::RS256]);
    let rules = &entry.rules;
    assert_eq!((rules.issuer.as_str(), rules.audiences.as_slice()), (ISSUER, &[CANONICAL.to_owned()][..]));
    assert_eq!([rules.verify_exp, rules.verify_nbf, rules.verify_iat, rules.verify_iss], [true; 4]);
    assert_eq!(rules.leeway, 60);
    let metadata = resource.metadata.as_deref().unwrap();
    assert!(!metadata.contains("scopes_supported"));
    let refused = support::decided(&config, &head("GET", CANONICAL));
    assert!(!refused.answer().header("WWW-Authenticate").unwrap().contains("scope="));
}

#[test]
fn the_single_issuer_form() {
    let plain = config(&single_issuer_settings());
    let entry = &resource(&plain).entries[0];
    assert_eq!(plain.sources, [KeySource::JwksUri(JWKS_URI.to_owned())]);
    assert_eq!(
        (entry.authorization_server_url.as_deref(), entry.algorithms.as_slice()),
        (None, &[Algorithm::RS256][..])
    );
    assert_eq!((entry.rules.issuer.as_str(), &entry.rules.audiences), (ISSUER, &vec![CANONICAL.to_owned()]));
    assert_eq!(
        [entry.rules.verify_exp, entry.rules.verify_nbf, entry.rules.verify_iat, entry.rules.verify_iss],
        [true; 4]
    );
    assert_eq!(entry.rules.leeway, 60);
    assert_eq!(resource(&plain).metadata, None);
    let challenge = support::decided(&plain, &head("GET", CANONICAL));
    assert_eq!(challenge.answer().header("WWW-Authenticate"), Some("Bearer"));
    let many = config(&with(
        single_issuer_settings(),
        json!({
            "MCP_SERVER_AUTH_ISSUER": ["https://a.example", "https://b.example"],
            "MCP_SERVER_AUTH_AUDIENCE": ["one", "two"],
            "MCP_SERVER_AUTH_ALGORITHM": ["ES256", "EdDSA"],
        }),
    ));
    let issuers: Vec<&str> = resource(&many).entries.iter().map(|e| e.rules.issuer.as_str()).collect();
    assert_eq!(issuers, ["https://a.example", "https://b.example"]);
    for entry in &resource(&many).entries {
        assert_eq!((entry.source.index(), many.sources.len()), (0, 1), "one key set, fetched once");
        assert_eq!(entry.rules.audiences, ["one", "two"]);
        assert_eq!(entry.algorithms, [Algorithm::ES256, Algorithm::EdDSA]);
    }
}

/// What the settings come to, to compare two ways of writing them.
fn meaning(settings: &Value) -> String {
    format!("{:#?}", config(settings))
}

#[test]
fn spellings_and_forms_mean_the_same() {
    let rename = |settings: &Value, prefix: &str| -> Value {
        let renamed = settings.as_object().unwrap().iter();
        renamed.map(|(name, value)| (name.replace("MCP_SERVER_AUTH_", prefix), value.clone())).collect()
    };
    let merge = |a: &Value, b: &Value| with(a.clone(), b.clone());
    let text = |settings: &Value| -> Value {
        let as_text = |value: &Value| match value {
            structured @ (Value::Array(_) | Value::Object(_)) => json!(format!(" {structured} ")),
            Value::String(text) => json!(text),
            scalar => json!(scalar.to_string()),
        };
        settings.as_object().unwrap().iter().map(|(name, value)| (name.clone(), as_text(value))).collect()
    };
    let full = with(
        settings(),
        json!({
            support::SERVERS: [with(entry(), json!({ "algorithm": ["ES256", "RS512"], "expected_audiences": ["a"] }))],
            "MCP_SERVER_AUTH_CACHE_TTL": 120, support::SCOPES_SUPPORTED: ["a", "b"], support::CHALLENGE_SCOPES: ["a"],
            support::ALLOWED_ORIGINS: ["https://a.example"], "MCP_SERVER_AUTH_LOG_SUBJECT": true,
        }),
    );
    let single = with(
        single_issuer_settings(),
        json!({ "MCP_SERVER_AUTH_ISSUER": [ISSUER], "MCP_SERVER_AUTH_AUDIENCE": ["a", "b"], "MCP_SERVER_AUTH_ALGORITHM": ["ES256"] }),
    );
    for settings in [full, single] {
        let expected = meaning(&settings);
        let second = rename(&settings, "MCP_RESOURCE_SERVER_");
        let rows = [
            ("the second spelling", second.clone()),
            ("both spellings, the same", merge(&settings, &second)),
            ("JSON text", text(&settings)),
            ("JSON text in the second spelling", text(&second)),
            ("a value in one spelling, its text in the other", merge(&settings, &text(&second))),
            ("the other way round", merge(&text(&settings), &second)),
            (
                "what is not ours",
                merge(&settings, &json!({ "JWKS_CACHE": {}, "MCP_OTHER": "x", "mcp_server_auth_x": 1 })),
            ),
        ];
        for_each_row(rows, |(name, other)| same(name, meaning(other) == expected, true));
    }
}

#[test]
fn what_is_ours() {
    let rows = [
        ("ORIGIN_URL", true),
        ("MCP_SERVER_AUTH_X", true),
        ("MCP_RESOURCE_SERVER_X", true),
        ("MCP_SERVER_AUTH_", true),
        ("JWKS_CACHE", false),
        ("ORIGIN_URL_2", false),
        ("origin_url", false),
        ("MCP_SERVER_AUTHX", false),
        ("", false),
    ];
    for_each_row(rows, |(name, expected)| same(name, is_ours(name), *expected));
}

#[test]
fn accepted_values() {
    let set = |name: &str, value: Value| with(settings(), json!({ name: value }));
    let canonical = |url: &str| with(settings(), json!({ support::CANONICAL_URL: url }));
    let in_entry = |changes: Value| with_entries(json!([with(entry(), changes)]));
    let option = |options: Value| in_entry(json!({ "validation_options": options }));
    let rows = vec![
        ("canonical: a port", canonical("https://mcp.example.com:8443/mcp")),
        ("canonical: a query", canonical("https://mcp.example.com/mcp?tenant=1")),
        ("canonical: capitals", canonical("HTTPS://MCP.example.com/Mcp")),
        ("canonical: no path", canonical("https://mcp.example.com")),
        ("canonical: encoded", canonical("https://mcp.example.com/a%20b")),
        ("canonical: loopback 127.0.0.1", canonical("http://127.0.0.1:8787/mcp")),
        ("canonical: loopback 127.0.0.2", canonical("http://127.0.0.2/mcp")),
        ("canonical: loopback 127.255.255.255", canonical("http://127.255.255.255/mcp")),
        ("canonical: loopback ::1", canonical("http://[::1]:8787/mcp")),
        ("canonical: loopback localhost", canonical("http://localhost/mcp")),
        ("canonical: loopback LOCALHOST", canonical("http://LOCALHOST:1/mcp")),
        ("canonical: https on loopback", canonical("https://localhost/mcp")),
        ("origin: http", set("ORIGIN_URL", json!("http://backend:3000/mcp"))),
        ("origin: an address", set("ORIGIN_URL", json!("http://10.1.2.3"))),
        ("origin: no path", set("ORIGIN_URL", json!("https://o.example"))),
        ("ttl: least", set("MCP_SERVER_AUTH_CACHE_TTL", json!(60))),
        ("ttl: most", set("MCP_SERVER_AUTH_CACHE_TTL", json!(86_400))),
        ("ttl: text", set("MCP_SERVER_AUTH_CACHE_TTL", json!(" 60 "))),
        ("ttl: empty text is not set", set("MCP_SERVER_AUTH_CACHE_TTL", json!(""))),
        ("origin's timeout: least", set("ORIGIN_TIMEOUT_SECONDS", json!(1))),
        ("origin's timeout: most", set("ORIGIN_TIMEOUT_SECONDS", json!("3600"))),
        ("origin's timeout: empty text is not set", set("ORIGIN_TIMEOUT_SECONDS", json!(""))),
        ("log subject: text", set("MCP_SERVER_AUTH_LOG_SUBJECT", json!("true"))),
        ("log subject: false", set("MCP_SERVER_AUTH_LOG_SUBJECT", json!("false"))),
        ("scopes: one", set(support::SCOPES_SUPPORTED, json!("a"))),
        ("scopes: spaces", set(support::SCOPES_SUPPORTED, json!("  a \n b "))),
        ("scopes: none", set(support::SCOPES_SUPPORTED, json!([]))),
        ("scopes: none in text", set(support::CHALLENGE_SCOPES, json!(""))),
        ("origins: none", set(support::ALLOWED_ORIGINS, json!([]))),
        (
            "origins: a list in text",
            set(support::ALLOWED_ORIGINS, json!("https://a.example http://localhost:1")),
        ),
        ("origins: null", set(support::ALLOWED_ORIGINS, json!("null"))),
        ("entry: jwks_uri on loopback", in_entry(json!({ "jwks_uri": "http://localhost:9/jwks" }))),
        ("entry: issuer on loopback", in_entry(json!({ "issuer": "http://127.0.0.1:9" }))),
        ("entry: all algorithms", in_entry(json!({ "algorithm": Algorithm::ALL.map(|a| a.row().name) }))),
        ("entry: Ed25519", in_entry(json!({ "algorithm": "Ed25519" }))),
        ("entry: leeway 0", option(json!({ "leeway": 0 }))),
        ("entry: leeway 300", option(json!({ "leeway": 300 }))),
        ("entry: no options", option(json!({}))),
        (
            "entries: one issuer, the same rules, two key sets",
            with_entries(json!([entry(), with(entry(), json!({ "jwks_uri": "https://b.example/jwks" }))])),
        ),
        (
            "entries: one issuer, other rules, one key set",
            with_entries(json!([
                entry(),
                with(entry(), json!({ "algorithm": "RS256", "expected_audiences": ["x"] }))
            ])),
        ),
        (
            "entries: two issuers, other rules",
            with_entries(json!([
                entry(),
                with(
                    entry(),
                    json!({ "issuer": "https://b.example", "algorithm": "RS256", "jwks_uri": "https://b.example/jwks" })
                )
            ])),
        ),
    ];
    for_each_row(rows, |(name, settings)| {
        read(settings).map(|_| ()).map_err(|faults| {
            format!("{name}: {}", faults.iter().map(ToString::to_string).collect::<String>())
        })
    });
}

#[test]
fn values_arrive() {
    let options = json!({ "verify_exp": false, "verify_iat": false, "verify_nbf": false, "verify_iss": false, "leeway": 5 });
    let all = config(&with(
        settings(),
        json!({
            support::SERVERS: [with(entry(), json!({ "issuer": "https://i.example", "expected_audiences": ["a", "b"], "validation_options": options }))],
            "MCP_SERVER_AUTH_CACHE_TTL": "86400", "MCP_SERVER_AUTH_LOG_SUBJECT": "true",
            support::ALLOWED_ORIGINS: "https://a.example https://b.example",
        }),
    ));
    let rules = &resource(&all).entries[0].rules;
    assert_eq!((rules.issuer.as_str(), rules.leeway), ("https://i.example", 5));
    assert_eq!(rules.audiences, ["a", "b"]);
    assert_eq!([rules.verify_exp, rules.verify_nbf, rules.verify_iat, rules.verify_iss], [false; 4]);
    assert_eq!((all.cache_ttl, all.log_subject), (86_400, true));
    let origins = ["https://a.example", "https://b.example"].map(str::to_owned).to_vec();
    assert_eq!(resource(&all).allowed_origins, AllowedOrigins::Listed(origins));
    // Each switch turns off what it names, and nothing else.
    let switches = |config: &Config| {
        let rules = &resource(config).entries[0].rules;
        [rules.verify_exp, rules.verify_iat, rules.verify_nbf, rules.verify_iss]
    };
    for (index, name) in ["verify_exp", "verify_iat", "verify_nbf", "verify_iss"].into_iter().enumerate() {
        let off =
            config(&with_entries(json!([with(entry(), json!({ "validation_options": { name: false } }))])));
        let mut expected = [true; 4];
        expected[index] = false;
        assert_eq!(switches(&off), expected, "{name}");
    }
    let loopback = config(&with(settings(), json!({ support::CANONICAL_URL: "http://localhost/mcp" })));
    assert_eq!(resource(&loopback).allowed_origins, AllowedOrigins::Loopback);
}

#[test]
fn one_key_source_is_one() {
    let server = |url: &str, more: Value| with(json!({ "authorization_server_url": url }), more);
    // Entries, the sources, and which entry uses which.
    let shared = json!({ "issuer": ISSUER, "jwks_uri": JWKS_URI });
    let jwks = || KeySource::JwksUri(JWKS_URI.to_owned());
    let found = |issuer: &str| KeySource::Discovery(issuer.to_owned());
    let rows = [
        (
            "a regional pair",
            json!([server("https://eu.example", shared.clone()), server("https://us.example", shared)]),
            vec![jwks()],
            vec![0, 0],
        ),
        (
            "one issuer, found",
            json!([
                server("https://eu.example", json!({ "issuer": ISSUER })),
                server("https://us.example", json!({ "issuer": ISSUER }))
            ]),
            vec![found(ISSUER)],
            vec![0, 0],
        ),
        (
            "two issuers",
            json!([server("https://a.example", json!({})), server("https://b.example", json!({}))]),
            vec![found("https://a.example"), found("https://b.example")],
            vec![0, 1],
        ),
        (
            "two issuers, one jwks_uri",
            json!([
                server("https://a.example", json!({ "jwks_uri": JWKS_URI })),
                server("https://b.example", json!({ "jwks_uri": JWKS_URI }))
            ]),
            vec![jwks()],
            vec![0, 0],
        ),
        (
            "one URL as issuer and as jwks_uri",
            json!([
                server(JWKS_URI, json!({})),
                server("https://b.example", json!({ "jwks_uri": JWKS_URI }))
            ]),
            vec![found(JWKS_URI), jwks()],
            vec![0, 1],
        ),
    ];
    for_each_row(rows, |(name, entries, sources, used)| {
        let config = config(&with_entries(entries.clone()));
        same(name, &config.sources, sources)?;
        same(name, &resource(&config).entries.iter().map(|e| e.source.index()).collect(), used)
    });
}

#[test]
fn the_summary() {
    let text = |config: &Config| {
        let lines = mcp_edge_auth::settings::summary(config, resource(config))
            .into_iter()
            .map(|(name, values)| format!("{name}: {}", values.join(", ")));
        lines.collect::<Vec<_>>().join("\n")
    };
    let pair = json!([
        { "authorization_server_url": "https://eu.example", "issuer": ISSUER, "algorithm": ["RS256", "ES256"] },
        { "authorization_server_url": "https://us.example", "issuer": ISSUER, "expected_audiences": ["a", "b"] },
    ]);
    support::assert_golden("summary.txt", &text(&config(&with_entries(pair))));
    support::assert_golden("summary-single-issuer.txt", &text(&config(&single_issuer_settings())));
}
