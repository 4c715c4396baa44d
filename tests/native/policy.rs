//! Who may do what: each row is a policy, a token's claims, a request, and what came of it.

use mcp_edge_auth::policy::PolicyInput;
use serde_json::{Value, json};

use crate::support::policy::{authorize, call, expect, plain, posted, rule, said, verified};
use crate::support::{for_each_row, same, with};

#[test]
fn which_rules_match() {
    let deny = |matching: Value| rule(with(matching, json!({ "deny": true })));
    let none = || json!({});
    let refused = "rule_denies #0";
    expect(vec![
        ("no methods, no names", deny(none()), none(), plain("ping"), refused),
        ("an exact method", deny(json!({ "methods": ["ping"] })), none(), plain("ping"), refused),
        ("another one", deny(json!({ "methods": ["ping"] })), none(), plain("pin"), "ok"),
        ("a longer one", deny(json!({ "methods": ["ping"] })), none(), plain("pings"), "ok"),
        ("another case", deny(json!({ "methods": ["ping"] })), none(), plain("Ping"), "ok"),
        ("one text for a list", deny(json!({ "methods": "ping" })), none(), plain("ping"), refused),
        ("one of several", deny(json!({ "methods": ["a", "ping"] })), none(), plain("ping"), refused),
        ("a start", deny(json!({ "methods": ["tools/*"] })), none(), plain("tools/list"), refused),
        ("the start alone", deny(json!({ "methods": ["tools/*"] })), none(), plain("tools/"), refused),
        ("not the start", deny(json!({ "methods": ["tools/*"] })), none(), plain("tool"), "ok"),
        (
            "the start further on",
            deny(json!({ "methods": ["tools/*"] })),
            none(),
            plain("x/tools/list"),
            "ok",
        ),
        ("a star", deny(json!({ "methods": ["*"] })), none(), plain("x"), refused),
        ("a name", deny(json!({ "names": ["a"] })), none(), call("a"), refused),
        ("another name", deny(json!({ "names": ["a"] })), none(), call("b"), "ok"),
        ("a name's case", deny(json!({ "names": ["a"] })), none(), call("A"), "ok"),
        ("no name to match", deny(json!({ "names": ["*"] })), none(), plain("ping"), "ok"),
        ("any name", deny(json!({ "names": ["*"] })), none(), call(""), refused),
        ("stars", deny(json!({ "names": ["a*b*c"] })), none(), call("a-b-c"), refused),
        ("stars for nothing", deny(json!({ "names": ["a*b*c"] })), none(), call("abc"), refused),
        ("stars, wrong order", deny(json!({ "names": ["a*b*c*d"] })), none(), call("acbd"), "ok"),
        ("no part twice", deny(json!({ "names": ["ab*b"] })), none(), call("ab"), "ok"),
        ("an end", deny(json!({ "names": ["*_admin"] })), none(), call("x_admin"), refused),
        ("an end that goes on", deny(json!({ "names": ["*_admin"] })), none(), call("x_admins"), "ok"),
        ("a middle", deny(json!({ "names": ["*sql*"] })), none(), call("run_sql_now"), refused),
        ("both", deny(json!({ "methods": ["prompts/get"], "names": ["a"] })), none(), call("a"), "ok"),
        (
            "a resource by its URI, not by a name beside it",
            deny(json!({ "names": ["file:///etc/*"] })),
            none(),
            json!({ "id": 1, "method": "resources/read", "params": { "uri": "file:///etc/passwd", "name": "x" } }),
            refused,
        ),
        (
            "a tool by its name, not by a URI beside it",
            deny(json!({ "names": ["x"] })),
            none(),
            json!({ "id": 1, "method": "tools/call", "params": { "uri": "x", "name": "a" } }),
            "ok",
        ),
        (
            "an unknown method by either",
            deny(json!({ "names": ["x"] })),
            none(),
            json!({ "id": 1, "method": "vendor/do", "params": { "uri": "x", "name": "a" } }),
            refused,
        ),
        (
            "a subscription by its URI",
            deny(json!({ "names": ["x"] })),
            none(),
            json!({ "id": 1, "method": "resources/subscribe", "params": { "uri": "x" } }),
            refused,
        ),
        (
            "a response, where methods are named",
            deny(json!({ "methods": ["tools/*"] })),
            none(),
            json!({ "id": 1, "result": {} }),
            "ok",
        ),
        (
            "a response, where everything is",
            deny(json!({ "methods": ["*"] })),
            none(),
            json!({ "id": 1, "result": {} }),
            refused,
        ),
        (
            "a notification",
            deny(json!({ "methods": ["notifications/*"] })),
            none(),
            json!({ "method": "notifications/x" }),
            refused,
        ),
    ]);
}

