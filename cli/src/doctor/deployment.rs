//! A running deployment, as clients and browsers see it.

use mcp_edge_auth::http::cors::AllowedOrigins;
use mcp_edge_auth::json;
use mcp_edge_auth::paths::{HEALTH, RESOURCE_METADATA};
use mcp_edge_auth::resource::Resource;
use serde_json::Value;

use super::exchange::{Network, Request, Response};
use super::report::Report;
use super::{access, challenge};

/// What a client's first request says.
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"doctor","version":"1"}}}"#;

pub(crate) struct Deployment<'c> {
    pub(crate) resource: &'c Resource,
    /// Scheme, host and port.
    pub(crate) base: String,
}

/// The deployment, if it is one.
pub(crate) async fn check<'c>(
    resource: &'c Resource,
    url: &str,
    network: &Network,
    report: &mut Report,
) -> Option<Deployment<'c>> {
    let base = base(url).to_owned();
    let canonical = base_of_canonical(resource);
    if base != canonical {
        report.warn(
            "deployment",
            format!("looked at: {base}; clients are given {canonical}"),
            "fine for a first look; check the canonical URL itself, too",
        );
    }
    let deployment = Deployment { resource, base };
    if resource.is_behind_access() {
        access::check(&deployment, network, report).await;
        return Some(deployment);
    }
    if !deployment.health(network, report).await {
        return None;
    }
    deployment.documents(network, report).await;
    deployment.challenge(network, report).await;
    deployment.preflight(network, report).await;
    deployment.other_methods(network, report).await;
    Some(deployment)
}

