//! The assertion: what it says, that our own verification takes it with the published keys, and
//! that no setting can make it say what is ours to say.

use std::rc::Rc;

use mcp_edge_auth::keys::set::{KeySet, Material};
use mcp_edge_auth::origin::assertion::{Assertion, Carrier, RESERVED};
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::token::verify::Verified;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::support::engine::{run, run_with};
use crate::support::es256::trusted;
use crate::support::{
    self, CANONICAL, ISSUER, NOW, ORIGIN, b64, claims, config, for_each_row, read, resource, same, settings,
    with,
};

const SECRET: [u8; 32] = [7; 32];

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&SECRET).unwrap()
}

fn public() -> (Vec<u8>, Vec<u8>) {
    let point = signing_key().verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    (x.to_vec(), y.to_vec())
}

fn private_jwk() -> Value {
    let (x, y) = public();
    json!({ "kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y), "d": b64(SECRET), "kid": "ours" })
}

fn asserting(changes: Value) -> Value {
    let on = json!({ "MCP_SERVER_AUTH_ASSERTION": "header", "MCP_SERVER_AUTH_ASSERTION_KEY": private_jwk() });
    with(with(settings(), on), changes)
}

/// Settings with assertions, their keys judged as the runtime would.
fn judged(settings: &Value) -> Config {
    let config = config(settings);
    let (x, y) = public();
    let material = Material::Ec { crv: "P-256", x, y };
    config.signing.as_ref().unwrap().publish(&[Some(material)]).unwrap();
    config
}

fn verified(changes: Value) -> Verified {
    let config = config(&settings());
    let token = trusted().with_claims(&with(claims(), changes));
    run_with(resource(&config), &token, &trusted().key_set()).verdict.unwrap()
}

fn assertion_of(config: &Config) -> &Assertion {
    resource(config).assertion.as_ref().unwrap()
}

fn input(config: &Config, verified: &Verified) -> String {
    let header = config.signing.as_ref().unwrap().header().unwrap();
    assertion_of(config).signing_input(header, verified, NOW, "jti-1")
}

/// The claims of an assertion, as text.
fn said(config: &Config, changes: Value) -> String {
    let input = input(config, &verified(changes));
    let payload = input.split('.').nth(1).unwrap();
    String::from_utf8(support::unb64(payload)).unwrap()
}

#[test]
fn what_it_says() {
    let config = judged(&asserting(json!({})));
    let said = said(&config, json!({ "client_id": "client-1", "scope": "a b", "email": "user@example.com" }));
    assert_eq!(
        said,
        format!(
            r#"{{"iss":"https://mcp.example.com","aud":"{ORIGIN}","sub":"user-1","exp":{},"iat":{NOW},"jti":"jti-1","client_id":"client-1","scope":"a b","idp":"{ISSUER}"}}"#,
            NOW + 60
        )
    );
    let header = config.signing.as_ref().unwrap().header().unwrap();
    assert_eq!(support::unb64(header), br#"{"typ":"at+jwt","alg":"ES256","kid":"ours"}"#);
}

#[test]
fn our_own_verification_takes_it() {
    let ours = judged(&asserting(json!({})));
    let input = input(&ours, &verified(json!({ "client_id": "client-1", "scope": "a b" })));
    let signature: Signature = signing_key().sign(input.as_bytes());
    let assertion = format!("{input}.{}", b64(signature.to_bytes()));
    let mcp_edge_auth::admission::Decision::Serve(answer, "signing_keys") = mcp_edge_auth::admission::decide(
        Some(&ours),
        &support::head("GET", "https://mcp.example.com/.well-known/mcp-edge-auth/jwks.json"),
    ) else {
        panic!("the keys are not served")
    };
    let document = answer.body.unwrap();
    assert!(!document.contains(&b64(SECRET)) && !document.contains("\"d\""), "{document}");
    let set = Rc::new(KeySet::parse(&document).unwrap());
    // As the origin would be set: it trusts the Worker's host, for its own URL.
    let origin = |audience: &str| {
        config(&json!({
            "MCP_SERVER_AUTH_CANONICAL_URL": "https://origin.internal.example/srv",
            "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [{
                "authorization_server_url": "https://mcp.example.com",
                "jwks_uri": "https://mcp.example.com/.well-known/mcp-edge-auth/jwks.json",
                "algorithm": "ES256",
                "expected_audiences": [audience],
            }],
            "ORIGIN_URL": "http://127.0.0.1:1",
        }))
    };
    let reason = |audience: &str, token: &str, now: u64| {
        let origin = origin(audience);
        run(resource(&origin), token, now, |_, _| Ok(Rc::clone(&set))).reason()
    };
    let forged = assertion.replace(&input, &with_subject(&input, "admin"));
    for_each_row(
        [
            ("good", ORIGIN, assertion.as_str(), NOW, "accepted"),
            ("expired", ORIGIN, &assertion, NOW + 120, "token_expired"),
            ("replayed", "https://elsewhere.example", &assertion, NOW, "aud_mismatch"),
            ("forged", ORIGIN, &forged, NOW, "signature_invalid"),
        ],
        |(name, audience, token, now, expected)| same(name, reason(audience, token, *now), *expected),
    );
}

fn with_subject(input: &str, subject: &str) -> String {
    let (header, payload) = input.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&support::unb64(payload)).unwrap();
    format!("{header}.{}", b64(with(claims, json!({ "sub": subject })).to_string()))
}

