//! Issuer and key set belong together; of several entries the first that accepts wins, and
//! otherwise the most specific refusal is told.

use std::rc::Rc;

use mcp_edge_auth::keys::cache::Need;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::refusal::Detail;
use serde_json::{Value, json};

use crate::support::engine::{KeysAnswer, Run, run};
use crate::support::es256::{Es256, key_set, stranger, trusted};
use crate::support::{
    self, ISSUER, NOW, claims, config, entry, for_each_row, resource, same, with, with_entries,
};

const OTHER: &str = "https://login.other.example";

/// An entry of another issuer, with keys of its own.
fn other_entry() -> Value {
    json!({ "authorization_server_url": OTHER, "jwks_uri": "https://login.other.example/jwks", "algorithm": "ES256" })
}

fn verify(entries: &Value, token: &str, keys: impl FnMut(usize, Need) -> KeysAnswer) -> Run {
    let config = config(&with_entries(entries.clone()));
    run(resource(&config), token, NOW, keys)
}

/// Key sets by source; a source without one has none to be had for 7 seconds.
fn sets(sets: Vec<Option<Rc<KeySet>>>) -> impl FnMut(usize, Need) -> KeysAnswer {
    move |source, _| sets[source].clone().ok_or(7)
}

fn token_of(key: &Es256, issuer: &str) -> String {
    key.with_claims(&with(claims(), json!({ "iss": issuer })))
}

#[test]
fn each_issuer_vouches_with_its_own_keys() {
    // Both issuers use the same `kid`, as two tenants of one product do.
    let entries = json!([entry(), other_entry()]);
    let both = || sets(vec![Some(trusted().key_set()), Some(stranger().key_set())]);
    let rows = [
        ("the first's own token", token_of(&trusted(), ISSUER), "accepted", vec![0]),
        ("the second's own token", token_of(&stranger(), OTHER), "accepted", vec![1]),
        (
            "the second's key under the first's name",
            token_of(&stranger(), ISSUER),
            "signature_invalid",
            vec![0],
        ),
        (
            "the first's key under the second's name",
            token_of(&trusted(), OTHER),
            "signature_invalid",
            vec![1],
        ),
        ("nobody's name", token_of(&trusted(), "https://evil.example"), "issuer_untrusted", vec![]),
    ];
    for_each_row(rows, |(name, token, reason, asked)| {
        let run = verify(&entries, token, both());
        same(name, run.reason(), *reason)?;
        // A key set of another issuer is not even asked for.
        same(name, &run.asked.iter().map(|(source, _)| *source).collect(), asked)
    });
    let run = verify(&entries, &token_of(&stranger(), OTHER), both());
    assert_eq!(run.header("X-MCP-Auth-Issuer"), Some(OTHER));
    assert_eq!(run.issuer.as_deref(), Some(OTHER));
}

#[test]
fn a_regional_pair_shares_its_keys() {
    let region = |name: &str, audience: &str| {
        with(
            entry(),
            json!({
                "authorization_server_url": format!("https://{name}.example.com"), "issuer": ISSUER, "expected_audiences": [audience],
            }),
        )
    };
    let entries = json!([region("eu", "api://eu"), region("us", "api://us")]);
    let with_aud = |aud: &str| trusted().with_claims(&with(claims(), json!({ "aud": aud })));
    let set = || sets(vec![Some(trusted().key_set())]);
    let rows = [
        ("the first region's", "api://eu", "accepted", 1),
        ("the second region's", "api://us", "accepted", 2),
        ("no region's", "api://asia", "aud_mismatch", 2),
    ];
    for_each_row(rows, |(name, aud, reason, checks)| {
        let run = verify(&entries, &with_aud(aud), set());
        same(name, (run.reason(), run.checks), (*reason, *checks))
    });
}

