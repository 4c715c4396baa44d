//! Rules that match all names but some, and what they demand of claims beside certain values: that
//! one is there or is not, and numbers and times between two others.

use serde_json::{Value, json};

use crate::support::policy::{call, expect, plain, rule, sift_by};
use crate::support::with;

#[test]
fn all_names_but_these() {
    let only = |more: Value| rule(with(json!({ "except": ["search", "fetch*"], "deny": true }), more));
    let calls = || only(json!({ "methods": ["tools/call"] }));
    let all = || only(json!({}));
    let none = || json!({});
    let refused = "rule_denies #0";
    let params = |method: &str, params: Value| json!({ "id": 1, "method": method, "params": params });
    expect(vec![
        ("one of them", calls(), none(), call("search"), "ok"),
        ("by a pattern", calls(), none(), call("fetch_all"), "ok"),
        ("another", calls(), none(), call("delete"), refused),
        ("another case", calls(), none(), call("Search"), refused),
        ("a longer name", calls(), none(), call("search2"), refused),
        ("an empty name", calls(), none(), call(""), refused),
        (
            "one text for a list",
            rule(json!({ "except": "search", "deny": true })),
            none(),
            call("x"),
            refused,
        ),
        ("another method", calls(), none(), params("prompts/get", json!({ "name": "x" })), "ok"),
        (
            "all methods that have names",
            all(),
            none(),
            params("prompts/get", json!({ "name": "x" })),
            refused,
        ),
        ("by a URI", all(), none(), params("resources/read", json!({ "uri": "search" })), "ok"),
        (
            "by another URI",
            all(),
            none(),
            params("resources/read", json!({ "uri": "x", "name": "search" })),
            refused,
        ),
        ("what has no name", all(), none(), plain("tools/list"), "ok"),
        ("a response", all(), none(), json!({ "id": 1, "result": {} }), "ok"),
        (
            "both names spared",
            all(),
            none(),
            params("vendor/do", json!({ "name": "search", "uri": "fetch" })),
            "ok",
        ),
        (
            "a second name",
            all(),
            none(),
            params("vendor/do", json!({ "name": "search", "uri": "x" })),
            refused,
        ),
        (
            "a name that is no text",
            all(),
            none(),
            params("vendor/do", json!({ "name": ["search"] })),
            refused,
        ),
        ("a name that is null", all(), none(), params("vendor/do", json!({ "name": null })), refused),
        (
            "a URI that is no text",
            all(),
            none(),
            params("vendor/do", json!({ "name": "search", "uri": 7 })),
            refused,
        ),
        (
            "of a tool only the name counts",
            all(),
            none(),
            params("tools/call", json!({ "name": "search", "uri": 7 })),
            "ok",
        ),
        ("in a batch", calls(), none(), json!([call("search"), call("x")]), refused),
        (
            "scopes for all others",
            rule(json!({ "methods": "tools/call", "except": ["search"], "scopes": ["s"] })),
            none(),
            call("x"),
            "scope_insufficient #0 s",
        ),
        (
            "arguments for all others",
            rule(json!({ "methods": "tools/call", "except": ["search"], "arguments": { "a": "x" } })),
            none(),
            call("x"),
            "argument_not_met #0 a",
        ),
        (
            "none for those",
            rule(json!({ "methods": "tools/call", "except": ["search"], "arguments": { "a": "x" } })),
            none(),
            call("search"),
            "ok",
        ),
        (
            "in report mode",
            with(calls(), json!({ "mode": "report" })),
            none(),
            call("x"),
            "would: rule_denies #0",
        ),
    ]);
}

#[test]
fn lists_follow() {
    let rules = json!([
        { "methods": ["tools/call"], "except": ["search", "fetch*"], "deny": true },
        { "methods": ["tools/call"], "names": ["fetch_one"], "arguments": { "url": "https://x.example/*" } },
        { "methods": ["resources/read"], "except": ["file:///ok"], "scopes": ["files"] },
    ]);
    let answer = r#"{"result":{"tools":[{"name":"search"},{"name":"x"},{"name":"fetch_one"}],"resources":[{"uri":"file:///ok"},{"uri":"file:///no"}]}}"#;
    let seen = sift_by(json!({ "filter_lists": true, "rules": rules }), answer);
    assert_eq!(
        seen,
        r#"{"result":{"tools":[{"name":"search"},{"name":"fetch_one"}],"resources":[{"uri":"file:///ok"}]}}"#,
        "arguments hide no tool"
    );
}

