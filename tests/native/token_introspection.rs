//! Asking an authorization server about a token: which tokens, in which words, and what an answer
//! has to be. The rows of answers are in `tests/e2e/introspection-answers.test.mjs`, too.

use std::rc::Rc;

use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::credential::{Credential, Scheme};
use mcp_edge_auth::token::introspection::{Answer, Told, read};
use mcp_edge_auth::token::verify::{Step, Verification, Verified};
use serde_json::{Value, json};

use crate::support::engine::is_good;
use crate::support::es256::{Es256, header, stranger, trusted};
use crate::support::{
    CANONICAL, ISSUER, NOW, b64, claims, config, entry, for_each_row, resource, same, settings, with,
};

const TOKEN: &str = "oat_abc.DEF-123";

/// Settings whose entry is asked about tokens, with these members of `introspection` and of the
/// entry.
pub(crate) fn asking(introspection: Value, more: Value) -> Value {
    let introspection = with(
        json!({ "url": "https://auth.example.com/introspect", "client_id": "edge", "client_secret": "AS_SECRET" }),
        introspection,
    );
    let entry = with(with(entry(), json!({ "introspection": introspection })), more);
    with(settings(), json!({ "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [entry], "AS_SECRET": "s3cret" }))
}

/// What came of it, and who was asked in which order.
struct Run {
    verdict: Result<Verified, Refusal>,
    steps: Vec<&'static str>,
    failure: Option<String>,
}

impl Run {
    fn reason(&self) -> &'static str {
        self.verdict.as_ref().map_or_else(|refusal| refusal.row().reason, |_| "accepted")
    }
}

fn verify(resource: &Resource, token: &str, told: &Told) -> Run {
    verify_sent(Scheme::Bearer, resource, token, told)
}

fn verify_sent(scheme: Scheme, resource: &Resource, token: &str, told: &Told) -> Run {
    let mut run = Run { verdict: Err(Refusal::NotFound), steps: Vec::new(), failure: None };
    let mut verification = match Verification::new(&resource.entries, Credential { scheme, token }, NOW) {
        Ok(verification) => verification,
        Err(refusal) => {
            run.verdict = Err(refusal);
            return run;
        }
    };
    loop {
        match verification.step() {
            Step::KeySet(..) => {
                run.steps.push("keys");
                verification.key_set(Ok(trusted().key_set()));
            }
            Step::Signature(check) => {
                run.steps.push("signature");
                verification.signature(is_good(&check));
            }
            Step::Introspection(entry) => {
                run.steps.push("introspection");
                assert_eq!((verification.text(), entry.rules.issuer.as_str()), (token, ISSUER));
                verification.introspection(told.clone());
            }
            Step::Certificate => verification.certificate(None),
            Step::Proof => verification.proof(None, "POST", CANONICAL),
            Step::ProofSignature(_) => panic!("there is no proof"),
            Step::Done => break,
        }
    }
    run.failure = verification.failure().map(str::to_owned);
    run.verdict = verification.verdict();
    run
}

pub(crate) fn said() -> Value {
    json!({ "active": true, "token_type": "Bearer", "sub": "user-1", "aud": CANONICAL, "exp": NOW + 300 })
}

fn told(answer: &Value) -> Told {
    Told::Json(answer.to_string().into_bytes())
}

#[test]
fn an_opaque_token_is_asked_about_and_nothing_else_is() {
    let config = config(&asking(json!({}), json!({})));
    let resource = resource(&config);
    let good = told(&said());
    let run = verify(resource, TOKEN, &good);
    assert_eq!((run.reason(), run.steps), ("accepted", vec!["introspection"]));
    let jwt = verify(resource, &trusted().good(), &Told::Nothing("asked".to_owned()));
    assert_eq!((jwt.reason(), jwt.steps), ("accepted", vec!["keys", "signature"]));
    let large = "x".repeat(16 * 1024 + 1);
    assert_eq!(verify(resource, &large, &good).reason(), "token_too_large");
    let plain = crate::support::config(&settings());
    assert_eq!(verify(crate::support::resource(&plain), TOKEN, &good).reason(), "token_parts");
}

/// Some servers give an opaque token, or a part of it, for its own `jti`.
#[test]
fn a_name_that_is_the_token_itself_is_no_name() {
    let config = config(&asking(json!({}), json!({})));
    let rows = [("a name", "j-1", true), ("the token", TOKEN, false), ("a part", &TOKEN[1..], false)];
    for_each_row(rows, |(name, jti, is_told)| {
        let answer = told(&with(said(), json!({ "jti": jti })));
        let verified = verify(resource(&config), TOKEN, &answer).verdict.unwrap();
        same(name, verified.token_id(), is_told.then_some(*jti))
    });
    // A JWT has its name in it, and a short one may be anywhere else.
    let jwt = trusted().with_claims(&with(claims(), json!({ "jti": "e" })));
    let verified = verify(resource(&config), &jwt, &told(&said())).verdict.unwrap();
    assert_eq!(verified.token_id(), Some("e"));
}

#[test]
fn of_a_jwt_the_server_is_asked_after_all_else_was_good() {
    let config = config(&asking(json!({ "jwt": true }), json!({})));
    let resource = resource(&config);
    let order = vec!["keys", "signature", "introspection"];
    let rows = [
        ("active", trusted().good(), told(&json!({ "active": true })), "accepted", order.clone()),
        ("inactive", trusted().good(), told(&json!({ "active": false })), "token_inactive", order.clone()),
        (
            "remembered as inactive",
            trusted().good(),
            Told::Remembered(Answer::Inactive),
            "token_inactive",
            order.clone(),
        ),
        ("no answer", trusted().good(), Told::NotAsked(3), "introspection_unavailable", order.clone()),
        ("an opaque one", TOKEN.to_owned(), told(&said()), "accepted", vec!["introspection"]),
        (
            "another's signature",
            stranger().good(),
            told(&said()),
            "signature_invalid",
            vec!["keys", "signature"],
        ),
        (
            "expired",
            trusted().with_claims(&with(claims(), json!({ "exp": 1 }))),
            told(&said()),
            "token_expired",
            vec!["keys", "signature"],
        ),
    ];
    for_each_row(rows, |(name, token, told, reason, steps)| {
        let run = verify(resource, token, told);
        same(name, (run.reason(), &run.steps), (*reason, steps))
    });
}

#[test]
fn a_bound_jwt_is_bound_to_what_it_says_itself() {
    let thumbprint = b64([7; 32]);
    let (bound, other) = (json!({ "x5t#S256": thumbprint }), json!({ "x5t#S256": b64([8; 32]) }));
    let config = config(&asking(json!({ "jwt": true }), json!({ "mtls": "accept" })));
    let jwt = |cnf: &Value| trusted().with_claims(&with(claims(), json!({ "cnf": cnf })));
    let absent = json!("<absent>");
    let rows = [
        ("neither", &absent, &absent, "accepted"),
        ("both", &bound, &bound, "certificate_missing"),
        ("the JWT", &bound, &absent, "certificate_missing"),
        ("the answer", &absent, &bound, "token_bound"),
        ("not the same", &bound, &other, "token_bound"),
    ];
    for_each_row(rows, |(name, of_jwt, of_answer, reason)| {
        let answer = with(said(), json!({ "cnf": of_answer }));
        same(name, verify(resource(&config), &jwt(of_jwt), &told(&answer)).reason(), *reason)
    });
    // Of an opaque token the answer says what it is bound to.
    let answer = told(&with(said(), json!({ "cnf": bound })));
    assert_eq!(verify(resource(&config), TOKEN, &answer).reason(), "certificate_missing");
}

#[test]
fn an_opaque_token_that_is_bound_to_a_key_wants_a_proof() {
    let config = config(&asking(json!({ "jwt": true }), json!({ "dpop": "accept" })));
    let cnf = json!({ "cnf": { "jkt": b64([1; 32]) } });
    let plain = told(&said());
    let bound = told(&with(said(), cnf.clone()));
    let typed = told(&with(with(said(), cnf.clone()), json!({ "token_type": "DPoP" })));
    let unbound = told(&with(said(), json!({ "token_type": "dpop" })));
    let jwt = trusted().with_claims(&with(claims(), cnf));
    let rows = [
        ("plain, as Bearer", Scheme::Bearer, TOKEN, &plain, "accepted"),
        ("plain, by DPoP", Scheme::Dpop, TOKEN, &plain, "key_unbound"),
        ("bound, as Bearer", Scheme::Bearer, TOKEN, &bound, "token_bound"),
        ("bound, by DPoP", Scheme::Dpop, TOKEN, &bound, "proof_missing"),
        ("of that type, by DPoP", Scheme::Dpop, TOKEN, &typed, "proof_missing"),
        ("of that type, as Bearer", Scheme::Bearer, TOKEN, &typed, "token_bound"),
        ("of that type, and not bound", Scheme::Bearer, TOKEN, &unbound, "token_type_not_allowed"),
        ("a JWT, bound, by DPoP", Scheme::Dpop, &jwt, &typed, "proof_missing"),
        ("a JWT, bound, and the answer is not", Scheme::Dpop, &jwt, &plain, "proof_missing"),
        (
            "a JWT, bound, and inactive",
            Scheme::Dpop,
            &jwt,
            &told(&json!({ "active": false })),
            "token_inactive",
        ),
        ("a JWT, bound, as Bearer", Scheme::Bearer, &jwt, &typed, "token_bound"),
        ("a plain JWT, and the answer is bound", Scheme::Bearer, &trusted().good(), &bound, "token_bound"),
    ];
    for_each_row(rows, |(name, scheme, token, told, reason)| {
        same(name, verify_sent(*scheme, resource(&config), token, told).reason(), *reason)
    });
}

/// Nobody is asked about a token that the entry does not take in this way.
#[test]
fn an_opaque_token_is_sent_as_the_entry_wants_it() {
    let bound = told(&with(said(), json!({ "cnf": { "jkt": b64([1; 32]) } })));
    let asked = vec!["introspection"];
    let rows = [
        ("off", Scheme::Bearer, told(&said()), "accepted", asked.clone()),
        ("off", Scheme::Dpop, told(&said()), "dpop_not_accepted", vec![]),
        ("off", Scheme::Dpop, bound.clone(), "dpop_not_accepted", vec![]),
        ("require", Scheme::Bearer, told(&said()), "dpop_required", vec![]),
        ("require", Scheme::Bearer, bound.clone(), "dpop_required", vec![]),
        ("require", Scheme::Dpop, told(&said()), "key_unbound", asked.clone()),
        ("require", Scheme::Dpop, bound, "proof_missing", asked),
    ];
    for_each_row(rows, |(dpop, scheme, told, reason, steps)| {
        let config = config(&asking(json!({}), json!({ "dpop": dpop })));
        let run = verify_sent(*scheme, resource(&config), TOKEN, told);
        same(&format!("{dpop} {scheme:?}"), (run.reason(), &run.steps), (*reason, steps))
    });
}

#[test]
fn what_a_server_says_of_an_opaque_token_is_judged() {
    let config_of = |introspection, more| config(&asking(introspection, more));
    let plain = config_of(json!({}), json!({}));
    let clients = config_of(json!({}), json!({ "expected_clients": ["app"] }));
    let named = config_of(json!({ "subject": "username" }), json!({}));
    let of_entry = config_of(json!({}), json!({ "subject": "uid" }));
    let least = json!({ "active": true, "sub": "a", "aud": CANONICAL });
    let rows = [
        ("the least", &plain, least.clone(), "accepted"),
        ("no exp, no iss", &plain, with(said(), json!({ "exp": "<absent>" })), "accepted"),
        ("exp past", &plain, with(said(), json!({ "exp": NOW - 61 })), "token_expired"),
        ("exp null", &plain, with(said(), json!({ "exp": null })), "exp_not_number"),
        ("iss", &plain, with(said(), json!({ "iss": ISSUER })), "accepted"),
        ("another iss", &plain, with(said(), json!({ "iss": "https://auth.example.com/" })), "iss_mismatch"),
        ("no aud", &plain, with(said(), json!({ "aud": "<absent>" })), "aud_missing"),
        (
            "no aud, and the client",
            &clients,
            json!({ "active": true, "sub": "a", "client_id": "app" }),
            "accepted",
        ),
        (
            "no aud, and another",
            &clients,
            json!({ "active": true, "sub": "a", "client_id": "b" }),
            "client_mismatch",
        ),
        ("no aud, and no client", &clients, json!({ "active": true, "sub": "a" }), "client_missing"),
        ("aud, and no client", &clients, said(), "client_missing"),
        (
            "another aud, and the client",
            &clients,
            with(said(), json!({ "aud": "x", "client_id": "app" })),
            "aud_mismatch",
        ),
        ("another subject member", &named, with(least.clone(), json!({ "username": "u" })), "accepted"),
        ("no such member", &named, least.clone(), "sub_missing"),
        ("the entry's subject", &of_entry, with(least.clone(), json!({ "uid": "u" })), "accepted"),
        ("not the entry's subject", &of_entry, least.clone(), "sub_missing"),
        ("bearer", &plain, with(said(), json!({ "token_type": "bearer" })), "accepted"),
        ("DPoP", &plain, with(said(), json!({ "token_type": "DPoP" })), "token_type_not_allowed"),
        (
            "a refresh token",
            &plain,
            with(said(), json!({ "token_use": "refresh_token" })),
            "token_type_not_allowed",
        ),
        ("cnf", &plain, with(said(), json!({ "cnf": { "jkt": b64([1; 32]) } })), "token_bound"),
        ("active as text", &plain, with(said(), json!({ "active": "true" })), "introspection_unavailable"),
    ];
    for_each_row(rows, |(name, config, answer, reason)| {
        let of = |told: &Told| verify(resource(config), TOKEN, told).reason();
        same(name, of(&told(answer)), *reason)?;
        // What is remembered is judged in the same way.
        match read(answer.to_string().into_bytes()) {
            Ok(answer) => same(name, of(&Told::Remembered(answer)), *reason),
            Err(_) => same(name, *reason, "introspection_unavailable"),
        }
    });
    let run = verify(resource(&named), TOKEN, &told(&with(least, json!({ "username": "u" }))));
    assert_eq!(run.verdict.unwrap().permit().identity().subject(), "u");
}

/// A signed answer over these claims.
fn signed(key: &Es256, claims: &Value) -> Told {
    let header = with(header(), json!({ "typ": "token-introspection+jwt" }));
    Told::Signed(key.token(&header.to_string(), &claims.to_string()).into_bytes())
}

#[test]
fn a_signed_answer_is_checked_with_the_entrys_keys_and_is_never_the_tokens_fault() {
    let config = config(&asking(json!({ "jwt": true }), json!({})));
    let said = json!({ "iss": ISSUER, "aud": "edge", "iat": NOW, "token_introspection": said() });
    let unbelieved = |why: &str| Some(format!("a signed answer: {why}"));
    let steps = vec!["introspection", "keys", "signature"];
    let rows = [
        ("good", signed(&trusted(), &said), "accepted", None, steps.clone()),
        (
            "inactive",
            signed(&trusted(), &with(said.clone(), json!({ "token_introspection": { "active": false } }))),
            "token_inactive",
            None,
            steps.clone(),
        ),
        (
            "another key",
            signed(&stranger(), &said),
            "introspection_unavailable",
            unbelieved("signature_invalid"),
            steps.clone(),
        ),
        (
            "a JWT of the issuer's",
            Told::Signed(trusted().with_claims(&with(claims(), said.clone())).into_bytes()),
            "introspection_unavailable",
            unbelieved("typ_not_allowed"),
            vec!["introspection"],
        ),
        (
            "another iss",
            signed(&trusted(), &with(said.clone(), json!({ "iss": "x" }))),
            "introspection_unavailable",
            Some("a signed answer whose iss is not the issuer of the entry".to_owned()),
            steps.clone(),
        ),
        (
            "no UTF-8",
            Told::Signed(vec![0xff]),
            "introspection_unavailable",
            unbelieved("token_encoding"),
            vec!["introspection"],
        ),
    ];
    for_each_row(rows, |(name, told, reason, failure, steps)| {
        let run = verify(resource(&config), TOKEN, told);
        same(name, (run.reason(), &run.failure, &run.steps), (*reason, failure, steps))
    });
    let jwt = verify(resource(&config), &trusted().good(), &signed(&trusted(), &said));
    assert_eq!((jwt.reason(), jwt.steps.len()), ("accepted", 5));
    let bad = verify(resource(&config), &trusted().good(), &signed(&stranger(), &said));
    assert_eq!(bad.reason(), "introspection_unavailable");
}

#[test]
fn an_answer_that_comes_unasked_changes_nothing() {
    let config = config(&asking(json!({ "jwt": true }), json!({})));
    let set: Rc<KeySet> = trusted().key_set();
    let jwt = trusted().good();
    let mut verification = Verification::new(
        &resource(&config).entries,
        Credential { scheme: Scheme::Bearer, token: &jwt },
        NOW,
    )
    .unwrap();
    verification.introspection(told(&said()));
    assert!(matches!(verification.step(), Step::KeySet(..)));
    verification.introspection(told(&said()));
    verification.key_set(Ok(set));
    verification.introspection(told(&said()));
    assert!(matches!(verification.step(), Step::Signature(_)));
    verification.signature(false);
    verification.introspection(told(&said()));
    assert!(matches!(verification.verdict(), Err(Refusal::SignatureInvalid)));
}
