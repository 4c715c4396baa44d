//! The authorization servers as MCP clients see them (MCP 2026-07-28, authorization server
//! discovery; RFC 8414; OpenID Connect Discovery 1.0).

use mcp_edge_auth::json::{self, Object};
use mcp_edge_auth::keys::discovery;
use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::binding::Use;
use mcp_edge_auth::token::trusted_issuer::TrustedIssuer;
use serde_json::Value;

use super::exchange::Network;
use super::report::Report;

/// Each server once, however many resources name it.
pub(crate) async fn check(config: &Config, resources: &[&Resource], network: &Network, report: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for url in resources.iter().flat_map(|resource| urls(resource)) {
        if !seen.contains(&url) {
            seen.push(url);
            let all = resources.iter().copied();
            let named = |entry: &&TrustedIssuer| entry.authorization_server_url.as_deref() == Some(url);
            let entries: Vec<&TrustedIssuer> = all.clone().flat_map(|r| &r.entries).filter(named).collect();
            let resources: Vec<&Resource> = all.filter(|r| urls(r).any(|other| other == url)).collect();
            Server { url, entries, config, resources }.check(network, report).await;
        }
    }
    for resource in resources.iter().filter(|resource| urls(resource).next().is_none()) {
        let of = match config.resources.len() {
            1 => String::new(),
            _ => format!("{}: ", resource.canonical.as_str()),
        };
        report.warn(
            "authorization_server",
            format!("{of}no entry names a server that clients could log in at, so there is no metadata document"),
            "clients must be given their tokens some other way; set `authorization_server_url` if they are to log in",
        );
    }
}

/// What the clients of a resource are given.
fn urls(resource: &Resource) -> impl Iterator<Item = &str> {
    resource.entries.iter().filter_map(|entry| entry.authorization_server_url.as_deref())
}

struct Server<'c> {
    /// What clients are given.
    url: &'c str,
    /// The entries with this URL; never none.
    entries: Vec<&'c TrustedIssuer>,
    config: &'c Config,
    /// Those whose clients are given this URL.
    resources: Vec<&'c Resource>,
}

