//! The operator's own headers and the client's token: what may be set, what is removed for it, and
//! that passing the token on must be said twice.

use mcp_edge_auth::origin::headers::PASSTHROUGH;
use serde_json::{Value, json};

use crate::support::{config, for_each_row, read, resource, same, settings, with};

const HEADERS: &str = "ORIGIN_HEADERS";
const MODE: &str = "ORIGIN_AUTHORIZATION";
const PERMISSION: &str = "allow_token_passthrough";

fn bearer() -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "d": "A".repeat(43), "x": "A".repeat(43) });
    json!({ "MCP_SERVER_AUTH_ASSERTION": "bearer", "MCP_SERVER_AUTH_ASSERTION_KEY": key })
}

fn expect(rows: Vec<(&str, Value, &[&str])>) {
    for_each_row(rows, |(name, changes, expected)| {
        let places: Vec<String> = match read(&with(settings(), changes.clone())) {
            Ok(_) => Vec::new(),
            Err(faults) => {
                let told = faults.iter().any(|fault| fault.to_string().contains("s3cret"));
                same(name, told, false)?;
                faults.iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
            }
        };
        same(name, places, expected.iter().map(|s| (*s).to_owned()).collect())
    });
}

#[test]
fn headers_that_may_be_set() {
    let first: &[&str] = &["ORIGIN_HEADERS (header 1)"];
    let mut rows: Vec<(&str, Value, &[&str])> = vec![
        ("none", json!({ HEADERS: {} }), &[]),
        ("two", json!({ HEADERS: { "A": "s3cret", "B": "x y" } }), &[]),
        ("as text", json!({ HEADERS: "{\"CF-Access-Client-Id\":\"a\"}" }), &[]),
        ("Authorization", json!({ HEADERS: { "authorization": "Basic s3cret" } }), &[]),
        ("Cookie", json!({ HEADERS: { "Cookie": "a=s3cret" } }), &[]),
        ("text that is no JSON", json!({ HEADERS: "A: s3cret" }), &[HEADERS]),
        ("a name twice in JSON", json!({ HEADERS: "{\"A\":\"s3cret\",\"A\":\"b\"}" }), &[HEADERS]),
        ("an array", json!({ HEADERS: ["s3cret"] }), &[HEADERS]),
        (
            "a name in two spellings",
            json!({ HEADERS: { "A-B": "s3cret", "a_b": "s3cret" } }),
            &["ORIGIN_HEADERS (header 2)"],
        ),
        ("a name that starts like the protocol's only", json!({ HEADERS: { "Mcpx": "a", "McP": "b" } }), &[]),
        (
            "several faults",
            json!({ HEADERS: { "A": 1, "Host": "s3cret", "X": "s3cret" } }),
            &["ORIGIN_HEADERS (header 1)", "ORIGIN_HEADERS (header 2)"],
        ),
    ];
    for name in [
        "",
        "s3cret name",
        "s3cret:",
        "s3cret\n",
        "s\u{e9}",
        "Host",
        "connection",
        "Keep-Alive",
        "TE",
        "trailer",
        "Transfer-Encoding",
        "transfer_encoding",
        "Upgrade",
        "Content-Length",
        "Expect",
        "X-MCP-Auth-User-Id",
        "x_mcp_auth_anything",
        "Mcp-Session-Id",
        "mcp_session_id",
        "MCP-Protocol-Version",
        "Mcp-Method",
    ] {
        rows.push((name, json!({ HEADERS: { name: "a" } }), first));
    }
    for value in [
        json!(""),
        json!(" s3cret"),
        json!("s3cret "),
        json!("s3cret\r\nX: y"),
        json!("s3cret\u{e9}"),
        json!("s3cret\u{7f}"),
        json!(1),
        json!(null),
        json!(["s3cret"]),
    ] {
        rows.push(("a value", json!({ HEADERS: { "A": value } }), first));
    }
    expect(rows);
}

#[test]
fn one_thing_as_authorization() {
    let own = json!({ HEADERS: { "Authorization": "Basic s3cret" } });
    let forward = json!({ MODE: "forward", PERMISSION: true });
    expect(vec![
        ("a bearer assertion", bearer(), &[]),
        ("a bearer assertion and another header", with(bearer(), json!({ HEADERS: { "X": "s3cret" } })), &[]),
        ("a bearer assertion and a header", with(bearer(), own.clone()), &[HEADERS]),
        ("a bearer assertion and the token", with(bearer(), forward.clone()), &[MODE]),
        ("a header and the token", with(own.clone(), forward.clone()), &[MODE]),
        ("all three", with(with(own.clone(), forward.clone()), bearer()), &[MODE]),
        (
            "an assertion in its header and the token",
            with(with(bearer(), json!({ "MCP_SERVER_AUTH_ASSERTION": "header" })), forward),
            &[],
        ),
        (
            "an assertion in its header and a header",
            with(with(bearer(), json!({ "MCP_SERVER_AUTH_ASSERTION": "header" })), own),
            &[],
        ),
    ]);
}

#[test]
fn passing_the_token_on_must_be_said_twice() {
    expect(vec![
        ("both", json!({ MODE: "forward", PERMISSION: true }), &[]),
        ("both, as text", json!({ MODE: "forward", PERMISSION: "true" }), &[]),
        ("once", json!({ MODE: "forward" }), &[MODE]),
        ("taken back", json!({ MODE: "forward", PERMISSION: false }), &[MODE]),
        ("no switch", json!({ MODE: "forward", PERMISSION: "s3cret" }), &[PERMISSION, MODE]),
        ("a number for a switch", json!({ MODE: "forward", PERMISSION: 1 }), &[PERMISSION, MODE]),
        ("the permission alone", json!({ PERMISSION: true }), &[]),
        ("removed", json!({ MODE: "remove" }), &[]),
        ("another word", json!({ MODE: "pass", PERMISSION: true }), &[MODE]),
        ("a switch for a word", json!({ MODE: true, PERMISSION: true }), &[MODE]),
        ("a variable for the binding", json!({ "ORIGIN": "https://s3cret.example" }), &["ORIGIN"]),
    ]);
    let faults = read(&with(settings(), json!({ MODE: "forward" }))).unwrap_err();
    assert!(
        faults[0].expected.contains(PASSTHROUGH) && faults[0].expected.contains(PERMISSION),
        "{}",
        faults[0]
    );
}

#[test]
fn what_is_removed_for_it() {
    let own =
        config(&with(settings(), json!({ HEADERS: { "CF-Access-Client-Secret": "a", "X_Shared": "b" } })));
    let forward = config(&with(settings(), json!({ MODE: "forward", PERMISSION: true })));
    let rows = [
        ("authorization", true, false),
        ("x-mcp-auth-user-id", true, true),
        ("x_mcp_auth_assertion", true, true),
        ("cf-access-client-secret", true, false),
        ("cf_access_client-secret", true, false),
        ("x-shared", true, false),
        ("x-shared-2", false, false),
        ("cookie", false, false),
    ];
    for_each_row(rows, |(name, by_own, by_forward)| {
        same(name, resource(&own).removes(name), *by_own)?;
        same(name, resource(&forward).removes(name), *by_forward)
    });
    let text = resource(&own).delivery.headers_text();
    assert_eq!(text, "CF-Access-Client-Secret\na\nX_Shared\nb");
}
