//! The laws of rules, on policies and calls of every kind: a rule never opens what another one
//! closes, their order does not matter, lists show what may be called, and another JSON parser
//! reads the same arguments.

use std::collections::HashMap;

use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::lists::ListFilter;
use mcp_edge_auth::policy::{Arguments, Caller, Operation, Policy, message};
use mcp_edge_auth::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};
use tinyjson::JsonValue;

use crate::support::arbitrary::quick;
use crate::support::policy::POLICY;
use crate::support::{config, settings, with};

const NAMES: [&str; 4] = ["search", "fetch_one", "fetch_all", "delete"];

/// Texts, numbers and switches that conditions name, and others like them.
const TEXTS: [&str; 8] = ["/safe/x", "/safe/../x", "/SAFE/x", "/other", "x", "", "\u{e9}\u{1f980}", "1"];
const NUMBERS: [&str; 13] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "0.5",
    "5",
    "5.5",
    "-3",
    "1e2",
    "9007199254740991",
    "9007199254740993",
    "1e300",
];

fn policy(rules: &[Value]) -> Policy {
    let config = config(&with(settings(), json!({ POLICY: { "filter_lists": true, "rules": rules } })));
    config.resources.into_iter().next().unwrap().policy.unwrap()
}

/// What a policy says of a body: `None` is a yes.
fn refused(policy: &Policy, caller: &Caller<'_>, body: &str) -> Option<Refusal> {
    let messages = message::read(body.as_bytes()).unwrap();
    let operations: Vec<Operation<'_>> = messages.all.iter().map(Operation::of).collect();
    policy.authorize(caller, &operations, Arguments::Of(body.as_bytes())).err().map(|denial| denial.refusal)
}

/// The tools that a list of all shows.
fn listed(policy: &Policy, caller: &Caller<'_>) -> Vec<String> {
    let tools = NAMES.map(|name| json!({ "name": name }));
    let answer = json!({ "id": 1, "result": { "tools": tools } }).to_string();
    let shown = ListFilter { policy, caller }.json(&answer).unwrap().into_owned();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let shown = shown["result"]["tools"].as_array().unwrap().clone();
    shown.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

fn call(name: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{arguments},"name":"{name}"}}}}"#
    )
}

fn bare(name: &str) -> String {
    json!({ "id": 1, "method": "tools/call", "params": { "name": name } }).to_string()
}

fn without_arguments(rules: &[Value]) -> Vec<Value> {
    let demands_more =
        |rule: &Value| ["scopes", "claims", "deny"].iter().any(|name| rule.get(*name).is_some());
    let without = |rule: &Value| with(rule.clone(), json!({ "arguments": "<absent>" }));
    rules.iter().filter(|rule| demands_more(rule)).map(without).collect()
}

fn any_caller() -> impl Strategy<Value = Document> {
    let scopes = prop::sample::subsequence(vec!["a", "b"], 0..=2);
    let claims =
        prop::sample::select(vec![json!({}), json!({ "t": 1 }), json!({ "t": 7 }), json!({ "t": null })]);
    (scopes, claims).prop_map(|(scopes, claims)| {
        let kept = json!({ "scopes": scopes, "client": "c", "claims": claims });
        Document::read(kept.to_string().into_bytes()).unwrap()
    })
}

fn any_condition() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(|is_wanted| json!({ "present": is_wanted })),
        prop::sample::select(vec![
            json!("/safe/*"),
            json!(["*", 1]),
            json!(["/safe/../x", "x", true]),
            json!([0, 1, 5]),
            json!(false),
            json!({ "min": 1 }),
            json!({ "max": 5.5 }),
            json!({ "min": -3, "max": 100 }),
            json!({ "max_length": 2 }),
            json!({ "max_length": 7 }),
        ]),
    ]
}

fn any_demands() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec!["p", "q", "o.p", "o.q.r"]);
    prop::collection::btree_map(path, any_condition(), 1..3).prop_map(|demands| json!(demands))
}

