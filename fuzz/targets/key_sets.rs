//! `KeySet::parse` and `select`, against a judgement by hand of the same keys as serde_json reads
//! them.
//!
//! 1. A set with a key that is good by hand is read, and its `kid`s are those of the good keys.
//! 2. For each algorithm and each `kid`, known or not, `select` gives the good keys that fit, in
//!    their order, at most four; without a `kid`, the only one that fits.
//! 3. The values of a key are those that stand in the set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::set::{Key, KeySet, Material};
use serde_json::Value;

use super::reference;

/// At most so many keys of a set are looked at.
const KEYS: usize = 64;

pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = KeySet::parse(text);
    // The crate reads each key by itself, so one that serde_json stumbles over may be passed over.
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let keys = value.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let good: Vec<&Value> = keys.iter().take(KEYS).filter(|key| usable(key)).collect();
    let alike = reference::read(data).is_some_and(|(_, facts)| facts.acceptable() == Some(true));
    let Ok(set) = parsed else {
        assert!(!alike || good.is_empty() || text.len() > 64 * 1024, "{text}");
        return;
    };
    assert!(value.is_object() && text.len() <= 64 * 1024);
    if !alike {
        return; // names that are repeated: which of two is meant, serde_json cannot say
    }
    let kid = |key: &Value| key.get("kid").and_then(Value::as_str).map(str::to_owned);
    assert_eq!(
        set.kids().collect::<Vec<_>>(),
        good.iter().filter_map(|key| key.get("kid")?.as_str()).collect::<Vec<_>>()
    );
    let mut kids: Vec<Option<String>> = keys.iter().take(KEYS + 2).map(kid).collect();
    kids.extend([None, Some(String::new()), Some("of no key".to_owned())]);
    kids.sort();
    kids.dedup();
    for wanted in kids {
        for algorithm in Algorithm::ALL {
            let named = |key: &&Value| wanted.is_none() || kid(key) == wanted;
            let fitting: Vec<&Value> =
                good.iter().copied().filter(|key| fits(key, algorithm)).filter(named).collect();
            let expected = match wanted {
                None if fitting.len() != 1 => &[],
                _ => &fitting[..fitting.len().min(4)],
            };
            let selected = set.select(algorithm, wanted.as_deref()).unwrap_or_default();
            assert_eq!(selected.len(), expected.len(), "{wanted:?} {algorithm:?} {text}");
            for (key, jwk) in selected.iter().zip(expected) {
                assert!(same(key, jwk), "{key:?} {jwk}");
            }
        }
    }
}

fn same(key: &Key, jwk: &Value) -> bool {
    let member = |name: &str| bytes(jwk, name).unwrap();
    match &key.material {
        Material::Rsa { n, e } => *n == without_zeros(member("n")) && *e == without_zeros(member("e")),
        Material::Ec { crv, x, y } => jwk["crv"] == *crv && member("x") == *x && member("y") == *y,
        Material::Ed25519 { x } => member("x") == *x,
    }
}

fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok()
}

fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The name that an algorithm has here.
fn name_of(alg: &str) -> &str {
    if alg == "Ed25519" { "EdDSA" } else { alg }
}

fn fits(jwk: &Value, algorithm: Algorithm) -> bool {
    let name = algorithm.row().name;
    let (kty, crv) = match name {
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "ES512" => ("EC", Some("P-521")),
        "EdDSA" => ("OKP", Some("Ed25519")),
        _ => ("RSA", None),
    };
    jwk["kty"] == kty
        && crv.is_none_or(|crv| jwk["crv"] == crv)
        && jwk.get("alg").is_none_or(|alg| alg.as_str().map(name_of) == Some(name))
}

/// Whether a key may be used at all.
fn usable(jwk: &Value) -> bool {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let text_or_absent = |name: &str| jwk.get(name).is_none_or(Value::is_string);
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    let verifies = jwk.get("key_ops").is_none_or(|ops| {
        ops.as_array().is_some_and(|ops| ops.iter().all(Value::is_string) && ops.contains(&"verify".into()))
    });
    let known = |alg: &str| Algorithm::ALL.iter().any(|known| known.row().name == name_of(alg));
    jwk.is_object()
        && private.iter().all(|name| jwk.get(name).is_none())
        && jwk.get("use").is_none_or(|usage| usage == "sig")
        && verifies
        && text_or_absent("kid")
        && text_or_absent("alg")
        && text("alg").is_none_or(known)
        && match text("kty") {
            Some("RSA") => sound_rsa(jwk),
            Some("EC") => match text("crv") {
                Some("P-256") => has(jwk, "x", 32) && has(jwk, "y", 32),
                Some("P-384") => has(jwk, "x", 48) && has(jwk, "y", 48),
                Some("P-521") => has(jwk, "x", 66) && has(jwk, "y", 66),
                _ => false,
            },
            Some("OKP") => text("crv") == Some("Ed25519") && has(jwk, "x", 32),
            _ => false,
        }
}

fn has(jwk: &Value, name: &str, length: usize) -> bool {
    bytes(jwk, name).is_some_and(|bytes| bytes.len() == length)
}

/// A modulus of 2048 to 8192 bits, and an odd exponent of at most 32 bits that is more than 1.
fn sound_rsa(jwk: &Value) -> bool {
    let (Some(n), Some(e)) = (bytes(jwk, "n"), bytes(jwk, "e")) else { return false };
    let (n, e) = (without_zeros(n), without_zeros(e));
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    let exponent = e.iter().take(5).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (2048..=8192).contains(&bits) && exponent < 1 << 32 && exponent > 1 && exponent % 2 == 1
}
