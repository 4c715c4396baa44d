//! The authorization servers as MCP clients see them (MCP 2026-07-28, authorization server discovery; RFC 8414; OpenID Connect Discovery 1.0).

use mcp_edge_auth::config::{Config, Entry, KeySource, Resource};
use mcp_edge_auth::discovery;
use mcp_edge_auth::json::{self, Object};
use serde_json::Value;

use super::exchange::Network;
use super::report::Report;

pub(crate) fn check(config: &Config, resource: &Resource, network: &mut Network, report: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for url in resource.entries.iter().filter_map(|entry| entry.authorization_server_url.as_deref()) {
        if !seen.contains(&url) {
            seen.push(url);
            let entries: Vec<&Entry> = resource
                .entries
                .iter()
                .filter(|e| e.authorization_server_url.as_deref() == Some(url))
                .collect();
            Server { url, entries, config, resource }.check(network, report);
        }
    }
    if seen.is_empty() {
        report.warn(
            "authorization_server",
            "no entry names a server that clients could log in at, so there is no metadata document",
            "clients must be given their tokens some other way; set `authorization_server_url` if they are to log in",
        );
    }
}

struct Server<'c> {
    /// What clients are given.
    url: &'c str,
    /// The entries with this URL; never none.
    entries: Vec<&'c Entry>,
    config: &'c Config,
    resource: &'c Resource,
}

