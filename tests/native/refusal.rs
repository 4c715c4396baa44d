//! Every refusal: its status, its challenge, its body, its headers, and what the log calls it.

use std::collections::BTreeSet;

use mcp_edge_auth::http::response::LocalResponse;
use mcp_edge_auth::refusal::{Challenge, Challenges, Detail, Refusal};
use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::{
    self, assert_golden, config, for_each_row, resource, same, settings, single_issuer_settings, with,
};

/// Reason, refusal, status, `error` of the body, and the golden file of the challenge, if there is
/// one.
type Row = (&'static str, Refusal, u16, &'static str, Option<&'static str>);

fn rows() -> Vec<Row> {
    use Refusal::*;
    let entry = |reason, refusal| (reason, refusal, 401, "unauthorized", Some("entry"));
    let token = |reason, refusal, challenge| (reason, refusal, 401, "invalid_token", Some(challenge));
    let proof = |reason, refusal, challenge| (reason, refusal, 401, "invalid_dpop_proof", Some(challenge));
    let rpc = |reason, refusal, status, error| (reason, refusal, status, error, None);
    vec![
        ("server_misconfigured", Misconfigured, 503, "server_misconfigured", None),
        ("not_found", NotFound, 404, "not_found", None),
        ("method_not_allowed", MethodNotAllowed("GET, HEAD"), 405, "method_not_allowed", None),
        ("origin_not_allowed", OriginNotAllowed, 403, "origin_not_allowed", None),
        entry("credentials_missing", CredentialsMissing),
        entry("access_assertion_missing", AccessAssertionMissing),
        entry("scheme_not_bearer", SchemeNotBearer),
        entry("token_empty", TokenEmpty),
        entry("credentials_malformed", CredentialsMalformed),
        token("token_too_large", TokenTooLarge, "malformed"),
        token("token_parts", TokenParts, "malformed"),
        token("token_encoding", TokenEncoding, "malformed"),
        token("token_json", TokenJson, "malformed"),
        token("header_member_type", HeaderMemberType, "malformed"),
        token("alg_missing", AlgMissing, "malformed"),
        token("crit_present", CritPresent, "invalid"),
        token("issuer_untrusted", IssuerUntrusted, "untrusted"),
        token("typ_not_allowed", TypNotAllowed, "invalid"),
        token("alg_not_allowed", AlgNotAllowed, "invalid"),
        token("kid_unknown", KidUnknown, "invalid"),
        token("key_unfit", KeyUnfit, "invalid"),
        token("key_ambiguous", KeyAmbiguous, "invalid"),
        token("signature_invalid", SignatureInvalid, "invalid"),
        ("keys_unavailable", KeysUnavailable(12), 503, "temporarily_unavailable", None),
        token("exp_missing", ExpMissing, "invalid"),
        token("exp_not_number", ExpNotNumber, "invalid"),
        token("token_expired", TokenExpired, "expired"),
        token("nbf_not_number", NbfNotNumber, "invalid"),
        token("token_not_yet_valid", TokenNotYetValid, "invalid"),
        token("iat_not_number", IatNotNumber, "invalid"),
        token("iat_in_future", IatInFuture, "invalid"),
        token("iss_mismatch", IssMismatch, "untrusted"),
        token("aud_missing", AudMissing, "audience"),
        token("aud_malformed", AudMalformed, "audience"),
        token("aud_mismatch", AudMismatch, "audience"),
        token("client_missing", ClientMissing, "audience"),
        token("client_mismatch", ClientMismatch, "audience"),
        token("claim_mismatch", ClaimMismatch, "invalid"),
        token("sub_missing", SubMissing, "invalid"),
        token("sub_not_string", SubNotString, "invalid"),
        ("introspection_unavailable", IntrospectionUnavailable(5), 503, "temporarily_unavailable", None),
        token("token_inactive", TokenInactive, "invalid"),
        token("token_type_not_allowed", TokenTypeNotAllowed, "invalid"),
        token("token_bound", TokenBound, "invalid"),
        entry("dpop_not_accepted", DpopNotAccepted),
        token("dpop_required", DpopRequired, "dpop-wanted"),
        token("key_unbound", KeyUnbound, "dpop-wanted"),
        proof("proof_missing", ProofMissing, "proof-missing"),
        proof("proof_malformed", ProofMalformed, "proof-invalid"),
        proof("proof_typ", ProofTyp, "proof-invalid"),
        proof("proof_alg", ProofAlg, "proof-invalid"),
        proof("proof_key", ProofKey, "proof-invalid"),
        proof("proof_jti", ProofJti, "proof-invalid"),
        proof("proof_htm", ProofMethod, "proof-elsewhere"),
        proof("proof_htu", ProofAddress, "proof-elsewhere"),
        proof("proof_iat", ProofTime, "proof-time"),
        proof("proof_ath", ProofToken, "proof-elsewhere"),
        ("proof_nonce", ProofNonce, 401, "use_dpop_nonce", Some("proof-nonce")),
        proof("proof_signature", ProofSignature, "proof-invalid"),
        token("proof_mismatch", ProofMismatch, "dpop-wanted"),
        proof("proof_replayed", ProofReplayed, "proof-replayed"),
        token("certificate_unbound", CertificateUnbound, "invalid"),
        token("certificate_missing", CertificateMissing, "invalid"),
        token("certificate_unverified", CertificateUnverified, "invalid"),
        token("certificate_mismatch", CertificateMismatch, "invalid"),
        token("token_revoked", TokenRevoked, "invalid"),
        ("revocations_unavailable", RevocationsUnavailable(4), 503, "temporarily_unavailable", None),
        rpc("body_too_large", BodyTooLarge, 413, "payload_too_large"),
        rpc("body_not_json", BodyNotJson, 415, "unsupported_media_type"),
        rpc("body_not_allowed", BodyNotAllowed, 400, "invalid_request"),
        rpc("body_encoded", BodyEncoded, 415, "unsupported_media_type"),
        rpc("body_malformed", BodyMalformed, 400, "parse_error"),
        rpc("message_invalid", MessageInvalid, 400, "invalid_request"),
        rpc("mirror_missing", MirrorMissing, 400, "header_mismatch"),
        rpc("mirror_mismatch", MirrorMismatch, 400, "header_mismatch"),
        rpc("upgrade_not_allowed", UpgradeNotAllowed, 403, "forbidden"),
        rpc("client_not_allowed", ClientNotAllowed, 403, "forbidden"),
        rpc("rule_denies", RuleDenies, 403, "forbidden"),
        rpc("claim_not_met", ClaimNotMet, 403, "forbidden"),
        rpc("argument_not_met", ArgumentNotMet, 403, "argument_not_met"),
        ("scope_insufficient", ScopeInsufficient, 403, "insufficient_scope", Some("scope")),
        ("decision_denied", DecisionDenied, 403, "decision_denied", None),
        ("decision_unavailable", DecisionUnavailable, 503, "temporarily_unavailable", None),
        ("rate_limited", RateLimited(10), 429, "rate_limited", None),
        rpc("session_malformed", SessionMalformed, 404, "session_not_found"),
        rpc("session_mismatch", SessionMismatch, 404, "session_not_found"),
        ("assertion_unsigned", AssertionUnsigned, 503, "temporarily_unavailable", None),
        ("session_unbindable", SessionUnbindable, 502, "bad_gateway", None),
        ("list_unreadable", ListUnreadable, 502, "bad_gateway", None),
        ("metadata_unavailable", MetadataUnavailable(3), 503, "temporarily_unavailable", None),
        ("origin_unreachable", OriginUnreachable, 502, "bad_gateway", None),
        ("origin_timeout", OriginTimeout, 504, "gateway_timeout", None),
        ("origin_unauthorized", OriginUnauthorized, 502, "bad_gateway", None),
    ]
}

/// The settings whose challenges have golden files, by the folder's name.
fn forms() -> [(&'static str, Config); 3] {
    let scopes = json!({ support::CHALLENGE_SCOPES: ["tools:read", "tools:write"] });
    [
        ("plain", config(&settings())),
        ("scopes", config(&with(settings(), scopes.clone()))),
        ("single-issuer", config(&single_issuer_settings())),
    ]
}

/// The answer to the request with id 7, for which these scopes would be enough.
fn answer(refusal: Refusal, challenges: Option<&Challenges>) -> LocalResponse {
    let scopes = ["tools:admin", "audit"].map(str::to_owned).to_vec();
    refusal.answer(challenges, &Detail { id: Some("7".to_owned()), scopes, ..Detail::default() })
}

fn body(refusal: Refusal) -> Value {
    serde_json::from_str(answer(refusal, None).body.as_deref().unwrap()).unwrap()
}

#[test]
fn every_row() {
    for_each_row(rows(), |&(reason, refusal, status, error, challenge)| {
        let row = refusal.row();
        same(reason, (row.reason, row.status, row.error), (reason, status, error))?;
        same(reason, row.challenge == Challenge::None, challenge.is_none())?;
        let answer = answer(refusal, None);
        same(reason, answer.status, status)?;
        let body = body(refusal);
        let (error_at, rpc) = match row.rpc {
            Some(rpc) => (&body["error"]["data"]["error"], Some((rpc.code.into(), json!("2.0"), json!(7)))),
            None => (&body["error"], None),
        };
        same(reason, error_at.as_str(), Some(error))?;
        same(
            reason,
            body["error"]["code"].as_i64().map(|c| (c, body["jsonrpc"].clone(), body["id"].clone())),
            rpc,
        )?;
        same(reason, answer.header("Cache-Control"), Some("no-store"))?;
        same(reason, answer.header("Content-Type"), Some("application/json"))
    });
}

/// The codes of JSON-RPC (section 5.1) and MCP; all others are the status.
#[test]
fn codes() {
    let reserved = [
        ("body_malformed", -32700),
        ("message_invalid", -32600),
        ("body_not_allowed", -32600),
        ("mirror_missing", -32020),
        ("mirror_mismatch", -32020),
        ("session_malformed", -32001),
        ("session_mismatch", -32001),
    ];
    for_each_row(rows(), |&(reason, refusal, status, ..)| {
        let Some(rpc) = refusal.row().rpc else { return Ok(()) };
        let code = reserved.iter().find(|(of, _)| *of == reason).map_or(status.into(), |(_, code)| *code);
        same(reason, rpc.code, code)
    });
}

#[test]
fn an_error_is_written_with_what_is_known() {
    let body = |refusal: Refusal, detail: &Detail| refusal.answer(None, detail).body.unwrap();
    let scopes = ["a:b", "c"].map(str::to_owned).to_vec();
    assert_eq!(
        body(
            Refusal::ScopeInsufficient,
            &Detail { id: Some("\"7\"".to_owned()), scopes, ..Detail::default() }
        ),
        r#"{"jsonrpc":"2.0","id":"7","error":{"code":403,"message":"Insufficient scope","data":{"error":"insufficient_scope","required_scopes":["a:b","c"]}}}"#
    );
    assert_eq!(
        body(Refusal::RateLimited(10), &Detail::default()),
        r#"{"jsonrpc":"2.0","error":{"code":429,"message":"Too many requests","data":{"error":"rate_limited"}}}"#
    );
}

#[test]
fn no_refusal_is_left_out_of_the_rows() {
    // The source of the enum says how many there are: a variant that is added without a row is
    // found here.
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/refusal.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let (_, body) = source.split_once("pub enum Refusal {\n").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let variants = body.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("//")).count();
    assert_eq!(rows().len(), variants);
    let reasons: BTreeSet<&str> = rows().iter().map(|row| row.0).collect();
    assert_eq!(reasons.len(), variants, "each refusal has a reason of its own");
}

/// The rows of docs/reasons.md: the reasons in the first cell, all cells, and the section that they
/// are in.
fn said_of_reasons() -> Vec<(Vec<&'static str>, Vec<&'static str>, &'static str)> {
    let sections = include_str!("../../docs/reasons.md").split("\n## ").skip(1);
    let rows = sections.flat_map(|section| {
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.map(move |row| (row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>(), section))
    });
    rows.map(|(cells, section)| (cells[0].split('`').skip(1).step_by(2).collect(), cells, section)).collect()
}

#[test]
fn the_page_says_of_each_what_a_client_gets_what_it_means_and_what_to_do() {
    let said = said_of_reasons();
    for_each_row(rows(), |&(reason, refusal, status, error, _)| {
        let of_it: Vec<_> = said.iter().filter(|(reasons, ..)| reasons.contains(&reason)).collect();
        let [(_, cells, section)] = of_it.as_slice() else { return Err(format!("{reason}: {of_it:?}")) };
        same(reason, cells.len(), 4)?;
        same(reason, cells.iter().all(|cell| !cell.is_empty()), true)?;
        same(reason, cells[1].split(", ").next(), Some(&*format!("{status} `{error}`")))?;
        let answer = answer(refusal, None);
        same(reason, cells[1].contains("`Retry-After`"), answer.header("Retry-After").is_some())?;
        same(reason, cells[1].contains("`Allow`"), answer.header("Allow").is_some())?;
        if let Challenge::InvalidToken(description) = refusal.row().challenge {
            same(reason, section.starts_with(&format!("\"{}\"\n", description.text())), true)?;
        }
        Ok(())
    });
    let known: BTreeSet<&str> = rows().iter().map(|row| row.0).collect();
    let named: BTreeSet<&str> = said.iter().flat_map(|(reasons, ..)| reasons.iter().copied()).collect();
    assert_eq!(named, known);
}

/// Those of DPoP, which no form has here, are in `refusal_dpop`.
#[test]
fn golden_challenges() {
    for (form, config) in forms() {
        let is_here = |row: &Row| {
            row.4.is_none_or(|file| {
                !["dpop", "proof"].contains(&&file[..file.find('-').unwrap_or(file.len())])
            })
        };
        for_each_row(rows().into_iter().filter(is_here), |&(reason, refusal, _, _, challenge)| {
            let answer = answer(refusal, Some(&resource(&config).challenges));
            match (answer.header("WWW-Authenticate"), challenge) {
                (Some(line), Some(file)) => assert_golden(&format!("challenge-{form}-{file}.txt"), line),
                (line, None) => same(reason, line, None)?,
                (None, Some(_)) => return Err(format!("{reason}: no challenge in the form {form}")),
            }
            Ok(())
        });
    }
}

#[test]
fn every_challenge_is_one_line_that_any_parser_takes() {
    for (form, config) in forms() {
        for_each_row(rows(), |&(reason, refusal, ..)| {
            let answer = answer(refusal, Some(&resource(&config).challenges));
            let Some(line) = answer.header("WWW-Authenticate") else { return Ok(()) };
            same(reason, answer.headers.iter().filter(|(n, _)| *n == "WWW-Authenticate").count(), 1)?;
            same(reason, line.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'\\'), true)?;
            let parameters =
                line.strip_prefix("Bearer").ok_or(format!("{reason}: another scheme"))?.trim_start();
            let mut names = Vec::new();
            for parameter in parameters.split(", ").filter(|p| !p.is_empty()) {
                let (name, value) = parameter.split_once('=').unwrap();
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                same(reason, value.is_some_and(|v| !v.contains('"')), true)?;
                names.push(name);
            }
            let distinct: BTreeSet<&&str> = names.iter().collect();
            same(&format!("{form} {reason}: once each"), distinct.len(), names.len())?;
            let error = refusal.row().error;
            same(reason, names.contains(&"error"), error != "unauthorized")?;
            let described = names.contains(&"error_description");
            same(reason, described, names.last() == Some(&"error_description"))?;
            same(reason, names.contains(&"resource_metadata"), form != "single-issuer")
        });
    }
}

