//! What the origin is told about the caller, encoded so that no value can pass for another one, and
//! which incoming headers could pass for it.

use mcp_edge_auth::token::claims::{Permit, Rules, validate};
use mcp_edge_auth::token::identity::is_reserved;
use serde_json::{Value, json};

use crate::support::{CANONICAL, ISSUER, NOW, claims, for_each_row, object, same, with};

fn permit(changes: &Value) -> Permit {
    permit_of(ISSUER, changes)
}

fn permit_of(issuer: &str, changes: &Value) -> Permit {
    let strict = Rules::strict(issuer.to_owned(), vec![CANONICAL.to_owned()]);
    let rules = Rules { verify_iss: false, leeway: 0, ..strict };
    validate(&object(&with(claims(), changes.clone())), &rules, NOW).unwrap().permit().unwrap()
}

fn header(changes: &Value, name: &str) -> Option<String> {
    let permit = permit(changes);
    permit.identity().headers().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// Each row: a name, the changes to the claims, the value of one header.
fn expect(header_name: &str, rows: Vec<(&str, Value, Option<&str>)>) {
    for_each_row(rows, |(name, changes, expected)| {
        same(&format!("{name}: {changes}"), header(changes, header_name).as_deref(), *expected)
    });
}

#[test]
fn all_of_them() {
    let all = json!({ "client_id": "app", "email": "a@b.example", "scope": "x y" });
    let expected = [
        ("X-MCP-Auth-User-Id", "user-1"),
        ("X-MCP-Auth-Issuer", ISSUER),
        ("X-MCP-Auth-Client-Id", "app"),
        ("X-MCP-Auth-Email", "a@b.example"),
        ("X-MCP-Auth-Scopes", "x y"),
    ];
    let permit_of_all = permit(&all);
    let headers: Vec<(&str, &str)> = permit_of_all.identity().headers().collect();
    assert_eq!(headers, expected);
    let names = |p: &Permit| p.identity().headers().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&permit(&json!({}))), ["X-MCP-Auth-User-Id", "X-MCP-Auth-Issuer"]);
    // Every header that is set is one that is removed first.
    assert!(names(&permit_of_all).iter().all(|name| is_reserved(name)));
}

