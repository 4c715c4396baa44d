//! `MCP_SERVER_AUTH_ASSERTION` and what belongs to it.

use serde_json::Value;

use super::variables::{Found, Variables, strings};
use super::written::Shape;
use crate::fault::Faults;
use crate::origin::assertion::keys::{EXPECTED as EXPECTED_KEY, SigningKeys};
use crate::origin::assertion::{Assertion, Carrier, RESERVED};
use crate::resource::canonical::Canonical;

/// The secret.
pub(super) const KEY: &str = "MCP_SERVER_AUTH_ASSERTION_KEY";

pub(super) fn read(
    variables: &Variables,
    canonical: Option<&Canonical>,
    origin_url: Option<&str>,
    faults: &mut Faults,
) -> (Option<Assertion>, Option<SigningKeys>) {
    let carrier = carrier(variables, faults);
    let keys = keys(variables, carrier.is_some(), faults);
    let claims = variables.get("ASSERTION_CLAIMS", faults).map(|found| claims(&found, faults));
    let texts = |name, expected: &str, most: usize, faults: &mut Faults| {
        let found = variables.get(name, faults)?;
        let texts = found.one_or_more().filter(|texts| texts.len() <= most);
        if texts.is_none() {
            found.fault(expected, Shape::Texts, faults);
        }
        texts
    };
    let issuer = texts("ASSERTION_ISSUER", "a non-empty string", 1, faults);
    let audiences = texts("ASSERTION_AUDIENCE", "one or more non-empty strings", usize::MAX, faults);
    let assertion = || {
        let issuer = issuer.and_then(|one| one.into_iter().next());
        Some(Assertion {
            carrier: carrier?,
            issuer: issuer.or_else(|| Some(canonical?.origin().to_owned()))?,
            audiences: audiences.or_else(|| Some(vec![origin_url?.to_owned()]))?,
            claims: claims.unwrap_or_default(),
        })
    };
    (assertion(), keys.filter(|_| carrier.is_some()))
}

fn carrier(variables: &Variables, faults: &mut Faults) -> Option<Carrier> {
    let found = variables.get("ASSERTION", faults)?;
    match found.value.as_str() {
        Some("header") => Some(Carrier::Header),
        Some("bearer") => Some(Carrier::Bearer),
        Some("off") => None,
        _ => {
            faults.add(found.name, "", "header, bearer or off");
            None
        }
    }
}

fn keys(variables: &Variables, required: bool, faults: &mut Faults) -> Option<SigningKeys> {
    let Some(found) = variables.get("ASSERTION_KEY", faults) else {
        if required && !variables.secrets_are_elsewhere() {
            faults.add(KEY, "", "the secret that assertions are signed with: npx mcp-edge-auth keygen");
        }
        return None;
    };
    match SigningKeys::read(found.name, &found.value) {
        Ok(keys) => Some(keys),
        // A text may be PEM; one that begins as JSON does is none.
        Err(_) if found.is_broken_json() => {
            found.fault(EXPECTED_KEY, Shape::Structured, faults);
            None
        }
        Err(misread) => {
            misread.into_iter().for_each(|(field, expected)| faults.add(found.name, &field, expected));
            None
        }
    }
}

/// An array of names, or an object of names and new names.
fn claims(found: &Found<'_>, faults: &mut Faults) -> Vec<(String, String)> {
    let pairs: Option<Vec<(String, String)>> = match &found.value {
        Value::Object(renamed) => {
            renamed.iter().map(|(name, new)| Some((name.clone(), new.as_str()?.to_owned()))).collect()
        }
        value => strings(value).map(|names| names.into_iter().map(|name| (name.clone(), name)).collect()),
    };
    let pairs = pairs.filter(|pairs| pairs.iter().all(|(name, new)| !name.is_empty() && !new.is_empty()));
    let Some(pairs) = pairs else {
        let expected = "an array of claim names, or an object of claim names and the names that they get";
        found.fault(expected, Shape::Structured, faults);
        return Vec::new();
    };
    for (n, (name, new)) in pairs.iter().enumerate() {
        if RESERVED.contains(&new.as_str()) {
            let expected =
                format!("another name for it in the assertion: {} are the Worker's own", RESERVED.join(", "));
            faults.add(found.name, &format!(".{name}"), expected);
        }
        if pairs.iter().take(n).any(|(_, other)| other == new) {
            faults.add(found.name, &format!(".{name}"), "a name that no other claim gets");
        }
    }
    pairs
}
