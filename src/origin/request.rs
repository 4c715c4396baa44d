//! The request that the origin gets: its target, and its identity headers.
//!
//! 1. There is no plan without a `Authorized`, which only the policy gives.
//! 2. What goes out is what was judged: no header says another method or another body, in no
//!    spelling.
//! 3. The canonical path is replaced by the origin's; what follows it and the query stay. The
//!    target cannot leave the origin's path: `Protected` has no dot segments, and nothing is
//!    resolved, only appended.

use crate::http::header_names;
use crate::origin::headers::{self, Delivery};
use crate::policy::{Authorized, mirror};
use crate::refusal::Refusal;
use crate::token::{access, identity};

/// What to send where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'p> {
    pub target: String,
    /// `Identity::headers_text`, or empty for nobody's: set after every reserved header and
    /// `Authorization` were removed.
    pub headers: &'p str,
}

/// The plan for a permitted request.
pub fn plan(clearance: &Authorized, target: String) -> Plan<'_> {
    let headers = clearance.verified().map_or("", |verified| verified.permit().identity().headers_text());
    Plan { target, headers }
}

/// Where a request is sent: what follows the canonical path comes behind the origin's. `rest` is
/// empty or begins with a slash, and `query` is empty or begins with a question mark.
pub(crate) fn target(origin: &str, rest: &str, query: &str) -> String {
    let origin = if rest.is_empty() { origin } else { origin.strip_suffix('/').unwrap_or(origin) };
    [origin, rest, query].concat()
}

/// Where clients reach a resource.
#[derive(Clone, Copy, Debug)]
pub struct Public<'c> {
    /// Scheme, host and port.
    pub origin: &'c str,
    /// The path as the operator wrote it.
    pub path: &'c str,
}

/// The public address of a place below the origin's URL, to which the origin redirects: clients do
/// not reach the origin itself. `None`: it is not below. Both URLs are absolute and as a URL parser
/// writes them. Which of http and https the origin says does not count: TLS may end before it.
pub fn relocated(public: Public<'_>, origin: &str, location: &str) -> Option<String> {
    let (origin, location) = (Parts::of(origin)?, Parts::of(location)?);
    if location.authority != origin.authority {
        return None;
    }
    if location.path == origin.path {
        return Some([public.origin, public.path, location.rest].concat());
    }
    let below = location.path.strip_prefix(origin.path.strip_suffix('/').unwrap_or(origin.path))?;
    let path = public.path.strip_suffix('/').unwrap_or(public.path);
    let is_below = below.is_empty() || below.starts_with('/');
    is_below.then(|| [public.origin, path, below, location.rest].concat())
}

/// An http or https URL, as a URL parser writes it.
struct Parts<'u> {
    authority: &'u str,
    path: &'u str,
    /// Query and fragment.
    rest: &'u str,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let (authority, rest) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
        let (path, rest) = rest.split_at_checked(rest.find(['?', '#']).unwrap_or(rest.len()))?;
        Some(Self { authority, path, rest })
    }
}

/// Whether an incoming header is kept from the origin: the credential, what could pass for a header
/// of ours, what is meant for the connection; and where there is a policy, what could get around
/// it.
pub fn is_removed(delivery: &Delivery, has_policy: bool, name: &str) -> bool {
    identity::is_reserved(name)
        || headers::is_of_connection(name)
        || is_lookalike(name, &headers::FRAMING)
        || delivery.removes(name)
        || (has_policy && (is_override(name) || is_lookalike(name, &JUDGED)))
}

/// Which headers of a request have to be looked at, as a regular expression for their names: all
/// that [`is_removed`] or [`asks_for_a_part`] may say yes to, `Connection` and `Upgrade`, and these
/// others. A name with any character but small letters, digits and `-` has to be looked at, so what
/// is left is equal to one of these names or begins like a header of ours.
pub fn looked_at(delivery: &Delivery, others: &[&str]) -> String {
    let known =
        [headers::AUTHORIZATION].into_iter().chain(headers::OF_CONNECTION).chain(OVERRIDES).chain(PARTS);
    let (starts, cookies): (_, &[&str]) = match delivery.removes_access {
        true => ([identity::PREFIX, "|^", access::PREFIX].concat(), &[COOKIE]),
        false => (identity::PREFIX.to_owned(), &[]),
    };
    let names = known.chain(others.iter().chain(cookies).copied()).chain(delivery.names());
    let names: Vec<String> = names.map(header_names::folded).collect();
    format!("[^a-z0-9-]|^{starts}|^(?:{})$", names.join("|"))
}

/// The header with a browser's cookies, of which Cloudflare Access has some.
pub const COOKIE: &str = "cookie";

/// Whether some server takes a request with this header for one of another method than was judged.
fn is_override(name: &str) -> bool {
    OVERRIDES.iter().any(|own| header_names::same(own, name))
}

const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// Whether some server takes a header for one of these, though it is spelled differently.
fn is_lookalike(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| header_names::same(known, name) && !known.eq_ignore_ascii_case(name))
}

/// What a policy looks at beside the body.
const JUDGED: [&str; 5] =
    ["Content-Encoding", "Content-Type", mirror::VERSION_HEADER, mirror::METHOD_HEADER, mirror::NAME_HEADER];

/// Whether `Connection` names a header as one that is meant for this connection only. What the
/// runtime reads itself stays its own, and what a policy has judged goes out as it was judged.
pub fn is_nominated(connection: &str, name: &str) -> bool {
    connection.split(',').any(|option| header_names::same(option.trim_matches([' ', '\t']), name))
        && !headers::FRAMING.iter().chain(&JUDGED).any(|kept| kept.eq_ignore_ascii_case(name))
}

/// Whether `Connection` names any header but those that are removed anyway.
pub fn nominates(connection: &str) -> bool {
    let options = connection.split(',').map(|option| option.trim_matches([' ', '\t']));
    options.into_iter().any(|option| {
        !option.is_empty() && !headers::is_of_connection(option) && !option.eq_ignore_ascii_case("close")
    })
}

/// Whether an `Upgrade` asks for a WebSocket, among others perhaps (RFC 9110 section 7.8).
pub fn names_websocket(upgrade: &str) -> bool {
    upgrade.split(',').any(|protocol| {
        let name = protocol.split('/').next().unwrap_or_default();
        name.trim_matches([' ', '\t']).eq_ignore_ascii_case(WEBSOCKET)
    })
}

/// Whether a request may go out as the opening of a WebSocket. The runtime sends each that says so
/// as a `GET`, whatever its method is; and for nobody none is opened.
///
/// # Errors It asks for one, and may not.
pub fn opens_websocket(method: &str, clearance: &Authorized, upgrade: Option<&str>) -> Result<bool, Refusal> {
    let Some(upgrade) = upgrade.filter(|upgrade| names_websocket(upgrade)) else { return Ok(false) };
    if method != "GET" || clearance.verified().is_none() {
        return Err(Refusal::UpgradeNotAllowed);
    }
    Ok(upgrade.eq_ignore_ascii_case(WEBSOCKET))
}

const WEBSOCKET: &str = "websocket";

/// Headers that ask for a part of an answer. `Request-Range` is what browsers sent once, and
/// Apache's httpd reads it still.
const PARTS: [&str; 3] = ["range", "if-range", "request-range"];

/// Whether a header asks for a part of an answer, which could not be filtered.
pub fn asks_for_a_part(name: &str) -> bool {
    PARTS.iter().any(|own| header_names::same(own, name))
}
