//! An empty text for a variable that protects is a fault: it must not switch protection off without
//! a word.

use serde_json::{Value, json};

use crate::support::resources::{at, many};
use crate::support::{config, for_each_row, read, same, settings, single_issuer_settings, with};

/// White space of every kind, and none at all.
const BLANKS: [&str; 7] = ["", " ", "\t", "\n", "\r\n", "\u{a0}", "\u{2003}\u{3000}"];

/// What protects, by its name without a prefix.
const PROTECTING: [&str; 12] = [
    "ALLOWED_ORIGINS",
    "POLICY",
    "ASSERTION",
    "ASSERTION_KEY",
    "ASSERTION_CLAIMS",
    "ASSERTION_ISSUER",
    "ASSERTION_AUDIENCE",
    "BIND_SESSIONS",
    "SESSION_KEY",
    "DPOP_NONCE_KEY",
    "REVOCATION",
    "AUDIT_KEY",
];

const SINGLE_ISSUER: [&str; 4] = ["JWKS_URI", "ISSUER", "AUDIENCE", "ALGORITHM"];

/// What protects nothing that its default leaves open.
const OTHERS: [&str; 12] = [
    "CACHE_TTL",
    "SCOPES_SUPPORTED",
    "DEFAULT_CHALLENGE_SCOPES",
    "LOG_SUBJECT",
    "LOG",
    "LOG_SAMPLE",
    "REQUEST_ID",
    "RESOURCE_NAME",
    "RESOURCE_DOCUMENTATION",
    "RESOURCE_POLICY_URI",
    "LANDING_PAGE",
    "COMPATIBILITY",
];

fn places(settings: &Value) -> Vec<String> {
    let faults = read(settings).err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}{}", fault.variable, fault.field)).collect()
}

/// Both spellings of a variable.
fn spelled(bare: &str) -> [String; 2] {
    [format!("MCP_SERVER_AUTH_{bare}"), format!("MCP_RESOURCE_SERVER_{bare}")]
}

/// Each of these variables with each kind of empty text is the one fault.
fn is_a_fault(names: impl IntoIterator<Item = String>, settings: &Value) {
    for_each_row(names, |name| {
        BLANKS.iter().try_for_each(|blank| {
            let row = format!("{name} = {blank:?}");
            same(&row, places(&with(settings.clone(), json!({ name: blank }))), vec![name.clone()])
        })
    });
}

#[test]
fn what_protects_is_not_switched_off_by_an_empty_text() {
    is_a_fault(PROTECTING.iter().flat_map(|bare| spelled(bare)), &settings());
    is_a_fault(["ORIGIN_HEADERS", "ORIGIN"].map(str::to_owned), &settings());
    // Beside the array of entries they are one too many.
    is_a_fault(SINGLE_ISSUER.iter().flat_map(|bare| spelled(bare)), &settings());
    for bare in SINGLE_ISSUER {
        let [first, second] = spelled(bare);
        let without = with(single_issuer_settings(), json!({ first.as_str(): "<absent>" }));
        is_a_fault([first, second], &without);
    }
}

#[test]
fn an_empty_text_in_one_spelling_is_not_mended_by_the_other() {
    let policy = json!({ "required_scopes": ["mcp"] });
    let [first, second] = spelled("POLICY");
    let both = |one: Value, other: Value| {
        places(&with(settings(), json!({ first.as_str(): one, second.as_str(): other })))
    };
    assert_eq!(both(policy.clone(), json!("")), std::slice::from_ref(&first));
    assert_eq!(both(json!(""), policy), [first.clone(), first]);
}

#[test]
fn null_and_nothing_at_all_are_faults_too() {
    let rows = [
        ("MCP_SERVER_AUTH_POLICY", json!(null)),
        ("MCP_SERVER_AUTH_POLICY", json!("null")),
        ("MCP_SERVER_AUTH_POLICY", json!([])),
        ("MCP_SERVER_AUTH_ASSERTION", json!(null)),
        ("MCP_SERVER_AUTH_ASSERTION", json!([])),
        ("MCP_SERVER_AUTH_ASSERTION_KEY", json!(null)),
        ("MCP_SERVER_AUTH_ASSERTION_KEY", json!([])),
        ("MCP_SERVER_AUTH_ASSERTION_KEY", json!({ "keys": [] })),
        ("MCP_SERVER_AUTH_ASSERTION_ISSUER", json!(null)),
        ("MCP_SERVER_AUTH_ASSERTION_AUDIENCE", json!([" "])),
        ("MCP_SERVER_AUTH_BIND_SESSIONS", json!(null)),
        ("MCP_SERVER_AUTH_SESSION_KEY", json!(null)),
        ("MCP_SERVER_AUTH_SESSION_KEY", json!([])),
        ("ORIGIN_HEADERS", json!(null)),
        ("ORIGIN_HEADERS", json!([])),
    ];
    for_each_row(rows, |(name, value)| {
        let row = format!("{name} = {value}");
        same(&row, places(&with(settings(), json!({ *name: value }))), vec![(*name).to_owned()])
    });
}

