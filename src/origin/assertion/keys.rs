//! The keys that assertions are signed with, and what is published of them.
//!
//! 1. P-256 (ES256) and Ed25519 (EdDSA), as a private JWK (RFC 7517) or as PKCS#8 in PEM; a list of
//!    them for rotation. The first signs. Of a key that only has signed, the public JWK will do: a
//!    secret cannot be read back, but what was published can.
//! 2. A private value is in no fault, no log line and no published document.
//! 3. What a key's public value is, the runtime's WebCrypto says: one that does not belong to the
//!    private value, or a private value that is none, is a fault. The Worker serves nothing before
//!    that is known.
//! 4. A key without `kid` is named by its thumbprint (RFC 7638).

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::der::{self, Private};
use crate::base64url;
use crate::fault::Fault;
use crate::http::response::LocalResponse;
use crate::json::Object;
use crate::keys::algorithm::Algorithm;
use crate::keys::set::Material;
use crate::keys::thumbprint::{self, required};
use crate::limits;
use crate::secret::Secret;

pub(crate) const EXPECTED: &str =
    "a private key of P-256 or Ed25519: a JWK, or PKCS#8 in PEM; or a list of them, of which the first signs";

/// A key that was read, but not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    algorithm: Algorithm,
    kid: Option<String>,
    /// A key that has none is published only.
    private: Option<Secret<Private>>,
    /// As the JWK says; a PEM says none.
    public: Option<Material>,
}

/// All keys, and what is published of them once they were judged.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    /// The variable's name, for faults.
    variable: String,
    /// Never empty; the first signs.
    keys: Vec<ListedKey>,
    published: OnceCell<Published>,
}

#[derive(Clone, Debug)]
struct Published {
    /// The JWK Set.
    document: String,
    /// The encoded header of what the first key signs.
    header: String,
}

impl ListedKey {
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The private key, as WebCrypto imports it.
    pub fn pkcs8(&self) -> Option<Vec<u8>> {
        self.private.as_ref().map(|private| der::write(self.algorithm, private.expose()))
    }

    /// The public values, where they come with the key.
    pub const fn public(&self) -> Option<&Material> {
        self.public.as_ref()
    }
}

impl SigningKeys {
    /// Reads the variable's value. `Err`: the field and what was expected there, never a value.
    pub fn read(variable: &str, value: &Value) -> Result<Self, Vec<(String, String)>> {
        let whole = || vec![(String::new(), EXPECTED.to_owned())];
        let items = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(n, item)| (format!("[{n}]"), item)).collect()
            }
            Value::Object(set) if set.contains_key("keys") => match set.get("keys").and_then(Value::as_array)
            {
                Some(items) => {
                    items.iter().enumerate().map(|(n, item)| (format!(".keys[{n}]"), item)).collect()
                }
                None => return Err(whole()),
            },
            one => vec![(String::new(), one)],
        };
        let mut keys = Vec::new();
        let mut faults = Vec::new();
        for (field, item) in items {
            match private_keys(item) {
                Ok(found) => keys.extend(found),
                Err((member, expected)) => faults.push((format!("{field}{member}"), expected.to_owned())),
            }
        }
        if keys.is_empty() && faults.is_empty() || keys.len() > limits::ASSERTION_KEYS {
            faults.push((String::new(), format!("{EXPECTED}, at most {}", limits::ASSERTION_KEYS)));
        }
        let kids: Vec<_> = keys.iter().filter_map(|key: &ListedKey| key.kid.as_deref()).collect();
        if kids.iter().enumerate().any(|(n, kid)| kids.iter().take(n).any(|other| other == kid)) {
            faults.push((String::new(), "keys with different kids".to_owned()));
        }
        if keys.first().is_some_and(|first| first.private.is_none()) {
            faults
                .push((String::new(), "a private key, with its d, in the first place: it signs".to_owned()));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { variable: variable.to_owned(), keys, published: OnceCell::new() })
    }

    pub fn keys(&self) -> &[ListedKey] {
        &self.keys
    }

    /// Publishes the keys with the public values that belong to them, in their order; `None`: the
    /// private value is none.
    pub fn publish(&self, public: &[Option<Material>]) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut published: Vec<(String, String)> = Vec::new();
        for (n, key) in self.keys.iter().enumerate() {
            let fault = |expected: &str| Fault::new(&self.variable, &format!(" (key {})", n + 1), expected);
            match public.get(n).and_then(Option::as_ref) {
                Some(material) if key.public.as_ref().is_some_and(|said| said != material) => {
                    faults.push(fault("a key whose public values belong to the private one"));
                }
                Some(material) => {
                    let kid = key.kid.clone().unwrap_or_else(|| thumbprint(material));
                    if published.iter().any(|(other, _)| *other == kid) {
                        faults.push(fault("a key that is not in the list already"));
                    }
                    let jwk = jwk(material, key.algorithm, &kid);
                    published.push((kid, jwk));
                }
                None => faults.push(fault("a private value that its curve has")),
            }
        }
        let (Some(first), Some((kid, _))) = (self.keys.first(), published.first()) else {
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let alg = first.algorithm.row().name;
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":{}}}"#, quoted(kid));
        let jwks: Vec<&str> = published.iter().map(|(_, jwk)| jwk.as_str()).collect();
        let document = format!(r#"{{"keys":[{}]}}"#, jwks.join(","));
        _ = self.published.set(Published { document, header: encoded(header) });
        Ok(())
    }

    /// What is wrong where the runtime does not take the key that signs.
    pub fn unusable(&self) -> Fault {
        Fault::new(&self.variable, "", EXPECTED)
    }

    /// The encoded header of an assertion, once the keys were judged.
    pub fn header(&self) -> Option<&str> {
        self.published.get().map(|published| published.header.as_str())
    }

    /// The answer with the public keys, once they were judged. Any page may read it; caches keep it
    /// for as long as a rotation may be held up by it.
    pub(crate) fn answer(&self) -> Option<LocalResponse> {
        let mut answer = LocalResponse::json(200, self.published.get()?.document.as_str());
        answer.set("Cache-Control", format!("public, max-age={}", limits::ASSERTION_JWKS_MAX_AGE));
        Some(answer)
    }
}

