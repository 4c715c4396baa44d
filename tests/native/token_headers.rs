//! A header is taken only as the rules say: types of members, `typ`, `crit`, names of algorithms
//! and keys; it never chooses a key.

use serde_json::{Value, json};

use crate::support::es256::{header, stranger};
use crate::support::rows::{Row, expect, headed, with_header};
use crate::support::{claims, with};

#[test]
fn header_members() {
    let wrong_types = [json!(null), json!(1), json!(true), json!(["ES256"]), json!({ "a": "ES256" })];
    let mut rows: Vec<Row> = vec![
        ("no alg", headed(json!({ "alg": "<absent>" })), "alg_missing"),
        ("an empty header object", with_header("{}"), "alg_missing"),
        ("crit is null", headed(json!({ "crit": null })), "header_member_type"),
        ("crit is a string", headed(json!({ "crit": "exp" })), "header_member_type"),
        ("crit is an object", headed(json!({ "crit": {} })), "header_member_type"),
        ("crit is false", headed(json!({ "crit": false })), "header_member_type"),
        ("crit is empty", headed(json!({ "crit": [] })), "crit_present"),
        ("crit of an extension", headed(json!({ "crit": ["exp"], "exp": 1 })), "crit_present"),
        ("crit of unencoded payloads", headed(json!({ "crit": ["b64"], "b64": false })), "crit_present"),
        ("crit of numbers", headed(json!({ "crit": [1] })), "crit_present"),
        ("Crit is another member", headed(json!({ "Crit": ["exp"] })), "accepted"),
    ];
    for member in ["alg", "kid", "typ"] {
        for value in &wrong_types {
            rows.push((member, headed(json!({ member: value })), "header_member_type"));
        }
    }
    expect(rows);
}

/// What the signature covers could be read as something else than the claims that stand there.
#[test]
fn the_payload_is_the_claims_as_they_stand() {
    let mut rows: Vec<Row> = vec![
        ("b64 is true", headed(json!({ "b64": true })), "accepted"),
        ("B64 is another member", headed(json!({ "B64": false })), "accepted"),
        ("b64 in a member", headed(json!({ "x": { "b64": false, "zip": "DEF" } })), "accepted"),
        ("cty says nothing of the claims", headed(json!({ "cty": "JWT" })), "accepted"),
        ("b64 true and crit", headed(json!({ "crit": ["b64"], "b64": true })), "crit_present"),
        ("b64 false and another crit", headed(json!({ "crit": ["exp"], "b64": false })), "crit_present"),
        (
            "b64 in another spelling",
            with_header(r#"{"alg":"ES256","\u0062\u00364":false}"#),
            "header_member_type",
        ),
        ("zip", headed(json!({ "zip": "DEF" })), "header_member_type"),
        ("zip is null", headed(json!({ "zip": null })), "header_member_type"),
        ("enc", headed(json!({ "enc": "A256GCM" })), "header_member_type"),
        ("enc is null", headed(json!({ "enc": null })), "header_member_type"),
    ];
    for value in [json!(false), json!(null), json!(0), json!(1), json!("true"), json!("false"), json!([true])]
    {
        rows.push(("b64 that is not true", headed(json!({ "b64": value })), "header_member_type"));
    }
    expect(rows);
}

#[test]
fn typ() {
    let typ = |typ: &str| headed(json!({ "typ": typ }));
    let mut rows: Vec<Row> = vec![("no typ", headed(json!({ "typ": "<absent>" })), "accepted")];
    for name in [
        "JWT",
        "jwt",
        "Jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/AT+jwt",
        "application/jwt",
        "APPLICATION/JWT",
    ] {
        rows.push((name, typ(name), "accepted"));
    }
    for name in [
        "",
        " ",
        " JWT",
        "JWT ",
        "JOSE",
        "JWE",
        "at+jwtx",
        "xat+jwt",
        "at-jwt",
        "+jwt",
        "dpop+jwt",
        "id+jwt",
        "logout+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "oauth-id-jag+jwt",
        "token-introspection+jwt",
        "application/",
        "application/dpop+jwt",
        "application/application/jwt",
        "text/jwt",
        "at+jwt;charset=utf-8",
        "at+jwt,jwt",
        "at\u{200b}+jwt",
    ] {
        rows.push((name, typ(name), "typ_not_allowed"));
    }
    expect(rows);
}

#[test]
fn names_of_algorithms_and_keys() {
    let alg = |name: &str| headed(json!({ "alg": name }));
    let kid = |name: &str| headed(json!({ "kid": name }));
    let mut rows: Vec<Row> = vec![
        ("no kid, and one key that fits", headed(json!({ "kid": "<absent>" })), "accepted"),
        ("a long kid", kid(&"k".repeat(5000)), "kid_unknown"),
    ];
    for name in [
        "",
        "none",
        "None",
        "NONE",
        "es256",
        "Es256",
        "ES256 ",
        " ES256",
        "ES256K",
        "ES-256",
        "HS256",
        "HS512",
        "RS256",
        "RS1",
        "PS256",
        "ES384",
        "ES512",
        "EdDSA",
        "Ed25519",
        "Ed448",
        "ML-DSA-44",
        "dir",
        "RSA-OAEP",
        "ES256\u{0}",
    ] {
        rows.push((name, alg(name), "alg_not_allowed"));
    }
    for name in
        ["", "ES-1", "es-1 ", " es-1", "es-2", "es", "es-11", "../es-1", "es-1\u{0}", "es-1' OR '1'='1"]
    {
        rows.push((name, kid(name), "kid_unknown"));
    }
    expect(rows);
}

#[test]
fn a_token_does_not_choose_its_key() {
    let own = stranger().public_jwk();
    let pointing = json!({
        "jwk": own, "jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert", "x5c": ["MIIB"], "x5t": "AAAA",
    });
    let by_stranger = |changes: &Value| {
        stranger().token(&with(header(), changes.clone()).to_string(), &claims().to_string())
    };
    let mut rows: Vec<Row> = vec![
        ("all of them, by a stranger", by_stranger(&pointing), "signature_invalid"),
        (
            "all of them, by a stranger, without kid",
            by_stranger(&with(pointing.clone(), json!({ "kid": "<absent>" }))),
            "signature_invalid",
        ),
        ("all of them, by the issuer", headed(pointing.clone()), "accepted"),
        (
            "of any type",
            headed(json!({ "jwk": null, "jku": 1, "x5u": [], "x5c": {}, "x5t": true })),
            "accepted",
        ),
        ("a member nobody knows", headed(json!({ "nonce": "n", "x": false })), "accepted"),
    ];
    for name in ["jwk", "jku", "x5u", "x5c"] {
        rows.push((name, by_stranger(&json!({ name: pointing[name] })), "signature_invalid"));
    }
    expect(rows);
}
