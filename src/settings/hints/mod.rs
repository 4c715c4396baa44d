//! What `check` and `doctor` say of settings that are sound: what will surprise,
//! and what can hardly be meant. The Worker itself knows nothing of it.

mod texts;

use super::names::PREFIX;
use super::variables::{self, Variables};
use super::{resources, scopes, spelling};
use crate::fault::{Faults, Warning};
use crate::http::url;
use crate::resource::{Config, Resource};

const CANONICAL_URL: &str = "MCP_SERVER_AUTH_CANONICAL_URL";
const CHALLENGE_SCOPES: &str = "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES";
const ORIGIN_URL: &str = "ORIGIN_URL";

/// The settings are those that `config` was read from.
pub fn hints(variables: &Variables, config: &Config) -> Vec<Warning> {
    let mut hints: Vec<Warning> = Vec::new();
    let mut all = config.resources.iter();
    resources::for_each(variables, |settings, place| {
        let own = all.next().map(|resource| of_resource(settings, resource)).unwrap_or_default();
        for hint in own.into_iter().chain(texts::hints(settings)) {
            let (variable, field) = place(&hint.variable, &hint.field);
            let hint = Warning { variable, field, text: hint.text };
            // What stands beside the array belongs to several.
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    });
    hints
}

/// The variable of ours that one which nobody reads may have been meant to be.
pub fn meant_variable(name: &str) -> Option<String> {
    let known = variables::known();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    if let Some(meant) = spelling::nearest(name, &known) {
        return Some(meant.to_owned());
    }
    // Without the prefix, or with a part of it.
    let name = name.to_ascii_uppercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.skip_while(|word| ["MCP", "SERVER", "RESOURCE", "AUTH"].contains(word));
    let rest = [PREFIX, &words.collect::<Vec<_>>().join("_")].concat();
    spelling::nearest(&rest, &known).map(str::to_owned)
}

fn of_resource(settings: &Variables, resource: &Resource) -> Vec<Warning> {
    let found = [
        (CANONICAL_URL, other_spelling(resource)),
        (ORIGIN_URL, origin_path(resource)),
        (ORIGIN_URL, same_host(resource)),
        (CHALLENGE_SCOPES, every_scope(settings, resource)),
    ];
    let warning = |(variable, text): (&str, Option<String>)| {
        Some(Warning { variable: variable.to_owned(), field: String::new(), text: text? })
    };
    found.into_iter().filter_map(warning).collect()
}

/// RFC 3986 section 6.2.2 and 6.2.3, and the specification's "Canonical Server URI".
fn other_spelling(resource: &Resource) -> Option<String> {
    let canonical = &resource.canonical;
    let normal = url::parse(canonical.as_str())?.origin;
    let path = canonical.path_as_set();
    let dot = canonical.host().ends_with('.');
    if canonical.origin() == normal && !path.ends_with('/') && !dot {
        return None;
    }
    let query = canonical.as_str().split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let host = canonical.host().to_ascii_lowercase();
    let origin = normal.replacen(&host, host.trim_end_matches('.'), 1);
    Some(format!(
        "is not in normal form: clients and authorization servers write {origin}{}{query}, and compare letter by letter",
        canonical.path()
    ))
}

/// Paths of which one ends otherwise than the other.
fn origin_path(resource: &Resource) -> Option<String> {
    let (canonical, origin) = (&resource.canonical, url::path(&resource.origin_url));
    let ends = |path: &str| if path.ends_with('/') { "a slash at the end" } else { "no slash at the end" };
    match (canonical.path(), origin) {
        ("", "" | "/") => None,
        ("", _) => Some(format!(
            "has a path, and the canonical URL has none: a request for / reaches your server as {}/, with a slash at the end, which many servers do not take",
            origin.trim_end_matches('/')
        )),
        (path, "" | "/") => Some(format!(
            "has no path: a request for {path} reaches your server as one for /. Is its endpoint there, or at {}{path}?",
            resource.origin_url.trim_end_matches('/')
        )),
        _ if origin.ends_with('/') != canonical.path_as_set().ends_with('/') => Some(format!(
            "has {}, and the canonical URL has {}: many servers take only one of the two",
            ends(origin),
            ends(canonical.path_as_set())
        )),
        _ => None,
    }
}

/// Not a loop, since the path is another one, and yet the Worker itself.
fn same_host(resource: &Resource) -> Option<String> {
    let url = url::parse(&resource.origin_url).filter(|_| resource.binding.is_none())?;
    let (_, authority) = url.origin.split_once("://")?;
    resource.canonical.is_at(authority).then(|| {
        "has the host of the canonical URL: as a custom domain or on workers.dev that is the Worker itself, which answers 404 there".to_owned()
    })
}

/// What clients ask for where no challenge names scopes: those of the metadata document, or else
/// all that the authorization server's own document lists.
fn every_scope(settings: &Variables, resource: &Resource) -> Option<String> {
    let read = |name: &str| scopes::read(settings, name, &mut Faults::default());
    let clients_log_in = resource.entries.iter().any(|entry| entry.authorization_server_url.is_some());
    if !clients_log_in || !read("DEFAULT_CHALLENGE_SCOPES").is_empty() {
        return None;
    }
    match read("SCOPES_SUPPORTED").as_slice() {
        [] => Some(
            "is not set: clients ask for every scope that the authorization server lists, openid too. Name those that your server needs".to_owned(),
        ),
        [_] => None,
        _ => Some(format!(
            "is not set: clients ask for every scope of {}. Name those that a login needs",
            settings.called("SCOPES_SUPPORTED")
        )),
    }
}