#[test]
fn scopes() {
    let two = json!({ "required_scopes": "mcp", "rules": [
        { "methods": ["tools/*"], "scopes": ["tools", "mcp"] },
        { "methods": ["tools/call"], "names": ["x*"], "any_scopes": ["x:one", "x:two"] },
        { "methods": ["tools/call"], "names": ["*y"], "scopes": "y tools" },
    ] });
    let with_scopes = |scope: &str| json!({ "scope": scope });
    let row = |name, scope: &str, body, expected| (name, two.clone(), with_scopes(scope), body, expected);
    expect(vec![
        row("required alone", "mcp", plain("ping"), "ok"),
        row("required is missing", "tools", plain("ping"), "scope_insufficient mcp"),
        row("none at all", "", call("a"), "scope_insufficient mcp tools"),
        row("of a rule", "mcp", call("a"), "scope_insufficient #0 mcp tools"),
        row("enough", "tools mcp more", call("a"), "ok"),
        row("one of: none", "mcp tools", call("x"), "scope_insufficient #1 mcp tools x:one"),
        row("one of: the first", "mcp tools x:one", call("x"), "ok"),
        row("one of: the second", "mcp tools x:two", call("x"), "ok"),
        row(
            "one of is met, another lacks: what is had is named",
            "mcp x:two",
            call("xy"),
            "scope_insufficient #0 mcp tools x:two y",
        ),
        row(
            "all rules that match, each scope once",
            "mcp",
            call("x-y"),
            "scope_insufficient #0 mcp tools x:one y",
        ),
        row("a scope is a whole word", "mcp tools:x", call("a"), "scope_insufficient #0 mcp tools"),
        row("case counts", "MCP tools", call("a"), "scope_insufficient mcp tools"),
        ("in an array", two.clone(), json!({ "scope": ["mcp", "tools"] }), call("a"), "ok"),
        ("from scp", two.clone(), json!({ "scp": "mcp tools" }), call("a"), "ok"),
        (
            "scope before scp",
            two.clone(),
            json!({ "scope": "mcp", "scp": "tools" }),
            call("a"),
            "scope_insufficient #0 mcp tools",
        ),
    ]);
}

#[test]
fn a_token_with_just_the_challenged_scopes_passes() {
    let policy = json!({ "required_scopes": ["mcp"], "scope_hierarchy": { "admin": ["mcp", "x:two"] }, "rules": [
        { "scopes": ["a"] }, { "any_scopes": ["x:one", "x:two"] }, { "names": ["t"], "scopes": ["b", "mcp"], "any_scopes": ["c"] },
    ] });
    for had in ["", "mcp", "admin", "x:two", "a b", "c x:one"] {
        let text = call("t").to_string();
        let body = posted(Some(text.as_bytes()));
        let unmet = authorize(&policy, Some(verified(&json!({ "scope": had }))), &PolicyInput::Body(body))
            .1
            .unwrap_err();
        let challenged = json!({ "scope": unmet.scopes.join(" ") });
        assert_eq!(said(&policy, Some(verified(&challenged)), &call("t")), "ok", "{had}: {challenged}");
    }
}

#[test]
fn hierarchies() {
    let policy = json!({
        "required_scopes": ["read"],
        "scope_hierarchy": { "root": ["admin"], "admin": "write audit", "write": ["read"] },
    });
    let rows = [
        ("read", "ok"),
        ("write", "ok"),
        ("admin", "ok"),
        ("root", "ok"),
        ("audit", "scope_insufficient read"),
    ];
    for_each_row(rows, |&(scope, expected)| {
        same(
            scope,
            said(&policy, Some(verified(&json!({ "scope": scope }))), &plain("ping")),
            expected.to_owned(),
        )
    });
}

