//! All ten algorithms verify, each checked by a library that is not the Worker's; no token passes
//! by a key, a name or a signature of another one.

use mcp_edge_auth::keys::algorithm::{Algorithm, Scheme};
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::key_set;
use crate::support::{
    algorithms, b64, claims, config, entry, for_each_row, resource, same, with, with_entries,
};

/// What comes of a token where these algorithms are allowed and these keys are the issuer's.
fn reason(allowed: &Value, keys: &[Value], token: &str) -> &'static str {
    let config = config(&with_entries(json!([with(entry(), json!({ "algorithm": allowed }))])));
    run_with(resource(&config), token, &key_set(keys)).reason()
}

fn name(algorithm: Algorithm) -> &'static str {
    algorithm.row().name
}

fn all_names() -> Value {
    json!(Algorithm::ALL.map(name))
}

fn pairs() -> impl Iterator<Item = (Algorithm, Algorithm)> {
    Algorithm::ALL
        .into_iter()
        .flat_map(|a| Algorithm::ALL.into_iter().filter(move |b| *b != a).map(move |b| (a, b)))
}

/// The token with the first or the last byte of its signature changed.
fn tampered(token: &str, last: bool) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = mcp_edge_auth::token::jose::parse(token)
        .map(|t| t.signature)
        .unwrap_or_else(|_| panic!("{signature}"));
    let at = if last { signature.len() - 1 } else { 0 };
    signature[at] ^= 1;
    format!("{input}.{}", b64(signature))
}

#[test]
fn there_are_ten() {
    let names = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA";
    assert_eq!(Algorithm::ALL.map(name).join(" "), names);
    for_each_row(Algorithm::ALL, |a| same(name(*a), Algorithm::from_name(name(*a)), Some(*a)));
    assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
    let others = [
        "", "none", "rs256", "HS256", "HS384", "HS512", "ES256K", "Ed448", "eddsa", "ed25519", "RSA-OAEP",
        "RS256 ", "dir",
    ];
    for_each_row(others, |other| same(other, Algorithm::from_name(other), None));
}

#[test]
fn the_table_is_that_of_rfc_7518_and_rfc_8037() {
    use Scheme::{Ecdsa, Ed25519, RsaPkcs1, RsaPss};
    let rows = [
        ("RS256", RsaPkcs1, "RSA", None, Some("SHA-256"), 0),
        ("RS384", RsaPkcs1, "RSA", None, Some("SHA-384"), 0),
        ("RS512", RsaPkcs1, "RSA", None, Some("SHA-512"), 0),
        ("PS256", RsaPss, "RSA", None, Some("SHA-256"), 32),
        ("PS384", RsaPss, "RSA", None, Some("SHA-384"), 48),
        ("PS512", RsaPss, "RSA", None, Some("SHA-512"), 64),
        ("ES256", Ecdsa, "EC", Some("P-256"), Some("SHA-256"), 0),
        ("ES384", Ecdsa, "EC", Some("P-384"), Some("SHA-384"), 0),
        ("ES512", Ecdsa, "EC", Some("P-521"), Some("SHA-512"), 0),
        ("EdDSA", Ed25519, "OKP", Some("Ed25519"), None, 0),
    ];
    for_each_row(rows, |expected| {
        let row = Algorithm::from_name(expected.0).unwrap().row();
        same(expected.0, (row.name, row.scheme, row.kty, row.crv, row.hash, row.salt), *expected)
    });
}

#[test]
fn each_is_accepted_where_it_is_allowed() {
    for_each_row(Algorithm::ALL, |&algorithm| {
        let token = algorithms::token(algorithm);
        let keys = [algorithms::jwk(algorithm)];
        same(name(algorithm), reason(&json!(name(algorithm)), &keys, &token), "accepted")?;
        same(name(algorithm), reason(&all_names(), &keys, &token), "accepted")?;
        let named = [with(keys[0].clone(), json!({ "alg": name(algorithm) }))];
        same(name(algorithm), reason(&all_names(), &named, &token), "accepted")
    });
}

