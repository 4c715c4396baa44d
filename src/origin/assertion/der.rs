//! PKCS#8 (RFC 5958), as far as it takes to find the private value of a P-256 key (RFC 5915) or of
//! an Ed25519 key (RFC 8410), and to write one.

use crate::keys::algorithm::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// 1.2.840.10045.2.1, id-ecPublicKey.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7, P-256.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.101.112, Ed25519.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Private values have this many bytes, on both curves.
pub type Private = [u8; 32];

/// The blocks of a text that is nothing but PEM blocks of PKCS#8 keys. Line ends may be `\n` in two
/// characters, as files of variables have them.
pub fn pem_blocks(text: &str) -> Option<Vec<Vec<u8>>> {
    let text = text.replace("\\n", "\n");
    let mut rest = text.trim();
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let (inside, after) = rest.strip_prefix(BEGIN)?.split_once(END)?;
        let inside: String = inside.split_ascii_whitespace().collect();
        blocks.push(STANDARD.decode(inside).ok()?);
        rest = after.trim_start();
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// The algorithm and the private value of a PKCS#8 key.
pub fn read(der: &[u8]) -> Option<(Algorithm, Private)> {
    let (info, rest) = take(der, SEQUENCE)?;
    let (version, info) = take(info, INTEGER)?;
    let (algorithm, info) = take(info, SEQUENCE)?;
    let (key, _attributes_and_public_key) = take(info, OCTET_STRING)?;
    let (identifier, parameters) = take(algorithm, OBJECT_IDENTIFIER)?;
    if !rest.is_empty() || !matches!(version, [0 | 1]) {
        return None;
    }
    match identifier {
        EC => {
            let (curve, rest) = take(parameters, OBJECT_IDENTIFIER)?;
            let (key, after) = take(key, SEQUENCE)?;
            let (version, key) = take(key, INTEGER)?;
            let (private, _parameters_and_public_key) = take(key, OCTET_STRING)?;
            let sound = curve == P256 && rest.is_empty() && after.is_empty() && version == [1];
            sound.then_some((Algorithm::ES256, private.try_into().ok()?))
        }
        ED25519 => {
            let (private, rest) = take(key, OCTET_STRING)?;
            (parameters.is_empty() && rest.is_empty()).then_some((Algorithm::EdDSA, private.try_into().ok()?))
        }
        _ => None,
    }
}

/// The PKCS#8 key of a private value, without its public one.
pub fn write(algorithm: Algorithm, private: &Private) -> Vec<u8> {
    let octets = tagged(OCTET_STRING, private);
    let (identifiers, key) = match algorithm {
        Algorithm::EdDSA => (tagged(OBJECT_IDENTIFIER, ED25519), octets),
        _ => (
            [tagged(OBJECT_IDENTIFIER, EC), tagged(OBJECT_IDENTIFIER, P256)].concat(),
            tagged(SEQUENCE, &[tagged(INTEGER, &[1]), octets].concat()),
        ),
    };
    let info = [tagged(INTEGER, &[0]), tagged(SEQUENCE, &identifiers), tagged(OCTET_STRING, &key)];
    tagged(SEQUENCE, &info.concat())
}

/// The contents of the element that comes first, if it has this tag, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match (*length, rest) {
        (short @ 0..=0x7f, rest) => (usize::from(short), rest),
        (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    if *found != tag { None } else { rest.split_at_checked(length) }
}

/// An element of less than 128 bytes, which all of ours are.
fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
    [&[tag, contents.len() as u8], contents].concat()
}
