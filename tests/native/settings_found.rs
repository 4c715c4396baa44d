//! A fault says what was found: where a text stops being JSON, which character a URL must not have,
//! which shape a value has, which name may have been meant. Of a secret it says the place only.

use serde_json::{Value, json};

use crate::support::found::{expect, in_entry, said, set};
use crate::support::resources::{RESOURCES, at, many};
use crate::support::{
    ALLOWED_ORIGINS, CANONICAL_URL, ISSUER, SCOPES_SUPPORTED, SERVERS, entry, settings,
    single_issuer_settings, with, with_entries,
};

const POLICY: &str = "MCP_SERVER_AUTH_POLICY";

/// What is not JSON, the line and column where that is seen, and what stands there.
const NOT_JSON: [(&str, &str); 34] = [
    ("[{\"issuer\":\"x\"},]", "line 1, column 16: a comma with nothing after it (a trailing comma)"),
    ("[{\"issuer\":\"x\",}]", "line 1, column 15: a comma with nothing after it (a trailing comma)"),
    (
        "[\n  {\n    \"issuer\": \"x\",\n  }\n]",
        "line 3, column 18: a comma with nothing after it (a trailing comma)",
    ),
    ("[{\"issuer\": \"ü\" , } ]", "line 1, column 17: a comma with nothing after it (a trailing comma)"),
    ("[1,,2]", "line 1, column 4: , (U+002C)"),
    ("[{'issuer':'x'}]", "line 1, column 3: a single quote (U+0027); JSON has double quotes"),
    ("'[]'", "line 1, column 1: a single quote (U+0027); JSON has double quotes"),
    ("[`x`]", "line 1, column 2: ` (U+0060)"),
    ("[“x”]", "line 1, column 2: a typographic (smart) quote (U+201C)"),
    ("“[]”", "line 1, column 1: a typographic (smart) quote (U+201C)"),
    ("[{\"issuer”: \"x\"}]", "line 1, column 10: a typographic (smart) quote (U+201D)"),
    ("[{\"issuer\": \"x”}]", "line 1, column 15: a typographic (smart) quote (U+201D)"),
    ("[„x“]", "line 1, column 2: a typographic (smart) quote (U+201E)"),
    ("[‘x’]", "line 1, column 2: a typographic (smart) quote (U+2018)"),
    ("[«x»]", "line 1, column 2: a typographic (smart) quote (U+00AB)"),
    ("[ // ours\n1]", "line 1, column 3: a comment; JSON has none"),
    ("[1 /* ours */]", "line 1, column 4: a comment; JSON has none"),
    ("[1,\n# ours\n2]", "line 2, column 1: a comment; JSON has none"),
    ("// ours\n[]", "line 1, column 1: a comment; JSON has none"),
    ("[1] // ours", "line 1, column 5: a comment; JSON has none"),
    ("\u{feff}[1]", "line 1, column 1: a byte order mark (U+FEFF)"),
    ("[\u{200b}1]", "line 1, column 2: an invisible character (U+200B)"),
    ("[\u{a0}1]", "line 1, column 2: a space of another kind (U+00A0)"),
    ("https://auth.example.com", "line 1, column 1: a plain URL"),
    (" http://127.0.0.1:8788", "line 1, column 2: a plain URL"),
    ("auth.example.com", "line 1, column 1: a (U+0061)"),
    ("[{issuer:\"x\"}]", "line 1, column 3: a name or a text without double quotes"),
    ("[True]", "line 1, column 2: a name or a text without double quotes"),
    ("[{\"issuer\":\"x\"", "line 1, column 15: the end of the text, where more was to come"),
    ("[{\"issuer\":\"x\"}", "line 1, column 16: the end of the text, where more was to come"),
    ("[{\"issuer\":\"x\"}]]", "line 1, column 17: ] (U+005D)"),
    ("[{\"issuer\":\"a\nb\"}]", "line 1, column 14: a control character (U+000A)"),
    ("[{\\\"issuer\\\":1}]", "line 1, column 3: \\ (U+005C)"),
    ("[{\"issuer\":1,\"issuer\":2}]", "line 1, column 21: a member name that the object has already"),
];

#[test]
fn text_that_is_not_json_is_told_by_line_and_column() {
    for (text, what) in NOT_JSON {
        let not_json = format!("found text that is not JSON: {what}");
        let policy = many(json!([
            at("https://a.example/1"),
            with(at("https://a.example/2"), json!({ "policy": text }))
        ]));
        expect(vec![
            (with_entries(json!(text)), SERVERS, &not_json),
            (
                with(
                    settings(),
                    json!({ RESOURCES: text, CANONICAL_URL: "<absent>", "ORIGIN_URL": "<absent>" }),
                ),
                RESOURCES,
                &not_json,
            ),
            (set(POLICY, json!(text)), POLICY, &not_json),
            (
                set("MCP_SERVER_AUTH_ASSERTION_CLAIMS", json!(text)),
                "MCP_SERVER_AUTH_ASSERTION_CLAIMS",
                &not_json,
            ),
            (policy, "MCP_SERVER_AUTH_RESOURCES[1].policy", &not_json),
        ]);
    }
}

