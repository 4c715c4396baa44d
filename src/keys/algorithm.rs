//! The table of algorithms: the only place that knows their properties.

/// The algorithms there are here. Symmetric ones and `none` cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    RsaPkcs1,
    RsaPss,
    Ecdsa,
    Ed25519,
}

/// The only place that knows an algorithm's properties (RFC 7518 section 3.1, RFC 8037 section
/// 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub scheme: Scheme,
    pub kty: &'static str,
    pub crv: Option<&'static str>,
    /// As WebCrypto names it; Ed25519 brings its own.
    pub hash: Option<&'static str>,
    /// Bytes of a PSS salt, as long as the hash (RFC 7518 section 3.5).
    pub salt: u32,
}

impl Algorithm {
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    pub const fn row(self) -> Row {
        const fn rsa(name: &'static str, scheme: Scheme, hash: &'static str, salt: u32) -> Row {
            Row { name, scheme, kty: "RSA", crv: None, hash: Some(hash), salt }
        }
        const fn ec(name: &'static str, crv: &'static str, hash: &'static str) -> Row {
            Row { name, scheme: Scheme::Ecdsa, kty: "EC", crv: Some(crv), hash: Some(hash), salt: 0 }
        }
        match self {
            Self::RS256 => rsa("RS256", Scheme::RsaPkcs1, "SHA-256", 0),
            Self::RS384 => rsa("RS384", Scheme::RsaPkcs1, "SHA-384", 0),
            Self::RS512 => rsa("RS512", Scheme::RsaPkcs1, "SHA-512", 0),
            Self::PS256 => rsa("PS256", Scheme::RsaPss, "SHA-256", 32),
            Self::PS384 => rsa("PS384", Scheme::RsaPss, "SHA-384", 48),
            Self::PS512 => rsa("PS512", Scheme::RsaPss, "SHA-512", 64),
            Self::ES256 => ec("ES256", "P-256", "SHA-256"),
            Self::ES384 => ec("ES384", "P-384", "SHA-384"),
            Self::ES512 => ec("ES512", "P-521", "SHA-512"),
            Self::EdDSA => Row {
                name: "EdDSA",
                scheme: Scheme::Ed25519,
                kty: "OKP",
                crv: Some("Ed25519"),
                hash: None,
                salt: 0,
            },
        }
    }

    /// Case-sensitive, as RFC 7515 section 4.1.1 says. `Ed25519` (RFC 9864) is `EdDSA` with the one
    /// curve there is here.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|a| a.row().name == name)
    }
}
