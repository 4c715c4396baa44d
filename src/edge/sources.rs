//! What an isolate knows of the places that key sets come from.

use crate::keys::cache;
use crate::limits::Seconds;

/// Where the key set of a request came from.
#[derive(Clone, Copy)]
pub(super) enum ServedFrom {
    Memory,
    Kv,
    Issuer,
    /// It is kept for so many seconds more.
    Stale(Seconds),
}

impl ServedFrom {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Kv => "kv",
            Self::Issuer => "issuer",
            Self::Stale(_) => "stale",
        }
    }
}

/// What is known of one key source.
#[derive(Default)]
pub(super) struct Source {
    pub(super) state: cache::State,
    /// The `jwks_uri` that discovery found.
    pub(super) jwks_uri: Option<String>,
    /// Where the last fetch that ended had the set from.
    pub(super) fetched_from: Option<ServedFrom>,
    /// Whether the log says that too many requests wait for the fetch that runs.
    pub(super) crowded: bool,
}
