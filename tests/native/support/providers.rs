//! Entries with a `provider`, each with the least that it needs, and what becomes of tokens there.

use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use super::engine::{Run, run_with};
use super::es256::{header, trusted};
use super::{NOW, config, for_each_row, resource, same, with, with_entries};

pub const TENANT: &str = "11112222-3333-4444-5555-666677778888";

/// The least that an entry with this provider says.
pub fn least(provider: &str) -> Value {
    let fields = match provider {
        "workos-authkit" => json!({ "domain": "acme.authkit.app" }),
        "auth0" => json!({ "domain": "acme.eu.auth0.com" }),
        "okta" => json!({ "domain": "acme.okta.com" }),
        "entra-id" => json!({ "tenant": TENANT, "expected_audiences": ["app-1", "api://app-1"] }),
        "keycloak" => json!({ "domain": "id.acme.example:8443", "realm": "main" }),
        "descope" => json!({ "project": "P2abc", "server": "MS2def" }),
        "stytch" => {
            json!({ "domain": "acme.customers.stytch.com", "expected_audiences": ["project-live-1"] })
        }
        "clerk" => json!({ "domain": "clerk.acme.example" }),
        "cognito" => {
            json!({ "region": "eu-central-1", "pool": "eu-central-1_Ab12", "expected_clients": ["app-1"] })
        }
        "google" => json!({ "expected_audiences": ["1-a.apps.googleusercontent.com"] }),
        "supabase" => json!({ "project": "abcdefgh", "expected_clients": ["app-1"] }),
        "zitadel" => json!({ "domain": "acme-1.zitadel.cloud", "expected_audiences": ["2001"] }),
        "authentik" => {
            json!({ "domain": "auth.acme.example", "application": "mcp", "expected_audiences": ["app-1"] })
        }
        "ory" => json!({ "domain": "acme.projects.oryapis.com" }),
        "logto" => json!({ "domain": "acme.logto.app" }),
        "scalekit" => json!({ "domain": "acme.scalekit.com", "resource": "res_1" }),
        "github-actions" => json!({ "owner": "acme" }),
        "cloudflare-access" => json!({ "team": "acme", "expected_audiences": ["aud-tag"] }),
        other => panic!("no entry for {other}"),
    };
    with(fields, json!({ "provider": provider }))
}

/// Settings with one entry.
pub fn one(entry: &Value) -> Config {
    config(&with_entries(json!([entry])))
}

/// Verifies a token over these claims (`iss` among them) at an entry with this provider; everything
/// is signed with ES256 here.
pub fn verify(entry: &Value, typ: Option<&str>, claims: &Value) -> Run {
    let config = one(&with(entry.clone(), json!({ "algorithm": "ES256" })));
    let times = json!({ "sub": "user-1", "exp": NOW + 300, "iat": NOW });
    let header = with(header(), json!({ "typ": typ.unwrap_or("<absent>") }));
    let token = trusted().token(&header.to_string(), &with(times, claims.clone()).to_string());
    run_with(resource(&config), &token, &trusted().key_set())
}

/// A name, the claims, the exact reason or `accepted client=… scopes=…`.
pub type TokenRow = (&'static str, Value, &'static str);

/// The reason, or client and scopes of what was accepted.
pub fn said(run: &Run) -> String {
    let header = |name| run.header(name).unwrap_or("-").to_owned();
    // What the policy decides on is what the origin is told.
    if let Ok(verified) = &run.verdict {
        let scopes: Vec<&str> = verified.scopes().collect();
        assert_eq!(scopes.join(" "), run.header("X-MCP-Auth-Scopes").unwrap_or_default());
        assert_eq!(verified.client_id(), run.header("X-MCP-Auth-Client-Id"));
    }
    match run.reason() {
        "accepted" => format!("{} {}", header("X-MCP-Auth-Client-Id"), header("X-MCP-Auth-Scopes")),
        reason => reason.to_owned(),
    }
}

pub fn expect(entry: &Value, typ: Option<&str>, rows: Vec<TokenRow>) {
    for_each_row(rows, |(name, claims, expected)| {
        same(name, said(&verify(entry, typ, claims)).as_str(), *expected)
    });
}