#[test]
fn subject_and_encoding() {
    let rows = vec![
        ("plain", json!({ "sub": "user-1" }), Some("user-1")),
        (
            "every visible character but the percent sign",
            json!({ "sub": "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~" }),
            Some("!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ),
        ("a percent sign", json!({ "sub": "100%" }), Some("100%25")),
        ("what looks encoded", json!({ "sub": "%41" }), Some("%2541")),
        ("a space", json!({ "sub": "a b" }), Some("a%20b")),
        ("spaces around", json!({ "sub": " a " }), Some("%20a%20")),
        ("one space", json!({ "sub": " " }), Some("%20")),
        ("a line end, and a header", json!({ "sub": "a\r\nX-Admin: 1" }), Some("a%0D%0AX-Admin:%201")),
        ("a tab", json!({ "sub": "\t" }), Some("%09")),
        ("a NUL", json!({ "sub": "\u{0}" }), Some("%00")),
        ("DEL", json!({ "sub": "\u{7f}" }), Some("%7F")),
        ("two bytes", json!({ "sub": "é" }), Some("%C3%A9")),
        ("three bytes", json!({ "sub": "語" }), Some("%E8%AA%9E")),
        ("four bytes", json!({ "sub": "🔑" }), Some("%F0%9F%94%91")),
        ("Latin-1's last", json!({ "sub": "ÿ" }), Some("%C3%BF")),
    ];
    expect("X-MCP-Auth-User-Id", rows);
    assert_eq!(permit(&json!({ "sub": "a b" })).identity().subject(), "a b");
    let value = permit_of("https://as.example/ö 1%", &json!({}));
    assert_eq!(value.identity().headers().nth(1).unwrap().1, "https://as.example/%C3%B6%201%25");
}

#[test]
fn client_id() {
    expect(
        "X-MCP-Auth-Client-Id",
        vec![
            ("none", json!({}), None),
            ("client_id", json!({ "client_id": "a" }), Some("a")),
            ("azp", json!({ "azp": "b" }), Some("b")),
            ("cid", json!({ "cid": "c" }), Some("c")),
            ("all three", json!({ "client_id": "a", "azp": "b", "cid": "c" }), Some("a")),
            ("the last two", json!({ "azp": "b", "cid": "c" }), Some("b")),
            ("encoded", json!({ "client_id": "a b%" }), Some("a%20b%25")),
            ("empty", json!({ "client_id": "" }), None),
            // A claim that is there counts as said: nothing else is consulted in its place.
            ("a number, and azp", json!({ "client_id": 1, "azp": "b" }), None),
            ("null, and azp", json!({ "client_id": null, "azp": "b" }), None),
            ("azp an array, and cid", json!({ "azp": ["b"], "cid": "c" }), None),
            ("empty, and azp", json!({ "client_id": "", "azp": "b" }), None),
            ("another spelling", json!({ "clientId": "a", "appid": "b" }), None),
        ],
    );
}

#[test]
fn email() {
    expect(
        "X-MCP-Auth-Email",
        vec![
            ("none", json!({}), None),
            ("a string", json!({ "email": "a@b.example" }), Some("a@b.example")),
            ("encoded", json!({ "email": "ä b@c.example" }), Some("%C3%A4%20b@c.example")),
            ("empty", json!({ "email": "" }), None),
            ("null", json!({ "email": null }), None),
            ("a number", json!({ "email": 1 }), None),
            ("an array", json!({ "email": ["a@b.example"] }), None),
            ("an object", json!({ "email": { "value": "a@b.example" } }), None),
            ("a bool", json!({ "email": true }), None),
        ],
    );
}

#[test]
fn scopes() {
    expect(
        "X-MCP-Auth-Scopes",
        vec![
            ("none", json!({}), None),
            ("one", json!({ "scope": "a" }), Some("a")),
            ("two", json!({ "scope": "a b" }), Some("a b")),
            ("spaces around and between", json!({ "scope": " a   b " }), Some("a b")),
            ("an array", json!({ "scope": ["a", "b"] }), Some("a b")),
            ("scp", json!({ "scp": "a b" }), Some("a b")),
            ("scp an array", json!({ "scp": ["a", "b"] }), Some("a b")),
            ("both", json!({ "scope": "a", "scp": "b" }), Some("a")),
            (
                "URLs",
                json!({ "scope": "https://a.example/x.read api://b/Y" }),
                Some("https://a.example/x.read api://b/Y"),
            ),
            ("every character", json!({ "scope": "!#[]~:{}" }), Some("!#[]~:{}")),
            ("a percent sign", json!({ "scope": "a%b c" }), Some("a%25b c")),
            ("a percent sign further on", json!({ "scope": "a b%c" }), Some("a b%25c")),
            ("a quote is dropped with its scope", json!({ "scope": "a \"b\" c" }), Some("a c")),
            ("a backslash", json!({ "scope": "a b\\ c" }), Some("a c")),
            ("a tab", json!({ "scope": "a\tb c" }), Some("c")),
            ("a line end", json!({ "scope": "a\nb c" }), Some("c")),
            ("beyond ASCII", json!({ "scope": "ä b" }), Some("b")),
            ("DEL", json!({ "scope": "\u{7f} b" }), Some("b")),
            ("a space within an array's item", json!({ "scope": ["a b", "c"] }), Some("c")),
            ("an empty item", json!({ "scope": ["", "c"] }), Some("c")),
            ("items of other types", json!({ "scope": [1, null, ["x"], "c"] }), Some("c")),
            ("nothing but spaces", json!({ "scope": "  " }), None),
            ("empty", json!({ "scope": "" }), None),
            ("an empty array", json!({ "scope": [] }), None),
            ("nothing allowed", json!({ "scope": "ä ö" }), None),
            ("null, and scp", json!({ "scope": null, "scp": "b" }), None),
            ("a number, and scp", json!({ "scope": 1, "scp": "b" }), None),
            ("an object", json!({ "scope": { "a": true } }), None),
            ("empty, and scp", json!({ "scope": "", "scp": "b" }), None),
        ],
    );
}

#[test]
fn reserved_headers() {
    let rows = [
        ("x-mcp-auth-user-id", true),
        ("X-MCP-Auth-User-Id", true),
        ("X-MCP-AUTH-ANYTHING", true),
        ("x-mcp-auth-", true),
        ("x_mcp_auth_user_id", true),
        ("X_MCP-Auth_User-Id", true),
        ("x-mcp_auth-email", true),
        ("x-mcp-auth_", true),
        ("x-mcp-auth-ü", true),
        ("x-mcp-auth", false),
        ("x-mcp-authx", false),
        ("x-mcp-author", false),
        ("x_mcp_auth", false),
        ("x-mcp-session", false),
        ("mcp-session-id", false),
        ("ax-mcp-auth-user-id", false),
        ("x--mcp-auth-user-id", false),
        ("_-mcp-auth-user-id", false),
        ("x-_cp-auth-user-id", false),
        ("xxmcp-auth-user-id", false),
        ("", false),
    ];
    for_each_row(rows, |(name, expected)| same(name, is_reserved(name), *expected));
}
