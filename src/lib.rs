//! mcp-edge-auth: OAuth 2.1 in front of any MCP server, at the edge.
//!
//! The way of a request, down the page:
//!
//! 1. `decide`: settings, then `route` (path, which `path` reads as others may), preflight and `Origin` (`cors`), credentials (`bearer`).
//! 2. `verify`: `jose` takes the token apart, its `iss` picks the entries, `keys` the key, one signature check, then `claims` → `Permit`.
//! 3. `jwks`: which key set that is, and when it is fetched (`discovery` from where, `stored` in KV). `forward`: what a `Permit` sends to the origin, with its `identity`.
//! 4. `policy`: who may do what, decided on the body. `forward` wants its `Clearance`.
//! 5. `refusal`: every way to say no. `limits`: every number. `config`: variables → settings, with all their faults; `presets`: what the providers' tokens look like. `metadata`: RFC 9728. `landing`: the page for people. `plain`: what others say, on a terminal. `compatibility`: for clients and servers that know no better.
//!
//! Everything but `edge` is plain data in, plain data out: no I/O, no clock, tested natively.

pub mod accept;
pub mod answer;
pub mod assertion;
pub mod bearer;
pub mod challenge;
pub mod claims;
pub mod compatibility;
pub mod config;
pub mod cors;
pub mod decide;
pub mod delivery;
#[cfg(not(target_arch = "wasm32"))]
pub mod deployment;
pub mod discovery;
pub mod edge;
pub mod forward;
pub mod header_names;
pub mod identity;
pub mod jose;
pub mod json;
pub mod jwks;
pub mod keys;
pub mod landing;
pub mod limits;
pub mod metadata;
mod path;
pub mod plain;
pub mod policy;
pub mod presets;
pub mod refusal;
pub mod route;
pub mod secret;
pub mod sessions;
pub mod stored;
pub mod verify;
