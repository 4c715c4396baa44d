//! Private keys in their forms: what is read of a JWK and of PKCS#8, what is refused, and
//! thumbprints.

use jwt_simple::prelude::*;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::set::Material;
use mcp_edge_auth::origin::assertion::der::{pem_blocks, read, write};
use mcp_edge_auth::origin::assertion::keys::{SigningKeys, thumbprint};
use proptest::prelude::*;
use serde_json::json;

use crate::support::arbitrary::quick;
use crate::support::{for_each_row, same, unb64};

#[test]
fn thumbprints() {
    // RFC 8037 appendix A.3.
    let x = unb64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(thumbprint(&Material::Ed25519 { x }), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 7638 section 3.1.
    let n = unb64(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    );
    let e = unb64("AQAB");
    assert_eq!(thumbprint(&Material::Rsa { n, e }), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// jwt-simple and RustCrypto write what is read here, and read what is written here.
#[test]
fn pkcs8_of_others() {
    let ed = Ed25519KeyPair::generate();
    let (algorithm, private) = read(&ed.to_der()).unwrap();
    assert_eq!(algorithm, Algorithm::EdDSA);
    let again = Ed25519KeyPair::from_der(&write(Algorithm::EdDSA, &private)).unwrap();
    assert_eq!(again.to_bytes(), ed.to_bytes());

    let es = ES256KeyPair::generate();
    let blocks = pem_blocks(&es.to_pem().unwrap()).unwrap();
    let (algorithm, private) = read(&blocks[0]).unwrap();
    assert_eq!(algorithm, Algorithm::ES256);
    let again = ES256KeyPair::from_bytes(&private).unwrap();
    assert_eq!(again.to_bytes(), es.to_bytes());
}

#[test]
fn der_that_is_no_key_of_ours() {
    let good = write(Algorithm::ES256, &[7; 32]);
    assert_eq!(read(&good), Some((Algorithm::ES256, [7; 32])));
    let with = |at: usize, byte: u8| {
        let mut der = good.clone();
        der[at] = byte;
        der
    };
    for (at, was) in good.iter().enumerate().take(good.len() - 32) {
        for byte in [0, 1, 0x7f, 0x80, 0x81, 0x82, 0xff, was ^ 1] {
            let read = read(&with(at, byte));
            // Some bytes say nothing here: version 1 has a public key after it, which is not asked
            // for.
            assert!(read.is_none() || read == Some((Algorithm::ES256, [7; 32])), "byte {at} as {byte}");
        }
    }
    for end in 0..good.len() {
        assert_eq!(read(&good[..end]), None, "cut at {end}");
    }
    assert_eq!(read(&[good, vec![0]].concat()), None, "a byte more");
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn any_bytes_and_texts_are_read_or_not(der in proptest::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let _read = read(&der);
        let _blocks = pem_blocks(&text);
    }

    #[test]
    fn what_is_written_is_read(private in any::<[u8; 32]>(), ed in any::<bool>()) {
        let algorithm = if ed { Algorithm::EdDSA } else { Algorithm::ES256 };
        prop_assert_eq!(read(&write(algorithm, &private)), Some((algorithm, private)));
    }
}

#[test]
fn pem_texts() {
    let block = |inside: &str| format!("-----BEGIN PRIVATE KEY-----\n{inside}\n-----END PRIVATE KEY-----\n");
    let rows = [
        ("one", block("AAAA"), Some(1)),
        ("two", block("AAAA") + &block("AA=="), Some(2)),
        ("space around", format!("\n  {}\r\n", block("AA\r\nAA")), Some(1)),
        ("one line", block("AAAA").replace('\n', "\\n"), Some(1)),
        ("nothing", String::new(), None),
        ("no base64", block("AA!A"), None),
        ("text before", format!("key {}", block("AAAA")), None),
        ("text after", format!("{} key", block("AAAA")), None),
        ("no end", "-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(), None),
        ("encrypted", block("AAAA").replace("PRIVATE", "ENCRYPTED PRIVATE"), None),
        ("EC", block("AAAA").replace("PRIVATE", "EC PRIVATE"), None),
    ];
    for_each_row(rows, |(name, text, count)| same(name, pem_blocks(text).map(|b| b.len()), *count));
}

#[test]
fn too_many_keys() {
    let key = |n: usize| json!({ "kty": "OKP", "crv": "Ed25519", "d": "A".repeat(43), "x": "A".repeat(43), "kid": n.to_string() });
    let keys = |count: usize| SigningKeys::read("V", &(0..count).map(key).collect());
    assert!(keys(8).is_ok());
    assert!(keys(9).is_err() && keys(0).is_err());
}

#[test]
fn names_of_keys_have_a_length() {
    let read = |kid: &str| {
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "d": "A".repeat(43), "x": "A".repeat(43), "kid": kid });
        SigningKeys::read("V", &key).map(|_| ()).map_err(|faults| faults[0].0.clone())
    };
    let rows = [
        ("one byte", "k".to_owned(), true),
        ("128 bytes", "k".repeat(128), true),
        ("129 bytes", "k".repeat(129), false),
        ("128 characters of two bytes", "\u{e9}".repeat(128), false),
        ("64 of them", "\u{e9}".repeat(64), true),
        ("none", String::new(), false),
    ];
    for_each_row(rows, |(name, kid, is_read)| {
        same(name, read(kid), if *is_read { Ok(()) } else { Err(".kid".to_owned()) })
    });
}
