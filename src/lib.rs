//! mcp-edge-auth: OAuth 2.1 in front of any MCP server, at the edge.
//!
//! The floors of this house, from top to bottom. A room uses only rooms below it, and a test holds
//! that (`tests/native/floors.rs`).
//!
//! 1. `edge`: the Worker. The event, I/O, JavaScript: the only room that knows the runtime.
//! 2. `admission`: settings, path, preflight, `Origin`, credential; what to do with a request.
//! 3. `settings`: variables are read, and become a `Config` or all their faults at once.
//! 4. `route`: host and path lead to a resource.
//! 5. `documents`: what the Worker itself serves, such as the metadata document (RFC 9728).
//! 6. `resource`: the model that a request meets.
//! 7. `origin`: what the origin gets, which is the target, headers and the assertion.
//! 8. `policy`: who may do what, decided on the body.
//! 9. `token`: a token is taken apart and verified, and becomes a permit.
//! 10. `keys`: key sets, where they are, when they are fetched and how long they are kept.
//! 11. `refusal`: every way to say no, in one table.
//! 12. `http`: paths, header names, CORS and answers.
//! 13. The ground: `json`, `limits` (every number), `secret`, `plain` (text of others, on a
//!     terminal).
//!
//! Everything but `edge` is plain data in, plain data out: no I/O, no clock, tested natively.

pub mod admission;
mod base64url;
pub mod documents;
// The commands are wasm, too, and have no Worker in them.
#[cfg(not(all(feature = "commands", target_arch = "wasm32")))]
pub mod edge;
pub mod fault;
pub mod http;
pub mod json;
pub mod keys;
pub mod limits;
pub mod origin;
pub mod paths;
pub mod plain;
pub mod policy;
pub mod refusal;
pub mod resource;
pub mod route;
pub mod secret;
pub mod settings;
pub mod token;
