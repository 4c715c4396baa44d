//! `MCP_SERVER_AUTH_ALLOWED_ORIGINS`: the browser origins that may call the MCP endpoint (MCP 2026-07-28, Streamable HTTP, Origin validation).

use serde_json::Value;

use super::faults::Faults;
use super::urls;
use super::variables::{Variables, strings};

const EXPECTED: &str =
    "* or a list of origins such as https://app.example.com (scheme, host, port; no path), or null";

/// Whom a page must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any origin; the opaque one (`null`) only where it is listed too.
    Any {
        null: bool,
    },
    Loopback,
    Listed(Vec<String>),
}

impl AllowedOrigins {
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any { null } => *null || !origin.eq_ignore_ascii_case("null"),
            Self::Loopback => urls::parse(origin).is_some_and(|url| {
                matches!(url.scheme.as_str(), "http" | "https")
                    && url.is_loopback()
                    && url.origin.eq_ignore_ascii_case(origin)
            }),
            Self::Listed(origins) => origins.iter().any(|o| o.eq_ignore_ascii_case(origin)),
        }
    }
}

pub(super) fn read(variables: &Variables, loopback: bool, faults: &mut Faults) -> AllowedOrigins {
    let default = if loopback { AllowedOrigins::Loopback } else { AllowedOrigins::Any { null: false } };
    let Some(found) = variables.get("ALLOWED_ORIGINS", faults) else { return default };
    let listed = match &found.value {
        Value::String(_) => found.words().filter(|words| !words.is_empty()),
        value => strings(value),
    };
    match listed.filter(|origins| origins.iter().all(|o| is_origin(o))) {
        Some(origins) if origins.iter().any(|o| o == "*") => {
            AllowedOrigins::Any { null: origins.iter().any(|o| o == "null") }
        }
        Some(origins) => AllowedOrigins::Listed(origins),
        None => {
            faults.add(found.name, "", EXPECTED);
            default
        }
    }
}

/// `*`, `null`, or what a browser would send: for http and https without path and default port; any other scheme with a host.
fn is_origin(text: &str) -> bool {
    if text == "*" || text == "null" {
        return true;
    }
    let Some(url) = urls::parse(text) else { return false };
    if text.contains('*') {
        return false; // no browser sends one: a pattern would never match, or be meant to match too much
    }
    if matches!(url.scheme.as_str(), "http" | "https") {
        return url.origin.eq_ignore_ascii_case(text);
    }
    let host = text.split_once("://").map_or("", |(_, host)| host);
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}