impl Deployment<'_> {
    async fn health(&self, network: &Network, report: &mut Report) -> bool {
        const CHECK: &str = "deployment.health";
        let url = format!("{}{HEALTH}", self.base);
        match network.get(&url).await {
            Ok(response)
                if response.status == 200 && response.object().is_some_and(|o| o.contains_key("status")) =>
            {
                report.ok(CHECK, format!("{url} says ok"));
                true
            }
            Ok(response) if response.body.contains("server_misconfigured") => {
                report.fail(
                    CHECK,
                    format!("{url} says that the deployed settings have faults"),
                    "its log lists them (event misconfigured); deploy settings that pass",
                );
                false
            }
            Ok(response) => {
                report.fail(
                    CHECK,
                    format!("{url} answers {}{}, which is not the Worker", response.status, location(&response)),
                    "is it deployed at this address? Is something in front of it (Access, a firewall, a redirect)?",
                );
                false
            }
            Err(failure) => {
                report.fail(
                    CHECK,
                    format!("{url} does not answer: {failure}"),
                    "is it deployed at this address?",
                );
                false
            }
        }
    }

    async fn documents(&self, network: &Network, report: &mut Report) {
        const CHECK: &str = "deployment.metadata";
        let Some(expected) = self.resource.metadata.as_deref().and_then(|text| json::object(text.as_bytes()))
        else {
            return;
        };
        let path = self.resource.canonical.path();
        let mut places = vec![format!("{RESOURCE_METADATA}{path}"), format!("{path}{RESOURCE_METADATA}")];
        if self.resource.is_default {
            places.insert(1, RESOURCE_METADATA.to_owned());
        }
        places.dedup();
        for url in places.iter().map(|place| format!("{}{place}", self.base)) {
            let headers = vec![
                ("accept", "application/json".to_owned()),
                ("origin", "https://client.example".to_owned()),
            ];
            let get = Request { method: "GET", url: &url, headers, body: None };
            let response = match network.send(&get).await {
                Ok(response) => response,
                Err(failure) => {
                    report.fail(
                        CHECK,
                        format!("{url} does not answer: {failure}"),
                        "clients look for the document there",
                    );
                    continue;
                }
            };
            let found = response.object();
            let differing: Vec<String> = expected
                .iter()
                .filter(|(name, value)| found.as_ref().is_none_or(|found| found.get(*name) != Some(value)))
                .map(|(name, value)| {
                    let there = found.as_ref().and_then(|found| found.get(name)).unwrap_or(&Value::Null);
                    format!("{name}: expected {value}, found {there}")
                })
                .collect();
            if response.status != 200 {
                report.fail(
                    CHECK,
                    format!("{url} answers {}{}", response.status, location(&response)),
                    "clients look for the document there, and follow no redirect",
                );
            } else if !differing.is_empty() {
                report.fail(
                    CHECK,
                    format!("{url} has another document: {}", differing.join("; ")),
                    "deploy these settings, or check with those that are deployed",
                );
            } else if response.header("access-control-allow-origin") != "*" {
                report.fail(
                    CHECK,
                    format!(
                        "{url} cannot be read by a page: expected Access-Control-Allow-Origin: *, found {:?}",
                        response.header("access-control-allow-origin")
                    ),
                    "clients in a browser cannot log in: does something in front take CORS headers away?",
                );
            } else {
                report.ok(CHECK, format!("{url} has the document, for pages, too"));
            }
        }
    }

    /// The 401 of a client's first request, for programs and for pages.
    async fn challenge(&self, network: &Network, report: &mut Report) {
        const CHECK: &str = "deployment.challenge";
        let origin = self.origin();
        let response = match self.post(&self.endpoint(), None, Some(&origin), network).await {
            Ok(response) => response,
            Err(failure) => {
                report.fail(
                    CHECK,
                    format!("{} does not answer: {failure}", self.endpoint()),
                    "is it deployed at this address?",
                );
                return;
            }
        };
        if response.status != 401 {
            let todo = match response.status {
                200..=299 => "the server answers without a token: is this the Worker, or what is behind it?",
                300..=399 => "clients follow no redirect with a POST: give them the address that it leads to",
                403 => {
                    "something refuses before the Worker does: Access, a firewall, or MCP_SERVER_AUTH_ALLOWED_ORIGINS"
                }
                404 => "no route leads to the Worker there: is this the canonical path?",
                _ => "clients only log in when they are answered 401",
            };
            report.fail(
                CHECK,
                format!(
                    "{}: expected 401, found {}{}",
                    self.endpoint(),
                    response.status,
                    location(&response)
                ),
                todo,
            );
            return;
        }
        self.line(&response, report);
        let allowed = response.header("access-control-allow-origin");
        let readable = (allowed == "*" || allowed == origin)
            && response.lists("access-control-expose-headers", "www-authenticate");
        report.check(
            readable,
            "deployment.cors",
            if readable { format!("a page of {origin} can read the 401") } else { format!("a page of {origin} cannot read the 401: Access-Control-Allow-Origin {allowed:?}, Access-Control-Expose-Headers {:?}", response.header("access-control-expose-headers")) },
            "clients in a browser never start to log in: does something in front change the headers?",
        );
    }

    /// Its `WWW-Authenticate`, as the strictest client reads it.
    fn line(&self, response: &Response, report: &mut Report) {
        const CHECK: &str = "deployment.challenge";
        const ADVICE: &str =
            "clients cannot find the metadata document: does something in front change the header?";
        let lines = response.all("www-authenticate");
        let [line] = lines.as_slice() else {
            report.fail(CHECK, format!("expected one WWW-Authenticate line, found {}", lines.len()), ADVICE);
            return;
        };
        let parameters = match challenge::parse(line) {
            Ok(parameters) => parameters,
            Err(why) => {
                report.fail(CHECK, format!("WWW-Authenticate cannot be read ({why}): {line}"), ADVICE);
                return;
            }
        };
        let found = parameters.iter().find(|(name, _)| *name == "resource_metadata").map(|(_, value)| *value);
        let expected = self.resource.metadata.as_ref().map(|_| self.resource.canonical.metadata_url());
        report.check(
            found == expected.as_deref(),
            CHECK,
            format!(
                "401 with resource_metadata: expected {}, found {}",
                expected.as_deref().unwrap_or("none"),
                found.unwrap_or("none")
            ),
            "deploy these settings, or check with those that are deployed",
        );
    }

    async fn preflight(&self, network: &Network, report: &mut Report) {
        const CHECK: &str = "deployment.preflight";
        let (endpoint, origin) = (self.endpoint(), self.origin());
        let asked = ["authorization", "content-type", "mcp-protocol-version", "mcp-session-id"];
        let headers = vec![
            ("origin", origin.clone()),
            ("access-control-request-method", "POST".to_owned()),
            ("access-control-request-headers", asked.join(",")),
        ];
        match network.send(&Request { method: "OPTIONS", url: &endpoint, headers, body: None }).await {
            Err(failure) => report.fail(
                CHECK,
                format!("{endpoint} does not answer OPTIONS: {failure}"),
                "pages ask before they call",
            ),
            Ok(response) => {
                let allowed = response.header("access-control-allow-origin");
                let mut wrong = Vec::new();
                if !(200..300).contains(&response.status) {
                    wrong.push(format!("status {}{}", response.status, location(&response)));
                }
                if allowed != "*" && allowed != origin {
                    wrong.push(format!("Access-Control-Allow-Origin {allowed:?}"));
                }
                // A `*` does not stand for Authorization (Fetch standard).
                let headers = response.header("access-control-allow-headers").to_ascii_lowercase();
                let refused: Vec<&str> =
                    asked.into_iter().filter(|name| !headers.split(',').any(|h| h.trim() == *name)).collect();
                if !refused.is_empty() {
                    wrong.push(format!("Access-Control-Allow-Headers without {}", refused.join(" ")));
                }
                if !response.lists("access-control-allow-methods", "POST") {
                    wrong.push("Access-Control-Allow-Methods without POST".to_owned());
                }
                report.check(
                    wrong.is_empty(),
                    CHECK,
                    if wrong.is_empty() {
                        format!("a page of {origin} may call")
                    } else {
                        format!("a page of {origin} may not call: {}", wrong.join("; "))
                    },
                    "is the preflight answered by the Worker, without any login before it?",
                );
            }
        }
    }

    /// HEAD, and a trailing slash: a redirect or an answer without a token would be somebody
    /// else's.
    async fn other_methods(&self, network: &Network, report: &mut Report) {
        let endpoint = self.endpoint();
        let slash = format!("{}{}/", self.base, self.resource.canonical.path());
        for (method, url, what) in
            [("HEAD", endpoint.as_str(), "HEAD"), ("GET", slash.as_str(), "a trailing slash")]
        {
            let answer = network.send(&Request { method, url, headers: Vec::new(), body: None }).await;
            let status = answer.as_ref().map_or(0, |response| response.status);
            let found = answer.map_or_else(|failure| failure, |r| format!("{}{}", r.status, location(&r)));
            report.check(
                status == 401,
                "deployment.methods",
                format!("{what}: expected 401, found {found}"),
                "every method and spelling of the endpoint is the Worker's to answer: what is in front?",
            );
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("{}{}", self.base, self.resource.canonical.path_as_set())
    }

    /// A page's origin that may call.
    fn origin(&self) -> String {
        match &self.resource.allowed_origins {
            AllowedOrigins::Any { .. } => "https://client.example".to_owned(),
            AllowedOrigins::Loopback => "http://localhost:6274".to_owned(),
            AllowedOrigins::Listed(all) => {
                all.iter().find(|o| *o != "null").cloned().unwrap_or_else(|| "null".to_owned())
            }
        }
    }

    /// A client's first request.
    pub(crate) async fn post(
        &self,
        url: &str,
        token: Option<&str>,
        origin: Option<&str>,
        network: &Network,
    ) -> Result<Response, String> {
        let mut headers = vec![
            ("accept", "application/json, text/event-stream".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        match token {
            // To Access by the one, and to a Worker without Access in front by the other.
            Some(token) if self.resource.is_behind_access() => headers.extend([
                ("cf-access-token", token.to_owned()),
                ("cf-access-jwt-assertion", token.to_owned()),
            ]),
            _ => headers.extend(token.map(|token| ("authorization", format!("Bearer {token}")))),
        }
        headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
        network.send(&Request { method: "POST", url, headers, body: Some(INITIALIZE) }).await
    }
}

/// Scheme, host and port of a URL.
pub(crate) fn base(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or(url)
}

fn base_of_canonical(resource: &Resource) -> &str {
    base(resource.canonical.as_str())
}

pub(crate) fn location(response: &Response) -> String {
    match response.header("location") {
        location if location.is_empty() => String::new(),
        location => format!(", a redirect to {location}"),
    }
}
