//! `MCP_SERVER_AUTH_ALLOWED_ORIGINS`: the browser origins that may call the MCP endpoint (MCP
//! 2026-07-28, Streamable HTTP, Origin validation).

use crate::http::cors::AllowedOrigins;
use crate::http::url;
use serde_json::Value;

use super::urls;
use super::variables::{Variables, strings};
use super::written::Shape;
use crate::fault::Faults;
use crate::resource::canonical::Canonical;

const EXPECTED: &str =
    "* or a list of origins such as https://app.example.com (scheme, host, port; no path), or null";

/// Behind Cloudflare Access a browser brings the credential along for whatever page asks it to.
const EXPECTED_BEHIND_ACCESS: &str = "a list of origins without * and null: behind Cloudflare Access a page of any site would act with its visitor's Access cookie";

pub(super) fn read(
    variables: &Variables,
    canonical: Option<&Canonical>,
    behind_access: bool,
    faults: &mut Faults,
) -> AllowedOrigins {
    let default = match canonical {
        _ if behind_access => AllowedOrigins::Listed(own(canonical)),
        Some(canonical) if canonical.is_loopback() => AllowedOrigins::Loopback,
        _ => AllowedOrigins::Any { null: false },
    };
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
    if behind_access && origins.iter().any(|origin| origin == "*" || origin == "null") {
        faults.add(found.name, "", EXPECTED_BEHIND_ACCESS);
        return default;
    }
    match origins.iter().any(|o| o == "*") {
        true => AllowedOrigins::Any { null: origins.iter().any(|o| o == "null") },
        false => AllowedOrigins::Listed(origins),
    }
}

/// The canonical URL's origin, as a browser would send it.
fn own(canonical: Option<&Canonical>) -> Vec<String> {
    canonical.and_then(|canonical| url::parse(canonical.as_str())).map(|url| url.origin).into_iter().collect()
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
