//! A key set is read within bounds, one unusable key never spoils it, and a token is only tried
//! with keys that fit it.

use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::set::{KeySet, Material, Unusable};
use mcp_edge_auth::limits;
use serde_json::{Value, json};

use crate::support::es256::{KID, key_set, stranger, trusted};
use crate::support::{self, b64, config, for_each_row, resource, same, settings, with};

fn rsa_key() -> Value {
    rsa_of_bits(2048)
}

/// An RSA public key whose modulus has this many bits; its factors are of no interest here.
fn rsa_of_bits(bits: usize) -> Value {
    let mut n = vec![0xff; bits.div_ceil(8)];
    n[0] = 0xff >> ((8 - bits % 8) % 8);
    json!({ "kty": "RSA", "n": b64(n), "e": "AQAB" })
}

fn ec_key(crv: &str, x: usize, y: usize) -> Value {
    json!({ "kty": "EC", "crv": crv, "x": b64(vec![1; x]), "y": b64(vec![2; y]) })
}

fn okp_key(crv: &str, x: usize) -> Value {
    json!({ "kty": "OKP", "crv": crv, "x": b64(vec![3; x]) })
}

/// The document with one more key in front of a good one.
fn in_front(raw_key: &str) -> String {
    format!(r#"{{"keys":[{raw_key},{}]}}"#, trusted().jwk())
}

/// Whether a key, put in front of a good one, is among the usable ones. The good one has to be
/// there, whatever the other is.
fn is_usable(raw_key: &str) -> bool {
    let set = KeySet::parse(&in_front(raw_key)).unwrap();
    let kids: Vec<&str> = set.kids().collect();
    assert_eq!(kids.last(), Some(&KID), "the good key was spoilt by {raw_key}");
    let alone = KeySet::parse(&format!(r#"{{"keys":[{raw_key}]}}"#));
    match kids.len() {
        2 => alone.is_ok(),
        _ => alone != Err(Unusable::NoUsableKey),
    }
}

fn named(key: Value) -> Value {
    with(key, json!({ "kid": "odd" }))
}

#[test]
fn usable_keys() {
    let rows = [
        ("RSA", rsa_key()),
        ("RSA of 2048 bits", rsa_of_bits(2048)),
        ("RSA of 3072 bits", rsa_of_bits(3072)),
        ("RSA of 8192 bits", rsa_of_bits(8192)),
        (
            "RSA, its modulus behind zeros",
            with(rsa_key(), json!({ "n": b64([vec![0, 0], vec![0xff; 256]].concat()) })),
        ),
        ("RSA, its exponent behind zeros", with(rsa_key(), json!({ "e": b64([0, 0, 0, 1, 0, 1]) }))),
        ("RSA, exponent 3", with(rsa_key(), json!({ "e": "Aw" }))),
        ("RSA, exponent of four bytes", with(rsa_key(), json!({ "e": b64([0xff; 4]) }))),
        ("P-256", ec_key("P-256", 32, 32)),
        ("P-384", ec_key("P-384", 48, 48)),
        ("P-521", ec_key("P-521", 66, 66)),
        ("Ed25519", okp_key("Ed25519", 32)),
        ("use sig", with(rsa_key(), json!({ "use": "sig" }))),
        ("key_ops verify", with(rsa_key(), json!({ "key_ops": ["verify"] }))),
        ("key_ops of two", with(rsa_key(), json!({ "key_ops": ["sign", "verify"] }))),
        ("alg", with(rsa_key(), json!({ "alg": "PS512" }))),
        ("alg Ed25519", with(okp_key("Ed25519", 32), json!({ "alg": "Ed25519" }))),
        (
            "members nobody knows",
            with(rsa_key(), json!({ "x5c": ["MIIB"], "x5t": null, "ext": true, "D": 1 })),
        ),
    ];
    for_each_row(rows, |(name, key)| same(name, is_usable(&named(key.clone()).to_string()), true));
}

#[test]
fn unusable_keys() {
    let rsa = |changes: Value| with(rsa_key(), changes);
    let ec = |changes: Value| with(ec_key("P-256", 32, 32), changes);
    let okp = |changes: Value| with(okp_key("Ed25519", 32), changes);
    let mut rows = vec![
        ("no kty", rsa(json!({ "kty": "<absent>" }))),
        ("kty null", rsa(json!({ "kty": null }))),
        ("kty in small letters", rsa(json!({ "kty": "rsa" }))),
        ("kty of a secret", json!({ "kty": "oct", "k": b64([1; 32]) })),
        ("kty of ML-DSA", json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": b64([1; 1312]) })),
        ("kty a number", rsa(json!({ "kty": 1 }))),
        ("RSA of 1024 bits", rsa_of_bits(1024)),
        ("RSA of 2047 bits", rsa_of_bits(2047)),
        ("RSA of 8193 bits", rsa_of_bits(8193)),
        ("RSA of 2040 bits and a zero byte", rsa(json!({ "n": b64([vec![0], vec![0xff; 255]].concat()) }))),
        ("no modulus", rsa(json!({ "n": "<absent>" }))),
        ("an empty modulus", rsa(json!({ "n": "" }))),
        ("a modulus of zeros", rsa(json!({ "n": b64([0; 256]) }))),
        ("a modulus that is null", rsa(json!({ "n": null }))),
        ("a modulus in base64", rsa(json!({ "n": "/".repeat(342) }))),
        ("a modulus with padding", rsa(json!({ "n": format!("{}==", b64(vec![0xff; 256])) }))),
        ("a modulus with a line end", rsa(json!({ "n": format!("{}\n", b64(vec![0xff; 256])) }))),
        ("no exponent", rsa(json!({ "e": "<absent>" }))),
        ("an exponent that is a number", rsa(json!({ "e": 65537 }))),
        ("exponent 0", rsa(json!({ "e": "AA" }))),
        ("exponent 1", rsa(json!({ "e": "AQ" }))),
        ("exponent 1 behind a zero", rsa(json!({ "e": "AAE" }))),
        ("an even exponent", rsa(json!({ "e": b64([1, 0, 0]) }))),
        ("an exponent of five bytes", rsa(json!({ "e": b64([1, 0, 0, 0, 1]) }))),
        ("no crv", ec(json!({ "crv": "<absent>" }))),
        ("crv null", ec(json!({ "crv": null }))),
        ("crv of another curve", ec(json!({ "crv": "secp256k1" }))),
        ("crv of an OKP key", ec(json!({ "crv": "Ed25519" }))),
        ("x too short", ec_key("P-256", 31, 32)),
        ("x too long", ec_key("P-256", 33, 32)),
        ("y too short", ec_key("P-256", 32, 31)),
        ("y too long", ec_key("P-256", 32, 33)),
        ("P-384 of P-256's length", ec_key("P-384", 32, 32)),
        ("P-521 of 65 bytes", ec_key("P-521", 65, 66)),
        ("P-521 of 65 bytes in y", ec_key("P-521", 66, 65)),
        ("no x", ec(json!({ "x": "<absent>" }))),
        ("no y", ec(json!({ "y": "<absent>" }))),
        ("y a number", ec(json!({ "y": 1 }))),
        ("x not base64url", ec(json!({ "x": "=".repeat(43) }))),
        ("Ed25519 too short", okp_key("Ed25519", 31)),
        ("Ed25519 too long", okp_key("Ed25519", 33)),
        ("Ed25519 without x", okp(json!({ "x": "<absent>" }))),
        ("OKP without crv", okp(json!({ "crv": "<absent>" }))),
        ("X25519", okp_key("X25519", 32)),
        ("Ed448", okp_key("Ed448", 57)),
        ("use enc", rsa(json!({ "use": "enc" }))),
        ("use in capitals", rsa(json!({ "use": "SIG" }))),
        ("use null", rsa(json!({ "use": null }))),
        ("use an array", rsa(json!({ "use": ["sig"] }))),
        ("key_ops empty", rsa(json!({ "key_ops": [] }))),
        ("key_ops sign", rsa(json!({ "key_ops": ["sign"] }))),
        ("key_ops a string", rsa(json!({ "key_ops": "verify" }))),
        ("key_ops null", rsa(json!({ "key_ops": null }))),
        ("key_ops with a number", rsa(json!({ "key_ops": ["verify", 1] }))),
        ("alg of encryption", rsa(json!({ "alg": "RSA-OAEP" }))),
        ("alg HS256", rsa(json!({ "alg": "HS256" }))),
        ("alg none", rsa(json!({ "alg": "none" }))),
        ("alg null", rsa(json!({ "alg": null }))),
        ("alg a number", rsa(json!({ "alg": 256 }))),
        ("kid a number", rsa(json!({ "kid": 1 }))),
        ("kid null", rsa(json!({ "kid": null }))),
    ];
    // A key whose private half is published with it: whoever can read the set can sign.
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        rows.push((member, rsa(json!({ member: "AQAB" }))));
        rows.push((member, ec(json!({ member: null }))));
    }
    for_each_row(rows, |(name, key)| {
        let key = if key.get("kid").is_some() { key.clone() } else { named(key.clone()) };
        same(name, is_usable(&key.to_string()), false)
    });
}

#[test]
fn what_is_no_key_is_passed_over() {
    let deep = format!(r#"{{"kid":"odd","x":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    let twice = rsa_key().to_string().replacen('{', r#"{"kid":"odd","kid":"odd","#, 1);
    let rows = [
        ("null", "null"),
        ("a number", "7"),
        ("a string", r#""key""#),
        ("an array", "[]"),
        ("an empty object", "{}"),
        ("true", "true"),
        ("a number beyond f64", r#"{"kty":1e999}"#),
        ("half a surrogate pair", r#"{"kid":"\ud800"}"#),
        ("a member twice", &twice),
        ("nesting beyond the depth limit", &deep),
    ];
    for_each_row(rows, |(name, raw)| same(name, is_usable(raw), false));
}

#[test]
fn documents() {
    let good = trusted().jwk();
    let padded = |length: usize| {
        let document = json!({ "keys": [good] }).to_string();
        format!("{document}{}", " ".repeat(length - document.len()))
    };
    let rows: Vec<(&str, String, Option<Unusable>)> = vec![
        ("one key", json!({ "keys": [good] }).to_string(), None),
        ("other members", json!({ "keys": [good], "issuer": null, "n": [1] }).to_string(), None),
        ("spaces around", format!(" \n{}\n ", json!({ "keys": [good] })), None),
        ("of 64 KiB", padded(limits::DOCUMENT_BYTES), None),
        ("of a byte more", padded(limits::DOCUMENT_BYTES + 1), Some(Unusable::TooLarge)),
        ("no keys", json!({ "keys": [] }).to_string(), Some(Unusable::NoUsableKey)),
        (
            "unusable keys alone",
            json!({ "keys": [{}, rsa_of_bits(1024)] }).to_string(),
            Some(Unusable::NoUsableKey),
        ),
        ("a byte order mark before it", format!("\u{feff}{}", json!({ "keys": [good] })), None),
        ("a mark and blanks", format!("\u{feff}\r\n {}", json!({ "keys": [good] })), None),
        ("two marks", format!("\u{feff}\u{feff}{}", json!({ "keys": [good] })), Some(Unusable::NotAKeySet)),
        (
            "a mark after a blank",
            format!(" \u{feff}{}", json!({ "keys": [good] })),
            Some(Unusable::NotAKeySet),
        ),
        ("a mark and nothing", "\u{feff}".to_owned(), Some(Unusable::NotAKeySet)),
        ("empty", String::new(), Some(Unusable::NotAKeySet)),
        ("HTML", "<!doctype html>".to_owned(), Some(Unusable::NotAKeySet)),
        ("null", "null".to_owned(), Some(Unusable::NotAKeySet)),
        ("an empty object", "{}".to_owned(), Some(Unusable::NotAKeySet)),
        ("a key that is no set", good.to_string(), Some(Unusable::NotAKeySet)),
        ("an array of keys", json!([good]).to_string(), Some(Unusable::NotAKeySet)),
        ("an array of an array of keys", json!([[good]]).to_string(), Some(Unusable::NotAKeySet)),
        ("keys null", json!({ "keys": null }).to_string(), Some(Unusable::NotAKeySet)),
        ("keys an object", json!({ "keys": { "a": good } }).to_string(), Some(Unusable::NotAKeySet)),
        ("keys a string", json!({ "keys": "x" }).to_string(), Some(Unusable::NotAKeySet)),
        ("keys twice", format!(r#"{{"keys":[{good}],"keys":[{good}]}}"#), Some(Unusable::NotAKeySet)),
        ("cut off", json!({ "keys": [good] }).to_string().replace("]}", "]"), Some(Unusable::NotAKeySet)),
        ("two documents", json!({ "keys": [good] }).to_string().repeat(2), Some(Unusable::NotAKeySet)),
    ];
    for_each_row(rows, |(name, document, expected)| same(name, KeySet::parse(document).err(), *expected));
    let reasons = [Unusable::TooLarge, Unusable::NotAKeySet, Unusable::NoUsableKey].map(Unusable::reason);
    assert_eq!(reasons, ["larger than 64 KiB", "not a JWK Set", "no usable key"]);
}

#[test]
fn keys_past_the_sixty_fourth_are_not_looked_at() {
    let with_last_at = |count: usize| {
        // Unusable ones count, too: looking at them is what costs.
        let mut keys = vec![json!({}); count - 1];
        keys[0] = with(trusted().jwk(), json!({ "kid": "first" }));
        keys.push(with(trusted().jwk(), json!({ "kid": "last" })));
        key_set(&keys).kids().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(with_last_at(limits::KEYS_IN_SET), "first last");
    assert_eq!(with_last_at(limits::KEYS_IN_SET + 1), "first");
}

/// A name, the keys of the set, the token's `kid`, and how many keys are tried.
type SelectRow = (&'static str, Vec<Value>, Option<&'static str>, Result<usize, &'static str>);

#[test]
fn the_keys_to_try() {
    let ec = trusted().public_jwk();
    let es = |kid: &str| with(ec.clone(), json!({ "kid": kid }));
    let no_kid = ec.clone();
    let rsa = |kid: &str| with(rsa_key(), json!({ "kid": kid }));
    let small = |kid: &str| with(rsa_of_bits(1024), json!({ "kid": kid }));
    let rows: Vec<SelectRow> = vec![
        ("by kid", vec![es("a"), es("b")], Some("a"), Ok(1)),
        ("by a kid that is empty", vec![es(""), es("b")], Some(""), Ok(1)),
        ("a key without kid has no empty one", vec![no_kid.clone()], Some(""), Err("kid_unknown")),
        ("no such kid", vec![es("a")], Some("b"), Err("kid_unknown")),
        ("no such kid, one key in all", vec![no_kid.clone()], Some("b"), Err("kid_unknown")),
        ("a kid's case counts", vec![es("a")], Some("A"), Err("kid_unknown")),
        ("the kid of a key of another kind", vec![rsa("a"), es("b")], Some("a"), Err("key_unfit")),
        ("one kid, one of two fits", vec![rsa("a"), es("a")], Some("a"), Ok(1)),
        ("one kid four times", vec![es("a"); 4], Some("a"), Ok(4)),
        ("one kid five times", vec![es("a"); 5], Some("a"), Ok(4)),
        (
            "one kid often, with others between",
            [vec![rsa("a"); 9], vec![es("a"); 2]].concat(),
            Some("a"),
            Ok(2),
        ),
        // Fetching again would not help: the key is there, and unusable.
        ("the kid of an unusable key", vec![small("a"), es("b")], Some("a"), Err("key_unfit")),
        ("the kid of an unusable key and of another", vec![small("a"), es("a")], Some("a"), Ok(1)),
        ("an unusable key without kid", vec![rsa_of_bits(1024), es("b")], Some(""), Err("kid_unknown")),
        ("an unusable key beside, and no such kid", vec![small("a"), es("b")], Some("c"), Err("kid_unknown")),
        ("no kid, an unusable key beside", vec![small("a"), es("b")], None, Ok(1)),
        ("no kid, one key", vec![es("a")], None, Ok(1)),
        ("no kid, one key without kid", vec![no_kid.clone()], None, Ok(1)),
        ("no kid, one that fits", vec![rsa("a"), es("b"), rsa("c")], None, Ok(1)),
        ("no kid, none that fits", vec![rsa("a")], None, Err("key_unfit")),
        ("no kid, two that fit", vec![es("a"), es("b")], None, Err("key_ambiguous")),
        ("no kid, the same key twice", vec![no_kid.clone(), no_kid], None, Err("key_ambiguous")),
    ];
    for_each_row(rows, |(name, keys, kid, expected)| {
        let selected = key_set(keys).select(Algorithm::ES256, *kid);
        same(name, selected.map(|keys| keys.len()).map_err(|r| r.row().reason), *expected)
    });
}

#[test]
fn keys_of_one_kid_are_tried_in_their_order() {
    let as_kid = |key: Value| with(key, json!({ "kid": KID }));
    let wrong = || as_kid(stranger().public_jwk());
    let right = || as_kid(trusted().public_jwk());
    let off_curve = || as_kid(ec_key("P-256", 32, 32));
    let config = config(&settings());
    let rows = vec![
        ("the first", vec![right(), wrong(), wrong()], "accepted", 1),
        ("the second", vec![wrong(), right()], "accepted", 2),
        ("the fourth", vec![wrong(), wrong(), wrong(), right()], "accepted", 4),
        ("the fifth is not tried", vec![wrong(), wrong(), wrong(), wrong(), right()], "signature_invalid", 4),
        ("behind one that is no point of its curve", vec![off_curve(), right()], "accepted", 2),
        ("none", vec![wrong(), wrong()], "signature_invalid", 2),
    ];
    for_each_row(rows, |(name, keys, reason, checks)| {
        let run = support::engine::run_with(resource(&config), &trusted().good(), &key_set(keys));
        same(name, (run.reason(), run.checks), (*reason, *checks))
    });
}

#[test]
fn material_is_as_big_endian_values_are() {
    let with_zeros =
        with(rsa_key(), json!({ "n": b64([vec![0], vec![0xff; 256]].concat()), "e": b64([0, 1, 0, 1]) }));
    let set = key_set(&[with_zeros, ec_key("P-521", 66, 66), okp_key("Ed25519", 32)]);
    let material = |algorithm| set.select(algorithm, None).unwrap()[0].material.clone();
    assert_eq!(material(Algorithm::RS256), Material::Rsa { n: vec![0xff; 256], e: vec![1, 0, 1] });
    assert_eq!(material(Algorithm::ES512), Material::Ec { crv: "P-521", x: vec![1; 66], y: vec![2; 66] });
    assert_eq!(material(Algorithm::EdDSA), Material::Ed25519 { x: vec![3; 32] });
}
