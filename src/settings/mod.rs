//! Variables → `Config`, or every fault at once.
//!
//! With a fault there is no `Config`, and the Worker fails closed. URLs are kept, compared and
//! served as the operator wrote them; a parser only judges them. A fault names the variable, the
//! field and what was expected, never the value, which may be a secret in the wrong place.

mod about;
mod across;
mod algorithms;
mod assertion;
mod audit;
mod authorization_servers;
mod canonical;
mod compatibility;
mod conditions;
mod decide;
mod dpop;
#[cfg(feature = "commands")]
mod hints;
mod hosts;
mod introspection;
mod issuers;
mod limits;
mod logging;
mod names;
mod object_reader;
mod origin;
mod origins;
mod patterns;
mod policy;
mod policy_table;
pub mod presets;
mod providers;
mod read;
mod resources;
#[cfg(feature = "commands")]
mod schema;
mod scopes;
mod sessions;
mod setting;
mod spelling;
mod summary;
mod table;
mod times;
mod urls;
mod variables;
mod warnings;
mod written;

use crate::fault::Fault;
use crate::resource::Config;

#[cfg(feature = "commands")]
pub use hints::{hints, meant_variable};
pub use names::OUTSIDE_CLOUDFLARE;
pub use resources::read;
#[cfg(feature = "commands")]
pub use schema::schema;
pub use summary::summary;
pub use variables::{Variables, is_ours};

/// The seconds from 1970 to a time of RFC 3339, what there is of a second beyond left out.
#[cfg(feature = "commands")]
pub fn seconds_of(time: &str) -> Option<i64> {
    times::seconds(time)
}

/// What is wrong with settings without a fault where there is no KV namespace to read.
pub fn unstored(config: &Config) -> Option<Fault> {
    const NEEDED: &str = "a KV namespace with the binding JWKS_CACHE beside it: there the list is";
    config.revocation.then(|| Fault::new("MCP_SERVER_AUTH_REVOCATION", "", NEEDED))
}
