//! Arbitrary JSON and paths, made of what means something somewhere, so that they get past the
//! first check now and then.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{CANONICAL, ISSUER, JWKS_URI};

/// Nothing is written beside the sources: a failure prints its input, which becomes a row.
pub fn quick(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Any JSON, small.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(words()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(words()), inner), 0..6).prop_map(|members| {
                Value::from(members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Words that mean something somewhere, so that arbitrary JSON gets past the first check now and
/// then.
pub fn words() -> Vec<&'static str> {
    vec![
        "",
        "alg",
        "ES256",
        "RS256",
        "none",
        "kid",
        "es-1",
        "typ",
        "JWT",
        "crit",
        "iss",
        ISSUER,
        "aud",
        CANONICAL,
        "sub",
        "exp",
        "nbf",
        "iat",
        "cnf",
        "keys",
        "kty",
        "EC",
        "RSA",
        "OKP",
        "crv",
        "P-256",
        "x",
        "y",
        "n",
        "e",
        "AQAB",
        "use",
        "sig",
        "key_ops",
        "verify",
        "d",
        "issuer",
        "jwks_uri",
        JWKS_URI,
        "authorization_server_url",
        "algorithm",
        "expected_audiences",
        "validation_options",
        "leeway",
        "verify_exp",
        "verify_iss",
        "http://localhost:1/x",
        "*",
        "null",
        "3600",
        "true",
        "[]",
        "{}",
        "a b",
        "[\"a\"]",
        "scope",
        "scp",
        "client_id",
        "azp",
        "email",
        "format",
        "source",
        "fetched_at",
        "jwks",
    ]
}

pub fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((prop::sample::select(words()), any_json()), 0..10)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A piece of a path: what attacks are made of, and anything else.
pub fn any_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/",
            "//",
            "/mcp",
            "mcp",
            ".",
            "..",
            "/../",
            "%2e",
            "%2E",
            "%252e",
            "%2f",
            "%5c",
            "\\",
            ";",
            "%3b",
            "?",
            "#",
            "@",
            ":",
            "%",
            "%25",
            "%00",
            "\t",
            "\n",
            " ",
            "/healthz",
            "/.well-known/oauth-protected-resource",
            "a",
            "[",
            "]",
            "é",
            "//evil.example",
            "%E2%80%AE",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Every variable, and some that are none.
pub fn names() -> Vec<&'static str> {
    vec![
        "MCP_SERVER_AUTH_CANONICAL_URL",
        "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS",
        "MCP_SERVER_AUTH_JWKS_URI",
        "MCP_SERVER_AUTH_ISSUER",
        "MCP_SERVER_AUTH_AUDIENCE",
        "MCP_SERVER_AUTH_ALGORITHM",
        "MCP_SERVER_AUTH_CACHE_TTL",
        "MCP_SERVER_AUTH_SCOPES_SUPPORTED",
        "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES",
        "MCP_SERVER_AUTH_ALLOWED_ORIGINS",
        "MCP_SERVER_AUTH_LOG_SUBJECT",
        "MCP_RESOURCE_SERVER_CACHE_TTL",
        "MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS",
        "MCP_SERVER_AUTH_UNKNOWN",
        "ORIGIN_URL",
    ]
}
