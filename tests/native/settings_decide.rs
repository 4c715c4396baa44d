//! The settings of `decide`: every fault is found and named, and the check says who decides.

use mcp_edge_auth::settings::Variables;
use serde_json::{Value, json};

use crate::support::check::told;
use crate::support::policy::POLICY;
use crate::support::{config, for_each_row, read, resource, same, settings, with};

const URL: &str = "https://pdp.example.com/access/v1/evaluation";

fn places(policy: &Value) -> Vec<String> {
    match read(&with(settings(), json!({ POLICY: policy }))) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
    }
}

#[test]
fn faults() {
    let one = |changes: Value| json!({ "decide": with(json!({ "url": URL }), changes) });
    let rows: Vec<(&str, Value, Vec<&str>)> = vec![
        ("sound", one(json!({})), vec![]),
        (
            "all of it",
            one(
                json!({ "format": "authzen", "methods": ["tools/call"], "names": "a*", "arguments": true, "on_error": "allow", "timeout_ms": 10 }),
            ),
            vec![],
        ),
        ("on this machine", one(json!({ "url": "http://127.0.0.1:8181/x" })), vec![]),
        ("no object", json!({ "decide": URL }), vec![".decide"]),
        ("nobody", json!({ "decide": {} }), vec![".decide"]),
        ("http", one(json!({ "url": "http://pdp.example.com/x" })), vec![".decide.url"]),
        (
            "a name before the host",
            one(json!({ "url": "https://u:p@pdp.example.com/x" })),
            vec![".decide.url"],
        ),
        ("an empty URL", one(json!({ "url": "" })), vec![".decide.url"]),
        ("a binding that is not there", one(json!({ "binding": "PDP" })), vec![".decide.binding"]),
        ("a rate limiter", one(json!({ "binding": "CALLS" })), vec![".decide.binding"]),
        ("another format", one(json!({ "format": "opa" })), vec![".decide.format"]),
        ("another word", one(json!({ "on_error": "open" })), vec![".decide.on_error"]),
        ("a switch for a word", one(json!({ "on_error": true })), vec![".decide.on_error"]),
        ("a switch as text", one(json!({ "arguments": "true" })), vec![".decide.arguments"]),
        ("too short a time", one(json!({ "timeout_ms": 9 })), vec![".decide.timeout_ms"]),
        ("too long a time", one(json!({ "timeout_ms": 10_001 })), vec![".decide.timeout_ms"]),
        ("a time as text", one(json!({ "timeout_ms": "500" })), vec![".decide.timeout_ms"]),
        ("no methods", one(json!({ "methods": [] })), vec![".decide.methods"]),
        ("an unknown member", one(json!({ "on_errors": "allow" })), vec![".decide.on_errors"]),
    ];
    for_each_row(rows, |(name, policy, expected)| {
        let expected: Vec<String> = expected.iter().map(|place| format!("{POLICY}{place}")).collect();
        same(name, places(policy), expected)
    });
}

/// Outside Cloudflare a service is no binding, though the file that is read has one.
#[test]
fn outside_cloudflare_no_binding_answers() {
    let policy = json!({ "decide": { "binding": "PDP" } });
    let variables = || {
        let all = with(settings(), json!({ POLICY: policy.clone() })).as_object().unwrap().clone();
        all.into_iter().collect::<Variables>()
    };
    let expected = |variables: Variables| -> Vec<String> {
        let faults = mcp_edge_auth::settings::read(&variables).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    };
    assert_eq!(expected(variables().with_bindings(["PDP".to_owned()])), [""; 0]);
    let place = format!("{POLICY}.decide.binding");
    assert_eq!(
        expected(variables().outside_cloudflare(true)),
        [format!(
            "{place}: expected nothing: outside Cloudflare no binding answers requests. Take it out, and say the URL"
        )]
    );
    let name = "the name of a binding that answers requests: a service, a VPC service, an mTLS certificate";
    assert_eq!(expected(variables()), [format!("{place}: expected {name}")]);
}

#[test]
fn it_refuses_without_an_answer_by_default() {
    let config = config(&with(settings(), json!({ POLICY: { "decide": { "url": URL } } })));
    let policy = resource(&config).policy.as_ref().unwrap();
    let decide = policy.decide.as_ref().unwrap();
    assert_eq!((decide.lets_through, decide.arguments, decide.milliseconds), (false, false, 500));
    assert!(policy.reads_bodies());
    assert!(config.warnings.iter().all(|warning| warning.variable != POLICY), "it demands something");
}

#[test]
fn the_check_says_who_decides() {
    let check = |decide: Value, bindings: Value| {
        let vars = with(settings(), json!({ POLICY: { "decide": decide } }));
        told(
            &json!({ "settings": with(json!({ "vars": vars, "compatibility_date": "2026-04-26" }), bindings) }),
        )
    };
    let (passed, said) = check(json!({ "url": format!("{URL}?key=s3cret") }), json!({}));
    assert!(passed && said.contains(&format!("\nDecided by: {URL}, without an answer: 503\n")), "{said}");
    assert!(!said.contains("s3cret"));
    let service = json!({ "services": [{ "binding": "PDP", "service": "pdp" }] });
    let (passed, said) = check(json!({ "binding": "PDP", "on_error": "allow" }), service);
    let expected = "\nDecided by: https://authzen.internal/access/v1/evaluation, by the binding PDP, without an answer: let through\n";
    assert!(passed && said.contains(expected) && !said.contains("services.PDP"), "{said}");
}
