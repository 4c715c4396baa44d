//! The protected resource metadata document (RFC 9728 sections 2 and 3.2), built once.
//!
//! 1. `resource` is the canonical URL exactly as set, or clients must discard the document (section 3.3).
//! 2. `authorization_servers` are the URLs as set, in first-seen order, without duplicates: clients compare them with the issuer byte for byte.
//! 3. No null and no empty array (section 3.2).
//! 4. It needs no key, no KV and no network, and never fails.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::config::{Canonical, Entry};
use crate::limits;

pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The document; none if no entry names an authorization server, as in the single-issuer form.
pub(crate) fn document(
    canonical: &Canonical,
    entries: &[Entry],
    scopes_supported: &[String],
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
    let mut document = json!({
        "resource": canonical.as_str(),
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
    });
    if let (Value::Object(members), false) = (&mut document, scopes_supported.is_empty()) {
        members.insert("scopes_supported".to_owned(), json!(scopes_supported));
    }
    Some(document.to_string())
}

/// The answer with the document. It is public: any page may read it, any cache may keep it.
pub(crate) fn answer(document: &str) -> Answer {
    let mut answer = Answer::json(200, document);
    answer.set("Cache-Control", format!("public, max-age={}", limits::METADATA_MAX_AGE));
    answer
}
