//! The settings of limits: every fault is found and named, and the check says what a limit counts
//! with.

use mcp_edge_auth::limits::LIMITS;
use serde_json::{Value, json};

use crate::support::check::told;
use crate::support::policy::POLICY;
use crate::support::{config, for_each_row, read, resource, same, settings, variables, with};

fn places(policy: &Value) -> Vec<String> {
    match read(&with(settings(), json!({ POLICY: policy }))) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
    }
}

#[test]
fn faults() {
    let one =
        |changes: Value| json!({ "limits": [with(json!({ "by": "user", "binding": "CALLS" }), changes)] });
    let rows: Vec<(&str, Value, Vec<&str>)> = vec![
        ("sound", one(json!({})), vec![]),
        ("none", json!({ "limits": [] }), vec![]),
        (
            "all of it",
            one(json!({ "by": "user+tool", "period": 10, "methods": ["tools/call"], "names": ["a*"] })),
            vec![],
        ),
        ("no array", json!({ "limits": {} }), vec![".limits"]),
        ("no object", json!({ "limits": ["user"] }), vec![".limits[0]"]),
        ("nothing", json!({ "limits": [{}] }), vec![".limits[0].by", ".limits[0].binding"]),
        ("by something else", one(json!({ "by": "users" })), vec![".limits[0].by"]),
        ("by a number", one(json!({ "by": 1 })), vec![".limits[0].by"]),
        ("a binding that is not there", one(json!({ "binding": "OTHER" })), vec![".limits[0].binding"]),
        ("a binding of another type", one(json!({ "binding": ["CALLS"] })), vec![".limits[0].binding"]),
        ("a period that there is not", one(json!({ "period": 30 })), vec![".limits[0].period"]),
        ("a period as text", one(json!({ "period": "60" })), vec![".limits[0].period"]),
        ("no methods", one(json!({ "methods": [] })), vec![".limits[0].methods"]),
        ("an empty name", one(json!({ "names": [""] })), vec![".limits[0].names"]),
        ("an unknown member", one(json!({ "limit": 10 })), vec![".limits[0].limit"]),
        (
            "by tool, and no call",
            one(json!({ "by": "tool", "methods": ["tools/list"] })),
            vec![".limits[0].methods"],
        ),
        ("by tool, and calls among others", one(json!({ "by": "tool", "methods": ["tools/*"] })), vec![]),
        (
            "by tool, and calls beside others",
            one(json!({ "by": "user+tool", "methods": ["tools/list", "tools/call"] })),
            vec![],
        ),
        (
            "too many",
            json!({ "limits": vec![json!({ "by": "ip", "binding": "CALLS" }); LIMITS + 1] }),
            vec![".limits"],
        ),
        (
            "as many as may be",
            json!({ "limits": vec![json!({ "by": "ip", "binding": "CALLS" }); LIMITS] }),
            vec![],
        ),
    ];
    for_each_row(rows, |(name, policy, expected)| {
        let expected: Vec<String> = expected.iter().map(|place| format!("{POLICY}{place}")).collect();
        same(name, places(policy), expected)
    });
}

/// Names go to JavaScript as lines of one text, in which one with a line break would be two.
#[test]
fn a_binding_has_a_name_that_is_one_word() {
    for name in ["A\nCALLS", "A B", "a-b", "\u{e4}"] {
        let limits = json!([{ "by": "user", "binding": name }]);
        let settings = with(settings(), json!({ POLICY: { "limits": limits } }));
        let bound = variables(&settings).with_limiters([name.to_owned()]);
        let faults = mcp_edge_auth::settings::read(&bound).unwrap_err();
        assert_eq!(faults[0].field, ".limits[0].binding", "{name:?}");
    }
}

#[test]
fn a_limit_has_a_minute_by_default() {
    let limits =
        json!([{ "by": "user", "binding": "CALLS" }, { "by": "ip", "binding": "BURSTS", "period": 10 }]);
    let config = config(&with(settings(), json!({ POLICY: { "limits": limits } })));
    let policy = resource(&config).policy.as_ref().unwrap();
    assert_eq!(policy.limits.iter().map(|limit| limit.period).collect::<Vec<_>>(), [60, 10]);
    assert!(policy.reads_bodies() && !policy.has_rules());
    assert!(config.warnings.iter().all(|warning| warning.variable != POLICY), "it demands something");
}

/// The check's word on a deployment with these bindings and this limit.
fn check(limit: Value, bindings: Value) -> (bool, String) {
    let vars = with(settings(), json!({ POLICY: { "limits": [limit] } }));
    told(
        &json!({ "file": "wrangler.jsonc", "settings": with(json!({ "vars": vars, "compatibility_date": "2026-04-26" }), bindings) }),
    )
}

#[test]
fn the_check_knows_the_rate_limiters_of_a_deployment() {
    let limiter = |name: &str, period: u64| json!({ "name": name, "namespace_id": "1", "simple": { "limit": 5, "period": period } });
    let limit = json!({ "by": "user", "binding": "CALLS" });
    let bound = |all: Value| json!({ "ratelimits": all });

    let (passed, said) = check(limit.clone(), bound(json!([limiter("CALLS", 60)])));
    assert!(passed && !said.contains("ratelimits"), "{said}");
    assert!(
        said.contains(
            "\nLimits: CALLS, counted for each Cloudflare location; under serve, for each process\n"
        ),
        "{said}"
    );

    let (passed, said) = check(limit.clone(), bound(json!([limiter("CALLS", 10)])));
    assert!(
        passed && said.contains("warning: ratelimits.CALLS: its period is not that of the limit"),
        "{said}"
    );
    let (passed, said) = check(limit.clone(), bound(json!([limiter("CALLS", 60), limiter("IDLE", 60)])));
    assert!(
        passed && said.contains("warning: ratelimits.IDLE: no limit of a policy names this rate limiter"),
        "{said}"
    );

    let older =
        json!({ "unsafe": { "bindings": [with(limiter("CALLS", 60), json!({ "type": "ratelimit" }))] } });
    assert!(check(limit.clone(), older).0);
    let service = json!({ "services": [{ "binding": "CALLS", "service": "x" }] });
    for none in [json!({}), bound(json!([limiter("OTHER", 60)])), service] {
        let (passed, said) = check(limit.clone(), none);
        assert!(!passed && said.contains(&format!("- {POLICY}.limits[0].binding: ")), "{said}");
    }
}
