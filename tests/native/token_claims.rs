//! A soundly signed token is refused for exactly what is wrong with its claims, to the second, in
//! the order of the checks.

use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::token::claims::{AudienceIn, Demand, Rules, validate};
use serde_json::{Value, json};

use crate::support::engine::{Run, run_with};
use crate::support::es256::trusted;
use crate::support::{
    CANONICAL, ISSUER, NOW, claims, config, entry, for_each_row, object, resource, same, with, with_entries,
};

type Row = (&'static str, Value, &'static str);

/// Verifies the good claims with changes, at an entry with changes.
fn verify(entry_changes: &Value, changes: &Value) -> Run {
    let config = config(&with_entries(json!([with(entry(), entry_changes.clone())])));
    let token = trusted().with_claims(&with(claims(), changes.clone()));
    run_with(resource(&config), &token, &trusted().key_set())
}

/// Each row: a name, the changes to the good claims, the exact reason. Whatever comes of the
/// claims, the signature was checked first.
fn expect(entry_changes: &Value, rows: Vec<Row>) {
    for_each_row(rows, |(name, changes, reason)| {
        let run = verify(entry_changes, changes);
        let checks = usize::from(*reason != "issuer_untrusted");
        same(&format!("{name} {changes}"), (run.reason(), run.checks), (*reason, checks))
    });
}

fn options(options: Value) -> Value {
    json!({ "validation_options": options })
}

#[test]
fn exp() {
    expect(
        &json!({}),
        vec![
            ("absent", json!({ "exp": "<absent>" }), "exp_missing"),
            ("null", json!({ "exp": null }), "exp_not_number"),
            ("a bool", json!({ "exp": true }), "exp_not_number"),
            ("a string of digits", json!({ "exp": (NOW + 300).to_string() }), "exp_not_number"),
            ("an array", json!({ "exp": [NOW + 300] }), "exp_not_number"),
            ("an object", json!({ "exp": { "t": NOW + 300 } }), "exp_not_number"),
            ("now", json!({ "exp": NOW }), "accepted"),
            ("the last second of leeway", json!({ "exp": NOW - 59 }), "accepted"),
            ("the end of leeway", json!({ "exp": NOW - 60 }), "token_expired"),
            ("beyond leeway", json!({ "exp": NOW - 61 }), "token_expired"),
            ("a fraction within leeway", json!({ "exp": NOW as f64 - 59.5 }), "accepted"),
            ("a fraction at the end of it", json!({ "exp": NOW as f64 - 60.0 }), "token_expired"),
            ("a fraction beyond it", json!({ "exp": NOW as f64 - 60.5 }), "token_expired"),
            ("zero", json!({ "exp": 0 }), "token_expired"),
            ("negative", json!({ "exp": -1 }), "token_expired"),
            ("a large negative", json!({ "exp": i64::MIN }), "token_expired"),
            ("the largest integer", json!({ "exp": u64::MAX }), "accepted"),
            ("a number in milliseconds", json!({ "exp": (NOW + 300) * 1000 }), "accepted"),
            ("a huge float", json!({ "exp": 1e300 }), "accepted"),
            ("a huge negative float", json!({ "exp": -1e300 }), "token_expired"),
        ],
    );
    expect(
        &options(json!({ "leeway": 0 })),
        vec![
            ("now, no leeway", json!({ "exp": NOW }), "token_expired"),
            ("in a second, no leeway", json!({ "exp": NOW + 1 }), "accepted"),
        ],
    );
    expect(
        &options(json!({ "leeway": 300 })),
        vec![
            ("the last second of much leeway", json!({ "exp": NOW - 299 }), "accepted"),
            ("the end of much leeway", json!({ "exp": NOW - 300 }), "token_expired"),
        ],
    );
    expect(
        &options(json!({ "verify_exp": false })),
        vec![
            ("expired, unverified", json!({ "exp": 0 }), "accepted"),
            ("absent, unverified", json!({ "exp": "<absent>" }), "accepted"),
            ("a string, unverified", json!({ "exp": "soon" }), "accepted"),
        ],
    );
}

