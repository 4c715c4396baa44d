//! Which arguments a path leads to, which calls a rule with `arguments` is about, and what is told
//! of a call that does not meet it.

use mcp_edge_auth::limits::{ARGUMENT_MEMBERS, BODY_BYTES};
use serde_json::{Value, json};

use crate::support::policy::{call, calling, demanding, expect, meet, plain, said, said_of, verified};
use crate::support::{for_each_row, same, with};

#[test]
fn presence() {
    let there = || json!({ "present": true });
    let absent = || json!({ "present": false });
    let rows: Vec<(&str, &str, bool, bool)> = vec![
        ("a text", r#"{"a":{"b":""}}"#, true, false),
        ("false", r#"{"a":{"b":false}}"#, true, false),
        ("an array of nothing", r#"{"a":{"b":[]}}"#, true, false),
        ("an object", r#"{"a":{"b":{}}}"#, true, false),
        ("null: some take it for absent, and others for a value", r#"{"a":{"b":null}}"#, false, false),
        ("absent", r#"{"a":{"c":1}}"#, false, true),
        ("nothing to be in", "{}", false, true),
        ("null to be in", r#"{"a":null}"#, false, true),
        ("no arguments", "", false, true),
        ("null for arguments", "null", false, true),
        ("a text to be in", r#"{"a":"{\"b\":1}"}"#, false, false),
        ("a number to be in", r#"{"a":1}"#, false, false),
        ("an array to be in", r#"{"a":[{"c":1}]}"#, false, false),
        ("arguments in a text", r#""{}""#, false, false),
        ("arguments in an array", "[]", false, false),
        ("a name with a dot", r#"{"a.b":1}"#, false, false),
        ("another case", r#"{"a":{"B":1}}"#, false, false),
        ("another case on the way", r#"{"A":{"b":1}}"#, false, false),
        ("another case of a name with a dot", r#"{"A.b":1}"#, false, false),
    ];
    for (name, arguments, when_wanted, when_unwanted) in rows {
        meet(
            "a.b",
            vec![(name, there(), arguments, when_wanted), (name, absent(), arguments, when_unwanted)],
        );
    }
}

#[test]
fn paths() {
    let x = || json!("x");
    meet(
        "a.b.c",
        vec![
            ("three names", x(), r#"{"a":{"b":{"c":"x"}}}"#, true),
            ("beside others", x(), r#"{"z":1,"a":{"y":{},"b":{"c":"x","d":1},"x":[]},"c":"y"}"#, true),
            ("the end elsewhere", x(), r#"{"a":{"c":"x"},"b":{"c":"x"}}"#, false),
            ("through an array", x(), r#"{"a":[{"b":{"c":"x"}}]}"#, false),
            ("through an array at the end", x(), r#"{"a":{"b":[{"c":"x"}]}}"#, false),
            ("through a text", x(), r#"{"a":{"b":"{\"c\":\"x\"}"}}"#, false),
            ("through null", x(), r#"{"a":{"b":null}}"#, false),
            ("names with dots", x(), r#"{"a.b.c":"x"}"#, false),
            ("a name with a dot within", x(), r#"{"a":{"b.c":"x"}}"#, false),
            ("a name with a dot at first", x(), r#"{"a.b":{"c":"x"}}"#, false),
            ("both readings, and both good", x(), r#"{"a":{"b":{"c":"x"}},"a.b.c":"x"}"#, false),
            ("both readings within", x(), r#"{"a":{"b":{"c":"x"},"b.c":"y"}}"#, false),
            (
                "another name with a dot",
                x(),
                r#"{"a":{"b":{"c":"x"},"b.d":"y"},"a.c":1,".a":1,"a.":2}"#,
                true,
            ),
            ("a longer name", x(), r#"{"a":{"b":{"c":"x"},"bc":"y"},"ab":1}"#, true),
            ("another case beside it", x(), r#"{"a":{"b":{"c":"x","C":"y"}}}"#, false),
            ("another case before it", x(), r#"{"a":{"B":{"c":"y"},"b":{"c":"x"}}}"#, false),
            ("another case alone", x(), r#"{"A":{"b":{"c":"x"}}}"#, false),
            ("another case in escapes", x(), r#"{"\u0041":1,"a":{"b":{"c":"x"}}}"#, false),
            ("another case elsewhere", x(), r#"{"a":{"b":{"c":"x","d":{"A":1,"C":1}}},"B":1,"C":1}"#, true),
        ],
    );
    meet(
        "tasks",
        vec![
            ("a long s", x(), r#"{"tasks":"x","ta\u017fks":"y"}"#, false),
            ("the Kelvin sign", x(), r#"{"tasks":"x","tas\u212as":"y"}"#, false),
            ("no other letter", x(), r#"{"tasks":"x","tàsks":"y","tasksß":"y"}"#, true),
        ],
    );
    meet(
        "größe",
        vec![
            ("itself", x(), r#"{"größe":"x"}"#, true),
            ("in capitals", x(), r#"{"größe":"x","GRÖßE":"y"}"#, false),
            ("with the capital sharp s", x(), r#"{"größe":"x","GRÖẞE":"y"}"#, false),
            ("another letter", x(), r#"{"größe":"x","grüße":"y"}"#, true),
        ],
    );
    meet("市町", vec![("letters without case", x(), r#"{"市町":"x","町市":"y"}"#, true)]);
    meet("id", vec![("a dotless i", x(), "{\"id\":\"x\",\"ıd\":\"y\"}", false)]);
    meet("Σ", vec![("a sigma at the end of a word", x(), "{\"Σ\":\"x\",\"ς\":\"y\"}", false)]);
}

#[test]
fn arguments_in_another_case_are_read_by_some() {
    let policy = demanding(json!({ "a": "x" }));
    let body = |members: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t",{members}}}}}"#)
    };
    let unmet = "argument_not_met #0 a";
    let rows = [
        (r#""arguments":{"a":"x"},"Arguments":{"a":"y"}"#, unmet),
        (r#""ARGUMENTS":{"a":"y"},"arguments":{"a":"x"}"#, unmet),
        (r#""argument\u017f":{"a":"y"},"arguments":{"a":"x"}"#, unmet),
        (r#""Arguments":{"a":"x"}"#, unmet),
        (r#""arguments":{"a":"x"},"argument":{"a":"y"},"params":{"arguments":1}"#, "ok"),
    ];
    for_each_row(rows, |(members, expected)| {
        same(members, said_of(&policy, None, &body(members)), (*expected).into())
    });
    // What is to be absent is there for those readers.
    let absent = demanding(json!({ "a": { "present": false } }));
    for members in [r#""Arguments":{"a":1}"#, r#""argument\u017f":{"b":1},"arguments":{}"#] {
        assert_eq!(said_of(&absent, None, &body(members)), unmet, "{members}");
    }
    let spaced = format!(" \r\n\t[\n{},{} ]\n", body(r#""arguments":{"a":"x"}"#), calling(r#"{"a" : "x"}"#));
    assert_eq!(said_of(&policy, None, &spaced), "ok");
    assert_eq!(said_of(&policy, None, &format!("\n {}\t", calling(r#"{"a":"x"}"#))), "ok");
}

#[test]
fn what_is_read_twice_is_no_message() {
    let policy = demanding(json!({ "a": { "present": false }, "b": "x" }));
    for arguments in [
        r#"{"a":1,"a":2}"#,
        r#"{"b":"x","\u0062":"y"}"#,
        r#"{"b":"x","c":{"d":1,"d":1}}"#,
        r#"{"b":"\ud800"}"#,
    ] {
        let told = said_of(&policy, Some(verified(&json!({}))), &calling(arguments));
        assert_eq!(told, "body_malformed", "{arguments}");
    }
}

#[test]
fn which_calls_and_which_rules() {
    let rule = |name: &str, more: Value| with(json!({ "methods": "tools/call", "names": [name] }), more);
    let policy = json!({ "anonymous_methods": ["tools/*", "prompts/*"], "rules": [
        rule("a*", json!({ "arguments": { "p": "1", "q": "1" } })),
        rule("*b", json!({ "arguments": { "p": ["1", "2"], "o": { "present": true } } })),
        rule("no", json!({ "arguments": { "p": "1" }, "deny": true })),
        { "methods": ["prompts/get"], "names": ["x"], "scopes": ["s"] },
    ] });
    let with_arguments = |name: &str, arguments: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": arguments } });
    let prompt =
        json!({ "id": 1, "method": "prompts/get", "params": { "name": "ab", "arguments": { "p": "9" } } });
    let ok = json!({ "p": "1", "q": "1", "o": 1 });
    let rows = vec![
        ("a tool of no rule", with_arguments("c", json!({ "p": "9" })), "ok"),
        ("a prompt of the same name", prompt, "ok"),
        ("one rule", with_arguments("ac", json!({ "p": "1", "q": "1" })), "ok"),
        ("one rule, unmet", with_arguments("ac", json!({ "p": "2", "q": "1" })), "argument_not_met #0 p"),
        ("the first path of two", with_arguments("ac", json!({})), "argument_not_met #0 p"),
        ("the second one", with_arguments("ac", json!({ "p": "1" })), "argument_not_met #0 q"),
        ("two rules", with_arguments("ab", ok.clone()), "ok"),
        (
            "two rules, each demands",
            with_arguments("ab", json!({ "p": "2", "q": "1", "o": 1 })),
            "argument_not_met #0 p",
        ),
        ("the second rule", with_arguments("ab", json!({ "p": "1", "q": "1" })), "argument_not_met #1 o"),
        ("deny comes first", with_arguments("no", json!({ "p": "9" })), "credentials_missing"),
        (
            "a batch",
            json!([with_arguments("ab", ok.clone()), with_arguments("ac", ok.clone()), plain("tools/list")]),
            "ok",
        ),
        (
            "one of a batch",
            json!([with_arguments("ab", ok.clone()), with_arguments("ac", json!({ "p": "1" }))]),
            "argument_not_met #0 q",
        ),
        (
            "the first rule of a batch",
            json!([with_arguments("b", json!({})), with_arguments("ac", json!({}))]),
            "argument_not_met #0 p",
        ),
        (
            "a notification",
            json!({ "method": "tools/call", "params": { "name": "ac" } }),
            "argument_not_met #0 p",
        ),
        ("another method", json!({ "id": 1, "method": "tools/list", "params": { "name": "ac" } }), "ok"),
    ];
    for_each_row(rows, |(name, body, expected)| {
        same(name, said(&policy, None, body), (*expected).to_owned())
    });
}

#[test]
fn what_is_told_first() {
    let policy = json!({ "rules": [
        { "methods": "tools/call", "arguments": { "a": "x" }, "scopes": ["s"] },
        { "names": ["c"], "claims": { "t": "1" } },
        { "names": ["d"], "deny": true },
    ] });
    expect(vec![
        ("a denial of another rule", policy.clone(), json!({}), call("d"), "rule_denies #2"),
        ("a claim of another rule", policy.clone(), json!({}), call("c"), "claim_not_met #1"),
        ("before scopes", policy.clone(), json!({}), call("a"), "argument_not_met #0 a"),
        (
            "then the scopes",
            policy.clone(),
            json!({}),
            json!({ "id": 1, "method": "tools/call", "params": { "name": "a", "arguments": { "a": "x" } } }),
            "scope_insufficient #0 s",
        ),
        (
            "in report mode",
            with(policy, json!({ "mode": "report" })),
            json!({}),
            call("a"),
            "would: argument_not_met #0 a",
        ),
    ]);
}

#[test]
fn large_arguments_are_read_to_a_limit() {
    let members = |count: usize| -> String {
        let others: String = (1..count).map(|n| format!(r#""m{n}":0,"#)).collect();
        format!(r#"{{{others}"a":"x"}}"#)
    };
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(BODY_BYTES / 2));
    let deep = format!(r#"{{"a":"x","b":{}{}}}"#, "[".repeat(120), "]".repeat(120));
    let beside = format!(r#"{{"a":"x","b":{}}}"#, members(ARGUMENT_MEMBERS + 1));
    meet(
        "a",
        vec![
            ("as many members as there may be", json!("x"), &members(ARGUMENT_MEMBERS), true),
            ("one more", json!("x"), &members(ARGUMENT_MEMBERS + 1), false),
            (
                "one more, and it is to be absent",
                json!({ "present": false }),
                &members(ARGUMENT_MEMBERS + 1),
                false,
            ),
            ("more where no path leads", json!("x"), &beside, true),
            ("deep", json!("x"), &deep, true),
            ("long", json!("x*"), &long, true),
            ("too long", json!({ "max_length": 5 }), &long, false),
        ],
    );
}