/// A row: a condition of the claim `c.d`, the claims, and whether they meet it.
type Row = (&'static str, Value, Value, bool);

fn claims(rows: Vec<Row>) {
    let row = |(name, condition, claims, is_met): Row| {
        let expected = if is_met { "ok" } else { "claim_not_met #0" };
        (name, rule(json!({ "claims": { "c.d": condition } })), claims, plain("ping"), expected)
    };
    expect(rows.into_iter().map(row).collect());
}

#[test]
fn claims_that_are_there_or_not() {
    let there = || json!({ "present": true });
    let absent = || json!({ "present": false });
    let d = |value: Value| json!({ "c": { "d": value } });
    claims(vec![
        ("there", there(), d(json!("x")), true),
        ("false is there", there(), d(json!(false)), true),
        ("an empty array is there", there(), d(json!([])), true),
        ("an object is there", there(), d(json!({})), true),
        ("null is not", there(), d(Value::Null), false),
        ("absent", there(), json!({ "c": { "e": 1 } }), false),
        ("nothing to be in", there(), json!({}), false),
        ("a name with a dot", there(), json!({ "c.d": 1 }), true),
        ("either way", there(), json!({ "c.d": null, "c": { "d": 1 } }), true),
        ("through an array", there(), json!({ "c": [{ "d": 1 }] }), false),
        ("unwanted, and absent", absent(), json!({ "c": { "e": 1 } }), true),
        ("unwanted, and nothing to be in", absent(), json!({}), true),
        ("unwanted, and there", absent(), d(json!("x")), false),
        ("unwanted, and null", absent(), d(Value::Null), false),
        ("unwanted, in a name with a dot", absent(), json!({ "c.d": 1 }), false),
        ("unwanted, one of two ways", absent(), json!({ "c": {}, "c.d": 1 }), false),
    ]);
}

#[test]
fn claims_between_bounds() {
    let both = || json!({ "min": 10, "max": 20.5 });
    let d = |value: Value| json!({ "c": { "d": value } });
    // 2026-01-31T12:00:00Z
    let noon = 1_769_860_800;
    let since = || json!({ "min": "2026-01-31T12:00:00Z" });
    claims(vec![
        ("the least", both(), d(json!(10)), true),
        ("the greatest", both(), d(json!(20.5)), true),
        ("between", both(), d(json!(15.25)), true),
        ("below", both(), d(json!(9.99)), false),
        ("above", both(), d(json!(20.6)), false),
        ("one of an array", both(), d(json!([1, 12])), true),
        ("none of an array", both(), d(json!([1, 30])), false),
        ("an empty array", both(), d(json!([])), false),
        ("a text", both(), d(json!("15")), false),
        ("true", both(), d(json!(true)), false),
        ("null", both(), d(Value::Null), false),
        ("absent", both(), json!({}), false),
        ("no upper bound", json!({ "min": 1 }), d(json!(1e300)), true),
        ("no lower bound", json!({ "max": 1 }), d(json!(-5)), true),
        ("a time", since(), d(json!(noon)), true),
        ("before it", since(), d(json!(noon - 1)), false),
        ("after it", since(), d(json!(f64::from(noon) + 0.5)), true),
        ("as JavaScript writes it", json!({ "min": "2026-01-31T12:00:00.000Z" }), d(json!(noon)), true),
        ("elsewhere", json!({ "max": "2026-01-31T13:30:00+01:30" }), d(json!(noon)), true),
        ("elsewhere, and after", json!({ "max": "2026-01-31T13:30:00+01:30" }), d(json!(noon + 1)), false),
        ("on the other side", json!({ "min": "2026-01-31T04:00:00-08:00" }), d(json!(noon - 1)), false),
        ("a time as text", since(), d(json!("2026-01-31T12:00:00Z")), false),
        (
            "a leap day",
            json!({ "min": "2024-02-29T00:00:00Z", "max": "2024-02-29T00:00:00Z" }),
            d(json!(1_709_164_800)),
            true,
        ),
        (
            "the end of a century",
            json!({ "min": "2100-03-01T00:00:00Z", "max": "2100-03-01T00:00:00Z" }),
            d(json!(4_107_542_400_i64)),
            true,
        ),
        (
            "before 1970",
            json!({ "min": "1969-12-31T23:59:59Z", "max": "1969-12-31T23:59:59Z" }),
            d(json!(-1)),
            true,
        ),
        (
            "long before",
            json!({ "min": "1900-03-01T00:00:00Z", "max": "1900-03-01T00:00:00Z" }),
            d(json!(-2_203_891_200_i64)),
            true,
        ),
    ]);
}

#[test]
fn texts_of_claims_are_no_patterns() {
    let demanded = || rule(json!({ "claims": { "c": ["a*", "b"] } }));
    expect(vec![
        ("itself", demanded(), json!({ "c": "a*" }), plain("ping"), "ok"),
        ("what a pattern would match", demanded(), json!({ "c": "ab" }), plain("ping"), "claim_not_met #0"),
        ("another one of them", demanded(), json!({ "c": "b" }), plain("ping"), "ok"),
    ]);
}

#[test]
fn nobody_meets_no_claim() {
    let policy =
        json!({ "anonymous_methods": ["ping"], "rules": [{ "claims": { "c": { "present": false } } }] });
    assert_eq!(crate::support::policy::said(&policy, None, &plain("ping")), "credentials_missing");
}