#[test]
fn nbf() {
    expect(
        &json!({}),
        vec![
            ("absent", json!({ "nbf": "<absent>" }), "accepted"),
            ("null", json!({ "nbf": null }), "nbf_not_number"),
            ("a bool", json!({ "nbf": false }), "nbf_not_number"),
            ("a string of digits", json!({ "nbf": "0" }), "nbf_not_number"),
            ("an array", json!({ "nbf": [] }), "nbf_not_number"),
            ("an object", json!({ "nbf": {} }), "nbf_not_number"),
            ("long ago", json!({ "nbf": 0 }), "accepted"),
            ("negative", json!({ "nbf": -1 }), "accepted"),
            ("the end of leeway", json!({ "nbf": NOW + 60 }), "accepted"),
            ("beyond leeway", json!({ "nbf": NOW + 61 }), "token_not_yet_valid"),
            ("a fraction beyond leeway", json!({ "nbf": NOW as f64 + 60.5 }), "token_not_yet_valid"),
            ("a huge float", json!({ "nbf": 1e300 }), "token_not_yet_valid"),
        ],
    );
    expect(
        &options(json!({ "leeway": 0 })),
        vec![
            ("now, no leeway", json!({ "nbf": NOW }), "accepted"),
            ("in a second, no leeway", json!({ "nbf": NOW + 1 }), "token_not_yet_valid"),
        ],
    );
    expect(
        &options(json!({ "verify_nbf": false })),
        vec![
            ("in the future, unverified", json!({ "nbf": NOW + 9999 }), "accepted"),
            ("a string, unverified", json!({ "nbf": "later" }), "accepted"),
        ],
    );
}

#[test]
fn iat() {
    expect(
        &json!({}),
        vec![
            ("absent", json!({ "iat": "<absent>" }), "accepted"),
            ("null", json!({ "iat": null }), "iat_not_number"),
            ("a bool", json!({ "iat": true }), "iat_not_number"),
            ("a string of digits", json!({ "iat": NOW.to_string() }), "iat_not_number"),
            ("an array", json!({ "iat": [NOW] }), "iat_not_number"),
            ("an object", json!({ "iat": {} }), "iat_not_number"),
            ("long ago", json!({ "iat": 1 }), "accepted"),
            ("the end of leeway", json!({ "iat": NOW + 60 }), "accepted"),
            ("beyond leeway", json!({ "iat": NOW + 61 }), "iat_in_future"),
            ("a fraction beyond leeway", json!({ "iat": NOW as f64 + 60.5 }), "iat_in_future"),
        ],
    );
    expect(
        &options(json!({ "leeway": 0 })),
        vec![
            ("now, no leeway", json!({ "iat": NOW }), "accepted"),
            ("in a second, no leeway", json!({ "iat": NOW + 1 }), "iat_in_future"),
        ],
    );
    expect(
        &options(json!({ "verify_iat": false })),
        vec![
            ("in the future, unverified", json!({ "iat": NOW + 9999 }), "accepted"),
            ("a string, unverified", json!({ "iat": "then" }), "accepted"),
        ],
    );
}

#[test]
fn iss() {
    let upper = ISSUER.to_ascii_uppercase();
    expect(
        &json!({}),
        vec![
            ("absent", json!({ "iss": "<absent>" }), "issuer_untrusted"),
            ("null", json!({ "iss": null }), "issuer_untrusted"),
            ("a number", json!({ "iss": 1 }), "issuer_untrusted"),
            ("an array of it", json!({ "iss": [ISSUER] }), "issuer_untrusted"),
            ("empty", json!({ "iss": "" }), "issuer_untrusted"),
            ("another", json!({ "iss": "https://evil.example" }), "issuer_untrusted"),
            ("with a trailing slash", json!({ "iss": format!("{ISSUER}/") }), "issuer_untrusted"),
            ("without its last letter", json!({ "iss": ISSUER.strip_suffix('m') }), "issuer_untrusted"),
            ("in capitals", json!({ "iss": upper }), "issuer_untrusted"),
            ("with the default port", json!({ "iss": format!("{ISSUER}:443") }), "issuer_untrusted"),
            ("with a path", json!({ "iss": format!("{ISSUER}/tenant") }), "issuer_untrusted"),
            ("of http", json!({ "iss": ISSUER.replace("https", "http") }), "issuer_untrusted"),
        ],
    );
    expect(
        &options(json!({ "verify_iss": false })),
        vec![
            ("the same, unverified", json!({}), "accepted"),
            ("another, unverified", json!({ "iss": "https://elsewhere.example" }), "accepted"),
            ("absent, unverified", json!({ "iss": "<absent>" }), "accepted"),
            ("a number, unverified", json!({ "iss": 1 }), "accepted"),
        ],
    );
    // The origin is told the entry's issuer, which is what vouched, not what the token says.
    let run =
        verify(&options(json!({ "verify_iss": false })), &json!({ "iss": "https://elsewhere.example" }));
    assert_eq!(run.header("X-MCP-Auth-Issuer"), Some(ISSUER));
}

