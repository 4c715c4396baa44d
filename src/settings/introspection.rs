//! `introspection` of an entry: how its authorization server is asked about tokens.

use serde_json::Value;

use super::issuers;
use super::names::{self, CLIENT_SECRET};
use super::object_reader::ObjectReader;
use super::table::{self, INTROSPECTION};
use super::urls::{self, Kind};
use super::variables::Variables;
use super::written;
use crate::limits;
use crate::secret::Secret;
use crate::token::introspection::{AuthMethod, Introspection};
use crate::token::trusted_issuer::TrustedIssuer;

const CLIENT_ID: &str = "client_id";

/// What an entry says of it, if that is sound.
pub(super) fn read(entry: &mut ObjectReader<'_>, variables: &Variables) -> Option<Box<Introspection>> {
    let value = entry.get(names::INTROSPECTION)?;
    let has_metadata = !issuers::is_name(entry);
    let mut asking = entry.inner(".introspection", value, &INTROSPECTION)?;
    let before = asking.count();
    let auth_method =
        match asking.get("auth_method").map(|name| name.as_str().and_then(AuthMethod::from_name)) {
            None => AuthMethod::Basic,
            Some(Some(method)) => method,
            Some(None) => {
                asking.fault("auth_method", AuthMethod::NAMES.join(" or "));
                AuthMethod::Basic
            }
        };
    let url = asking.get("url").map(|value| urls::read(value, Kind::Public));
    if let Some(Err(found)) = &url {
        asking.fault_hinted("url", urls::PUBLIC_URL, found.clone());
    }
    if url.is_none() && !has_metadata {
        let expected = format!(
            "{}; it is required, since the issuer is no URL where metadata could be",
            urls::PUBLIC_URL
        );
        asking.fault("url", expected);
    }
    let client_id = text(&mut asking, CLIENT_ID);
    if auth_method != AuthMethod::None && !asking.has(CLIENT_ID) {
        asking.fault(CLIENT_ID, "the Worker's own client ID at the authorization server; it is required, but for auth_method = \"none\"");
    }
    let (secret_name, client_secret) = secret(&mut asking, auth_method, variables);
    let binding = text(&mut asking, "binding");
    if binding.as_ref().is_some_and(|name| !variables.has_binding(name)) {
        asking.fault("binding", variables.expected_binding());
    }
    let cache_seconds = match asking.get("cache_seconds").map(Value::as_u64) {
        None => limits::INTROSPECTION_CACHE_DEFAULT,
        Some(Some(seconds)) if limits::INTROSPECTION_CACHE.contains(&seconds) => seconds,
        Some(_) => {
            asking.fault("cache_seconds", "a whole number of seconds, 0 to 60");
            limits::INTROSPECTION_CACHE_DEFAULT
        }
    };
    let jwts = asking.switch("jwt").unwrap_or(false);
    let subject = text(&mut asking, "subject");
    (asking.count() == before).then(|| {
        Box::new(Introspection {
            url: url.and_then(Result::ok),
            client_id,
            client_secret,
            secret_name,
            auth_method,
            binding,
            cache_seconds,
            jwts,
            subject,
        })
    })
}

/// A text that is not empty, if it is there.
fn text(asking: &mut ObjectReader<'_>, name: &str) -> Option<String> {
    let value = asking.get(name)?;
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    if text.is_none() {
        asking.fault_hinted(name, "a non-empty string", format!("found {}", written::kind(value)));
    }
    text.map(str::to_owned)
}

/// The name of the variable that has the secret, and the secret. What stands there instead of a
/// name may be the secret itself, so it is never said.
fn secret(
    asking: &mut ObjectReader<'_>,
    method: AuthMethod,
    variables: &Variables,
) -> (Option<String>, Option<Secret<String>>) {
    let Some(value) = asking.get(CLIENT_SECRET) else {
        if method != AuthMethod::None {
            asking.fault(CLIENT_SECRET, "the name of the secret variable that holds it; it is required, but for auth_method = \"none\"");
        }
        return (None, None);
    };
    if method == AuthMethod::None {
        asking.fault(CLIENT_SECRET, "nothing beside auth_method = \"none\", which sends no secret");
        return (None, None);
    }
    let Some(name) = value.as_str().filter(|name| is_variable(name)) else {
        let expected =
            "the name of the secret variable that holds it (letters, digits and _), not the secret itself";
        asking.fault(CLIENT_SECRET, expected);
        return (None, None);
    };
    if table::of_variable(name).is_some() {
        asking.fault(CLIENT_SECRET, "the name of a variable of its own: this one is another setting");
        return (None, None);
    }
    let secret = variables.text(name).filter(|secret| !secret.trim().is_empty());
    if secret.is_none() && (variables.has(name) || !variables.secrets_are_elsewhere()) {
        let expected = "the name of a secret variable that is set: by npx wrangler secret put with this name, or on this machine in .dev.vars";
        asking.fault(CLIENT_SECRET, expected);
    }
    (Some(name.to_owned()), secret.map(|secret| Secret::new(secret.to_owned())))
}

fn is_variable(name: &str) -> bool {
    let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_word && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// What is wrong with the entries together: the field of the entry that was read last, and what is
/// expected there. An opaque token does not say whose it is, so only one server may be asked; and a
/// JWT that one entry has asked about must not be accepted by another one that asks nobody.
pub(super) fn contradiction(before: &[TrustedIssuer], entry: &TrustedIssuer) -> Option<&'static str> {
    let asks = |entry: &TrustedIssuer| entry.introspection.is_some();
    if asks(entry) && before.iter().any(asks) {
        return Some(
            "no second one: an opaque token does not say whose it is, and is shown to one authorization server only",
        );
    }
    let asks_about_jwts =
        |entry: &TrustedIssuer| entry.introspection.as_ref().is_some_and(|asking| asking.jwts);
    let is_unasked = before.iter().any(|other| {
        // One that does not look at `iss` takes any issuer's tokens that its keys fit.
        let takes_any = !other.rules.verify_iss || !entry.rules.verify_iss;
        let is_same = takes_any || other.rules.issuer == entry.rules.issuer || other.source == entry.source;
        is_same && (asks_about_jwts(other) || asks_about_jwts(entry))
    });
    is_unasked.then_some(
        "one entry for this issuer, since its introspection is for JWTs, too (jwt = true): another entry would accept them unasked",
    )
}
