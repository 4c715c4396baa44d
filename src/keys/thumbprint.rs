//! What names a public key by its values: the thumbprint of RFC 7638, with SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::keys::set::Material;

/// The members of a public key that a thumbprint is made of, in the order of their names (RFC 7638
/// section 3.2, RFC 8037 appendix A.3).
pub fn required(material: &Material) -> String {
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match material {
        Material::Ec { crv, x, y } => {
            format!(r#""crv":"{crv}","kty":"EC","x":"{}","y":"{}""#, encoded(x), encoded(y))
        }
        Material::Ed25519 { x } => format!(r#""crv":"Ed25519","kty":"OKP","x":"{}""#, encoded(x)),
        Material::Rsa { n, e } => format!(r#""e":"{}","kty":"RSA","n":"{}""#, encoded(e), encoded(n)),
    }
}

/// The thumbprint, before it is encoded.
pub fn thumbprint(material: &Material) -> [u8; 32] {
    Sha256::digest(format!("{{{}}}", required(material))).into()
}