#[test]
fn aud() {
    let slash = format!("{CANONICAL}/");
    let rows = || -> Vec<Row> {
        vec![
            ("absent", json!({ "aud": "<absent>" }), "aud_missing"),
            ("null", json!({ "aud": null }), "aud_malformed"),
            ("a number", json!({ "aud": 1 }), "aud_malformed"),
            ("a bool", json!({ "aud": true }), "aud_malformed"),
            ("an object", json!({ "aud": { CANONICAL: true } }), "aud_malformed"),
            ("an array with a number", json!({ "aud": [CANONICAL, 1] }), "aud_malformed"),
            ("an array with null", json!({ "aud": [null, CANONICAL] }), "aud_malformed"),
            ("an array in an array", json!({ "aud": [[CANONICAL]] }), "aud_malformed"),
            ("an empty array", json!({ "aud": [] }), "aud_mismatch"),
            ("empty", json!({ "aud": "" }), "aud_mismatch"),
            ("a slash", json!({ "aud": "/" }), "aud_mismatch"),
            ("another", json!({ "aud": "https://other.example/mcp" }), "aud_mismatch"),
            ("others", json!({ "aud": ["a", "b"] }), "aud_mismatch"),
            ("the origin of it", json!({ "aud": "https://mcp.example.com" }), "aud_mismatch"),
            ("a path below it", json!({ "aud": format!("{CANONICAL}/x") }), "aud_mismatch"),
            ("a longer name", json!({ "aud": format!("{CANONICAL}x") }), "aud_mismatch"),
            ("two slashes more", json!({ "aud": format!("{CANONICAL}//") }), "aud_mismatch"),
            ("in capitals", json!({ "aud": CANONICAL.to_ascii_uppercase() }), "aud_mismatch"),
            ("with a space", json!({ "aud": format!("{CANONICAL} ") }), "aud_mismatch"),
            ("two in one string", json!({ "aud": format!("{CANONICAL} x") }), "aud_mismatch"),
            ("it", json!({ "aud": CANONICAL }), "accepted"),
            ("it, with a slash", json!({ "aud": slash }), "accepted"),
            ("it alone in an array", json!({ "aud": [CANONICAL] }), "accepted"),
            ("it last in an array", json!({ "aud": ["a", "b", CANONICAL] }), "accepted"),
            ("it in an array, with a slash", json!({ "aud": ["a", slash] }), "accepted"),
        ]
    };
    expect(&json!({}), rows());
    // The same holds where the expected value is the one with the slash.
    expect(&json!({ "expected_audiences": [slash] }), rows());
    expect(
        &json!({ "expected_audiences": ["api://one", "api://two"] }),
        vec![
            ("the first of two", json!({ "aud": "api://one" }), "accepted"),
            ("the second of two", json!({ "aud": ["x", "api://two"] }), "accepted"),
            ("the canonical URL, which is not listed", json!({ "aud": CANONICAL }), "aud_mismatch"),
        ],
    );
}

#[test]
fn sub_and_cnf() {
    expect(
        &json!({}),
        vec![
            ("sub absent", json!({ "sub": "<absent>" }), "sub_missing"),
            ("sub empty", json!({ "sub": "" }), "sub_missing"),
            ("sub null", json!({ "sub": null }), "sub_not_string"),
            ("sub a number", json!({ "sub": 42 }), "sub_not_string"),
            ("sub a bool", json!({ "sub": false }), "sub_not_string"),
            ("sub an array", json!({ "sub": ["user-1"] }), "sub_not_string"),
            ("sub an object", json!({ "sub": { "id": "user-1" } }), "sub_not_string"),
            ("sub of any text", json!({ "sub": " Ünal\n\u{0}" }), "accepted"),
            ("cnf of DPoP", json!({ "cnf": { "jkt": "abc" } }), "token_bound"),
            ("cnf of mutual TLS", json!({ "cnf": { "x5t#S256": "abc" } }), "token_bound"),
            ("cnf null", json!({ "cnf": null }), "token_bound"),
            ("cnf empty", json!({ "cnf": {} }), "token_bound"),
        ],
    );
    // No switch turns these off.
    let off = json!({ "verify_exp": false, "verify_iat": false, "verify_nbf": false, "verify_iss": false });
    expect(
        &options(off),
        vec![
            ("aud absent", json!({ "aud": "<absent>" }), "aud_missing"),
            ("aud another", json!({ "aud": "x" }), "aud_mismatch"),
            ("sub absent", json!({ "sub": "<absent>" }), "sub_missing"),
            ("cnf", json!({ "cnf": {} }), "token_bound"),
        ],
    );
}

