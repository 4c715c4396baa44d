//! One key pair for each algorithm, made once: jwt-simple's, and p521's for the one that jwt-simple
//! lacks.

use std::sync::OnceLock;

use jwt_simple::algorithms::RSAKeyPairLike as _;
use jwt_simple::prelude::*;
use mcp_edge_auth::keys::algorithm::Algorithm;
use p521::ecdsa::signature::Signer as _;
use serde_json::{Map, Value, json};

use super::{CANONICAL, ISSUER, NOW, b64};

/// The key pairs. The RSA algorithms share one: nothing in RSA distinguishes them, only their names
/// do.
struct Pairs {
    rsa: RS256KeyPair,
    p256: ES256KeyPair,
    p384: ES384KeyPair,
    p521: p521::ecdsa::SigningKey,
    ed25519: Ed25519KeyPair,
}

fn pairs() -> &'static Pairs {
    static PAIRS: OnceLock<Pairs> = OnceLock::new();
    PAIRS.get_or_init(|| Pairs {
        rsa: RS256KeyPair::generate(2048).unwrap(),
        p256: ES256KeyPair::generate(),
        p384: ES384KeyPair::generate(),
        p521: p521::ecdsa::SigningKey::from_slice(&[&[0; 33][..], &[7; 33]].concat()).unwrap(),
        ed25519: Ed25519KeyPair::generate(),
    })
}

/// The public key of an algorithm, with the algorithm's name as `kid`, and no `alg`.
pub fn jwk(algorithm: Algorithm) -> Value {
    let pairs = pairs();
    let ec = |crv: &str, point: &[u8]| {
        let (x, y) = point[1..].split_at((point.len() - 1) / 2);
        json!({ "kty": "EC", "crv": crv, "x": b64(x), "y": b64(y) })
    };
    let key = match algorithm {
        Algorithm::ES256 => ec("P-256", &pairs.p256.public_key().public_key().to_bytes_uncompressed()),
        Algorithm::ES384 => ec("P-384", &pairs.p384.public_key().public_key().to_bytes_uncompressed()),
        Algorithm::ES512 => ec("P-521", pairs.p521.verifying_key().to_sec1_point(false).as_bytes()),
        Algorithm::EdDSA => {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pairs.ed25519.public_key().to_bytes()) })
        }
        _ => {
            let components = pairs.rsa.public_key().to_components();
            json!({ "kty": "RSA", "n": b64(components.n), "e": b64(components.e) })
        }
    };
    super::with(key, json!({ "kid": algorithm.row().name, "use": "sig" }))
}

/// A good token, signed by jwt-simple (and by p521), with the algorithm's name as `kid`.
pub fn token(algorithm: Algorithm) -> String {
    let pairs = pairs();
    let kid = algorithm.row().name;
    // An RSA key pair of jwt-simple belongs to one algorithm; the others are made of the same
    // private key.
    let der = || pairs.rsa.to_der().unwrap();
    let signed = match algorithm {
        Algorithm::RS256 => RS256KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::RS384 => RS384KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::RS512 => RS512KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::PS256 => PS256KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::PS384 => PS384KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::PS512 => PS512KeyPair::from_der(&der()).unwrap().with_key_id(kid).sign(claims()),
        Algorithm::ES256 => {
            ES256KeyPair::from_bytes(&pairs.p256.to_bytes()).unwrap().with_key_id(kid).sign(claims())
        }
        Algorithm::ES384 => {
            ES384KeyPair::from_bytes(&pairs.p384.to_bytes()).unwrap().with_key_id(kid).sign(claims())
        }
        Algorithm::EdDSA => {
            Ed25519KeyPair::from_bytes(&pairs.ed25519.to_bytes()).unwrap().with_key_id(kid).sign(claims())
        }
        Algorithm::ES512 => {
            let header = json!({ "alg": "ES512", "typ": "JWT", "kid": kid }).to_string();
            let input = format!("{}.{}", b64(header), b64(super::claims().to_string()));
            let signature: p521::ecdsa::Signature = pairs.p521.sign(input.as_bytes());
            Ok(format!("{input}.{}", b64(signature.to_bytes())))
        }
    };
    signed.unwrap()
}

/// A good token, signed with the Ed25519 key over a header of any text.
pub fn ed25519_token(header: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(super::claims().to_string()));
    let signature = pairs().ed25519.key_pair().as_ref().sk.sign(&input, None);
    format!("{input}.{}", b64(signature))
}

/// The claims of `super::claims`, as jwt-simple wants them, and one of its own.
fn claims() -> JWTClaims<Map<String, Value>> {
    let custom = json!({ "scope": "tools:read" });
    let mut claims =
        Claims::with_custom_claims(custom.as_object().unwrap().clone(), Duration::from_secs(300))
            .with_issuer(ISSUER)
            .with_audience(CANONICAL)
            .with_subject("user-1");
    claims.issued_at = Some(UnixTimeStamp::from_secs(NOW));
    claims.invalid_before = Some(UnixTimeStamp::from_secs(NOW));
    claims.expires_at = Some(UnixTimeStamp::from_secs(NOW + 300));
    claims
}
