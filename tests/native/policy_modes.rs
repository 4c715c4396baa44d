//! What a policy makes of requests without a body, of nobody's, and in report mode; and what the
//! log hears of it.

use mcp_edge_auth::policy::mirror::StandardHeaders;
use mcp_edge_auth::policy::{self, Body, Head, PolicyInput};
use serde_json::{Value, json};

use crate::support::policy::{
    POLICY, at_once, authorize, call, expect, outcome, plain, posted, rule, said, verified,
};
use crate::support::{config, for_each_row, resource, same, settings, with};

#[test]
fn requests_that_are_no_post() {
    const fn head(method: &str) -> Head<'_> {
        Head { method, websocket: false, has_body: false }
    }
    let policy = json!({ "required_scopes": ["mcp"], "rules": [
        { "methods": ["DELETE"], "scopes": ["end"] }, { "methods": ["tools/*"], "scopes": ["tools"] }, { "names": ["x"], "deny": true },
    ] });
    let rows = [
        (head("GET"), "mcp", "ok"),
        (head("GET"), "", "scope_insufficient mcp"),
        (head("DELETE"), "mcp", "scope_insufficient #0 mcp end"),
        (head("DELETE"), "mcp end", "ok"),
        (Head { websocket: true, ..head("GET") }, "mcp tools end", "upgrade_not_allowed"),
        (Head { websocket: true, ..head("POST") }, "mcp tools end", "upgrade_not_allowed"),
        (Head { has_body: true, ..head("GET") }, "mcp tools end", "body_not_allowed"),
        (Head { has_body: true, ..head("DELETE") }, "mcp tools end", "body_not_allowed"),
    ];
    let judged = |policy: &Value, asked: Head<'_>, scope: &str| {
        outcome(authorize(policy, Some(verified(&json!({ "scope": scope }))), &PolicyInput::Head(asked)).1)
    };
    for_each_row(rows, |&(asked, scope, expected)| {
        same(&format!("{asked:?}"), judged(&policy, asked, scope), expected.to_owned())
    });
    for method in ["HEAD", "PUT", "PATCH", "QUERY", "PROPFIND", "get", "Post", "OPTIONS", ""] {
        assert_eq!(judged(&policy, head(method), "mcp end"), "method_not_allowed", "{method}");
    }
    let report = with(policy, json!({ "mode": "report" }));
    assert_eq!(judged(&report, head("PUT"), "mcp"), "would: method_not_allowed");

    let scopes_only = json!({ "required_scopes": ["mcp"] });
    assert_eq!(judged(&scopes_only, Head { has_body: true, ..head("PUT") }, "mcp"), "ok");
    let websocket = Head { websocket: true, ..head("GET") };
    assert_eq!(judged(&scopes_only, websocket, "mcp"), "upgrade_not_allowed", "with any policy");
    let (_, cleared) = authorize(
        &rule(json!({ "methods": "*", "deny": true })),
        Some(verified(&json!({}))),
        &PolicyInput::Head(Head { method: "GET", ..Head::default() }),
    );
    assert_eq!(outcome(cleared), "rule_denies #0", "a star is for everything");
}

#[test]
fn nobody() {
    let policy = json!({
        "required_scopes": ["mcp"],
        "clients": ["c"],
        "anonymous_methods": ["initialize", "tools/*"],
        "rules": [{ "methods": ["tools/call"], "scopes": ["tools"] }, { "names": ["no"], "deny": true }],
    });
    let login = "credentials_missing";
    let rows = [
        ("on the list", plain("initialize"), "ok"),
        ("by its start", plain("tools/list"), "ok"),
        ("not on the list", plain("ping"), login),
        ("on the list, and closed by a rule", call("a"), login),
        ("denied to everybody", json!({ "id": 1, "method": "tools/x", "params": { "name": "no" } }), login),
        ("a batch of both", json!([plain("initialize"), plain("ping")]), login),
        ("a batch of the list", json!([plain("initialize"), plain("tools/list")]), "ok"),
        ("a response", json!({ "id": 1, "result": {} }), login),
        ("no message", json!({}), login),
    ];
    for_each_row(rows, |(name, body, expected)| {
        same(name, said(&policy, None, body), (*expected).to_owned())
    });
    let report = with(policy.clone(), json!({ "mode": "report" }));
    assert_eq!(said(&report, None, &plain("ping")), login, "report mode lets nobody in");
    assert_eq!(said(&report, None, &call("a")), "would: scope_insufficient #0 tools");
    for bytes in [None, Some(b"no JSON".as_slice())] {
        for policy in [&policy, &report] {
            let asked = PolicyInput::Body(posted(bytes));
            assert_eq!(outcome(authorize(policy, None, &asked).1), login);
        }
    }
    assert_eq!(
        outcome(authorize(&policy, None, &PolicyInput::Head(Head { method: "GET", ..Head::default() })).1),
        login
    );
    assert_eq!(
        outcome(
            policy::authorize(None, None, &PolicyInput::Head(Head { method: "POST", ..Head::default() }))
                .1
                .map(at_once)
        ),
        login,
        "no policy"
    );
}

