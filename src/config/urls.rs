//! Which URLs are taken. They are parsed to be judged, and kept as they were written.

use std::net::IpAddr;

use super::faults::Faults;
use super::variables::Variables;
use crate::path::leads_elsewhere;

pub(super) const PUBLIC_URL: &str =
    "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without fragment, userinfo or whitespace";
const ORIGIN_URL: &str = "an http or https URL without query, fragment, userinfo or whitespace";

pub(super) const PUBLIC_PAGE: &str =
    "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without userinfo or whitespace";

/// A URL as the WHATWG standard reads it.
pub(crate) struct Url {
    pub(crate) scheme: String,
    /// IPv6 in brackets; empty if there is none.
    pub(crate) host: String,
    pub(crate) path: String,
    /// Serialized; `null` for schemes that have none.
    pub(crate) origin: String,
}

/// Parses a URL: the Worker by the runtime's own parser, which is a seventh of its size less, and the native commands and tests by the crate `url`.
#[cfg(target_arch = "wasm32")]
pub(super) fn parse(text: &str) -> Option<Url> {
    crate::edge::parse_url(text)
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) fn parse(text: &str) -> Option<Url> {
    let url = url::Url::parse(text).ok()?;
    Some(Url {
        scheme: url.scheme().to_owned(),
        host: url.host_str().unwrap_or_default().to_owned(),
        path: url.path().to_owned(),
        origin: url.origin().ascii_serialization(),
    })
}

impl Url {
    pub(super) fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// A URL that clients and issuers see: https, or http on loopback.
pub(super) fn public(text: &str) -> Option<Url> {
    let url = absolute(text)?;
    (url.scheme == "https" || url.is_loopback()).then_some(url)
}

/// Whether a URL may be that of a page for people: a public one, with or without a fragment.
pub(super) fn public_page(text: &str) -> bool {
    let (page, fragment) = text.split_once('#').unwrap_or((text, ""));
    public(page).is_some() && is_safe(fragment) && !fragment.contains('#')
}

/// An absolute http or https URL in header-safe ASCII, without fragment and userinfo.
fn absolute(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = authority(rest);
    let url = parse(text)?;
    (is_safe(text) && web && !authority.is_empty() && !authority.contains('@') && !text.contains('#'))
        .then_some(url)
}

fn is_safe(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x21..=0x7e) && !b"\"\\<>^`{|}".contains(&b))
}

/// What stands between `://` and the path.
pub(super) fn authority(after_scheme: &str) -> &str {
    after_scheme.split(['/', '?']).next().unwrap_or_default()
}

/// Whether the path of a URL reads the same after parsing: no dot segments, nothing that a parser would rewrite.
pub(super) fn is_normal(text: &str, url: &Url) -> bool {
    let path = path(text);
    path == url.path || (path.is_empty() && url.path == "/")
}

/// The path as written; empty if there is none.
pub(super) fn path(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.get(authority(rest).len()..).unwrap_or_default();
    rest.split('?').next().unwrap_or_default()
}

pub(super) fn read_origin_url(variables: &Variables, faults: &mut Faults) -> Option<String> {
    let Some(found) = variables.named("ORIGIN_URL") else {
        faults.add("ORIGIN_URL", "", format!("{ORIGIN_URL}; it is required"));
        return None;
    };
    let text = found
        .value
        .as_str()
        .filter(|text| absolute(text).is_some_and(|url| is_normal(text, &url) && !text.contains('?')));
    match text {
        None => faults.add(found.name, "", ORIGIN_URL),
        Some(text) if leads_elsewhere(path(text)) => {
            faults.add(found.name, "", "a path without dot segments, in any spelling");
        }
        Some(_) => {}
    }
    text.map(str::to_owned)
}