/// A rule for tools, of every kind.
fn any_rule() -> impl Strategy<Value = Value> {
    let some = || prop::sample::subsequence(vec!["search", "fetch*", "fetch_one", "*e"], 1..3);
    let matched = prop_oneof![
        Just(json!({})),
        some().prop_map(|names| json!({ "names": names })),
        some().prop_map(|names| json!({ "except": names })),
    ];
    let demanded = prop_oneof![
        4 => any_demands().prop_map(|arguments| json!({ "arguments": arguments })),
        1 => any_demands().prop_map(|arguments| json!({ "arguments": arguments, "scopes": ["a"] })),
        1 => Just(json!({ "scopes": ["a"] })),
        1 => Just(json!({ "scopes": ["b"], "claims": { "t": { "min": 1, "max": 5 } } })),
        1 => Just(json!({ "claims": { "t": { "present": true } } })),
        1 => Just(json!({ "deny": true })),
    ];
    (matched, demanded)
        .prop_map(|(matched, demanded)| with(with(json!({ "methods": ["tools/call"] }), matched), demanded))
}

fn text(text: &str, in_escapes: bool) -> String {
    let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    if in_escapes { format!("\"{escaped}\"") } else { json!(text).to_string() }
}

/// JSON as it is written, with numbers that no `f64` holds, and names in escapes.
fn any_argument() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (prop::sample::select(TEXTS.to_vec()), any::<bool>())
            .prop_map(|(of, in_escapes)| text(of, in_escapes)),
        prop::sample::select(NUMBERS.to_vec()).prop_map(str::to_owned),
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            3 => members(inner.clone()),
            1 => prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(" , "))),
        ]
    })
}

fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["p", "q", "o", "r", "P", "O", "o.p", "q.r", "o.q", "z"]);
    prop::collection::btree_map(name, (value, any::<bool>()), 0..4).prop_map(|members| {
        let member = |(name, (value, in_escapes)): (&str, (String, bool))| {
            format!("{} : {value}", text(name, in_escapes))
        };
        format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(", "))
    })
}

fn any_arguments() -> impl Strategy<Value = String> {
    prop_oneof![8 => members(any_argument()), 1 => any_argument()]
}

#[test]
fn arguments_that_cannot_be_read_again_meet_nothing() {
    for condition in [json!({ "present": false }), json!("x")] {
        let policy = policy(&[json!({ "methods": "tools/call", "arguments": { "p": condition } })]);
        let nobody = Document::read(b"{}".to_vec()).unwrap();
        let (caller, body) = (Caller::from_json(&nobody), bare("t"));
        let messages = message::read(body.as_bytes()).unwrap();
        let operations: Vec<Operation<'_>> = messages.all.iter().map(Operation::of).collect();
        for other in [&b""[..], b"[]", b"{", b"\xff", b"null", b"7"] {
            let judged = policy.authorize(&caller, &operations, Arguments::Of(other));
            assert_eq!(judged.unwrap_err().refusal, Refusal::ArgumentNotMet, "{other:?}");
        }
    }
}

