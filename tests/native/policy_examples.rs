//! The examples of docs/policy.md do what is said there.

use serde_json::{Value, json};

use crate::support::config;
use crate::support::policy::{POLICY, call, plain, said, verified};
use crate::support::{for_each_row, same, settings, with};

const DOCUMENT: &str = include_str!("../../docs/policy.md");

/// The policies in the document, in its order.
fn policies() -> Vec<Value> {
    let blocks = DOCUMENT.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let policy = |block: &str| {
        let file: toml::Table = block.parse().unwrap();
        serde_json::to_value(&file["vars"][POLICY]).unwrap()
    };
    blocks.map(policy).collect()
}

fn prompt(name: &str) -> Value {
    json!({ "id": 1, "method": "prompts/get", "params": { "name": name } })
}

#[test]
fn every_example_is_sound_and_does_what_it_says() {
    let policies = policies();
    assert_eq!(policies.len(), 6, "the one at the top, and five");
    for policy in &policies {
        config(&with(settings(), json!({ POLICY: policy })));
    }
    let scope = |scope: &str| json!({ "scope": scope });
    let ci = |more: Value| with(json!({ "repository": "acme/gears", "ref_type": "branch" }), more);
    let tenant = |tenant: &str| json!({ "https://example.com/tenant": tenant });
    let rows: Vec<(usize, Value, Value, &str)> = vec![
        (0, scope("mcp"), call("delete_x"), "scope_insufficient #0 mcp tools:delete"),
        (0, scope("mcp"), call("echo"), "ok"),
        (1, scope("read"), plain("tools/list"), "ok"),
        (1, scope("read"), call("x"), "scope_insufficient #0 read write"),
        (1, scope("write"), call("x"), "ok"),
        (1, scope(""), plain("ping"), "scope_insufficient read"),
        (2, scope(""), call("x"), "ok"),
        (2, scope(""), call("admin_x"), "scope_insufficient #0 admin"),
        (2, scope("admin"), call("run_sql"), "claim_not_met #1"),
        (2, json!({ "scope": "x", "hd": "example.com" }), call("run_sql"), "scope_insufficient #1 sql"),
        (2, json!({ "scope": "admin", "hd": "example.com" }), call("run_sql"), "ok"),
        (3, ci(json!({})), call("build"), "ok"),
        (3, ci(json!({ "repository": "mallory/gears" })), plain("ping"), "claim_not_met #0"),
        (3, ci(json!({})), call("deploy_all"), "claim_not_met #1"),
        (3, ci(json!({ "environment": "production" })), call("deploy_all"), "ok"),
        (4, tenant("globex"), call("x"), "ok"),
        (4, tenant("globex"), prompt("report_year"), "claim_not_met #1"),
        (4, tenant("acme"), prompt("report_year"), "ok"),
        (4, tenant("other"), plain("ping"), "claim_not_met #0"),
        (5, scope("mcp"), call("x"), "would: client_not_allowed"),
        (5, json!({ "scope": "mcp", "azp": "ci" }), call("x"), "would: scope_insufficient #0 mcp tools"),
        (5, json!({ "scope": "mcp tools", "azp": "ci" }), call("x"), "ok"),
    ];
    for_each_row(rows, |(example, claims, body, expected)| {
        let told = said(&policies[*example], Some(verified(claims)), body);
        same(&format!("example {example}, {claims}, {body}"), told.as_str(), *expected)
    });
}
