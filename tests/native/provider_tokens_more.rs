//! More tokens as the providers make them, at entries with a `provider`: their own access tokens for this resource get in, and nothing else does.

use mcp_edge_auth::presets::{PRESETS, Preset};
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::{header, trusted};
use crate::support::providers::{expect, least, one, said, verify};
use crate::support::{self, CANONICAL, NOW, for_each_row, resource, same, with};

#[test]
fn those_with_an_audience_of_their_own() {
    let google = json!({ "iss": "https://accounts.google.com", "aud": "1-a.apps.googleusercontent.com", "azp": "1-b.apps.googleusercontent.com", "email": "a@acme.example" });
    expect(
        &least("google"),
        Some("JWT"),
        vec![
            ("an ID token", google.clone(), "1-b.apps.googleusercontent.com -"),
            (
                "without https",
                with(google.clone(), json!({ "iss": "accounts.google.com" })),
                "1-b.apps.googleusercontent.com -",
            ),
            (
                "for another application",
                with(google, json!({ "aud": "2-c.apps.googleusercontent.com" })),
                "aud_mismatch",
            ),
        ],
    );
    let zitadel = json!({ "iss": "https://acme-1.zitadel.cloud", "aud": ["3001@acme", "2001"], "client_id": "3001@acme",
        "urn:zitadel:iam:org:project:roles": { "reader": { "1": "acme.example" }, "two words": {}, "writer": {} } });
    expect(
        &least("zitadel"),
        None,
        vec![
            ("roles in an object", zitadel.clone(), "3001@acme reader writer"),
            ("a scope of no use", with(zitadel.clone(), json!({ "scope": 5 })), "3001@acme -"),
            ("a scope, too", with(zitadel.clone(), json!({ "scope": "tools" })), "3001@acme tools"),
            ("without the project", with(zitadel, json!({ "aud": ["3001@acme"] })), "aud_mismatch"),
        ],
    );
    let authentik = json!({ "iss": "https://auth.acme.example/application/o/mcp/", "aud": "app-1", "azp": "app-1", "uid": "x" });
    expect(
        &least("authentik"),
        Some("JWT"),
        vec![
            ("an access token", authentik.clone(), "app-1 -"),
            (
                "an ID token",
                with(authentik.clone(), json!({ "azp": "<absent>", "at_hash": "h" })),
                "claim_mismatch",
            ),
            (
                "without the slash",
                with(authentik, json!({ "iss": "https://auth.acme.example/application/o/mcp" })),
                "issuer_untrusted",
            ),
        ],
    );
    let scalekit = json!({ "iss": "https://acme.scalekit.com/resources/res_1", "aud": ["res_1"], "client_id": "c", "scope": "tools:read" });
    expect(
        &least("scalekit"),
        None,
        vec![
            ("the resource's issuer", scalekit.clone(), "c tools:read"),
            (
                "the environment's issuer",
                with(scalekit.clone(), json!({ "iss": "https://acme.scalekit.com" })),
                "c tools:read",
            ),
            (
                "another resource, the environment's issuer",
                with(scalekit.clone(), json!({ "iss": "https://acme.scalekit.com", "aud": ["res_2"] })),
                "aud_mismatch",
            ),
            (
                "another resource's issuer",
                with(scalekit, json!({ "iss": "https://acme.scalekit.com/resources/res_2" })),
                "issuer_untrusted",
            ),
        ],
    );
    let descope = json!({ "iss": "https://api.descope.com/v1/apps/agentic/P2abc/MS2def", "aud": ["client", "P2abc"], "azp": "client", "scope": "t" });
    expect(
        &least("descope"),
        None,
        vec![
            ("an access token", descope.clone(), "client t"),
            (
                "another server of the project",
                with(descope, json!({ "iss": "https://api.descope.com/v1/apps/agentic/P2abc/MS2xyz" })),
                "issuer_untrusted",
            ),
        ],
    );
    let stytch = json!({ "iss": "https://acme.customers.stytch.com", "aud": ["project-live-1"], "client_id": "c", "scope": "openid" });
    expect(&least("stytch"), None, vec![("an access token", stytch, "c openid")]);
}

