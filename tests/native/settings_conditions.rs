//! The settings of a rule's `except`, `claims` and `arguments`: which are taken, what the fault of
//! each other one says, and what is warned of.

use mcp_edge_auth::limits::{ARGUMENT_PATH_CHARS, ARGUMENT_PATH_NAMES};
use serde_json::{Value, json};

use crate::support::found;
use crate::support::policy::POLICY;
use crate::support::{config, for_each_row, read, same, settings, with};

fn of_rule(rule: &Value) -> Value {
    with(settings(), json!({ POLICY: { "rules": [rule] } }))
}

/// Each row: a rule that is taken.
fn sound(rules: Vec<Value>) {
    for_each_row(rules, |rule| match read(&of_rule(rule)) {
        Ok(_) => Ok(()),
        Err(faults) => Err(format!("{rule}: {faults:?}")),
    });
}

/// Each row: the value of a member of a rule, and what its fault says was found.
fn unsound(member: &str, rest: Value, rows: Vec<(Value, &str)>) {
    let place = format!("{POLICY}.rules[0].{member}");
    let row =
        |(value, found)| (of_rule(&with(rest.clone(), json!({ member: value }))), place.as_str(), found);
    found::expect(rows.into_iter().map(row).collect());
}

#[test]
fn names_and_all_but_these() {
    let rule = |more: Value| with(json!({ "deny": true }), more);
    sound(vec![
        rule(json!({ "except": ["search"] })),
        rule(json!({ "except": "fetch*", "methods": ["tools/call"] })),
    ]);
    unsound(
        "except",
        json!({ "deny": true }),
        vec![(json!({ "a": 1 }), "found an object"), (json!(7), "found a number")],
    );
    for unsound in [json!([]), json!([""]), json!(["a", 1])] {
        let said = found::said(&of_rule(&rule(json!({ "except": unsound }))));
        assert_eq!(said, format!("{POLICY}.rules[0].except: expected one or more non-empty strings\n"));
    }
    assert_eq!(
        found::said(&of_rule(&rule(json!({ "names": ["a"], "except": ["b"] })))),
        format!(
            "{POLICY}.rules[0].except: expected no names beside it: a rule says which names it matches, or which not\n"
        )
    );
    assert_eq!(
        found::said(&of_rule(&json!({ "except": ["b"] }))),
        format!(
            "{POLICY}.rules[0]: expected something that is demanded: scopes, any_scopes, claims, arguments, or deny = true\n"
        )
    );
}

#[test]
fn arguments_are_of_calls_of_tools() {
    let arguments = json!({ "a": "x" });
    sound(vec![
        json!({ "methods": ["tools/call"], "arguments": arguments }),
        json!({ "methods": "tools/call", "arguments": arguments, "names": ["x"], "scopes": "s" }),
        json!({ "methods": ["tools/call", "tools/call"], "arguments": arguments, "except": ["x"] }),
    ]);
    let elsewhere = [
        json!(["tools/call", "prompts/get"]),
        json!(["tools/*"]),
        json!("*"),
        json!("prompts/get"),
        json!("tools/Call"),
        json!("<absent>"),
    ];
    for_each_row(elsewhere, |methods| {
        let said =
            found::said(&of_rule(&with(json!({ "arguments": arguments }), json!({ "methods": methods }))));
        let expected = "methods = [\"tools/call\"] beside it: only the call of a tool has arguments";
        same(&methods.to_string(), said, format!("{POLICY}.rules[0].arguments: expected {expected}\n"))
    });
}

