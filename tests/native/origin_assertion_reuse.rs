//! An assertion serves again for the same token at the same resource, for half a minute, once its
//! signature has come; and for nothing else.

use mcp_edge_auth::origin::assertion::reuse::Reuse;
use mcp_edge_auth::token::verify::Verified;
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::{header, trusted};
use crate::support::{
    self, CANONICAL, ISSUER, NOW, claims, config, for_each_row, resource, same, settings, with, with_entries,
};

fn accepted(settings: &Value, token: &str) -> Verified {
    let config = config(settings);
    run_with(resource(&config), token, &trusted().key_set()).verdict.unwrap()
}

fn verified(changes: Value) -> Verified {
    accepted(&settings(), &trusted().with_claims(&with(claims(), changes)))
}

/// One assertion, signed, for `verified(json!({}))` at the usual resource and time.
fn kept() -> Reuse {
    let mut reuse = Reuse::default();
    reuse.signing(CANONICAL, &verified(json!({})), NOW, 1.0, "a.b");
    reuse.signed(1.0, "c");
    reuse
}

#[test]
fn the_same_token_and_no_other() {
    let other_header =
        trusted().token(&with(header(), json!({ "typ": "JWT" })).to_string(), &claims().to_string());
    // One token, and two entries that may accept it: which of them did is said in `idp`.
    let lax = with_entries(json!([{
        "authorization_server_url": "https://lax.example", "jwks_uri": support::JWKS_URI, "algorithm": "ES256", "validation_options": { "verify_iss": false },
    }]));
    let by_another_entry = accepted(&lax, &trusted().with_claims(&claims()));
    assert_ne!(by_another_entry.permit().identity().issuer(), ISSUER);
    // Two entries of one issuer that do not look for the client in the same claim.
    let keycloak = with_entries(json!([{
        "provider": "keycloak", "authorization_server_url": ISSUER, "issuer": ISSUER, "jwks_uri": support::JWKS_URI, "algorithm": "ES256",
    }]));
    let by_other_names = accepted(&keycloak, &trusted().with_claims(&claims()));
    assert_eq!(by_other_names.permit().identity().issuer(), ISSUER);
    // Or of one issuer that do not look for the subject in the same claim.
    let mailed = json!({ "email": "u@example.com" });
    let by_email = with_entries(json!([with(support::entry(), json!({ "subject": "email" }))]));
    let by_another_subject = accepted(&by_email, &trusted().with_claims(&with(claims(), mailed.clone())));
    let mut mailed_kept = Reuse::default();
    mailed_kept.signing(CANONICAL, &verified(mailed), NOW, 1.0, "a.b");
    mailed_kept.signed(1.0, "c");
    assert_eq!(mailed_kept.find(CANONICAL, &by_another_subject, NOW), None);
    let rows = [
        ("the same", CANONICAL, verified(json!({})), NOW, true),
        ("at its end", CANONICAL, verified(json!({})), NOW + 29, true),
        ("past it", CANONICAL, verified(json!({})), NOW + 30, false),
        ("a clock that went back", CANONICAL, verified(json!({})), NOW - 1, false),
        ("another resource", "https://mcp.example.com/other", verified(json!({})), NOW, false),
        ("another subject", CANONICAL, verified(json!({ "sub": "user-2" })), NOW, false),
        ("another claim", CANONICAL, verified(json!({ "x": 1 })), NOW, false),
        ("another header", CANONICAL, accepted(&settings(), &other_header), NOW, false),
        ("accepted by another entry", CANONICAL, by_another_entry, NOW, false),
        ("accepted by another entry of the same issuer", CANONICAL, by_other_names, NOW, false),
    ];
    for_each_row(rows, |(name, resource, verified, now, serves)| {
        same(name, kept().find(resource, verified, *now), serves.then_some("a.b.c"))
    });
}

#[test]
fn not_before_its_signature_has_come_and_only_by_its_own() {
    let token = verified(json!({}));
    let mut reuse = Reuse::default();
    reuse.signing(CANONICAL, &token, NOW, 1.0, "a.b");
    assert_eq!(reuse.find(CANONICAL, &token, NOW), None);
    reuse.signed(2.0, "x");
    assert_eq!(reuse.find(CANONICAL, &token, NOW), None);
    reuse.signed(1.0, "c");
    reuse.signed(1.0, "d");
    assert_eq!(reuse.find(CANONICAL, &token, NOW), Some("a.b.c"));
}

#[test]
fn the_newest_serves_and_the_oldest_goes() {
    let (first, second) = (verified(json!({})), verified(json!({ "sub": "user-2" })));
    let mut reuse = kept();
    for (ticket, now) in (2..).zip(NOW..NOW + 255) {
        reuse.signing(CANONICAL, &second, now, f64::from(ticket), "d.e");
        reuse.signed(f64::from(ticket), &ticket.to_string());
    }
    assert_eq!(reuse.find(CANONICAL, &first, NOW), Some("a.b.c"));
    assert_eq!(reuse.find(CANONICAL, &second, NOW + 255), Some("d.e.256"));
    reuse.signing(CANONICAL, &second, NOW, 1000.0, "d.e");
    assert_eq!(reuse.find(CANONICAL, &first, NOW), None);
}

#[test]
fn long_tokens_are_not_kept() {
    let long = verified(json!({ "x": "x".repeat(4000) }));
    let mut reuse = Reuse::default();
    reuse.signing(CANONICAL, &long, NOW, 1.0, "a.b");
    reuse.signed(1.0, "c");
    assert_eq!(reuse.find(CANONICAL, &long, NOW), None);
}