#[test]
fn machines() {
    let actions = json!({ "iss": "https://token.actions.githubusercontent.com", "aud": CANONICAL, "sub": "repo:acme/tools:ref:refs/heads/main",
        "repository": "acme/tools", "repository_owner": "acme" });
    let changed = |changes: Value| with(actions.clone(), changes);
    expect(
        &least("github-actions"),
        Some("JWT"),
        vec![
            ("a workflow", actions.clone(), "acme/tools -"),
            (
                "somebody else's",
                changed(json!({ "repository": "evil/tools", "repository_owner": "evil" })),
                "claim_mismatch",
            ),
            ("no owner", changed(json!({ "repository_owner": "<absent>" })), "claim_mismatch"),
            ("the default audience", changed(json!({ "aud": "https://github.com/acme" })), "aud_mismatch"),
        ],
    );
    expect(
        &with(least("github-actions"), json!({ "expected_clients": ["acme/tools"] })),
        Some("JWT"),
        vec![
            ("the listed repository", actions.clone(), "acme/tools -"),
            ("another", changed(json!({ "repository": "acme/site" })), "client_mismatch"),
        ],
    );
    let access = json!({ "iss": "https://acme.cloudflareaccess.com", "aud": ["aud-tag"], "type": "app", "email": "a@acme.example" });
    expect(
        &least("cloudflare-access"),
        None,
        vec![
            ("an application token", access.clone(), "- -"),
            ("a global session", with(access.clone(), json!({ "type": "org" })), "claim_mismatch"),
            ("another application", with(access.clone(), json!({ "aud": ["other"] })), "aud_mismatch"),
            (
                "a service token, which names nobody",
                with(access, json!({ "sub": "", "common_name": "x.access" })),
                "sub_missing",
            ),
        ],
    );
}

#[test]
fn the_usual_ones() {
    let rows = [
        (
            "workos-authkit",
            json!({ "iss": "https://acme.authkit.app", "aud": CANONICAL, "client_id": "c", "scope": "openid" }),
            "c openid",
        ),
        (
            "auth0",
            json!({ "iss": "https://acme.eu.auth0.com/", "aud": [CANONICAL, "https://acme.eu.auth0.com/userinfo"], "azp": "c", "scope": "a", "permissions": ["b"] }),
            "c a",
        ),
        (
            "auth0",
            json!({ "iss": "https://acme.eu.auth0.com/", "aud": CANONICAL, "azp": "c", "permissions": ["b"] }),
            "c b",
        ),
        ("auth0", json!({ "iss": "https://acme.eu.auth0.com", "aud": CANONICAL }), "issuer_untrusted"),
        (
            "keycloak",
            json!({ "iss": "https://id.acme.example:8443/realms/main", "aud": [CANONICAL, "account"], "azp": "c", "scope": "openid profile" }),
            "c openid profile",
        ),
        (
            "keycloak",
            json!({ "iss": "https://id.acme.example:8443/realms/main", "aud": "account", "azp": "c" }),
            "aud_mismatch",
        ),
        ("keycloak", json!({ "iss": "https://id.acme.example:8443/realms/main", "azp": "c" }), "aud_missing"),
        (
            "logto",
            json!({ "iss": "https://acme.logto.app/oidc", "aud": CANONICAL, "client_id": "c", "scope": "a b" }),
            "c a b",
        ),
    ];
    for_each_row(rows, |(provider, claims, expected)| {
        same(
            &format!("{provider} {claims}"),
            said(&verify(&least(provider), Some("JWT"), claims)).as_str(),
            *expected,
        )
    });
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
    // Whatever the provider: another issuer, another key, no subject, an expired token and a bound one stay outside.
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