#[test]
fn claims_of_every_kind() {
    let demand = |claims: Value| rule(json!({ "claims": claims }));
    let met = |name, claims_demanded, claims, expected: bool| {
        (
            name,
            demand(claims_demanded),
            claims,
            plain("ping"),
            if expected { "ok" } else { "claim_not_met #0" },
        )
    };
    expect(vec![
        met("a text", json!({ "tenant": "acme" }), json!({ "tenant": "acme" }), true),
        met("another text", json!({ "tenant": "acme" }), json!({ "tenant": "acme2" }), false),
        met("absent", json!({ "tenant": "acme" }), json!({}), false),
        met("null", json!({ "tenant": "acme" }), json!({ "tenant": null }), false),
        met("one of several", json!({ "tenant": ["a", "b"] }), json!({ "tenant": "b" }), true),
        met("a member of an array", json!({ "groups": "staff" }), json!({ "groups": ["x", "staff"] }), true),
        met("no member", json!({ "groups": "staff" }), json!({ "groups": ["x", ["staff"]] }), false),
        met("an empty array", json!({ "groups": "staff" }), json!({ "groups": [] }), false),
        met(
            "within",
            json!({ "realm_access.roles": "admin" }),
            json!({ "realm_access": { "roles": ["admin"] } }),
            true,
        ),
        met("not so deep", json!({ "realm_access.roles": "admin" }), json!({ "roles": ["admin"] }), false),
        met(
            "a name with dots",
            json!({ "https://x.example/roles": "r" }),
            json!({ "https://x.example/roles": ["r"] }),
            true,
        ),
        met(
            "below a name with dots",
            json!({ "https://x.example/app.role": "r" }),
            json!({ "https://x.example/app": { "role": "r" } }),
            true,
        ),
        met("a claim in another case", json!({ "tenant": "acme" }), json!({ "Tenant": "acme" }), false),
        met("a path in another case", json!({ "Tenant": "acme" }), json!({ "tenant": "acme" }), false),
        met("a value in another case", json!({ "tenant": "acme" }), json!({ "tenant": "ACME" }), false),
        met(
            "the start of a path in another case",
            json!({ "realm_access.roles": "admin" }),
            json!({ "Realm_Access": { "roles": ["admin"] } }),
            false,
        ),
        met(
            "the end of a path in another case",
            json!({ "realm_access.roles": "admin" }),
            json!({ "realm_access": { "ROLES": ["admin"] } }),
            false,
        ),
        met(
            "a name with dots in another case",
            json!({ "https://x.example/roles": "r" }),
            json!({ "https://X.example/roles": ["r"] }),
            false,
        ),
        met("an object", json!({ "org": "acme" }), json!({ "org": { "acme": true } }), false),
        met("true", json!({ "verified": true }), json!({ "verified": true }), true),
        met("true is not a text", json!({ "verified": true }), json!({ "verified": "true" }), false),
        met("false", json!({ "verified": true }), json!({ "verified": false }), false),
        met("a number", json!({ "org_id": 42 }), json!({ "org_id": 42 }), true),
        met("a number is not a text", json!({ "org_id": 42 }), json!({ "org_id": "42" }), false),
        met(
            "the greatest number",
            json!({ "n": 9_007_199_254_740_991_i64 }),
            json!({ "n": 9_007_199_254_740_992_i64 }),
            false,
        ),
        met("all of several", json!({ "a": "1", "b": "2" }), json!({ "a": "1", "b": "2" }), true),
        met("one lacks", json!({ "a": "1", "b": "2" }), json!({ "a": "1" }), false),
    ]);
}

#[test]
fn what_is_told_first() {
    let policy = json!({ "required_scopes": ["mcp"], "rules": [
        { "scopes": ["a"] }, { "names": ["x"], "claims": { "t": "1" } }, { "names": ["y", "x"], "deny": true },
    ] });
    expect(vec![
        ("denied before scopes", policy.clone(), json!({}), call("y"), "rule_denies #2"),
        ("the first rule that refuses for good", policy.clone(), json!({}), call("x"), "claim_not_met #1"),
        ("scopes last", policy.clone(), json!({ "t": "1" }), call("z"), "scope_insufficient mcp a"),
        (
            "clients first",
            with(policy, json!({ "clients": ["c"] })),
            json!({}),
            call("y"),
            "client_not_allowed",
        ),
    ]);
}

#[test]
fn batches() {
    let policy = json!({ "rules": [{ "names": ["a"], "scopes": ["a"] }, { "names": ["b"], "scopes": ["b"] }, { "names": ["no"], "deny": true }] });
    expect(vec![
        ("all pass", policy.clone(), json!({ "scope": "a b" }), json!([call("a"), call("b")]), "ok"),
        (
            "one does not",
            policy.clone(),
            json!({ "scope": "a" }),
            json!([call("a"), call("b")]),
            "scope_insufficient #1 a b",
        ),
        ("one is denied", policy.clone(), json!({}), json!([call("a"), call("no")]), "rule_denies #2"),
        ("as many as there may be", policy.clone(), json!({}), json!(vec![plain("ping"); 100]), "ok"),
        ("one more", policy, json!({}), json!(vec![plain("ping"); 101]), "message_invalid"),
    ]);
}

#[test]
fn many_rules_are_looked_up_by_method() {
    let mut rules: Vec<Value> =
        (0..1000).map(|n| json!({ "methods": [format!("m{n}")], "scopes": [format!("s{n}")] })).collect();
    rules.push(json!({ "methods": ["m*"], "scopes": ["last"] }));
    rules.insert(0, json!({ "scopes": ["first"] }));
    let policy = json!({ "rules": rules });
    assert_eq!(
        said(&policy, Some(verified(&json!({}))), &plain("m7")),
        "scope_insufficient #0 first s7 last"
    );
    assert_eq!(said(&policy, Some(verified(&json!({ "scope": "first s7 last" }))), &plain("m7")), "ok");
}
