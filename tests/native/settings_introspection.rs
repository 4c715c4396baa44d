//! `introspection` of an entry: what is taken, what is a fault, and where its secret is.

use mcp_edge_auth::resource::Config;
use mcp_edge_auth::settings::{self, summary};
use mcp_edge_auth::token::introspection::AuthMethod;
use serde_json::{Value, json};

use crate::support::{
    config, entry, for_each_row, read, resource, settings as sound, variables, with, with_entries,
};

const SECRET: &str = "AS_CLIENT_SECRET";
const PLACE: &str = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].introspection";

fn introspection(changes: Value) -> Value {
    with(
        json!({ "url": "https://auth.example.com/introspect", "client_id": "edge", "client_secret": SECRET }),
        changes,
    )
}

fn entry_with(changes: Value) -> Value {
    with(entry(), json!({ "introspection": introspection(changes) }))
}

fn settings_of(entries: Value) -> Value {
    with(with_entries(entries), json!({ SECRET: "s3cret-of-ours" }))
}

fn said(settings: &Value) -> Vec<String> {
    read(settings).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_taken() {
    let config = config(&settings_of(json!([entry_with(json!({}))])));
    let asking = resource(&config).entries[0].introspection.as_deref().unwrap();
    assert_eq!(asking.url.as_deref(), Some("https://auth.example.com/introspect"));
    assert_eq!(asking.client_secret.as_ref().unwrap().expose(), "s3cret-of-ours");
    assert_eq!((asking.auth_method, asking.cache_seconds, asking.jwts), (AuthMethod::Basic, 0, false));
    assert_eq!((&asking.binding, &asking.subject), (&None, &None));
    for (changes, bound) in [
        (json!({ "url": "<absent>", "auth_method": "client_secret_post", "cache_seconds": 60 }), false),
        (json!({ "auth_method": "none", "client_secret": "<absent>" }), false),
        (json!({ "auth_method": "none", "client_secret": "<absent>", "client_id": "<absent>" }), false),
        (json!({ "jwt": true, "subject": "username", "url": "http://127.0.0.1:9/introspect?x=1" }), false),
        (json!({ "binding": "AS" }), true),
    ] {
        let variables = variables(&settings_of(json!([entry_with(changes.clone())])));
        let bindings = if bound { vec!["AS".to_owned()] } else { Vec::new() };
        let read = settings::read(&variables.with_bindings(bindings));
        assert!(read.is_ok(), "{changes}: {:?}", read.err());
    }
}

#[test]
fn what_is_a_fault() {
    let rows = [
        (
            json!({ "url": "http://auth.example.com/introspect" }),
            ".url",
            "http, on a host that is not this machine",
        ),
        (json!({ "url": "https://auth.example.com/introspect#x" }), ".url", "a fragment"),
        (json!({ "url": 1 }), ".url", "a number"),
        (json!({ "client_id": "<absent>" }), ".client_id", "it is required"),
        (json!({ "client_id": "" }), ".client_id", "a non-empty string"),
        (json!({ "client_secret": "<absent>" }), ".client_secret", "it is required"),
        (json!({ "client_secret": 1 }), ".client_secret", "the name of the secret variable"),
        (json!({ "client_secret": "" }), ".client_secret", "not the secret itself"),
        (json!({ "client_secret": "k7/x+Y==" }), ".client_secret", "not the secret itself"),
        (json!({ "client_secret": "9abc" }), ".client_secret", "not the secret itself"),
        (json!({ "client_secret": "NOT_SET" }), ".client_secret", "in .dev.vars"),
        (json!({ "client_secret": "MCP_SERVER_AUTH_SESSION_KEY" }), ".client_secret", "another setting"),
        (json!({ "client_secret": "ORIGIN_HEADERS_X" }), ".client_secret", "another setting"),
        (json!({ "auth_method": "none" }), ".client_secret", "sends no secret"),
        (
            json!({ "auth_method": "private_key_jwt" }),
            ".auth_method",
            "client_secret_basic or client_secret_post or none",
        ),
        (json!({ "auth_method": null }), ".auth_method", "client_secret_basic"),
        (json!({ "binding": "NONE" }), ".binding", "the name of a binding that answers requests"),
        (json!({ "binding": [] }), ".binding", "a non-empty string"),
        (json!({ "cache_seconds": 61 }), ".cache_seconds", "0 to 60"),
        (json!({ "cache_seconds": -1 }), ".cache_seconds", "0 to 60"),
        (json!({ "cache_seconds": "10" }), ".cache_seconds", "0 to 60"),
        (json!({ "jwt": "true" }), ".jwt", "true or false"),
        (json!({ "subject": " " }), ".subject", "a non-empty string"),
        (json!({ "endpoint": "x" }), ".endpoint", "no such field"),
    ];
    for_each_row(rows, |(changes, place, part)| {
        let said = said(&settings_of(json!([entry_with(changes.clone())])));
        let is =
            said.iter().any(|fault| fault.starts_with(&format!("{PLACE}{place}: ")) && fault.contains(part));
        let tells = said.iter().any(|fault| fault.contains("s3cret") || fault.contains("k7/x"));
        if is && !tells { Ok(()) } else { Err(format!("{changes}: {said:#?}")) }
    });
    let none = with(entry(), json!({ "introspection": true }));
    assert!(said(&settings_of(json!([none])))[0].contains("an object with url, client_id"));
}

#[test]
fn one_authorization_server_is_asked_and_no_jwt_gets_round_it() {
    let other = |changes: Value| {
        let own =
            json!({ "authorization_server_url": "https://b.example", "jwks_uri": "https://b.example/jwks" });
        with(with(entry(), own), changes)
    };
    let asked = json!({ "introspection": introspection(json!({})) });
    let named = json!({
        "issuer": "acme.com", "jwks_uri": "https://auth.example.com/jwks", "for_clients": false,
        "expected_audiences": ["x"], "introspection": introspection(json!({})),
    });
    let rows = [
        (
            "a second one",
            json!([entry_with(json!({})), other(asked.clone())]),
            Some("[1].introspection: expected no second one"),
        ),
        ("another issuer beside it", json!([entry_with(json!({ "jwt": true })), other(json!({}))]), None),
        ("the same issuer, and JWTs are not asked about", json!([entry_with(json!({})), entry()]), None),
        (
            "the same issuer behind it",
            json!([entry_with(json!({ "jwt": true })), entry()]),
            Some("[1].introspection: expected one entry for this issuer"),
        ),
        (
            "the same issuer before it",
            json!([entry(), entry_with(json!({ "jwt": true }))]),
            Some("[1].introspection: expected one entry for this issuer"),
        ),
        (
            "the same keys under another name",
            json!([
                entry_with(json!({ "jwt": true })),
                with(entry(), json!({ "issuer": "https://b.example" }))
            ]),
            Some("[1].introspection: expected one entry for this issuer"),
        ),
        (
            "one that takes any issuer's tokens",
            json!([
                entry_with(json!({ "jwt": true })),
                with(other(json!({})), json!({ "validation_options": { "verify_iss": false } }))
            ]),
            Some("[1].introspection: expected one entry for this issuer"),
        ),
        (
            "a provider with several issuers",
            json!([{ "provider": "entra-id", "tenant": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "expected_audiences": ["x"], "introspection": introspection(json!({})) }]),
            Some("[0].introspection: expected an issuer of the entry's own"),
        ),
        (
            "what Cloudflare Access sends",
            json!([{ "provider": "cloudflare-access", "team": "example", "expected_audiences": ["x"], "token_from": "cf-access", "introspection": introspection(json!({})) }]),
            Some("[0].introspection: expected nothing beside token_from"),
        ),
        (
            "an issuer without metadata",
            json!([with(
                named.clone(),
                json!({ "introspection": introspection(json!({ "url": "<absent>" })) })
            )]),
            Some("[0].introspection.url: expected"),
        ),
        ("an issuer without metadata, and a URL", json!([named]), None),
    ];
    for_each_row(rows, |(name, entries, fault)| {
        let said = said(&settings_of(entries.clone()));
        let is = match fault {
            Some(fault) => said.len() == 1 && said[0].contains(fault),
            None => said.is_empty(),
        };
        if is { Ok(()) } else { Err(format!("{name}: {said:#?}")) }
    });
}

/// The same settings with two servers, each of which may have one.
fn several(secret_of_second: &str) -> Value {
    let server = |path: &str, secret: &str| {
        json!({
            "canonical_url": format!("https://mcp.example.com/{path}"),
            "origin_url": format!("https://origin.example.com/{path}"),
            "authorization_servers": [entry_with(json!({ "client_secret": secret }))],
        })
    };
    json!({ "MCP_SERVER_AUTH_RESOURCES": [server("a", SECRET), server("b", secret_of_second)], SECRET: "s3cret-of-ours", "OTHER": "o" })
}

#[test]
fn a_secret_is_read_by_the_name_that_an_entry_gives() {
    let as_text = |value: &Value| json!(value.to_string());
    let one = settings_of(json!([entry_with(json!({}))]));
    let servers = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
    let prefixed = with(
        settings_of(json!([entry_with(json!({ "client_secret": "MCP_SERVER_AUTH_INTROSPECTION_SECRET" }))])),
        json!({ "MCP_SERVER_AUTH_INTROSPECTION_SECRET": "s3cret-of-ours" }),
    );
    let bracketed = with(one.clone(), json!({ SECRET: "[s3cret-of-ours" }));
    for (settings, secret) in [
        (one.clone(), "s3cret-of-ours"),
        (with(one.clone(), json!({ servers: as_text(&one[servers]) })), "s3cret-of-ours"),
        (prefixed, "s3cret-of-ours"),
        (bracketed, "[s3cret-of-ours"),
        (several(SECRET), "s3cret-of-ours"),
        (several("OTHER"), "s3cret-of-ours"),
    ] {
        let config: Config = config(&settings);
        let asking = resource(&config).entries[0].introspection.as_deref().unwrap();
        assert_eq!(asking.client_secret.as_ref().unwrap().expose(), secret, "{settings}");
        let all = variables(&settings);
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(all.secrets().count() >= 1, "{settings}");
    }
    // A variable that no entry names is nobody's.
    let unnamed =
        with(sound(), json!({ SECRET: "s3cret-of-ours", "MCP_SERVER_AUTH_INTROSPECTION_SECRET": "x" }));
    assert_eq!(variables(&unnamed).secrets().count(), 0);
    assert!(said(&unnamed)[0].starts_with("MCP_SERVER_AUTH_INTROSPECTION_SECRET: expected no such variable"));
}

#[test]
fn where_secrets_cannot_be_seen_a_missing_one_is_named_and_an_empty_one_is_a_fault() {
    let missing = with(settings_of(json!([entry_with(json!({}))])), json!({ SECRET: "<absent>" }));
    assert_eq!(said(&missing).len(), 1);
    let config = settings::read(&variables(&missing).without_secrets()).unwrap();
    assert_eq!(config.unseen_secrets, [SECRET]);
    let empty = with(missing, json!({ SECRET: "" }));
    assert!(settings::read(&variables(&empty).without_secrets()).is_err());
    let both = with(several("OTHER"), json!({ SECRET: "<absent>", "OTHER": "<absent>" }));
    let config = settings::read(&variables(&both).without_secrets()).unwrap();
    assert_eq!(config.unseen_secrets, [SECRET, "OTHER"]);
}

#[test]
fn the_summary_says_who_is_asked() {
    let line = |changes: Value| {
        let config = config(&settings_of(json!([entry_with(changes)])));
        let all = summary(&config, resource(&config));
        all.into_iter().find(|(name, _)| *name == "Introspection").unwrap().1
    };
    let issuer = "https://auth.example.com";
    assert_eq!(line(json!({})), [format!("opaque tokens, by {issuer} at {issuer}/introspect")]);
    assert_eq!(
        line(json!({ "url": "https://as.example/i?key=1", "jwt": true, "cache_seconds": 30 })),
        [format!("opaque tokens and JWTs, by {issuer} at https://as.example/i, answers kept for 30 s")]
    );
    assert_eq!(
        line(json!({ "url": "<absent>" })),
        [format!("opaque tokens, by {issuer} where its metadata says")]
    );
}
