//! Where an issuer's metadata is looked for, and what it must say for its `jwks_uri` to be
//! believed.

use mcp_edge_auth::keys::discovery::{Unusable, jwks_uri, metadata_urls, misses};
use serde_json::{Value, json};

use crate::support::{ISSUER, JWKS_URI, for_each_row, same, with};

#[test]
fn places() {
    // MCP's order: RFC 8414 section 3.1 inserts, OpenID Connect inserts, OpenID Connect appends. A
    // slash at the end goes first.
    let rows: [(&str, &[&str]); 6] = [
        (
            "https://as.example",
            &[
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ],
        ),
        (
            "https://as.example/",
            &[
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ],
        ),
        (
            "https://as.example/tenant",
            &[
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/.well-known/openid-configuration/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
            ],
        ),
        (
            "https://as.example/a/b/",
            &[
                "https://as.example/.well-known/oauth-authorization-server/a/b",
                "https://as.example/.well-known/openid-configuration/a/b",
                "https://as.example/a/b/.well-known/openid-configuration",
            ],
        ),
        (
            "http://127.0.0.1:9000/realms/one",
            &[
                "http://127.0.0.1:9000/.well-known/oauth-authorization-server/realms/one",
                "http://127.0.0.1:9000/.well-known/openid-configuration/realms/one",
                "http://127.0.0.1:9000/realms/one/.well-known/openid-configuration",
            ],
        ),
        (
            "http://[::1]:9000",
            &[
                "http://[::1]:9000/.well-known/oauth-authorization-server",
                "http://[::1]:9000/.well-known/openid-configuration",
            ],
        ),
    ];
    for_each_row(rows, |(issuer, places)| {
        same(issuer, metadata_urls(issuer), places.iter().map(|place| (*place).to_owned()).collect())
    });
}

fn metadata() -> Value {
    json!({ "issuer": ISSUER, "jwks_uri": JWKS_URI, "response_types_supported": ["code"] })
}

#[test]
fn documents() {
    let changed = |changes: Value| with(metadata(), changes).to_string();
    let rows: Vec<(&str, String, Result<&str, Unusable>)> = vec![
        ("sound", metadata().to_string(), Ok(JWKS_URI)),
        (
            "keys on another host",
            changed(json!({ "jwks_uri": "https://keys.example/x" })),
            Ok("https://keys.example/x"),
        ),
        (
            "keys on loopback",
            changed(json!({ "jwks_uri": "http://127.0.0.1:9/x" })),
            Ok("http://127.0.0.1:9/x"),
        ),
        ("a byte order mark before it", format!("\u{feff}{}", metadata()), Ok(JWKS_URI)),
        ("a mark and blanks", format!("\u{feff} \n{}", metadata()), Ok(JWKS_URI)),
        ("two marks", format!("\u{feff}\u{feff}{}", metadata()), Err(Unusable::NotMetadata)),
        ("a mark after a blank", format!(" \u{feff}{}", metadata()), Err(Unusable::NotMetadata)),
        ("a mark at the end", format!("{}\u{feff}", metadata()), Err(Unusable::NotMetadata)),
        ("a mark and nothing", "\u{feff}".into(), Err(Unusable::NotMetadata)),
        ("an empty object", "{}".into(), Err(Unusable::IssuerMismatch)),
        ("empty", String::new(), Err(Unusable::NotMetadata)),
        ("HTML", "<html>".into(), Err(Unusable::NotMetadata)),
        ("an array", json!([metadata()]).to_string(), Err(Unusable::NotMetadata)),
        ("null", "null".into(), Err(Unusable::NotMetadata)),
        (
            "issuer twice",
            metadata().to_string().replacen('{', r#"{"issuer":"x","#, 1),
            Err(Unusable::NotMetadata),
        ),
        ("no issuer", changed(json!({ "issuer": "<absent>" })), Err(Unusable::IssuerMismatch)),
        ("issuer null", changed(json!({ "issuer": null })), Err(Unusable::IssuerMismatch)),
        ("issuer in an array", changed(json!({ "issuer": [ISSUER] })), Err(Unusable::IssuerMismatch)),
        (
            "another issuer",
            changed(json!({ "issuer": "https://evil.example" })),
            Err(Unusable::IssuerMismatch),
        ),
        (
            "issuer with a slash",
            changed(json!({ "issuer": format!("{ISSUER}/") })),
            Err(Unusable::IssuerMismatch),
        ),
        (
            "issuer in capitals",
            changed(json!({ "issuer": ISSUER.to_uppercase() })),
            Err(Unusable::IssuerMismatch),
        ),
        ("no jwks_uri", changed(json!({ "jwks_uri": "<absent>" })), Err(Unusable::JwksUri)),
        ("jwks_uri null", changed(json!({ "jwks_uri": null })), Err(Unusable::JwksUri)),
        ("jwks_uri empty", changed(json!({ "jwks_uri": "" })), Err(Unusable::JwksUri)),
        (
            "jwks_uri of http",
            changed(json!({ "jwks_uri": "http://auth.example.com/jwks" })),
            Err(Unusable::JwksUri),
        ),
        ("jwks_uri of a file", changed(json!({ "jwks_uri": "file:///etc/passwd" })), Err(Unusable::JwksUri)),
        (
            "jwks_uri of data",
            changed(json!({ "jwks_uri": "data:application/json,{}" })),
            Err(Unusable::JwksUri),
        ),
        ("jwks_uri relative", changed(json!({ "jwks_uri": "/jwks" })), Err(Unusable::JwksUri)),
        (
            "jwks_uri with userinfo",
            changed(json!({ "jwks_uri": "https://a:b@auth.example.com/" })),
            Err(Unusable::JwksUri),
        ),
        (
            "jwks_uri with a fragment",
            changed(json!({ "jwks_uri": "https://auth.example.com/#x" })),
            Err(Unusable::JwksUri),
        ),
    ];
    for_each_row(rows, |(name, document, expected)| {
        same(name, jwks_uri(document, ISSUER), expected.map(str::to_owned))
    });
}

#[test]
fn reasons_differ() {
    let reasons = [Unusable::NotMetadata, Unusable::IssuerMismatch, Unusable::JwksUri].map(Unusable::reason);
    assert!(reasons[0].contains("JSON object"));
    assert!(reasons[1].contains("issuer is not"));
    assert!(reasons[2].contains("jwks_uri"));
}

#[test]
fn what_each_place_gave() {
    let gave =
        [("https://as.example/a?key=secret", "status 404"), ("https://as.example/b", "not a JSON object")];
    assert_eq!(misses(gave), "https://as.example/a: status 404; https://as.example/b: not a JSON object");
}
