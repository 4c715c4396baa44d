//! What a caller is called in reports: the same for one issuer and subject, and a hash that nobody
//! can tell anything from who has no key, nor try subjects with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::limits;
use crate::secret::Secret;
use crate::token::identity::Identity;

/// What a MAC of this kind begins with, so that a key that has other uses cannot be played off
/// against them.
const LABEL: &str = "mcp-edge-auth audit 1";

/// The key that callers are renamed with.
#[derive(Clone, Debug)]
pub struct Pseudonyms(Secret<Hmac<Sha256>>);

impl Pseudonyms {
    pub fn new(key: &str) -> Option<Self> {
        Hmac::new_from_slice(key.as_bytes()).ok().map(|key| Self(Secret::new(key)))
    }

    /// The start of HMAC-SHA-256 over issuer and subject, each framed by its length, so that no two
    /// of them can be read as two others.
    pub fn of(&self, identity: &Identity) -> String {
        let (issuer, subject) = (identity.issuer(), identity.subject());
        let mut mac = self.0.expose().clone();
        mac.update(format!("{LABEL}:{}:{issuer},{}:{subject},", issuer.len(), subject.len()).as_bytes());
        let mut name = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        name.truncate(limits::PSEUDONYM_CHARS);
        name
    }
}
