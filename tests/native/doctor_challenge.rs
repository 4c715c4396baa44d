//! How the doctor reads a challenge: as the strictest client does, so that what it passes every
//! client can read.

use cli::doctor::challenge;
use mcp_edge_auth::refusal::{Detail, Refusal};

use crate::support::{
    self, config, entry, for_each_row, resource, same, settings, single_issuer_settings, with, with_entries,
};

#[test]
fn rows() {
    let rows: Vec<(&str, Result<usize, &str>)> = vec![
        ("Bearer", Ok(0)),
        (r#"Bearer realm="x""#, Ok(1)),
        (r#"Bearer resource_metadata="https://a.example/x?y=1", error="invalid_token""#, Ok(2)),
        (r#"Bearer a="", b=" ""#, Ok(2)),
        ("", Err("scheme")),
        (r#"bearer realm="x""#, Err("scheme")),
        (r#"Basic realm="x""#, Err("scheme")),
        (r#"Bearerrealm="x""#, Err("single space")),
        ("Bearer ", Err("no parameter")),
        ("Bearer abc", Err("no parameter")),
        (r#"Bearer  realm="x""#, Err("no parameter name")),
        (r#"Bearer ="x""#, Err("no parameter name")),
        (r#"Bearer a b="x""#, Err("no parameter name")),
        ("Bearer realm=x", Err("not in quotes")),
        ("Bearer realm='x'", Err("not in quotes")),
        (r#"Bearer realm="x"#, Err("closing quote")),
        (r#"Bearer realm="a\"b""#, Err("a character")),
        ("Bearer realm=\"ä\"", Err("a character")),
        ("Bearer realm=\"a\tb\"", Err("a character")),
        (r#"Bearer realm="x",error="y""#, Err("comma and space")),
        (r#"Bearer realm="x" error="y""#, Err("comma and space")),
        (r#"Bearer realm="x"; error="y""#, Err("comma and space")),
        (r#"Bearer realm="x", "#, Err("no parameter")),
        (r#"Bearer realm="x", Realm="y""#, Err("twice")),
        (r#"Bearer realm="x", Basic realm="y""#, Err("no parameter name")),
        (r#"Bearer a="1", DPoP b="2", algs="ES256""#, Ok(3)),
        (r#"DPoP a="1", algs="ES256""#, Ok(2)),
        (r#"Bearer, DPoP algs="ES256""#, Ok(1)),
        (r#"Bearer a="1", DPoP a="2""#, Err("twice")),
        (r#"DPoP a="1", Bearer b="2""#, Err("no parameter name")),
        (r#"Bearer a="1", DPoP b="2", DPoP c="3""#, Err("no parameter name")),
        (r#"Bearer a="1", DPoP"#, Err("no parameter")),
        (r#"dpop a="1""#, Err("scheme")),
    ];
    for_each_row(rows, |(line, expected)| match (challenge::parse(line), expected) {
        (Ok(parameters), Ok(count)) => same(line, parameters.len(), *count),
        (Err(why), Err(word)) => same(line, why.contains(word), true).map_err(|e| format!("{e}: {why}")),
        (found, expected) => Err(format!("{line}: expected {expected:?}, found {found:?}")),
    });
    assert_eq!(challenge::parse(r#"Bearer a="1", b="2""#), Ok(vec![("a", "1"), ("b", "2")]));
}

#[test]
fn the_workers_own_pass() {
    let scopes = serde_json::json!({ support::CHALLENGE_SCOPES: ["a", "b"] });
    let by_dpop =
        |dpop| with_entries(serde_json::json!([with(entry(), serde_json::json!({ "dpop": dpop }))]));
    for settings in [
        settings(),
        with(settings(), scopes),
        single_issuer_settings(),
        by_dpop("accept"),
        by_dpop("require"),
    ] {
        let config = config(&settings);
        for refusal in [
            Refusal::CredentialsMissing,
            Refusal::TokenExpired,
            Refusal::AudMismatch,
            Refusal::ScopeInsufficient,
        ] {
            let answer = refusal.answer(Some(&resource(&config).challenges), &Detail::default());
            let line = answer.header("WWW-Authenticate").unwrap();
            assert!(challenge::parse(line).is_ok(), "{line}");
        }
    }
}
