//! A decision from outside: what is asked about a request, and what an answer means.

use mcp_edge_auth::limits;
use mcp_edge_auth::policy::decision::{Verdict, outcome};
use mcp_edge_auth::policy::limits::Sender;
use mcp_edge_auth::policy::{self, Cleared, Denial, Head, PolicyInput};
use mcp_edge_auth::refusal::Refusal;
use serde_json::{Value, json};

use crate::support::policy::{POLICY, call, plain, posted, verified};
use crate::support::{CANONICAL, ISSUER, config, for_each_row, resource, same, settings, with};

fn deciding(changes: Value) -> Value {
    json!({ "decide": with(json!({ "url": "https://pdp.example.com/x" }), changes) })
}

/// What a policy says of a request with these claims, or without a token.
fn judged(policy: &Value, claims: Option<&Value>, asked: &PolicyInput<'_>) -> Result<Cleared, Denial> {
    let config = config(&with(settings(), json!({ POLICY: policy })));
    policy::authorize(resource(&config).policy.as_ref(), claims.map(verified), asked).1
}

fn posting<'b>(body: &'b str) -> PolicyInput<'b> {
    PolicyInput::Body(posted(Some(body.as_bytes())))
}

/// What is asked about a POST.
fn asked(policy: &Value, body: &str) -> Vec<Value> {
    let mut cleared = judged(policy, Some(&json!({ "sub": "u" })), &posting(body)).unwrap();
    let all = cleared.evaluations(CANONICAL);
    all.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))).collect()
}

#[test]
fn who_asks_for_what() {
    let usual = json!({ "sub": "a\"\n\0b", "client_id": "c", "scope": "x y" });
    let body = call("echo").to_string();
    let text = judged(&deciding(json!({})), Some(&usual), &posting(&body)).unwrap().evaluations(CANONICAL);
    assert!(!text[0].contains(['\0', '\n']), "a NUL is between questions: {text:?}");
    assert_eq!(
        serde_json::from_str::<Value>(&text[0]).unwrap(),
        json!({
            "subject": { "type": "user", "id": "a\"\n\0b", "properties": { "issuer": ISSUER, "client": "c" } },
            "action": { "name": "tools/call" },
            "resource": { "type": "tool", "id": "echo" },
            "context": { "resource": CANONICAL, "scopes": ["x", "y"], "client": "c" },
        })
    );
    let server = |more: Value| with(json!({ "type": "mcp_server", "id": CANONICAL }), more);
    let of = |method: &str, params: Value| json!({ "id": 1, "method": method, "params": params });
    let rows = [
        (
            "a prompt",
            of("prompts/get", json!({ "name": "p" })),
            "prompts/get",
            json!({ "type": "prompt", "id": "p" }),
        ),
        (
            "a resource",
            of("resources/read", json!({ "uri": "file:///x?y" })),
            "resources/read",
            json!({ "type": "resource", "id": "file:///x?y" }),
        ),
        (
            "a resource that is watched",
            of("resources/subscribe", json!({ "uri": "x", "name": "n" })),
            "resources/subscribe",
            json!({ "type": "resource", "id": "x" }),
        ),
        (
            "one that is no longer watched",
            of("resources/unsubscribe", json!({ "uri": "x" })),
            "resources/unsubscribe",
            json!({ "type": "resource", "id": "x" }),
        ),
        ("a list", plain("tools/list"), "tools/list", server(json!({}))),
        (
            "a method that nobody knows",
            of("x/y", json!({ "name": "n", "uri": "u" })),
            "x/y",
            server(json!({ "properties": { "name": "n", "uri": "u" } })),
        ),
        ("a name that is no text", of("x/y", json!({ "name": 1 })), "x/y", server(json!({}))),
        ("a response", json!({ "id": 1, "result": {} }), "POST", server(json!({}))),
    ];
    for_each_row(rows, |(name, body, action, resource)| {
        let question = &asked(&deciding(json!({})), &body.to_string())[0];
        same(name, &question["action"], &json!({ "name": action }))?;
        same(name, &question["resource"], resource)
    });
    let head = PolicyInput::Head(Head { method: "DELETE", ..Head::default() });
    let mut cleared = judged(&deciding(json!({})), Some(&json!({})), &head).unwrap();
    let question: Value = serde_json::from_str(&cleared.evaluations(CANONICAL)[0]).unwrap();
    assert_eq!((&question["action"]["name"], &question["resource"]), (&json!("DELETE"), &server(json!({}))));

    let policy = with(deciding(json!({})), json!({ "anonymous_methods": ["tools/call"] }));
    let mut cleared = judged(&policy, None, &posting(&body)).unwrap();
    let question: Value = serde_json::from_str(&cleared.evaluations(CANONICAL)[0]).unwrap();
    assert_eq!(question["subject"], json!({ "type": "anonymous", "id": "anonymous" }));
    assert_eq!(question["context"], json!({ "resource": CANONICAL, "scopes": [] }));
}