impl Server<'_> {
    async fn check(&self, network: &Network, report: &mut Report) {
        let Some((place, metadata)) = self.metadata(network, report).await else { return };
        self.issuer(&metadata, report);
        self.endpoints(&metadata, report);
        self.jwks_uri(&metadata, report);
        code_flow(&metadata, report);
        openid(&place, &metadata, report);
        pkce(&metadata, report);
        registration(&metadata, report);
        self.binding(&metadata, report);
        self.scopes(&metadata, report);
    }

    /// The first document of those that clients ask for, in their order, that is this server's; if
    /// none is, the first that may be another's. And where it was.
    async fn metadata(&self, network: &Network, report: &mut Report) -> Option<(String, Object)> {
        const CHECK: &str = "authorization_server.metadata";
        let (mut gave, mut answered, mut other) = (Vec::<(String, String)>::new(), false, None);
        let mut stops = Vec::new();
        for url in discovery::metadata_urls(self.url) {
            let failure = match network.document(&url).await {
                Ok(text) => match discovery::metadata(&text, self.url) {
                    Ok(document) => {
                        report.ok(CHECK, format!("{url} has metadata"));
                        for before in stops {
                            report.warn(
                                CHECK,
                                before,
                                "some clients ask no other place then, and cannot log in: have it answer 404, or with the metadata",
                            );
                        }
                        return Some((url, document));
                    }
                    Err(unusable) => {
                        let document = json::object(json::without_mark(&text).as_bytes());
                        let document = document.filter(|members| !members.is_empty());
                        other = other.or(document.map(|document| (url.clone(), document)));
                        answered = true;
                        let failure = unusable.reason().to_owned();
                        stops.push(format!("{url}: {failure}"));
                        failure
                    }
                },
                Err(failure) => {
                    // What `Network::document` says of an answer that it does not take.
                    answered |= ["status ", "larger ", "not "].iter().any(|start| failure.starts_with(start));
                    if failure.starts_with("status 5") {
                        stops.push(format!("{url}: {failure}"));
                    }
                    failure
                }
            };
            gave.push((url, failure));
        }
        if let Some((url, document)) = other {
            report.ok(CHECK, format!("{url} has metadata"));
            return Some((url, document));
        }
        let gave = discovery::misses(gave.iter().map(|(url, reason)| (url.as_str(), reason.as_str())));
        if !answered {
            report.fail(
                CHECK,
                format!("{} does not answer ({gave})", self.url),
                "clients cannot log in without. Is it running, can it be reached from here, and are scheme, host and port right?",
            );
            return None;
        }
        report.fail(
            CHECK,
            format!("{} has no metadata ({gave})", self.url),
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
        // AD FS says what its access tokens call it in a member of its own.
        let names = [Some(issuer), text(metadata, "access_token_issuer")];
        if !self.entries.iter().any(|entry| names.contains(&Some(&entry.rules.issuer))) {
            let mut expected: Vec<&str> =
                self.entries.iter().map(|entry| entry.rules.issuer.as_str()).collect();
            expected.sort_unstable();
            expected.dedup();
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

    /// Whether the server offers to bind tokens, where entries take bound ones.
    fn binding(&self, metadata: &Object, report: &mut Report) {
        const ALGORITHMS: &str = "dpop_signing_alg_values_supported";
        const CERTIFICATES: &str = "tls_client_certificate_bound_access_tokens";
        let has = |of: fn(&TrustedIssuer) -> Use| self.entries.iter().any(|entry| of(entry) != Use::Off);
        let todo = "the entry takes bound tokens, and the server does not say that it binds any: turn that on there, or set";
        if has(|entry| entry.rules.dpop) && strings(metadata, ALGORITHMS).is_empty() {
            report.warn(
                "authorization_server.dpop",
                format!("expected {ALGORITHMS}, found {}", found(metadata, ALGORITHMS)),
                format!("{todo} `dpop` to off"),
            );
        }
        if has(|entry| entry.rules.mtls) && metadata.get(CERTIFICATES) != Some(&Value::Bool(true)) {
            report.warn(
                "authorization_server.mtls",
                format!("expected {CERTIFICATES} true, found {}", found(metadata, CERTIFICATES)),
                format!("{todo} `mtls` to off"),
            );
        }
    }

    /// Scopes that we name and the server does not.
    fn scopes(&self, metadata: &Object, report: &mut Report) {
        const CHECK: &str = "authorization_server.scopes";
        if !metadata.contains_key("scopes_supported") {
            return;
        }
        let theirs = strings(metadata, "scopes_supported");
        let mut unknown: Vec<String> = Vec::new();
        for resource in &self.resources {
            let ours = resource.metadata.as_deref().and_then(|text| json::object(text.as_bytes()));
            let ours = ours.as_ref().map(|ours| strings(ours, "scopes_supported")).unwrap_or_default();
            for scope in ours.into_iter().filter(|scope| !theirs.contains(scope)) {
                if !unknown.iter().any(|known| known == scope) {
                    unknown.push(scope.to_owned());
                }
            }
        }
        if !unknown.is_empty() {
            report.warn(
                CHECK,
                format!("scopes that it does not list: {}", unknown.join(" ")),
                "clients ask for what the metadata document names: have the server know these scopes, or take them out of MCP_SERVER_AUTH_SCOPES_SUPPORTED",
            );
        }
    }
}

/// The flow that MCP's clients use. The TypeScript SDK takes a document without
/// `response_types_supported` for none, as RFC 8414 section 2 has it.
fn code_flow(metadata: &Object, report: &mut Report) {
    const CHECK: &str = "authorization_server.code";
    const TYPES: &str = "response_types_supported";
    const GRANTS: &str = "grant_types_supported";
    report.check(
        strings(metadata, TYPES).contains(&"code"),
        CHECK,
        format!("expected {TYPES} with code, found {}", found(metadata, TYPES)),
        "clients refuse to log in without, many of them also where the list is missing: have the server offer authorization codes, and say so in its metadata",
    );
    if metadata.contains_key(GRANTS) && !strings(metadata, GRANTS).contains(&"authorization_code") {
        report.warn(
            CHECK,
            format!("expected {GRANTS} with authorization_code, found {}", found(metadata, GRANTS)),
            "clients log in with authorization codes: turn that grant on, or have it said in the metadata",
        );
    }
}

/// What OpenID Connect Discovery section 3 requires, and the TypeScript SDK with it, of a document
/// at OpenID Connect's places.
fn openid(place: &str, metadata: &Object, report: &mut Report) {
    if !place.contains("/.well-known/openid-configuration") {
        return;
    }
    let lists = ["subject_types_supported", "id_token_signing_alg_values_supported"];
    let lists = lists.into_iter().filter(|name| strings(metadata, name).is_empty());
    let keys = Some("jwks_uri").filter(|name| text(metadata, name).is_none());
    let missing: Vec<&str> = lists.chain(keys).collect();
    if !missing.is_empty() {
        report.fail(
            "authorization_server.metadata",
            format!("{place} lacks {}", missing.join(", ")),
            "clients of the TypeScript SDK refuse such a document of OpenID Connect; one at /.well-known/oauth-authorization-server needs less",
        );
    }
}

fn pkce(metadata: &Object, report: &mut Report) {
    const METHODS: &str = "code_challenge_methods_supported";
    report.check(
        strings(metadata, METHODS).contains(&"S256"),
        "authorization_server.pkce",
        match found(metadata, METHODS).as_str() {
            "none" => format!("expected PKCE with S256, found no {METHODS}"),
            found => format!("expected PKCE with S256, found {found}"),
        },
        "MCP clients must refuse to log in without: turn PKCE on, or have it said in the metadata",
    );
}

/// How clients become known, and whether they may then be without a secret.
fn registration(metadata: &Object, report: &mut Report) {
    const CHECK: &str = "authorization_server.registration";
    const METHODS: &str = "token_endpoint_auth_methods_supported";
    let documents = metadata.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    let dynamic = text(metadata, "registration_endpoint").is_some();
    let says = match (documents, dynamic) {
        (true, true) => "clients may use a metadata document, or register",
        (true, false) => "clients may use a metadata document (older ones cannot register)",
        (false, true) => "clients may register",
        (false, false) => {
            return report.warn(
                CHECK,
                "it takes no client that it does not know: neither client ID metadata documents nor dynamic registration",
                "turn one of them on, or give each client a client ID by hand",
            );
        }
    };
    // Left out, it says nothing: clients then ask for what their registration was answered with.
    if metadata.contains_key(METHODS) && !strings(metadata, METHODS).contains(&"none") {
        return report.warn(
            CHECK,
            format!("{says}, and {METHODS} lacks none: found {}", found(metadata, METHODS)),
            "most MCP clients have no secret: they become known, let the user log in, and are then refused at the token endpoint. Have it take public clients and list `none` (Keycloak before 26.7 takes them and lists nothing); or turn registration off, and give each client a client ID by hand",
        );
    }
    report.ok(CHECK, says);
}

fn text<'m>(metadata: &'m Object, name: &str) -> Option<&'m str> {
    metadata.get(name)?.as_str()
}

/// The texts in a list. One with anything else in it is taken for none, as clients do.
fn strings<'m>(metadata: &'m Object, name: &str) -> Vec<&'m str> {
    let all = metadata.get(name).and_then(Value::as_array);
    all.and_then(|all| all.iter().map(Value::as_str).collect()).unwrap_or_default()
}

/// A member as it is, for a reader.
fn found(metadata: &Object, name: &str) -> String {
    metadata.get(name).map_or_else(|| "none".to_owned(), Value::to_string)
}

fn is_public(url: &str) -> bool {
    mcp_edge_auth::http::url::is_public_url(url)
}