#[test]
fn the_first_entry_that_accepts_wins() {
    // One issuer, one key set, two entries: which one accepted shows in what it demanded.
    let lenient = |leeway: u64| with(entry(), json!({ "validation_options": { "leeway": leeway } }));
    let late = trusted().with_claims(&with(claims(), json!({ "exp": NOW - 100 })));
    let set = || sets(vec![Some(trusted().key_set())]);
    let rows = [
        ("strict, then lenient", json!([lenient(0), lenient(300)]), "accepted", 2),
        ("lenient, then strict", json!([lenient(300), lenient(0)]), "accepted", 1),
        ("strict twice", json!([lenient(0), lenient(1)]), "token_expired", 2),
    ];
    for_each_row(rows, |(name, entries, reason, checks)| {
        let run = verify(entries, &late, set());
        same(name, (run.reason(), run.checks), (*reason, *checks))
    });
}

#[test]
fn entries_that_do_not_verify_iss_are_tried_as_well() {
    let open = |e: Value| with(e, json!({ "validation_options": { "verify_iss": false } }));
    let both = || sets(vec![Some(trusted().key_set()), Some(stranger().key_set())]);
    let evil = "https://evil.example";
    let rows = [
        (
            "no entry is open",
            json!([entry(), other_entry()]),
            token_of(&stranger(), evil),
            "issuer_untrusted",
            None,
        ),
        (
            "the second is open",
            json!([entry(), open(other_entry())]),
            token_of(&stranger(), evil),
            "accepted",
            Some(OTHER),
        ),
        (
            "the first is open",
            json!([open(entry()), other_entry()]),
            token_of(&trusted(), evil),
            "accepted",
            Some(ISSUER),
        ),
        (
            "open, and not its key",
            json!([open(entry()), other_entry()]),
            token_of(&stranger(), evil),
            "signature_invalid",
            None,
        ),
        (
            "named first, open second",
            json!([entry(), open(other_entry())]),
            token_of(&stranger(), ISSUER),
            "accepted",
            Some(OTHER),
        ),
        (
            "open first, named second",
            json!([open(entry()), other_entry()]),
            token_of(&stranger(), OTHER),
            "accepted",
            Some(OTHER),
        ),
    ];
    for_each_row(rows, |(name, entries, token, reason, issuer)| {
        let run = verify(entries, token, both());
        same(name, (run.reason(), run.header("X-MCP-Auth-Issuer")), (*reason, *issuer))
    });
}

/// The first entry as it is, and a second one of the same issuer with another source, so that each
/// gives its own refusal.
fn two(second_algorithm: &str) -> Value {
    let open = json!({ "algorithm": second_algorithm, "validation_options": { "verify_iss": false } });
    json!([entry(), with(other_entry(), open)])
}

#[test]
fn the_most_specific_refusal_is_told() {
    let good = trusted().key_set();
    let empty_handed = key_set(&[with(stranger().jwk(), json!({ "kid": "another" }))]);
    let wrong_key = stranger().key_set();
    let unfit = key_set(&[with(trusted().jwk(), json!({ "alg": "ES384" }))]);
    let expired = json!({ "exp": 1 });
    let other_aud = json!({ "aud": "x" });
    let sound = json!({});
    let some = |set: &Rc<KeySet>| Some(Rc::clone(set));
    // What the first source holds, what the second one holds, what is wrong with the claims, and
    // what is told, either way round.
    let rows = vec![
        ("kid unknown, and key unfit", some(&empty_handed), some(&unfit), &sound, "key_unfit"),
        (
            "kid unknown, and wrong signature",
            some(&empty_handed),
            some(&wrong_key),
            &sound,
            "signature_invalid",
        ),
        ("key unfit, and wrong signature", some(&unfit), some(&wrong_key), &sound, "signature_invalid"),
        ("wrong signature, and expired", some(&wrong_key), some(&good), &expired, "token_expired"),
        ("kid unknown, and another audience", some(&empty_handed), some(&good), &other_aud, "aud_mismatch"),
        // Without the keys of one entry, another one's "no" is final only if its own keys had
        // vouched for the token.
        ("no keys, and kid unknown", None, some(&empty_handed), &sound, "keys_unavailable"),
        ("no keys, and wrong signature", None, some(&wrong_key), &sound, "keys_unavailable"),
        ("no keys, and expired", None, some(&good), &expired, "token_expired"),
        ("no keys, and another audience", None, some(&good), &other_aud, "aud_mismatch"),
        ("no keys, and accepted", None, some(&good), &sound, "accepted"),
        ("no keys at all", None, None, &sound, "keys_unavailable"),
    ];
    for_each_row(rows, |(name, first, second, changes, reason)| {
        let token = trusted().with_claims(&with(claims(), (*changes).clone()));
        let run = verify(&two("ES256"), &token, sets(vec![first.clone(), second.clone()]));
        same(name, run.reason(), *reason)?;
        let run = verify(&two("ES256"), &token, sets(vec![second.clone(), first.clone()]));
        same(name, run.reason(), *reason)
    });
}

