//! The examples of docs/policy.md do what is said there.

use mcp_edge_auth::policy::limits::{Sender, count_floods};
use mcp_edge_auth::policy::{PolicyInput, authorize};
use mcp_edge_auth::refusal::{Detail, Refusal};
use serde_json::{Value, json};

use crate::support::policy::{POLICY, call, plain, posted, said, verified};
use crate::support::{CANONICAL, config, for_each_row, resource, same, settings, with};

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

fn calling(name: &str, arguments: Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    json!({ "id": 1, "method": "tools/call", "params": params })
}

#[test]
fn the_refusal_of_the_example_is_the_real_one() {
    let detail =
        Detail { id: Some("1".to_owned()), argument: Some("amount".to_owned()), ..Detail::default() };
    let body = Refusal::ArgumentNotMet.answer(None, &detail).body.unwrap();
    assert!(DOCUMENT.contains(&format!("```json\n{body}\n```")), "{body}");
}

#[test]
fn the_limits_of_the_example_count_what_it_says() {
    let body =
        Refusal::RateLimited(60).answer(None, &Detail { id: Some("1".to_owned()), ..Detail::default() });
    assert!(DOCUMENT.contains(&format!("```json\n{}\n```", body.body.unwrap())));
    let config = config(&with(settings(), json!({ POLICY: policies()[10] })));
    let policy = resource(&config).policy.as_ref();
    let rows = [
        (call("run_sql"), vec![("CALLS", 60), ("BURSTS", 10), ("ADDRESSES", 60)]),
        (call("echo"), vec![("CALLS", 60), ("ADDRESSES", 60)]),
        (plain("ping"), vec![("ADDRESSES", 60)]),
    ];
    for_each_row(rows, |(body, expected)| {
        let text = body.to_string();
        let asked = PolicyInput::Body(posted(Some(text.as_bytes())));
        let cleared = authorize(policy, Some(verified(&json!({}))), &asked).1.unwrap();
        let sender = Sender { resource: "", verified: cleared.verified(), address: "192.0.2.1" };
        let counts = cleared.counts(&policy.unwrap().limits, &sender);
        let counts: Vec<_> = counts.iter().map(|count| (count.binding.as_str(), count.period)).collect();
        same(&text, &counts, expected)
    });
    assert!(count_floods(&policy.unwrap().limits));
}

#[test]
fn the_question_of_the_example_is_the_real_one() {
    let config = config(&with(settings(), json!({ POLICY: policies()[11] })));
    let policy = resource(&config).policy.as_ref();
    let asked = |body: &Value| {
        let text = body.to_string();
        let claims = json!({ "sub": "user-1", "client_id": "client-1", "scope": "mcp" });
        let asked = PolicyInput::Body(posted(Some(text.as_bytes())));
        authorize(policy, Some(verified(&claims)), &asked).1.unwrap().evaluations(CANONICAL)
    };
    let evaluations = asked(&calling("pay", json!({ "amount": 5 })));
    assert!(DOCUMENT.contains(&format!("```json\n{}\n```", evaluations[0])), "{evaluations:?}");
    assert!(asked(&plain("ping")).is_empty());
}

