//! Policies judged natively: a policy as it stands in the settings, a token with such claims, and a
//! request.

use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::Authorized;
use mcp_edge_auth::policy::lists::ListFilter;
use mcp_edge_auth::policy::{self, Body, Caller, Cleared, Denial, PolicyInput, RpcSummary};
use mcp_edge_auth::token::verify::Verified;
use serde_json::{Value, json};

use super::engine::run_with;
use super::es256::trusted;
use super::{claims, config, entry, for_each_row, resource, same, settings, with, with_entries};

pub const POLICY: &str = "MCP_SERVER_AUTH_POLICY";

/// A token that was verified, of the issuer that its claims name.
pub fn verified(changes: &Value) -> Verified {
    let claims = with(claims(), changes.clone());
    let issuer = json!({ "authorization_server_url": claims["iss"] });
    let config = config(&with_entries(json!([with(entry(), issuer)])));
    let token = trusted().with_claims(&claims);
    run_with(resource(&config), &token, &trusted().key_set()).verdict.unwrap()
}

/// What a policy says.
pub fn authorize(
    policy: &Value,
    verified: Option<Verified>,
    asked: &PolicyInput<'_>,
) -> (RpcSummary, Result<Authorized, Denial>) {
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let (heard, outcome) = policy::authorize(resource(&config).policy.as_ref(), verified, asked);
    (heard, outcome.map(at_once))
}

/// What nothing is open to.
pub fn at_once(cleared: Cleared) -> Authorized {
    cleared.authorized().expect("nothing is open")
}

/// What a POST of this body comes to: `ok`, or the reason, the rule, the argument and the scopes of
/// the challenge.
pub fn said(policy: &Value, verified: Option<Verified>, body: &Value) -> String {
    said_of(policy, verified, &body.to_string())
}

/// The same of a body as it is written.
pub fn said_of(policy: &Value, verified: Option<Verified>, body: &str) -> String {
    outcome(authorize(policy, verified, &PolicyInput::Body(posted(Some(body.as_bytes())))).1)
}

/// A body, as a client of MCP posts it; `None`: larger than may be read.
pub fn posted(bytes: Option<&[u8]>) -> Body<'_> {
    Body { bytes, content_type: Some("application/json"), ..Body::default() }
}

pub fn outcome(outcome: Result<Authorized, Denial>) -> String {
    let told = |unmet: &Denial| {
        let rule = unmet.rule.map(|rule| format!(" #{rule}")).unwrap_or_default();
        let argument = unmet.argument.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
        let told = format!("{}{rule}{argument} {}", unmet.refusal.row().reason, unmet.scopes.join(" "));
        told.trim_end().to_owned()
    };
    match outcome {
        Ok(clearance) => {
            clearance.would_refuse.as_ref().map_or("ok".to_owned(), |unmet| format!("would: {}", told(unmet)))
        }
        Err(unmet) => told(&unmet),
    }
}

pub fn call(name: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name } })
}

pub fn plain(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method })
}

/// A name, a policy, changes to a token's claims, a body, and what it comes to.
pub type Row = (&'static str, Value, Value, Value, &'static str);

pub fn expect(rows: Vec<Row>) {
    for_each_row(rows, |(name, policy, claims, body, expected)| {
        same(name, said(policy, Some(verified(claims)), body), (*expected).to_owned())
    });
}

/// A policy of one rule.
pub fn rule(rule: Value) -> Value {
    json!({ "rules": [rule] })
}

/// A sieve as the edge makes it when the answer comes: of a caller that was kept as text.
pub fn sift<T>(claims: Option<&Value>, filter: impl FnOnce(&ListFilter<'_>) -> T) -> T {
    let policy = json!({ "filter_lists": true, "required_scopes": ["mcp"], "clients": ["c"], "rules": [
        { "methods": ["tools/call"], "names": ["x*"], "scopes": ["x"] },
        { "methods": ["tools/call"], "names": ["t*"], "claims": { "a.b": "c" } },
        { "methods": ["prompts/get", "resources/read"], "names": ["no", "file:///no"], "deny": true },
    ] });
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let verified =
        claims.map(|claims| verified(&with(json!({ "client_id": "c", "scope": "mcp" }), claims.clone())));
    let kept = Document::read(Caller::to_json(verified.as_ref()).into_bytes()).unwrap();
    filter(&ListFilter {
        policy: resource(&config).policy.as_ref().unwrap(),
        caller: &Caller::from_json(&kept),
    })
}

/// A list's answer to a token without scopes, by this policy.
pub fn sift_by(policy: Value, answer: &str) -> String {
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let kept = Document::read(Caller::to_json(Some(&verified(&json!({})))).into_bytes()).unwrap();
    let filter =
        ListFilter { policy: resource(&config).policy.as_ref().unwrap(), caller: &Caller::from_json(&kept) };
    filter.json(answer).unwrap().into_owned()
}

/// A list that `sift` takes the tool `x` from, and what is left.
pub const LIST: &str = r#"{"id":1,"result":{"tools":[{"name":"x"},{"name":"a"}]}}"#;
pub const LESS: &str = r#"{"id":1,"result":{"tools":[{"name":"a"}]}}"#;

/// A policy of one rule for the calls of tools, which needs no token.
pub fn demanding(arguments: Value) -> Value {
    json!({
        "anonymous_methods": ["tools/call"],
        "rules": [{ "methods": ["tools/call"], "arguments": arguments }],
    })
}

/// The call of a tool with this text for `arguments`; with an empty one, without.
pub fn calling(arguments: &str) -> String {
    let arguments = if arguments.is_empty() { String::new() } else { format!(r#","arguments":{arguments}"#) };
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t"{arguments}}}}}"#)
}

/// What it is about, the condition, the arguments as they are written, and whether they meet it.
pub type ArgumentRow<'r> = (&'r str, Value, &'r str, bool);

/// Each row, with its condition at this path.
pub fn meet(path: &str, rows: Vec<ArgumentRow<'_>>) {
    for_each_row(rows, |(name, condition, arguments, is_met)| {
        let told = said_of(&demanding(json!({ path: condition })), None, &calling(arguments));
        let expected = if *is_met { "ok".to_owned() } else { format!("argument_not_met #0 {path}") };
        same(&format!("{name}: {arguments:.200}"), told, expected)
    });
}
