//! The request that the origin gets: its target, and its identity headers.
//!
//! 1. There is no plan without a `Clearance`, which only the policy gives.
//! 2. The canonical path is replaced by the origin's; what follows it and the query stay. The target cannot leave the origin's path: `Protected`
//!    has no dot segments, and nothing is resolved, only appended.

use crate::config::Resource;
use crate::policy::Clearance;
use crate::route::Protected;

/// What to send where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'p> {
    pub target: String,
    /// `Identity::headers_text`, or empty for nobody's: set after every reserved header and `Authorization` were removed.
    pub headers: &'p str,
}

/// The plan for a permitted request.
pub fn plan<'p>(clearance: &'p Clearance, protected: &Protected<'_>) -> Plan<'p> {
    let headers = clearance.verified().map_or("", |verified| verified.permit().identity().headers_text());
    Plan { target: target(protected), headers }
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

/// Headers by which some servers take a request for one of another method: where rules look at the method, they would be a way around them.
pub fn is_override(name: &str) -> bool {
    ["x-http-method-override", "x-http-method", "x-method-override"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(name))
}
