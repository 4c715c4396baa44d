//! The MCP server behind: is it there, and does it take requests from others than the Worker?

use std::net::IpAddr;

use mcp_edge_auth::config::Resource;

use super::exchange::{Network, Request, Response};
use super::report::Report;

const CHECK: &str = "origin";

pub(crate) fn check(resource: &Resource, network: &mut Network, report: &mut Report) {
    if let Some(binding) = &resource.binding {
        let says = format!("reached by the binding {binding}, which only the Worker has: not looked at");
        return report.warn(CHECK, says, "ask the Worker for it, with --url and --token");
    }
    let url = resource.origin_url.as_str();
    let headers = vec![("accept", "application/json, text/event-stream".to_owned())];
    match network.send(&Request { method: "GET", url, headers, body: None }) {
        Err(failure) => report.warn(
            CHECK,
            format!("{url} does not answer from here: {failure}"),
            "is your server running, and ORIGIN_URL right? If only the Worker can reach it, this is as it should be",
        ),
        Ok(response) => judge(url, &response, report),
    }
}

fn judge(url: &str, response: &Response, report: &mut Report) {
    let status = response.status;
    match status {
        401 => report.warn(
            CHECK,
            format!("{url} asks for a token itself (401)"),
            "the Worker keeps the token to itself and answers 502 to that: let your server trust the Worker",
        ),
        300..=399 => report.warn(
            CHECK,
            format!("{url} redirects (status {status}) to {}", response.header("location")),
            "clients follow no redirect with a POST: set ORIGIN_URL to where the server really is",
        ),
        404 => report.warn(CHECK, format!("{url} answers 404"), "is the path of ORIGIN_URL right?"),
        500.. => report.warn(CHECK, format!("{url} answers {status}"), "is your server healthy?"),
        403 => report.ok(CHECK, format!("{url} is there, and refuses this request without the Worker (403)")),
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
