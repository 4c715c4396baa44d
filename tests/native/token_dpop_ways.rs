//! Who may send a token how: what an entry has of DPoP, what a token is bound to, and the scheme.
//! Replays and nonces as a request meets them.

use mcp_edge_auth::limits::DPOP_NONCE_SECONDS;
use mcp_edge_auth::token::credential::Scheme::{self, Bearer, Dpop};
use mcp_edge_auth::token::replays::Replays;
use serde_json::{Value, json};

use crate::support::es256::{stranger, trusted};
use crate::support::proofs::{Sent, bound_token, holder, jkt, proof, thief};
use crate::support::{NOW, claims, config, entry, for_each_row, resource, same, with, with_entries};

const NONCE_KEY: &str = "MCP_SERVER_AUTH_DPOP_NONCE_KEY";

fn at(members: Value) -> Value {
    with_entries(json!([with(entry(), members)]))
}

/// A token with this `cnf`, and a good proof beside it.
fn sent(scheme: Scheme, cnf: Option<Value>) -> Sent<'static> {
    let changes = json!({ "cnf": cnf.unwrap_or(json!("<absent>")) });
    let token = trusted().with_claims(&with(claims(), changes));
    let proof = Some(proof(&token, json!({})));
    Sent { scheme, token, proof, ..Sent::default() }
}

#[test]
fn schemes_and_bindings() {
    let key = || Some(json!({ "jkt": jkt(&holder()) }));
    let another = || Some(json!({ "jkt": jkt(&thief()) }));
    let certificate = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0";
    let both = || Some(json!({ "jkt": jkt(&holder()), "x5t#S256": certificate }));
    // `dpop`, the scheme, what the token is bound to; why not, and how often the proof was asked
    // for and its signature checked.
    let rows = [
        ("off", Bearer, None, "accepted", (0, 0)),
        ("off", Bearer, key(), "token_bound", (0, 0)),
        ("off", Dpop, None, "dpop_not_accepted", (0, 0)),
        ("off", Dpop, key(), "dpop_not_accepted", (0, 0)),
        ("accept", Bearer, None, "accepted", (0, 0)),
        ("accept", Bearer, key(), "token_bound", (0, 0)),
        ("accept", Dpop, None, "key_unbound", (0, 0)),
        ("accept", Dpop, key(), "accepted", (1, 1)),
        ("accept", Dpop, another(), "proof_mismatch", (1, 1)),
        ("require", Bearer, None, "dpop_required", (0, 0)),
        ("require", Bearer, key(), "dpop_required", (0, 0)),
        ("require", Dpop, None, "key_unbound", (0, 0)),
        ("require", Dpop, key(), "accepted", (1, 1)),
        ("require", Dpop, another(), "proof_mismatch", (1, 1)),
        // Of what is not understood, no proof is enough.
        ("require", Dpop, both(), "token_bound", (0, 0)),
        ("require", Dpop, Some(json!({})), "token_bound", (0, 0)),
        ("require", Dpop, Some(json!({ "jkt": "x" })), "token_bound", (0, 0)),
        ("require", Dpop, Some(json!({ "jwk": holder().public_jwk() })), "token_bound", (0, 0)),
        ("require", Dpop, Some(json!({ "jkt": jkt(&holder()), "x": 1 })), "token_bound", (0, 0)),
    ];
    for_each_row(rows, |(dpop, scheme, cnf, reason, asked)| {
        let config = config(&at(json!({ "dpop": dpop })));
        let came = sent(*scheme, cnf.clone()).verify(resource(&config));
        same(&format!("{dpop} {scheme:?} {cnf:?}"), (came.reason, came.asked), (*reason, *asked))
    });
    // Without a word in the settings it is off.
    let config = config(&with_entries(json!([entry()])));
    assert_eq!(sent(Dpop, key()).verify(resource(&config)).reason, "dpop_not_accepted");
}

