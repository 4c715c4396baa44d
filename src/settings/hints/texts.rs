//! Texts in the settings that can hardly be meant: the documentation's placeholders, characters
//! that nobody sees, scopes that no server grants.

use crate::http::url;
use serde_json::Value;

use super::super::about;
use super::super::names::bare;
use super::super::scopes::is_separator;
use super::super::table;
use super::super::urls;
use super::super::variables::Variables;
use super::super::written::{character, is_invisible};
use crate::fault::{Faults, Warning};
use crate::settings::presets::{Kind, PRESETS, Parameter};

pub(super) fn hints(settings: &Variables) -> Vec<Warning> {
    let mut found = Vec::new();
    let canonical = settings.get("CANONICAL_URL", &mut Faults::default()).map(|found| found.value);
    for (variable, value) in settings.readable() {
        let bare = bare(variable);
        // A name is for people, who write emoji with invisible characters. An origin behind a
        // binding may have the canonical URL, which is told of already.
        if bare == about::NAME || bare != "CANONICAL_URL" && Some(&value) == canonical.as_ref() {
            continue;
        }
        let is_list = matches!(value, Value::Array(_) | Value::Object(_));
        let member = if is_list || bare == "ISSUER" { bare } else { "" };
        let mut warn = |field: &str, text: String| {
            found.push(Warning { variable: variable.to_owned(), field: field.to_owned(), text });
        };
        walk(&value, "", member, &mut warn);
    }
    found
}

/// `member`: the name of the member that the value belongs to, arrays aside.
fn walk(value: &Value, field: &str, member: &str, warn: &mut impl FnMut(&str, String)) {
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, &format!("{field}[{n}]"), member, warn);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let member = if member == "scope_hierarchy" { member } else { name };
                walk(value, &format!("{field}.{name}"), member, warn);
            }
        }
        Value::String(text) => {
            if is_placeholder(text, member) {
                warn(field, "is a placeholder of the documentation: write your own".to_owned());
            }
            let unseen = text.chars().find(|c| is_invisible(*c));
            let is_issuer = member.eq_ignore_ascii_case("issuer");
            // Without a key set of its own it would be a fault.
            let no_url = Some(value).filter(|_| is_issuer && text.starts_with("https://"));
            if let Some(found) = no_url.and_then(|value| urls::read(value, urls::Kind::Issuer).err()) {
                let text = "is taken for a name, since it has a key set of its own: a token's iss has to be exactly this";
                warn(field, format!("{text}; {found}"));
            }
            let at_an_end = |c: &char| (is_issuer || !field.is_empty()) && c.is_whitespace();
            let edge = [text.chars().next(), text.chars().next_back()].into_iter().flatten().find(at_an_end);
            if let Some(odd) = unseen.or(edge) {
                let place = if unseen.is_some() { "in it" } else { "at an end of it" };
                warn(
                    field,
                    format!("has {} {place}, which tokens and clients will not have", character(odd)),
                );
            }
            let separator = text.chars().find(|c| is_separator(*c)).filter(|_| table::has_scopes(member));
            if let Some(separator) = separator {
                warn(
                    field,
                    format!(
                        "is a scope with {}: is it several, or is it ever granted?",
                        character(separator)
                    ),
                );
            }
        }
        _ => {}
    }
}

/// What README and docs/providers.md have in the place of the reader's own.
fn is_placeholder(text: &str, member: &str) -> bool {
    let parameter = || PRESETS.iter().flat_map(|preset| preset.parameters).find(|p| p.name == member);
    match text.split_once("://") {
        Some((_, rest)) => is_example_host(url::authority(rest)),
        None => parameter().is_some_and(|parameter| is_example(text, parameter)),
    }
}

fn is_example(text: &str, parameter: &Parameter) -> bool {
    let digits = |group: &str| group.len() > 1 && group.bytes().all(|b| Some(&b) == group.as_bytes().first());
    match parameter.kind {
        Kind::Host => is_example_host(text),
        Kind::Guid => text.split('-').all(digits),
        Kind::Segment => {
            let invented = ["abcdefghijklmnopqrst", "res_12345"];
            text.to_ascii_lowercase().contains("example") || invented.contains(&text)
        }
    }
}

/// The hosts of RFC 2606 section 3, and the names that stand for a tenant.
fn is_example_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    let label = |label: &str| label == "example" || label.starts_with("example-");
    let name = |label: &str| host.ends_with(".workers.dev") && matches!(label, "subdomain" | "name");
    host.split('.').any(|part| label(part) || name(part))
}
