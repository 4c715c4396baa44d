//! The protected resource metadata document (RFC 9728 sections 2 and 3.2), built once.
//!
//! 1. `resource` is the canonical URL exactly as set, or clients must discard the document (section
//!    3.3).
//! 2. `authorization_servers` are the URLs as set, in first-seen order, without duplicates: clients
//!    compare them with the issuer byte for byte.
//! 3. No null and no empty array (section 3.2).
//! 4. It needs no key, no KV and no network, and never fails.

use serde::Serialize;

use crate::http::response::LocalResponse;
use crate::limits;
use crate::refusal::DpopOffer;
use crate::resource::canonical::Canonical;
use crate::token::trusted_issuer::TrustedIssuer;

/// What the operator says of the server; in the metadata document, too (RFC 9728 section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub name: Option<String>,
    pub documentation: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

#[derive(Serialize)]
struct Document<'c> {
    resource: &'c str,
    authorization_servers: Vec<&'c str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    scopes_supported: &'c [String],
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_signing_alg_values_supported: Option<&'c [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_bound_access_tokens_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<&'c str>,
}

/// The document; none if no entry names an authorization server, as in the single-issuer form.
pub(crate) fn document(
    canonical: &Canonical,
    entries: &[TrustedIssuer],
    scopes_supported: &[String],
    about: &About,
    dpop: Option<&DpopOffer>,
) -> Option<String> {
    let mut servers: Vec<&str> = Vec::new();
    for url in entries.iter().filter_map(|entry| entry.authorization_server_url.as_deref()) {
        if !servers.contains(&url) {
            servers.push(url);
        }
    }
    if servers.is_empty() {
        return None;
    }
    let document = Document {
        resource: canonical.as_str(),
        authorization_servers: servers,
        scopes_supported,
        bearer_methods_supported: ["header"],
        dpop_signing_alg_values_supported: dpop.map(|offer| offer.algorithms.as_slice()),
        dpop_bound_access_tokens_required: dpop.filter(|offer| offer.is_alone).map(|_| true),
        resource_name: about.name.as_deref(),
        resource_documentation: about.documentation.as_deref(),
        resource_policy_uri: about.policy_uri.as_deref(),
        resource_tos_uri: about.tos_uri.as_deref(),
    };
    serde_json::to_string(&document).ok()
}

/// The answer with the document. It is public: any page may read it, any cache may keep it.
pub(crate) fn answer(document: &str) -> LocalResponse {
    let mut answer = LocalResponse::json(200, document);
    answer.set("Cache-Control", format!("public, max-age={}", limits::METADATA_MAX_AGE));
    answer
}
