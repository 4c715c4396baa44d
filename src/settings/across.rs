//! What is checked of several resources together: each has its own place and its own origin, there
//! is one document at the root of a host, and a token opens one resource only.

use crate::fault::Faults;
use crate::http::path::names;
use crate::http::url;
use crate::resource::Config;
use crate::resource::Resource;
use crate::resource::canonical::bare;
use crate::route::{Route, route};
use crate::token::trusted_issuer::TrustedIssuer;

/// Whether they have several hosts.
pub(super) fn has_hosts(config: &Config) -> bool {
    let mut all = config.resources.iter().map(|resource| &resource.canonical);
    all.next().is_some_and(|first| all.any(|other| !other.is_beside(first)))
}

/// Tells each resource which others are nested in it.
pub(super) fn nest(config: &mut Config) {
    let nested: Vec<Vec<Vec<String>>> = config
        .resources
        .iter()
        .map(|outer| config.resources.iter().filter_map(|inner| canonical_below(inner, outer)).collect())
        .collect();
    for (resource, nested) in config.resources.iter_mut().zip(nested) {
        resource.nested = nested.into_iter().filter(|names| !names.is_empty()).collect();
    }
}

pub(super) fn check(config: &Config, array: &str, faults: &mut Faults) {
    for (at, resource) in config.resources.iter().enumerate() {
        let canonical = &resource.canonical;
        let before = || config.resources.iter().take(at);
        let beside = |other: &&Resource| other.canonical.is_beside(canonical);
        if before().any(|other| is_same_place(resource, other)) {
            let expected = "a host and path that no other resource has; a trailing slash and the letter case of the host aside";
            faults.add(array, &format!("[{at}].canonical_url"), expected);
        } else if !is_found(config, resource) {
            let expected =
                "a path that is not that of another resource's documents: no request would reach it";
            faults.add(array, &format!("[{at}].canonical_url"), expected);
        }
        for (other_at, other) in config.resources.iter().enumerate() {
            // Of two with one origin, the later one.
            let is_open = match origin_below(resource, other) {
                Some(below) if below.is_empty() => other_at < at && !is_same_place(resource, other),
                Some(below) => canonical_below(resource, other) != Some(below),
                None => false,
            };
            if is_open {
                let expected = format!(
                    "a URL that is not at or below [{other_at}].origin_url, unless canonical_url is below [{other_at}].canonical_url in the same way: a token for that server would open this one"
                );
                faults.add(array, &format!("[{at}].origin_url"), expected);
            }
        }
        let is_worker = |other: &Resource| other.canonical.is_below(&resource.origin_url);
        let is_own = is_worker(resource); // told of already
        if resource.binding.is_none() && !is_own && config.resources.iter().any(is_worker) {
            let expected = "an address that is not at or below another resource's canonical_url: that is the Worker itself";
            faults.add(array, &format!("[{at}].origin_url"), expected);
        }
        let is_root = |resource: &Resource| resource.canonical.path().is_empty();
        let root_is_taken = config.resources.iter().filter(beside).any(is_root)
            || before().filter(beside).any(|other| other.is_default);
        if resource.is_default && !is_root(resource) && root_is_taken {
            let expected = "false: the document at the root of this host is another resource's";
            faults.add(array, &format!("[{at}].default"), expected);
        }
        for other in before() {
            if let Some((issuer, audience)) = shared_audience(resource, other) {
                let text = format!(
                    "takes tokens of {issuer} for {audience}, as {} does: whoever gets one for the one server can use it at the other",
                    other.canonical.as_str()
                );
                faults.warn(array, &format!("[{at}]"), text);
            }
            if shares_assertions(resource, other) {
                let text = format!(
                    "has assertions of the same issuer and audience as {}: the one origin can show them to the other",
                    other.canonical.as_str()
                );
                faults.warn(array, &format!("[{at}]"), text);
            }
        }
    }
}

/// Whether a request for the canonical URL reaches this resource.
fn is_found(config: &Config, resource: &Resource) -> bool {
    match route(config, resource.canonical.as_str()) {
        Route::Protected(protected) => std::ptr::eq(protected.resource(), resource),
        _ => false,
    }
}

fn is_same_place(one: &Resource, other: &Resource) -> bool {
    one.canonical.is_beside(&other.canonical) && one.canonical.path() == other.canonical.path()
}

/// What follows the outer canonical path in the inner one, if it is at or below it. The paths are
/// compared by the names that lenient readers could see.
fn canonical_below(inner: &Resource, outer: &Resource) -> Option<Vec<String>> {
    let is_beside = inner.canonical.is_beside(&outer.canonical);
    below(inner.canonical.path(), outer.canonical.path()).filter(|_| is_beside)
}

/// The same of the paths of their origins, if one server answers at both.
fn origin_below(inner: &Resource, outer: &Resource) -> Option<Vec<String>> {
    let is_one = inner.binding == outer.binding && server(&inner.origin_url) == server(&outer.origin_url);
    below(url::path(&inner.origin_url), url::path(&outer.origin_url)).filter(|_| is_one)
}

fn below(inner: &str, outer: &str) -> Option<Vec<String>> {
    names(inner).strip_prefix(names(outer).as_slice()).map(<[String]>::to_vec)
}

/// Host and port. Neither the scheme with its default port nor a dot at the end of the name makes
/// it another server.
fn server(url: &str) -> Option<String> {
    let url = url::parse(url)?;
    let authority = bare(url.origin.split_once("://")?.1);
    let (host, port) = authority.split_at_checked(url.host.len())?;
    Some([host.trim_end_matches('.'), port].concat())
}

/// An issuer and an audience that both take.
fn shared_audience<'c>(one: &'c Resource, other: &Resource) -> Option<(&'c str, &'c str)> {
    let pairs = one.entries.iter().flat_map(|a| other.entries.iter().map(move |b| (a, b)));
    let same_issuer =
        |a: &TrustedIssuer, b: &TrustedIssuer| a.rules.issuer == b.rules.issuer || a.source == b.source;
    pairs.filter(|(a, b)| same_issuer(a, b)).find_map(|(a, b)| {
        let both = a.rules.audiences.iter().find(|audience| {
            b.rules.audiences.iter().any(|other| without_slash(other) == without_slash(audience))
        });
        both.map(|audience| (a.rules.issuer.as_str(), audience.as_str()))
    })
}

/// As audiences are compared: one trailing slash aside.
fn without_slash(audience: &str) -> &str {
    audience.strip_suffix('/').unwrap_or(audience)
}

/// Whether two origins could take each other's assertions.
fn shares_assertions(one: &Resource, other: &Resource) -> bool {
    let (Some(a), Some(b)) = (&one.assertion, &other.assertion) else { return false };
    a.issuer == b.issuer && a.audiences.iter().any(|audience| b.audiences.contains(audience))
}
