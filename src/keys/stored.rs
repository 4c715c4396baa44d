//! A key set as KV holds it: the issuer's text, when it gave it, and whose it is.
//!
//! Whatever else KV holds under our key (garbage, an older format, another source's set) is no set.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::json;
use crate::keys::cache::Held;
use crate::keys::set::KeySet;
use crate::keys::source::KeySource;
use crate::limits::{self, Seconds};

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    source: String,
    fetched_at: Seconds,
    fresh_for: Seconds,
    jwks: String,
}

/// What names a source's key set in KV, before hashing: a KV key holds 512 bytes, a URL may be
/// longer.
pub fn name(source: &KeySource) -> String {
    match source {
        KeySource::JwksUri(url) => format!("jwks_uri {url}"),
        KeySource::Discovery(issuer) => format!("issuer {issuer}"),
    }
}

/// The value to put.
pub fn encode(source: &KeySource, jwks: &str, fetched_at: Seconds, fresh_for: Seconds) -> Option<String> {
    let record =
        Record { format: FORMAT, source: name(source), fetched_at, fresh_for, jwks: jwks.to_owned() };
    serde_json::to_string(&record).ok()
}

/// The set in a value, if it is this source's. A time in the future is another machine's clock, and
/// counts as now; the freshness is bounded by our own settings.
pub fn decode(value: &str, source: &KeySource, ttl: Seconds, now: Seconds) -> Option<Held> {
    let record: Record = serde_json::from_str(value).ok().filter(|_| json::is_object(value))?;
    if record.format != FORMAT || record.source != name(source) {
        return None;
    }
    let set = KeySet::parse(&record.jwks).ok()?;
    Some(Held {
        set: Rc::new(set),
        fetched_at: record.fetched_at.min(now),
        fresh_for: record.fresh_for.max(limits::FRESH_MIN).min(ttl),
    })
}