#[test]
fn descriptions() {
    let expected = [
        ("malformed", "The access token is malformed"),
        ("untrusted", "The access token's issuer is not trusted"),
        ("expired", "The access token expired"),
        ("audience", "The access token is not for this resource"),
        ("invalid", "The access token is invalid"),
        ("dpop-wanted", "The access token has to be sent by DPoP with a proof by its key"),
        ("proof-missing", "There is no DPoP proof"),
        ("proof-invalid", "The DPoP proof is invalid"),
        ("proof-elsewhere", "The DPoP proof is for another request"),
        ("proof-time", "The DPoP proof is too old or from the future"),
        ("proof-replayed", "The DPoP proof was used before"),
    ];
    for_each_row(rows(), |&(reason, refusal, _, _, challenge)| {
        let text = expected.iter().find(|(name, _)| Some(*name) == challenge).map(|(_, text)| *text);
        same(reason, body(refusal)["error_description"].as_str(), text)?;
        let plain = |b: u8| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\';
        same(reason, text.unwrap_or_default().bytes().all(plain), true)
    });
}

#[test]
fn headers_of_their_own() {
    for_each_row(rows(), |&(reason, refusal, ..)| {
        let answer = answer(refusal, None);
        let retry_after = match reason {
            "keys_unavailable" => Some("12"),
            "introspection_unavailable" => Some("5"),
            "metadata_unavailable" => Some("3"),
            "revocations_unavailable" => Some("4"),
            "rate_limited" => Some("10"),
            _ => None,
        };
        same(reason, answer.header("Retry-After"), retry_after)?;
        same(reason, answer.header("Allow"), (reason == "method_not_allowed").then_some("GET, HEAD"))
    });
    // RFC 9110 section 10.2.3 allows 0, which would make clients hammer.
    assert_eq!(answer(Refusal::KeysUnavailable(0), None).header("Retry-After"), Some("1"));
}

#[test]
fn an_argument_is_named_by_its_path_in_json() {
    for path in ["options.mode", "a \"b\"\\", "größe\n\u{202e}"] {
        let detail = Detail { argument: Some(path.to_owned()), ..Detail::default() };
        let body = Refusal::ArgumentNotMet.answer(None, &detail).body.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["data"], json!({ "error": "argument_not_met", "argument": path }));
    }
}
