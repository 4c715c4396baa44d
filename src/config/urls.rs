//! Which URLs are taken. They are parsed to be judged, and kept as they were written.

use std::net::IpAddr;

use url::{Host, Url};

use super::faults::Faults;
use super::variables::Variables;

pub(super) const PUBLIC_URL: &str =
    "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without fragment, userinfo or whitespace";
const ORIGIN_URL: &str = "an http or https URL without query, fragment, userinfo or whitespace";

/// A URL that clients and issuers see: https, or http on loopback.
pub(super) fn public(text: &str) -> Option<Url> {
    let url = absolute(text)?;
    (url.scheme() == "https" || is_loopback(&url)).then_some(url)
}

/// An absolute http or https URL in header-safe ASCII, without fragment and userinfo.
fn absolute(text: &str) -> Option<Url> {
    let safe = text.bytes().all(|b| matches!(b, 0x21..=0x7e) && !b"\"\\<>^`{|}".contains(&b));
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = authority(rest);
    let url = Url::parse(text).ok()?;
    (safe && web && !authority.is_empty() && !authority.contains('@') && !text.contains('#')).then_some(url)
}

/// What stands between `://` and the path.
pub(super) fn authority(after_scheme: &str) -> &str {
    after_scheme.split(['/', '?']).next().unwrap_or_default()
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Whether the path of a URL reads the same after parsing: no dot segments, nothing that a parser would rewrite.
pub(super) fn is_normal(text: &str, url: &Url) -> bool {
    let path = path(text);
    path == url.path() || (path.is_empty() && url.path() == "/")
}

/// The path as written; empty if there is none.
pub(super) fn path(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.get(authority(rest).len()..).unwrap_or_default();
    rest.split('?').next().unwrap_or_default()
}

pub(super) fn read_origin_url(variables: &Variables, faults: &mut Faults) -> Option<String> {
    let Some(found) = variables.origin_url() else {
        faults.add("ORIGIN_URL", "", format!("{ORIGIN_URL}; it is required"));
        return None;
    };
    let text = found
        .value
        .as_str()
        .filter(|text| absolute(text).is_some_and(|url| is_normal(text, &url) && url.query().is_none()));
    if text.is_none() {
        faults.add(found.name, "", ORIGIN_URL);
    }
    text.map(str::to_owned)
}
