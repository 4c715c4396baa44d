//! Every fault of the settings is found, named by variable and field, all of them in one go, and
//! none tells a value.

use serde_json::{Value, json};

use crate::support::{
    self, ALLOWED_ORIGINS, CANONICAL_URL, CHALLENGE_SCOPES, ISSUER, SCOPES_SUPPORTED, SERVERS, entry,
    for_each_row, read, same, settings, single_issuer_settings, with, with_entries,
};

/// A name, the settings, and where the faults are: variable and field.
type Row = (&'static str, Value, &'static [&'static str]);

fn places(settings: &Value) -> Vec<String> {
    match read(settings) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect(),
    }
}

fn expect(rows: Vec<Row>) {
    for_each_row(rows, |(name, settings, expected)| {
        same(name, places(settings), expected.iter().map(|s| (*s).to_owned()).collect())
    });
}

/// The sound settings with one variable changed.
fn set(name: &str, value: Value) -> Value {
    with(settings(), json!({ name: value }))
}

fn in_entry(changes: Value) -> Value {
    with_entries(json!([with(entry(), changes)]))
}

#[test]
fn required() {
    expect(vec![
        ("nothing", json!({}), &[CANONICAL_URL, SERVERS, "ORIGIN_URL"]),
        ("no canonical URL", set(CANONICAL_URL, json!("<absent>")), &[CANONICAL_URL]),
        ("an empty one", set(CANONICAL_URL, json!("")), &[CANONICAL_URL]),
        ("one of spaces", set(CANONICAL_URL, json!("  ")), &[CANONICAL_URL]),
        ("no entries", set(SERVERS, json!("<absent>")), &[SERVERS]),
        ("empty text for entries", set(SERVERS, json!("")), &[SERVERS]),
        ("no origin", set("ORIGIN_URL", json!("<absent>")), &["ORIGIN_URL"]),
        ("an empty origin", set("ORIGIN_URL", json!("")), &["ORIGIN_URL"]),
        (
            "no URL in an entry",
            in_entry(json!({ "authorization_server_url": "<absent>" })),
            &["MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].authorization_server_url"],
        ),
        (
            "no jwks_uri",
            with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_JWKS_URI": "<absent>" })),
            &["MCP_SERVER_AUTH_JWKS_URI"],
        ),
        (
            "no issuer",
            with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_ISSUER": "<absent>" })),
            &["MCP_SERVER_AUTH_ISSUER"],
        ),
        (
            "no audience",
            with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_AUDIENCE": "<absent>" })),
            &["MCP_SERVER_AUTH_AUDIENCE"],
        ),
        (
            "an algorithm alone",
            with(settings(), json!({ SERVERS: "<absent>", "MCP_SERVER_AUTH_ALGORITHM": "ES256" })),
            &["MCP_SERVER_AUTH_JWKS_URI", "MCP_SERVER_AUTH_ISSUER", "MCP_SERVER_AUTH_AUDIENCE"],
        ),
    ]);
}

#[test]
fn names_and_forms() {
    expect(vec![
        ("a typo", set("MCP_SERVER_AUTH_CANONICAL_URI", json!("s3cret")), &["MCP_SERVER_AUTH_CANONICAL_URI"]),
        (
            "in the second spelling",
            set("MCP_RESOURCE_SERVER_LEEWAY", json!(1)),
            &["MCP_RESOURCE_SERVER_LEEWAY"],
        ),
        ("the prefix alone", set("MCP_SERVER_AUTH_", json!("s3cret")), &["MCP_SERVER_AUTH_"]),
        ("small letters within", set("MCP_SERVER_AUTH_cache_ttl", json!(60)), &["MCP_SERVER_AUTH_cache_ttl"]),
        (
            "both spellings, different",
            set("MCP_RESOURCE_SERVER_CANONICAL_URL", json!("https://s3cret.example/mcp")),
            &[CANONICAL_URL],
        ),
        (
            "both spellings, different arrays",
            with(
                settings(),
                json!({ SCOPES_SUPPORTED: ["a"], "MCP_RESOURCE_SERVER_SCOPES_SUPPORTED": ["a", "b"] }),
            ),
            &[SCOPES_SUPPORTED],
        ),
        (
            "both forms",
            with(settings(), json!({ "MCP_SERVER_AUTH_ISSUER": ISSUER })),
            &["MCP_SERVER_AUTH_ISSUER"],
        ),
        (
            "both forms, one algorithm",
            with(settings(), json!({ "MCP_RESOURCE_SERVER_ALGORITHM": "ES256" })),
            &["MCP_RESOURCE_SERVER_ALGORITHM"],
        ),
        (
            "both forms, whole",
            with(single_issuer_settings(), json!({ SERVERS: [entry()] })),
            &["MCP_SERVER_AUTH_JWKS_URI"],
        ),
    ]);
}

#[test]
fn entries() {
    let option = |name: &str, value: Value| in_entry(json!({ "validation_options": { name: value } }));
    let mut rows = vec![
        ("an entry that is a URL", with_entries(json!([ISSUER])), ""),
        ("an entry that is null", with_entries(json!([null])), ""),
        ("an unknown field", in_entry(json!({ "audience": "s3cret" })), ".audience"),
        ("a field in capitals", in_entry(json!({ "Issuer": "s3cret" })), ".Issuer"),
        ("algorithm unknown", in_entry(json!({ "algorithm": "s3cret" })), ".algorithm"),
        ("algorithm none", in_entry(json!({ "algorithm": "none" })), ".algorithm"),
        ("algorithm of a secret", in_entry(json!({ "algorithm": "HS256" })), ".algorithm"),
        ("algorithm in small letters", in_entry(json!({ "algorithm": "es256" })), ".algorithm"),
        ("one algorithm of two unknown", in_entry(json!({ "algorithm": ["ES256", "none"] })), ".algorithm"),
        ("no algorithm", in_entry(json!({ "algorithm": [] })), ".algorithm"),
        ("algorithm null", in_entry(json!({ "algorithm": null })), ".algorithm"),
        ("algorithms in text", in_entry(json!({ "algorithm": "ES256 RS256" })), ".algorithm"),
        ("no audience", in_entry(json!({ "expected_audiences": [] })), ".expected_audiences"),
        ("an empty audience", in_entry(json!({ "expected_audiences": ["a", ""] })), ".expected_audiences"),
        ("audience null", in_entry(json!({ "expected_audiences": null })), ".expected_audiences"),
        ("audience a number", in_entry(json!({ "expected_audiences": [1] })), ".expected_audiences"),
        ("audience no array", in_entry(json!({ "expected_audiences": "s3cret" })), ".expected_audiences"),
        ("options no object", in_entry(json!({ "validation_options": [] })), ".validation_options"),
        ("options null", in_entry(json!({ "validation_options": null })), ".validation_options"),
        ("an unknown option", option("verify_aud", json!(false)), ".validation_options.verify_aud"),
        (
            "the signature is no option",
            option("verify_signature", json!(false)),
            ".validation_options.verify_signature",
        ),
        ("a switch in text", option("verify_exp", json!("false")), ".validation_options.verify_exp"),
        ("a switch that is null", option("verify_iss", json!(null)), ".validation_options.verify_iss"),
        ("a switch that is 0", option("verify_nbf", json!(0)), ".validation_options.verify_nbf"),
        ("a switch in an array", option("verify_iat", json!([true])), ".validation_options.verify_iat"),
        ("leeway above", option("leeway", json!(301)), ".validation_options.leeway"),
        ("leeway below", option("leeway", json!(-1)), ".validation_options.leeway"),
        ("leeway a fraction", option("leeway", json!(1.5)), ".validation_options.leeway"),
        ("leeway in text", option("leeway", json!("60")), ".validation_options.leeway"),
        ("leeway null", option("leeway", json!(null)), ".validation_options.leeway"),
    ];
    let required = [".authorization_server_url", ".issuer", ".jwks_uri"];
    for place in required {
        for value in [json!(null), json!([ISSUER]), json!("")] {
            rows.push((place, in_entry(json!({ &place[1..]: value })), place));
        }
    }
    for_each_row(rows, |(name, settings, place)| {
        same(name, places(settings), vec![format!("{SERVERS}[0]{place}")])
    });
}

#[test]
fn the_array_of_entries() {
    expect(vec![
        ("no entry", with_entries(json!([])), &[SERVERS]),
        ("an object", with_entries(entry()), &[SERVERS]),
        ("a URL", with_entries(json!(ISSUER)), &[SERVERS]),
        ("null", with_entries(json!(null)), &[SERVERS]),
        ("a number", with_entries(json!(1)), &[SERVERS]),
        ("broken JSON text", with_entries(json!("[{\"issuer\": \"s3cret\"")), &[SERVERS]),
        (
            "a member twice in JSON text",
            with_entries(json!(
                r#"[{"authorization_server_url":"https://a.example","authorization_server_url":"https://b.example"}]"#
            )),
            &[SERVERS],
        ),
    ]);
}

#[test]
fn entries_that_contradict_each_other() {
    let other = |changes: Value| {
        with_entries(json!([
            entry(),
            with(with(entry(), json!({ "jwks_uri": "https://other.example/jwks" })), changes)
        ]))
    };
    let second: &[&str] = &["MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[1].issuer"];
    expect(vec![
        (
            "one issuer, other keys, other audiences",
            other(json!({ "expected_audiences": ["s3cret"] })),
            second,
        ),
        ("one issuer, other keys, other algorithms", other(json!({ "algorithm": "RS256" })), second),
        (
            "one issuer, other keys, another leeway",
            other(json!({ "validation_options": { "leeway": 0 } })),
            second,
        ),
        (
            "one issuer, other keys, another switch",
            other(json!({ "validation_options": { "verify_exp": false } })),
            second,
        ),
        (
            "one issuer, keys found, other rules",
            with_entries(json!([entry(), { "authorization_server_url": ISSUER }])),
            second,
        ),
    ]);
}

#[test]
fn other_variables() {
    for_each_row(
        [
            json!(59),
            json!(86_401),
            json!(0),
            json!(-60),
            json!(60.5),
            json!("1h"),
            json!("59"),
            json!([60]),
            json!(null),
            json!(true),
        ],
        |v| {
            same(
                &v.to_string(),
                places(&set("MCP_SERVER_AUTH_CACHE_TTL", v.clone())),
                vec!["MCP_SERVER_AUTH_CACHE_TTL".to_owned()],
            )
        },
    );
    for_each_row(
        [json!(0), json!(3601), json!(-1), json!(1.5), json!("10s"), json!("0"), json!(null)],
        |v| {
            same(
                &v.to_string(),
                places(&set("ORIGIN_TIMEOUT_SECONDS", v.clone())),
                vec!["ORIGIN_TIMEOUT_SECONDS".to_owned()],
            )
        },
    );
    for_each_row([json!("yes"), json!(1), json!("1"), json!(null), json!([true])], |v| {
        same(
            &v.to_string(),
            places(&set("MCP_SERVER_AUTH_LOG_SUBJECT", v.clone())),
            vec!["MCP_SERVER_AUTH_LOG_SUBJECT".to_owned()],
        )
    });
    for name in [SCOPES_SUPPORTED, CHALLENGE_SCOPES] {
        let bad = [
            json!("a \"b\""),
            json!("a\\b"),
            json!(["a b"]),
            json!([""]),
            json!(["ä"]),
            json!([1]),
            json!(1),
            json!(null),
            json!({}),
            json!("[\"a\""),
        ];
        for_each_row(bad, |v| same(&v.to_string(), places(&set(name, v.clone())), vec![name.to_owned()]));
    }
    let bad = [
        json!(""),
        json!(" "),
        json!("s3cret"),
        json!("https://a.example/"),
        json!("https://a.example/x"),
        json!("https://a.example:443"),
        json!("http://a.example:80"),
        json!("https://*.example.com"),
        json!("https://u@a.example"),
        json!("https://a.example?x"),
        json!("https://a.example#x"),
        json!("a.example"),
        json!("javascript:alert(1)"),
        json!("data:text/html,x"),
        json!("app://"),
        json!("app://host/path"),
        json!(["https://a.example", "x"]),
        json!([1]),
        json!([""]),
        json!(null),
        json!(true),
        json!({}),
        json!("NULL"),
    ];
    for_each_row(bad, |v| {
        same(&v.to_string(), places(&set(ALLOWED_ORIGINS, v.clone())), vec![ALLOWED_ORIGINS.to_owned()])
    });
    for (name, bad) in [
        (
            "MCP_SERVER_AUTH_ISSUER",
            vec![json!([]), json!([ISSUER, ""]), json!([ISSUER, 1]), json!(1), json!(null), json!({})],
        ),
        (
            "MCP_SERVER_AUTH_AUDIENCE",
            vec![json!([]), json!(["a", ""]), json!([1]), json!(1), json!(null), json!({}), json!("[\"a\"")],
        ),
        (
            "MCP_SERVER_AUTH_ALGORITHM",
            vec![json!([]), json!("none"), json!(["ES256", "x"]), json!(1), json!(null), json!("[\"ES256\"")],
        ),
        ("MCP_SERVER_AUTH_JWKS_URI", vec![json!([support::JWKS_URI]), json!(1), json!(null)]),
    ] {
        // A string that looks like JSON and is none stays a string; where any string will do, it is
        // one.
        let bad = bad.into_iter().filter(|v| !(name.ends_with("AUDIENCE") && v.is_string()));
        for_each_row(bad, |v| {
            let settings = with(single_issuer_settings(), json!({ name: v }));
            same(&format!("{name} {v}"), places(&settings), vec![name.to_owned()])
        });
    }
    for v in [json!(1), json!(null), json!([support::CANONICAL]), json!({})] {
        assert_eq!(places(&set(CANONICAL_URL, v.clone())), [CANONICAL_URL], "{v}");
        assert_eq!(places(&set("ORIGIN_URL", v.clone())), ["ORIGIN_URL"], "{v}");
    }
}

#[test]
fn all_faults_are_told_in_one_go_and_none_tells_a_value() {
    let everything = json!({
        CANONICAL_URL: "http://s3cret.example",
        SERVERS: [
            { "authorization_server_url": "s3cret", "issuer": "s3cret", "jwks_uri": "http://s3cret.example", "algorithm": "s3cret",
              "expected_audiences": [""], "validation_options": { "leeway": "s3cret", "verify_exp": "s3cret", "verify": "s3cret" }, "extra": "s3cret" },
            "s3cret",
        ],
        SCOPES_SUPPORTED: ["s3cret\""], CHALLENGE_SCOPES: "s3cret\\", ALLOWED_ORIGINS: "s3cret", "MCP_SERVER_AUTH_CACHE_TTL": "s3cret",
        "MCP_SERVER_AUTH_LOG_SUBJECT": "s3cret", "MCP_SERVER_AUTH_SECRET": "s3cret", "MCP_RESOURCE_SERVER_CACHE_TTL": "s3cret2",
        "ORIGIN_URL": "https://user:s3cret@o.example",
    });
    let faults = read(&everything).map(|_| ()).unwrap_err();
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(!text.join("\n").contains("s3cret"), "{text:#?}");
    support::assert_golden("faults.txt", &text.join("\n"));
    let single = json!({
        "MCP_SERVER_AUTH_JWKS_URI": "s3cret", "MCP_SERVER_AUTH_ISSUER": ["s3cret", ""], "MCP_SERVER_AUTH_AUDIENCE": ["s3cret", ""],
        "MCP_SERVER_AUTH_ALGORITHM": "s3cret",
    });
    let faults = read(&single).map(|_| ()).unwrap_err();
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(!format!("{faults:?}").contains("s3cret"), "{faults:#?}");
}