#[test]
fn an_algorithm_that_one_entry_does_not_allow() {
    let good = trusted().good();
    let set = || sets(vec![Some(trusted().key_set()), Some(trusted().key_set())]);
    let rows = [
        ("the second does not", json!([entry(), two("RS256")[1]]), "accepted"),
        (
            "the first does not",
            json!([with(entry(), json!({ "algorithm": "RS256" })), two("ES256")[1]]),
            "accepted",
        ),
        (
            "neither does",
            json!([with(entry(), json!({ "algorithm": "RS256" })), two("PS256")[1]]),
            "alg_not_allowed",
        ),
    ];
    for_each_row(rows, |(name, entries, reason)| same(name, verify(entries, &good, set()).reason(), *reason));
    // The entry that allows it may have said more, whichever comes first.
    let late = trusted().with_claims(&with(claims(), json!({ "exp": 1 })));
    assert_eq!(verify(&json!([entry(), two("RS256")[1]]), &late, set()).reason(), "token_expired");
    let open_first = json!([with(entry(), json!({ "algorithm": "RS256" })), two("ES256")[1]]);
    assert_eq!(verify(&open_first, &late, set()).reason(), "token_expired");
    // No key set is asked for in vain.
    let run = verify(&json!([with(entry(), json!({ "algorithm": "RS256" }))]), &good, set());
    assert_eq!(run.asked, vec![]);
}

#[test]
fn keys_that_cannot_be_had() {
    let unavailable = |token: &str, keys: &dyn Fn(usize, Need) -> KeysAnswer| {
        let run = verify(&json!([entry()]), token, keys);
        let retry_after = run
            .verdict
            .as_ref()
            .err()
            .and_then(|r| r.answer(None, &Detail::default()).header("Retry-After").map(str::to_owned));
        (run.reason(), retry_after)
    };
    let good = trusted().good();
    assert_eq!(unavailable(&good, &|_, _| Err(12)), ("keys_unavailable", Some("12".to_owned())));
    // The set is there, the token's key is not, and the issuer does not answer: that is no verdict
    // on the token.
    let old = |_, need| {
        if need == Need::Any {
            Ok(key_set(&[with(stranger().jwk(), json!({ "kid": "old" }))]))
        } else {
            Err(3)
        }
    };
    assert_eq!(unavailable(&good, &old), ("keys_unavailable", Some("3".to_owned())));
    // What is wrong with the token itself is told without any key.
    let foreign = token_of(&trusted(), "https://evil.example");
    assert_eq!(unavailable(&foreign, &|_, _| Err(12)), ("issuer_untrusted", None));
}

#[test]
fn the_single_issuer_form_verifies_too() {
    let names = json!({ "MCP_SERVER_AUTH_ISSUER": [ISSUER, OTHER], "MCP_SERVER_AUTH_ALGORITHM": "ES256" });
    let settings = with(support::single_issuer_settings(), names);
    let config = config(&settings);
    let rows = [(ISSUER, "accepted"), (OTHER, "accepted"), ("https://evil.example", "issuer_untrusted")];
    for_each_row(rows, |(issuer, reason)| {
        let run = run(resource(&config), &token_of(&trusted(), issuer), NOW, |_, _| Ok(trusted().key_set()));
        same(issuer, run.reason(), *reason)
    });
    let elsewhere = trusted().with_claims(&with(claims(), json!({ "aud": "x" })));
    assert_eq!(
        run(resource(&config), &elsewhere, NOW, |_, _| Ok(trusted().key_set())).reason(),
        "aud_mismatch"
    );
}
