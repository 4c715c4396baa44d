//! URLs: parsed to be judged, and kept as they were written.

use std::net::IpAddr;

/// A URL as the WHATWG standard reads it.
pub(crate) struct Url {
    pub(crate) scheme: String,
    /// IPv6 in brackets; empty if there is none.
    pub(crate) host: String,
    pub(crate) path: String,
    /// Serialized; `null` for schemes that have none.
    pub(crate) origin: String,
}

/// Parses a URL. A host that is not ASCII is none: what stands in the settings has to be ASCII
/// anyway, and the tables for all other names are larger than the rest of the parser (decision 11).
pub(crate) fn parse(text: &str) -> Option<Url> {
    let url = url::Url::parse(text).ok()?;
    Some(Url {
        scheme: url.scheme().to_owned(),
        host: url.host_str().unwrap_or_default().to_owned(),
        path: url.path().to_owned(),
        origin: url.origin().ascii_serialization(),
    })
}

impl Url {
    pub(crate) fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// A URL that clients and issuers see: https, or http on loopback.
pub(crate) fn public(text: &str) -> Option<Url> {
    let url = absolute(text)?;
    (url.scheme == "https" || url.is_loopback()).then_some(url)
}

/// Whether a URL may be that of a page for people: a public one, with or without a fragment.
pub(crate) fn public_page(text: &str) -> bool {
    let (page, fragment) = text.split_once('#').unwrap_or((text, ""));
    public(page).is_some() && is_safe(fragment) && !fragment.contains('#')
}

/// An absolute http or https URL in header-safe ASCII, without fragment and userinfo.
pub(crate) fn absolute(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = authority(rest);
    let url = parse(text)?;
    (is_safe(text) && web && !authority.is_empty() && !authority.contains('@') && !text.contains('#'))
        .then_some(url)
}

fn is_safe(text: &str) -> bool {
    text.chars().all(is_safe_character)
}

pub(crate) fn is_safe_character(c: char) -> bool {
    matches!(c, '\u{21}'..='\u{7e}') && !"\"\\<>^`{|}".contains(c)
}

/// What stands between `://` and the path.
pub(crate) fn authority(after_scheme: &str) -> &str {
    after_scheme.split(['/', '?']).next().unwrap_or_default()
}

/// Whether the path of a URL reads the same after parsing: no dot segments, nothing that a parser
/// would rewrite.
pub(crate) fn is_normal(text: &str, url: &Url) -> bool {
    let path = path(text);
    path == url.path || (path.is_empty() && url.path == "/")
}

/// The path as written; empty if there is none.
pub(crate) fn path(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.get(authority(rest).len()..).unwrap_or_default();
    rest.split('?').next().unwrap_or_default()
}

/// Whether a URL may be a key set's or an issuer's: https, or http on loopback.
pub fn is_public_url(text: &str) -> bool {
    public(text).is_some()
}
