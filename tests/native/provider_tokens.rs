//! Tokens as the providers for people make them, at entries with a `provider`: their own access
//! tokens for this resource get in, and nothing else does.

use serde_json::{Value, json};

use crate::support::providers::{TENANT, expect, least, said, verify};
use crate::support::{CANONICAL, NOW, for_each_row, same, with};

#[test]
fn cognito() {
    let iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12";
    let access = json!({ "iss": iss, "client_id": "app-1", "token_use": "access", "scope": "mcp/read", "cognito:groups": ["g"] });
    let changed = |changes: Value| with(access.clone(), changes);
    expect(
        &least("cognito"),
        None,
        vec![
            ("an access token", access.clone(), "app-1 mcp/read"),
            ("bound to this resource", changed(json!({ "aud": CANONICAL })), "app-1 mcp/read"),
            ("bound to another", changed(json!({ "aud": "https://other.example" })), "aud_mismatch"),
            ("aud null", changed(json!({ "aud": null })), "aud_malformed"),
            ("aud empty", changed(json!({ "aud": [] })), "aud_mismatch"),
            ("another client", changed(json!({ "client_id": "app-2" })), "client_mismatch"),
            ("a longer client", changed(json!({ "client_id": "app-12" })), "client_mismatch"),
            (
                "another client, this resource",
                changed(json!({ "client_id": "app-2", "aud": CANONICAL })),
                "client_mismatch",
            ),
            ("no client", changed(json!({ "client_id": "<absent>" })), "client_missing"),
            (
                "no client, this resource",
                changed(json!({ "client_id": "<absent>", "aud": CANONICAL })),
                "client_missing",
            ),
            (
                "the client elsewhere",
                changed(json!({ "client_id": "<absent>", "azp": "app-1" })),
                "client_missing",
            ),
            ("a list of clients", changed(json!({ "client_id": ["app-1"] })), "client_missing"),
            ("an empty client", changed(json!({ "client_id": "" })), "client_missing"),
            (
                "an ID token",
                changed(json!({ "token_use": "id", "client_id": "<absent>", "aud": "app-1" })),
                "aud_mismatch",
            ),
            ("an ID token like an access token", changed(json!({ "token_use": "id" })), "claim_mismatch"),
            ("no token_use", changed(json!({ "token_use": "<absent>" })), "claim_mismatch"),
            ("token_use in capitals", changed(json!({ "token_use": "Access" })), "claim_mismatch"),
            ("token_use in an array", changed(json!({ "token_use": ["access"] })), "claim_mismatch"),
            ("another pool", changed(json!({ "iss": iss.replace("Ab12", "Ab13") })), "issuer_untrusted"),
            ("no sub", changed(json!({ "sub": "" })), "sub_missing"),
            ("expired", changed(json!({ "exp": NOW - 999 })), "token_expired"),
        ],
    );
}

#[test]
fn supabase() {
    let iss = "https://abcdefgh.supabase.co/auth/v1";
    let access = json!({ "iss": iss, "aud": "authenticated", "role": "authenticated", "client_id": "app-1" });
    let changed = |changes: Value| with(access.clone(), changes);
    expect(
        &least("supabase"),
        Some("JWT"),
        vec![
            ("an OAuth token", access.clone(), "app-1 -"),
            ("the website's own session", changed(json!({ "client_id": "<absent>" })), "client_missing"),
            ("another client's", changed(json!({ "client_id": "app-2" })), "client_mismatch"),
            ("of an anonymous visitor", changed(json!({ "aud": "anon" })), "aud_mismatch"),
            ("no aud", changed(json!({ "aud": "<absent>" })), "aud_missing"),
        ],
    );
}

#[test]
fn okta_and_ory() {
    let iss = "https://acme.okta.com/oauth2/default";
    let access = json!({ "iss": iss, "aud": CANONICAL, "cid": "0oa1", "scp": ["tools:read", "openid"], "uid": "00u1" });
    let changed = |changes: Value| with(access.clone(), changes);
    expect(
        &least("okta"),
        None,
        vec![
            ("scopes in an array", access.clone(), "0oa1 tools:read openid"),
            ("the default audience", changed(json!({ "aud": "api://default" })), "aud_mismatch"),
            (
                "the org authorization server",
                changed(json!({ "iss": "https://acme.okta.com" })),
                "issuer_untrusted",
            ),
            (
                "a client_id of another's making",
                changed(json!({ "client_id": "x" })),
                "0oa1 tools:read openid",
            ),
        ],
    );
    let listed = with(least("okta"), json!({ "expected_clients": ["0oa2", "0oa1"] }));
    expect(
        &listed,
        None,
        vec![
            ("a listed client", access.clone(), "0oa1 tools:read openid"),
            ("another", changed(json!({ "cid": "0oa3" })), "client_mismatch"),
            (
                "listed under another name",
                changed(json!({ "cid": "<absent>", "client_id": "0oa1" })),
                "client_missing",
            ),
        ],
    );
    let ory = json!({ "iss": "https://acme.projects.oryapis.com", "aud": [CANONICAL], "client_id": "c", "scp": ["a", "b"] });
    expect(
        &least("ory"),
        None,
        vec![
            ("scopes in an array", ory.clone(), "c a b"),
            ("no audience", with(ory, json!({ "aud": [] })), "aud_mismatch"),
        ],
    );
}

#[test]
fn entra_id() {
    let v2 = json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": "app-1", "azp": "client-2", "scp": "tools.read tools.write" });
    let v1 = json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": "api://app-1", "appid": "client-1", "scp": "tools.read" });
    let of = |claims: &Value, changes: Value| with(claims.clone(), changes);
    expect(
        &least("entra-id"),
        Some("JWT"),
        vec![
            ("v2", v2.clone(), "client-2 tools.read tools.write"),
            ("v1", v1.clone(), "client-1 tools.read"),
            (
                "a daemon with roles",
                of(&v2, json!({ "scp": "<absent>", "roles": ["Tools.All", "two words"] })),
                "client-2 Tools.All",
            ),
            ("scopes and roles", of(&v2, json!({ "roles": ["Admin"] })), "client-2 tools.read tools.write"),
            ("a daemon with none", of(&v2, json!({ "scp": "<absent>" })), "claim_mismatch"),
            ("no scope and no role", of(&v2, json!({ "scp": "", "roles": [] })), "claim_mismatch"),
            ("null for a scope", of(&v2, json!({ "scp": null })), "claim_mismatch"),
            (
                "an ID token for the application",
                of(&v2, json!({ "scp": "<absent>", "azp": "<absent>", "nonce": "n" })),
                "claim_mismatch",
            ),
            (
                "v1 without its slash",
                of(&v1, json!({ "iss": format!("https://sts.windows.net/{TENANT}") })),
                "issuer_untrusted",
            ),
            (
                "another tenant",
                of(
                    &v2,
                    json!({ "iss": format!("https://login.microsoftonline.com/{}/v2.0", TENANT.replace('1', "2")) }),
                ),
                "issuer_untrusted",
            ),
            (
                "for Microsoft Graph",
                of(&v1, json!({ "aud": "00000003-0000-0000-c000-000000000000" })),
                "aud_mismatch",
            ),
            ("for this server's URL", of(&v2, json!({ "aud": CANONICAL })), "aud_mismatch"),
            // `use_guid`: the ID in a v1 token.
            ("v1 for the ID", of(&v1, json!({ "aud": "app-1" })), "client-1 tools.read"),
        ],
    );
}

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
