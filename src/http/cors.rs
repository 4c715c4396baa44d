//! CORS (Fetch standard, section 3.2) at the MCP endpoint and at the document.
//!
//! 1. Every answer at the endpoint that a page could read says who may read it, and an origin's own
//!    CORS headers are replaced there ([`is_wanted`]).
//! 2. `WWW-Authenticate` is exposed, or a browser client never sees the challenge.
//! 3. A preflight is answered before any authentication. It echoes the headers asked for:
//!    `Mcp-Param-*` has no end, and `*` does not cover `Authorization`.
//! 4. There is no credentials mode: the token is in a header.
//! 5. Where tokens may be sent by DPoP, its header is among those allowed, and its nonce exposed.

use std::borrow::Cow;

use crate::http::response::LocalResponse;
use crate::http::url;
use crate::limits;

pub const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
pub const EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";

/// The header that a server says in which nonce the next proof is to have in it (RFC 9449 section
/// 8.2).
pub const DPOP_NONCE: &str = "DPoP-Nonce";

pub const EXPOSED: &str = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version";
const EXPOSED_WITH_DPOP: &str = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, DPoP-Nonce";

/// What a page may read, and the name of the request beside.
pub fn with_request_id(exposed: &str) -> String {
    [exposed, ", X-MCP-Auth-Request-Id"].concat()
}

const DEFAULT_HEADERS: &str = "Content-Type, Authorization, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, \
                               Mcp-Name, Last-Event-ID";
const DEFAULT_HEADERS_WITH_DPOP: &str = "Content-Type, Authorization, DPoP, Accept, Mcp-Session-Id, \
                                         MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID";

/// Whom a page must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any origin; the opaque one (`null`) only where it is listed too.
    Any {
        null: bool,
    },
    Loopback,
    Listed(Vec<String>),
}

impl AllowedOrigins {
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any { null } => *null || !origin.eq_ignore_ascii_case("null"),
            Self::Loopback => url::parse(origin).is_some_and(|url| {
                matches!(url.scheme.as_str(), "http" | "https")
                    && url.is_loopback()
                    && url.origin.eq_ignore_ascii_case(origin)
            }),
            Self::Listed(origins) => origins.iter().any(|o| o.eq_ignore_ascii_case(origin)),
        }
    }
}

/// What the answers to one request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// The value of `Access-Control-Allow-Origin`, if any.
    pub allow_origin: Option<Cow<'static, str>>,
    /// Whether it depends on the request's `Origin`.
    pub varies: bool,
    /// Whether tokens may be sent by DPoP.
    pub dpop: bool,
}

/// Whether a forwarded answer needs CORS headers. A page's request has an `Origin`, but that of a
/// GET or HEAD may be answered out of a shared cache, which has kept the answer to another one.
pub fn is_wanted(method: &str, origin: Option<&str>) -> bool {
    origin.is_some() || matches!(method, "GET" | "HEAD")
}

impl Cors {
    /// For a request with this `Origin` header.
    pub fn new(allowed: &AllowedOrigins, origin: Option<&str>) -> Self {
        match allowed {
            AllowedOrigins::Any { .. } => {
                Self { allow_origin: Some(Cow::Borrowed("*")), varies: false, dpop: false }
            }
            _ => Self {
                allow_origin: origin.filter(|o| allowed.allows(o)).map(|o| Cow::Owned(o.to_owned())),
                varies: true,
                dpop: false,
            },
        }
    }

    /// The headers that a page may read.
    pub const fn exposed(&self) -> &'static str {
        if self.dpop { EXPOSED_WITH_DPOP } else { EXPOSED }
    }

    /// Adds the headers to an answer of our own.
    pub fn apply(self, answer: &mut LocalResponse) {
        let exposed = self.exposed();
        if self.varies {
            answer.set("Vary", "Origin");
        }
        if let Some(origin) = self.allow_origin {
            answer.set(ALLOW_ORIGIN, origin);
        }
        answer.set(EXPOSE_HEADERS, exposed);
    }
}

/// The response headers of CORS, and that of Private Network Access: an origin's own are replaced
/// by ours. Named one by one, because asking a response what headers it has costs more than all
/// that is done with them.
pub const RESPONSE_HEADERS: [&str; 7] = [
    ALLOW_ORIGIN,
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Private-Network",
    EXPOSE_HEADERS,
    "Access-Control-Max-Age",
];

/// The methods that MCP's Streamable HTTP uses, and that of preflights.
pub const METHODS: &str = "GET, POST, DELETE, OPTIONS";

/// The answer to a preflight at the endpoint.
pub fn preflight(cors: Cors, requested: Option<&str>) -> LocalResponse {
    let mut answer = LocalResponse::empty(204);
    let vary =
        if cors.varies { "Origin, Access-Control-Request-Headers" } else { "Access-Control-Request-Headers" };
    let default = if cors.dpop { DEFAULT_HEADERS_WITH_DPOP } else { DEFAULT_HEADERS };
    cors.apply(&mut answer);
    answer.set("Vary", vary);
    allow(&mut answer, METHODS, requested, default);
    answer
}

/// The answer to a preflight at the document, which any page may read.
pub fn metadata_preflight(requested: Option<&str>) -> LocalResponse {
    let mut answer = LocalResponse::empty(204);
    answer.set(ALLOW_ORIGIN, "*");
    answer.set("Vary", "Access-Control-Request-Headers");
    allow(&mut answer, METADATA_METHODS, requested, DEFAULT_HEADERS);
    answer
}

/// The methods that the document takes.
pub const METADATA_METHODS: &str = "GET, HEAD, OPTIONS";

fn allow(answer: &mut LocalResponse, methods: &'static str, requested: Option<&str>, default: &'static str) {
    let headers = match requested.map(str::trim).filter(|r| is_header_list(r)) {
        Some(requested) => Cow::Owned(requested.to_owned()),
        None => Cow::Borrowed(default),
    };
    answer.set("Access-Control-Allow-Methods", methods);
    answer.set("Access-Control-Allow-Headers", headers);
    answer.set("Access-Control-Max-Age", limits::PREFLIGHT_MAX_AGE.to_string());
}

/// Names as a browser lists them: tokens, commas, spaces. Anything else is not echoed.
fn is_header_list(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= limits::REQUESTED_HEADERS_BYTES
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(&b))
}
