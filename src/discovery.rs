//! Where an issuer's keys are: RFC 8414 section 3.1, then OpenID Connect Discovery 1.0 section 4.
//!
//! 1. The document's `issuer` equals the configured one exactly (RFC 8414 section 3.3), or it is somebody else's.
//! 2. Its `jwks_uri` is https, or http on loopback.

use crate::config::is_public_url;
use crate::json::{self, Object};

/// Where an issuer's metadata may be, in the order of asking.
pub fn metadata_urls(issuer: &str) -> [String; 2] {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let host_end = issuer
        .find("://")
        .and_then(|at| issuer.get(at + 3..)?.find('/').map(|slash| at + 3 + slash))
        .unwrap_or(issuer.len());
    let (host, path) = issuer.split_at_checked(host_end).unwrap_or((issuer, ""));
    [
        format!("{host}/.well-known/oauth-authorization-server{path}"),
        format!("{issuer}/.well-known/openid-configuration"),
    ]
}

/// Why a metadata document does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    NotMetadata,
    /// The document is another issuer's: the entry's `issuer` is wrong, or the server's is.
    IssuerMismatch,
    JwksUri,
}

impl Unusable {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotMetadata => "the issuer's metadata is not a JSON object",
            Self::IssuerMismatch => "the metadata's issuer is not the configured issuer",
            Self::JwksUri => "the metadata's jwks_uri is missing, or neither https nor http on loopback",
        }
    }
}

/// An issuer's metadata document, if it is that.
pub fn metadata(document: &str, issuer: &str) -> Result<Object, Unusable> {
    let document = json::object(document.as_bytes()).ok_or(Unusable::NotMetadata)?;
    if document.get("issuer").and_then(|v| v.as_str()) != Some(issuer) {
        return Err(Unusable::IssuerMismatch);
    }
    Ok(document)
}

/// The `jwks_uri` of an issuer's metadata document.
pub fn jwks_uri(document: &str, issuer: &str) -> Result<String, Unusable> {
    let document = metadata(document, issuer)?;
    let uri = document.get("jwks_uri").and_then(|v| v.as_str()).filter(|uri| is_public_url(uri));
    uri.map(str::to_owned).ok_or(Unusable::JwksUri)
}
