//! Keys for assertions as DER, PEM or JWK, against the PKCS#8 readers of RustCrypto.
//!
//! 1. A P-256 or Ed25519 key that they read is read here with the same private value.
//! 2. A private value that is read stands in the input, and so does the name of its curve.
//! 3. What is written of a key is read again as the same key, as DER and as PEM, by both.
//! 4. No fault and no `Debug` says a value: neither the word `zinnia7`, wherever the input has it,
//!    nor a private value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::origin::assertion::der::{self, Private};
use mcp_edge_auth::origin::assertion::keys::SigningKeys;
use p256::pkcs8::{DecodePrivateKey as _, PrivateKeyInfoRef};
use serde_json::Value;

pub(super) fn check(data: &[u8]) {
    let read = der::read(data);
    if let Some(theirs) = p256_key(data).or_else(|| ed25519_key(data)) {
        assert_eq!(read, Some(theirs));
    }
    if let Some((algorithm, private)) = read {
        check_key(data, algorithm, &private);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(blocks) = der::pem_blocks(text) {
        assert!(!blocks.is_empty());
    }
    let value = serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::from(text));
    check_variable(&value);
}

fn p256_key(der: &[u8]) -> Option<(Algorithm, Private)> {
    let key = p256::SecretKey::from_pkcs8_der(der).ok()?;
    Some((Algorithm::ES256, key.to_bytes().into()))
}

/// RFC 8410: no parameters, and the private value is an octet string in the octet string.
fn ed25519_key(der: &[u8]) -> Option<(Algorithm, Private)> {
    let info = PrivateKeyInfoRef::try_from(der).ok()?;
    let is_ed25519 = info.algorithm.oid.to_string() == "1.3.101.112" && info.algorithm.parameters.is_none();
    let private = info.private_key.as_bytes().strip_prefix(&[0x04, 32])?;
    is_ed25519.then_some((Algorithm::EdDSA, private.try_into().ok()?))
}

fn check_key(data: &[u8], algorithm: Algorithm, private: &Private) {
    let contains = |part: &[u8]| data.windows(part.len()).any(|window| window == part);
    let curve: &[u8] = match algorithm {
        Algorithm::EdDSA => &[0x06, 0x03, 0x2b, 0x65, 0x70],
        _ => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    };
    assert!(contains(curve) && contains(private));
    // RFC 5915: the private value of an EC key follows the version 1. Lengths may be long forms.
    let lengths = |length: u8| [vec![length], vec![0x81, length], vec![0x82, 0, length]];
    let versioned = |version: &Vec<u8>| {
        let start = |length: Vec<u8>| [&[0x02], version.as_slice(), &[1, 0x04], &length, private].concat();
        lengths(32).into_iter().any(|length| contains(&start(length)))
    };
    assert!(algorithm == Algorithm::EdDSA || lengths(1).iter().any(versioned));
    let written = der::write(algorithm, private);
    assert_eq!(der::read(&written), Some((algorithm, *private)));
    match algorithm {
        Algorithm::EdDSA => assert_eq!(ed25519_key(&written), Some((algorithm, *private))),
        // RustCrypto also asks whether the curve has this value.
        _ => assert!(p256_key(&written).is_none_or(|theirs| theirs == (algorithm, *private))),
    }
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(data));
    assert_eq!(der::pem_blocks(&pem), Some(vec![data.to_vec()]));
    let keys = SigningKeys::read("K", &Value::from(pem)).unwrap();
    assert_eq!(keys.keys()[0].pkcs8(), Some(written));
    assert!(!format!("{keys:?}").contains(&format!("{private:?}")));
}

fn check_variable(value: &Value) {
    match SigningKeys::read("K", value) {
        Err(faults) => {
            assert!(!faults.is_empty());
            for (field, expected) in faults {
                assert!(!format!("{field} {expected}").contains("zinnia7"), "{field} {expected}");
            }
        }
        Ok(keys) => {
            assert!((1..=8).contains(&keys.keys().len()) && keys.keys()[0].pkcs8().is_some());
            let public: Vec<_> = keys.keys().iter().map(|key| key.public().cloned()).collect();
            let published = keys.publish(&public);
            for fault in published.err().unwrap_or_default() {
                assert!(!fault.to_string().contains("zinnia7"), "{fault}");
            }
            if let Some(header) = keys.header() {
                assert!(header.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            }
        }
    }
}
