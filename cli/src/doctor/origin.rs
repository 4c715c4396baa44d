//! The MCP server behind: is it there, and does it take requests from others than the Worker?

use std::net::IpAddr;

use mcp_edge_auth::origin::request;
use mcp_edge_auth::refusal::{Detail, Refusal};
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;
use url::Url;

use super::challenge;
use super::deployment::base;
use super::exchange::{Network, Request, Response};
use super::report::Report;

const CHECK: &str = "origin";

pub(crate) async fn check(config: &Config, resource: &Resource, network: &Network, report: &mut Report) {
    if let Some(binding) = &resource.binding {
        let says = format!("reached by the binding {binding}, which only the Worker has: not looked at");
        return report.warn(CHECK, says, "ask the Worker for it, with --url and --token");
    }
    let url = resource.origin_url.as_str();
    match get(url, None, network).await {
        Err(failure) => report.warn(
            CHECK,
            format!("{url} does not answer from here: {failure}"),
            "is your server running, and ORIGIN_URL right? If only the Worker can reach it, this is as it should be",
        ),
        Ok(response) if is_worker(config, resource, &response, network).await => report.fail(
            CHECK,
            format!("{url} leads to the Worker itself: a loop"),
            "no request ever reaches your server: set ORIGIN_URL to the address of the server behind the Worker",
        ),
        Ok(response) => judge(resource, &response, report),
    }
}

async fn get(url: &str, authorization: Option<&str>, network: &Network) -> Result<Response, String> {
    let mut headers = vec![("accept", "application/json, text/event-stream".to_owned())];
    headers.extend(authorization.map(|value| ("authorization", value.to_owned())));
    network.send(&Request { method: "GET", url, headers, body: None }).await
}

/// Whether the Worker of these settings is what answered. It is known by how it refuses what is no
/// token, at an endpoint of its own.
async fn is_worker(config: &Config, resource: &Resource, response: &Response, network: &Network) -> bool {
    let places: Vec<String> = match response.status {
        300..=399 => return leads_to_worker(config, resource, &response.header("location")),
        401 => vec![resource.origin_url.clone()],
        404 if Some(&response.body) == Refusal::NotFound.answer(None, &Detail::default()).body.as_ref() => {
            let paths = config.resources.iter().map(|resource| resource.canonical.path_as_set());
            paths.map(|path| [base(&resource.origin_url), path].concat()).collect()
        }
        _ => return false,
    };
    for place in places {
        let answer = get(&place, Some("Bearer none"), network).await;
        let is_own = |answer: Response| config.resources.iter().any(|r| is_refusal_of(r, &answer));
        if answer.is_ok_and(is_own) {
            return true;
        }
    }
    false
}

fn is_refusal_of(resource: &Resource, answer: &Response) -> bool {
    let own = Refusal::TokenParts.answer(Some(&resource.challenges), &Detail::default());
    let metadata = |line: &str| {
        let parameters = challenge::parse(line).unwrap_or_default();
        let found = parameters.into_iter().find(|(name, _)| *name == "resource_metadata");
        found.map(|(_, url)| url.to_owned())
    };
    answer.status == own.status
        && Some(&answer.body) == own.body.as_ref()
        && metadata(&answer.header("www-authenticate"))
            == metadata(own.header("WWW-Authenticate").unwrap_or_default())
}

/// Whether a redirect leads to a canonical URL or below it, as where everything is sent from http
/// to https.
fn leads_to_worker(config: &Config, resource: &Resource, location: &str) -> bool {
    let Some(to) = resolved(resource, location) else { return false };
    config.resources.iter().any(|other| {
        Url::parse(other.canonical.as_str()).is_ok_and(|canonical| {
            let below = to.path().strip_prefix(other.canonical.path());
            to.host() == canonical.host()
                && to.port() == canonical.port()
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    })
}

/// Where a redirect of the origin's leads.
fn resolved(resource: &Resource, location: &str) -> Option<Url> {
    let origin = Url::parse(&resource.origin_url).ok().filter(|_| !location.is_empty())?;
    origin.join(location).ok()
}

/// Whom a server takes that refuses this program, if the Worker shows it something.
fn taken(resource: &Resource) -> Option<&'static str> {
    let delivery = &resource.delivery;
    [
        (resource.assertion.is_some(), "the Worker's assertion"),
        (delivery.forwards_token, "the client's token, which the Worker passes on,"),
        (!delivery.headers_text().is_empty(), "the headers that the Worker sets"),
    ]
    .into_iter()
    .find_map(|(is, what)| is.then_some(what))
}

fn judge(resource: &Resource, response: &Response, report: &mut Report) {
    let (url, status) = (resource.origin_url.as_str(), response.status);
    match (status, taken(resource)) {
        (401, Some(what)) => report.ok(CHECK, format!("{url} takes {what} only (401 to anybody else)")),
        (401, None) => report.warn(
            CHECK,
            format!("{url} asks for a token itself (401)"),
            "the Worker keeps the token to itself and answers 502 to that: let your server trust the Worker. If ORIGIN_HEADERS is a secret, which is not seen here, this may be as it should be",
        ),
        (300..=399, _) => redirects(resource, response, report),
        (404, _) => report.warn(CHECK, format!("{url} answers 404"), "is the path of ORIGIN_URL right?"),
        (500.., _) => report.warn(CHECK, format!("{url} answers {status}"), "is your server healthy?"),
        (403, _) => {
            report.ok(CHECK, format!("{url} is there, and refuses this request without the Worker (403)"));
        }
        _ => report.ok(CHECK, format!("{url} answers {status}")),
    }
    let exposed = !matches!(status, 401 | 403) && response.address.as_deref().is_none_or(is_public);
    if exposed {
        report.warn(
            "origin.exposed",
            format!("{url} is reachable without the Worker, at {}", response.address.as_deref().unwrap_or("a public address")),
            "whoever knows that address can write the identity headers himself: let your server take requests from the Worker only (a private network, a tunnel, mTLS, a signed assertion)",
        );
    }
}

/// A redirect, as the Worker passes it on: to a place below ORIGIN_URL with the public address.
fn redirects(resource: &Resource, response: &Response, report: &mut Report) {
    let (url, location) = (resource.origin_url.as_str(), response.header("location"));
    let says = format!("{url} redirects (status {}) to {location}", response.status);
    let public = resolved(resource, &location).and_then(|to| {
        let origin = Url::parse(url).ok()?;
        request::relocated(resource.canonical.public(), origin.as_str(), to.as_str())
    });
    let todo = match public {
        Some(public) if public == resource.canonical.as_str() => {
            "clients are sent back to where they were: set ORIGIN_URL to where your server redirects to"
                .to_owned()
        }
        Some(public) => format!(
            "clients are sent to {public}: some follow, and ask twice each time. Set ORIGIN_URL to where your server redirects to"
        ),
        None => "clients do not follow it: set ORIGIN_URL to where the server really is".to_owned(),
    };
    report.warn(CHECK, says, todo);
}

/// Whether an address is one that the internet routes; one that cannot be read is taken for it.
fn is_public(address: &str) -> bool {
    let Ok(ip) = address.parse::<IpAddr>() else { return true };
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified() || shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified())
        }
    }
}