#[test]
fn of_a_secret_only_the_place_is_told() {
    let names = ["ORIGIN_HEADERS", "MCP_SERVER_AUTH_ASSERTION_KEY", "MCP_SERVER_AUTH_SESSION_KEY"];
    let structured = |text: &str| text.trim_start_matches(['\u{feff}', ' ']).starts_with(['[', '{']);
    let quoted = |text: &str| ["[`", "[“", "[„", "[‘", "[«"].iter().any(|begin| text.starts_with(begin));
    for (text, what) in NOT_JSON {
        let place = what.split(':').next().unwrap();
        for name in names {
            let settings = with(set(name, json!(text)), json!({ "MCP_SERVER_AUTH_ASSERTION": "header" }));
            let said = said(&settings);
            let line = said.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap_or_default();
            let told = format!("; found text that is not JSON: {place}");
            match name {
                "ORIGIN_HEADERS" => assert!(line.ends_with(&told), "{name} {text}: {said}"),
                // Where a text may also be a PEM or any other secret, it must look like JSON.
                "MCP_SERVER_AUTH_ASSERTION_KEY" if structured(text) => {
                    assert!(line.ends_with(&told), "{name} {text}: {said}");
                }
                "MCP_SERVER_AUTH_SESSION_KEY" if quoted(text) => {
                    assert!(line.ends_with(&told), "{name} {text}: {said}");
                }
                _ => assert!(!line.contains("JSON:"), "{name} {text}: {said}"),
            }
            for told in ["comma", "quote", "comment", "U+", "mark", "URL; ", "member name"] {
                assert!(!line.contains(told), "{name} {text}: {told}: {said}");
            }
        }
    }
    // A list of session keys that is no list would else be one key, and its rotation none.
    let list = format!("[\"{}\",]", "s3cret".repeat(6));
    let said = said(&set("MCP_SERVER_AUTH_SESSION_KEY", json!(list)));
    assert!(
        said.ends_with("; found text that is not JSON: line 1, column 40\n") && !said.contains("s3cret"),
        "{said}"
    );
    // A random key may begin as it likes.
    assert_eq!(
        self::said(&set("MCP_SERVER_AUTH_SESSION_KEY", json!("[{'".to_owned() + &"x".repeat(32)))),
        ""
    );
}

#[test]
fn a_text_that_may_be_anything_is_no_broken_json() {
    let single = |name: &str, text: &str| with(single_issuer_settings(), json!({ name: text }));
    let trailing =
        "found text that is not JSON: line 1, column 5: a comma with nothing after it (a trailing comma)";
    let rows = ["MCP_SERVER_AUTH_AUDIENCE", "MCP_SERVER_AUTH_ISSUER", "MCP_SERVER_AUTH_ALGORITHM"];
    expect(rows.map(|name| (single(name, "[\"a\",]"), name, trailing)).to_vec());
    let rows = [
        "MCP_SERVER_AUTH_ASSERTION_ISSUER",
        "MCP_SERVER_AUTH_ASSERTION_AUDIENCE",
        SCOPES_SUPPORTED,
        ALLOWED_ORIGINS,
        "MCP_SERVER_AUTH_COMPATIBILITY",
    ];
    expect(rows.map(|name| (set(name, json!("[\"a\",]")), name, trailing)).to_vec());
    // A name for people is not.
    assert_eq!(said(&set("MCP_SERVER_AUTH_RESOURCE_NAME", json!("[dev] my server"))), "");
}

#[test]
fn one_for_many_and_many_for_one() {
    let object = "found one object and no array: as a TOML table it has two brackets on each side, [[…]]";
    let array = "found an array and no object: as a TOML table it has one bracket on each side, […]";
    let rule = json!({ "methods": "*", "scopes": "a" });
    let resource =
        |changes: Value| many(json!([at("https://a.example/1"), with(at("https://a.example/2"), changes)]));
    expect(vec![
        (with_entries(entry()), SERVERS, object),
        (with_entries(json!(entry().to_string())), SERVERS, object),
        (many(at("https://a.example/1")), RESOURCES, object),
        (
            resource(json!({ "authorization_servers": entry() })),
            "MCP_SERVER_AUTH_RESOURCES[1].authorization_servers",
            object,
        ),
        (set(POLICY, json!({ "rules": rule })), "MCP_SERVER_AUTH_POLICY.rules", object),
        (
            resource(json!({ "policy": { "rules": rule } })),
            "MCP_SERVER_AUTH_RESOURCES[1].policy.rules",
            object,
        ),
        (set(POLICY, json!([{ "rules": [rule] }])), POLICY, array),
        (
            in_entry(json!({ "validation_options": [{ "leeway": 5 }] })),
            "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].validation_options",
            array,
        ),
        (set("ORIGIN_HEADERS", json!([{ "X-A": "b" }])), "ORIGIN_HEADERS", array),
        (
            set(POLICY, json!({ "scope_hierarchy": [{ "a": "b" }] })),
            "MCP_SERVER_AUTH_POLICY.scope_hierarchy",
            array,
        ),
        (
            set(POLICY, json!({ "rules": [{ "claims": [{ "a": "b" }] }] })),
            "MCP_SERVER_AUTH_POLICY.rules[0].claims",
            array,
        ),
        (with_entries(json!([ISSUER])), "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0]", "found a text"),
        (with_entries(json!([[entry()]])), "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0]", array),
        (with_entries(json!(null)), SERVERS, "found null"),
        (with_entries(json!("null")), SERVERS, "found a text"),
        (with_entries(json!(5)), SERVERS, "found a number"),
        (set(POLICY, json!(true)), POLICY, "found true or false"),
        (set(POLICY, json!(" ")), POLICY, "found an empty text"),
        (
            in_entry(json!({ "validation_options": { "verify_exp": "false" } })),
            "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].validation_options.verify_exp",
            "found a text",
        ),
        (
            set(POLICY, json!({ "filter_lists": "true" })),
            "MCP_SERVER_AUTH_POLICY.filter_lists",
            "found a text",
        ),
    ]);
}