proptest! {
    #![proptest_config(quick(400))]

    #[test]
    fn a_rule_never_opens_what_another_closes(
        rules in prop::collection::vec(any_rule(), 1..5), more in any_rule(), at in any::<prop::sample::Index>(),
        kept in any_caller(), name in prop::sample::select(NAMES.to_vec()), arguments in any_arguments(),
    ) {
        let caller = Caller::from_json(&kept);
        let body = call(name, &arguments);
        let mut wider = rules.clone();
        wider.insert(at.index(rules.len() + 1), more.clone());
        let [fewer, all, alone] = [&rules, &wider, &vec![more]].map(|rules| refused(&policy(rules), &caller, &body).is_some());
        prop_assert_eq!(all, fewer || alone, "a request is refused if one of the rules refuses it");
        let policy = policy(&wider);
        let batch = format!("[{},{}]", bare("search"), body);
        let one_by_one = [bare("search"), body].iter().any(|body| refused(&policy, &caller, body).is_some());
        prop_assert_eq!(refused(&policy, &caller, &batch).is_some(), one_by_one, "and a batch, if one of its messages is");
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in prop::collection::vec(any_rule(), 2..6).prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        kept in any_caller(), name in prop::sample::select(NAMES.to_vec()), arguments in any_arguments(),
    ) {
        let caller = Caller::from_json(&kept);
        let body = call(name, &arguments);
        let (one, other) = rules;
        let [one, other] = [one, other].map(|rules| policy(&rules));
        // Which of several reasons is told may depend on it; of arguments alone there is no other.
        prop_assert_eq!(refused(&one, &caller, &body).is_none(), refused(&other, &caller, &body).is_none());
        prop_assert_eq!(listed(&one, &caller), listed(&other, &caller));
    }

    #[test]
    fn lists_show_what_may_be_called(rules in prop::collection::vec(any_rule(), 1..5), kept in any_caller(), arguments in any_arguments()) {
        let caller = Caller::from_json(&kept);
        let (whole, rest) = (policy(&rules), without_arguments(&rules));
        let shown = listed(&whole, &caller);
        let may_call: Vec<&str> = match rest.as_slice() {
            [] => NAMES.to_vec(),
            rest => NAMES.into_iter().filter(|name| refused(&policy(rest), &caller, &bare(name)).is_none()).collect(),
        };
        prop_assert_eq!(&shown, &may_call, "what the rules permit but for their arguments");
        for name in NAMES {
            let reached = refused(&whole, &caller, &call(name, &arguments)).is_none();
            prop_assert!(!reached || shown.iter().any(|shown| shown == name), "{} is hidden, and can be called", name);
        }
    }

    #[test]
    fn another_parser_reads_the_same_arguments(demands in any_demands(), arguments in any_arguments()) {
        let policy = policy(&[json!({ "methods": "tools/call", "arguments": demands })]);
        let nobody = Document::read(br#"{"scopes":[],"claims":{}}"#.to_vec()).unwrap();
        let body = call("t", &arguments);
        let parsed: JsonValue = body.parse().unwrap();
        let params = object(&parsed).unwrap()["params"].get::<HashMap<String, JsonValue>>().unwrap();
        let expected = demands.as_object().unwrap().iter().all(|(path, condition)| is_met(&params["arguments"], path, condition));
        let found = refused(&policy, &Caller::from_json(&nobody), &body);
        prop_assert_eq!(found, (!expected).then_some(Refusal::ArgumentNotMet), "{}", body);
    }
}

fn object(value: &JsonValue) -> Option<&HashMap<String, JsonValue>> {
    value.get()
}

/// What a path leads to for every reader: `Err` where they could differ, `Ok(None)` where there is
/// nothing. Written with nothing of the Worker's.
fn at<'v>(value: &'v JsonValue, path: &str) -> Result<Option<&'v JsonValue>, ()> {
    let Some(members) = object(value) else {
        return if *value == JsonValue::Null { Ok(None) } else { Err(()) };
    };
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let like = |name: &&String| {
        let (name, path) = (name.to_lowercase(), path.to_lowercase());
        path == name || path.starts_with(&format!("{name}."))
    };
    let alike: Vec<&String> = members.keys().filter(like).collect();
    match alike.as_slice() {
        [] => Ok(None),
        [one] if *one == first && rest.is_empty() => Ok(Some(&members[first])),
        [one] if *one == first => at(&members[first], rest),
        _ => Err(()),
    }
}

fn is_met(arguments: &JsonValue, path: &str, condition: &Value) -> bool {
    let Ok(found) = at(arguments, path) else { return false };
    if let Some(is_wanted) = condition.get("present") {
        return match found {
            None => is_wanted == false,
            Some(value) => is_wanted == true && *value != JsonValue::Null,
        };
    }
    let Some(found) = found else { return false };
    match (condition, found) {
        (Value::Object(bounds), JsonValue::Number(number)) => {
            let bound = |name: &str| bounds.get(name).map(|bound| bound.as_f64().unwrap());
            !bounds.contains_key("max_length")
                && number.abs() <= 9_007_199_254_740_991.0
                && bound("min").is_none_or(|min| min <= *number)
                && bound("max").is_none_or(|max| *number <= max)
        }
        (Value::Object(bounds), JsonValue::String(text)) => {
            bounds.get("max_length").is_some_and(|most| text.chars().count() as u64 <= most.as_u64().unwrap())
        }
        (Value::Object(_), _) => false,
        (Value::Array(accepted), found) => accepted.iter().any(|accepted| is_one(accepted, found)),
        (accepted, found) => is_one(accepted, found),
    }
}

fn is_one(accepted: &Value, found: &JsonValue) -> bool {
    match (accepted, found) {
        (Value::String(pattern), JsonValue::String(text)) => match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start) && !text.split('/').any(|segment| segment == ".."),
            None => pattern == text,
        },
        (Value::Number(accepted), JsonValue::Number(number)) => accepted.as_f64() == Some(*number),
        (Value::Bool(accepted), JsonValue::Boolean(choice)) => accepted == choice,
        _ => false,
    }
}
