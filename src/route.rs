//! The paths of the Worker (contract, section 2).
//!
//! 1. Decided on the request's own method and path, never on a forwarded header (CVE-2026-40575),
//!    and never on the query (CVE-2025-54576).
//! 2. A path is compared as it stands, byte for byte. One that some reader would resolve to another
//!    path (dot segments in any spelling), or take for one of a resource that is nested in the one
//!    it leads to, is no path of ours.
//! 3. `/mcp` and what lies below `/mcp/` belong to the MCP server; `/mcpx` does not.
//! 4. Of several resources that one is meant which has the request's host, if they have several,
//!    and then the longest path. The host is that of the request's own URL. Where all have one host
//!    it is not looked at, so that another name of the Worker leads to them, too.
//! 5. The document at the root of a host is that of the resource which is its default.
//! 6. The document's paths and `/healthz` come first, so they are there where the canonical URL has
//!    no path, too.

use crate::http::path;
use crate::origin::request;
use crate::paths;
use crate::resource::Config;
use crate::resource::Resource;

/// A request's way.
#[derive(Clone, Debug)]
pub enum Route<'c> {
    /// The metadata document of a resource.
    Metadata(&'c Resource),
    Health,
    /// The public keys of assertions.
    SigningKeys,
    /// The copy of this issuer's metadata.
    Copy(&'c str),
    /// At or below the canonical path.
    Protected(Protected<'c>),
    NotFound,
}

/// A place at or below the canonical path. Only [`route`] makes one: it cannot lead out of that
/// path.
#[derive(Clone, Debug)]
pub struct Protected<'c> {
    resource: &'c Resource,
    rest: String,
    query: String,
}

impl<'c> Protected<'c> {
    pub const fn resource(&self) -> &'c Resource {
        self.resource
    }

    /// What follows the canonical path: empty, or starting with a slash.
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// Its public address, without a query. `url`: the request's, which routing has found to be
    /// here; its host does not count.
    pub fn address(&self, url: &str) -> String {
        [self.resource.canonical.origin(), split(url).0].concat()
    }

    /// Where at the origin it is.
    pub fn target(&self) -> String {
        request::target(&self.resource.origin_url, &self.rest, &self.query)
    }

    /// Whether it is the canonical path itself, with or without a trailing slash.
    pub fn is_endpoint(&self) -> bool {
        matches!(self.rest.as_str(), "" | "/")
    }

    /// Empty, or starting with `?`.
    pub fn query(&self) -> &str {
        &self.query
    }
}

/// Finds the way of a request by its URL.
pub fn route<'c>(config: &'c Config, url: &str) -> Route<'c> {
    let (path, query) = split(url);
    if path == paths::HEALTH {
        return Route::Health;
    }
    if path == paths::SIGNING_KEYS {
        return Route::SigningKeys;
    }
    let here = |resource: &&Resource| !config.by_host || resource.canonical.is_at(authority(url));
    let resources = || config.resources.iter().filter(here);
    for resource in resources() {
        if is_metadata(resource, path) {
            return Route::Metadata(resource);
        }
    }
    for resource in resources() {
        if let Some(issuer) = copied_issuer(resource, path) {
            return Route::Copy(issuer);
        }
    }
    let mut longest: Option<(&Resource, &str)> = None;
    for resource in resources() {
        if let Some(rest) = below(resource, path)
            && longest.is_none_or(|(_, other)| rest.len() < other.len())
        {
            longest = Some((resource, rest));
        }
    }
    let is_sure =
        |(resource, rest): &(&Resource, &str)| !path::leads_elsewhere(path) && !is_of_nested(resource, rest);
    match longest.filter(is_sure) {
        Some((resource, rest)) => {
            Route::Protected(Protected { resource, rest: rest.to_owned(), query: query.to_owned() })
        }
        None => Route::NotFound,
    }
}

/// Path and query of an absolute URL, without parsing it: `https://host/path?query#fragment`.
fn split(url: &str) -> (&str, &str) {
    let after_scheme = after_scheme(url);
    let start = after_scheme.bytes().position(is_end_of_authority);
    let target = after_scheme.get(start.unwrap_or(after_scheme.len())..).unwrap_or_default();
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    target.split_at_checked(target.find('?').unwrap_or(target.len())).unwrap_or((target, ""))
}

/// Host and port of an absolute URL.
fn authority(url: &str) -> &str {
    let after_scheme = after_scheme(url);
    let end = after_scheme.bytes().position(is_end_of_authority);
    after_scheme.get(..end.unwrap_or(after_scheme.len())).unwrap_or_default()
}

fn after_scheme(url: &str) -> &str {
    url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")).unwrap_or(url)
}

const fn is_end_of_authority(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#')
}

/// The three forms: path-inserted, root, and below the endpoint.
fn is_metadata(resource: &Resource, path: &str) -> bool {
    is_inserted(resource, paths::RESOURCE_METADATA, path)
        || path.strip_suffix(paths::RESOURCE_METADATA).is_some_and(|start| start == resource.canonical.path())
}

/// The path-inserted and the root form, which is one and the same where there is no path.
fn is_inserted(resource: &Resource, well_known: &str, path: &str) -> bool {
    path.strip_prefix(well_known).is_some_and(|inserted| {
        if inserted.is_empty() && resource.is_default {
            return true;
        }
        let canonical = resource.canonical.path();
        inserted == canonical || inserted.strip_suffix('/').is_some_and(|p| p == canonical)
    })
}

/// Whose metadata is copied here.
fn copied_issuer<'c>(resource: &'c Resource, path: &str) -> Option<&'c str> {
    let issuer = resource.compatibility.copied_issuer.as_deref()?;
    is_inserted(resource, paths::ISSUER_METADATA, path).then_some(issuer)
}

/// What follows the canonical path.
fn below<'r>(resource: &Resource, path: &'r str) -> Option<&'r str> {
    let canonical = &resource.canonical;
    if path == canonical.path_as_set() || (path == "/" && canonical.path().is_empty()) {
        return Some("");
    }
    path.strip_prefix(canonical.path()).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether some reader could take what follows the canonical path for the way to a resource that is
/// nested in this one.
fn is_of_nested(resource: &Resource, rest: &str) -> bool {
    if resource.nested.is_empty() || rest.len() <= 1 {
        return false;
    }
    resource.nested.iter().any(|nested| path::may_start_with(rest, nested))
}