/// A token that is bound to a certificate as well has to be shown with both.
#[test]
fn both_bindings() {
    let bytes: Vec<u8> = (0..32).collect();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = json!({ "certPresented": "1", "certVerified": "SUCCESS", "certRevoked": "0", "certFingerprintSHA256": hex }).to_string();
    let cnf = json!({ "jkt": jkt(&holder()), "x5t#S256": crate::support::b64(&bytes) });
    let good = Sent { certificate: Some(&shown), ..sent(Dpop, Some(cnf)) };
    let config = config(&at(json!({ "dpop": "require", "mtls": "require" })));
    let rows = [
        ("both", good.clone(), "accepted", (1, 1)),
        ("no proof", Sent { proof: None, ..good.clone() }, "proof_missing", (1, 0)),
        ("no certificate", Sent { certificate: None, ..good.clone() }, "certificate_missing", (0, 0)),
        ("neither", Sent { certificate: None, proof: None, ..good.clone() }, "certificate_missing", (0, 0)),
        ("as Bearer", Sent { scheme: Bearer, ..good }, "dpop_required", (0, 0)),
    ];
    for_each_row(rows, |(name, sent, reason, asked)| {
        let came = sent.verify(resource(&config));
        same(name, (came.reason, came.asked), (*reason, *asked))
    });
}

/// A proof makes no bad token good: it is not even looked at.
#[test]
fn the_token_comes_first() {
    let bound = |changes: Value| with(with(claims(), json!({ "cnf": { "jkt": jkt(&holder()) } })), changes);
    let rows = [
        ("forged", stranger().with_claims(&bound(json!({}))), "signature_invalid"),
        ("expired", trusted().with_claims(&bound(json!({ "exp": NOW - 1000 }))), "token_expired"),
        ("for another", trusted().with_claims(&bound(json!({ "aud": "https://a" }))), "aud_mismatch"),
        (
            "of another issuer",
            trusted().with_claims(&bound(json!({ "iss": "https://a" }))),
            "issuer_untrusted",
        ),
        ("no JWT", "opaque".to_owned(), "token_parts"),
    ];
    let config = config(&at(json!({ "dpop": "require" })));
    for_each_row(rows, |(name, token, reason)| {
        let proof = Some(proof(token, json!({})));
        let came = Sent { token: token.clone(), proof, ..Sent::default() }.verify(resource(&config));
        same(name, (came.reason, came.asked), (*reason, (0, 0)))
    });
}

/// The entry that the token's issuer names decides, whatever another has.
#[test]
fn entries_that_differ() {
    let of =
        |issuer: &str, dpop: &str| with(entry(), json!({ "authorization_server_url": issuer, "dpop": dpop }));
    let config = config(&with_entries(json!([
        of("https://off.example", "off"),
        of("https://accept.example", "accept"),
        of("https://require.example", "require"),
    ])));
    let rows = [
        ("https://off.example", Bearer, false, "accepted"),
        ("https://off.example", Bearer, true, "token_bound"),
        ("https://off.example", Dpop, true, "dpop_not_accepted"),
        ("https://accept.example", Bearer, false, "accepted"),
        ("https://accept.example", Dpop, true, "accepted"),
        ("https://require.example", Bearer, false, "dpop_required"),
        ("https://require.example", Dpop, true, "accepted"),
    ];
    for_each_row(rows, |(issuer, scheme, is_bound, reason)| {
        let cnf = if *is_bound { json!({ "jkt": jkt(&holder()) }) } else { json!("<absent>") };
        let token = trusted().with_claims(&with(claims(), json!({ "iss": issuer, "cnf": cnf })));
        let proof = Some(proof(&token, json!({})));
        let came = Sent { scheme: *scheme, token, proof, ..Sent::default() }.verify(resource(&config));
        same(&format!("{issuer} {scheme:?}"), came.reason, *reason)
    });
}

/// Two entries of one issuer that differ in it could each judge a token, so they are a fault.
#[test]
fn entries_that_contradict_each_other() {
    let other = |members: Value| {
        with(with(entry(), json!({ "jwks_uri": "https://auth.example.com/other" })), members)
    };
    let rows = [
        ("the same", json!({ "dpop": "accept" }), true),
        ("off", json!({}), false),
        ("other algorithms", json!({ "dpop": "accept", "dpop_algorithms": ["ES256"] }), false),
        ("another time", json!({ "dpop": "accept", "dpop_max_age": 60 }), false),
        ("a nonce", json!({ "dpop": "accept", "dpop_nonce": true }), false),
    ];
    for_each_row(rows, |(name, members, is_sound)| {
        let entries = json!([with(entry(), json!({ "dpop": "accept" })), other(members.clone())]);
        let settings = with(with_entries(entries), json!({ NONCE_KEY: "k".repeat(43) }));
        same(name, crate::support::read(&settings).is_ok(), *is_sound)
    });
}

