//! How names of header fields are compared, everywhere.
//!
//! Servers hand headers on as variables (RFC 3875 section 4.1.18), and many read `-`, `_` and `.`
//! as one and the same character there. So every character that is no letter and no digit is read
//! as `-` here (CVE-2025-64484), and letters without regard to case.

/// Whether two names are one to some server.
pub fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// Whether some server may take a name for one that begins so.
pub fn begins_with(name: &str, start: &str) -> bool {
    name.len() >= start.len() && name.bytes().zip(start.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// A name as all of its spellings are read: small letters, digits and `-`.
pub fn folded(name: &str) -> String {
    name.bytes().map(|byte| char::from(fold(byte))).collect()
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}