#[test]
fn what_it_decides_on() {
    let policy = deciding(json!({ "methods": ["tools/call", "prompts/*"], "names": ["a*"] }));
    let rows = [
        ("a call", call("a1"), 1),
        ("of another tool", call("b"), 0),
        ("no call", plain("tools/list"), 0),
        ("a batch", json!([call("a"), call("b"), call("a"), plain("ping")]), 2),
    ];
    for_each_row(rows, |(name, body, expected)| {
        let mut cleared = judged(&policy, Some(&json!({})), &posting(&body.to_string())).unwrap();
        same(name, cleared.evaluations(CANONICAL).len(), *expected)?;
        same(name, cleared.authorized().is_ok(), *expected == 0)
    });
}

#[test]
fn arguments_are_passed_on_as_they_are_written_or_refused() {
    let told = deciding(json!({ "arguments": true }));
    let with_params =
        |params: &str| format!(r#"{{"id":7,"method":"tools/call","params":{{"name":"t"{params}}}}}"#);
    let rows: [(&str, &str, Option<&str>); 6] = [
        (
            "an object",
            r#","arguments": {"a" : 1.10,"é":"\u00e9",  "big":12345678901234567890}"#,
            Some(r#"{"a" : 1.10,"é":"\u00e9",  "big":12345678901234567890}"#),
        ),
        ("nothing", "", None),
        ("null", r#","arguments":null"#, Some("null")),
        ("no object", r#","arguments":[1]"#, Some("[1]")),
        (
            "one name in several objects",
            r#","arguments":{"a":{"A":[{"a":1},{"A":2}]}}"#,
            Some(r#"{"a":{"A":[{"a":1},{"A":2}]}}"#),
        ),
        ("one that seems to end its place", r#","arguments":{"a":"}}\"}"}"#, Some(r#"{"a":"}}\"}"}"#)),
    ];
    for_each_row(rows, |(name, params, expected)| {
        let mut cleared = judged(&told, Some(&json!({})), &posting(&with_params(params))).unwrap();
        let text = cleared.evaluations(CANONICAL).remove(0);
        let found = text.split_once(r#","arguments":"#).map(|(_, rest)| rest.strip_suffix("}}").unwrap());
        same(name, found, *expected)?;
        same(name, serde_json::from_str::<Value>(&text).is_ok(), true)
    });
    // In which some reader finds others.
    let others = [
        r#","arguments":{},"Arguments":{}"#,
        r#","ARGUMENTS":{}"#,
        r#","argument\u017f":{}"#,
        r#","arguments":{"amount":5,"Amount":5000}"#,
        r#","arguments":{"a":{"b":[{"to":"me"},{"k":1,"\u212a":2}]}}"#,
        r#","arguments":[{"STRASSE":1,"stra\u017f\u017fe":2}]"#,
    ];
    for params in others {
        let denial = judged(&told, Some(&json!({})), &posting(&with_params(params))).unwrap_err();
        assert_eq!((denial.refusal, denial.id.as_deref()), (Refusal::MessageInvalid, Some("7")), "{params}");
        assert!(judged(&deciding(json!({})), Some(&json!({})), &posting(&with_params(params))).is_ok());
        // Of a message that nobody decides on, nobody is told.
        let other = deciding(json!({ "arguments": true, "names": ["other"] }));
        assert!(judged(&other, Some(&json!({})), &posting(&with_params(params))).is_ok());
    }
    let batch =
        format!("[{},{}]", with_params(r#","arguments":{"n":1}"#), with_params(r#","arguments":{"n":2}"#));
    let numbers = |told: &Value, batch: &str| -> Vec<Value> {
        asked(told, batch).iter().map(|one| one["context"]["arguments"]["n"].clone()).collect()
    };
    assert_eq!(numbers(&told, &batch), [json!(1), json!(2)], "to each its own");
    let calls = deciding(json!({ "arguments": true, "methods": ["tools/call"] }));
    let behind = batch.replacen('[', r#" [{"id":6,"method":"x","params":{"arguments":{"n":0}}},"#, 1);
    assert_eq!(numbers(&calls, &behind), [json!(1), json!(2)], "behind one that nobody decides on");
}

#[test]
fn what_an_answer_means() {
    let no = |reason: Option<&str>| Verdict::Deny(reason.map(str::to_owned));
    let none = |why: &str| Verdict::Unknown(why.to_owned());
    let evaluation = "an answer that is no evaluation";
    let rows: Vec<(&str, u16, &str, Verdict)> = vec![
        ("yes", 200, r#"{"decision":true}"#, Verdict::Permit),
        ("yes, and why", 200, r#" {"context":{"reason":"x"},"decision":true} "#, Verdict::Permit),
        ("no", 200, r#"{"decision":false}"#, no(None)),
        ("a reason", 200, r#"{"decision":false,"context":{"reason":"r"}}"#, no(Some("r"))),
        (
            "in languages",
            200,
            r#"{"decision":false,"context":{"reason_user":{"en":"u"},"reason_admin":{"403":"a"}}}"#,
            no(Some("a")),
        ),
        (
            "for administrators, before all others",
            200,
            r#"{"decision":false,"context":{"reason_user":"u","reason":"r","reason_admin":"a"}}"#,
            no(Some("a")),
        ),
        (
            "for anybody, before that for users",
            200,
            r#"{"decision":false,"context":{"reason_user":"u","reason":"r"}}"#,
            no(Some("r")),
        ),
        ("for users alone", 200, r#"{"decision":false,"context":{"reason_user":{"en":"u"}}}"#, no(Some("u"))),
        (
            "no reason that is one",
            200,
            r#"{"decision":false,"context":{"reason":1,"reason_admin":{"en":2}}}"#,
            no(None),
        ),
        ("a text", 200, r#"{"decision":"true"}"#, none(evaluation)),
        ("a number", 200, r#"{"decision":1}"#, none(evaluation)),
        ("null", 200, r#"{"decision":null}"#, none(evaluation)),
        ("another name", 200, r#"{"Decision":true}"#, none(evaluation)),
        ("further down", 200, r#"{"context":{"decision":true}}"#, none(evaluation)),
        ("twice", 200, r#"{"decision":false,"decision":true}"#, none(evaluation)),
        ("twice, further down", 200, r#"{"decision":true,"context":{"a":1,"a":1}}"#, none(evaluation)),
        ("an array", 200, r#"[{"decision":true}]"#, none(evaluation)),
        ("true itself", 200, "true", none(evaluation)),
        ("something behind it", 200, r#"{"decision":true} x"#, none(evaluation)),
        ("nothing", 200, "", none(evaluation)),
        ("not UTF-8", 200, "{\"decision\":true,\"a\":\"\u{0}\"}", none(evaluation)),
        ("created", 201, r#"{"decision":true}"#, none("status 201")),
        ("another place", 302, r#"{"decision":true}"#, none("status 302")),
        ("a failure", 500, r#"{"decision":true}"#, none("status 500")),
    ];
    for_each_row(rows, |(name, status, body, expected)| {
        same(name, &Verdict::read(*status, Some(body.as_bytes().to_vec())), expected)
    });
    assert!(matches!(Verdict::read(200, None), Verdict::Unknown(why) if why.contains("64 KiB")));
    assert!(matches!(
        Verdict::read(200, Some(b"{\"decision\":true,\"a\":\"\xff\"}".to_vec())),
        Verdict::Unknown(_)
    ));
}

#[test]
fn what_all_of_them_come_to() {
    use Verdict::{Deny, Permit, Unknown};
    let (no, nothing) = (Deny(Some("r".to_owned())), Unknown("w".to_owned()));
    let (denied, unavailable) = (Some(Refusal::DecisionDenied), Some(Refusal::DecisionUnavailable));
    let rows = [
        ("yes", vec![Permit, Permit], (None, None), (None, None)),
        ("one no", vec![Permit, no.clone()], (denied, Some("r")), (denied, Some("r"))),
        ("one silence", vec![nothing.clone(), Permit], (unavailable, Some("w")), (None, Some("w"))),
        ("both", vec![nothing, no], (denied, Some("r")), (denied, Some("r"))),
    ];
    for_each_row(rows, |(name, verdicts, closed, open)| {
        same(name, outcome(verdicts, verdicts.len(), false), *closed)?;
        same(name, outcome(verdicts, verdicts.len(), true), *open)
    });
    for lets_through in [false, true] {
        for (verdicts, asked) in [(vec![Permit], 2), (vec![Permit, Permit], 1), (vec![], 1)] {
            let (refusal, _) = outcome(&verdicts, asked, lets_through);
            assert_eq!(refusal, unavailable, "{} answers to {asked}", verdicts.len());
        }
    }
}

/// Whoever asks for more at once than can be answered must not get it for that.
#[test]
fn how_much_is_asked_at_once() {
    let batch = |calls: usize| json!(vec![call("t"); calls]).to_string();
    let most = judged(&deciding(json!({})), Some(&json!({})), &posting(&batch(limits::DECISIONS)));
    assert_eq!(most.unwrap().evaluations(CANONICAL).len(), limits::DECISIONS);
    for on_error in ["deny", "allow"] {
        let policy = deciding(json!({ "on_error": on_error }));
        let more = judged(&policy, Some(&json!({})), &posting(&batch(limits::DECISIONS + 1)));
        assert_eq!(more.unwrap_err().refusal, Refusal::MessageInvalid);
    }
    let others = deciding(json!({ "names": ["other"] }));
    let none = judged(&others, Some(&json!({})), &posting(&batch(limits::DECISIONS + 1)));
    assert!(none.unwrap().authorized().is_ok(), "nobody is asked about them");
}

/// In report mode, what cannot be read goes on as one message of no method.
#[test]
fn what_cannot_be_read_is_asked_about_in_report_mode() {
    for (changes, expected) in [(json!({}), 1), (json!({ "methods": ["tools/call"] }), 0)] {
        let policy = with(deciding(changes), json!({ "mode": "report" }));
        let mut cleared = judged(&policy, Some(&json!({})), &posting("no JSON")).unwrap();
        assert_eq!(cleared.evaluations(CANONICAL).len(), expected);
        assert_eq!(cleared.asked(), expected);
    }
}

#[test]
fn only_a_yes_gives_the_right_to_be_forwarded() {
    let body = call("t").to_string();
    let open = |policy: &Value| judged(policy, Some(&json!({})), &posting(&body)).unwrap();
    let policy = deciding(json!({}));
    assert!(open(&policy).authorized().is_err(), "not before it was asked");
    assert_eq!(open(&policy).decided(None).unwrap().would_refuse, None);
    let denial = open(&policy).decided(Some(Refusal::DecisionDenied)).unwrap_err();
    assert_eq!((denial.refusal, denial.id.as_deref()), (Refusal::DecisionDenied, Some("1")));
    let denial = open(&policy).decided(Some(Refusal::DecisionUnavailable)).unwrap_err();
    assert_eq!((denial.refusal, denial.id.as_deref()), (Refusal::DecisionUnavailable, Some("1")));

    let report = with(policy.clone(), json!({ "mode": "report" }));
    let told = open(&report).decided(Some(Refusal::DecisionDenied)).unwrap().would_refuse.unwrap();
    assert_eq!(told.refusal, Refusal::DecisionDenied);

    let nobody = with(policy.clone(), json!({ "anonymous_methods": ["tools/call"] }));
    let anonymous = || judged(&nobody, None, &posting(&body)).unwrap();
    let denial = anonymous().decided(Some(Refusal::DecisionDenied)).unwrap_err();
    assert_eq!(denial.refusal, Refusal::CredentialsMissing, "who logs in may get it");
    let denial = anonymous().decided(Some(Refusal::DecisionUnavailable)).unwrap_err();
    assert_eq!(denial.refusal, Refusal::DecisionUnavailable);
    let reported = judged(&with(nobody.clone(), json!({ "mode": "report" })), None, &posting(&body));
    let told = reported.unwrap().decided(Some(Refusal::DecisionDenied)).unwrap().would_refuse.unwrap();
    assert_eq!(told.refusal, Refusal::DecisionDenied);

    let limited = with(policy, json!({ "limits": [{ "by": "user", "binding": "CALLS" }] }));
    assert!(open(&limited).is_to_be_counted());
    assert!(open(&limited).decided(None).is_err(), "limits are not left out");
    let config = config(&with(settings(), json!({ POLICY: limited })));
    let limits = &resource(&config).policy.as_ref().unwrap().limits;
    let cleared = open(&limited);
    let counts =
        cleared.counts(limits, &Sender { resource: CANONICAL, verified: cleared.verified(), address: "" });
    let counted = cleared.counted(&counts, &[Some(true)]).unwrap();
    assert!(!counted.is_to_be_counted());
    let counted = counted.authorized().unwrap_err();
    assert!(counted.decided(None).is_ok());
}