#[test]
fn conditions_that_are_taken() {
    let claims = |condition: Value| json!({ "claims": { "c": condition } });
    let arguments = |condition: Value| json!({ "methods": "tools/call", "arguments": { "a.b": condition } });
    let both = vec![
        json!("x"),
        json!(""),
        json!(-9_007_199_254_740_991_i64),
        json!(false),
        json!(["x*", 1, true]),
        json!({ "present": true }),
        json!({ "present": false }),
        json!({ "min": 0 }),
        json!({ "max": -0.5 }),
        json!({ "min": 1.5, "max": 1.5 }),
        json!({ "min": -9_007_199_254_740_991_i64, "max": 9_007_199_254_740_991_i64 }),
    ];
    sound(both.iter().cloned().map(claims).collect());
    sound(both.into_iter().map(arguments).collect());
    sound(vec![
        claims(json!({ "min": "2026-01-31T12:00:00Z" })),
        claims(json!({ "min": 1, "max": "2026-01-31t12:00:00.123z" })),
        claims(json!({ "max": "2024-02-29T23:59:59-23:59" })),
        arguments(json!({ "max_length": 0 })),
        arguments(json!({ "max_length": 1_048_576 })),
    ]);
    let (longest, deepest) = ("x".repeat(ARGUMENT_PATH_CHARS), vec!["x"; ARGUMENT_PATH_NAMES].join("."));
    let wide = "ö".repeat(ARGUMENT_PATH_CHARS);
    for path in ["größe", "a b", "*", "a.*", &longest, &deepest, &wide] {
        sound(vec![json!({ "methods": "tools/call", "arguments": { path: "x" } })]);
    }
    // Claims are the issuer's to make, so their paths have no such bound.
    for path in [format!("{longest}x"), format!("{deepest}.x")] {
        sound(vec![json!({ "claims": { path: "x" } })]);
    }
}

