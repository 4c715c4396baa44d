//! Challenges where tokens may be sent by DPoP: what a client's parser finds, and in which order.

use mcp_edge_auth::refusal::{Detail, Refusal};
use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::{CHALLENGE_SCOPES, config, entry, for_each_row, resource, same, with, with_entries};

/// `dpop`: of each entry. One of them has a list of algorithms, to keep the lines short.
fn at(dpop: &[&str]) -> Config {
    let entries: Vec<Value> = dpop
        .iter()
        .enumerate()
        .map(|(n, dpop)| {
            let issuer = format!("https://issuer-{n}.example");
            let algorithms = if *dpop == "off" { json!("<absent>") } else { json!(["ES256", "EdDSA"]) };
            with(
                entry(),
                json!({ "authorization_server_url": issuer, "dpop": dpop, "dpop_algorithms": algorithms }),
            )
        })
        .collect();
    config(&with(with_entries(json!(entries)), json!({ CHALLENGE_SCOPES: ["a", "b"] })))
}

const METADATA: &str =
    r#"resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#;

fn line(config: &Config, refusal: Refusal, by_dpop: bool) -> String {
    let scopes = if refusal == Refusal::ScopeInsufficient { vec!["c".to_owned()] } else { Vec::new() };
    let detail = Detail { by_dpop, scopes, ..Detail::default() };
    let answer = refusal.answer(Some(&resource(config).challenges), &detail);
    answer.header("WWW-Authenticate").unwrap().replace(METADATA, "META")
}

#[test]
fn lines() {
    const ALGS: &str = r#"algs="ES256 EdDSA""#;
    let rows = [
        ("accept", Refusal::CredentialsMissing, false, r#"Bearer META, scope="a b", DPoP ALGS"#),
        ("accept", Refusal::CredentialsMalformed, true, r#"Bearer META, scope="a b", DPoP ALGS"#),
        (
            "accept",
            Refusal::TokenExpired,
            false,
            r#"Bearer META, error="invalid_token", scope="a b", error_description="The access token expired", DPoP ALGS"#,
        ),
        (
            "accept",
            Refusal::TokenExpired,
            true,
            r#"Bearer META, DPoP error="invalid_token", scope="a b", ALGS, error_description="The access token expired""#,
        ),
        (
            "accept",
            Refusal::ProofAddress,
            true,
            r#"Bearer META, DPoP error="invalid_dpop_proof", scope="a b", ALGS, error_description="The DPoP proof is for another request""#,
        ),
        (
            "accept",
            Refusal::ProofNonce,
            true,
            r#"Bearer META, DPoP error="use_dpop_nonce", scope="a b", ALGS"#,
        ),
        (
            "accept",
            Refusal::ScopeInsufficient,
            false,
            r#"Bearer META, error="insufficient_scope", scope="c", DPoP ALGS"#,
        ),
        (
            "accept",
            Refusal::ScopeInsufficient,
            true,
            r#"Bearer META, DPoP error="insufficient_scope", scope="c", ALGS"#,
        ),
        ("require", Refusal::CredentialsMissing, false, r#"DPoP META, scope="a b", ALGS"#),
        ("require", Refusal::SchemeNotBearer, false, r#"DPoP META, scope="a b", ALGS"#),
        (
            "require",
            Refusal::DpopRequired,
            false,
            r#"DPoP META, error="invalid_token", scope="a b", ALGS, error_description="The access token has to be sent by DPoP with a proof by its key""#,
        ),
        (
            "require",
            Refusal::ProofMissing,
            true,
            r#"DPoP META, error="invalid_dpop_proof", scope="a b", ALGS, error_description="There is no DPoP proof""#,
        ),
        ("require", Refusal::ProofNonce, true, r#"DPoP META, error="use_dpop_nonce", scope="a b", ALGS"#),
        (
            "require",
            Refusal::ScopeInsufficient,
            true,
            r#"DPoP META, error="insufficient_scope", scope="c", ALGS"#,
        ),
        ("off", Refusal::CredentialsMissing, false, r#"Bearer META, scope="a b""#),
        ("off", Refusal::DpopNotAccepted, true, r#"Bearer META, scope="a b""#),
    ];
    for_each_row(rows, |(dpop, refusal, by_dpop, expected)| {
        let line = line(&at(&[dpop]), *refusal, *by_dpop).replace(ALGS, "ALGS");
        same(&format!("{dpop} {refusal:?} {by_dpop}"), line.as_str(), *expected)
    });
}

/// Where entries differ, all ways are offered that one of them has.
#[test]
fn entries_that_differ() {
    let rows: [(&[&str], &str); 5] = [
        (&["off", "off"], "Bearer"),
        (&["off", "require"], "Bearer, DPoP"),
        (&["require", "accept"], "Bearer, DPoP"),
        (&["accept", "off"], "Bearer, DPoP"),
        (&["require", "require"], "DPoP"),
    ];
    for_each_row(rows, |(dpop, schemes)| {
        let config = at(dpop);
        let line = line(&config, Refusal::CredentialsMissing, false);
        let found: Vec<&str> =
            line.split(", ").filter_map(|part| part.split_once(' ')).map(|(s, _)| s).collect();
        same(
            &format!("{dpop:?}"),
            found.into_iter().filter(|s| !s.contains('=')).collect::<Vec<_>>().join(", "),
            (*schemes).to_owned(),
        )?;
        let document: Value = serde_json::from_str(resource(&config).metadata.as_deref().unwrap()).unwrap();
        let algorithms = &document["dpop_signing_alg_values_supported"];
        same("algorithms", algorithms.as_array().map(Vec::len), schemes.contains("DPoP").then_some(2))?;
        let required = document.get("dpop_bound_access_tokens_required");
        same("required", required, (*schemes == "DPoP").then_some(&json!(true)))
    });
}

/// The nonce is in a header, whatever is wrong.
#[test]
fn a_nonce_is_told_in_its_header() {
    for refusal in [Refusal::ProofNonce, Refusal::ScopeInsufficient] {
        let detail = Detail { nonce: Some("n".to_owned()), ..Detail::default() };
        assert_eq!(refusal.answer(None, &detail).header("DPoP-Nonce"), Some("n"));
        assert_eq!(refusal.answer(None, &Detail::default()).header("DPoP-Nonce"), None);
    }
}

/// Without anything to say beside the scheme, it stands alone.
#[test]
fn bare_schemes() {
    let hidden = with(
        entry(),
        json!({ "issuer": "https://a.example", "for_clients": false, "authorization_server_url": "<absent>", "dpop": "accept", "dpop_algorithms": ["ES256"] }),
    );
    let config = config(&with_entries(json!([hidden])));
    assert_eq!(line(&config, Refusal::CredentialsMissing, false), r#"Bearer, DPoP algs="ES256""#);
}
