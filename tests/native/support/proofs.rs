//! Proofs of possession (DPoP), made with any header and any claims, and requests that bring them.

use std::rc::Rc;

use cli::signatures;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::credential::{Credential, Scheme};
use mcp_edge_auth::token::introspection::Told;
use mcp_edge_auth::token::replays::Replays;
use mcp_edge_auth::token::verify::{Step, Verification};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::es256::{Es256, trusted};
use super::{CANONICAL, NOW, b64, claims, with};

/// The client whose key tokens are bound to.
pub fn holder() -> Es256 {
    Es256::new(7)
}

/// Another client.
pub fn thief() -> Es256 {
    Es256::new(8)
}

/// The thumbprint of a P-256 key, in base64url.
pub fn jkt(key: &Es256) -> String {
    let jwk = key.public_jwk();
    let (x, y) = (jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap());
    b64(Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)))
}

/// A good token that is bound to the holder's key.
pub fn bound_token() -> String {
    trusted().with_claims(&with(claims(), json!({ "cnf": { "jkt": jkt(&holder()) } })))
}

pub fn ath(token: &str) -> String {
    b64(Sha256::digest(token))
}

/// The header of a good proof.
pub fn proof_header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": holder().public_jwk() })
}

/// The claims of a good proof beside a token.
pub fn proof_claims(token: &str) -> Value {
    json!({ "jti": "a-1", "htm": "POST", "htu": CANONICAL, "iat": NOW, "ath": ath(token) })
}

/// A good proof beside a token, but for changes in its claims.
pub fn proof(token: &str, changes: Value) -> String {
    holder().token(&proof_header().to_string(), &with(proof_claims(token), changes).to_string())
}

/// A request as it is verified.
#[derive(Clone, Debug)]
pub struct Sent<'s> {
    pub scheme: Scheme,
    pub token: String,
    pub proof: Option<String>,
    pub method: &'s str,
    pub address: &'s str,
    pub certificate: Option<&'s str>,
    pub now: u64,
}

impl Default for Sent<'_> {
    /// A good one.
    fn default() -> Self {
        let token = bound_token();
        let proof = Some(proof(&token, json!({})));
        let (scheme, method, address) = (Scheme::Dpop, "POST", CANONICAL);
        Self { scheme, token, proof, method, address, certificate: None, now: NOW }
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Came {
    /// `accepted`, or why not.
    pub reason: &'static str,
    /// How often the proof was asked for, and how often its signature was checked.
    pub asked: (usize, usize),
    pub nonce: Option<String>,
}

impl Sent<'_> {
    /// Verifies it as the Worker does, where no proof was seen before.
    pub fn verify(&self, resource: &Resource) -> Came {
        self.verify_after(resource, &mut Replays::default())
    }

    /// The same after others.
    pub fn verify_after(&self, resource: &Resource, replays: &mut Replays) -> Came {
        self.verify_with(resource, replays, &trusted().key_set())
    }

    pub fn verify_with(&self, resource: &Resource, replays: &mut Replays, keys: &Rc<KeySet>) -> Came {
        let mut came = Came { reason: "", asked: (0, 0), nonce: None };
        let credential = Credential { scheme: self.scheme, token: &self.token };
        let verified = Verification::new(&resource.entries, credential, self.now).and_then(|mut way| {
            loop {
                match way.step() {
                    Step::Introspection(_) => way.introspection(Told::NotAsked(7)),
                    Step::KeySet(..) => way.key_set(Ok(Rc::clone(keys))),
                    Step::Signature(check) => way.signature(super::engine::is_good(&check)),
                    Step::Certificate => way.certificate(self.certificate),
                    Step::Proof => {
                        came.asked.0 += 1;
                        way.proof(self.proof.as_deref(), self.method, self.address);
                    }
                    Step::ProofSignature(proof) => {
                        came.asked.1 += 1;
                        let good = signatures::is_good(&*proof).unwrap_or_else(|e| panic!("{e:?}"));
                        way.proof_signature(good, replays);
                    }
                    Step::Done => break,
                }
            }
            came.nonce = way.next_nonce();
            way.verdict()
        });
        came.reason = verified.map_or_else(|refusal: Refusal| refusal.row().reason, |_| "accepted");
        came
    }
}