impl Server<'_> {
    fn check(&self, network: &mut Network, report: &mut Report) {
        let Some(metadata) = self.metadata(network, report) else { return };
        self.issuer(&metadata, report);
        self.endpoints(&metadata, report);
        self.jwks_uri(&metadata, report);
        self.pkce(&metadata, report);
        self.registration(&metadata, report);
        self.scopes(&metadata, report);
    }

    /// The first document of those that clients ask for, in their order.
    fn metadata(&self, network: &mut Network, report: &mut Report) -> Option<Object> {
        const CHECK: &str = "authorization_server.metadata";
        let (mut failures, mut answered) = (Vec::new(), false);
        for url in places(self.url) {
            match network.document(&url) {
                Ok(text) => match json::object(text.as_bytes()) {
                    Some(document) => {
                        report.ok(CHECK, format!("{url} has metadata"));
                        return Some(document);
                    }
                    None => {
                        answered = true;
                        failures.push(format!("{url}: not a JSON object"));
                    }
                },
                Err(failure) => {
                    // What `Network::document` says of an answer that it does not take.
                    answered |= failure.starts_with("status ") || failure.starts_with("larger ");
                    failures.push(format!("{url}: {failure}"));
                }
            }
        }
        if !answered {
            report.fail(
                CHECK,
                format!("{} does not answer ({})", self.url, failures.join("; ")),
                "clients cannot log in without. Is it running, can it be reached from here, and are scheme, host and port right?",
            );
            return None;
        }
        report.fail(
            CHECK,
            format!("{} has no metadata ({})", self.url, failures.join("; ")),
            "clients cannot log in without. Is `authorization_server_url` byte for byte the server's issuer, path and slash? A server without metadata needs one in front that has it",
        );
        None
    }

    fn issuer(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.issuer";
        let Some(issuer) = text(metadata, "issuer") else {
            report.fail(
                CHECK,
                format!("the metadata of {} has no issuer", self.url),
                "clients refuse such a document (RFC 8414 section 3.3)",
            );
            return;
        };
        if issuer == self.url {
            report.ok(CHECK, format!("its issuer is {issuer}, as clients are told"));
        } else {
            let slash = if issuer.trim_end_matches('/') == self.url.trim_end_matches('/') {
                "; they differ in the trailing slash"
            } else {
                ""
            };
            report.fail(
                CHECK,
                format!("expected issuer {}, found {issuer}{slash}", self.url),
                format!("set `authorization_server_url` to \"{issuer}\" (or `issuer`, if the entry has only that): clients compare byte for byte, and refuse to log in"),
            );
        }
        if !self.entries.iter().any(|entry| entry.rules.issuer == issuer) {
            let expected: Vec<&str> = self.entries.iter().map(|entry| entry.rules.issuer.as_str()).collect();
            report.warn(
                CHECK,
                format!(
                    "tokens are expected to say iss {}, and the server calls itself {issuer}",
                    expected.join(" or ")
                ),
                "unless its tokens really say otherwise, set `issuer` to what it calls itself",
            );
        }
    }

    fn endpoints(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.endpoints";
        let missing: Vec<&str> = ["authorization_endpoint", "token_endpoint"]
            .into_iter()
            .filter(|name| !text(metadata, name).is_some_and(is_public))
            .collect();
        report.check(
            missing.is_empty(),
            CHECK,
            if missing.is_empty() {
                "it has an authorization endpoint and a token endpoint".to_owned()
            } else {
                format!("no {} that is https", missing.join(" and no "))
            },
            "clients cannot log in without",
        );
    }

    /// The document's key set, and the one that is used.
    fn jwks_uri(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.jwks_uri";
        let Some(theirs) = text(metadata, "jwks_uri") else {
            report.warn(CHECK, "its metadata has no jwks_uri", "this entry needs a `jwks_uri` of its own");
            return;
        };
        let used = self.entries.iter().filter_map(|entry| self.config.sources.get(entry.source.index()));
        let other = used.into_iter().find_map(|source| match source {
            KeySource::JwksUri(ours) if ours != theirs => Some(ours),
            _ => None,
        });
        match other {
            None => report.ok(CHECK, format!("its keys are at {theirs}")),
            Some(ours) => report.warn(
                CHECK,
                format!("expected keys at {ours}, and its metadata says {theirs}"),
                "leave `jwks_uri` out, or set it to what the metadata says, unless you know better",
            ),
        }
    }

    fn pkce(&self, metadata: &Object, report: &mut Report) {
        report.check(
            lists(metadata, "code_challenge_methods_supported", "S256"),
            "authorization_server.pkce",
            if metadata.contains_key("code_challenge_methods_supported") {
                let found = metadata.get("code_challenge_methods_supported").unwrap_or(&Value::Null);
                format!("expected PKCE with S256, found {found}")
            } else {
                "expected PKCE with S256, found no code_challenge_methods_supported".to_owned()
            },
            "MCP clients must refuse to log in without: turn PKCE on, or have it said in the metadata",
        );
    }

    fn registration(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.registration";
        let documents = metadata.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
        let dynamic = text(metadata, "registration_endpoint").is_some();
        match (documents, dynamic) {
            (true, true) => report.ok(CHECK, "clients may use a metadata document, or register"),
            (true, false) => report.ok(CHECK, "clients may use a metadata document (older ones cannot register)"),
            (false, true) => report.ok(CHECK, "clients may register"),
            (false, false) => report.warn(
                CHECK,
                "it takes no client that it does not know: neither client ID metadata documents nor dynamic registration",
                "turn one of them on, or give each client a client ID by hand",
            ),
        }
    }

    /// Scopes that we name and the server does not.
    fn scopes(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.scopes";
        let Some(theirs) = metadata.get("scopes_supported").and_then(Value::as_array) else { return };
        let ours = self.resource.metadata.as_deref().and_then(|text| json::object(text.as_bytes()));
        let ours =
            ours.as_ref().and_then(|document| document.get("scopes_supported")).and_then(Value::as_array);
        let unknown: Vec<&str> = ours
            .into_iter()
            .flatten()
            .filter(|scope| !theirs.contains(scope))
            .filter_map(Value::as_str)
            .collect();
        if !unknown.is_empty() {
            report.warn(
                CHECK,
                format!("scopes that it does not list: {}", unknown.join(" ")),
                "clients ask for what the metadata document names: have the server know these scopes, or take them out of MCP_SERVER_AUTH_SCOPES_SUPPORTED",
            );
        }
    }
}

/// Where clients look (MCP): RFC 8414 inserted, OpenID Connect inserted, OpenID Connect appended.
fn places(url: &str) -> Vec<String> {
    let [oauth, appended] = discovery::metadata_urls(url);
    let inserted =
        oauth.replacen("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", 1);
    let mut places = vec![oauth, inserted];
    if !places.contains(&appended) {
        places.push(appended);
    }
    places
}

fn text<'m>(metadata: &'m Object, name: &str) -> Option<&'m str> {
    metadata.get(name)?.as_str()
}

fn lists(metadata: &Object, name: &str, word: &str) -> bool {
    metadata
        .get(name)
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|v| v.as_str() == Some(word)))
}

fn is_public(url: &str) -> bool {
    mcp_edge_auth::config::is_public_url(url)
}