#[test]
fn report_mode_tells_and_lets_through() {
    let policy = json!({ "mode": "report", "required_scopes": ["mcp"], "clients": ["c"], "rules": [{ "names": ["no"], "deny": true }] });
    expect(vec![
        ("a client", policy.clone(), json!({ "scope": "mcp" }), call("a"), "would: client_not_allowed"),
        ("a rule", policy.clone(), json!({ "client_id": "c" }), call("no"), "would: rule_denies #0"),
        ("scopes", policy.clone(), json!({ "client_id": "c" }), call("a"), "would: scope_insufficient mcp"),
        ("no message", policy.clone(), json!({ "client_id": "c" }), json!({}), "would: message_invalid"),
        ("nothing", policy, json!({ "client_id": "c", "scope": "mcp" }), call("a"), "ok"),
    ]);
}

#[test]
fn what_was_heard() {
    let heard = |body: Value| {
        let text = body.to_string();
        let body = posted(Some(text.as_bytes()));
        let (heard, _) =
            authorize(&rule(json!({ "deny": true })), Some(verified(&json!({}))), &PolicyInput::Body(body));
        (heard.method, heard.name, heard.batch)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(heard(call("a")), (some("tools/call"), some("a"), None));
    assert_eq!(heard(call(&"é".repeat(1000))), (some("tools/call"), some(&"é".repeat(128)), None));
    let read =
        json!({ "id": 1, "method": "resources/read", "params": { "uri": "https://x.example/y?key=secret" } });
    assert_eq!(heard(read), (some("resources/read"), some("https://x.example/y"), None));
    // Nothing is hidden in a batch: each is told once, as far as there is room.
    assert_eq!(heard(json!([call("a")])), (some("tools/call"), some("a"), Some(1)));
    let ping = json!({ "id": 2, "method": "ping" });
    let batch = json!([ping, call("a"), call("b"), call("a"), { "id": 3, "result": {} }]);
    assert_eq!(heard(batch), (some("ping, tools/call"), some("a, b"), Some(5)));
    let long = json!([call(&"é".repeat(100)), call(&"è".repeat(100))]);
    let listed = format!("{}, {}", "é".repeat(100), "è".repeat(26));
    assert_eq!(heard(long), (some("tools/call"), some(&listed), Some(2)));
    assert_eq!(heard(json!([{ "id": 3, "result": {} }])), (None, None, Some(1)));
    assert_eq!(heard(json!({ "id": 1, "result": {} })), (None, None, None));
}

#[test]
fn what_the_headers_say_of_a_body_is_compared() {
    let text = call("a").to_string();
    let policy = rule(json!({ "methods": ["x"], "deny": true }));
    for (method, expected) in [("tools/call", "ok"), ("ping", "mirror_mismatch")] {
        let mirror = StandardHeaders { method: Some(method), ..StandardHeaders::default() };
        let body = Body { mirror, ..posted(Some(text.as_bytes())) };
        let cleared = authorize(&policy, Some(verified(&json!({}))), &PolicyInput::Body(body)).1;
        assert_eq!(
            cleared.as_ref().err().and_then(|unmet| unmet.id.as_deref()),
            (expected != "ok").then_some("1")
        );
        assert_eq!(outcome(cleared), expected);
    }
}

#[test]
fn whose_body_is_read_and_whose_answer_may_be_a_list() {
    let read = |policy: Value, method: &str| {
        let config = config(&with(settings(), json!({ POLICY: policy })));
        policy::reads_body(resource(&config).policy.as_ref().unwrap(), method)
    };
    assert!(read(rule(json!({ "deny": true })), "POST"));
    assert!(!read(rule(json!({ "deny": true })), "GET"));
    assert!(
        !read(json!({ "required_scopes": ["mcp"], "clients": ["c"] }), "POST"),
        "there is nothing in it to decide on"
    );

    let filtering = json!({ "filter_lists": true, "rules": [{ "names": ["x"], "deny": true }] });
    let lists = |policy: &Value, asked: PolicyInput<'_>| {
        authorize(policy, Some(verified(&json!({}))), &asked).1.unwrap().lists
    };
    let head = |method| PolicyInput::Head(Head { method, ..Head::default() });
    let body = |text: &'static str| PolicyInput::Body(posted(Some(text.as_bytes())));
    assert!(lists(&filtering, head("GET")), "a stream may repeat an answer");
    assert!(!lists(&filtering, head("DELETE")));
    for (text, expected) in [
        (r#"{"id":1,"method":"tools/list"}"#, true),
        (r#"{"id":1,"method":"prompts/list"}"#, true),
        (r#"[{"id":1,"method":"ping"},{"id":2,"method":"resources/list"}]"#, true),
        (r#"{"id":1,"method":"resources/templates/list"}"#, false),
        (r#"{"id":1,"result":{}}"#, false),
    ] {
        assert_eq!(lists(&filtering, body(text)), expected, "{text}");
        assert!(
            !lists(&with(filtering.clone(), json!({ "mode": "report" })), body(text)),
            "report mode filters nothing"
        );
        assert!(!lists(&with(filtering.clone(), json!({ "filter_lists": false })), body(text)));
    }
}