#[test]
fn every_example_is_sound_and_does_what_it_says() {
    let policies = policies();
    assert_eq!(policies.len(), 12, "one at the top, one of arguments, eight, of limits, of a decision");
    for policy in &policies {
        config(&with(settings(), json!({ POLICY: policy })));
    }
    let scope = |scope: &str| json!({ "scope": scope });
    let ci = |more: Value| with(json!({ "repository": "acme/gears", "ref_type": "branch" }), more);
    let payment = |more: Value| with(json!({ "amount": 100, "currency": "EUR", "note": "Grüße" }), more);
    let employee = |more: Value| {
        with(json!({ "employer": "acme", "clearance": { "level": 3 }, "auth_time": 1_769_860_800 }), more)
    };
    let tenant = |tenant: &str| json!({ "https://example.com/tenant": tenant });
    let rows: Vec<(usize, Value, Value, &str)> = vec![
        (0, scope("mcp"), call("delete_x"), "scope_insufficient #0 mcp tools:delete"),
        (0, scope("mcp"), call("echo"), "ok"),
        (2, scope("read"), plain("tools/list"), "ok"),
        (2, scope("read"), call("x"), "scope_insufficient #0 read write"),
        (2, scope("write"), call("x"), "ok"),
        (2, scope(""), plain("ping"), "scope_insufficient read"),
        (3, scope(""), call("x"), "ok"),
        (3, scope(""), call("admin_x"), "scope_insufficient #0 admin"),
        (3, scope("admin"), call("run_sql"), "claim_not_met #1"),
        (3, json!({ "scope": "x", "hd": "example.com" }), call("run_sql"), "scope_insufficient #1 sql"),
        (3, json!({ "scope": "admin", "hd": "example.com" }), call("run_sql"), "ok"),
        (1, json!({}), calling("write_file", json!({ "path": "/safe/x", "options": { "mode": 1 } })), "ok"),
        (1, json!({}), calling("write_file", json!({ "path": "/etc/x" })), "argument_not_met #0 path"),
        (
            1,
            json!({}),
            calling("write_file", json!({ "path": "/safe/x", "options": { "force": true } })),
            "argument_not_met #0 options.force",
        ),
        (1, json!({}), calling("read_file", json!({ "path": "/etc/x" })), "ok"),
        (4, json!({}), call("search"), "ok"),
        (4, json!({}), call("list_all"), "ok"),
        (4, json!({}), call("delete_all"), "rule_denies #0"),
        (4, json!({}), plain("tools/list"), "ok"),
        (5, json!({}), calling("pay", payment(json!({}))), "ok"),
        (5, json!({}), calling("pay", payment(json!({ "amount": 1000 }))), "argument_not_met #0 amount"),
        (5, json!({}), calling("pay", payment(json!({ "currency": "CHF" }))), "argument_not_met #0 currency"),
        (
            5,
            json!({}),
            calling("pay", payment(json!({ "note": "x".repeat(141) }))),
            "argument_not_met #0 note",
        ),
        (
            5,
            json!({}),
            calling("pay", payment(json!({ "options": { "express": false } }))),
            "argument_not_met #0 options.express",
        ),
        (6, employee(json!({})), call("delete_x"), "ok"),
        (6, employee(json!({ "employer": null })), call("delete_x"), "claim_not_met #0"),
        (6, employee(json!({ "clearance": { "level": 2 } })), call("delete_x"), "claim_not_met #0"),
        (6, employee(json!({ "auth_time": 1_769_860_799 })), call("delete_x"), "claim_not_met #0"),
        (6, employee(json!({ "suspended_at": 1 })), call("delete_x"), "claim_not_met #0"),
        (6, json!({}), call("x"), "ok"),
        (7, ci(json!({})), call("build"), "ok"),
        (7, ci(json!({ "repository": "mallory/gears" })), plain("ping"), "claim_not_met #0"),
        (7, ci(json!({})), call("deploy_all"), "claim_not_met #1"),
        (7, ci(json!({ "environment": "production" })), call("deploy_all"), "ok"),
        (8, tenant("globex"), call("x"), "ok"),
        (8, tenant("globex"), prompt("report_year"), "claim_not_met #1"),
        (8, tenant("acme"), prompt("report_year"), "ok"),
        (8, tenant("other"), plain("ping"), "claim_not_met #0"),
        (9, scope("mcp"), call("x"), "would: client_not_allowed"),
        (9, json!({ "scope": "mcp", "azp": "ci" }), call("x"), "would: scope_insufficient #0 mcp tools"),
        (9, json!({ "scope": "mcp tools", "azp": "ci" }), call("x"), "ok"),
    ];
    for_each_row(rows, |(example, claims, body, expected)| {
        let told = said(&policies[*example], Some(verified(claims)), body);
        same(&format!("example {example}, {claims}, {body}"), told.as_str(), *expected)
    });
}