#[test]
fn conditions_that_are_faults() {
    let rows = vec![
        (json!({ "a": null }), "a: found null"),
        (json!({ "a": [] }), "a: found an empty array"),
        (json!({ "a": ["x", null] }), "a: found null"),
        (json!({ "a": ["x", ["y"]] }), "a: found an array"),
        (json!({ "a": ["x", { "min": 1 }] }), "a: found an object"),
        (json!({ "a": 1.5 }), "a: found a number that is not whole, or too large"),
        (json!({ "a": 1e300 }), "a: found a number that is not whole, or too large"),
        (json!({ "a": 18_446_744_073_709_551_615_u64 }), "a: found a number that is not whole, or too large"),
        (json!({ "a": 9_007_199_254_740_992_i64 }), "a: found a number beyond 9007199254740991"),
        (json!({ "a": "x", "b.c": {} }), "b.c: found an object with nothing in it"),
        (json!({ "a": { "present": "true" } }), "a: present is true or false"),
        (json!({ "a": { "present": null } }), "a: present is true or false"),
        (
            json!({ "a": { "present": true, "min": 1 } }),
            "a: found what cannot stand together: min and max can, all others stand alone",
        ),
        (json!({ "a": { "min": null } }), "a: min is null"),
        (json!({ "a": { "min": 1, "max": [2] } }), "a: max is an array"),
        (json!({ "a": { "min": 1e300 } }), "a: found a number beyond 9007199254740991"),
        (json!({ "a": { "max": -9_007_199_254_740_992_i64 } }), "a: found a number beyond 9007199254740991"),
        (json!({ "a": { "min": 2, "max": 1 } }), "a: min is more than max"),
        (json!({ "": "x" }), ": found a path with an empty name in it"),
        (json!({ ".a": "x" }), ".a: found a path with an empty name in it"),
        (json!({ "a..b": "x" }), "a..b: found a path with an empty name in it"),
        (json!(["a"]), "found an array and no object: as a TOML table it has one bracket on each side, […]"),
        (json!("a"), "found a text"),
    ];
    unsound("claims", json!({}), rows.clone());
    unsound("arguments", json!({ "methods": "tools/call" }), rows);
    unsound(
        "claims",
        json!({}),
        vec![
            (json!({ "a": { "maximum": 1 } }), "a: found maximum, which is none of min, max, present"),
            (json!({ "a": { "max_length": 1 } }), "a: found max_length, which is none of min, max, present"),
            (json!({ "a": { "min": "2026-01-31T12:00:00Z", "max": 1 } }), "a: min is more than max"),
            (
                json!({ "a": { "min": "yesterday" } }),
                "a: min is a text and no time such as 2026-01-31T12:00:00Z",
            ),
        ],
    );
    let (longer, deeper) =
        ("x".repeat(ARGUMENT_PATH_CHARS + 1), vec!["x"; ARGUMENT_PATH_NAMES + 1].join("."));
    let [longer, deeper] = [longer, deeper].map(|path| {
        let found = format!("{path}: found more than 16 names or 128 characters in a path");
        (json!({ path: "x" }), found)
    });
    let length = "a: max_length is a whole number, 0 to 1048576";
    unsound(
        "arguments",
        json!({ "methods": "tools/call" }),
        vec![
            (
                json!({ "a": { "minimum": 1 } }),
                "a: found minimum, which is none of min, max, max_length, present",
            ),
            (json!({ "a": { "max_length": -1 } }), length),
            (json!({ "a": { "max_length": 1.5 } }), length),
            (json!({ "a": { "max_length": 1_048_577 } }), length),
            (json!({ "a": { "max_length": "5" } }), length),
            (
                json!({ "a": { "max_length": 5, "max": 1 } }),
                "a: found what cannot stand together: min and max can, all others stand alone",
            ),
            (json!({ "a": { "min": "2026-01-31T12:00:00Z" } }), "a: min is a text"),
            (longer.0, &longer.1),
            (deeper.0, &deeper.1),
        ],
    );
    for member in ["claims", "arguments"] {
        let rule = json!({ "methods": "tools/call", "deny": true, member: {} });
        let said = found::said(&of_rule(&rule));
        assert!(
            said.starts_with(&format!("{POLICY}.rules[0].{member}: expected an object: the path of a")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_is_no_time() {
    let unsound = [
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-1-31T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.xZ",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00+1:00",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+01",
        "+026-01-31T12:00:00Z",
        "2026-01-31T12:00:00é",
        "T",
        "",
        "1769860800",
    ];
    for_each_row(unsound, |text| {
        let said = found::said(&of_rule(&json!({ "claims": { "a": { "max": text } } })));
        same(text, said.ends_with("; a: max is a text and no time such as 2026-01-31T12:00:00Z\n"), true)
    });
}

#[test]
fn a_fault_tells_no_value() {
    for condition in [
        json!({ "min": "s3cret" }),
        json!({ "present": "s3cret" }),
        json!(["s3cret", null]),
        json!({ "max_length": "s3cret" }),
    ] {
        for member in ["claims", "arguments"] {
            let said = found::said(&of_rule(&json!({ "methods": "tools/call", member: { "a": condition } })));
            assert!(!said.is_empty() && !said.contains("s3cret"), "{said}");
        }
    }
}

#[test]
fn warnings() {
    let warned = |policy: Value| -> Vec<String> {
        let config = config(&with(settings(), json!({ POLICY: policy })));
        config.warnings.iter().map(|warning| warning.to_string().replacen(POLICY, "", 1)).collect()
    };
    let rule = |rule: Value| json!({ "rules": [rule] });
    let open = |rule: Value| {
        let policy = json!({ "anonymous_methods": ["tools/call"], "rules": [rule] });
        warned(policy).into_iter().filter(|text| !text.starts_with(".anonymous_methods")).collect::<Vec<_>>()
    };
    assert_eq!(warned(rule(json!({ "except": ["a*"], "deny": true }))), Vec::<String>::new());
    for all in ["*", "**"] {
        assert_eq!(
            warned(rule(json!({ "except": ["a", all], "deny": true }))),
            [".rules[0].except: matches nothing: * stands for every name"]
        );
    }
    assert_eq!(
        warned(rule(json!({ "methods": "tools/call", "arguments": { "a": "x" }, "deny": true }))),
        [
            ".rules[0].arguments: has no effect beside deny = true, which refuses the call whatever its arguments"
        ]
    );
    let closed =
        ".rules[0]: matches an anonymous method, which is refused to whoever has no token all the same";
    assert_eq!(open(json!({ "methods": "tools/call", "scopes": "s" })), [closed]);
    assert_eq!(open(json!({ "methods": "tools/call", "scopes": "s", "arguments": { "a": "x" } })), [closed]);
    assert_eq!(
        open(json!({ "methods": "tools/call", "scopes": "s", "except": ["a"] })),
        Vec::<String>::new()
    );
    assert_eq!(open(json!({ "methods": "tools/call", "arguments": { "a": "x" } })), Vec::<String>::new());
}