#[test]
fn what_the_settings_change() {
    let (issuer, audience) = ("MCP_SERVER_AUTH_ASSERTION_ISSUER", "MCP_SERVER_AUTH_ASSERTION_AUDIENCE");
    let names = "MCP_SERVER_AUTH_ASSERTION_CLAIMS";
    let rows = [
        ("an issuer", json!({ issuer: "us" }), json!({}), r#""iss":"us","#),
        ("one audience", json!({ audience: ["a"] }), json!({}), r#""aud":"a","#),
        ("two audiences", json!({ audience: ["a", "b"] }), json!({}), r#""aud":["a","b"],"#),
        (
            "a canonical URL with a port",
            json!({ support::CANONICAL_URL: "http://localhost:8787/mcp" }),
            json!({}),
            r#""iss":"http://localhost:8787","#,
        ),
        ("a claim", json!({ names: ["email"] }), json!({ "email": "e" }), r#""email":"e"}"#),
        ("a claim that is null", json!({ names: ["x"] }), json!({ "x": null }), r#""x":null}"#),
        (
            "a claim that is not there",
            json!({ names: ["x"] }),
            json!({}),
            "\"idp\":\"https://auth.example.com\"}",
        ),
        ("renamed", json!({ names: { "email": "mail" } }), json!({ "email": "e" }), r#""mail":"e"}"#),
        (
            "ours, under another name",
            json!({ names: { "iss": "from" } }),
            json!({}),
            r#""from":"https://auth.example.com"}"#,
        ),
        ("a great number", json!({ names: ["n"] }), json!({ "n": u64::MAX }), r#""n":18446744073709551615}"#),
        ("a small number", json!({ names: ["n"] }), json!({ "n": -1.5e-7 }), r#""n":-1.5e-7}"#),
        (
            "nested",
            json!({ names: ["n"] }),
            json!({ "n": { "a": [1, { "b": "\u{1f642}\"" }] } }),
            "\"n\":{\"a\":[1,{\"b\":\"\u{1f642}\\\"\"}]}}",
        ),
        ("azp", json!({}), json!({ "azp": "c" }), r#""client_id":"c","#),
        ("scopes as an array", json!({}), json!({ "scp": ["a", "b c", "d"] }), r#""scope":"a d","#),
    ];
    for_each_row(rows, |(name, changes, claims, expected)| {
        let said = said(&judged(&asserting(changes.clone())), claims.clone());
        if said.contains(expected) { Ok(()) } else { Err(format!("{name}: {said}")) }
    });
}

#[test]
fn what_is_ours_cannot_be_overwritten() {
    let names = "MCP_SERVER_AUTH_ASSERTION_CLAIMS";
    for reserved in RESERVED {
        for value in [json!([reserved]), json!({ "email": reserved }), json!(["ok", reserved])] {
            let faults = read(&asserting(json!({ names: value }))).unwrap_err();
            assert_eq!(faults.len(), 1, "{reserved}");
            assert!(faults[0].variable == names && faults[0].expected.contains(reserved), "{}", faults[0]);
        }
    }
}

#[test]
fn faults() {
    let variable = |name: &str| format!("MCP_SERVER_AUTH_{name}");
    let set = |name: &str, value: Value| asserting(json!({ variable(name): value }));
    let rows = [
        ("another mode", set("ASSERTION", json!("yes")), "ASSERTION"),
        ("a switch for a mode", set("ASSERTION", json!(true)), "ASSERTION"),
        ("no key", set("ASSERTION_KEY", json!("<absent>")), "ASSERTION_KEY"),
        (
            "a key that is none, while off",
            with(set("ASSERTION", json!("off")), json!({ "MCP_SERVER_AUTH_ASSERTION_KEY": "s3cret" })),
            "ASSERTION_KEY",
        ),
        ("claims as text", set("ASSERTION_CLAIMS", json!("email")), "ASSERTION_CLAIMS"),
        ("claims that are no text", set("ASSERTION_CLAIMS", json!([1])), "ASSERTION_CLAIMS"),
        ("an empty claim", set("ASSERTION_CLAIMS", json!([""])), "ASSERTION_CLAIMS"),
        ("an empty new name", set("ASSERTION_CLAIMS", json!({ "email": "" })), "ASSERTION_CLAIMS"),
        ("a claim twice", set("ASSERTION_CLAIMS", json!(["a", "a"])), "ASSERTION_CLAIMS.a"),
        ("two of one new name", set("ASSERTION_CLAIMS", json!({ "a": "c", "b": "c" })), "ASSERTION_CLAIMS.b"),
        ("two issuers", set("ASSERTION_ISSUER", json!(["a", "b"])), "ASSERTION_ISSUER"),
        ("an issuer that is no text", set("ASSERTION_ISSUER", json!(1)), "ASSERTION_ISSUER"),
        ("no audience", set("ASSERTION_AUDIENCE", json!([])), "ASSERTION_AUDIENCE"),
    ];
    for_each_row(rows, |(name, settings, expected)| {
        let places: Vec<String> = match read(settings) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
        };
        same(name, places, vec![variable(expected)])
    });
}

#[test]
fn off_there_is_none() {
    for changes in
        [json!({ "MCP_SERVER_AUTH_ASSERTION": "off" }), json!({ "MCP_SERVER_AUTH_ASSERTION": "<absent>" })]
    {
        let config = config(&asserting(changes));
        assert!(resource(&config).assertion.is_none() && config.signing.is_none());
    }
    let bearer = config(&asserting(json!({ "MCP_SERVER_AUTH_ASSERTION": "bearer" })));
    assert_eq!(assertion_of(&bearer).carrier, Carrier::Bearer);
}

#[test]
fn before_the_keys_were_judged_none_is_published() {
    let config = config(&asserting(json!({})));
    let keys = config.signing.as_ref().unwrap();
    assert!(keys.header().is_none());
    assert!(keys.publish(&[None]).is_err() && keys.publish(&[]).is_err() && keys.header().is_none());
    assert_eq!(
        support::decided(
            &config,
            &support::head("GET", "https://mcp.example.com/.well-known/mcp-edge-auth/jwks.json")
        )
        .refusal(),
        mcp_edge_auth::refusal::Refusal::NotFound
    );
}

#[test]
fn the_canonical_url_is_not_where_the_keys_are() {
    for path in
        ["/.well-known/mcp-edge-auth", "/.well-known/mcp-edge-auth/jwks.json", "/.well-known/mcp-edge-auth/x"]
    {
        let url = format!("https://mcp.example.com{path}");
        assert!(read(&with(settings(), json!({ support::CANONICAL_URL: url }))).is_err(), "{path}");
    }
    assert!(read(&with(settings(), json!({ support::CANONICAL_URL: CANONICAL }))).is_ok());
}

#[test]
fn nothing_private_is_printed() {
    let config = judged(&asserting(
        json!({ "ORIGIN_HEADERS": { "X-Shared": "s3cret" }, "MCP_SERVER_AUTH_SESSION_KEY": "s3cret".repeat(8) }),
    ));
    let printed = format!("{config:?}");
    for private in [b64(SECRET), "s3cret".to_owned(), "7, 7, 7, 7".to_owned(), format!("{:?}", b"s3cret")] {
        assert!(!printed.contains(&private), "{printed}");
    }
}