#[test]
fn ed25519_is_another_name_of_eddsa() {
    let token = algorithms::token(Algorithm::EdDSA);
    let key = algorithms::jwk(Algorithm::EdDSA);
    let named = [with(key, json!({ "alg": "Ed25519" }))];
    assert_eq!(reason(&json!("Ed25519"), &named, &token), "accepted");
    let renamed = algorithms::ed25519_token(r#"{"alg":"Ed25519","kid":"EdDSA"}"#);
    assert_eq!(reason(&json!("EdDSA"), &named, &renamed), "accepted");
    assert_eq!(reason(&json!("Ed25519"), &[algorithms::jwk(Algorithm::EdDSA)], &renamed), "accepted");
}

#[test]
fn none_is_accepted_where_it_is_not_allowed() {
    for_each_row(Algorithm::ALL, |&algorithm| {
        let others: Vec<&str> = Algorithm::ALL.into_iter().filter(|a| *a != algorithm).map(name).collect();
        let keys = [algorithms::jwk(algorithm)];
        let token = algorithms::token(algorithm);
        same(name(algorithm), reason(&json!(others), &keys, &token), "alg_not_allowed")
    });
}

#[test]
fn a_tampered_signature_is_refused() {
    for_each_row(Algorithm::ALL, |&algorithm| {
        let keys = [algorithms::jwk(algorithm)];
        let token = algorithms::token(algorithm);
        for last in [false, true] {
            let reason = reason(&all_names(), &keys, &tampered(&token, last));
            same(name(algorithm), reason, "signature_invalid")?;
        }
        let (input, _) = token.rsplit_once('.').unwrap();
        same(name(algorithm), reason(&all_names(), &keys, &format!("{input}.")), "signature_invalid")?;
        let (header, _) = input.split_once('.').unwrap();
        let (_, signature) = token.rsplit_once('.').unwrap();
        let claims = with(claims(), json!({ "sub": "admin" })).to_string();
        let swapped = format!("{header}.{}.{signature}", b64(claims));
        same(name(algorithm), reason(&all_names(), &keys, &swapped), "signature_invalid")
    });
}

#[test]
fn a_token_that_names_another_algorithm_is_refused() {
    // The attacker renames `alg`; every algorithm is allowed and the key has no `alg`. Where the
    // key still fits, the signature does not.
    for_each_row(pairs(), |&(signed, named)| {
        let token = algorithms::token(signed);
        let (_, rest) = token.split_once('.').unwrap();
        let header = json!({ "alg": name(named), "typ": "JWT", "kid": name(signed) }).to_string();
        let renamed = format!("{}.{rest}", b64(header));
        let same_family = signed.row().kty == named.row().kty && signed.row().crv == named.row().crv;
        let expected = if same_family { "signature_invalid" } else { "key_unfit" };
        let row = format!("{} named {}", name(signed), name(named));
        same(&row, reason(&all_names(), &[algorithms::jwk(signed)], &renamed), expected)
    });
}

#[test]
fn a_key_of_another_algorithm_is_refused() {
    // The set holds one key, under the token's `kid`, which is another algorithm's.
    for_each_row(pairs(), |&(token, key)| {
        let keys = [with(algorithms::jwk(key), json!({ "kid": name(token), "alg": name(key) }))];
        let row = format!("{} with the key of {}", name(token), name(key));
        same(&row, reason(&all_names(), &keys, &algorithms::token(token)), "key_unfit")
    });
}

#[test]
fn a_key_that_says_otherwise_does_not_fit() {
    for_each_row(pairs(), |&(algorithm, other)| {
        let keys = [with(algorithms::jwk(algorithm), json!({ "alg": name(other) }))];
        let row = format!("a key of {} whose alg is {}", name(algorithm), name(other));
        same(&row, reason(&all_names(), &keys, &algorithms::token(algorithm)), "key_unfit")
    });
}

#[test]
fn a_public_key_is_no_secret() {
    // CVE-2015-9235: the public key taken as an HMAC secret. There is no HMAC here to take it.
    for_each_row(["HS256", "HS384", "HS512", "none"], |alg| {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": "RS256" }).to_string();
        let token = format!("{}.{}.{}", b64(header), b64(claims().to_string()), b64([1; 32]));
        same(alg, reason(&all_names(), &[algorithms::jwk(Algorithm::RS256)], &token), "alg_not_allowed")
    });
}
