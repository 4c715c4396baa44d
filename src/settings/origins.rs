//! `MCP_SERVER_AUTH_ALLOWED_ORIGINS`: the browser origins that may call the MCP endpoint (MCP
//! 2026-07-28, Streamable HTTP, Origin validation).

use crate::http::cors::AllowedOrigins;
use crate::http::url;
use serde_json::Value;

use super::urls;
use super::variables::{Variables, strings};
use super::written::Shape;
use crate::fault::Faults;

const EXPECTED: &str =
    "* or a list of origins such as https://app.example.com (scheme, host, port; no path), or null";

pub(super) fn read(variables: &Variables, loopback: bool, faults: &mut Faults) -> AllowedOrigins {
    let default = if loopback { AllowedOrigins::Loopback } else { AllowedOrigins::Any { null: false } };
    let Some(found) = variables.get("ALLOWED_ORIGINS", faults) else { return default };
    let listed = match &found.value {
        Value::String(text) if !found.is_broken_json() => Some(split(text)).filter(|words| !words.is_empty()),
        value => strings(value),
    };
    let Some(origins) = listed else {
        found.fault(EXPECTED, Shape::Texts, faults);
        return default;
    };
    if let Some(wrong) = origins.iter().find(|origin| !is_origin(origin)) {
        faults.add_hinted(found.name, "", EXPECTED, self::found(wrong));
        return default;
    }
    match origins.iter().any(|o| o == "*") {
        true => AllowedOrigins::Any { null: origins.iter().any(|o| o == "null") },
        false => AllowedOrigins::Listed(origins),
    }
}

/// One text with several origins: neither commas nor white space can be in one.
fn split(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c == ',' || c.is_ascii_whitespace());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What was found instead of an origin.
fn found(text: &str) -> String {
    if let Some(odd) = urls::odd_character("", text) {
        return odd;
    }
    let what = if text.is_empty() {
        "an empty text"
    } else if text.contains('*') {
        "a pattern: no browser sends one"
    } else if !text.contains("://") {
        "no scheme, such as https://"
    } else if text.contains(',') {
        "several origins in one text of a list"
    } else {
        "more than a browser sends: a path, a slash at the end, a default port, or userinfo"
    };
    format!("found {what}")
}

/// Whether a text is `*`, `null`, or an origin as a browser would send it: http and https without a
/// path and without a default port, any other scheme with a host.
fn is_origin(text: &str) -> bool {
    if text == "*" || text == "null" {
        return true;
    }
    let Some(url) = url::parse(text) else { return false };
    if text.contains('*') {
        // No browser sends one: a pattern would never match, or be meant to match too much.
        return false;
    }
    if matches!(url.scheme.as_str(), "http" | "https") {
        return url.origin.eq_ignore_ascii_case(text);
    }
    let host = text.split_once("://").map_or("", |(_, host)| host);
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}