type Misread = (String, &'static str);

/// The keys of one item: a JWK, or the PEM blocks of a text.
fn private_keys(item: &Value) -> Result<Vec<ListedKey>, Misread> {
    match item {
        Value::String(text) => {
            let keys =
                der::pem_blocks(text).and_then(|blocks| blocks.iter().map(|der| from_pkcs8(der)).collect());
            keys.ok_or((String::new(), EXPECTED))
        }
        Value::Object(jwk) => from_jwk(jwk).map(|key| vec![key]),
        _ => Err((String::new(), EXPECTED)),
    }
}

fn from_pkcs8(der: &[u8]) -> Option<ListedKey> {
    let (algorithm, private) = der::read(der)?;
    Some(ListedKey { algorithm, kid: None, private: Some(Secret::new(private)), public: None })
}

/// RFC 7518 section 6.2 and RFC 8037 section 2. What is said of the key's use must allow signing.
fn from_jwk(jwk: &Object) -> Result<ListedKey, Misread> {
    let misread = |member: &str, expected| (format!(".{member}"), expected);
    let text = |member: &str| jwk.get(member).and_then(Value::as_str);
    let bytes = |member: &str| -> Result<Private, Misread> {
        let decoded = text(member).and_then(base64url::decode).and_then(|bytes| bytes.try_into().ok());
        decoded.ok_or_else(|| misread(member, "32 bytes in base64url"))
    };
    let algorithm = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => Algorithm::ES256,
        (Some("OKP"), Some("Ed25519")) => Algorithm::EdDSA,
        (Some("EC" | "OKP"), _) => return Err(misread("crv", "P-256 or Ed25519")),
        _ => return Err(misread("kty", "EC or OKP")),
    };
    let private = if jwk.contains_key("d") { Some(Secret::new(bytes("d")?)) } else { None };
    let x = bytes("x")?.to_vec();
    let public = match algorithm {
        Algorithm::EdDSA => Material::Ed25519 { x },
        _ => Material::Ec { crv: "P-256", x, y: bytes("y")?.to_vec() },
    };
    if jwk.contains_key("alg") && text("alg").and_then(Algorithm::from_name) != Some(algorithm) {
        return Err(misread("alg", "the algorithm of its curve: ES256 or EdDSA"));
    }
    if jwk.contains_key("use") && text("use") != Some("sig") {
        return Err(misread("use", "sig"));
    }
    let needed = if private.is_some() { "sign" } else { "verify" };
    let has_needed = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == needed));
    if jwk.get("key_ops").is_some_and(|ops| !has_needed(ops)) {
        return Err(misread("key_ops", "an array with sign, or with verify for a public key"));
    }
    let kid = text("kid").filter(|kid| !kid.is_empty() && kid.len() <= limits::LOGGED_KID_CHARS);
    if jwk.contains_key("kid") && kid.is_none() {
        return Err(misread("kid", "a text of 1 to 128 bytes"));
    }
    Ok(ListedKey { algorithm, kid: kid.map(str::to_owned), private, public: Some(public) })
}

/// The public key as it is published. What is private is not even at hand here.
fn jwk(material: &Material, algorithm: Algorithm, kid: &str) -> String {
    let (alg, kid) = (algorithm.row().name, quoted(kid));
    format!(r#"{{{},"kid":{kid},"alg":"{alg}","use":"sig"}}"#, required(material))
}

/// RFC 7638, with SHA-256.
pub fn thumbprint(material: &Material) -> String {
    encoded(thumbprint::thumbprint(material))
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default() // into memory: it cannot fail
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
