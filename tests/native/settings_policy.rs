//! The settings of a policy: every fault is found and named, and what is sound and yet will
//! surprise is warned of.

use serde_json::{Value, json};

use crate::support::policy::POLICY;
use crate::support::{CHALLENGE_SCOPES, SCOPES_SUPPORTED, config, for_each_row, read, same, settings, with};

fn places(policy: &Value) -> Vec<String> {
    match read(&with(settings(), json!({ POLICY: policy }))) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
    }
}

#[test]
fn faults() {
    let in_rule =
        |changes: Value| json!({ "rules": [{ "scopes": ["a"] }, with(json!({ "scopes": ["a"] }), changes)] });
    let rows: Vec<(&str, Value, Vec<&str>)> = vec![
        ("nothing demanded at all", json!({}), vec![]),
        ("as text", json!(r#"{"required_scopes":["a"]}"#), vec![]),
        ("text that is no JSON", json!("{required_scopes}"), vec![""]),
        ("an array", json!([]), vec![""]),
        ("a switch", json!(true), vec![""]),
        ("a member twice", json!(r#"{"mode":"report","mode":"enforce"}"#), vec![""]),
        ("an unknown member", json!({ "rule": [] }), vec![".rule"]),
        ("scopes as words", json!({ "required_scopes": "a b" }), vec![]),
        ("no scopes", json!({ "required_scopes": [] }), vec![".required_scopes"]),
        ("an empty text of scopes", json!({ "required_scopes": " " }), vec![".required_scopes"]),
        ("no scope", json!({ "required_scopes": ["a\"b"] }), vec![".required_scopes"]),
        ("a scope with a space", json!({ "required_scopes": ["a b"] }), vec![".required_scopes"]),
        ("another mode", json!({ "mode": "Report" }), vec![".mode"]),
        ("a mode of another type", json!({ "mode": true }), vec![".mode"]),
        ("rules that are no array", json!({ "rules": {} }), vec![".rules"]),
        ("no rules", json!({ "rules": [] }), vec![]),
        ("a rule that is no object", json!({ "rules": ["deny"] }), vec![".rules[0]"]),
        ("a rule that demands nothing", json!({ "rules": [{ "methods": ["x"] }] }), vec![".rules[0]"]),
        ("a rule that does not deny", json!({ "rules": [{ "deny": false }] }), vec![".rules[0]"]),
        ("an unknown member of a rule", in_rule(json!({ "scope": "a" })), vec![".rules[1].scope"]),
        ("a name that is a method", in_rule(json!({ "method": "x" })), vec![".rules[1].method"]),
        ("no methods", in_rule(json!({ "methods": [] })), vec![".rules[1].methods"]),
        ("an empty method", in_rule(json!({ "methods": [""] })), vec![".rules[1].methods"]),
        ("a star in the middle", in_rule(json!({ "methods": ["tools/*x"] })), vec![".rules[1].methods"]),
        ("two stars", in_rule(json!({ "methods": ["tools/**"] })), vec![".rules[1].methods"]),
        ("a method with a space", in_rule(json!({ "methods": ["tools/call "] })), vec![".rules[1].methods"]),
        ("methods of another type", in_rule(json!({ "methods": 7 })), vec![".rules[1].methods"]),
        ("no names", in_rule(json!({ "names": [] })), vec![".rules[1].names"]),
        ("an empty name", in_rule(json!({ "names": [""] })), vec![".rules[1].names"]),
        ("any_scopes of another type", in_rule(json!({ "any_scopes": [1] })), vec![".rules[1].any_scopes"]),
        ("no claims", in_rule(json!({ "claims": {} })), vec![".rules[1].claims"]),
        ("claims that are no object", in_rule(json!({ "claims": ["a"] })), vec![".rules[1].claims"]),
        ("a claim without values", in_rule(json!({ "claims": { "a": [] } })), vec![".rules[1].claims"]),
        ("a claim that is null", in_rule(json!({ "claims": { "a": null } })), vec![".rules[1].claims"]),
        (
            "a claim that is an object",
            in_rule(json!({ "claims": { "a": { "b": 1 } } })),
            vec![".rules[1].claims"],
        ),
        ("a fraction", in_rule(json!({ "claims": { "a": 1.5 } })), vec![".rules[1].claims"]),
        (
            "a number that f64 does not hold",
            in_rule(json!({ "claims": { "a": 9_007_199_254_740_992_i64 } })),
            vec![".rules[1].claims"],
        ),
        ("an empty path", in_rule(json!({ "claims": { "": "x" } })), vec![".rules[1].claims"]),
        ("a path with a hole", in_rule(json!({ "claims": { "a..b": "x" } })), vec![".rules[1].claims"]),
        ("deny as text", in_rule(json!({ "deny": "true" })), vec![".rules[1].deny"]),
        ("a hierarchy that is no object", json!({ "scope_hierarchy": ["a"] }), vec![".scope_hierarchy"]),
        ("a hierarchy of no scope", json!({ "scope_hierarchy": { "a b": ["c"] } }), vec![".scope_hierarchy"]),
        ("a scope that includes none", json!({ "scope_hierarchy": { "a": [] } }), vec![".scope_hierarchy.a"]),
        (
            "a scope that includes itself",
            json!({ "scope_hierarchy": { "a": ["a"] } }),
            vec![".scope_hierarchy.a"],
        ),
        (
            "over steps",
            json!({ "scope_hierarchy": { "a": ["b"], "b": ["x", "c"], "c": ["a"], "d": ["a"] } }),
            vec![".scope_hierarchy.a", ".scope_hierarchy.b", ".scope_hierarchy.c"],
        ),
        (
            "two ways to one scope are no circle",
            json!({ "scope_hierarchy": { "a": ["b", "c"], "b": ["d"], "c": ["d"] } }),
            vec![],
        ),
        ("no clients", json!({ "clients": [] }), vec![".clients"]),
        ("an empty client", json!({ "clients": [""] }), vec![".clients"]),
        (
            "filter_lists as text",
            json!({ "filter_lists": "yes", "rules": [{ "deny": true }] }),
            vec![".filter_lists"],
        ),
        ("filter_lists without rules", json!({ "filter_lists": true }), vec![".filter_lists"]),
        (
            "filter_lists with limits alone",
            json!({ "filter_lists": true, "limits": [{ "by": "user", "binding": "CALLS" }] }),
            vec![".filter_lists"],
        ),
        ("everything anonymous", json!({ "anonymous_methods": ["*"] }), vec![".anonymous_methods"]),
        ("nothing anonymous", json!({ "anonymous_methods": [] }), vec![".anonymous_methods"]),
        (
            "several at once",
            json!({ "mode": 1, "clients": 1, "rules": [{}, { "deny": 1 }] }),
            vec![".mode", ".clients", ".rules[0]", ".rules[1].deny"],
        ),
    ];
    for_each_row(rows, |(name, policy, expected)| {
        let expected: Vec<String> = expected.iter().map(|place| format!("{POLICY}{place}")).collect();
        let (mut found, mut expected) = (places(policy), expected);
        found.sort();
        expected.sort();
        same(name, found, expected)
    });
}

#[test]
fn either_spelling() {
    let other = with(settings(), json!({ "MCP_RESOURCE_SERVER_POLICY": { "required_scopes": ["a"] } }));
    assert_eq!(config(&other).resources[0].policy.as_ref().unwrap().required_scopes[0].scope, "a");
    assert!(config(&settings()).resources[0].policy.is_none());
}

#[test]
fn warnings() {
    let warned = |changes: Value| -> Vec<String> {
        config(&with(settings(), changes))
            .warnings
            .iter()
            .map(|w| format!("{}{}", w.variable, w.field))
            .collect()
    };
    let challenge = |scopes: &str, policy: Value| json!({ CHALLENGE_SCOPES: scopes, POLICY: policy });
    let rows: Vec<(&str, Value, Vec<String>)> = vec![
        ("none", json!({}), vec![]),
        ("challenged", challenge("mcp x", json!({ "required_scopes": ["mcp"] })), vec![]),
        (
            "not challenged",
            challenge("x", json!({ "required_scopes": ["mcp", "x"] })),
            vec![CHALLENGE_SCOPES.into()],
        ),
        ("no challenge", json!({ POLICY: { "required_scopes": ["mcp"] } }), vec![CHALLENGE_SCOPES.into()]),
        (
            "challenged with more",
            challenge(
                "admin",
                json!({ "required_scopes": ["mcp"], "scope_hierarchy": { "admin": ["mcp"] } }),
            ),
            vec![],
        ),
        (
            "a rule's scopes are for the step up",
            challenge("mcp", json!({ "rules": [{ "scopes": ["x"] }] })),
            vec![],
        ),
        (
            "offline_access",
            json!({ CHALLENGE_SCOPES: "mcp offline_access", SCOPES_SUPPORTED: ["offline_access"] }),
            vec![CHALLENGE_SCOPES.into(), SCOPES_SUPPORTED.into()],
        ),
        (
            "anonymous",
            json!({ POLICY: { "anonymous_methods": ["initialize"] } }),
            vec![format!("{POLICY}.anonymous_methods")],
        ),
        (
            "anonymous, and closed again",
            json!({ POLICY: { "anonymous_methods": ["tools/list"], "rules": [{ "methods": ["x"], "deny": true }, { "methods": ["tools/*"], "scopes": ["a"] }, { "names": ["x"], "scopes": ["a"] }] } }),
            vec![format!("{POLICY}.anonymous_methods"), format!("{POLICY}.rules[1]")],
        ),
        (
            "anonymous by its start, closed in part",
            json!({ POLICY: { "anonymous_methods": ["tools/*"], "rules": [{ "methods": ["tools/call"], "deny": true }] } }),
            vec![format!("{POLICY}.anonymous_methods")],
        ),
    ];
    for_each_row(rows, |(name, changes, expected)| same(name, warned(changes.clone()), expected.clone()));
    let text = config(&with(settings(), challenge("x", json!({ "required_scopes": "mcp y" })))).warnings[0]
        .to_string();
    assert!(text.starts_with("MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: lacks mcp y, which MCP_SERVER_AUTH_POLICY.required_scopes demands"), "{text}");
}

#[test]
fn the_summary_tells_of_it() {
    let told = |policy: Value| {
        let config = config(&with(settings(), json!({ POLICY: policy })));
        mcp_edge_auth::settings::summary(&config, &config.resources[0])
            .into_iter()
            .find(|(name, _)| *name == "Policy")
            .map(|(_, values)| values)
    };
    assert_eq!(told(json!({ "rules": [{ "deny": true }] })), Some(vec!["enforced: 1 rule(s)".to_owned()]));
    assert_eq!(told(json!({ "mode": "report" })), Some(vec!["reported, not enforced: 0 rule(s)".to_owned()]));
    let plain = config(&settings());
    assert!(
        mcp_edge_auth::settings::summary(&plain, &plain.resources[0])
            .iter()
            .all(|(name, _)| *name != "Policy")
    );
}
