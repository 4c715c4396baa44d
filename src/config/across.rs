//! What several resources must have between them: each its own place, one document at the root of a host, and tokens that open one of them only.

use super::faults::Faults;
use super::{Config, Entry, Resource};
use crate::route::{Route, route};

/// Whether they have several hosts.
pub(super) fn has_hosts(config: &Config) -> bool {
    let mut all = config.resources.iter().map(|resource| &resource.canonical);
    all.next().is_some_and(|first| all.any(|other| !other.is_beside(first)))
}

pub(super) fn check(config: &Config, array: &str, faults: &mut Faults) {
    for (at, resource) in config.resources.iter().enumerate() {
        let canonical = &resource.canonical;
        let before = || config.resources.iter().take(at);
        let beside = |other: &&Resource| other.canonical.is_beside(canonical);
        if before().filter(beside).any(|other| other.canonical.path() == canonical.path()) {
            let expected = "a host and path that no other resource has; a trailing slash and the letter case of the host aside";
            faults.add(array, &format!("[{at}].canonical_url"), expected);
        } else if !is_found(config, resource) {
            let expected =
                "a path that is not that of another resource's documents: no request would reach it";
            faults.add(array, &format!("[{at}].canonical_url"), expected);
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

/// An issuer and an audience that both take.
fn shared_audience<'c>(one: &'c Resource, other: &Resource) -> Option<(&'c str, &'c str)> {
    let pairs = one.entries.iter().flat_map(|a| other.entries.iter().map(move |b| (a, b)));
    let same_issuer = |a: &Entry, b: &Entry| a.rules.issuer == b.rules.issuer || a.source == b.source;
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
    let one_origin = one.origin_url == other.origin_url && one.binding == other.binding;
    !one_origin && a.issuer == b.issuer && a.audiences.iter().any(|audience| b.audiences.contains(audience))
}
