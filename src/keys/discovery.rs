//! Where an issuer's metadata is, and where that says its keys are (RFC 8414, OpenID Connect
//! Discovery 1.0). The Worker looks there for keys and for the copy, and the doctor does too.
//!
//! 1. The places are asked in MCP's order (2026-07-28, authorization server metadata discovery).
//! 2. A document's `issuer` equals the one that was asked exactly (RFC 8414 section 3.3), or the
//!    document is somebody else's and nothing in it is believed.
//! 3. Its `jwks_uri` is https, or http on loopback.
//! 4. A place that has no such document, whatever else it has, is a miss, and the next one is
//!    asked.

use crate::http::url::is_public_url;
use crate::json::{self, Object};

/// What is asked for, also where a key set is: servers that serve one type of the two only answer
/// 406 to the other (Kubernetes, UAA).
pub const ACCEPT: &str = "application/json, application/jwk-set+json";

/// Where an issuer's metadata may be, in the order of asking: RFC 8414 section 3.1 inserted, OpenID
/// Connect inserted, OpenID Connect appended. Without a path the last two are one.
pub fn metadata_urls(issuer: &str) -> Vec<String> {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let host_end = issuer
        .find("://")
        .and_then(|at| issuer.get(at + 3..)?.find('/').map(|slash| at + 3 + slash))
        .unwrap_or(issuer.len());
    let (host, path) = issuer.split_at_checked(host_end).unwrap_or((issuer, ""));
    let mut places = vec![
        format!("{host}/.well-known/oauth-authorization-server{path}"),
        format!("{host}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{issuer}/.well-known/openid-configuration"));
    }
    places
}

/// What the places gave that all missed, for an operator. A query, which may hold a key, stays out.
pub fn misses<'m>(gave: impl IntoIterator<Item = (&'m str, &'m str)>) -> String {
    let without_query = |url: &'m str| url.split('?').next().unwrap_or_default();
    let gave = gave.into_iter().map(|(url, reason)| format!("{}: {reason}", without_query(url)));
    gave.collect::<Vec<_>>().join("; ")
}

/// Why a metadata document does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    NotMetadata,
    /// The document is another issuer's: the entry's `issuer` is wrong, or the server's is.
    IssuerMismatch,
    JwksUri,
    IntrospectionEndpoint,
}

impl Unusable {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotMetadata => "not a JSON object",
            Self::IssuerMismatch => "its issuer is not the configured issuer",
            Self::IntrospectionEndpoint => {
                "its introspection_endpoint is missing, or neither https nor http on loopback"
            }
            Self::JwksUri => "its jwks_uri is missing, or neither https nor http on loopback",
        }
    }
}

/// An issuer's metadata document, if it is that.
pub fn metadata(document: &str, issuer: &str) -> Result<Object, Unusable> {
    let document = json::without_mark(document);
    let document = json::object(document.as_bytes()).ok_or(Unusable::NotMetadata)?;
    if document.get("issuer").and_then(|v| v.as_str()) != Some(issuer) {
        return Err(Unusable::IssuerMismatch);
    }
    Ok(document)
}

/// The `jwks_uri` of an issuer's metadata document.
pub fn jwks_uri(document: &str, issuer: &str) -> Result<String, Unusable> {
    public_url(document, issuer, "jwks_uri").and_then(|uri| uri.ok_or(Unusable::JwksUri))
}

/// The `introspection_endpoint` of an issuer's metadata document (RFC 8414 section 2).
pub fn introspection_endpoint(document: &str, issuer: &str) -> Result<String, Unusable> {
    let url = public_url(document, issuer, "introspection_endpoint")?;
    url.ok_or(Unusable::IntrospectionEndpoint)
}

fn public_url(document: &str, issuer: &str, name: &str) -> Result<Option<String>, Unusable> {
    let document = metadata(document, issuer)?;
    let url = document.get(name).and_then(|v| v.as_str()).filter(|url| is_public_url(url));
    Ok(url.map(str::to_owned))
}
