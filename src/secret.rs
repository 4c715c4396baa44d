//! A value that must not be printed: it has no `Display`, and its `Debug` tells nothing. And what
//! secrets are used for in several places: tags of HMAC-SHA-256.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::base64url;

/// A secret setting, or a part of one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// For the one who needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Keys of HMAC-SHA-256. The first makes tags, all are accepted.
#[derive(Clone, Debug, Default)]
pub struct MacKeys(Vec<Secret<Hmac<Sha256>>>);

impl MacKeys {
    /// `None`: there are none.
    pub fn new(keys: &[String]) -> Option<Self> {
        let keys: Option<Vec<_>> =
            keys.iter().map(|key| Hmac::new_from_slice(key.as_bytes()).ok().map(Secret::new)).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self)
    }

    /// Whether there are none, so that no tag is made and none is good.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of some parts, in base64url.
    pub fn tag(&self, parts: &[&str]) -> Option<String> {
        let key = self.0.first()?;
        Some(URL_SAFE_NO_PAD.encode(mac(key, parts).finalize().into_bytes()))
    }

    /// Whether it is the tag of these parts, compared in constant time. `None`: it cannot be one.
    pub fn is_tag(&self, tag: &str, parts: &[&str]) -> Option<bool> {
        let tag = base64url::decode(tag).filter(|tag| tag.len() == 32)?;
        Some(self.0.iter().any(|key| mac(key, parts).verify_slice(&tag).is_ok()))
    }
}

fn mac(key: &Secret<Hmac<Sha256>>, parts: &[&str]) -> Hmac<Sha256> {
    let mut framed = String::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        frame(&mut framed, part);
    }
    let mut mac = key.expose().clone();
    mac.update(framed.as_bytes());
    mac
}

/// Puts a part behind its length, so that no parts can be read as others.
pub fn frame(into: &mut String, part: &str) {
    _ = write!(into, "{}:{part},", part.len()); // into memory: it cannot fail
}
