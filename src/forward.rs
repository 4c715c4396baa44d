//! The request that the origin gets: its target, and its identity headers.
//!
//! 1. There is no plan without a `Permit`.
//! 2. The canonical path is replaced by the origin's; what follows it and the query stay. The target cannot leave the origin's path: `Protected`
//!    has no dot segments, and nothing is resolved, only appended.

use crate::claims::Permit;
use crate::config::Resource;
use crate::route::Protected;

/// What to send where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'p> {
    pub target: String,
    /// `Identity::headers_text`: set after every reserved header and `Authorization` were removed.
    pub headers: &'p str,
}

/// The plan for a permitted request.
pub fn plan<'p>(permit: &'p Permit, protected: &Protected<'_>) -> Plan<'p> {
    Plan { target: target(protected), headers: permit.identity().headers_text() }
}

fn target(protected: &Protected<'_>) -> String {
    let origin = protected.resource().origin_url.as_str();
    let rest = protected.rest();
    let origin = if rest.is_empty() { origin } else { origin.strip_suffix('/').unwrap_or(origin) };
    [origin, rest, protected.query()].concat()
}

/// Whether an incoming header is kept from the origin: the credential, and whatever could pass for a header of ours.
pub fn is_removed(resource: &Resource, name: &str) -> bool {
    crate::identity::is_reserved(name) || resource.delivery.removes(name)
}