#[test]
fn the_first_check_that_fails_is_told() {
    // Each row has what the row before it had and one fault fewer: the order is exp, nbf, iat, aud,
    // sub, cnf.
    let faults = [
        ("exp", json!(0), "token_expired"),
        ("nbf", json!(NOW + 999), "token_not_yet_valid"),
        ("iat", json!(NOW + 999), "iat_in_future"),
        ("aud", json!("x"), "aud_mismatch"),
        ("sub", json!(""), "sub_missing"),
        ("cnf", json!({}), "token_bound"),
    ];
    let rows = (0..faults.len()).map(|from| {
        let changes: Value = faults[from..].iter().map(|(n, v, _)| ((*n).to_owned(), v.clone())).collect();
        (faults[from].0, changes, faults[from].2)
    });
    expect(&json!({}), rows.collect());
}

#[test]
fn the_rules_issuer_is_compared_even_where_it_picked_the_entry() {
    let rules = Rules::strict(ISSUER.to_owned(), vec![CANONICAL.to_owned()]);
    let rows: Vec<(&str, Value, Option<Refusal>)> = vec![
        ("the issuer", json!({}), None),
        ("another", json!({ "iss": "https://evil.example" }), Some(Refusal::IssMismatch)),
        ("with a slash", json!({ "iss": format!("{ISSUER}/") }), Some(Refusal::IssMismatch)),
        ("in capitals", json!({ "iss": ISSUER.to_ascii_uppercase() }), Some(Refusal::IssMismatch)),
        ("absent", json!({ "iss": "<absent>" }), Some(Refusal::IssMismatch)),
        ("null", json!({ "iss": null }), Some(Refusal::IssMismatch)),
        ("an array", json!({ "iss": [ISSUER] }), Some(Refusal::IssMismatch)),
        ("before aud", json!({ "iss": "x", "aud": "x" }), Some(Refusal::IssMismatch)),
        ("after iat", json!({ "iss": "x", "iat": NOW + 999 }), Some(Refusal::IatInFuture)),
    ];
    for_each_row(rows, |(name, changes, expected)| {
        let claims = object(&with(claims(), changes.clone()));
        same(name, validate(&claims, &rules, NOW).err(), *expected)
    });
    let unverified = Rules { verify_iss: false, ..rules };
    assert!(validate(&object(&with(claims(), json!({ "iss": "x" }))), &unverified, NOW).is_ok());
}

#[test]
fn demands_and_clients() {
    let strict = || Rules::strict(ISSUER.to_owned(), vec![CANONICAL.to_owned()]);
    let refusal =
        |rules: &Rules, changes: Value| validate(&object(&with(claims(), changes)), rules, NOW).err();
    // Where nothing stands for `aud`, it is demanded.
    let nobody = Rules { audience_in: AudienceIn::AudElseClient, ..strict() };
    assert_eq!(refusal(&nobody, json!({ "aud": "<absent>", "client_id": "a" })), Some(Refusal::AudMissing));
    assert_eq!(refusal(&nobody, json!({})), None);
    // All demands are to be met.
    let demands = vec![Demand::Is("use", "access".to_owned()), Demand::AnyOf(&["a", "b"])];
    let both = Rules { demands, ..strict() };
    let rows = [
        ("both", json!({ "use": "access", "b": "x" }), None),
        ("the first only", json!({ "use": "access" }), Some(Refusal::ClaimMismatch)),
        ("the second only", json!({ "a": "x" }), Some(Refusal::ClaimMismatch)),
        ("the first otherwise", json!({ "use": "accessx", "a": "x" }), Some(Refusal::ClaimMismatch)),
        ("nothing in the second", json!({ "use": "access", "a": {}, "b": [] }), Some(Refusal::ClaimMismatch)),
        (
            "no text in the second",
            json!({ "use": "access", "a": 1, "b": true }),
            Some(Refusal::ClaimMismatch),
        ),
        ("before sub", json!({ "sub": "" }), Some(Refusal::ClaimMismatch)),
    ];
    for_each_row(rows, |(name, changes, expected)| same(name, refusal(&both, changes.clone()), *expected));
    let client = Rules { clients: vec!["app-1".to_owned()], ..both };
    let rows = [
        ("it", "app-1", None),
        ("a shorter one", "app", Some(Refusal::ClientMismatch)),
        ("a longer one", "app-12", Some(Refusal::ClientMismatch)),
        ("in capitals", "APP-1", Some(Refusal::ClientMismatch)),
        ("with a space", "app-1 ", Some(Refusal::ClientMismatch)),
    ];
    for_each_row(rows, |(name, client_id, expected)| {
        same(name, refusal(&client, json!({ "client_id": client_id, "use": "access", "a": "x" })), *expected)
    });
}
