//! Whether two http or https URIs are one address: the equivalence of RFC 3986 sections 6.2.2 and
//! 6.2.3.
//!
//! 1. Scheme and host are compared without regard to case; a default or empty port is none; no path
//!    is the path `/`; dot segments are resolved; a percent-encoding of an unreserved character is
//!    that character, and the digits of all others are compared without regard to case.
//! 2. Query and fragment do not count.
//! 3. What has credentials in it, or a character that a URI has not, is no address.

use crate::http::url;

/// Whether they are one.
pub fn same(one: &str, other: &str) -> bool {
    normal(one).is_some_and(|one| normal(other).is_some_and(|other| one == other))
}

/// The form that all URIs of one address have in common.
fn normal(uri: &str) -> Option<String> {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let url = url::absolute(uri)?;
    let mut normal = url.origin;
    let mut rest = url.path.as_str();
    while let Some((plain, encoded)) = rest.split_once('%') {
        normal.push_str(plain);
        let byte = encoded.get(..2).and_then(byte);
        match byte {
            Some(byte) if is_unreserved(byte) => normal.push(char::from(byte)),
            Some(byte) => normal.push_str(&format!("%{byte:02X}")),
            None => normal.push('%'),
        }
        rest = if byte.is_some() { encoded.get(2..)? } else { encoded };
    }
    normal.push_str(rest);
    Some(normal)
}

/// The byte that two hexadecimal digits stand for.
fn byte(digits: &str) -> Option<u8> {
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit()); // no sign
    u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
