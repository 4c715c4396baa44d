//! An issuer that signs whatever it is given, byte for byte, with ES256: malformed tokens need good
//! signatures to prove anything.

use mcp_edge_auth::keys::set::KeySet;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use std::rc::Rc;

use super::{b64, claims};

/// The `kid` of the issuer's key.
pub const KID: &str = "es-1";

pub struct Es256 {
    key: SigningKey,
}

/// The trusted issuer's key.
pub fn trusted() -> Es256 {
    Es256::new(1)
}

/// Somebody else's key.
pub fn stranger() -> Es256 {
    Es256::new(2)
}

impl Es256 {
    /// The same seed makes the same key.
    pub fn new(seed: u8) -> Self {
        let scalar = [seed; 32];
        Self { key: SigningKey::from_slice(&scalar).unwrap() }
    }

    /// The key, with its private part.
    pub fn private_jwk(&self) -> Value {
        super::with(self.public_jwk(), json!({ "d": b64(self.key.to_bytes()) }))
    }

    /// The public key, without `kid`, `alg` or `use`.
    pub fn public_jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y) })
    }

    /// The public key as an issuer publishes it.
    pub fn jwk(&self) -> Value {
        super::with(self.public_jwk(), json!({ "kid": KID, "alg": "ES256", "use": "sig" }))
    }

    pub fn key_set(&self) -> Rc<KeySet> {
        key_set(&[self.jwk()])
    }

    /// A signature of any text, as 64 raw bytes.
    pub fn signature(&self, text: &str) -> Vec<u8> {
        let signature: Signature = self.key.sign(text.as_bytes());
        signature.to_bytes().to_vec()
    }

    /// The same signature in the DER form that JWS does not use.
    pub fn der_signature(&self, text: &str) -> Vec<u8> {
        let signature: Signature = self.key.sign(text.as_bytes());
        signature.to_der().as_bytes().to_vec()
    }

    /// A token over two parts that are encoded already, or not.
    pub fn token_over(&self, header_part: &str, claims_part: &str) -> String {
        let input = format!("{header_part}.{claims_part}");
        let signature = b64(self.signature(&input));
        format!("{input}.{signature}")
    }

    /// A token over a header and claims of any text.
    pub fn token(&self, header: &str, claims: &str) -> String {
        self.token_over(&b64(header), &b64(claims))
    }

    /// A token with a good header.
    pub fn with_claims(&self, claims: &Value) -> String {
        self.token(&header().to_string(), &claims.to_string())
    }

    /// A good token.
    pub fn good(&self) -> String {
        self.with_claims(&claims())
    }
}

/// The header of a good token.
pub fn header() -> Value {
    json!({ "alg": "ES256", "typ": "at+jwt", "kid": KID })
}

/// A key set of these keys.
pub fn key_set(keys: &[Value]) -> Rc<KeySet> {
    Rc::new(KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap())
}
