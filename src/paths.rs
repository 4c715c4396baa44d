//! The paths that are the Worker's own.

pub const HEALTH: &str = "/healthz";

/// The metadata document of a resource (RFC 9728 section 3).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// The copy of an issuer's metadata (RFC 8414 section 3).
pub const ISSUER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// Whatever else is the Worker's.
pub const OWN: &str = "/.well-known/mcp-edge-auth";

/// The public keys of assertions.
pub const SIGNING_KEYS: &str = "/.well-known/mcp-edge-auth/jwks.json";