#[test]
fn no_proof_is_accepted_twice() {
    let config = config(&at(json!({ "dpop": "accept" })));
    let mut replays = Replays::default();
    let mut verify = |sent: &Sent<'_>| {
        let came = sent.verify_after(resource(&config), &mut replays);
        (came.reason, came.asked.1)
    };
    let good = Sent::default();
    let of = |changes: Value| Sent { proof: Some(proof(&bound_token(), changes)), ..Sent::default() };
    // What is refused is not remembered: nobody can use up the ids of others.
    let bad = Sent {
        proof: good.proof.clone().map(|proof| format!("{}AAAA", &proof[..proof.len() - 4])),
        ..good.clone()
    };
    assert_eq!(verify(&bad), ("proof_signature", 1));
    assert_eq!(verify(&of(json!({ "htm": "GET" }))), ("proof_htm", 0));
    assert_eq!(verify(&good), ("accepted", 1));
    assert_eq!(verify(&good), ("proof_replayed", 1));
    assert_eq!(verify(&of(json!({}))), ("proof_replayed", 1), "signed again, it is the same proof");
    assert_eq!(verify(&of(json!({ "iat": NOW + 1 }))), ("proof_replayed", 1), "at another time, too");
    assert_eq!(verify(&of(json!({ "jti": "b" }))), ("accepted", 1));
    // It cannot be accepted later, either: it is remembered for as long as its time is good.
    let later = |seconds| Sent { now: NOW + seconds, ..good.clone() };
    assert_eq!(verify(&later(300)), ("proof_replayed", 1));
    assert_eq!(verify(&later(301)), ("proof_iat", 0));
    // Another client may have chosen the same jti.
    let token = trusted().with_claims(&with(claims(), json!({ "cnf": { "jkt": jkt(&thief()) } })));
    let header = with(crate::support::proofs::proof_header(), json!({ "jwk": thief().public_jwk() }));
    let theirs =
        thief().token(&header.to_string(), &crate::support::proofs::proof_claims(&token).to_string());
    assert_eq!(verify(&Sent { token, proof: Some(theirs), ..Sent::default() }), ("accepted", 1));
}

#[test]
fn nonces() {
    let settings =
        with(at(json!({ "dpop": "require", "dpop_nonce": true })), json!({ NONCE_KEY: "k".repeat(43) }));
    let config = config(&settings);
    let start = NOW - NOW % DPOP_NONCE_SECONDS;
    let verify = |nonce: Value, now: u64| {
        let token = trusted().with_claims(&with(
            claims(),
            json!({ "exp": now + 60, "iat": now, "nbf": now, "cnf": { "jkt": jkt(&holder()) } }),
        ));
        let proof = Some(proof(&token, json!({ "nonce": nonce, "iat": now })));
        let came = Sent { token, proof, now, ..Sent::default() }.verify(resource(&config));
        (came.reason, came.asked.1, came.nonce)
    };
    let (reason, checks, nonce) = verify(json!("<absent>"), start);
    assert_eq!((reason, checks), ("proof_nonce", 0));
    let nonce = nonce.unwrap();
    assert_eq!(verify(json!(nonce), start), ("accepted", 1, None));
    assert_eq!(verify(json!(nonce), start + DPOP_NONCE_SECONDS - 1), ("accepted", 1, None));
    // In the window after its own it is still good, and the client is told the next.
    let (reason, _, next) = verify(json!(nonce), start + DPOP_NONCE_SECONDS);
    assert_eq!(reason, "accepted");
    let next = next.unwrap();
    assert_ne!(next, nonce);
    assert_eq!(verify(json!(next), start + DPOP_NONCE_SECONDS), ("accepted", 1, None));
    // After that it is not, and the refusal has one that is.
    let (reason, checks, fresh) = verify(json!(nonce), start + 2 * DPOP_NONCE_SECONDS);
    assert_eq!((reason, checks), ("proof_nonce", 0));
    assert_eq!(verify(json!(fresh), start + 2 * DPOP_NONCE_SECONDS).0, "accepted");
    for wrong in ["", "x", &format!("{nonce} "), &nonce[1..]] {
        assert_eq!(verify(json!(wrong), start).0, "proof_nonce", "{wrong:?}");
    }
    // Nothing else is forgiven for the sake of a nonce, and no other refusal brings one.
    let sent = Sent { method: "GET", ..Sent::default() }.verify(resource(&config));
    assert_eq!((sent.reason, sent.nonce), ("proof_htm", None));
}
