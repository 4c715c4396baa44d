//! What an entry may have for an issuer, and whether clients are sent there. With a key set of the
//! entry's own an issuer is a name, compared byte for byte; otherwise its metadata is looked for
//! there, so it is a URL.

use crate::http::url;
use serde_json::Value;

use super::object_reader::ObjectReader;
use super::urls::{self, Kind};
use super::written;
use crate::limits;
use crate::settings::presets::Preset;

pub(super) const NAME: &str = "a non-empty string of 1024 bytes at most";

/// An issuer that is any text, as it was written.
///
/// # Errors
/// What was found instead.
pub(super) fn name(value: &Value) -> Result<String, String> {
    match value.as_str() {
        None => Err(format!("found {}", written::kind(value))),
        Some(text) if text.trim().is_empty() => Err("found an empty text".to_owned()),
        Some(text) if text.len() > limits::ISSUER_BYTES => {
            Err(format!("found a text of {} bytes", text.len()))
        }
        // No token has such a name.
        Some(text) if url::public(text).is_some() => urls::read(value, Kind::Issuer),
        Some(text) => Ok(text.to_owned()),
    }
}

/// Whether an issuer is one whose metadata may be looked for.
pub(super) fn is_url(issuer: &str) -> bool {
    urls::read(&Value::from(issuer), Kind::Issuer).is_ok()
}

/// Whether an entry has an issuer that is a name and no URL.
pub(super) fn is_name(entry: &ObjectReader<'_>) -> bool {
    let issuer = entry.get("issuer").filter(|_| entry.has("jwks_uri"));
    issuer.and_then(Value::as_str).is_some_and(|issuer| !is_url(issuer))
}

/// Whether clients are told to log in there. An entry that names where clients log in is for
/// clients, unless it says otherwise itself.
pub(super) fn for_clients(entry: &mut ObjectReader<'_>, preset: &Preset) -> bool {
    if entry.has("for_clients") {
        return entry.switch("for_clients").unwrap_or(true);
    }
    preset.for_clients || entry.has("authorization_server_url")
}

/// The entry's own `issuer`. `None`: it has none, or there is a fault.
pub(super) fn read(entry: &mut ObjectReader<'_>) -> Option<String> {
    if !entry.has("jwks_uri") {
        return url(entry, "issuer", Kind::Issuer);
    }
    let read = name(entry.get("issuer")?);
    read.map_err(|found| entry.fault_hinted("issuer", NAME, found)).ok()
}

/// A member that is a URL, if it is there and sound.
pub(super) fn url(entry: &mut ObjectReader<'_>, name: &str, kind: Kind) -> Option<String> {
    let read = urls::read(entry.get(name)?, kind);
    read.map_err(|found| entry.fault_hinted(name, urls::PUBLIC_URL, found)).ok()
}