#[test]
fn what_protects_nothing_may_be_empty() {
    let plain = format!("{:?}", config(&settings()));
    for_each_row(OTHERS.iter().flat_map(|bare| spelled(bare)), |name| {
        BLANKS.iter().try_for_each(|blank| {
            let changed = with(settings(), json!({ name: blank }));
            same(&format!("{name} = {blank:?}"), format!("{:?}", config(&changed)) == plain, true)
        })
    });
    let template = json!({ "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": "" });
    assert!(read(&with(single_issuer_settings(), template)).is_ok(), "as wrangler.toml comes");
}

#[test]
fn an_element_does_not_fall_back_in_silence() {
    let beside = json!({
        "MCP_SERVER_AUTH_POLICY": { "required_scopes": ["mcp"] },
        "MCP_SERVER_AUTH_SESSION_KEY": "0123456789abcdef0123456789abcdef",
        "MCP_SERVER_AUTH_ALLOWED_ORIGINS": "*",
    });
    let members = [
        "policy",
        "assertion",
        "assertion_claims",
        "assertion_issuer",
        "assertion_audience",
        "bind_sessions",
        "allowed_origins",
        "authorization_servers",
        "binding",
        "origin_headers",
    ];
    for_each_row(members, |member| {
        BLANKS.iter().try_for_each(|blank| {
            let element = with(at("https://mcp.example.com/b"), json!({ *member: blank }));
            let all = with(many(json!([at("https://mcp.example.com/a"), element])), beside.clone());
            let expected = vec![format!("MCP_SERVER_AUTH_RESOURCES[1].{member}")];
            same(&format!("{member} = {blank:?}"), places(&all), expected)
        })
    });
    let named = with(at("https://mcp.example.com/a"), json!({ "origin_headers": "ORIGIN_HEADERS_A" }));
    let empty = with(many(json!([named])), json!({ "ORIGIN_HEADERS_A": " " }));
    assert_eq!(places(&empty), ["ORIGIN_HEADERS_A"]);
    // In the single-issuer form, what is empty is not taken from beside the array.
    let single = json!({
        "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": "<absent>",
        "MCP_SERVER_AUTH_JWKS_URI": "https://auth.example.com/jwks",
        "MCP_SERVER_AUTH_ISSUER": "https://auth.example.com",
        "MCP_SERVER_AUTH_AUDIENCE": "https://mcp.example.com/a",
        "MCP_SERVER_AUTH_ALGORITHM": "ES256",
    });
    for_each_row(["jwks_uri", "issuer", "audience", "algorithm", "authorization_servers"], |member| {
        let element = with(at("https://mcp.example.com/a"), json!({ *member: "" }));
        let all = with(many(json!([element])), single.clone());
        same(member, places(&all), vec![format!("MCP_SERVER_AUTH_RESOURCES[0].{member}")])
    });
}

#[test]
fn a_value_that_protects_nothing_is_warned_of() {
    let warned_of = |changes: Value| -> Vec<String> {
        let config = config(&with(settings(), changes));
        config.warnings.iter().map(ToString::to_string).collect()
    };
    let warned = |policy: Value| warned_of(json!({ "MCP_SERVER_AUTH_POLICY": policy }));
    let nothing = ["MCP_SERVER_AUTH_POLICY: demands nothing: a good token opens everything"];
    for policy in [json!({}), json!("{}"), json!({ "mode": "report" }), json!({ "rules": [] })] {
        assert_eq!(warned(policy.clone()), nothing, "{policy}");
    }
    for policy in [json!({ "clients": "app" }), json!({ "rules": [{ "deny": true }] })] {
        assert_eq!(warned(policy.clone()), Vec::<String>::new(), "{policy}");
    }
    for headers in [json!({}), json!("{}")] {
        let expected = ["ORIGIN_HEADERS: sets no header: an origin that is locked by one is open"];
        assert_eq!(warned_of(json!({ "ORIGIN_HEADERS": headers })), expected);
    }
}
