//! Whatever KV holds under our key, it is a key set only if it is this source's, in this format,
//! and usable.

use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::keys::stored::{decode, encode, name};
use serde_json::{Value, json};

use crate::support::es256::trusted;
use crate::support::{ISSUER, JWKS_URI, NOW, for_each_row, same, with};

const TTL: u64 = 3600;

fn source() -> KeySource {
    KeySource::JwksUri(JWKS_URI.to_owned())
}

fn jwks() -> String {
    json!({ "keys": [trusted().jwk()] }).to_string()
}

fn record() -> Value {
    serde_json::from_str(&encode(&source(), &jwks(), NOW - 5, 600).unwrap()).unwrap()
}

#[test]
fn what_was_put_is_had_again() {
    let held = decode(&record().to_string(), &source(), TTL, NOW).unwrap();
    assert_eq!((held.set, held.fetched_at, held.fresh_for), (trusted().key_set(), NOW - 5, 600));
}

#[test]
fn the_freshness_is_bounded_by_our_own_settings() {
    for (stored, expected) in [(0, 60), (60, 60), (TTL, TTL), (TTL + 1, TTL), (1_000_000, TTL)] {
        let value = with(record(), json!({ "fresh_for": stored })).to_string();
        assert_eq!(decode(&value, &source(), TTL, NOW).unwrap().fresh_for, expected, "{stored}");
    }
}

#[test]
fn a_time_in_the_future_counts_as_now() {
    let value = with(record(), json!({ "fetched_at": NOW + 1_000_000 })).to_string();
    assert_eq!(decode(&value, &source(), TTL, NOW).unwrap().fetched_at, NOW);
}

#[test]
fn sources_have_names_of_their_own() {
    let discovery = |url: &str| KeySource::Discovery(url.to_owned());
    assert_eq!(name(&source()), format!("jwks_uri {JWKS_URI}"));
    assert_eq!(name(&discovery(ISSUER)), format!("issuer {ISSUER}"));
    assert_ne!(
        name(&source()),
        name(&discovery(JWKS_URI)),
        "a key set and an issuer of one URL are two things"
    );
    assert_eq!(source().url(), JWKS_URI);
}

#[test]
fn what_is_no_set() {
    let changed = |changes: Value| with(record(), changes).to_string();
    let fields = ["format", "source", "fetched_at", "fresh_for", "jwks"];
    let in_order: Vec<Value> = fields.map(|field| record()[field].clone()).to_vec();
    let twice = record().to_string().replacen('{', r#"{"format":1,"#, 1);
    let mut rows = vec![
        ("empty", String::new()),
        ("garbage", "\u{0}\u{1}".to_owned()),
        ("null", "null".to_owned()),
        ("a bare key set", jwks()),
        ("cut off", record().to_string().replace('}', "")),
        ("an array of the fields", json!(in_order).to_string()),
        ("a field twice", twice),
        ("another format", changed(json!({ "format": 2 }))),
        ("an older format", changed(json!({ "format": 0 }))),
        ("another URL", changed(json!({ "source": "jwks_uri https://evil.example/jwks" }))),
        ("the same URL by discovery", changed(json!({ "source": format!("issuer {JWKS_URI}") }))),
        ("a negative time", changed(json!({ "fetched_at": -1 }))),
        ("a time in text", changed(json!({ "fetched_at": "5" }))),
        ("a set that is no text", changed(json!({ "jwks": { "keys": [trusted().jwk()] } }))),
        ("a set without keys", changed(json!({ "jwks": r#"{"keys":[]}"# }))),
        ("a set that is none", changed(json!({ "jwks": "x" }))),
    ];
    for field in fields {
        rows.push((field, changed(json!({ field: "<absent>" }))));
        rows.push((field, changed(json!({ field: null }))));
    }
    for_each_row(rows, |(name, value)| same(name, decode(value, &source(), TTL, NOW).is_none(), true));
}
