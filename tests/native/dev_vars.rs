//! The settings of this machine, secrets included, as `npm run serve` and `wrangler dev` have them:
//! what the check says where it is given them.

use jwt_simple::prelude::*;
use serde_json::{Value, json};

use crate::support::check::told;

const KEY: &str = "MCP_SERVER_AUTH_ASSERTION_KEY";
const CANONICAL: &str = "MCP_SERVER_AUTH_CANONICAL_URL";

fn vars() -> Value {
    json!({
        CANONICAL: "https://mcp.acme.test/mcp",
        "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [{ "authorization_server_url": "https://login.acme.test" }],
        "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES": "mcp",
        "MCP_SERVER_AUTH_ASSERTION": "header",
        "ORIGIN_URL": "https://origin.acme.test/mcp",
    })
}

fn key() -> String {
    ES256KeyPair::generate().to_pem().unwrap()
}

/// The check's word on a file with these variables, where `.dev.vars` has others.
fn check(vars: &Value, dev_vars: Option<&Value>) -> (bool, String) {
    let settings = json!({ "vars": vars, "kv_namespaces": [{ "binding": "JWKS_CACHE" }], "compatibility_date": "2026-04-26" });
    let mut read = json!({ "file": "wrangler.jsonc", "settings": settings });
    if let Some(dev_vars) = dev_vars {
        read["variables"] = vars.clone();
        for (name, value) in dev_vars.as_object().unwrap() {
            read["variables"][name] = value.clone();
        }
    }
    told(&read)
}

#[test]
fn a_deployment_has_its_secrets_elsewhere_and_this_machine_has_them_here() {
    let (passed, said) = check(&vars(), None);
    assert!(passed && said.contains(&format!("Not seen here, and needed: npx wrangler secret put {KEY}\n")));
    let (passed, said) = check(&vars(), Some(&json!({})));
    assert!(!passed && said.contains(&format!("- {KEY}: ")), "{said}");
    let (passed, said) = check(&vars(), Some(&json!({ KEY: "s3cret" })));
    assert!(!passed && said.contains(&format!("- {KEY}: ")) && !said.contains("s3cret"), "{said}");
}

#[test]
fn a_variable_of_this_machine_takes_the_place_of_the_files() {
    let local = json!({ CANONICAL: "http://127.0.0.1:8787/mcp", KEY: key() });
    let (passed, said) = check(&vars(), Some(&local));
    assert!(passed && said.contains("\nCanonical URL: http://127.0.0.1:8787/mcp\n"), "{said}");
    assert!(!said.contains("warning"), "a secret that is not in the file, and no route: {said}");
    // What is in the file is in the repository, too.
    let (_, said) = check(&local, Some(&json!({})));
    assert!(said.starts_with(&format!("warning: {KEY} is a secret, ")), "{said}");
}

#[test]
fn an_address_of_this_machine_needs_no_route() {
    let local = json!({ KEY: key() });
    assert!(check(&vars(), None).1.contains("warning: routes: none leads to mcp.acme.test"));
    assert!(!check(&vars(), Some(&local)).1.contains("routes"));
}

#[test]
fn a_key_that_hashes_callers_wants_a_binding_to_report_them_to() {
    let local =
        json!({ KEY: key(), "MCP_SERVER_AUTH_AUDIT_KEY": "a key of callers, of thirty-nine letters" });
    let (passed, said) = check(&vars(), Some(&local));
    let warning =
        "warning: MCP_SERVER_AUTH_AUDIT_KEY: has no effect: there is no Analytics Engine binding AUDIT\n";
    assert!(passed && said.contains(warning), "{said}");
    let mut read = json!({ "file": "wrangler.jsonc", "settings": { "vars": vars(), "compatibility_date": "2026-04-26" } });
    read["settings"]["analytics_engine_datasets"] = json!([{ "binding": "AUDIT" }]);
    read["variables"] = vars();
    for (name, value) in local.as_object().unwrap() {
        read["variables"][name] = value.clone();
    }
    let (passed, said) = told(&read);
    assert!(
        passed
            && said.contains("\nAudit: binding AUDIT, callers hashed\n")
            && !said.contains("has no effect"),
        "{said}"
    );
}
