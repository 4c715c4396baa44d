//! Names that several readers of the settings share.

/// What the names of variables begin with.
pub(super) const PREFIX: &str = "MCP_SERVER_AUTH_";
/// The spelling that Arcade's releases read.
pub(super) const SECOND_PREFIX: &str = "MCP_RESOURCE_SERVER_";

pub(super) const AUTHORIZATION_SERVERS: &str = "AUTHORIZATION_SERVERS";
pub(super) const RESOURCES: &str = "RESOURCES";

/// Of an entry, and of that member.
pub(super) const INTROSPECTION: &str = "introspection";
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// The single form's binding.
pub(super) const BINDING: &str = "ORIGIN";
pub(super) const ORIGIN_HEADERS: &str = "ORIGIN_HEADERS";
pub(super) const ORIGIN_MODE: &str = "ORIGIN_AUTHORIZATION";
pub(super) const ORIGIN_TIMEOUT: &str = "ORIGIN_TIMEOUT_SECONDS";
pub(super) const PASSTHROUGH_PERMISSION: &str = "allow_token_passthrough";

/// The binding by which `serve` and `dev` say that there is no Cloudflare around the Worker.
pub const OUTSIDE_CLOUDFLARE: &str = "MCP_EDGE_AUTH_OUTSIDE_CLOUDFLARE";

/// Whether a variable holds headers for an origin: that of the single form, or those that one of
/// several resources names.
pub(super) fn is_origin_headers(name: &str) -> bool {
    name.strip_prefix(ORIGIN_HEADERS).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// A name without a prefix of ours.
#[inline(never)]
pub(super) fn bare(name: &str) -> &str {
    let second = || name.strip_prefix(SECOND_PREFIX);
    name.strip_prefix(PREFIX).or_else(second).unwrap_or(name)
}
