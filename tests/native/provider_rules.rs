//! What holds whatever the provider: the type of a token, the clients that an entry lists, and that
//! no preset loosens what every entry demands.

use mcp_edge_auth::settings::presets::{PRESETS, Preset};
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::{header, trusted};
use crate::support::providers::{expect, least, one, verify};
use crate::support::{self, CANONICAL, NOW, config, for_each_row, resource, same, with, with_entries};

#[test]
fn token_types() {
    let clerk = json!({ "iss": "https://clerk.acme.example", "aud": CANONICAL, "client_id": "c", "scope": "profile" });
    expect(&least("clerk"), Some("at+jwt"), vec![("an access token", clerk.clone(), "c profile")]);
    expect(
        &least("clerk"),
        Some("application/AT+JWT"),
        vec![("in its long form", clerk.clone(), "c profile")],
    );
    expect(
        &least("clerk"),
        Some("at+jwt"),
        vec![("without aud", with(clerk.clone(), json!({ "aud": "<absent>" })), "aud_missing")],
    );
    for typ in [Some("JWT"), None] {
        let run = verify(&least("clerk"), typ, &clerk);
        assert_eq!((run.reason(), run.checks, run.asked.len()), ("typ_not_allowed", 0, 0), "{typ:?}");
    }
    // Of two entries with one issuer, the other one may still take it.
    let other = json!({ "authorization_server_url": "https://clerk.acme.example", "jwks_uri": "https://clerk.acme.example/.well-known/jwks.json", "algorithm": "ES256" });
    let both = config(&with_entries(json!([with(least("clerk"), json!({ "algorithm": "ES256" })), other])));
    let token = trusted().token(
        &with(header(), json!({ "typ": "JWT" })).to_string(),
        &with(clerk, json!({ "sub": "u", "exp": NOW + 9 })).to_string(),
    );
    assert_eq!(run_with(resource(&both), &token, &trusted().key_set()).reason(), "accepted");
}

#[test]
fn clients_may_be_listed_without_a_provider() {
    let entry = with(support::entry(), json!({ "expected_clients": ["app-1", "app-2"] }));
    let claims = |changes: Value| with(json!({ "iss": support::ISSUER, "aud": CANONICAL }), changes);
    expect(
        &entry,
        None,
        vec![
            ("client_id", claims(json!({ "client_id": "app-2" })), "app-2 -"),
            ("azp", claims(json!({ "azp": "app-1" })), "app-1 -"),
            ("cid", claims(json!({ "cid": "app-1" })), "app-1 -"),
            (
                "the first that is there counts",
                claims(json!({ "client_id": "x", "azp": "app-1" })),
                "client_mismatch",
            ),
            (
                "also if it is of no use",
                claims(json!({ "client_id": null, "azp": "app-1" })),
                "client_missing",
            ),
            ("none", claims(json!({})), "client_missing"),
            ("aud comes first", claims(json!({ "aud": "<absent>", "client_id": "app-1" })), "aud_missing"),
            ("sub comes after", claims(json!({ "client_id": "x", "sub": "" })), "client_mismatch"),
        ],
    );
}

#[test]
fn no_preset_loosens() {
    // Whatever the provider: another issuer, another key, no subject, an expired token and a bound
    // one stay outside.
    for_each_row(PRESETS.iter(), |preset: &&Preset| {
        let entry = with(least(preset.name), json!({ "algorithm": "ES256" }));
        let config = one(&entry);
        let rules = &resource(&config).entries[0].rules;
        let clients = rules.clients.first().map_or(json!("<absent>"), |c| json!(c));
        let mut good = json!({ "iss": rules.issuer, "aud": rules.audiences[0], "sub": "u", "exp": NOW + 9, "client_id": clients, "azp": "a", "scp": "s" });
        for (name, value) in preset.claims {
            good = with(good, json!({ *name: value.replace("{owner}", "acme") }));
        }
        let reason = |claims: &Value, key: support::es256::Es256| {
            let token = key.token(&header().to_string(), &claims.to_string());
            run_with(resource(&config), &token, &trusted().key_set()).reason()
        };
        same(preset.name, reason(&good, trusted()), "accepted")?;
        for (changes, expected) in [
            (json!({ "iss": "https://evil.example" }), "issuer_untrusted"),
            (json!({ "aud": "https://evil.example" }), "aud_mismatch"),
            (json!({ "sub": "<absent>" }), "sub_missing"),
            (json!({ "exp": "<absent>" }), "exp_missing"),
            (json!({ "exp": NOW - 99 }), "token_expired"),
            (json!({ "nbf": NOW + 99 }), "token_not_yet_valid"),
            (json!({ "cnf": {} }), "token_bound"),
        ] {
            same(
                &format!("{} {changes}", preset.name),
                reason(&with(good.clone(), changes), trusted()),
                expected,
            )?;
        }
        same(preset.name, reason(&good, support::es256::stranger()), "signature_invalid")
    });
}
